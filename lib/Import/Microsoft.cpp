//===- Microsoft.cpp - Ops of the domain com.microsoft --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::elementType;
using mlir::onnx::GraphBuilder;

GraphBuilder importer::makeGraph(const Node &node, Emitter &emitter) {
  return GraphBuilder(
      emitter.shapeBuilder(), node.loc,
      [&node, &emitter](OperationName name, ArrayRef<Value> operands,
                        ArrayRef<NamedAttribute> attributes) {
        return emitter.emit(node, name.stripDialect(), operands, attributes);
      });
}

int64_t importer::takeInteger(Node &node, StringRef name, int64_t byDefault) {
  auto attribute = node.take<IntegerAttr>(name);
  return attribute ? attribute.getInt() : byDefault;
}

double importer::takeNumber(Node &node, StringRef name, double byDefault) {
  auto attribute = node.take<FloatAttr>(name);
  return attribute ? attribute.getValueAsDouble() : byDefault;
}

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Sets the results; the graph may have failed.
static LogicalResult finish(Node &node, GraphBuilder &g,
                            ArrayRef<Value> results) {
  if (g.failed())
    return failure();
  node.results = llvm::to_vector(results);
  return success();
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static Value makeGelu(GraphBuilder &g, Value x, StringRef approximate) {
  return g.op<mlir::onnx::GeluOp>(
      {x}, {g.b.getNamedAttr("approximate", g.b.getStringAttr(approximate))});
}

static LogicalResult composeGelu(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  return finish(node, g, makeGelu(g, node.operand(0), "none"));
}

static LogicalResult composeBiasGelu(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  Value sum = g.add(node.operand(0), node.operand(1));
  return finish(node, g, makeGelu(g, sum, "none"));
}

static LogicalResult composeFastGelu(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  Value x = node.operand(0);
  if (Value bias = node.operand(1))
    x = g.add(x, bias);
  return finish(node, g, makeGelu(g, x, "tanh"));
}

static LogicalResult composeQuickGelu(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  double alpha = takeNumber(node, "alpha", 1.702);
  return finish(
      node, g,
      g.op<mlir::onnx::SwishOp>({node.operand(0)}, {g.number("alpha", alpha)}));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// A stack of matrices, with `ofBatch` its first dim moved behind the others of
/// the stack, and with `ofMatrix` each matrix transposed.
static Value transposeStack(GraphBuilder &g, Value x, bool ofBatch,
                            bool ofMatrix) {
  int64_t rank = tensorOf(x).getRank();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (ofBatch && rank > 2)
    std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
  if (ofMatrix && rank > 1)
    std::swap(order[rank - 1], order[rank - 2]);
  return llvm::is_sorted(order) ? x : g.transpose(x, order);
}

static LogicalResult composeFusedMatMul(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  // Taken one after the other: arguments have no order.
  bool batchA = takeInteger(node, "transBatchA", 0);
  bool batchB = takeInteger(node, "transBatchB", 0);
  bool matrixA = takeInteger(node, "transA", 0);
  bool matrixB = takeInteger(node, "transB", 0);
  double alpha = takeNumber(node, "alpha", 1);
  Value a = transposeStack(g, node.operand(0), batchA, matrixA);
  Value b = transposeStack(g, node.operand(1), batchB, matrixB);
  Value product = g.op<mlir::onnx::MatMulOp>({a, b});
  if (product && alpha != 1)
    product = g.mul(product, g.scalar(elementType(product), alpha));
  return finish(node, g, product);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

LogicalResult importer::composeSimplifiedLayerNorm(Node &node,
                                                   Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  // RMSNormalization has the same attributes, with the same defaults.
  NamedAttrList attributes;
  for (StringRef name : {"axis", "epsilon", "stash_type"})
    if (Attribute attribute = node.attributes.erase(name))
      attributes.append(name, attribute);
  Value y = g.op<mlir::onnx::RMSNormalizationOp>(
      {node.operand(0), node.operand(1)}, attributes);
  return finish(node, g, y);
}

/// The normalization of these ops: over the last axis, with an epsilon of 1e-12
/// where none is given.
template <typename OpTy>
static Value normalizeRows(Node &node, GraphBuilder &g,
                           ArrayRef<Value> operands) {
  return g.op<OpTy>(operands,
                    {g.number("epsilon", takeNumber(node, "epsilon", 1e-12))});
}

/// x + skip + bias, and its normalization. Outputs 1 and 2 are of training.
static LogicalResult composeSkipLayerNorm(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  bool isSimplified = node.opType == "SkipSimplifiedLayerNormalization";
  Value beta = isSimplified ? Value() : node.operand(3);
  Value bias = node.operand(isSimplified ? 3 : 4);
  Value sum = g.add(node.operand(0), node.operand(1));
  if (bias)
    sum = g.add(sum, bias);
  Value gamma = node.operand(2);
  Value y =
      isSimplified
          ? normalizeRows<mlir::onnx::RMSNormalizationOp>(node, g, {sum, gamma})
          : normalizeRows<mlir::onnx::LayerNormalizationOp>(
                node, g, {sum, gamma, beta ? beta : g.absent()});
  return finish(node, g, {y, Value(), Value(), sum});
}

/// The sum of the embeddings of words, positions and segments, and its
/// normalization; the numbers of tokens that a mask lets through.
static LogicalResult composeEmbedLayerNorm(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  takeInteger(node, "mask_index_type", 0); // what the type of output 1 tells
  Value ids = node.operand(0), segments = node.operand(1);
  Value segmentTable = node.operand(4), mask = node.operand(7);
  if (bool(segments) != bool(segmentTable))
    return node.emitError() << "expected both segment_ids and "
                               "segment_embedding, or neither";
  Value positionTable = node.operand(3);
  Value positions =
      node.operand(8)
          ? g.op<mlir::onnx::GatherOp>({positionTable, node.operand(8)})
          : g.slice(positionTable, 0, g.integers({0}), g.dimOf(ids, 1));
  Value sum =
      g.add(g.op<mlir::onnx::GatherOp>({node.operand(2), ids}), positions);
  if (segments)
    sum = g.add(sum, g.op<mlir::onnx::GatherOp>({segmentTable, segments}));
  Value beta = node.operand(6);
  Value y = normalizeRows<mlir::onnx::LayerNormalizationOp>(
      node, g, {sum, node.operand(5), beta ? beta : g.absent()});

  Value count;
  if (node.numResults > 1 && !g.failed()) {
    Type integer = elementType(ids);
    if (mask) {
      Value ones = g.op<mlir::onnx::EqualOp>({mask, g.scalar(integer, 1)});
      count = g.op<mlir::onnx::ReduceSumOp>(
          {g.cast(ones, integer), g.integers({1})}, {g.integer("keepdims", 0)});
    } else {
      count = g.expand(
          g.op<mlir::onnx::ReshapeOp>({g.scalar(integer, 0), g.integers({1})}),
          g.dimOf(ids, 0));
    }
  }
  return finish(node, g, {y, count, sum});
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// As onnx.RotaryEmbedding, with another order of inputs, one position for all
/// that are given as a vector of one, and heads as wide as the tables tell.
static LogicalResult composeRotaryEmbedding(Node &node, Emitter &emitter) {
  GraphBuilder g = makeGraph(node, emitter);
  Value x = node.operand(0), positions = node.operand(1);
  if (takeInteger(node, "is_packed_batching", 0))
    return node.emitError() << "is_packed_batching is not supported";
  if (takeNumber(node, "scale", 1) != 1)
    return node.emitError() << "a scale is not supported";
  int64_t heads = takeInteger(node, "num_heads", 0);
  int64_t width = takeInteger(node, "rotary_embedding_dim", 0);
  NamedAttribute attributes[] = {
      g.integer("interleaved", takeInteger(node, "interleaved", 0)),
      g.integer("rotary_embedding_dim", width)};
  bool areJoined = tensorOf(x).getRank() == 3;
  if (areJoined && heads > 0) {
    x = g.splitHeads(x, heads);
  } else if (areJoined) {
    ArrayRef<int64_t> table = tensorOf(node.operand(2)).getShape();
    int64_t half = table.empty() ? ShapedType::kDynamic : table.back();
    if (width > 0 || ShapedType::isDynamic(half))
      return node.emitError() << "num_heads is missing";
    x = g.transpose(g.reshape(x, {0, 0, -1, 2 * half}), {0, 2, 1, 3});
  }
  if (tensorOf(positions).getRank() == 1) {
    Value rows = g.add(g.range(g.dimOf(x, 2)), positions);
    positions = g.expand(rows, g.concat({g.dimOf(x, 0), g.dimOf(x, 2)}, 0));
  }
  Value y = g.op<mlir::onnx::RotaryEmbeddingOp>(
      {x, node.operand(2), node.operand(3), positions}, attributes);
  return finish(node, g, areJoined ? g.joinHeads(y) : y);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct CompositeRule {
  StringLiteral opType;
  /// The inputs that must be there: bit i for input i.
  unsigned required;
  /// How many inputs there may be.
  unsigned inputs;
  /// One that is of floats, as what is computed.
  unsigned floatInput;
  LogicalResult (*compose)(Node &, Emitter &);
};
} // namespace

static constexpr CompositeRule compositeRules[] = {
    {"Attention", 0b11, 7, 0, composeAttention},
    {"BiasGelu", 0b11, 2, 0, composeBiasGelu},
    {"EmbedLayerNormalization", 0b101101, 9, 2, composeEmbedLayerNorm},
    {"FastGelu", 0b1, 2, 0, composeFastGelu},
    {"FusedMatMul", 0b11, 2, 0, composeFusedMatMul},
    {"Gelu", 0b1, 1, 0, composeGelu},
    {"GroupQueryAttention", 0b1100001, 12, 0, simplifyGroupQueryAttention},
    {"MultiHeadAttention", 0b1, 10, 0, composeMultiHeadAttention},
    {"QuickGelu", 0b1, 1, 0, composeQuickGelu},
    {"RotaryEmbedding", 0b1111, 4, 0, composeRotaryEmbedding},
    {"SimplifiedLayerNormalization", 0b11, 2, 0, composeSimplifiedLayerNorm},
    {"SkipLayerNormalization", 0b111, 5, 0, composeSkipLayerNorm},
    {"SkipSimplifiedLayerNormalization", 0b111, 4, 0, composeSkipLayerNorm},
};

static const CompositeRule *findCompositeRule(StringRef opType) {
  const auto *rule =
      llvm::find_if(compositeRules, [&](const CompositeRule &rule) {
        return rule.opType == opType;
      });
  return rule == std::end(compositeRules) ? nullptr : rule;
}

bool importer::isMicrosoftComposite(StringRef opType) {
  return findCompositeRule(opType) && opType != "GroupQueryAttention";
}

LogicalResult importer::composeMicrosoft(Node &node, Emitter &emitter) {
  const CompositeRule *rule = findCompositeRule(node.opType);
  if (!rule)
    return success();
  for (unsigned i = 0; i < rule->inputs; ++i)
    if ((rule->required >> i & 1) && !node.operand(i))
      return node.emitError() << "input " << i << " is missing";
  for (unsigned i = rule->inputs; i < node.operands.size(); ++i)
    if (node.operands[i])
      return node.emitError() << "expected at most " << rule->inputs
                              << " inputs, found " << node.operands.size();
  Value first = node.operand(rule->floatInput);
  if (!isa<FloatType>(elementType(first)))
    return node.emitError() << "expected floats as input " << rule->floatInput
                            << ", found " << first.getType();
  if (failed(rule->compose(node, emitter)))
    return failure();
  // One that stays is looked at when it is made.
  if (node.results.empty())
    return success();
  for (NamedAttribute attribute : node.attributes)
    return node.emitError() << "attribute '" << attribute.getName().getValue()
                            << "' is not supported";
  return success();
}
