//===- IndexScore.cpp - ds.index_score ------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

using namespace mlir;
using namespace mlir::ds;

LogicalResult IndexScoreOp::verify() {
  RankedTensorType query = getQuery().getType(), key = getKey().getType(),
                   weight = getWeight().getType(), score = getScore().getType();
  if (query.getRank() != 4 || key.getRank() != 3 || weight.getRank() != 3)
    return emitOpError("C1: expected query of rank 4, key and weight of rank "
                       "3, found ")
           << query << ", " << key << " and " << weight;
  auto requireDims = [&](StringRef id, StringRef name, RankedTensorType type,
                         ArrayRef<int64_t> expected) -> LogicalResult {
    if (llvm::all_of_zip(type.getShape(), expected, compatibleDims))
      return success();
    return emitOpError() << id << ": expected " << name << " of type "
                         << type.clone(expected) << ", found " << type;
  };
  int64_t batch = query.getDimSize(0), heads = query.getDimSize(1),
          rows = query.getDimSize(2), keys = key.getDimSize(1),
          any = ShapedType::kDynamic;
  if (failed(requireDims("C2", "key", key, {batch, any, any})) ||
      failed(requireDims("C2", "weight", weight, {batch, any, any})) ||
      failed(requireDims("C3", "key", key, {any, any, query.getDimSize(3)})) ||
      failed(requireDims("C4", "weight", weight, {any, rows, heads})))
    return failure();
  Type element = query.getElementType(), sum = getSumType(element);
  for (RankedTensorType type : {key, weight})
    if (type.getElementType() != element)
      return emitOpError("C5: expected operands of element type ")
             << element << ", found " << type;
  if (score.getElementType() != sum)
    return emitOpError("C5: expected a score of element type ")
           << sum << ", found " << score;
  if (score.getRank() != 3)
    return emitOpError("C6: expected a score of rank 3, found ") << score;
  return requireDims("C6", "a score", score, {batch, rows, keys});
}

LogicalResult
IndexScoreOp::inferResults(ShapeBuilder &shapes,
                           SmallVectorImpl<ResultShape> &results) {
  OpFoldResult batch = shapes.dim(getQuery(), 0),
               rows = shapes.dim(getQuery(), 2), keys = shapes.dim(getKey(), 1);
  results.push_back(
      {getScore().getType().getElementType(), {batch, rows, keys}});
  return success();
}

Value mlir::ds::decomposeIndexScore(IndexScoreOp op,
                                    IndexScoreOp::Adaptor operands,
                                    OpBuilder &b, ShapeBuilder &shapes) {
  LinalgBuilder linalg{b, op.getLoc()};
  SmallVector<OpFoldResult> query = llvm::to_vector(shapes.dims(op.getQuery()));
  OpFoldResult keys = shapes.dim(op.getKey(), 1);
  Type sum = op.getScore().getType().getElementType();
  auto map = [&](unsigned loops, ArrayRef<unsigned> results) {
    return AffineMap::getMultiDimMapWithTargets(loops, results, b.getContext());
  };
  // Loops: batch, head, row, key, element.
  Value products = linalg.contract(
      operands.getQuery(), operands.getKey(),
      {map(5, {0, 1, 2, 4}), map(5, {0, 3, 4}), map(5, {0, 1, 2, 3})},
      linalg.filled({query[0], query[1], query[2], keys}, sum, 0));
  // Loops: batch, row, key, head.
  return linalg.generic(
      {products, operands.getWeight()},
      {map(4, {0, 3, 1, 2}), map(4, {0, 1, 3}), map(4, {0, 1, 2})},
      linalg.filled({query[0], query[2], keys}, sum, 0),
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = LinalgBuilder::constant(b, loc, sum, 0);
        Value positive = arith::MaximumFOp::create(b, loc, v[0], zero);
        Value weight = LinalgBuilder::extend(b, loc, sum, v[1]);
        Value product = arith::MulFOp::create(b, loc, weight, positive);
        return arith::AddFOp::create(b, loc, v[2], product);
      });
}

FailureOr<SmallVector<Value>> IndexScoreOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeIndexScore(*this, Adaptor(getOperands(), *this), b, shapes)};
}
