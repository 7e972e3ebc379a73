//===- Compiler.cpp - Options in, phases run, artifact out ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Compiler.h"

#include "Artifact.h"
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
  CompileResult runShared();
  CompileResult runPerTarget();
  CompileResult write();

  MLIRContext &context;
  const CompileOptions &options;
  Location loc;
  /// The phase whose result `module` is; none before the importer's is done.
  std::optional<Phase> done;
  OwningOpRef<ModuleOp> module, reference;
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

/// The phases that are the same for all targets, and a copy of the graph from
/// which the self-test is made.
CompileResult Compilation::runShared() {
  bool makesArtifact = options.to == Phase::Artifact && !options.code;
  Phase last = std::min(options.to, Phase::Linalg);
  if (done && *done >= last)
    return CompileResult::Success;
  const CPUTarget &any = variants.front().target;
  if (makesArtifact && (!done || *done < Phase::Canonical)) {
    CompileResult result =
        runPhases(*module, done, Phase::Canonical, options, any);
    if (result != CompileResult::Success)
      return result;
    done = Phase::Canonical;
    reference = module->clone();
  }
  CompileResult result = runPhases(*module, done, last, options, any);
  done = last;
  return result;
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
  if (!reference)
    return asResult(writeArtifact(variants, options, /*addTests=*/nullptr));
  // Only now: what is wrong with the model has been told, once.
  SelfTest test(*reference, options);
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
