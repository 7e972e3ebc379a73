//===- Microsoft.cpp - Shapes of ops of com.microsoft ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Microsoft.cpp.inc"

using GroupOp = GroupQueryAttentionOp;

static RankedTensorType groupOperandType(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

LogicalResult GroupOp::verify() {
  for (auto [name, operand, rank] :
       {std::tuple<StringRef, Value, int64_t>{"query", getQuery(), 3},
        {"key", getKey(), 3},
        {"value", getValue(), 3},
        {"past_key", getPastKey(), 4},
        {"past_value", getPastValue(), 4}})
    if (isPresent(operand) && groupOperandType(operand).getRank() != rank)
      return emitOpError("C1: expected ")
             << name << " of rank " << rank << ", found " << operand.getType();
  int64_t heads = getNumHeads(), groups = getKvNumHeads();
  if (heads <= 0 || groups <= 0 || heads % groups != 0)
    return emitOpError(
               "C2: expected positive head counts, of which kv_num_heads "
               "divides num_heads, found ")
           << heads << " and " << groups;
  for (auto [one, other, names] :
       {std::tuple<Value, Value, StringRef>{getKey(), getValue(),
                                            "key and value"},
        {getPastKey(), getPastValue(), "past_key and past_value"},
        {getCosCache(), getSinCache(), "cos_cache and sin_cache"}})
    if (isPresent(one) != isPresent(other))
      return emitOpError("C4: one of ") << names << " is absent";
  if (getDoRotary() && !isPresent(getCosCache()))
    return emitOpError("C4: do_rotary needs cos_cache and sin_cache");
  Type element = elementType(getQuery());
  for (Value operand : getOperands())
    if (isPresent(operand) && isa<FloatType>(elementType(operand)) &&
        elementType(operand) != element)
      return emitOpError("C5: expected floats of type ")
             << element << ", found " << operand.getType();
  int64_t lengthRank = groupOperandType(getSeqlensK()).getRank();
  if (lengthRank < 1 || lengthRank > 2)
    return emitOpError("C6: expected seqlens_k of rank 1, found ")
           << getSeqlensK().getType();
  if (getLocalWindowSize() > 0 && !getCausal())
    return emitOpError("C7: local_window_size is given without causal");
  if (isPresent(getHeadSink()) &&
      failed(verifyCompatibleShape({heads},
                                   groupOperandType(getHeadSink()).getShape())))
    return emitOpError("C8: expected head_sink of ")
           << heads << " elements, found " << getHeadSink().getType();
  for (auto [id, name, operand, rank] :
       {std::tuple<StringRef, StringRef, Value, int64_t>{"C9", "cos_cache",
                                                         getCosCache(), 2},
        {"C9", "sin_cache", getSinCache(), 2},
        {"C9", "position_ids", getPositionIds(), 2},
        {"C10", "attention_bias", getAttentionBias(), 4}})
    if (isPresent(operand) && groupOperandType(operand).getRank() != rank)
      return emitOpError() << id << ": expected " << name << " of rank " << rank
                           << ", found " << operand.getType();
  return success();
}

namespace {
/// Dims that become known operand by operand.
struct GroupShapes {
  GroupOp op;
  ShapeBuilder &shapes;
  OpFoldResult batch, rows, size; // of heads

  LogicalResult join(OpFoldResult &known, OpFoldResult found,
                     const Twine &name) {
    FailureOr<OpFoldResult> joined = joinDims(op, "C3", known, found, name);
    if (failed(joined))
      return failure();
    known = *joined;
    return success();
  }
  /// The size of the `count` heads that a row of `width` elements holds.
  FailureOr<OpFoldResult> divide(OpFoldResult width, int64_t count,
                                 StringRef name) {
    if (auto known = getConstantIntValue(width); known && *known % count != 0)
      return op.emitOpError("C3: rows of ")
             << *known << " elements of " << name << " do not form " << count
             << " heads";
    return shapes.exactQuotient(width, shapes.constant(count));
  }
  LogicalResult addRows(Value operand, StringRef name) {
    if (!isPresent(operand))
      return success();
    SmallVector<OpFoldResult> dims = dimsOf(shapes, operand);
    FailureOr<OpFoldResult> own = divide(dims[2], op.getKvNumHeads(), name);
    return failure(failed(own) ||
                   failed(join(batch, dims[0], "the batch of " + name)) ||
                   failed(join(rows, dims[1], "the rows of " + name)) ||
                   failed(join(size, *own, "the head size of " + name)));
  }
  LogicalResult addCache(Value operand, StringRef name) {
    SmallVector<OpFoldResult> dims = dimsOf(shapes, operand);
    OpFoldResult heads = shapes.constant(op.getKvNumHeads());
    return failure(failed(join(batch, dims[0], "the batch of " + name)) ||
                   failed(join(heads, dims[1], "the heads of " + name)) ||
                   failed(join(size, dims[3], "the head size of " + name)));
  }
};
} // namespace

LogicalResult GroupOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  // The importer asks for shapes before it verifies.
  if (failed(verify()))
    return failure();
  SmallVector<OpFoldResult> query = dimsOf(shapes, getQuery());
  int64_t heads = getNumHeads(), groups = getKvNumHeads();
  GroupShapes known{*this, shapes, query[0], query[1], {}};
  int64_t joined = isPresent(getKey()) ? heads : heads + 2 * groups;
  FailureOr<OpFoldResult> size = known.divide(query[2], joined, "query");
  if (failed(size))
    return failure();
  known.size = *size;
  if (failed(known.addRows(getKey(), "key")) ||
      failed(known.addRows(getValue(), "value")))
    return failure();
  OpFoldResult cacheRows = known.rows;
  if (isPresent(getPastKey())) {
    if (failed(known.addCache(getPastKey(), "past_key")) ||
        failed(known.addCache(getPastValue(), "past_value")))
      return failure();
    OpFoldResult own = shapes.dim(getPastKey(), 2);
    if (failed(known.join(own, shapes.dim(getPastValue(), 2),
                          "the rows of past_value")))
      return failure();
    FailureOr<OpFoldResult> total = getScalar(
        *this, shapes, getTotalSequenceLength(), "total_sequence_length");
    if (failed(total))
      return failure();
    cacheRows = shapes.max(own, *total);
  }
  if (isPresent(getCosCache())) {
    SmallVector<OpFoldResult> cos = dimsOf(shapes, getCosCache()),
                              sin = dimsOf(shapes, getSinCache());
    for (auto [l, r] : llvm::zip_equal(cos, sin))
      if (failed(joinDims(*this, "C9", l, r, "a dim of sin_cache")))
        return failure();
    auto half = getConstantIntValue(cos[1]), all = getConstantIntValue(*size);
    if (half && all && 2 * *half > *all)
      return emitOpError("C9: expected tables of at most ")
             << *all / 2 << " elements in a row, found " << *half;
  }
  auto lengths = groupOperandType(getSeqlensK());
  auto batch = getConstantIntValue(known.batch);
  if (batch && lengths.hasStaticShape() && lengths.getNumElements() != *batch)
    return emitOpError("C6: expected ")
           << *batch << " elements of seqlens_k, found " << lengths;
  Type element = elementType(getQuery());
  results.push_back({element,
                     {known.batch, known.rows,
                      shapes.mul(shapes.constant(heads), known.size)}});
  SmallVector<OpFoldResult> cache = {known.batch, shapes.constant(groups),
                                     cacheRows, known.size};
  results.push_back({element, cache});
  results.push_back({element, std::move(cache)});
  return success();
}
