//===- NodeOrder.cpp - Nodes in an order that can be built ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "NodeOrder.h"

#include <functional>
#include <queue>

using namespace mlir;
using namespace mlir::ds::importer;

namespace {
struct Graph {
  SmallVector<NamedNode> nodes;
  /// The node that defines a value.
  llvm::StringMap<unsigned> producers;
  /// For each node, those that use its outputs, once for each use.
  SmallVector<SmallVector<unsigned>> users;
  /// For each node, how many uses of other nodes' outputs it has.
  SmallVector<unsigned> pending;
};
} // namespace

/// Calls `visit` with the names that `graph` takes from around it.
static void forEachCaptured(const proto::GraphProto &graph,
                            function_ref<void(const std::string &)> visit) {
  llvm::StringSet<> own;
  for (const proto::ValueInfoProto &input : graph.input())
    own.insert(input.name());
  for (const proto::TensorProto &tensor : graph.initializer())
    own.insert(tensor.name());
  for (const proto::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      own.insert(output);
  auto visitForeign = [&](const std::string &name) {
    if (!own.contains(name))
      visit(name);
  };
  for (const proto::NodeProto &node : graph.node()) {
    for (const std::string &input : node.input())
      visitForeign(input);
    for (const proto::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        forEachCaptured(attribute.g(), visitForeign);
  }
  for (const proto::ValueInfoProto &output : graph.output())
    visitForeign(output.name());
}

/// What `node` takes: its inputs, and what graphs in its attributes capture.
static SmallVector<StringRef> inputsOf(const proto::NodeProto &node) {
  SmallVector<StringRef> inputs(node.input().begin(), node.input().end());
  for (const proto::AttributeProto &attribute : node.attribute())
    if (attribute.has_g())
      forEachCaptured(attribute.g(),
                      [&](const std::string &name) { inputs.push_back(name); });
  return inputs;
}

/// Finds who defines what; false where a value is defined twice.
static bool findProducers(Graph &graph, const llvm::StringSet<> &known,
                          function_ref<Location(StringRef)> locate) {
  bool isUnique = true;
  for (auto [i, named] : llvm::enumerate(graph.nodes))
    for (const std::string &output : named.node->output()) {
      if (output.empty())
        continue;
      if (!known.contains(output) &&
          graph.producers.try_emplace(output, i).second)
        continue;
      isUnique = false;
      emitError(locate(named.name))
          << "output '" << output << "' is defined already";
    }
  return isUnique;
}

/// Connects users to producers; false where an input is defined nowhere.
static bool findUsers(Graph &graph, const llvm::StringSet<> &known,
                      function_ref<bool(StringRef)> isOuter,
                      function_ref<Location(StringRef)> locate) {
  bool isDefined = true;
  graph.users.resize(graph.nodes.size());
  graph.pending.resize(graph.nodes.size());
  for (auto [i, named] : llvm::enumerate(graph.nodes))
    for (auto [number, input] : llvm::enumerate(inputsOf(*named.node))) {
      if (input.empty() || known.contains(input))
        continue;
      auto producer = graph.producers.find(input);
      if (producer != graph.producers.end()) {
        graph.users[producer->second].push_back(i);
        ++graph.pending[i];
        continue;
      }
      // What a graph captures is reported in that graph.
      if (isOuter(input) || int(number) >= named.node->input_size())
        continue;
      isDefined = false;
      emitError(locate(named.name))
          << "input '" << input
          << "' is no output of a node, no initializer and no graph input";
    }
  return isDefined;
}

/// Follows the producers of what is pending from any node that is left: they
/// run into a cycle.
static void reportCycle(const Graph &graph,
                        function_ref<Location(StringRef)> locate) {
  unsigned current = 0;
  while (graph.pending[current] == 0)
    ++current;
  SmallVector<bool> seen(graph.nodes.size());
  StringRef through;
  while (!seen[current]) {
    seen[current] = true;
    for (StringRef input : inputsOf(*graph.nodes[current].node)) {
      auto producer = graph.producers.find(input);
      if (producer == graph.producers.end())
        continue;
      unsigned next = producer->second;
      if (graph.pending[next] == 0)
        continue;
      through = input;
      current = next;
      break;
    }
  }
  emitError(locate(graph.nodes[current].name))
      << "the graph has a cycle through this node and value '" << through
      << "'";
}

SmallVector<NamedNode> mlir::ds::importer::orderNodes(
    const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes,
    const llvm::StringSet<> &known, function_ref<bool(StringRef)> isOuter,
    function_ref<Location(StringRef)> locate, bool &failed) {
  Graph graph;
  for (auto [i, node] : llvm::enumerate(nodes))
    graph.nodes.push_back({&node, node.name().empty()
                                      ? node.op_type() + "_" + std::to_string(i)
                                      : node.name()});
  failed |= !findProducers(graph, known, locate);
  failed |= !findUsers(graph, known, isOuter, locate);

  // Of the nodes that are ready, the first in the file is next.
  std::priority_queue<unsigned, std::vector<unsigned>, std::greater<>> ready;
  for (auto [i, pending] : llvm::enumerate(graph.pending))
    if (pending == 0)
      ready.push(i);
  SmallVector<NamedNode> order;
  while (!ready.empty()) {
    unsigned next = ready.top();
    ready.pop();
    order.push_back(graph.nodes[next]);
    for (unsigned user : graph.users[next])
      if (--graph.pending[user] == 0)
        ready.push(user);
  }
  if (order.size() != graph.nodes.size()) {
    failed = true;
    reportCycle(graph, locate);
  }
  return order;
}
