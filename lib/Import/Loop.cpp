//===- Loop.cpp - Graphs that run again and again -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A Loop or Scan whose iterations are counted when the model is read, and are
// few, becomes its body, as often as that runs: sizes may change from one
// iteration to the next, and all that is raised is raised in each. Any other
// one is an onnx.Loop.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "Microsoft.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;
using mlir::onnx::GraphBuilder;

/// The most nodes that the iterations of all loops of a model may become, and
/// the most that may be imported to find that a loop cannot be unrolled.
static constexpr uint64_t maxUnrolledNodes = uint64_t(1) << 12;

bool mlir::ds::importer::isLoop(const Node &node) {
  return node.domain.empty() &&
         (node.opType == "Loop" || node.opType == "Scan");
}

/// A Loop or Scan, ready to be unrolled or to become an op.
struct GraphImporter::LoopNode {
  const NamedNode &named;
  Node &node;
  const Scope &scope;
  const proto::GraphProto &body;
  /// The number of iterations and whether to begin; null where absent.
  Value limit, condition;
  /// What is carried, at first.
  SmallVector<Value> carried;
  /// The inputs of `body` from the number of the iteration and what is carried.
  std::function<SmallVector<Value>(GraphBuilder &, Value, ArrayRef<Value>)>
      inputs;
  /// Whether the first output of `body` is whether to go on.
  bool yieldsCondition;

  size_t numCollected() const { return node.numResults - carried.size(); }
};

/// The one element of an integer or bool that is known, or nullopt.
static std::optional<int64_t> knownElement(ShapeBuilder &shapes, Value value) {
  auto elements = shapes.elements(value);
  if (!elements || elements->size() != 1)
    return std::nullopt;
  return getConstantIntValue(elements->front());
}

//===----------------------------------------------------------------------===//
// The two forms
//===----------------------------------------------------------------------===//

/// Whether to go on, what is carried and what is collected after one more
/// iteration. `attribute` names it among the nodes of the model.
FailureOr<SmallVector<Value>>
GraphImporter::importIteration(const LoopNode &loop, StringRef attribute,
                               Value number, ArrayRef<Value> carried) {
  GraphBuilder g = makeGraph(loop.node, emitter);
  SmallVector<Value> inputs = loop.inputs(g, number, carried);
  if (g.failed())
    return failure();
  FailureOr<SmallVector<Value>> outputs =
      importSubgraph(loop.named, attribute, loop.body, loop.scope, inputs);
  shapes.setLocation(loop.node.loc);
  if (succeeded(outputs) && !loop.yieldsCondition)
    outputs->insert(outputs->begin(), g.scalar(builder.getI1Type(), 1));
  return outputs;
}

/// Erases the ops between `before`, null for the block's begin, and where the
/// builder inserts, which nothing uses.
void GraphImporter::eraseFrom(Operation *before) {
  Block *block = builder.getInsertionBlock();
  auto end = builder.getInsertionPoint();
  auto begin = before ? std::next(before->getIterator()) : block->begin();
  SmallVector<Operation *> ops = llvm::map_to_vector(
      llvm::make_range(begin, end), [](Operation &op) { return &op; });
  // Shape arithmetic stays: other shapes may be made of it.
  for (Operation *op : llvm::reverse(ops)) {
    if (!isa<ShapeOpInterface, onnx::ConstantOp, WeightOp>(op) ||
        !op->use_empty())
      continue;
    op->walk([&](Operation *inner) {
      for (Value result : inner->getResults())
        shapes.forget(result);
      for (Region &region : inner->getRegions())
        for (Value argument : region.getArguments())
          shapes.forget(argument);
    });
    op->erase();
  }
}

/// Imports each iteration. Gives false, and leaves nothing behind, where that
/// does not tell how many there are, or they are too many.
FailureOr<bool> GraphImporter::unrollLoop(const LoopNode &loop) {
  auto end = builder.getInsertionPoint();
  Block *block = builder.getInsertionBlock();
  Operation *before = end == block->begin() ? nullptr : &*std::prev(end);
  uint64_t unrolled = unrolledNodes;
  ++attempts;
  FailureOr<bool> isWhole = importIterations(loop);
  --attempts;
  if (succeeded(isWhole) && !*isWhole) {
    eraseFrom(before);
    abandonedNodes += unrolledNodes - unrolled;
    unrolledNodes = unrolled;
  }
  // Of loops in loops each would be tried in each try of those around it.
  if (attempts == 0)
    abandonedNodes = 0;
  return isWhole;
}

FailureOr<bool> GraphImporter::importIterations(const LoopNode &loop) {
  Node &node = loop.node;
  std::optional<int64_t> count = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> condition = 1;
  if (loop.limit)
    count = knownElement(shapes, loop.limit);
  if (loop.condition)
    condition = knownElement(shapes, loop.condition);
  if (!count || !condition)
    return false;

  uint64_t size = std::max<uint64_t>(inlinedSize(loop.body.node()), 1);
  SmallVector<Value> carried = loop.carried;
  SmallVector<SmallVector<Value>> collected(loop.numCollected());
  GraphBuilder g = makeGraph(node, emitter);
  for (int64_t i = 0; i < *count && *condition; ++i) {
    if (llvm::SaturatingAdd(unrolledNodes, size) > maxUnrolledNodes ||
        abandonedNodes > maxUnrolledNodes)
      return false;
    unrolledNodes += size;
    FailureOr<SmallVector<Value>> outputs =
        importIteration(loop, ("body_" + Twine(i)).str(), g.index(i), carried);
    if (failed(outputs))
      return failure();
    condition = knownElement(shapes, outputs->front());
    if (!condition)
      return false;
    for (size_t j = 0; j < carried.size(); ++j) {
      Value next = (*outputs)[j + 1];
      if (mlir::onnx::elementType(next) != mlir::onnx::elementType(carried[j]))
        return node.emitError()
               << "value " << j << " that it carries has elements of type "
               << mlir::onnx::elementType(carried[j]) << " before iteration "
               << i << " and " << mlir::onnx::elementType(next) << " after it";
      carried[j] = next;
    }
    for (auto [list, value] : llvm::zip_equal(
             collected, ArrayRef(*outputs).drop_front(carried.size() + 1)))
      list.push_back(g.unsqueeze(value, {0}));
    if (g.failed())
      return failure();
  }
  // Nothing tells the shape of what no iteration gave.
  if (llvm::any_of(collected, [](auto &list) { return list.empty(); }))
    return false;
  node.results = carried;
  for (ArrayRef<Value> list : collected)
    node.results.push_back(g.concat(list, 0));
  if (g.failed())
    return failure();
  return true;
}

LogicalResult GraphImporter::createLoop(const LoopNode &loop) {
  Node &node = loop.node;
  GraphBuilder g = makeGraph(node, emitter);
  auto orAbsent = [&](Value value) { return value ? value : g.absent(); };
  SmallVector<Value> operands{orAbsent(loop.limit), orAbsent(loop.condition)};
  llvm::append_range(operands, loop.carried);

  // The types of results are known once the body is, so this is built in an op
  // without results.
  OperationState state(node.loc, onnx::LoopOp::getOperationName());
  state.addOperands(operands);
  Block &body = state.addRegion()->emplaceBlock();
  body.addArgument(RankedTensorType::get({}, builder.getI64Type()), node.loc);
  for (Value init : loop.carried)
    body.addArgument(init.getType(), node.loc);
  Operation *holder = builder.create(state);
  Operation *outermost = shapes.insertedBefore();
  if (!outermost)
    shapes.insertBefore(holder);
  FailureOr<SmallVector<Value>> outputs;
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&body);
    SmallVector<Value> arguments =
        llvm::to_vector_of<Value>(body.getArguments());
    outputs = importIteration(loop, "body", arguments.front(),
                              ArrayRef(arguments).drop_front());
    if (succeeded(outputs))
      onnx::YieldOp::create(builder, node.loc, *outputs);
  }
  shapes.insertBefore(outermost);
  if (failed(outputs))
    return failure();
  bool isEntered = !loop.condition || knownElement(shapes, loop.condition) != 0;
  if (!loop.limit && isEntered && knownElement(shapes, outputs->front()) == 1)
    return node.emitError() << "nothing ends it: it has no number of "
                               "iterations, and its condition stays true";

  return addResults(holder, node);
}

//===----------------------------------------------------------------------===//
// Loop and Scan
//===----------------------------------------------------------------------===//

/// Finds the graph of a node with `carried` and `others` inputs. Of its outputs
/// there are `more` than of the node's.
static LogicalResult findBody(const NamedNode &named, const Node &node,
                              int carried, int others, int more,
                              const proto::GraphProto *&body) {
  for (const proto::AttributeProto &attribute : named.node->attribute())
    if (attribute.name() == "body" && attribute.has_g())
      body = &attribute.g();
  if (!body)
    return node.emitError() << "attribute 'body' is missing";
  if (body->input_size() != carried + others)
    return node.emitError() << "its body has " << body->input_size()
                            << " inputs, expected " << carried + others;
  if (body->output_size() != named.node->output_size() + more ||
      named.node->output_size() < carried)
    return node.emitError() << "its body has " << body->output_size()
                            << " outputs, which do not fit " << carried
                            << " values that it carries and "
                            << named.node->output_size() << " outputs";
  return success();
}

LogicalResult GraphImporter::importLoop(const NamedNode &named, Node &node,
                                        Scope &scope) {
  for (const proto::AttributeProto &attribute : named.node->attribute())
    if (attribute.name() != "body")
      return node.emitError()
             << "attribute '" << attribute.name() << "' is not supported";
  // The number and the condition may be left out, at the end, too.
  ArrayRef<Value> carried =
      ArrayRef(node.operands)
          .drop_front(std::min<size_t>(2, node.operands.size()));
  for (auto [i, value] : llvm::enumerate(carried))
    if (!value)
      return node.emitError() << "input " << i + 2 << " is absent";
  const proto::GraphProto *body = nullptr;
  if (failed(findBody(named, node, carried.size(), 2, 1, body)))
    return failure();
  shapes.setLocation(node.loc);
  // A body may declare the number and the condition as vectors.
  auto asDeclared = [body](GraphBuilder &g, Value scalar, int port) {
    const proto::TypeProto &type = body->input(port).type();
    bool isVector = type.tensor_type().has_shape() &&
                    type.tensor_type().shape().dim_size() == 1;
    return isVector ? g.reshape(scalar, {1}) : scalar;
  };
  auto inputs = [&](GraphBuilder &g, Value number, ArrayRef<Value> carried) {
    Value yes = g.scalar(g.b.getI1Type(), 1);
    SmallVector<Value> inputs{asDeclared(g, number, 0), asDeclared(g, yes, 1)};
    llvm::append_range(inputs, carried);
    return inputs;
  };
  LoopNode loop{named,
                node,
                scope,
                *body,
                node.operand(0),
                node.operand(1),
                llvm::to_vector(carried),
                inputs,
                /*yieldsCondition=*/true};
  FailureOr<bool> unrolled = unrollLoop(loop);
  if (failed(unrolled))
    return failure();
  return *unrolled ? success() : createLoop(loop);
}

namespace {
/// How a Scan goes through an input or output.
struct ScanAxis {
  int64_t axis = 0;
  bool backwards = false;
};
} // namespace

/// Reads the axes and directions of the inputs and outputs of a Scan.
static LogicalResult readScanAxes(const NamedNode &named, const Node &node,
                                  MutableArrayRef<ScanAxis> ins,
                                  MutableArrayRef<ScanAxis> outs) {
  for (const proto::AttributeProto &attribute : named.node->attribute()) {
    StringRef name = attribute.name();
    if (name == "body" || name == "num_scan_inputs")
      continue;
    bool ofInputs = name.consume_front("scan_input_");
    if ((!ofInputs && !name.consume_front("scan_output_")) ||
        (name != "axes" && name != "directions"))
      return node.emitError()
             << "attribute '" << attribute.name() << "' is not supported";
    MutableArrayRef<ScanAxis> list = ofInputs ? ins : outs;
    if (size_t(attribute.ints_size()) != list.size())
      return node.emitError()
             << "attribute '" << attribute.name() << "' has "
             << attribute.ints_size() << " elements, expected " << list.size();
    for (auto [entry, value] : llvm::zip_equal(list, attribute.ints())) {
      if (name == "axes")
        entry.axis = value;
      else if (value == 0 || value == 1)
        entry.backwards = value != 0;
      else
        return node.emitError()
               << "attribute '" << attribute.name()
               << "': expected directions of 0 or 1, found " << value;
    }
  }
  return success();
}

/// `axis` of a tensor of this rank, or an error that names the node.
static FailureOr<int64_t> scanAxis(const Node &node, int64_t axis,
                                   int64_t rank) {
  if (axis < -rank || axis >= rank)
    return node.emitError() << "axis " << axis << " of a tensor of rank "
                            << rank << " does not exist";
  return axis < 0 ? axis + rank : axis;
}

/// How many inputs of a Scan it goes through.
static FailureOr<int64_t> countScanned(const NamedNode &named,
                                       const Node &node) {
  if (node.opset < 9)
    return node.emitError() << "its form with batches is not supported";
  int64_t scanned = 0;
  for (const proto::AttributeProto &attribute : named.node->attribute())
    if (attribute.name() == "num_scan_inputs")
      scanned = attribute.i();
  int64_t numInputs = node.operands.size();
  if (scanned < 1 || scanned > numInputs ||
      node.numResults < numInputs - scanned)
    return node.emitError() << "attribute 'num_scan_inputs' is " << scanned
                            << ", which does not fit " << numInputs
                            << " inputs and " << node.numResults << " outputs";
  for (auto [i, value] : llvm::enumerate(node.operands))
    if (!value)
      return node.emitError() << "input " << i << " is absent";
  return scanned;
}

/// Makes the axes of inputs positive, and checks that these are as long.
static LogicalResult checkScanned(const Node &node, ShapeBuilder &shapes,
                                  ArrayRef<Value> parts,
                                  MutableArrayRef<ScanAxis> ins) {
  std::optional<int64_t> length;
  for (auto [part, in] : llvm::zip_equal(parts, ins)) {
    FailureOr<int64_t> axis = scanAxis(node, in.axis, shapes.rank(part));
    if (failed(axis))
      return failure();
    in.axis = *axis;
    auto own = getConstantIntValue(shapes.dim(part, in.axis));
    if (own && length && *own != *length)
      return node.emitError() << "it goes through inputs of " << *length
                              << " and of " << *own << " parts";
    length = own ? own : length;
  }
  return success();
}

/// What is collected along dim 0, as `out` says.
static FailureOr<Value> arrangeScanned(const Node &node, GraphBuilder &g,
                                       ScanAxis out, Value result) {
  int64_t rank = g.shapes.rank(result);
  FailureOr<int64_t> axis = scanAxis(node, out.axis, rank);
  if (failed(axis))
    return failure();
  if (out.backwards)
    result = g.op<mlir::onnx::SliceOp>(
        {result, g.integers({-1}),
         g.integers({std::numeric_limits<int64_t>::min()}), g.integers({0}),
         g.integers({-1})});
  if (*axis == 0)
    return result;
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < rank; ++i)
    order.push_back(i < *axis ? i + 1 : i == *axis ? 0 : i);
  return g.transpose(result, order);
}

LogicalResult GraphImporter::importScan(const NamedNode &named, Node &node,
                                        Scope &scope) {
  FailureOr<int64_t> scanned = countScanned(named, node);
  if (failed(scanned))
    return failure();
  auto carried = ArrayRef(node.operands).drop_back(*scanned);
  SmallVector<Value> parts(ArrayRef(node.operands).take_back(*scanned));
  const proto::GraphProto *body = nullptr;
  SmallVector<ScanAxis> ins(*scanned), outs(node.numResults - carried.size());
  shapes.setLocation(node.loc);
  if (failed(findBody(named, node, carried.size(), *scanned, 0, body)) ||
      failed(readScanAxes(named, node, ins, outs)) ||
      failed(checkScanned(node, shapes, parts, ins)))
    return failure();
  GraphBuilder g = makeGraph(node, emitter);
  Value length = g.dimOf(parts.front(), ins.front().axis);
  auto inputs = [&](GraphBuilder &g, Value number, ArrayRef<Value> carried) {
    SmallVector<Value> inputs(carried);
    for (auto [part, in] : llvm::zip_equal(parts, ins)) {
      Value at = number;
      if (in.backwards)
        at = g.sub(g.sub(g.reshape(length, {}), g.index(1)), number);
      inputs.push_back(
          g.op<onnx::GatherOp>({part, at}, {g.integer("axis", in.axis)}));
    }
    return inputs;
  };
  LoopNode loop{named,
                node,
                scope,
                *body,
                length,
                /*condition=*/Value(),
                llvm::to_vector(carried),
                inputs,
                /*yieldsCondition=*/false};
  if (g.failed())
    return failure();
  FailureOr<bool> unrolled = unrollLoop(loop);
  if (failed(unrolled) || (!*unrolled && failed(createLoop(loop))))
    return failure();

  for (auto [result, out] : llvm::zip_equal(
           MutableArrayRef(node.results).drop_front(carried.size()), outs)) {
    FailureOr<Value> arranged = arrangeScanned(node, g, out, result);
    if (failed(arranged))
      return failure();
    result = *arranged;
  }
  return failure(g.failed());
}
