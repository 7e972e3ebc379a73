//===- KVAppend.cpp - ds.kv_append ----------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

LogicalResult KVAppendOp::verify() {
  RankedTensorType cache = getCache().getType(), rows = getRows().getType();
  for (auto [name, type] :
       {std::pair<StringRef, RankedTensorType>{"cache", cache}, {"rows", rows}})
    if (type.getRank() != 4)
      return emitOpError("C1: expected ")
             << name << " of rank 4, found " << type;
  for (int64_t dim : {0, 1, 3})
    if (!compatibleDims(cache.getDimSize(dim), rows.getDimSize(dim)))
      return emitOpError("C2: expected dim ")
             << dim << " of rows to be " << cache.getDimSize(dim) << ", found "
             << rows.getDimSize(dim);
  if (!cache.isDynamicDim(2) && !rows.isDynamicDim(2) &&
      rows.getDimSize(2) > cache.getDimSize(2))
    return emitOpError("C3: expected at most ")
           << cache.getDimSize(2) << " rows, as the cache has, found "
           << rows.getDimSize(2);
  if (getPositions() && !compatibleDims(getPositions().getType().getDimSize(0),
                                        cache.getDimSize(0)))
    return emitOpError("C4: expected positions of shape [B], found ")
           << getPositions().getType() << " for " << cache;
  for (RankedTensorType type : {rows, getType()})
    if (type.getElementType() != cache.getElementType())
      return emitOpError("C5: expected element type ")
             << cache.getElementType() << ", found " << type;
  if (failed(verifyCompatibleShape(cache.getShape(), getType().getShape())))
    return emitOpError("C6: expected a result of type ")
           << cache << ", found " << getType();
  return success();
}

LogicalResult KVAppendOp::inferResults(ShapeBuilder &shapes,
                                       SmallVectorImpl<ResultShape> &results) {
  results.push_back(
      {getType().getElementType(), llvm::to_vector(shapes.dims(getCache()))});
  return success();
}

/// Element by element into a copy of the cache.
Value mlir::ds::decomposeKVAppend(KVAppendOp op, KVAppendOp::Adaptor operands,
                                  OpBuilder &b, ShapeBuilder &shapes) {
  Location loc = op.getLoc();
  LinalgBuilder linalg{b, loc};
  SmallVector<OpFoldResult> cache = llvm::to_vector(shapes.dims(op.getCache())),
                            rows = llvm::to_vector(shapes.dims(op.getRows()));
  OpFoldResult last = shapes.sub(cache[2], rows[2]);
  Value size = shapes.materialize(cache[2]);
  Value bound = shapes.materialize(shapes.add(last, shapes.constant(1)));
  Value zero = shapes.materialize(shapes.constant(0));
  Value one = shapes.materialize(shapes.constant(1));
  SmallVector<Value> upper = llvm::map_to_vector(
      rows, [&](OpFoldResult dim) { return shapes.materialize(dim); });
  Type element =
      cast<ShapedType>(operands.getCache().getType()).getElementType();
  Value copy = linalg.map(
      operands.getCache(), b.getMultiDimIdentityMap(4), cache, element,
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, SmallVector<Value>(4, zero), upper, SmallVector<Value>(4, one),
      copy,
      [&](OpBuilder &b, Location loc, ValueRange ivs,
          ValueRange state) -> scf::ValueVector {
        Value first = zero;
        if (op.getPositions()) {
          first = arith::IndexCastOp::create(
              b, loc, b.getIndexType(),
              tensor::ExtractOp::create(b, loc, operands.getPositions(),
                                        ivs[0]));
          if (!op.getCircular())
            first = CheckedIndexOp::create(b, loc, first, bound,
                                           /*wrap=*/false);
        }
        SmallVector<Value> at(ivs);
        at[2] = arith::AddIOp::create(b, loc, first, ivs[2]);
        if (op.getCircular())
          at[2] = floorMod(b, loc, at[2], size);
        Value row = tensor::ExtractOp::create(b, loc, operands.getRows(), ivs);
        return {tensor::InsertOp::create(b, loc, row, state.front(), at)};
      });
  return nest.results.front();
}

FailureOr<SmallVector<Value>> KVAppendOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeKVAppend(*this, Adaptor(getOperands(), *this), b, shapes)};
}
