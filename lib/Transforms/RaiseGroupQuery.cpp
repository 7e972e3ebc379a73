//===- RaiseGroupQuery.cpp - GroupQueryAttention to ds.attention ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "TransformerOps.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;
using onnx::isPresent;

namespace {
struct GroupQuery {
  GroupQuery(onnx::GroupQueryAttentionOp op, onnx::GraphBuilder &g)
      : op(op), g(g) {}

  SmallVector<Value> raise();

private:
  void splitRows();
  void findLengths();
  void rotate();
  Value append(Value past, Value rows);
  Value sink();

  onnx::GroupQueryAttentionOp op;
  onnx::GraphBuilder &g;
  Value query, key, value; // with heads apart
  /// Vectors of i64: how many keys a sequence has in all, and how many of them
  /// are in the cache already.
  Value total, past;
};
} // namespace

void GroupQuery::splitRows() {
  int64_t heads = op.getNumHeads(), groups = op.getKvNumHeads();
  query = op.getQuery();
  key = op.getKey();
  value = op.getValue();
  if (!isPresent(key)) {
    Value rows = query;
    Value size =
        g.op<onnx::DivOp>({g.dimOf(rows, 2), g.integers({heads + 2 * groups})});
    Value keys = g.mul(size, g.integers({heads}));
    Value values = g.mul(size, g.integers({heads + groups}));
    query = g.slice(rows, 2, g.integers({0}), keys);
    key = g.slice(rows, 2, keys, values);
    value = g.slice(rows, 2, values, g.dimOf(rows, 2));
  }
  query = g.splitHeads(query, heads);
  key = g.splitHeads(key, groups);
  value = g.splitHeads(value, groups);
}

/// The new rows are the last of a sequence. Those of a first prompt may be
/// padded behind it, and then are more than the sequence has.
void GroupQuery::findLengths() {
  Value lengths = g.cast(op.getSeqlensK(), g.b.getI64Type());
  if (typeOf(op.getSeqlensK()).getRank() != 1)
    lengths = g.reshape(lengths, {-1});
  total = g.add(lengths, g.integers({1}));
  past = g.op<onnx::MaxOp>(
      {g.sub(total, g.dimOf(op.getQuery(), 1)), g.integers({0})});
}

void GroupQuery::rotate() {
  if (!op.getDoRotary())
    return;
  Value positions = op.getPositionIds();
  if (!isPresent(positions))
    positions =
        g.add(g.unsqueeze(past, {1}), g.range(g.dimOf(op.getQuery(), 1)));
  for (Value *rows : {&query, &key})
    *rows = rotateHeads(g, op, *rows, op.getCosCache(), op.getSinCache(),
                        positions, op.getRotaryInterleaved());
}

/// The cache with the new rows. One that has room for them already, as buffers
/// that are shared between calls have, is copied all the same.
Value GroupQuery::append(Value cache, Value rows) {
  if (!isPresent(cache))
    return rows;
  Value wanted = g.cast(op.getTotalSequenceLength(), g.b.getI64Type());
  Value missing = g.sub(g.reshape(wanted, {1}), g.dimOf(cache, 2));
  missing = g.op<onnx::MaxOp>({missing, g.integers({0})});
  cache = g.op<onnx::PadOp>({cache, g.concat({g.integers({0}), missing}, 0),
                             g.absent(), g.integers({2})});
  return writeRows(g, cache, rows, past, /*axis=*/2, /*wrap=*/false);
}

Value GroupQuery::sink() {
  if (isPresent(op.getHeadSink()))
    return op.getHeadSink();
  if (op.getSmoothSoftmax() != 1)
    return nullptr;
  Type element = elementType(op.getQuery());
  auto type = RankedTensorType::get({int64_t(op.getNumHeads())}, element);
  return onnx::ConstantOp::create(
      g.b, g.loc,
      DenseElementsAttr::get(type, Attribute(g.b.getFloatAttr(element, 0))));
}

SmallVector<Value> GroupQuery::raise() {
  splitRows();
  findLengths();
  rotate();
  Value presentKey = append(op.getPastKey(), key);
  Value presentValue = append(op.getPastValue(), value);

  AttentionParts parts;
  double scale = op.getScale().convertToDouble();
  parts.scale =
      scaleQuery(g, query, scale ? std::optional(scale) : std::nullopt);
  parts.query = query;
  parts.key = presentKey;
  parts.value = presentValue;
  if (isPresent(op.getAttentionBias()))
    parts.bias =
        padMask(g, op, "attention_bias", op.getAttentionBias(), presentKey);
  parts.sink = sink();
  parts.queryStart = past;
  parts.keyLength = total;
  parts.softcap = op.getSoftcap().convertToDouble();
  parts.isCausal = op.getCausal();
  if (int64_t window = op.getLocalWindowSize(); window > 0)
    parts.left = std::min(window - 1, AttentionOp::mostDistance);
  Value output = g.joinHeads(createAttention(g, parts));
  return {output, presentKey, presentValue};
}

SmallVector<Value>
mlir::ds::raiseGroupQueryAttention(onnx::GroupQueryAttentionOp op,
                                   onnx::GraphBuilder &g) {
  return GroupQuery(op, g).raise();
}
