//===- Emitter.cpp - Ops with inferred types ------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "Types.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

//===----------------------------------------------------------------------===//
// Arity
//===----------------------------------------------------------------------===//

namespace {
/// How many operands or results an op takes; of a variadic one, how many at
/// least.
struct Arity {
  unsigned count = 0;
  bool isVariadic = true;
};
} // namespace

/// No ONNX op has more fixed operands.
static constexpr unsigned maxOperands = 20;

// The traits that ODS derives from an op's definition tell its arity.
template <unsigned... n>
static Arity operandArity(OperationName name,
                          std::integer_sequence<unsigned, n...>) {
  Arity arity;
  auto set = [&](bool has, unsigned count, bool isVariadic) {
    if (has)
      arity = {count, isVariadic};
  };
  (set(name.hasTrait<OpTrait::AtLeastNOperands<n + 1>::template Impl>(), n + 1,
       true),
   ...);
  set(name.hasTrait<OpTrait::ZeroOperands>(), 0, false);
  set(name.hasTrait<OpTrait::OneOperand>(), 1, false);
  (set(name.hasTrait<OpTrait::NOperands<n + 2>::template Impl>(), n + 2, false),
   ...);
  return arity;
}

template <unsigned... n>
static Arity resultArity(OperationName name,
                         std::integer_sequence<unsigned, n...>) {
  Arity arity;
  auto set = [&](bool has, unsigned count, bool isVariadic) {
    if (has)
      arity = {count, isVariadic};
  };
  (set(name.hasTrait<OpTrait::AtLeastNResults<n + 1>::template Impl>(), n + 1,
       true),
   ...);
  set(name.hasTrait<OpTrait::ZeroResults>(), 0, false);
  set(name.hasTrait<OpTrait::OneResult>(), 1, false);
  (set(name.hasTrait<OpTrait::NResults<n + 2>::template Impl>(), n + 2, false),
   ...);
  return arity;
}

LogicalResult Emitter::completeOperands(Node &node, OperationName name) {
  Arity arity =
      operandArity(name, std::make_integer_sequence<unsigned, maxOperands>());
  // Trailing inputs that are absent are as good as not given.
  while (node.operands.size() > arity.count && !node.operands.back())
    node.operands.pop_back();
  if (!arity.isVariadic && node.operands.size() > arity.count)
    return node.emitError() << "expected at most " << arity.count
                            << " inputs, found " << node.operands.size();
  if (node.operands.size() < arity.count)
    node.operands.resize(arity.count);
  for (Value &operand : node.operands) {
    if (operand)
      continue;
    if (!noValue) {
      // Where all graphs that are in others see it.
      OpBuilder::InsertionGuard guard(b);
      Operation *outermost = shapes.insertedBefore();
      b.setInsertionPointToStart(outermost ? outermost->getBlock()
                                           : b.getInsertionBlock());
      noValue = onnx::NoValueOp::create(b, b.getUnknownLoc(), b.getNoneType());
    }
    operand = noValue;
  }

  arity =
      resultArity(name, std::make_integer_sequence<unsigned, maxOperands>());
  if (!arity.isVariadic && node.numResults > arity.count)
    return node.emitError() << "expected at most " << arity.count
                            << " outputs, found " << node.numResults;
  node.numResults = std::max(node.numResults, arity.count);
  return success();
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult Emitter::checkAttributes(Node &node, OperationName name) {
  bool failedAny = false;
  for (NamedAttribute attribute : node.attributes)
    if (!llvm::is_contained(name.getAttributeNames(), attribute.getName())) {
      failedAny = true;
      node.emitError() << "attribute '" << attribute.getName().getValue()
                       << "' is not supported";
    }
  failedAny |= failed(name.verifyInherentAttrs(
      node.attributes, [&] { return node.emitError(); }));
  return failure(failedAny);
}

/// Checks what ODS says of the operands while the results have no types yet.
/// The generated verifier looks at the operands first, so where it gets as far
/// as to complain about a result, the operands are as expected.
static LogicalResult verifyOperands(Operation *op) {
  std::optional<std::string> message;
  {
    // Printing an op numbers all values of the function, for each op anew.
    MLIRContext *context = op->getContext();
    bool prints = context->shouldPrintOpOnDiagnostic();
    context->printOpOnDiagnostic(false);
    llvm::scope_exit restore([&] { context->printOpOnDiagnostic(prints); });
    ScopedDiagnosticHandler capture(op->getContext(),
                                    [&](Diagnostic &diagnostic) {
                                      if (!message)
                                        message = diagnostic.str();
                                      return success();
                                    });
    if (succeeded(op->getName().verifyInvariants(op)))
      return success();
  }
  if (message && StringRef(*message).contains("op result #"))
    return success();
  // ODS knows an absent operand as a value of another type.
  StringRef expected = message ? StringRef(*message) : StringRef();
  unsigned number;
  if (expected.consume_back(", but got 'none'") &&
      expected.consume_front(
          ("'" + op->getName().getStringRef() + "' op operand #").str()) &&
      !expected.consumeInteger(10, number))
    return mlir::emitError(op->getLoc())
           << op->getName() << " needs input " << number
           << ", which is absent; it" << expected;
  return mlir::emitError(op->getLoc()) << message.value_or("invalid operands");
}

LogicalResult Emitter::inferTypes(Operation *op, const Node &node) {
  if (failed(verifyOperands(op)))
    return failure();
  auto shaped = dyn_cast<ShapeOpInterface>(op);
  if (!shaped)
    return node.emitError() << "the op has no shape function";
  if (node.resultElement)
    for (Value result : op->getResults())
      result.setType(RankedTensorType::get({}, node.resultElement));

  SmallVector<ResultShape> inferred;
  shapes.setLocation(op->getLoc());
  if (failed(shaped.inferResults(shapes, inferred)))
    return failure();
  if (inferred.size() != op->getNumResults())
    return node.emitError() << "its shape function gives " << inferred.size()
                            << " results, the op has " << op->getNumResults();
  for (OpResult result : op->getResults()) {
    const ResultShape &shape = inferred[result.getResultNumber()];
    auto error = [&] {
      return node.emitError() << "output " << result.getResultNumber() << ": ";
    };
    for (OpFoldResult dim : shape.dims)
      if (auto size = getConstantIntValue(dim); size && *size < 0)
        return error() << "its shape would have a negative dim, " << *size;
    RankedTensorType type = getStaticType(shape);
    if (failed(
            checkedElementCount(type.getShape(), type.getElementType(), error)))
      return failure();
    shapes.bindDims(result, shape.dims);
    result.setType(type);
  }
  return op->getName().verifyInvariants(op);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

OperationName Emitter::opName(MLIRContext *context, StringRef opType,
                              StringRef domain) {
  std::string name = "onnx.";
  if (!domain.empty())
    name += (domain + ".").str();
  return OperationName((name + opType).str(), context);
}

LogicalResult Emitter::emit(Node &node) {
  OperationName name = opName(b.getContext(), node.opType, node.domain);
  if (!name.isRegistered())
    return node.emitError() << "the op is not supported";
  if (failed(completeOperands(node, name)) ||
      failed(checkAttributes(node, name)))
    return failure();
  OperationState state(node.loc, name);
  state.addOperands(node.operands);
  state.addTypes(SmallVector<Type>(node.numResults, b.getNoneType()));
  state.addAttributes(node.attributes);
  Operation *op = b.create(state);
  if (failed(inferTypes(op, node)))
    return failure();
  node.results = llvm::to_vector_of<Value>(op->getResults());
  return success();
}

FailureOr<Value> Emitter::emit(const Node &like, StringRef opType,
                               ArrayRef<Value> operands,
                               ArrayRef<NamedAttribute> attributes) {
  Node node(opType, "", like.opset, like.loc);
  node.operands = llvm::to_vector(operands);
  node.attributes = attributes;
  if (failed(emit(node)))
    return failure();
  return node.results.front();
}

Value Emitter::constant(Location loc, Attribute tensor) {
  if (auto weight = dyn_cast<WeightAttr>(tensor))
    return WeightOp::create(b, loc, weight.getType(), weight,
                            b.getArrayAttr({}));
  auto elements = cast<ElementsAttr>(tensor);
  return onnx::ConstantOp::create(b, loc, elements.getType(), elements);
}

Value Emitter::constant(Location loc, ArrayRef<int64_t> elements) {
  auto type = RankedTensorType::get({int64_t(elements.size())}, b.getI64Type());
  return constant(loc, DenseElementsAttr::get(type, elements));
}
