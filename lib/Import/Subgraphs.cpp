//===- Subgraphs.cpp - Graphs in the attributes of nodes ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Tensors.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

LogicalResult
GraphImporter::addSubgraphInitializers(const proto::GraphProto &graph,
                                       Scope &scope) {
  if (graph.sparse_initializer_size() != 0)
    return emitError(locate(scope.prefix +
                            graph.sparse_initializer(0).values().name()))
           << "sparse initializers are not supported";
  bool failedAny = false;
  for (const proto::TensorProto &tensor : graph.initializer()) {
    Location loc = locate(scope.prefix + tensor.name());
    auto error = [&] {
      return emitError(loc) << "initializer '" << tensor.name() << "': ";
    };
    auto [entry, isNew] = scope.values.try_emplace(tensor.name());
    if (!isNew) {
      failedAny = true;
      error() << "it is defined twice";
      continue;
    }
    FailureOr<Attribute> value = convertTensor(context, file, tensor, error);
    failedAny |= failed(value);
    if (succeeded(value))
      entry->second = emitter.constant(loc, *value);
  }
  return failure(failedAny);
}

/// Imports the nodes of `graph`, which is in an attribute of `named`, to where
/// the builder inserts, and gives its outputs for `inputs`.
FailureOr<SmallVector<Value>>
GraphImporter::importSubgraph(const NamedNode &named, StringRef attribute,
                              const proto::GraphProto &graph,
                              const Scope &outer, ValueRange inputs) {
  Scope scope;
  scope.parent = &outer;
  scope.attributes = outer.attributes;
  scope.opsets = outer.opsets;
  scope.callers = outer.callers;
  scope.prefix = outer.prefix + named.name + "/" + attribute.str() + "/";
  for (auto [port, value] : llvm::zip_equal(graph.input(), inputs))
    scope.values[port.name()] = value;
  if (failed(addSubgraphInitializers(graph, scope)))
    return failure();
  importNodes(graph.node(), scope);

  SmallVector<Value> outputs;
  for (const proto::ValueInfoProto &output : graph.output()) {
    const Value *value = scope.find(output.name());
    if (!value)
      return emitError(locate(outer.prefix + named.name))
             << attribute << ": output '" << output.name()
             << "' is no output of a node, no initializer and no value of a "
                "graph around it";
    // What cannot be had has been reported.
    if (!*value)
      return failure();
    outputs.push_back(*value);
  }
  return outputs;
}

/// The attributes of an If, the one for true first.
static constexpr StringRef branchNames[] = {"then_branch", "else_branch"};

/// Finds the graphs of an If, the one for true first.
LogicalResult
GraphImporter::findBranches(const NamedNode &named, const Node &node,
                            const Scope &scope,
                            const proto::GraphProto *(&branches)[2]) {
  for (const proto::AttributeProto &attribute : named.node->attribute()) {
    const auto *name = llvm::find(branchNames, attribute.name());
    if (name == std::end(branchNames))
      return node.emitError()
             << "attribute '" << attribute.name() << "' is not supported";
    if (!attribute.has_g())
      return node.emitError()
             << "attribute '" << attribute.name() << "' is no graph";
    branches[name - std::begin(branchNames)] = &attribute.g();
  }
  for (auto [name, branch] : llvm::zip_equal(branchNames, branches)) {
    if (!branch)
      return node.emitError() << "attribute '" << name << "' is missing";
    if (branch->input_size() != 0)
      return node.emitError() << name << " has " << branch->input_size()
                              << " inputs, expected none";
    if (branch->output_size() != named.node->output_size())
      return node.emitError()
             << name << " has " << branch->output_size()
             << " outputs, expected " << named.node->output_size()
             << " as the node has";
  }
  return success();
}

LogicalResult GraphImporter::importIf(const NamedNode &named, Node &node,
                                      Scope &scope) {
  const proto::GraphProto *branches[2] = {};
  if (failed(findBranches(named, node, scope, branches)))
    return failure();
  if (node.operands.size() != 1 || !node.operand(0))
    return node.emitError()
           << "expected 1 input, found " << named.node->input_size();
  Value cond = node.operand(0);
  auto type = cast<RankedTensorType>(cond.getType());
  if (!type.getElementType().isInteger(1))
    return node.emitError() << "expected a condition of bools, found " << type;

  // What is decided needs no choice, and no support for the other branch.
  shapes.setLocation(node.loc);
  std::optional<int64_t> known;
  if (auto elements = shapes.elements(cond); elements && elements->size() == 1)
    known = getConstantIntValue(elements->front());
  if (known) {
    FailureOr<SmallVector<Value>> outputs = importSubgraph(
        named, branchNames[*known ? 0 : 1], *branches[*known ? 0 : 1], scope);
    if (failed(outputs))
      return failure();
    node.results = std::move(*outputs);
    return success();
  }

  // The types of results are known once the branches are, so these are built in
  // an op without results.
  OperationState state(node.loc, onnx::IfOp::getOperationName());
  state.addOperands(cond);
  for (int i = 0; i < 2; ++i)
    state.addRegion()->emplaceBlock();
  Operation *branchHolder = builder.create(state);
  Operation *outermost = shapes.insertedBefore();
  if (!outermost)
    shapes.insertBefore(branchHolder);
  bool failedAny = false;
  for (auto [i, name] : llvm::enumerate(branchNames)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&branchHolder->getRegion(i).front());
    FailureOr<SmallVector<Value>> outputs =
        importSubgraph(named, name, *branches[i], scope);
    if (succeeded(outputs))
      onnx::YieldOp::create(builder, node.loc, *outputs);
    failedAny |= failed(outputs);
  }
  shapes.insertBefore(outermost);
  if (failedAny)
    return failure();

  return addResults(branchHolder, node);
}

/// Replaces `holder`, an op without results, by one with those that its graphs
/// give.
LogicalResult GraphImporter::addResults(Operation *holder, Node &node) {
  OperationState whole(node.loc, holder->getName());
  whole.addOperands(holder->getOperands());
  whole.addTypes(SmallVector<Type>(node.numResults, builder.getNoneType()));
  for (Region &graph : holder->getRegions())
    whole.addRegion()->takeBody(graph);
  holder->erase();
  Operation *op = builder.create(whole);
  if (failed(emitter.inferTypes(op, node)))
    return failure();
  node.results = llvm::to_vector_of<Value>(op->getResults());
  return success();
}
