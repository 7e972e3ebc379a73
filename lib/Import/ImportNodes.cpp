//===- ImportNodes.cpp - A graph to a function: its nodes -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

void GraphImporter::importNodes(
    const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes,
    Scope &scope) {
  llvm::StringSet<> known;
  for (const auto &value : scope.values)
    known.insert(value.getKey());
  for (const auto &name : scope.absent)
    known.insert(name.getKey());
  const Scope *outer = scope.parent;
  SmallVector<NamedNode> order = orderNodes(
      nodes, known,
      [&](StringRef name) {
        return outer && (outer->find(name) || outer->isAbsent(name));
      },
      [&](StringRef name) { return locate(scope.prefix + name); }, failedAny);
  // What a cycle keeps from being computed has been reported with it.
  for (const proto::NodeProto &node : nodes)
    for (const std::string &output : node.output())
      if (!output.empty())
        scope.values.try_emplace(output);
  for (const NamedNode &named : order)
    importNode(named, scope);
}

std::optional<SmallVector<Value>>
GraphImporter::lookupInputs(const proto::NodeProto &node, const Scope &scope) {
  SmallVector<Value> operands;
  for (const std::string &name : node.input()) {
    if (name.empty() || scope.isAbsent(name)) {
      operands.push_back(Value());
      continue;
    }
    Value value = scope.lookup(name);
    if (!value)
      return std::nullopt;
    operands.push_back(value);
  }
  return operands;
}

static bool isIf(const Node &node) {
  return node.opType == "If" && node.domain.empty();
}

static bool hasGraphs(const Node &node) {
  return isIf(node) || isLoop(node) || isFlexAttention(node);
}

FailureOr<Node> GraphImporter::prepareNode(const NamedNode &named,
                                           Scope &scope) {
  const proto::NodeProto &proto = *named.node;
  Location loc = locate(scope.prefix + named.name);
  StringRef domain = normalizeDomain(proto.domain());
  auto opset = scope.opsets.find(domain);
  if (opset == scope.opsets.end())
    return emitError(loc) << "op " << proto.op_type() << " is of domain '"
                          << proto.domain()
                          << "', of which the model imports no opset";
  Node node(proto.op_type(), domain, opset->second, loc);
  if (!Emitter::opName(context, node.opType, node.domain).isRegistered() &&
      !isReplaced(node.opType, node.domain))
    return node.emitError() << "the op is not supported";

  node.numResults = proto.output_size();
  // Graphs are no attributes here: these ops read their own.
  if (hasGraphs(node))
    return node;
  FailureOr<NamedAttrList> attributes = convertAttributes(
      context, file, proto, scope.attributes, [&] { return node.emitError(); });
  if (failed(attributes))
    return failure();
  node.attributes = std::move(*attributes);
  return node;
}

void GraphImporter::importNode(const NamedNode &named, Scope &scope) {
  if (const Function *function = functions.lookup(*named.node))
    return importCall(named, *function, scope);
  FailureOr<Node> node = prepareNode(named, scope);
  if (failed(node)) {
    fail();
    return bindResults(named, {}, scope);
  }
  std::optional<SmallVector<Value>> operands = lookupInputs(*named.node, scope);
  if (!operands) {
    fail();
    return bindResults(named, {}, scope);
  }
  node->operands = std::move(*operands);
  if (hasGraphs(*node)) {
    auto import = isIf(*node)              ? &GraphImporter::importIf
                  : isFlexAttention(*node) ? &GraphImporter::importFlexAttention
                  : node->opType == "Loop" ? &GraphImporter::importLoop
                                           : &GraphImporter::importScan;
    LogicalResult imported = (this->*import)(named, *node, scope);
    if (failed(imported)) {
      fail();
      return bindResults(named, {}, scope);
    }
    return bindResults(named, node->results, scope);
  }
  if (failed(normalize(*node, emitter)) ||
      (node->results.empty() && failed(emitter.emit(*node)))) {
    fail();
    return bindResults(named, {}, scope);
  }
  for (auto [i, name] : llvm::enumerate(named.node->output()))
    if (!name.empty() && (i >= node->results.size() || !node->results[i])) {
      fail();
      node->emitError() << "output " << i << " is not supported";
    }
  bindResults(named, node->results, scope);
}

void GraphImporter::bindResults(const NamedNode &named, ValueRange results,
                                Scope &scope) {
  Location loc = locate(scope.prefix + named.name);
  unsigned i = 0;
  for (const std::string &name : named.node->output()) {
    Value value = i < results.size() ? results[i] : Value();
    ++i;
    if (name.empty())
      continue;
    scope.values[name] = value;
    if (value && scope.callers.empty() && !scope.parent &&
        failed(checkDeclaredType(loc, name, value)))
      fail();
  }
}

/// A declared element type must be the one that the op gives. A declared shape
/// that cannot be is often a stale one, and is only told of.
LogicalResult GraphImporter::checkDeclaredType(Location loc, StringRef name,
                                               Value value) {
  const proto::TypeProto *declared = declaredTypes.lookup(name);
  if (!declared || !declared->has_tensor_type() ||
      !declared->tensor_type().has_elem_type())
    return success();
  FailureOr<Type> expected =
      convertElementType(context, declared->tensor_type().elem_type(), [&] {
        return emitError(loc) << "output '" << name << "' is declared: ";
      });
  if (failed(expected))
    return failure();
  auto type = cast<RankedTensorType>(value.getType());
  if (*expected != type.getElementType())
    return emitError(loc) << "output '" << name
                          << "' is declared with elements of type " << *expected
                          << ", but the op gives " << type.getElementType();
  if (!declared->tensor_type().has_shape())
    return success();
  auto shape = llvm::map_to_vector(
      declared->tensor_type().shape().dim(), [](const auto &dim) {
        bool isKnown = dim.has_dim_value() && dim.dim_value() >= 0;
        return isKnown ? int64_t(dim.dim_value()) : ShapedType::kDynamic;
      });
  if (failed(verifyCompatibleShape(shape, type.getShape())))
    emitWarning(loc) << "output '" << name << "' is declared as "
                     << RankedTensorType::get(shape, *expected)
                     << ", but the op gives " << type
                     << "; the declaration is ignored";
  return success();
}

/// The nodes of `function` with all calls inlined. A function that calls itself
/// is refused where it does.
uint64_t GraphImporter::inlinedSize(const Function &function) {
  auto [known, isNew] = inlinedSizes.try_emplace(&function, 0);
  if (!isNew)
    return known->second;
  uint64_t size = inlinedSize(function.definition->node());
  return inlinedSizes[&function] = size;
}

uint64_t GraphImporter::inlinedSize(
    const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes) {
  uint64_t size = 0;
  for (const proto::NodeProto &node : nodes) {
    const Function *callee = functions.lookup(node);
    size =
        llvm::SaturatingAdd(size, callee ? inlinedSize(*callee) : uint64_t(1));
    for (const proto::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        size = llvm::SaturatingAdd(size, inlinedSize(attribute.g().node()));
  }
  return size;
}

/// Imports the body of `function` in place of the call.
void GraphImporter::importCall(const NamedNode &named, const Function &function,
                               Scope &scope) {
  const proto::NodeProto &call = *named.node;
  const proto::FunctionProto &definition = *function.definition;
  Location loc = locate(scope.prefix + named.name);
  auto refuse = [&](const Twine &why) {
    fail();
    emitError(loc) << "function '" << definition.name() << "' " << why;
    bindResults(named, {}, scope);
  };
  if (inlinedSize(function) > maxInlinedNodes)
    return refuse("has more than " + Twine(maxInlinedNodes) +
                  " nodes with those of the functions that it calls");
  if (llvm::is_contained(scope.callers, &function))
    return refuse("calls itself");
  if (call.input_size() > definition.input_size() ||
      call.output_size() > definition.output_size())
    return refuse("is called with more inputs or outputs than it has");

  Scope body;
  body.prefix = scope.prefix + named.name + "/";
  body.callers = scope.callers;
  body.callers.push_back(&function);
  body.opsets = scope.opsets;
  if (!readOpsets(definition.opset_import(), body))
    return refuse("imports an opset that is not supported");
  for (const proto::AttributeProto &attribute : function.defaults)
    body.attributes[attribute.name()] = &attribute;
  for (const proto::AttributeProto &attribute : call.attribute()) {
    const proto::AttributeProto *bound =
        attribute.ref_attr_name().empty()
            ? &attribute
            : scope.attributes.lookup(attribute.ref_attr_name());
    if (bound)
      body.attributes[attribute.name()] = bound;
  }
  for (int i = 0; i < definition.input_size(); ++i) {
    bool isGiven = i < call.input_size() && !call.input(i).empty() &&
                   !scope.isAbsent(call.input(i));
    if (isGiven)
      body.values[definition.input(i)] = scope.lookup(call.input(i));
    else
      body.absent.insert(definition.input(i));
  }

  importNodes(definition.node(), body);
  SmallVector<Value> results;
  for (int i = 0; i < call.output_size(); ++i) {
    const std::string &name = definition.output(i);
    if (!body.values.contains(name) && !call.output(i).empty())
      return refuse("does not define its output '" + name + "'");
    results.push_back(body.values.lookup(name));
  }
  bindResults(named, results, scope);
}
