//===- Phases.cpp - What each phase runs ----------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "InternalErrors.h"

#include "ds/Driver/Compiler.h"
#include "ds/InitAll.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

#include <map>

using namespace mlir;
using namespace mlir::ds;

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
  ds::registerAllDialects(registry);
  // Before any thread translates: a context takes them from one at a time.
  registerAllToLLVMIRTranslations(registry);
}

void mlir::ds::registerCompilerPasses() { ds::registerAllPasses(); }

static void buildPhase(Phase phase, OpPassManager &pm,
                       const CompileOptions &options,
                       const CPUTileOptions &tile) {
  switch (phase) {
  case Phase::Import:
    return buildImportPipeline(pm);
  case Phase::Artifact:
    return;
  case Phase::Canonical:
    return buildCanonicalPipeline(pm);
  case Phase::Raise:
    return buildRaisePipeline(pm, {options.padding, options.pruneHeads});
  case Phase::Quantize:
    return buildQuantizePipeline(pm);
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

static void printOpStats(ModuleOp module, Phase phase, OpStats format) {
  std::map<std::string, int64_t> counts;
  module.walk([&](Operation *op) {
    if (op != module)
      ++counts[op->getName().getStringRef().str()];
  });
  if (format == OpStats::JSON) {
    llvm::json::Object ops;
    for (const auto &[name, count] : counts)
      ops[name] = count;
    llvm::outs() << llvm::json::Value(
                        llvm::json::Object{{"phase", getPhaseName(phase)},
                                           {"ops", std::move(ops)}})
                 << "\n";
    return;
  }
  llvm::outs() << getPhaseName(phase) << "\n";
  for (const auto &[name, count] : counts)
    llvm::outs() << llvm::formatv("  {0,6}  {1}\n", count, name);
}

/// What is done after each phase, also after the importer's.
static CompileResult finishPhase(ModuleOp module, Phase phase,
                                 const CompileOptions &options) {
  for (const auto &[at, pipeline] : options.pipelines) {
    if (at != phase)
      continue;
    PassManager pm(module.getContext(), ModuleOp::getOperationName());
    // The text was checked when the command line was read.
    FailureOr<OpPassManager> parsed = parsePassPipeline(pipeline);
    if (failed(parsed))
      return CompileResult::InputError;
    static_cast<OpPassManager &>(pm) = *parsed;
    InternalErrors errors(pm, options.reproducer);
    CompileResult result = errors.run(module);
    if (result != CompileResult::Success)
      return result;
  }
  if (options.explain)
    options.explain(module, phase);
  if (options.opStats != OpStats::None)
    printOpStats(module, phase, options.opStats);
  if (!options.dumpPhasesTo.empty() &&
      failed(dumpPhase(module, phase, options.dumpPhasesTo)))
    return CompileResult::InputError;
  return CompileResult::Success;
}

CompileResult mlir::ds::runPhases(ModuleOp module, std::optional<Phase> from,
                                  Phase to, const CompileOptions &options,
                                  const CPUTarget &target) {
  CPUTileOptions tile;
  tile.lanes = target.lanes;
  tile.tileRows = target.tileRows;
  tile.tileLanes = target.tileLanes;
  tile.dotsBF16 = target.dotsBF16;
  tile.tilesBF16 = target.tilesBF16;
  for (auto [name, phase] : getPhases()) {
    // The importer has run before.
    bool isImport = phase == Phase::Import && !from;
    if (!isImport && (from ? phase <= *from : phase == Phase::Import))
      continue;
    if (phase > to || phase == Phase::Artifact)
      break;
    if (options.progress)
      llvm::errs() << "ds-compile: " << name << "\n";
    PassManager pm(module.getContext());
    buildPhase(phase, pm, options, tile);
    if (!pm.empty()) {
      InternalErrors errors(pm, options.reproducer);
      if (CompileResult result = errors.run(module);
          result != CompileResult::Success)
        return result;
    }
    if (CompileResult result = finishPhase(module, phase, options);
        result != CompileResult::Success)
      return result;
  }
  return CompileResult::Success;
}
