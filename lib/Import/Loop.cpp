//===- Loop.cpp - Loops of known length -----------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A loop whose iterations are counted when the model is read becomes its body,
// as often as that runs: sizes may change from one iteration to the next, and
// all that is raised is raised in each.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::GraphBuilder;

bool mlir::ds::importer::isLoop(const Node &node) {
  return node.opType == "Loop" && node.domain.empty();
}

/// The one element of an integer or bool that is known, or nullopt.
static std::optional<int64_t> knownElement(ShapeBuilder &shapes, Value value) {
  auto elements = shapes.elements(value);
  if (!elements || elements->size() != 1)
    return std::nullopt;
  return getConstantIntValue(elements->front());
}

static LogicalResult findBody(const NamedNode &named, const Node &node,
                              const proto::GraphProto *&body) {
  for (const proto::AttributeProto &attribute : named.node->attribute()) {
    if (attribute.name() != "body" || !attribute.has_g())
      return node.emitError()
             << "attribute '" << attribute.name() << "' is not supported";
    body = &attribute.g();
  }
  if (!body)
    return node.emitError() << "attribute 'body' is missing";
  int carried = std::max<int>(int(node.operands.size()) - 2, 0);
  if (body->input_size() != carried + 2)
    return node.emitError() << "its body has " << body->input_size()
                            << " inputs, expected " << carried + 2;
  if (body->output_size() != named.node->output_size() + 1 ||
      named.node->output_size() < carried)
    return node.emitError() << "its body has " << body->output_size()
                            << " outputs, which do not fit " << carried
                            << " values that it carries and "
                            << named.node->output_size() << " outputs";
  for (int i = 0; i < carried; ++i)
    if (!node.operand(i + 2))
      return node.emitError() << "input " << i + 2 << " is absent";
  return success();
}

LogicalResult GraphImporter::importLoop(const NamedNode &named, Node &node,
                                        Scope &scope) {
  const proto::GraphProto *body = nullptr;
  if (failed(findBody(named, node, body)))
    return failure();
  shapes.setLocation(node.loc);
  GraphBuilder g = makeGraph(node, emitter);
  constexpr int64_t forever = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> count = forever, condition = 1;
  if (Value limit = node.operand(0))
    count = knownElement(shapes, limit);
  if (Value first = node.operand(1))
    condition = knownElement(shapes, first);
  if (!count || !condition)
    return node.emitError()
           << (count ? "its condition" : "the number of its iterations")
           << " is known only when it runs, which is not supported; it may "
              "follow from dims that can be fixed";

  uint64_t size = std::max<uint64_t>(inlinedSize(body->node()), 1);
  size_t carriedCount = body->input_size() - 2;
  // The number and the condition may be left out, at the end, too.
  SmallVector<Value> carried(
      ArrayRef<Value>(node.operands)
          .take_back(node.operands.size() -
                     std::min<size_t>(2, node.operands.size())));
  SmallVector<SmallVector<Value>> collected(node.numResults - carriedCount);
  Value yes = g.scalar(builder.getI1Type(), 1);
  for (int64_t i = 0; i < *count && *condition; ++i) {
    unrolledNodes = llvm::SaturatingAdd(unrolledNodes, size);
    if (unrolledNodes > maxInlinedNodes)
      return node.emitError() << "the iterations of all loops have more than "
                              << maxInlinedNodes << " nodes";
    SmallVector<Value> inputs{g.index(i), yes};
    llvm::append_range(inputs, carried);
    FailureOr<SmallVector<Value>> outputs =
        importSubgraph(named, ("body_" + Twine(i)).str(), *body, scope, inputs);
    if (failed(outputs))
      return failure();
    shapes.setLocation(node.loc);
    condition = knownElement(shapes, outputs->front());
    if (!condition)
      return node.emitError() << "its condition after iteration " << i
                              << " is known only when it runs, which is not "
                                 "supported";
    for (size_t j = 0; j < carriedCount; ++j) {
      Value next = (*outputs)[j + 1];
      if (mlir::onnx::elementType(next) != mlir::onnx::elementType(carried[j]))
        return node.emitError()
               << "value " << j << " that it carries has elements of type "
               << mlir::onnx::elementType(carried[j]) << " before iteration "
               << i << " and " << mlir::onnx::elementType(next) << " after it";
      carried[j] = next;
    }
    for (auto [list, value] : llvm::zip_equal(
             collected, ArrayRef(*outputs).drop_front(carriedCount + 1)))
      list.push_back(g.unsqueeze(value, {0}));
    if (g.failed())
      return failure();
  }
  node.results = carried;
  for (ArrayRef<Value> list : collected) {
    if (list.empty())
      return node.emitError() << "it has no iterations, and outputs that are "
                                 "collected from them";
    node.results.push_back(g.concat(list, 0));
  }
  return failure(g.failed());
}
