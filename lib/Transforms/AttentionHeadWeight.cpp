//===- AttentionHeadWeight.cpp - Weights of heads -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionHeadWeight.h"

#include "RaiseHelpers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::ds;

std::optional<HeadWeight> HeadWeight::get(Value factor,
                                          ArrayRef<int64_t> permutation,
                                          Value query, ShapeBuilder &shapes) {
  RankedTensorType type = typeOf(factor);
  if (type.getRank() > 4 ||
      type.getElementType() != typeOf(query).getElementType())
    return std::nullopt;
  // Its dims by what they are of: batch, head, row, element of a row.
  SmallVector<OpFoldResult> padded(4 - type.getRank(), shapes.constant(1));
  llvm::append_range(padded, shapes.dims(factor));
  SmallVector<OpFoldResult> dims = applyPermutation(padded, permutation);
  SmallVector<OpFoldResult> q(shapes.dims(query));
  auto isOne = [&](int64_t dim) { return isConstantIntValue(dims[dim], 1); };
  if (dims[1] != q[1] || !isOne(3))
    return std::nullopt;
  bool byBatch = dims[0] == q[0] && !isOne(0);
  bool byRow = dims[2] == q[2] && !isOne(2);
  if ((!byBatch && !isOne(0)) || (!byRow && !isOne(2)))
    return std::nullopt;
  // Weights of rows have a batch, too; one batch is one whatever it is called.
  if (byRow && !byBatch && !isConstantIntValue(q[0], 1))
    return std::nullopt;

  HeadWeight weight;
  weight.factor = factor;
  SmallVector<int64_t> kept = {1};
  if (byBatch || byRow)
    kept = {0, 1};
  if (byRow)
    kept.push_back(2);
  // Where each kept dim lies in the factor, of which the leading may be
  // missing.
  int64_t missing = 4 - type.getRank();
  for (int64_t dim : kept)
    weight.dims.push_back(permutation[dim] - missing);
  return weight;
}

void mlir::ds::takeResultFactor(AttentionOp op, ShapeBuilder &shapes) {
  Value result = op.getResult();
  // Readers of lse may be before the factor, where the op goes.
  if (op.getHeadWeight() || op.getLse() || !result.hasOneUse())
    return;
  Operation *user = *result.user_begin(), *swap = nullptr;
  SmallVector<int64_t> permutation = {0, 1, 2, 3};
  if (auto transpose = dyn_cast<onnx::TransposeOp>(user)) {
    // Its own inverse is asked for, since factor dims go the other way.
    if (!transpose.getPerm() ||
        *transpose.getPerm() != ArrayRef<int64_t>{0, 2, 1, 3} ||
        !transpose->hasOneUse())
      return;
    permutation = llvm::to_vector(*transpose.getPerm());
    swap = transpose;
    user = *transpose->user_begin();
  }
  auto mul = dyn_cast<onnx::MulOp>(user);
  if (!mul || mul.getLhs() == mul.getRhs() ||
      mul->getBlock() != op->getBlock() ||
      (swap && swap->getBlock() != op->getBlock()))
    return;
  Value rows = swap ? swap->getResult(0) : result;
  Value factor = mul.getLhs() == rows ? mul.getRhs() : mul.getLhs();
  insertShapesBefore(mul, shapes);
  std::optional<HeadWeight> weight =
      HeadWeight::get(factor, permutation, op.getQuery(), shapes);
  // It may have any other factor, which just stays.
  if (!weight)
    return;
  OpBuilder builder(mul);
  op.getHeadWeightMutable().assign(weight->create(
      builder, builder.getFusedLoc({op.getLoc(), mul.getLoc()})));
  // The factor may be known later than the other operands.
  op->moveBefore(mul);
  if (swap)
    swap->moveBefore(mul);
  mul.replaceAllUsesWith(withTypeOf(mul.getResult(), rows, builder));
}

Value HeadWeight::create(OpBuilder &builder, Location loc) const {
  Value weight = factor;
  RankedTensorType type = typeOf(weight);
  // Drop what is 1, and bring the rest to the order [B, Hq, T].
  SmallVector<int64_t> dropped, left, order;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    (llvm::is_contained(dims, dim) ? left : dropped).push_back(dim);
  int64_t missing = llvm::count_if(dims, [](int64_t dim) { return dim < 0; });
  SmallVector<int64_t> sizes;
  for (int64_t dim : left)
    sizes.push_back(type.getDimSize(dim));
  auto axes = [&](ArrayRef<int64_t> values) -> Value {
    auto attribute = DenseElementsAttr::get(
        RankedTensorType::get({static_cast<int64_t>(values.size())},
                              builder.getI64Type()),
        values);
    return onnx::ConstantOp::create(builder, loc, attribute);
  };
  if (!dropped.empty()) {
    type = type.clone(sizes);
    weight = onnx::SqueezeOp::create(builder, loc, type, weight, axes(dropped));
  }
  for (int64_t dim : dims)
    if (dim >= 0)
      order.push_back(llvm::find(left, dim) - left.begin());
  weight = createTranspose(builder, loc, weight, order);
  if (missing) {
    SmallVector<int64_t> whole(typeOf(weight).getShape());
    whole.insert(whole.begin(), missing, 1);
    weight = onnx::UnsqueezeOp::create(
        builder, loc, type.clone(whole), weight,
        axes(llvm::to_vector(llvm::seq<int64_t>(missing))));
  }
  return weight;
}
