//===- ReductionSpace.cpp - Reductions over some dims of a shape ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/ReductionSpace.h"
#include "ds/Codegen/Linalg/Views.h"

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
  SmallVector<OpFoldResult> shape = dims;
  for (unsigned i : reduced.set_bits())
    shape[i] = l.shapes.constant(1);
  return reshape(l, rows, kept, shape);
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
