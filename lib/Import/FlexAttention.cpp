//===- FlexAttention.cpp - Attention with graphs of its own ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The op becomes what it stands for, with its graphs between the products. So
// graphs of any ops are right, and those that are functions of one score become
// regions of ds.attention like any other that is spelled out.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::elementType;
using mlir::onnx::GraphBuilder;

bool mlir::ds::importer::isFlexAttention(const Node &node) {
  return node.opType == "FlexAttention" && node.domain == previewDomain;
}

namespace {
/// What the attributes say.
struct FlexAttributes {
  std::optional<double> scale;
  Type element; // that scores and weights have
  const proto::GraphProto *scoreMod = nullptr, *probMod = nullptr;
};
} // namespace

static LogicalResult readAttributes(const NamedNode &named, const Node &node,
                                    FlexAttributes &result) {
  MLIRContext *context = node.operand(0).getContext();
  for (const proto::AttributeProto &attribute : named.node->attribute()) {
    StringRef name = attribute.name();
    if (name == "scale" && attribute.has_f()) {
      result.scale = attribute.f();
    } else if (name == "softmax_precision" && attribute.has_i()) {
      FailureOr<Type> type = convertElementType(
          context, attribute.i(), [&] { return node.emitError(); });
      if (failed(type))
        return failure();
      result.element = *type;
    } else if ((name == "score_mod" || name == "prob_mod") &&
               attribute.has_g()) {
      const proto::GraphProto &graph = attribute.g();
      if (graph.input_size() != 1 || graph.output_size() != 1)
        return node.emitError()
               << name << " has " << graph.input_size() << " inputs and "
               << graph.output_size() << " outputs, expected one of each";
      (name == "score_mod" ? result.scoreMod : result.probMod) = &graph;
    } else {
      return node.emitError() << "attribute '" << name << "' is not supported";
    }
  }
  if (!isa<FloatType>(result.element))
    return node.emitError() << "softmax_precision names " << result.element
                            << ", expected a float type";
  return success();
}

static LogicalResult checkOperands(const Node &node) {
  if (node.operands.size() != 3)
    return node.emitError()
           << "expected 3 inputs, found " << node.operands.size();
  Type element;
  static constexpr StringRef names[] = {"Q", "K", "V"};
  for (auto [name, operand] : llvm::zip_equal(names, node.operands)) {
    if (!operand)
      return node.emitError() << "input " << name << " is absent";
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() != 4 || !isa<FloatType>(type.getElementType()))
      return node.emitError()
             << "expected " << name << " of floats and rank 4, found " << type;
    if (element && type.getElementType() != element)
      return node.emitError() << "expected " << name << " of " << element
                              << " as Q, found " << type;
    element = type.getElementType();
  }
  return success();
}

/// Heads of keys or values as often as query heads share them.
static Value repeatHeads(const Node &node, GraphBuilder &g, Value x,
                         Value query) {
  OpFoldResult own = g.shapes.dim(x, 1), wanted = g.shapes.dim(query, 1);
  auto count = getConstantIntValue(own), heads = getConstantIntValue(wanted);
  if (own == wanted)
    return x;
  if (!count || !heads || *count == 0 || *heads % *count != 0) {
    node.emitError() << "expected a number of query heads that is a multiple "
                        "of that of keys, both known, found shapes "
                     << query.getType() << " and " << x.getType();
    g.fail();
    return nullptr;
  }
  Value group = g.integers({*heads / *count});
  Value shape = g.concat(
      {g.dimOf(x, 0), g.dimOf(x, 1), group, g.dimOf(x, 2), g.dimOf(x, 3)}, 0);
  Value many = g.expand(g.unsqueeze(x, {2}), shape);
  return g.op<mlir::onnx::ReshapeOp>(
      {many, g.concat({g.dimOf(x, 0), g.integers({*heads}), g.dimOf(x, 2),
                       g.dimOf(x, 3)},
                      0)});
}

/// What a graph gives for `x`, of whose shape and type it must be.
FailureOr<Value> GraphImporter::importModifier(const NamedNode &named,
                                               const Node &node,
                                               StringRef attribute,
                                               const proto::GraphProto &graph,
                                               Value x, const Scope &scope) {
  FailureOr<SmallVector<Value>> outputs =
      importSubgraph(named, attribute, graph, scope, x);
  if (failed(outputs))
    return failure();
  Value y = outputs->front();
  auto expected = cast<RankedTensorType>(x.getType());
  auto found = cast<RankedTensorType>(y.getType());
  if (found.getElementType() != expected.getElementType() ||
      failed(verifyCompatibleShape(expected.getShape(), found.getShape())))
    return node.emitError() << "expected " << expected << " as the output of "
                            << attribute << ", found " << found;
  return y;
}

LogicalResult GraphImporter::importFlexAttention(const NamedNode &named,
                                                 Node &node, Scope &scope) {
  if (failed(checkOperands(node)))
    return failure();
  Type element = elementType(node.operand(0));
  FlexAttributes attributes;
  attributes.element = element.isF64() ? element : builder.getF32Type();
  if (failed(readAttributes(named, node, attributes)))
    return failure();

  GraphBuilder g = makeGraph(node, emitter);
  // Products are of the operands' type, unless all is to be exact.
  Type products = attributes.element.isF64() ? attributes.element : element;
  Value query = g.cast(node.operand(0), products);
  Value key = g.cast(node.operand(1), products);
  Value value = g.cast(node.operand(2), products);
  key = repeatHeads(node, g, key, query);
  if (g.failed())
    return failure();
  value = repeatHeads(node, g, value, query);
  if (g.failed())
    return failure();
  auto size = getConstantIntValue(shapes.dim(query, 3));
  if (attributes.scale || (size && *size > 0)) {
    double scale = attributes.scale.value_or(
        1 / std::sqrt(static_cast<double>(size.value_or(1))));
    query = g.mul(query, g.scalar(products, scale));
  } else {
    Value width = g.cast(g.dimOf(query, 3), products);
    query = g.op<mlir::onnx::DivOp>({query, g.op<mlir::onnx::SqrtOp>({width})});
  }
  Value scores =
      g.op<mlir::onnx::MatMulOp>({query, g.transpose(key, {0, 1, 3, 2})});
  scores = g.cast(scores, attributes.element);
  if (g.failed())
    return failure();
  if (attributes.scoreMod) {
    FailureOr<Value> modified = importModifier(
        named, node, "score_mod", *attributes.scoreMod, scores, scope);
    if (failed(modified))
      return failure();
    scores = *modified;
  }
  shapes.setLocation(node.loc);
  Value weights = g.op<mlir::onnx::SoftmaxOp>({scores});
  if (g.failed())
    return failure();
  if (attributes.probMod) {
    FailureOr<Value> modified = importModifier(
        named, node, "prob_mod", *attributes.probMod, weights, scope);
    if (failed(modified))
      return failure();
    weights = *modified;
  }
  shapes.setLocation(node.loc);
  Value y = g.op<mlir::onnx::MatMulOp>({g.cast(weights, products), value});
  y = g.cast(y, element);
  if (g.failed())
    return failure();
  node.results = {y};
  return success();
}
