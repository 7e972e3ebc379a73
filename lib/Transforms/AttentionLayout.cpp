//===- AttentionLayout.cpp - How heads lie in spelled attention -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"
#include "RefineAttention.h"

using namespace mlir;
using namespace mlir::ds;

bool AttentionMatcher::sameLastDims(Value lhs, Value rhs, size_t count) {
  // Copies: a further question to `shapes` may move what it gave before.
  SmallVector<OpFoldResult> left(shapes.dims(lhs)), right(shapes.dims(rhs));
  return left.size() >= count && right.size() >= count &&
         ArrayRef(left).take_back(count) == ArrayRef(right).take_back(count);
}

Value AttentionMatcher::splitHeads(Value value) {
  auto reshape = value.getDefiningOp<onnx::ReshapeOp>();
  if (typeOf(value).getRank() != 3 || !reshape ||
      typeOf(reshape.getData()).getRank() != 4)
    return nullptr;
  // All elements stay, so with the last two dims alike, what is left of the
  // four is what is left of the three.
  return sameLastDims(value, reshape.getData(), 2) ? reshape.getData()
                                                   : Value();
}

Value AttentionMatcher::takeJoinedTranspose(Value value) {
  // [B, H, S, D] → [B · H, S, D] → [B · H, D, S] → [B, H, D, S]
  auto split = value.getDefiningOp<onnx::ReshapeOp>();
  auto transpose =
      split ? split.getData().getDefiningOp<onnx::TransposeOp>() : nullptr;
  if (!transpose || typeOf(value).getRank() != 4 || !transpose.getPerm() ||
      *transpose.getPerm() != ArrayRef<int64_t>{0, 2, 1} ||
      !sameLastDims(value, transpose.getResult(), 2))
    return nullptr;
  Value heads = splitHeads(transpose.getData());
  if (!heads)
    return nullptr;
  SmallVector<OpFoldResult> from(shapes.dims(heads)), to(shapes.dims(value));
  return ArrayRef(from).take_front(2) == ArrayRef(to).take_front(2) ? heads
                                                                    : Value();
}

Value mlir::ds::takeRepeat(Value value, ShapeBuilder &shapes) {
  // [B, Hkv, S, D] → [B, Hkv, 1, S, D] → [B, Hkv, n, S, D] → [B, Hkv · n, S, D]
  auto reshape = value.getDefiningOp<onnx::ReshapeOp>();
  auto expand =
      reshape ? reshape.getData().getDefiningOp<onnx::ExpandOp>() : nullptr;
  if (!expand || typeOf(value).getRank() != 4 ||
      typeOf(expand.getResult()).getRank() != 5)
    return value;
  Value single = expand.getInput();
  Value heads;
  if (auto unsqueeze = single.getDefiningOp<onnx::UnsqueezeOp>())
    heads = unsqueeze.getData();
  else if (auto split = single.getDefiningOp<onnx::ReshapeOp>())
    heads = split.getData();
  if (!heads || typeOf(heads).getRank() != 4 || typeOf(single).getRank() != 5 ||
      typeOf(single).getDimSize(2) != 1)
    return value;
  SmallVector<OpFoldResult> from(shapes.dims(heads)), one(shapes.dims(single)),
      many(shapes.dims(expand.getResult())), to(shapes.dims(value));
  // Only dim 2 may differ on the way, and then be joined with dim 1.
  for (auto [source, target] :
       {std::pair<int64_t, int64_t>{0, 0}, {1, 1}, {2, 3}, {3, 4}})
    if (one[target] != from[source] || many[target] != from[source])
      return value;
  for (int64_t dim : {0, 2, 3})
    if (to[dim] != from[dim])
      return value;
  return heads;
}
