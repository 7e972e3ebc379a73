//===- Transformer.cpp - ONNX ops: shapes of ops of transformers ----------===//
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
#include "ds/Dialect/ONNX/Transformer.cpp.inc"

static int64_t operandRank(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// The codes of float types in ONNX's TensorProto: float, float16, double and
/// bfloat16.
static constexpr int64_t floatTypeCodes[] = {1, 10, 11, 16};

LogicalResult AttentionOp::verify() {
  int64_t rank = operandRank(getQ());
  if ((rank != 3 && rank != 4) || operandRank(getK()) != rank ||
      operandRank(getV()) != rank)
    return emitOpError("C1: expected Q, K and V of one rank, 3 or 4, found ")
           << getQ().getType() << ", " << getK().getType() << " and "
           << getV().getType();
  if (rank == 3 && !(getQNumHeads() && getKvNumHeads()))
    return emitOpError("C1: Q, K and V of rank 3 need the attributes "
                       "q_num_heads and kv_num_heads");
  for (std::optional<int64_t> heads : {getQNumHeads(), getKvNumHeads()})
    if (heads && *heads <= 0)
      return emitOpError("C2: expected positive head counts, found ") << *heads;
  if (isPresent(getPastKey()) != isPresent(getPastValue()))
    return emitOpError("C4: one of past_key and past_value is absent");
  if (isPresent(getPastKey()) && isPresent(getNonpadKvSeqlen()))
    return emitOpError("C4: nonpad_kv_seqlen is given with past_key");
  for (auto [name, past] :
       {std::pair<StringRef, Value>{"past_key", getPastKey()},
        {"past_value", getPastValue()}})
    if (isPresent(past) && operandRank(past) != 4)
      return emitOpError("C3: expected ")
             << name << " of rank 4, found " << past.getType();
  if (isPresent(getNonpadKvSeqlen()) && operandRank(getNonpadKvSeqlen()) != 1)
    return emitOpError("C3: expected nonpad_kv_seqlen of rank 1, found ")
           << getNonpadKvSeqlen().getType();
  if (isPresent(getAttnMask()) &&
      (operandRank(getAttnMask()) < 1 || operandRank(getAttnMask()) > 4))
    return emitOpError("C5: expected attn_mask of rank 1 to 4, found ")
           << getAttnMask().getType();
  Type element = elementType(getQ());
  for (auto [name, operand] : {std::pair<StringRef, Value>{"K", getK()},
                               {"V", getV()},
                               {"past_key", getPastKey()},
                               {"past_value", getPastValue()}})
    if (isPresent(operand) && elementType(operand) != element)
      return emitOpError("C6: expected ")
             << name << " of element type " << element << ", found "
             << operand.getType();
  if (getQkMatmulOutputMode() < 0 || getQkMatmulOutputMode() > 3)
    return emitOpError("C7: expected qk_matmul_output_mode from 0 to 3, found ")
           << getQkMatmulOutputMode();
  if (getSoftmaxPrecision() &&
      !llvm::is_contained(floatTypeCodes, int64_t(*getSoftmaxPrecision())))
    return emitOpError("C7: expected the code of a float type as "
                       "softmax_precision, found ")
           << *getSoftmaxPrecision();
  return success();
}

namespace {
/// The dims of an operand of Attention: those of rank 3 taken apart.
struct HeadDims {
  OpFoldResult batch, heads, rows, size;
};
} // namespace

static FailureOr<HeadDims> getHeadDims(AttentionOp op, ShapeBuilder &shapes,
                                       Value operand,
                                       std::optional<int64_t> heads,
                                       StringRef name) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, operand);
  if (dims.size() == 4) {
    if (heads) {
      FailureOr<OpFoldResult> joined = joinDims(
          op, "C2", shapes.constant(*heads), dims[1], "the heads of " + name);
      if (failed(joined))
        return failure();
      dims[1] = *joined;
    }
    return HeadDims{dims[0], dims[1], dims[2], dims[3]};
  }
  auto width = getConstantIntValue(dims[2]);
  if (width && *width % *heads != 0)
    return op.emitOpError("C3: rows of ")
           << *width << " elements of " << name << " do not form " << *heads
           << " heads";
  OpFoldResult count = shapes.constant(*heads);
  return HeadDims{dims[0], count, dims[1],
                  shapes.exactQuotient(dims[2], count)};
}

/// C3 of the cache: `dims` with its rows before those of K or V.
static LogicalResult appendToCache(AttentionOp op, ShapeBuilder &shapes,
                                   Value past, HeadDims &dims, StringRef name) {
  if (!isPresent(past))
    return success();
  SmallVector<OpFoldResult> own = dimsOf(shapes, past);
  for (auto [target, found, what] :
       {std::tuple<OpFoldResult *, OpFoldResult, StringRef>{&dims.batch, own[0],
                                                            "the batch of "},
        {&dims.heads, own[1], "the heads of "},
        {&dims.size, own[3], "the head size of "}}) {
    FailureOr<OpFoldResult> joined =
        joinDims(op, "C3", *target, found, what + name);
    if (failed(joined))
      return failure();
    *target = *joined;
  }
  dims.rows = shapes.add(own[2], dims.rows);
  return success();
}

/// C5.
static LogicalResult checkMask(AttentionOp op, ShapeBuilder &shapes,
                               ArrayRef<OpFoldResult> scores) {
  SmallVector<OpFoldResult> mask = dimsOf(shapes, op.getAttnMask());
  auto length = getConstantIntValue(mask.back()),
       keys = getConstantIntValue(scores.back());
  bool fits = !length || !keys || *length <= *keys;
  for (auto [dim, target] :
       llvm::zip(ArrayRef(mask).drop_back(),
                 ArrayRef(scores).take_back(mask.size()).drop_back())) {
    auto found = getConstantIntValue(dim), wanted = getConstantIntValue(target);
    fits &= !found || *found == 1 || !wanted || *found == *wanted;
  }
  if (!fits)
    return op.emitOpError("C5: attn_mask of shape ")
           << describeDims(mask) << " does not broadcast to "
           << describeDims(scores);
  return success();
}

LogicalResult AttentionOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  // The importer asks for shapes before it verifies.
  if (failed(verify()))
    return failure();
  auto q = getHeadDims(*this, shapes, getQ(), getQNumHeads(), "Q");
  auto k = getHeadDims(*this, shapes, getK(), getKvNumHeads(), "K");
  auto v = getHeadDims(*this, shapes, getV(), getKvNumHeads(), "V");
  if (failed(q) || failed(k) || failed(v))
    return failure();
  auto join = [&](OpFoldResult &l, OpFoldResult &r, StringRef what) {
    FailureOr<OpFoldResult> joined = joinDims(*this, "C3", l, r, what);
    if (succeeded(joined))
      l = r = *joined;
    return joined;
  };
  if (failed(join(q->batch, k->batch, "the batch of K")) ||
      failed(join(q->batch, v->batch, "the batch of V")) ||
      failed(join(k->heads, v->heads, "the heads of V")) ||
      failed(join(k->rows, v->rows, "the rows of V")) ||
      failed(join(q->size, k->size, "the head size of K")) ||
      failed(appendToCache(*this, shapes, getPastKey(), *k, "past_key")) ||
      failed(appendToCache(*this, shapes, getPastValue(), *v, "past_value")) ||
      failed(join(k->rows, v->rows, "the rows of past_value and V")))
    return failure();
  auto heads = getConstantIntValue(q->heads),
       groups = getConstantIntValue(k->heads);
  if (heads && groups && (*groups == 0 || *heads % *groups != 0))
    return emitOpError("C3: expected a multiple of ")
           << *groups << " query heads, found " << *heads;
  if (isPresent(getNonpadKvSeqlen()) &&
      failed(joinDims(*this, "C3", q->batch, shapes.dim(getNonpadKvSeqlen(), 0),
                      "the length of nonpad_kv_seqlen")))
    return failure();
  SmallVector<OpFoldResult> scores = {q->batch, q->heads, q->rows, k->rows};
  if (isPresent(getAttnMask()) && failed(checkMask(*this, shapes, scores)))
    return failure();

  Type element = elementType(getQ());
  if (operandRank(getQ()) == 3)
    results.push_back(
        {element, {q->batch, q->rows, shapes.mul(q->heads, v->size)}});
  else
    results.push_back({element, {q->batch, q->heads, q->rows, v->size}});
  results.push_back({element, {k->batch, k->heads, k->rows, k->size}});
  results.push_back({element, {v->batch, v->heads, v->rows, v->size}});
  results.push_back({element, std::move(scores)});
  return success();
}

//===----------------------------------------------------------------------===//
// RotaryEmbedding
//===----------------------------------------------------------------------===//

LogicalResult RotaryEmbeddingOp::verify() {
  int64_t rank = operandRank(getX());
  if (rank != 3 && rank != 4)
    return emitOpError("C1: expected X of rank 3 or 4, found ")
           << getX().getType();
  if (rank == 3 && int64_t(getNumHeads().value_or(0)) <= 0)
    return emitOpError("C1: X of rank 3 needs a positive num_heads");
  int64_t expected = isPresent(getPositionIds()) ? 2 : 3;
  Type element = elementType(getX());
  for (auto [name, table] :
       {std::pair<StringRef, Value>{"cos_cache", getCosCache()},
        {"sin_cache", getSinCache()}})
    if (operandRank(table) != expected || elementType(table) != element)
      return emitOpError("C2: expected ")
             << name << " of rank " << expected << " and elements of type "
             << element << (expected == 2 ? " with" : " without")
             << " position_ids, found " << table.getType();
  if (getRotaryEmbeddingDim() < 0 || getRotaryEmbeddingDim() % 2 != 0)
    return emitOpError("C3: expected an even rotary_embedding_dim, found ")
           << getRotaryEmbeddingDim();
  if (isPresent(getPositionIds()) && operandRank(getPositionIds()) != 2)
    return emitOpError("C4: expected position_ids of rank 2, found ")
           << getPositionIds().getType();
  return success();
}

LogicalResult
RotaryEmbeddingOp::inferResults(ShapeBuilder &shapes,
                                SmallVectorImpl<ResultShape> &results) {
  if (failed(verify()))
    return failure();
  SmallVector<OpFoldResult> x = dimsOf(shapes, getX());
  SmallVector<OpFoldResult> cos = dimsOf(shapes, getCosCache()),
                            sin = dimsOf(shapes, getSinCache());
  for (auto [l, r] : llvm::zip_equal(cos, sin))
    if (failed(joinDims(*this, "C2", l, r, "a dim of sin_cache")))
      return failure();
  auto size = getConstantIntValue(x.back());
  if (size && x.size() == 3) {
    int64_t heads = *getNumHeads();
    if (*size % heads != 0)
      return emitOpError("C1: rows of ")
             << *size << " elements do not form " << heads << " heads";
    *size /= heads;
  }
  auto half = getConstantIntValue(cos.back());
  int64_t given = getRotaryEmbeddingDim();
  std::optional<int64_t> rotated = given ? std::optional(given) : size;
  if (half && rotated && 2 * *half != *rotated)
    return emitOpError("C3: expected tables with ")
           << *rotated << " / 2 elements in a row, found " << *half;
  if (half && size && 2 * *half > *size)
    return emitOpError("C3: expected at most ")
           << *size << " elements to rotate, found " << 2 * *half;
  return inferSameShape(*this, shapes, results);
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

LogicalResult TensorScatterOp::verify() {
  if (getMode() != "linear" && getMode() != "circular")
    return emitOpError("C1: expected mode \"linear\" or \"circular\", found ")
           << getModeAttr();
  if (elementType(getUpdate()) != elementType(getPastCache()) ||
      operandRank(getUpdate()) != operandRank(getPastCache()))
    return emitOpError(
               "C3: expected an update of the rank and element type of ")
           << getPastCache().getType() << ", found " << getUpdate().getType();
  if (isPresent(getWriteIndices()) && operandRank(getWriteIndices()) != 1)
    return emitOpError("C4: expected write_indices of rank 1, found ")
           << getWriteIndices().getType();
  return success();
}

LogicalResult
TensorScatterOp::inferResults(ShapeBuilder &shapes,
                              SmallVectorImpl<ResultShape> &results) {
  if (failed(verify()))
    return failure();
  SmallVector<OpFoldResult> cache = dimsOf(shapes, getPastCache()),
                            update = dimsOf(shapes, getUpdate());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), cache.size());
  if (failed(axis))
    return failure();
  if (*axis == 0)
    return emitOpError("C2: axis 0 is that of the batch");
  for (auto [i, own, dim] : llvm::enumerate(cache, update)) {
    auto l = getConstantIntValue(own), r = getConstantIntValue(dim);
    bool fits =
        !l || !r || (static_cast<int64_t>(i) == *axis ? *r <= *l : *r == *l);
    if (!fits)
      return emitOpError("C3: an update of shape ")
             << describeDims(update) << " does not fit into "
             << describeDims(cache) << " along axis " << *axis;
  }
  if (isPresent(getWriteIndices()) &&
      failed(joinDims(*this, "C4", cache[0], shapes.dim(getWriteIndices(), 0),
                      "the length of write_indices")))
    return failure();
  return inferSameShape(*this, shapes, results);
}
