//===- NN.cpp - ONNX ops: shapes of neural network ops --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/NN.cpp.inc"

LogicalResult GeluOp::verify() {
  if (getApproximate() != "none" && getApproximate() != "tanh")
    return emitOpError("C1: expected approximate \"none\" or \"tanh\", found ")
           << getApproximateAttr();
  return success();
}

LogicalResult PReluOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getInput()));
  if (failed(checkBroadcastsTo(*this, shapes.dims(getSlope()), dims, "slope")))
    return failure();
  return inferSameShape(*this, shapes, results);
}

//===----------------------------------------------------------------------===//
// Normalization over rows
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult verifyStashType(OpTy op) {
  if (op.getStashType() != 1)
    return op.emitOpError("expected stash_type 1 (f32), found ")
           << op.getStashType();
  return success();
}

LogicalResult LayerNormalizationOp::verify() {
  Type element = elementType(getX());
  if (elementType(getScale()) != element ||
      (isPresent(getBias()) && elementType(getBias()) != element))
    return emitOpError("C3: expected scale and bias of element type ")
           << element;
  return verifyStashType(*this);
}

LogicalResult RMSNormalizationOp::verify() { return verifyStashType(*this); }

LogicalResult
LayerNormalizationOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size());
  if (failed(axis) ||
      failed(checkBroadcastsTo(*this, shapes.dims(getScale()), dims, "scale")))
    return failure();
  if (isPresent(getBias()) &&
      failed(checkBroadcastsTo(*this, shapes.dims(getBias()), dims, "bias")))
    return failure();
  SmallVector<OpFoldResult> rows = dims;
  for (OpFoldResult &dim : MutableArrayRef(rows).drop_front(*axis))
    dim = shapes.constant(1);
  Type f32 = Float32Type::get(getContext());
  results.push_back({elementType(getX()), std::move(dims)});
  results.push_back({f32, rows});
  results.push_back({f32, std::move(rows)});
  return success();
}

LogicalResult
RMSNormalizationOp::inferResults(ShapeBuilder &shapes,
                                 SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  if (failed(normalizeAxis(*this, getAxis(), dims.size())) ||
      failed(checkBroadcastsTo(*this, shapes.dims(getScale()), dims, "scale")))
    return failure();
  return inferSameShape(*this, shapes, results);
}

//===----------------------------------------------------------------------===//
// Normalization over channels
//===----------------------------------------------------------------------===//

/// The shape of operand 0, (N, C, …), to whose C those of the others must be
/// equal as far as that is known.
static LogicalResult inferPerChannel(Operation *op, ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims =
      llvm::to_vector(shapes.dims(op->getOperand(0)));
  if (dims.size() < 2)
    return op->emitOpError("C1: expected x of rank 2 at least, found ")
           << dims.size();
  auto channels = getConstantIntValue(dims[1]);
  for (Value operand : llvm::drop_begin(op->getOperands())) {
    ArrayRef<OpFoldResult> own = shapes.dims(operand);
    auto length = own.size() == 1 ? getConstantIntValue(own[0]) : std::nullopt;
    if (own.size() != 1 || (channels && length && *channels != *length))
      return op->emitOpError("C1: expected one value per channel of ")
             << op->getOperand(0).getType() << ", found " << operand.getType();
  }
  return inferSameShape(op, shapes, results);
}

LogicalResult
InstanceNormalizationOp::inferResults(ShapeBuilder &shapes,
                                      SmallVectorImpl<ResultShape> &results) {
  return inferPerChannel(*this, shapes, results);
}

LogicalResult GroupNormalizationOp::verify() {
  if (int64_t groups = getNumGroups(); groups <= 0)
    return emitOpError("C2: expected a positive num_groups, found ") << groups;
  return verifyStashType(*this);
}

LogicalResult
GroupNormalizationOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  if (failed(inferPerChannel(*this, shapes, results)))
    return failure();
  // Runs before verify(), which refuses fewer than one group.
  auto channels = getConstantIntValue(results.back().dims[1]);
  if (channels && getNumGroups() > 0 && *channels % getNumGroups() != 0)
    return emitOpError("C2: ") << *channels << " channels do not form "
                               << getNumGroups() << " groups";
  return success();
}

LogicalResult BatchNormalizationOp::verify() {
  if (getTrainingMode())
    return emitOpError("C2: training is not supported");
  return success();
}

LogicalResult
BatchNormalizationOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  return inferPerChannel(*this, shapes, results);
}
