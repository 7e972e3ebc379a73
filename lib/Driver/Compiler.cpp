//===- Compiler.cpp - Options in, phases run, artifact out ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Compiler.h"

#include "Artifact.h"
#include "PrunedHeads.h"
#include "SelfTest.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace mlir::ds;

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

static CompileResult asResult(LogicalResult result) {
  return succeeded(result) ? CompileResult::Success : CompileResult::InputError;
}

namespace {
/// One compilation.
class Compilation {
public:
  Compilation(MLIRContext &context, const CompileOptions &options)
      : context(context), options(options),
        loc(FileLineColLoc::get(&context, options.input, 0, 0)) {}

  CompileResult run();

private:
  LogicalResult parseTargets();
  LogicalResult read();
  CompileResult runTo(Phase phase);
  CompileResult runShared();
  CompileResult runPerTarget();
  CompileResult write();
  CompileResult writeTested();

  MLIRContext &context;
  const CompileOptions &options;
  Location loc;
  /// The phase whose result `module` is; none before the importer's is done.
  std::optional<Phase> done;
  OwningOpRef<ModuleOp> module;
  /// The graph as it was spelled, and the raised one that lacks heads; each
  /// where something is compared with it.
  OwningOpRef<ModuleOp> spelled, pruned;
  std::vector<Variant> variants;
};
} // namespace

LogicalResult Compilation::parseTargets() {
  std::vector<std::string> names = options.targets;
  if (names.empty())
    names.push_back("host");
  for (const std::string &name : names) {
    llvm::Expected<CPUTarget> target = parseCPUTarget(name);
    if (!target)
      return emitError(loc) << llvm::toString(target.takeError());
    if (llvm::any_of(variants, [&](const Variant &other) {
          return other.target.name() == target->name();
        }))
      return emitError(loc) << "target '" << name << "' is given twice";
    variants.push_back({*target, nullptr});
  }
  if (variants.size() > 1 &&
      (options.to != Phase::Artifact || options.code || options.from))
    return emitError(loc)
           << "several targets make an artifact from a model only; name one";
  return success();
}

LogicalResult Compilation::read() {
  module = options.from ? parseSourceFile<ModuleOp>(options.input,
                                                    ParserConfig(&context))
                        : importONNX(context, options.input, options.import);
  done = options.from;
  return success(bool(module));
}

/// Runs what is missing up to a phase that all targets share.
CompileResult Compilation::runTo(Phase phase) {
  if (done && *done >= phase)
    return CompileResult::Success;
  CompileResult result =
      runPhases(*module, done, phase, options, variants.front().target);
  done = phase;
  return result;
}

/// The phases that are the same for all targets, and copies of the graph for
/// what is measured on it.
CompileResult Compilation::runShared() {
  bool makesArtifact = options.to == Phase::Artifact && !options.code;
  bool prunes = options.pruneHeads && (!done || *done < Phase::Raise) &&
                options.to >= Phase::Raise;
  if (makesArtifact && (prunes || !done || *done < Phase::Canonical)) {
    if (CompileResult result = runTo(Phase::Canonical);
        result != CompileResult::Success)
      return result;
    spelled = module->clone();
  }
  if (prunes) {
    if (CompileResult result = runTo(Phase::Raise);
        result != CompileResult::Success)
      return result;
    printPrunedLayers(*module, llvm::errs());
    if (makesArtifact && !getPrunedLayers(*module).empty())
      pruned = module->clone();
  }
  return runTo(std::min(options.to, Phase::Linalg));
}

CompileResult Compilation::runPerTarget() {
  Phase last = std::min(options.to, Phase::LLVM);
  for (Variant &variant : variants) {
    bool isLast = &variant == &variants.back();
    variant.module =
        isLast ? std::move(module) : OwningOpRef<ModuleOp>(module->clone());
    if (done && *done >= last)
      continue;
    CompileResult result =
        runPhases(*variant.module, done, last, options, variant.target);
    if (result != CompileResult::Success)
      return result;
  }
  return CompileResult::Success;
}

CompileResult Compilation::write() {
  ModuleOp only = *variants.front().module;
  if (options.code) {
    FailureOr<std::string> code =
        generateCode(only, variants.front().target, options, *options.code);
    return asResult(failed(code) ? failure()
                                 : writeFile(loc, options.output, *code));
  }
  if (options.to != Phase::Artifact) {
    std::string text;
    llvm::raw_string_ostream os(text);
    // Locations are the names of nodes, which messages need later.
    only->print(os, OpPrintingFlags().enableDebugInfo());
    return asResult(writeFile(loc, options.output, text));
  }
  if (options.progress)
    llvm::errs() << "ds-compile: artifact\n";
  return writeTested();
}

/// The artifact with its self-test, where there is a graph for it, after what
/// pruning costs has been told.
CompileResult Compilation::writeTested() {
  // Only now: what is wrong with the model has been told, once.
  std::optional<PruningCost> cost;
  if (pruned)
    cost.emplace(*spelled, *pruned, options);
  if (!spelled)
    return asResult(writeArtifact(variants, options, /*addTests=*/nullptr));
  // Without the heads, the artifact gives other results than what was spelled.
  SelfTest test(pruned ? *pruned : *spelled, options);
  if (cost && failed(cost->measure(llvm::errs())))
    return CompileResult::InputError;
  return asResult(
      writeArtifact(variants, options, [&](artifact::SafeTensorsWriter &tests) {
        test.record(tests);
      }));
}

CompileResult Compilation::run() {
  if (options.progress && !options.from)
    llvm::errs() << "ds-compile: import\n";
  if (failed(parseTargets()) || failed(read()))
    return CompileResult::InputError;
  CompileResult result = runShared();
  if (result == CompileResult::Success)
    result = runPerTarget();
  return result == CompileResult::Success ? write() : result;
}

CompileResult mlir::ds::compile(MLIRContext &context,
                                const CompileOptions &options) {
  return Compilation(context, options).run();
}
