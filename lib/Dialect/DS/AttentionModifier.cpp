//===- AttentionModifier.cpp - Regions of ds.attention in loops -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/AttentionModifier.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::ds;

AttentionModifier::AttentionModifier(Region &region, ShapeBuilder &shapes,
                                     function_ref<Value(Value)> lowered)
    : block(&region.front()) {
  for (Operation &op : block->without_terminator())
    for (Value operand : op.getOperands()) {
      if (operand.getParentBlock() == block || outside.contains(operand))
        continue;
      outside[operand] = lowered(operand);
      if (!isa<TensorType>(operand.getType()))
        continue;
      SmallVector<Value> &sizes = dims[operand];
      for (OpFoldResult dim : llvm::to_vector(shapes.dims(operand)))
        sizes.push_back(shapes.materialize(dim));
    }
}

Value AttentionModifier::emitRead(OpBuilder &b, Location loc, Operation *op,
                                  ValueRange indices) const {
  auto read = cast<tensor::ExtractOp>(op);
  SmallVector<Value> checked;
  for (auto [index, dim] : llvm::zip_equal(indices, dims.at(read.getTensor())))
    checked.push_back(
        CheckedIndexOp::create(b, loc, index, dim, /*wrap=*/false));
  Value element =
      tensor::ExtractOp::create(b, loc, lookup(read.getTensor()), checked);
  if (element.getType() == read.getType())
    return element;
  // A bool as it is stored.
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(element.getType()));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, element, zero);
}

Value AttentionModifier::emit(OpBuilder &b, Location loc,
                              ValueRange arguments) const {
  IRMapping map;
  map.map(block->getArguments(), arguments);
  for (auto [outer, inner] : outside)
    map.map(outer, inner);
  for (Operation &op : block->without_terminator()) {
    if (auto read = dyn_cast<tensor::ExtractOp>(op)) {
      SmallVector<Value> indices;
      for (Value index : read.getIndices())
        indices.push_back(map.lookupOrDefault(index));
      map.map(read.getResult(), emitRead(b, loc, read, indices));
      continue;
    }
    b.clone(op, map)->setLoc(loc);
  }
  return map.lookupOrDefault(cast<YieldOp>(block->getTerminator()).getValue());
}
