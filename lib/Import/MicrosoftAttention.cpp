//===- MicrosoftAttention.cpp - Attention of com.microsoft ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Attention and MultiHeadAttention become onnx.Attention. Their masks are of
// integers and add a finite number to scores, so that a row that is masked
// everywhere is not empty.
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::elementType;
using mlir::onnx::GraphBuilder;

static int64_t rankOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getRank();
}

namespace {
/// What the two ops have in common.
struct MicrosoftAttention {
  MicrosoftAttention(Node &node, Emitter &emitter)
      : node(node), emitter(emitter), g(makeGraph(node, emitter)) {
    takeAttributes();
  }

  /// Adds a part of a bias that is joined from several, between vectors of one
  /// i64.
  Value addBias(Value x, Value bias, Value begin, Value end) {
    return g.add(x, g.slice(bias, 0, begin, end));
  }
  LogicalResult addMask(Value mask);
  /// onnx.Attention of these: its results.
  FailureOr<SmallVector<Value>> attend(Value q, Value k, Value v);

  Node &node;
  Emitter &emitter;
  GraphBuilder g;
  int64_t heads;
  double scale, maskFilter;
  bool isCausal;
  /// Added to scores; null where nothing is.
  Value bias;
  Value pastKey, pastValue;
  /// Vectors of one i64: the sequences and the keys, with those of the cache.
  Value batch, keys;

private:
  void takeAttributes();
  FailureOr<Value> maskOfLengths(Value mask);
};
} // namespace

void MicrosoftAttention::takeAttributes() {
  heads = takeInteger(node, "num_heads", 0);
  scale = takeNumber(node, "scale", 0);
  maskFilter = takeNumber(node, "mask_filter_value", -10000);
  isCausal = takeInteger(node, "unidirectional", 0);
}

/// Where keys of a sequence are those below a length, or, where starts follow
/// the lengths, from a start to a length.
FailureOr<Value> MicrosoftAttention::maskOfLengths(Value mask) {
  ShapeBuilder &shapes = g.shapes;
  OpFoldResult count = shapes.dim(mask, 0);
  OpFoldResult sequences = shapes.dim(node.operand(0), 0);
  auto below = [&](Value ends) {
    Value column = g.unsqueeze(g.cast(ends, g.b.getI64Type()), {1, 2, 3});
    return g.op<mlir::onnx::LessOp>({g.range(keys), column});
  };
  if (count == sequences)
    return below(mask);
  if (count != shapes.mul(sequences, shapes.constant(2)))
    return node.emitError()
           << "a mask of rank 1 is supported where its length is known to be "
              "that of the batch, or twice, found "
           << mask.getType();
  Value twice = g.add(batch, batch);
  Value isLate = below(g.slice(mask, 0, batch, twice));
  return g.op<mlir::onnx::AndOp>(
      {below(g.slice(mask, 0, g.integers({0}), batch)),
       g.op<mlir::onnx::NotOp>({isLate})});
}

LogicalResult MicrosoftAttention::addMask(Value mask) {
  if (!mask || g.failed())
    return success();
  Value keep;
  int64_t rank = rankOf(mask);
  if (rank == 1) {
    FailureOr<Value> known = maskOfLengths(mask);
    if (failed(known))
      return failure();
    keep = *known;
  } else if (rank <= 3) {
    keep = g.op<mlir::onnx::GreaterOp>({mask, g.scalar(elementType(mask), 0)});
    keep = g.unsqueeze(keep, rank == 2 ? ArrayRef<int64_t>{1, 2}
                                       : ArrayRef<int64_t>{1});
  } else {
    return node.emitError()
           << "a mask of rank " << rank << " is not supported: at most 3 is";
  }
  Type element = elementType(node.operand(0));
  Value added = g.op<mlir::onnx::WhereOp>(
      {keep, g.scalar(element, 0), g.scalar(element, maskFilter)});
  bias = bias ? g.add(bias, added) : added;
  return success();
}

FailureOr<SmallVector<Value>> MicrosoftAttention::attend(Value q, Value k,
                                                         Value v) {
  if (g.failed())
    return failure();
  ShapeBuilder &shapes = g.shapes;
  // Wrong ranks are reported with the op's other constraints.
  bool areRows = rankOf(q) >= 3 && rankOf(k) >= 3;
  if (isCausal && !pastKey && areRows &&
      shapes.dim(q, rankOf(q) - 2) != shapes.dim(k, rankOf(k) - 2))
    return node.emitError()
           << "attribute 'unidirectional' is supported where there are as many "
              "queries as keys, or keys of a cache: nothing says which of "
           << k.getType() << " a row of " << q.getType() << " sees";
  Node attention("Attention", "", /*opset=*/24, node.loc);
  attention.operands = {q, k, v, bias, pastKey, pastValue};
  if (rankOf(q) == 3)
    for (StringRef name : {"q_num_heads", "kv_num_heads"})
      attention.attributes.append(g.integer(name, heads));
  attention.attributes.append(g.integer("is_causal", isCausal));
  if (scale != 0)
    attention.attributes.append(g.number("scale", scale));
  if (failed(emitter.emit(attention)))
    return failure();
  return attention.results;
}

//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

LogicalResult importer::simplifyGroupQueryAttention(Node &node,
                                                    Emitter &emitter) {
  for (StringRef name :
       {"kv_cache_bit_width", "qk_output", "sliding_window_cache"})
    if (int64_t value = takeInteger(node, name, 0))
      return node.emitError()
             << "attribute '" << name << "' is not supported: it is " << value;
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (auto type = node.take<StringAttr>(name); type && type != "NONE")
      return node.emitError()
             << "attribute '" << name << "' is not supported: it is " << type;
  // That of norms whose weights would be further inputs.
  takeNumber(node, "qk_norm_epsilon", 0);
  return success();
}

//===----------------------------------------------------------------------===//
// MultiHeadAttention
//===----------------------------------------------------------------------===//

LogicalResult importer::composeMultiHeadAttention(Node &node,
                                                  Emitter &emitter) {
  MicrosoftAttention attention(node, emitter);
  GraphBuilder &g = attention.g;
  Value q = node.operand(0), k = node.operand(1), v = node.operand(2);
  if (attention.heads <= 0)
    return node.emitError() << "expected a positive num_heads";
  if (!k || !v || rankOf(q) != 3 || (rankOf(k) != 3 && rankOf(k) != 4) ||
      rankOf(v) != rankOf(k))
    return node.emitError() << "packed queries, keys or values are not "
                               "supported";
  if (node.operand(8) || node.operand(9))
    return node.emitError() << "past_sequence_length and cache_indirection are "
                               "not supported";
  attention.batch = g.dimOf(q, 0);
  attention.pastKey = node.operand(6);
  attention.pastValue = node.operand(7);
  attention.bias = node.operand(5);
  // Keys of rank 4 are those of an encoder, with heads apart.
  bool areApart = rankOf(k) == 4;
  if (Value bias = node.operand(3)) {
    Value width = g.dimOf(q, 2), twice = g.add(width, width);
    q = attention.addBias(q, bias, g.integers({0}), width);
    if (!areApart) {
      k = attention.addBias(k, bias, width, twice);
      v = attention.addBias(v, bias, twice, g.add(twice, g.dimOf(v, 2)));
    }
  }
  attention.keys = g.dimOf(k, areApart ? 2 : 1);
  if (attention.pastKey)
    attention.keys = g.add(attention.keys, g.dimOf(attention.pastKey, 2));
  if (areApart)
    q = g.splitHeads(q, attention.heads);
  if (failed(attention.addMask(node.operand(4))))
    return failure();
  FailureOr<SmallVector<Value>> results = attention.attend(q, k, v);
  if (failed(results))
    return failure();
  Value y = results->front();
  node.results = {areApart ? g.joinHeads(y) : y, (*results)[1], (*results)[2]};
  return failure(g.failed());
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Where the parts of a row of queries, keys and values begin, and it ends:
/// vectors of one i64.
static FailureOr<SmallVector<Value>> findWidths(Node &node, GraphBuilder &g,
                                                Value weights) {
  SmallVector<Value> begins = {g.integers({0})};
  if (auto sizes = node.take<DenseI64ArrayAttr>("qkv_hidden_sizes")) {
    if (sizes.size() != 3)
      return node.emitError()
             << "expected 3 qkv_hidden_sizes, found " << sizes.size();
    int64_t end = 0;
    for (int64_t size : sizes.asArrayRef())
      begins.push_back(g.integers({end += size}));
    return begins;
  }
  Value third = g.op<mlir::onnx::DivOp>({g.dimOf(weights, 1), g.integers({3})});
  for (int i = 0; i < 3; ++i)
    begins.push_back(g.add(begins[i], third));
  return begins;
}

LogicalResult importer::composeAttention(Node &node, Emitter &emitter) {
  MicrosoftAttention attention(node, emitter);
  GraphBuilder &g = attention.g;
  Value x = node.operand(0), weights = node.operand(1);
  if (attention.heads <= 0)
    return node.emitError() << "expected a positive num_heads";
  if (rankOf(x) != 3 || rankOf(weights) != 2)
    return node.emitError() << "expected an input of rank 3 and weights of "
                               "rank 2, found "
                            << x.getType() << " and " << weights.getType();
  if (takeInteger(node, "do_rotary", 0) ||
      takeInteger(node, "past_present_share_buffer", 0) || node.operand(6))
    return node.emitError() << "do_rotary, past_present_share_buffer and "
                               "past_sequence_length are not supported";
  takeInteger(node, "rotary_embedding_dim", 0);
  attention.batch = g.dimOf(x, 0);
  attention.bias = node.operand(5);
  attention.keys = g.dimOf(x, 1);
  if (Value past = node.operand(4)) {
    if (rankOf(past) != 5)
      return node.emitError()
             << "expected a past of rank 5, found " << past.getType();
    auto part = [&](int64_t i) {
      return g.op<mlir::onnx::SqueezeOp>(
          {g.slice(past, 0, i, i + 1), g.integers({0})});
    };
    attention.pastKey = part(0);
    attention.pastValue = part(1);
    attention.keys = g.add(attention.keys, g.dimOf(past, 3));
  }
  FailureOr<SmallVector<Value>> begins = findWidths(node, g, weights);
  if (failed(begins))
    return failure();
  Value joined = g.op<mlir::onnx::MatMulOp>({x, weights});
  if (Value bias = node.operand(2))
    joined = g.add(joined, bias);
  Value parts[3];
  for (int i = 0; i < 3; ++i)
    parts[i] = g.slice(joined, 2, (*begins)[i], (*begins)[i + 1]);
  if (failed(attention.addMask(node.operand(3))))
    return failure();
  FailureOr<SmallVector<Value>> results =
      attention.attend(parts[0], parts[1], parts[2]);
  if (failed(results))
    return failure();
  Value present;
  if (node.numResults > 1)
    present = g.concat(
        {g.unsqueeze((*results)[1], {0}), g.unsqueeze((*results)[2], {0})}, 0);
  node.results = {results->front(), present};
  return failure(g.failed());
}
