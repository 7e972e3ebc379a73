//===- Compiler.cpp - Options in, phases run, artifact out ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Compiler.h"

#include "Artifact.h"
#include "SelfTest.h"

#include "ds/Codegen/CPU/Pipelines.h"
#include "ds/Codegen/Linalg/Passes.h"
#include "ds/Dialect/DS/BufferizableOpInterfaceImpl.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Import/ONNXImporter.h"
#include "ds/Transforms/Passes.h"
#include "ds/Transforms/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

ArrayRef<std::pair<StringRef, Phase>> mlir::ds::getPhases() {
  static const std::pair<StringRef, Phase> phases[] = {
      {"import", Phase::Import},       {"canonical", Phase::Canonical},
      {"raise", Phase::Raise},         {"quantize", Phase::Quantize},
      {"linalg", Phase::Linalg},       {"tile", Phase::Tile},
      {"bufferize", Phase::Bufferize}, {"llvm", Phase::LLVM},
      {"artifact", Phase::Artifact}};
  return phases;
}

std::optional<Phase> mlir::ds::parsePhase(StringRef name) {
  for (auto [known, phase] : getPhases())
    if (known == name)
      return phase;
  return std::nullopt;
}

StringRef mlir::ds::getPhaseName(Phase phase) {
  return getPhases()[static_cast<size_t>(phase)].first;
}

void mlir::ds::registerCompilerDialects(DialectRegistry &registry) {
  // With all of upstream come all external models: a missing one silently
  // disables what it models.
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<DSDialect, onnx::ONNXDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
}

static void buildPhase(Phase phase, OpPassManager &pm,
                       const CPUTileOptions &tile) {
  switch (phase) {
  case Phase::Import:
  case Phase::Quantize:
  case Phase::Artifact:
    return;
  case Phase::Canonical:
    return buildCanonicalPipeline(pm);
  case Phase::Raise:
    return buildRaisePipeline(pm);
  case Phase::Linalg:
    return buildLinalgPipeline(pm);
  case Phase::Tile:
    return buildTilePipeline(pm, tile);
  case Phase::Bufferize:
    return buildBufferizePipeline(pm, tile);
  case Phase::LLVM:
    return buildLLVMPipeline(pm);
  }
}

/// Writes the IR after `phase` to the folder of the dumps.
static LogicalResult dumpPhase(ModuleOp module, Phase phase, StringRef folder) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return emitError(UnknownLoc::get(module.getContext()))
           << "cannot create '" << folder << "': " << error.message();
  SmallString<128> path(folder);
  llvm::sys::path::append(path, std::to_string(static_cast<int>(phase)) + "-" +
                                    getPhaseName(phase) + ".mlir");
  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  if (error)
    return emitError(UnknownLoc::get(module.getContext()))
           << "cannot write '" << path << "': " << error.message();
  module->print(os, OpPrintingFlags().enableDebugInfo());
  return success();
}

LogicalResult mlir::ds::runPhases(ModuleOp module, std::optional<Phase> from,
                                  Phase to, const CompileOptions &options,
                                  const CPUTarget &target) {
  CPUTileOptions tile;
  tile.lanes = target.lanes;
  tile.tileRows = target.tileRows;
  tile.tileLanes = target.tileLanes;
  for (auto [name, phase] : getPhases()) {
    if (from ? phase <= *from : phase == Phase::Import) {
      if (!from && !options.dumpPhasesTo.empty() &&
          failed(dumpPhase(module, phase, options.dumpPhasesTo)))
        return failure();
      continue;
    }
    if (phase > to || phase == Phase::Artifact)
      break;
    PassManager pm(module.getContext());
    buildPhase(phase, pm, tile);
    if (failed(pm.run(module)))
      return failure();
    if (!options.dumpPhasesTo.empty() &&
        failed(dumpPhase(module, phase, options.dumpPhasesTo)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// compile
//===----------------------------------------------------------------------===//

/// Writes `text` to `path`, whole or not at all.
static LogicalResult writeFile(Location loc, StringRef path, StringRef text) {
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
  if (error)
    return emitError(loc) << "cannot write '" << path
                          << "': " << error.message();
  file.os() << text;
  file.os().flush();
  if (file.os().has_error())
    return emitError(loc) << "cannot write '" << path
                          << "': " << file.os().error().message();
  file.keep();
  return success();
}

static LogicalResult emitCodeFile(ModuleOp module, const CPUTarget &target,
                                  const CompileOptions &options) {
  Location loc = module.getLoc();
  FailureOr<std::string> code =
      generateCode(module, target, options, *options.code);
  return failed(code) ? failure() : writeFile(loc, options.output, *code);
}

LogicalResult mlir::ds::compile(MLIRContext &context,
                                const CompileOptions &options) {
  Location loc = FileLineColLoc::get(&context, options.input, 0, 0);
  llvm::Expected<CPUTarget> target = parseCPUTarget(options.target);
  if (!target)
    return emitError(loc) << llvm::toString(target.takeError());

  OwningOpRef<ModuleOp> module =
      options.from
          ? parseSourceFile<ModuleOp>(options.input, ParserConfig(&context))
          : importONNX(context, options.input, ImportOptions());
  if (!module)
    return failure();
  Phase last = std::min(options.to, Phase::LLVM);
  bool makesArtifact = options.to == Phase::Artifact && !options.code;
  std::optional<Phase> from = options.from;
  OwningOpRef<ModuleOp> reference;
  artifact::SafeTensorsWriter tests;
  if (makesArtifact && (!from || *from < Phase::Canonical)) {
    if (failed(runPhases(*module, from, Phase::Canonical, options, *target)))
      return failure();
    from = Phase::Canonical;
    reference = module->clone();
  }
  if (failed(runPhases(*module, from, last, options, *target)))
    return failure();
  // Only now: what is wrong with the model has been told, once.
  if (reference)
    addSelfTest(*reference, options, tests);
  if (options.code)
    return emitCodeFile(*module, *target, options);
  if (options.to != Phase::Artifact) {
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os);
    return writeFile(loc, options.output, text);
  }
  return writeArtifact(*module, *target, options, &tests);
}
