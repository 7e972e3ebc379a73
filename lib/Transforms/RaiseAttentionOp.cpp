//===- RaiseAttentionOp.cpp - onnx.Attention to ds.attention --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "TransformerOps.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;
using onnx::isPresent;

/// TensorProto.DOUBLE.
static constexpr int64_t doubleCode = 11;

//===----------------------------------------------------------------------===//
// What all attention has
//===----------------------------------------------------------------------===//

/// The type of a tensor for people.
static std::string describeType(Value tensor) {
  std::string text;
  llvm::raw_string_ostream(text) << tensor.getType();
  return text;
}

double mlir::ds::scaleQuery(onnx::GraphBuilder &g, Value &query,
                            std::optional<double> given) {
  if (given || g.failed())
    return given.value_or(1);
  if (auto size = getConstantIntValue(g.shapes.dim(query, 3)))
    return 1 / std::sqrt(double(*size));
  Value size = g.cast(g.dimOf(query, 3), elementType(query));
  query = g.op<onnx::DivOp>({query, g.op<onnx::SqrtOp>({size})});
  return 1;
}

Value mlir::ds::padMask(onnx::GraphBuilder &g, Operation *op, StringRef name,
                        Value mask, Value key) {
  if (g.failed())
    return nullptr;
  int64_t last = typeOf(mask).getRank() - 1;
  if (g.shapes.dim(mask, last) == g.shapes.dim(key, 2))
    return mask;
  reportMissed(op, raiseTransformerOps, "attention with its mask as it lies",
               name + Twine(" of ") + describeType(mask) +
                   " may be shorter than there are keys, so it is copied and "
                   "padded");
  Value missing = g.sub(g.dimOf(key, 2), g.dimOf(mask, last));
  missing = g.op<onnx::MaxOp>({missing, g.integers({0})});
  Type element = elementType(mask);
  Value hidden = g.scalar(element, element.isInteger(1) ? 0 : -INFINITY);
  return g.op<onnx::PadOp>({mask, g.concat({g.integers({0}), missing}, 0),
                            hidden, g.integers({last})});
}

Value mlir::ds::createAttention(onnx::GraphBuilder &g,
                                const AttentionParts &parts) {
  if (g.failed())
    return nullptr;
  ShapeBuilder &shapes = g.shapes;
  OpBuilder &b = g.b;
  ResultShape shape{elementType(parts.query),
                    {shapes.dim(parts.query, 0), shapes.dim(parts.query, 1),
                     shapes.dim(parts.query, 2), shapes.dim(parts.value, 3)}};
  auto op =
      AttentionOp::create(b, g.loc, getStaticType(shape), parts.query,
                          parts.key, parts.value, parts.bias, parts.scale);
  if (parts.sink)
    op.getSinkMutable().assign(parts.sink);
  if (parts.queryStart)
    op.getQueryStartMutable().assign(parts.queryStart);
  if (parts.keyLength)
    op.getKeyLengthMutable().assign(parts.keyLength);
  if (parts.softcap > 0)
    op.setSoftcapAttr(b.getF32FloatAttr(parts.softcap));
  if (parts.left)
    op.setLeft(*parts.left);
  op.setCausal(parts.isCausal);
  return op.getResult();
}

//===----------------------------------------------------------------------===//
// onnx.Attention
//===----------------------------------------------------------------------===//

namespace {
/// An Attention with its heads apart and its cache joined.
struct HeadAttention {
  HeadAttention(onnx::AttentionOp op, onnx::GraphBuilder &g);

  Value attention();
  /// What the mode asks for of the scores, which are computed once more for it.
  Value scores();

  Value presentKey, presentValue;

private:
  Value splitHeads(Value operand, std::optional<int64_t> count) {
    return typeOf(operand).getRank() == 4 ? operand
                                          : g.splitHeads(operand, *count);
  }
  void findOffset(OpFoldResult newKeys);
  void prepareMask();
  Value product();
  Value maskScores(Value s);
  Value softmax(Value s);

  onnx::AttentionOp op;
  onnx::GraphBuilder &g;
  Type element; // that is computed in
  Value query, key, value;
  Value mask; // of bools or `element`, as long as there are keys; or null
  double scale = 1;
  double softcap; // 0: none
  /// Row i of a causal one sees keys up to i + offset, a vector of one i64.
  /// Where it is null the last row sees all keys that count.
  Value offset;
};
} // namespace

HeadAttention::HeadAttention(onnx::AttentionOp op, onnx::GraphBuilder &g)
    : op(op), g(g), element(elementType(op.getQ())),
      softcap(op.getSoftcap().convertToDouble()) {
  query = splitHeads(op.getQ(), op.getQNumHeads());
  presentKey = splitHeads(op.getK(), op.getKvNumHeads());
  presentValue = splitHeads(op.getV(), op.getKvNumHeads());
  if (g.failed())
    return;
  OpFoldResult newKeys = g.shapes.dim(presentKey, 2);
  if (isPresent(op.getPastKey())) {
    presentKey = g.concat({op.getPastKey(), presentKey}, 2);
    presentValue = g.concat({op.getPastValue(), presentValue}, 2);
  }
  // Scores of half precision are f32 anyway, so only this asks for more.
  if (op.getSoftmaxPrecision() == doubleCode)
    element = g.b.getF64Type();
  query = g.cast(query, element);
  key = g.cast(presentKey, element);
  value = g.cast(presentValue, element);
  if (g.failed())
    return;
  std::optional<APFloat> given = op.getScale();
  scale = scaleQuery(
      g, query, given ? std::optional(given->convertToDouble()) : std::nullopt);
  findOffset(newKeys);
  prepareMask();
}

/// ONNX counts the rows of a query from the end of the cache, and from the
/// first key where there is none.
void HeadAttention::findOffset(OpFoldResult newKeys) {
  if (!op.getIsCausal() || isPresent(op.getNonpadKvSeqlen()) || !query ||
      g.shapes.dim(query, 2) == newKeys)
    return;
  offset = isPresent(op.getPastKey()) ? g.dimOf(op.getPastKey(), 2)
                                      : g.integers({0});
}

void HeadAttention::prepareMask() {
  if (!isPresent(op.getAttnMask()))
    return;
  mask = op.getAttnMask();
  if (!elementType(mask).isInteger(1))
    mask = g.cast(mask, element);
  mask = padMask(g, op, "attn_mask", mask, key);
}

Value HeadAttention::attention() {
  AttentionParts parts;
  parts.query = query;
  parts.key = key;
  parts.value = value;
  parts.bias = mask;
  parts.queryStart = offset ? g.expand(offset, g.dimOf(query, 0)) : Value();
  if (isPresent(op.getNonpadKvSeqlen()))
    parts.keyLength = op.getNonpadKvSeqlen();
  parts.scale = scale;
  parts.softcap = softcap;
  parts.isCausal = op.getIsCausal();
  Value y = g.cast(createAttention(g, parts), elementType(op.getQ()));
  return typeOf(op.getQ()).getRank() == 4 ? y : g.joinHeads(y);
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// scale · q · kᵀ. The query heads of one key head are rows of one product.
Value HeadAttention::product() {
  Value size = g.dimOf(query, 3);
  Value grouped = g.op<onnx::ReshapeOp>(
      {query,
       g.concat({g.dimOf(key, 0), g.dimOf(key, 1), g.integers({-1}), size},
                0)});
  Value s = g.op<onnx::MatMulOp>({grouped, g.transpose(key, {0, 1, 3, 2})});
  s = g.mul(s, g.scalar(element, scale));
  Value rows = g.op<onnx::ShapeOp>({query}, {g.integer("end", 3)});
  return g.op<onnx::ReshapeOp>({s, g.concat({rows, g.dimOf(key, 2)}, 0)});
}

/// Scores with the mask, and −inf where a key is none or comes later.
Value HeadAttention::maskScores(Value s) {
  Value hidden = g.scalar(element, -INFINITY);
  auto keep = [&](Value condition) {
    s = g.op<onnx::WhereOp>({condition, s, hidden});
  };
  if (mask && elementType(mask).isInteger(1))
    keep(mask);
  else if (mask)
    s = g.add(s, mask);
  Value keys = g.range(g.dimOf(key, 2));
  Value length = op.getNonpadKvSeqlen();
  if (isPresent(length)) {
    length = g.unsqueeze(length, {1, 2, 3});
    keep(g.op<onnx::LessOp>({keys, length}));
  }
  if (op.getIsCausal()) {
    Value first = offset;
    if (!first)
      first =
          g.sub(isPresent(op.getNonpadKvSeqlen()) ? length : g.dimOf(key, 2),
                g.dimOf(query, 2));
    Value rows = g.unsqueeze(g.range(g.dimOf(query, 2)), {1});
    keep(g.op<onnx::LessOrEqualOp>({keys, g.add(rows, first)}));
  }
  return s;
}

/// Zeros where all scores are −inf.
Value HeadAttention::softmax(Value s) {
  Value greatest = g.op<onnx::ReduceMaxOp>({s, g.integers({-1})});
  Value isEmpty = g.op<onnx::EqualOp>({greatest, g.scalar(element, -INFINITY)});
  return g.op<onnx::WhereOp>(
      {isEmpty, g.scalar(element, 0), g.op<onnx::SoftmaxOp>({s})});
}

Value HeadAttention::scores() {
  int64_t mode = op.getQkMatmulOutputMode();
  Value s = product();
  if (mode > 0 && softcap > 0) {
    Value cap = g.scalar(element, softcap);
    s = g.mul(g.op<onnx::TanhOp>({g.op<onnx::DivOp>({s, cap})}), cap);
  }
  if (mode > 1)
    s = maskScores(s);
  if (mode > 2)
    s = softmax(s);
  return g.cast(s, elementType(op.getQ()));
}

SmallVector<Value> mlir::ds::raiseAttentionOp(onnx::AttentionOp op,
                                              onnx::GraphBuilder &g) {
  HeadAttention heads(op, g);
  Value scores;
  if (!op.getQkMatmulOutput().use_empty()) {
    reportMissed(op, raiseTransformerOps, "attention by blocks of keys alone",
                 "qk_matmul_output is read, so all scores are computed a "
                 "second time, as a tensor");
    scores = heads.scores();
  }
  return {heads.attention(), heads.presentKey, heads.presentValue, scores};
}
