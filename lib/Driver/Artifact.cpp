//===- Artifact.cpp - From the llvm dialect to the artifact ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Artifact.h"

#include "PrunedHeads.h"

#include "ds/Artifact/Bundle.h"
#include "ds/Artifact/SafeTensors.h"
#include "ds/Artifact/Weights.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Threading.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::ds;

/// The manifest's name of an ONNX element type.
static std::string typeName(Type type) {
  if (type.isInteger(1))
    return "bool";
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto integer = dyn_cast<IntegerType>(type))
    os << (integer.isUnsigned() ? "u" : "i") << integer.getWidth();
  else
    os << type;
  return text;
}

/// Inputs or outputs of an entry, from the list that the graph phases left.
static std::vector<artifact::Port> makePorts(ArrayAttr ports) {
  std::vector<artifact::Port> result;
  for (auto port : ports.getAsRange<DictionaryAttr>()) {
    artifact::Port made;
    made.name = port.getAs<StringAttr>("name").str();
    auto type = cast<RankedTensorType>(port.getAs<TypeAttr>("type").getValue());
    made.type = typeName(type.getElementType());
    auto symbols = port.getAs<ArrayAttr>("symbols");
    for (auto [i, size] : llvm::enumerate(type.getShape())) {
      StringRef symbol = symbols && i < symbols.size()
                             ? cast<StringAttr>(symbols[i]).getValue()
                             : "";
      made.shape.push_back(
          !ShapedType::isDynamic(size) ? artifact::Dim::fixed(size)
          : symbol.empty()             ? artifact::Dim::any()
                                       : artifact::Dim::symbolic(symbol.str()));
    }
    result.push_back(std::move(made));
  }
  return result;
}

static std::vector<artifact::Site> makeSites(ModuleOp module) {
  std::vector<artifact::Site> sites;
  if (auto list = module->getAttrOfType<ArrayAttr>("ds.sites"))
    for (auto site : list.getAsRange<DictionaryAttr>())
      sites.push_back({site.getAs<StringAttr>("node").str(),
                       site.getAs<StringAttr>("what").str()});
  return sites;
}

static std::vector<artifact::Entry> makeEntries(ModuleOp module) {
  std::vector<artifact::Entry> entries;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    auto ports = function->getAttrOfType<DictionaryAttr>("ds.ports");
    if (!ports)
      continue;
    artifact::Entry &entry = entries.emplace_back();
    entry.name = function.getName().str();
    entry.inputs = makePorts(ports.getAs<ArrayAttr>("inputs"));
    entry.outputs = makePorts(ports.getAs<ArrayAttr>("outputs"));
    if (auto pairs = function->getAttrOfType<ArrayAttr>("ds.aliases"))
      for (auto pair : pairs.getAsRange<DenseI64ArrayAttr>())
        // Bools are stored as other types are.
        if (entry.inputs[pair[0]].type == entry.outputs[pair[1]].type)
          entry.aliases.emplace_back(pair[0], pair[1]);
    entry.sites = makeSites(module);
  }
  return entries;
}

namespace {
/// A weight of the artifact, from the list that the codegen phase left.
struct PlacedWeight {
  explicit PlacedWeight(DictionaryAttr entry)
      : source(entry.getAs<WeightAttr>("source")),
        transforms(entry.getAs<ArrayAttr>("transforms")),
        type(cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue())),
        offset(entry.getAs<IntegerAttr>("offset").getInt()) {}

  uint64_t bytes() const {
    return uint64_t(type.getNumElements()) *
           llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }

  WeightAttr source;
  ArrayAttr transforms;
  RankedTensorType type;
  uint64_t offset;
};
} // namespace

static SmallVector<PlacedWeight> placedWeights(ModuleOp module) {
  SmallVector<PlacedWeight> weights;
  if (auto list = module->getAttrOfType<ArrayAttr>("ds.weights"))
    for (auto entry : list.getAsRange<DictionaryAttr>())
      weights.emplace_back(entry);
  return weights;
}

FailureOr<std::string> mlir::ds::generateCode(ModuleOp module,
                                              const CPUTarget &target,
                                              const CompileOptions &options,
                                              CodeFile kind) {
  std::vector<CodeEntry> entries;
  for (const artifact::Entry &entry : makeEntries(module))
    entries.push_back({entry.name, entry.interface()});
  std::vector<CodeKernel> kernels;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>())
    if (auto name = function->getAttrOfType<StringAttr>("ds.kernel"))
      kernels.push_back({function.getName().str(), name.str()});
  uint64_t weightBytes = 0;
  for (const PlacedWeight &weight : placedWeights(module))
    weightBytes = std::max(weightBytes, weight.offset + weight.bytes());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated =
      translateToLLVMIR(module, context, entries, kernels, weightBytes);
  if (!translated)
    return failure();
  if (llvm::Error error =
          optimize(*translated, target, options.optLevel, options.sanitizer))
    return module.emitError(llvm::toString(std::move(error)));
  llvm::Expected<std::string> code =
      emitCode(*translated, target, options.optLevel, kind);
  if (!code)
    return module.emitError(llvm::toString(code.takeError()));
  return std::move(*code);
}

static StringRef sanitizerName(Sanitizer sanitizer) {
  switch (sanitizer) {
  case Sanitizer::None:
    return "none";
  case Sanitizer::Address:
    return "address";
  case Sanitizer::Thread:
    return "thread";
  }
  llvm_unreachable("all sanitizers are listed");
}

static artifact::Manifest makeManifest(ModuleOp module,
                                       ArrayRef<Variant> variants,
                                       const CompileOptions &options) {
  artifact::Manifest manifest;
  manifest.compiler = "ds " DS_VERSION " (LLVM " LLVM_VERSION_STRING ")";
  manifest.pipeline = "O" + std::to_string(options.optLevel);
  if (auto source = module->getAttrOfType<DictionaryAttr>("ds.source")) {
    if (auto file = source.getAs<StringAttr>("file"))
      manifest.sourceFile = file.str();
    if (auto digest = source.getAs<StringAttr>("sha256"))
      manifest.sourceSHA256 = digest.str();
  }
  manifest.sanitize = sanitizerName(options.sanitizer).str();
  manifest.entries = makeEntries(module);
  for (const PrunedLayer &layer : getPrunedLayers(module))
    manifest.prunedHeads.push_back(
        {layer.entry, layer.node, layer.heads, layer.of});
  for (const Variant &variant : variants) {
    const CPUTarget &target = variant.target;
    manifest.variants.push_back({"code/" + target.name() + ".so", target.arch,
                                 target.cpu, target.required});
  }
  // The runtime takes the first that its CPU can run: the one that needs most.
  llvm::sort(manifest.variants, [](const auto &a, const auto &b) {
    return std::pair(b.features.size(), a.member) <
           std::pair(a.features.size(), b.member);
  });
  return manifest;
}

/// Adds the weights at the offsets that the code reads them at.
static LogicalResult addWeights(ModuleOp module,
                                artifact::SafeTensorsWriter &writer) {
  for (const auto &[i, weight] : llvm::enumerate(placedWeights(module))) {
    uint64_t offset = writer.add(
        "w" + std::to_string(i), typeName(weight.type.getElementType()),
        weight.type.getShape(), weight.bytes(),
        [source = weight.source,
         transforms = weight.transforms](llvm::raw_ostream &os) {
          return artifact::writeWeight(source, transforms, os);
        });
    if (offset != weight.offset)
      return module.emitError("weight ")
             << i << " was planned at another offset than it is written at";
  }
  return success();
}

/// All variants read the same weights, report to the same sites and let the
/// same buffers be shared.
static LogicalResult requireOneLayout(ArrayRef<Variant> variants) {
  ModuleOp first = *variants.front().module;
  for (const Variant &variant : variants.drop_front())
    for (StringRef name : {"ds.weights", "ds.sites"})
      if (variant.module.get()->getAttr(name) != first->getAttr(name))
        return first.emitError("the code for ")
               << variant.target.name() << " has another '" << name
               << "' than that for " << variants.front().target.name();
  auto interfaces = [](ModuleOp module) {
    return llvm::map_to_vector(
        makeEntries(module),
        [](const artifact::Entry &entry) { return entry.interface(); });
  };
  for (const Variant &variant : variants.drop_front())
    if (interfaces(*variant.module) != interfaces(first))
      return first.emitError("the code for ")
             << variant.target.name() << " has other entries than that for "
             << variants.front().target.name();
  return success();
}

LogicalResult mlir::ds::writeArtifact(
    ArrayRef<Variant> variants, const CompileOptions &options,
    function_ref<void(artifact::SafeTensorsWriter &)> addTests) {
  if (failed(requireOneLayout(variants)))
    return failure();
  ModuleOp module = *variants.front().module;
  artifact::Manifest manifest = makeManifest(module, variants, options);
  std::vector<artifact::Member> members;
  // Members refer to their bytes.
  std::vector<std::string> codes(variants.size());
  if (failed(failableParallelForEachN(
          module.getContext(), 0, variants.size(), [&](size_t i) {
            FailureOr<std::string> object =
                generateCode(*variants[i].module, variants[i].target, options,
                             CodeFile::Object);
            if (succeeded(object))
              codes[i] = std::move(*object);
            return object;
          })))
    return failure();
  // The linker takes one link at a time.
  for (auto [variant, linked] : llvm::zip_equal(variants, codes)) {
    llvm::Expected<std::string> code = linkSharedObject(linked, variant.target);
    if (!code)
      return module.emitError(llvm::toString(code.takeError()));
    linked = std::move(*code);
    members.push_back(artifact::Member::fromBytes(
        "code/" + variant.target.name() + ".so", linked));
  }
  artifact::SafeTensorsWriter weights;
  if (failed(addWeights(module, weights)))
    return failure();
  if (!weights.empty()) {
    manifest.weightsMember = "weights.safetensors";
    members.push_back({manifest.weightsMember, [&](llvm::raw_ostream &os) {
                         return weights.write(os);
                       }});
  }
  artifact::SafeTensorsWriter tests;
  if (addTests)
    addTests(tests);
  if (!tests.empty()) {
    manifest.selfTestMember = "selftest.safetensors";
    members.push_back({manifest.selfTestMember,
                       [&](llvm::raw_ostream &os) { return tests.write(os); }});
  }
  if (llvm::Error error =
          artifact::writeBundle(options.output, manifest, members))
    return module.emitError(llvm::toString(std::move(error)));
  return success();
}
