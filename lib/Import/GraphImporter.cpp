//===- GraphImporter.cpp - A graph to a function: its interface -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"
#include "ShapeLengths.h"
#include "Tensors.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"

#include <openssl/sha.h>

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

/// The newest opset of the default domain whose semantics are known.
static constexpr int64_t newestOpset = 24;

GraphImporter::GraphImporter(ModuleOp module, const ModelFile &file,
                             const ImportOptions &options)
    : module(module), context(module.getContext()), file(file),
      graph(file.model().graph()), options(options), functions(file.model()),
      builder(context), shapes(builder, module.getLoc()),
      emitter(builder, shapes) {}

Location GraphImporter::locate(const Twine &name) {
  return NameLoc::get(builder.getStringAttr(name));
}

LogicalResult GraphImporter::run() {
  Scope scope;
  if (!readOpsets(file.model().opset_import(), scope))
    return failure();
  // The first format had one domain and did not say which opset.
  if (file.model().ir_version() < 3 && file.model().opset_import_size() == 0)
    scope.opsets[""] = 1;
  if (graph.sparse_initializer_size() != 0)
    return emitError(module.getLoc())
           << "sparse initializers are not supported, such as '"
           << graph.sparse_initializer(0).values().name() << "'";

  builder.setInsertionPointToEnd(module.getBody());
  func = func::FuncOp::create(builder, module.getLoc(), "main",
                              builder.getFunctionType({}, {}));
  builder.setInsertionPointToEnd(func.addEntryBlock());
  findDeclaredTypes();
  shapeLengths = findShapeLengths(graph);
  addArguments(scope);
  addInitializers(scope);
  symbolValues = bindEntryDims(func, shapes);
  importNodes(graph.node(), scope);
  addResults(scope);
  if (failedAny)
    return failure();

  // The arithmetic of shapes served to fold; lowering makes it anew.
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(func.getBody().front())))
    if (isa<arith::ArithDialect, tensor::TensorDialect>(op.getDialect()) &&
        isOpTriviallyDead(&op))
      op.erase();
  uint8_t digest[SHA256_DIGEST_LENGTH];
  ::SHA256(file.bytes().bytes_begin(), file.bytes().size(), digest);
  module->setAttr(
      "ds.source",
      builder.getDictionaryAttr(
          {builder.getNamedAttr(
               "file", builder.getStringAttr(file.path().rsplit('/').second)),
           builder.getNamedAttr(
               "opset", builder.getI64IntegerAttr(scope.opsets.lookup(""))),
           builder.getNamedAttr("sha256", builder.getStringAttr(llvm::toHex(
                                              digest, /*LowerCase=*/true)))}));
  return success();
}

bool GraphImporter::readOpsets(
    const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &list,
    Scope &scope) {
  bool areKnown = true;
  llvm::StringMap<int64_t> imported;
  for (const proto::OperatorSetIdProto &opset : list) {
    StringRef domain = normalizeDomain(opset.domain());
    auto [known, isNew] = imported.try_emplace(domain, opset.version());
    scope.opsets[domain] = opset.version();
    if (!isNew && known->second != opset.version()) {
      areKnown = false;
      emitError(module.getLoc())
          << "opset " << known->second << " and " << opset.version()
          << " of one domain are imported: '" << opset.domain() << "'";
      continue;
    }
    if (!domain.empty() ||
        (opset.version() >= 1 && opset.version() <= newestOpset))
      continue;
    areKnown = false;
    emitError(module.getLoc())
        << "opset " << opset.version() << " of ai.onnx is not supported: 1 to "
        << newestOpset << " are";
  }
  return areKnown;
}

void GraphImporter::findDeclaredTypes() {
  for (const auto *values : {&graph.output(), &graph.value_info()})
    for (const proto::ValueInfoProto &value : *values)
      if (value.has_type())
        declaredTypes.try_emplace(value.name(), &value.type());
}

ArrayAttr GraphImporter::symbolNames(ArrayRef<std::string> symbols) {
  return builder.getStrArrayAttr(
      SmallVector<StringRef>(symbols.begin(), symbols.end()));
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// What enters or leaves a model must be a tensor that the runtime takes.
static LogicalResult checkRank(RankedTensorType type, EmitError emitError) {
  constexpr int64_t maxRank = 64;
  if (type.getRank() <= maxRank)
    return success();
  return emitError() << "a tensor of " << type.getRank()
                     << " dims is not supported: at most " << maxRank << " are";
}

LogicalResult GraphImporter::applyOptions(const proto::ValueInfoProto &input,
                                          DeclaredType &declared) {
  auto error = [&] {
    return emitError(module.getLoc()) << "input '" << input.name() << "': ";
  };
  SmallVector<int64_t> shape = llvm::to_vector(declared.type.getShape());
  auto fixed = options.shapes.find(input.name());
  if (fixed != options.shapes.end() && fixed->second.size() != shape.size())
    return error() << "a shape of " << fixed->second.size()
                   << " dims was asked for, the model declares "
                   << shape.size();
  auto length = shapeLengths.find(input.name());
  for (auto [i, dim] : llvm::enumerate(shape)) {
    std::string &symbol = declared.symbols[i];
    if (ShapedType::isDynamic(dim))
      if (auto size = options.dims.find(symbol); size != options.dims.end())
        dim = size->second;
    if (fixed != options.shapes.end() &&
        !ShapedType::isDynamic(fixed->second[i])) {
      if (!ShapedType::isDynamic(dim) && dim != fixed->second[i])
        return error() << "dim " << i << " was asked to be " << fixed->second[i]
                       << ", the model declares " << dim;
      dim = fixed->second[i];
    }
    if (ShapedType::isDynamic(dim) && shape.size() == 1 &&
        length != shapeLengths.end())
      dim = length->second;
    if (!ShapedType::isDynamic(dim))
      symbol.clear();
  }
  declared.type = declared.type.clone(shape);
  if (failed(checkRank(declared.type, error)))
    return failure();
  return checkedElementCount(shape, declared.type.getElementType(), error);
}

FailureOr<DeclaredType>
GraphImporter::argumentType(const proto::ValueInfoProto &input) {
  FailureOr<DeclaredType> declared = convertType(context, input.type(), [&] {
    return emitError(module.getLoc()) << "input '" << input.name() << "': ";
  });
  if (failed(declared) || failed(applyOptions(input, *declared)))
    return failure();
  return declared;
}

void GraphImporter::addArguments(Scope &scope) {
  for (const proto::TensorProto &tensor : graph.initializer())
    if (!initializers.try_emplace(tensor.name(), &tensor).second) {
      fail();
      emitError(module.getLoc())
          << "initializer '" << tensor.name() << "' is defined twice";
    }

  SmallVector<DictionaryAttr> attributes;
  for (const proto::ValueInfoProto &input : graph.input()) {
    // Old models list initializers as inputs, too.
    if (initializers.contains(input.name()))
      continue;
    auto [entry, isNew] = scope.values.try_emplace(input.name());
    if (!isNew || input.name().empty()) {
      fail();
      emitError(module.getLoc())
          << (isNew ? "an input has no name"
                    : "input '" + input.name() + "' is defined twice");
      continue;
    }
    FailureOr<DeclaredType> declared = argumentType(input);
    if (failed(declared)) {
      fail();
      continue;
    }
    entry->second = func.getBody().front().addArgument(declared->type,
                                                       locate(input.name()));
    attributes.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("ds.name", builder.getStringAttr(input.name())),
         builder.getNamedAttr("ds.symbols", symbolNames(declared->symbols))}));
  }
  func.setType(
      builder.getFunctionType(func.getBody().front().getArgumentTypes(), {}));
  func.setAllArgAttrs(attributes);
  SmallVector<NamedAttribute> bounds;
  for (const auto &bound : options.bounds)
    bounds.push_back(builder.getNamedAttr(
        bound.getKey(),
        builder.getDenseI64ArrayAttr(
            {bound.getValue().first, bound.getValue().second})));
  if (!bounds.empty())
    func->setAttr("ds.bounds", builder.getDictionaryAttr(bounds));
}

//===----------------------------------------------------------------------===//
// Initializers
//===----------------------------------------------------------------------===//

void GraphImporter::addInitializers(Scope &scope) {
  llvm::StringMap<const proto::ValueInfoProto *> inputs;
  for (const proto::ValueInfoProto &input : graph.input())
    inputs[input.name()] = &input;

  for (const proto::TensorProto &tensor : graph.initializer()) {
    Location loc = locate(tensor.name());
    auto error = [&] {
      return emitError(module.getLoc())
             << "initializer '" << tensor.name() << "': ";
    };
    FailureOr<Attribute> value = convertTensor(context, file, tensor, error);
    if (failed(value)) {
      fail();
      scope.values[tensor.name()] = Value();
      continue;
    }
    scope.values[tensor.name()] = emitter.constant(loc, *value);
    const proto::ValueInfoProto *input = inputs.lookup(tensor.name());
    if (!input)
      continue;
    FailureOr<DeclaredType> declared =
        convertType(context, input->type(), error);
    RankedTensorType type = getTensorType(*value);
    if (succeeded(declared) &&
        declared->type.getElementType() == type.getElementType() &&
        succeeded(verifyCompatibleShape(declared->type, type)))
      continue;
    fail();
    if (succeeded(declared))
      error() << "it is declared as " << declared->type << " and given as "
              << type;
  }
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void GraphImporter::addResults(Scope &scope) {
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  llvm::StringSet<> names;
  for (const proto::ValueInfoProto &output : graph.output()) {
    auto found = scope.values.find(output.name());
    if (found == scope.values.end()) {
      fail();
      emitError(module.getLoc())
          << "output '" << output.name()
          << "' is no output of a node, no initializer and no "
             "graph input";
      continue;
    }
    Value value = found->second;
    if (!value)
      continue;
    if (!names.insert(output.name()).second) {
      fail();
      emitError(module.getLoc())
          << "output '" << output.name() << "' is listed twice";
      continue;
    }
    auto type = cast<RankedTensorType>(value.getType());
    if (failed(checkRank(type, [&] {
          return emitError(module.getLoc())
                 << "output '" << output.name() << "': ";
        })))
      fail();
    SmallVector<std::string> symbols(type.getRank());
    for (auto [i, dim] :
         llvm::enumerate(output.type().tensor_type().shape().dim())) {
      if (output.type().tensor_type().shape().dim_size() != type.getRank())
        break;
      if (!type.isDynamicDim(i) || !dim.has_dim_param())
        continue;
      // Exporters name dims carelessly: a name holds where it is known to.
      OpFoldResult size = shapes.dim(value, i);
      if (symbolValues.try_emplace(dim.dim_param(), size).first->second == size)
        symbols[i] = dim.dim_param();
    }
    results.push_back(value);
    attributes.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("ds.name", builder.getStringAttr(output.name())),
         builder.getNamedAttr("ds.symbols", symbolNames(symbols))}));
  }
  if (graph.output_size() == 0) {
    fail();
    emitError(module.getLoc()) << "the graph has no outputs";
  }
  func::ReturnOp::create(builder, module.getLoc(), results);
  func.setType(
      builder.getFunctionType(func.getArgumentTypes(), TypeRange(results)));
  func.setAllResultAttrs(attributes);
}
