//===- PortAttributes.cpp - What is said of inputs and outputs ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The attributes of functions that an artifact's manifest is written from, and
// that sizes are bound by: IR may be written by hand, and a runtime trusts what
// the manifest says.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::ds;

static LogicalResult verifyName(Operation *op, StringRef what, Attribute name) {
  if (isa_and_present<StringAttr>(name))
    return success();
  auto error = op->emitOpError("expected ") << what << " to be a string";
  return name ? error << ", found " << name : error << ", found nothing";
}

/// One string for each dim of a tensor or buffer of `type`, or where
/// `mayBeEmpty` none at all.
static LogicalResult verifySymbols(Operation *op, StringRef what,
                                   Attribute attribute, Type type,
                                   bool mayBeEmpty) {
  auto symbols = dyn_cast_if_present<ArrayAttr>(attribute);
  if (!symbols || !llvm::all_of(symbols, llvm::IsaPred<StringAttr>)) {
    auto error = op->emitOpError("expected ")
                 << what << " to be a list of strings";
    return attribute ? error << ", found " << attribute
                     : error << ", found nothing";
  }
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank() ||
      size_t(shaped.getRank()) == symbols.size() ||
      (mayBeEmpty && symbols.empty()))
    return success();
  return op->emitOpError("expected ")
         << what << " to name each of the " << shaped.getRank() << " dims of "
         << type << " (\"\" for one without a name), found " << symbols;
}

/// An attribute of an argument or a result of a function, which has this type.
static LogicalResult verifyPortAttribute(Operation *op, Type type,
                                         NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (name == "ds.name")
    return verifyName(op, "'ds.name'", attribute.getValue());
  if (name == "ds.symbols")
    return verifySymbols(op, "'ds.symbols'", attribute.getValue(), type,
                         /*mayBeEmpty=*/false);
  return success();
}

LogicalResult DSDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                  unsigned argument,
                                                  NamedAttribute attribute) {
  if (auto function = dyn_cast<FunctionOpInterface>(op))
    return verifyPortAttribute(op, function.getArgumentTypes()[argument],
                               attribute);
  return success();
}

LogicalResult DSDialect::verifyRegionResultAttribute(Operation *op, unsigned,
                                                     unsigned result,
                                                     NamedAttribute attribute) {
  if (auto function = dyn_cast<FunctionOpInterface>(op))
    return verifyPortAttribute(op, function.getResultTypes()[result],
                               attribute);
  return success();
}

/// Whether memory of a port is what code for `type` takes: a dim that code
/// knows is known of an input, too, lest it reads more than is there. An output
/// may tell more than was known of it at first.
static bool isSafe(RankedTensorType port, RankedTensorType type, bool isInput) {
  auto bytes = [](RankedTensorType type) {
    return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  };
  if (!type.getElementType().isIntOrFloat() || bytes(port) != bytes(type) ||
      failed(verifyCompatibleShape(port.getShape(), type.getShape())))
    return false;
  return !isInput || llvm::all_of(llvm::seq(port.getRank()), [&](int64_t dim) {
    return type.isDynamicDim(dim) || !port.isDynamicDim(dim);
  });
}

/// The ports of one kind, and of a graph that they fit the function's `types`.
static LogicalResult verifyPorts(FunctionOpInterface op, StringRef kind,
                                 Attribute attribute, ArrayRef<Type> types,
                                 bool isGraph) {
  bool isInput = kind == "inputs";
  auto ports = dyn_cast_if_present<ArrayAttr>(attribute);
  if (!ports || !llvm::all_of(ports, llvm::IsaPred<DictionaryAttr>))
    return op.emitOpError("expected 'ds.ports' to have a list of '")
           << kind << "', each of them a dictionary";
  if (isGraph && ports.size() != types.size())
    return op.emitOpError("expected 'ds.ports' to have ")
           << types.size() << " '" << kind << "', found " << ports.size();
  for (auto [i, port] : llvm::enumerate(ports.getAsRange<DictionaryAttr>())) {
    std::string what = ("number " + Twine(i) + " of '" + kind + "'").str();
    if (failed(verifyName(op, "the name of " + what, port.get("name"))))
      return failure();
    auto typeAttr = port.getAs<TypeAttr>("type");
    auto type = typeAttr ? dyn_cast<RankedTensorType>(typeAttr.getValue())
                         : RankedTensorType();
    if (!type || !type.getElementType().isIntOrFloat())
      return op.emitOpError("expected the type of ")
             << what << " to be that of a tensor of numbers";
    if (failed(verifySymbols(op, "the symbols of " + what, port.get("symbols"),
                             type, /*mayBeEmpty=*/true)))
      return failure();
    if (isGraph && !isSafe(type, cast<RankedTensorType>(types[i]), isInput))
      return op.emitOpError("expected the type of ")
             << what << " to be " << types[i] << " as in the function, found "
             << type;
  }
  return success();
}

LogicalResult DSDialect::verifyOperationAttribute(Operation *op,
                                                  NamedAttribute attribute) {
  if (attribute.getName() != "ds.ports")
    return success();
  auto function = dyn_cast<FunctionOpInterface>(op);
  auto ports = dyn_cast<DictionaryAttr>(attribute.getValue());
  if (!function || !ports)
    return op->emitOpError("expected 'ds.ports' to be a dictionary, of a "
                           "function");
  // Lowering makes buffers of tensors, and adds arguments.
  ArrayRef<Type> arguments = function.getArgumentTypes(),
                 results = function.getResultTypes();
  bool isGraph = !results.empty() &&
                 llvm::all_of(arguments, llvm::IsaPred<RankedTensorType>) &&
                 llvm::all_of(results, llvm::IsaPred<RankedTensorType>);
  if (failed(verifyPorts(function, "inputs", ports.get("inputs"), arguments,
                         isGraph)))
    return failure();
  return verifyPorts(function, "outputs", ports.get("outputs"), results,
                     isGraph);
}
