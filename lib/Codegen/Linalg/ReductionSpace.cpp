//===- ReductionSpace.cpp - Reductions over some dims of a shape ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/ReductionSpace.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

static SmallVector<int64_t> firstLoops(size_t count) {
  return llvm::to_vector(llvm::seq<int64_t>(count));
}

ReductionSpace::ReductionSpace(Lowering &l, ArrayRef<OpFoldResult> dims,
                               const llvm::SmallBitVector &reduced)
    : l(l), dims(dims), loopOf(dims.size()), reduced(reduced) {
  for (bool isReduced : {false, true})
    for (auto [i, dim] : llvm::enumerate(dims)) {
      if (reduced[i] != isReduced)
        continue;
      loopOf[i] = loops.size();
      loops.push_back(dim);
      if (!isReduced) {
        keptAxes.push_back(i);
        kept.push_back(dim);
      }
    }
}

Value ReductionSpace::reduce(ValueRange full, ValueRange rows,
                             TypedAttr identity, Lowering::Body body) {
  GenericBuilder generic(l, loops, reduced.count());
  for (Value tensor : full)
    generic.add(tensor, dims, loopOf);
  for (Value tensor : rows)
    generic.add(tensor, kept, firstLoops(kept.size()));
  return generic.reduce(identity, body);
}

GenericBuilder ReductionSpace::full() { return GenericBuilder(l, dims); }

void ReductionSpace::addFull(GenericBuilder &generic, Value tensor) {
  generic.add(tensor, dims, firstLoops(dims.size()));
}

void ReductionSpace::addRows(GenericBuilder &generic, Value tensor) {
  generic.add(tensor, kept, keptAxes);
}

Value ReductionSpace::mapFull(ValueRange fullTensors, ValueRange rows,
                              Type element, Lowering::Body body) {
  GenericBuilder generic = full();
  for (Value tensor : fullTensors)
    addFull(generic, tensor);
  for (Value tensor : rows)
    addRows(generic, tensor);
  return generic.map(element, body);
}

Value ReductionSpace::mapRows(ValueRange rows, Type element,
                              Lowering::Body body) {
  GenericBuilder generic(l, kept);
  for (Value tensor : rows)
    generic.add(tensor, kept, firstLoops(kept.size()));
  return generic.map(element, body);
}

Value ReductionSpace::keepDims(Value rows) {
  // Each kept dim is grouped with the reduced dims after it, the first one also
  // with those before it.
  SmallVector<ReassociationIndices> groups(kept.size());
  SmallVector<OpFoldResult> shape;
  SmallVector<int64_t> sizes;
  size_t group = 0;
  for (auto [i, dim] : llvm::enumerate(dims)) {
    if (!reduced[i] && i > static_cast<size_t>(keptAxes.front()))
      ++group;
    if (!kept.empty())
      groups[group].push_back(i);
    shape.push_back(reduced[i] ? l.shapes.constant(1) : dim);
    sizes.push_back(
        getConstantIntValue(shape.back()).value_or(ShapedType::kDynamic));
  }
  Type element = cast<ShapedType>(rows.getType()).getElementType();
  return tensor::ExpandShapeOp::create(
      l.b, l.loc(), RankedTensorType::get(sizes, element), rows, groups, shape);
}

Value ReductionSpace::count(FloatType type) {
  OpFoldResult elements =
      l.shapes.product(ArrayRef(loops).drop_front(kept.size()));
  if (auto known = getConstantIntValue(elements))
    return arith::ConstantOp::create(
        l.b, l.loc(), l.b.getFloatAttr(type, static_cast<double>(*known)));
  Value integer = arith::IndexCastOp::create(l.b, l.loc(), l.b.getI64Type(),
                                             l.shapes.materialize(elements));
  return arith::SIToFPOp::create(l.b, l.loc(), type, integer);
}
