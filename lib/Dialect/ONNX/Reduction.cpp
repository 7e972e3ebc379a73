//===- Reduction.cpp - ONNX ops: shapes and elements of reductions --------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Reduction.cpp.inc"

FailureOr<llvm::SmallBitVector> mlir::onnx::reducedDims(Operation *op,
                                                        ReductionArgs args,
                                                        ShapeBuilder &shapes) {
  int64_t rank = shapes.rank(args.data);
  SmallVector<int64_t> axes;
  if (isPresent(args.axes)) {
    auto known = constantElements(op, shapes, args.axes, "axes");
    if (failed(known))
      return failure();
    axes = std::move(*known);
  }
  if (axes.empty())
    return llvm::SmallBitVector(rank, !args.noopWithEmptyAxes);
  llvm::SmallBitVector reduced(rank);
  for (int64_t axis : axes) {
    FailureOr<int64_t> dim = normalizeAxis(op, axis, rank);
    if (failed(dim))
      return failure();
    reduced.set(*dim);
  }
  return reduced;
}

/// `dims` with those that are reduced dropped, or 1.
static SmallVector<OpFoldResult>
reduceShape(ShapeBuilder &shapes, ArrayRef<OpFoldResult> dims,
            const llvm::SmallBitVector &reduced, bool keepDims) {
  SmallVector<OpFoldResult> result;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!reduced[i])
      result.push_back(dim);
    else if (keepDims)
      result.push_back(shapes.constant(1));
  }
  return result;
}

LogicalResult
mlir::onnx::inferReduction(Operation *op, ReductionArgs args,
                           ShapeBuilder &shapes,
                           SmallVectorImpl<ResultShape> &results) {
  FailureOr<llvm::SmallBitVector> reduced = reducedDims(op, args, shapes);
  if (failed(reduced))
    return failure();
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(args.data));
  results.push_back({elementType(args.data),
                     reduceShape(shapes, dims, *reduced, args.keepDims)});
  return success();
}

LogicalResult
mlir::onnx::inferArgReduction(Operation *op, int64_t axis, bool keepDims,
                              ShapeBuilder &shapes,
                              SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims =
      llvm::to_vector(shapes.dims(op->getOperand(0)));
  FailureOr<int64_t> dim = normalizeAxis(op, axis, dims.size());
  if (failed(dim))
    return failure();
  if (isConstantIntValue(dims[*dim], 0))
    return op->emitOpError() << "C1: axis " << axis << " has no elements";
  llvm::SmallBitVector reduced(dims.size());
  reduced.set(*dim);
  results.push_back({IntegerType::get(op->getContext(), 64),
                     reduceShape(shapes, dims, reduced, keepDims)});
  return success();
}

/// How an op combines two elements, or null where shapes have no use for it.
static std::function<OpFoldResult(OpFoldResult, OpFoldResult)>
getCombiner(Operation *op, ShapeBuilder &s) {
  if (isa<ReduceSumOp>(op))
    return [&](auto l, auto r) { return s.add(l, r); };
  if (isa<ReduceProdOp>(op))
    return [&](auto l, auto r) { return s.mul(l, r); };
  if (isa<ReduceMaxOp>(op))
    return [&](auto l, auto r) { return s.max(l, r); };
  if (isa<ReduceMinOp>(op))
    return [&](auto l, auto r) { return s.min(l, r); };
  return nullptr;
}

std::optional<SmallVector<OpFoldResult>>
mlir::onnx::inferReducedElements(Operation *op, ReductionArgs args,
                                 ShapeBuilder &shapes) {
  auto combine = getCombiner(op, shapes);
  Type element = elementType(args.data);
  if (!combine ||
      !(element.isSignlessInteger(32) || element.isSignlessInteger(64)))
    return std::nullopt;
  auto elements = shapes.elements(args.data);
  if (!elements || elements->empty())
    return std::nullopt;
  FailureOr<llvm::SmallBitVector> reduced = reducedDims(op, args, shapes);
  if (failed(reduced))
    return std::nullopt;

  // elements() has seen to it that the shape is static.
  ArrayRef<int64_t> shape = cast<ShapedType>(args.data.getType()).getShape();
  SmallVector<int64_t> kept;
  for (auto [i, dim] : llvm::enumerate(shape))
    kept.push_back((*reduced)[i] ? 1 : dim);
  SmallVector<int64_t> strides = computeStrides(shape);
  SmallVector<int64_t> keptStrides = computeStrides(kept);
  SmallVector<OpFoldResult> result(ShapedType::getNumElements(kept));
  for (auto [i, value] : llvm::enumerate(*elements)) {
    SmallVector<int64_t> position = delinearize(i, strides);
    for (unsigned dim : reduced->set_bits())
      position[dim] = 0;
    OpFoldResult &target = result[linearize(position, keptStrides)];
    target = target ? combine(target, value) : value;
  }
  return result;
}

LogicalResult TopKOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getX());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size());
  if (failed(axis))
    return failure();
  FailureOr<SmallVector<OpFoldResult>> count =
      indexElements(*this, shapes, getK(), "k");
  if (failed(count))
    return failure();
  if (count->size() != 1)
    return emitOpError("C2: expected k of one element, found ")
           << getK().getType();
  auto known = getConstantIntValue(count->front()),
       size = getConstantIntValue(dims[*axis]);
  if (known && (*known < 0 || (size && *known > *size)))
    return emitOpError("C2: expected k from 0 to the elements of the axis in ")
           << getX().getType() << ", found " << *known;
  dims[*axis] = count->front();
  results.push_back({elementType(getX()), dims});
  results.push_back({IntegerType::get(getContext(), 64), dims});
  return success();
}
