//===- main.cpp - ds-compile: an ONNX model to an artifact ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "CalibrationData.h"
#include "Options.h"

#include "ds/Driver/Diagnostics.h"
#include "ds/Driver/Explain.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
enum ExitStatus { Success = 0, InputError = 1, UsageError = 2, Internal = 3 };
} // namespace

static int usageError(llvm::Error error) {
  llvm::WithColor::error(llvm::errs(), "ds-compile")
      << llvm::toString(std::move(error)) << "; see ds-compile --help\n";
  return UsageError;
}

/// Loads the plugins and checks the pipelines, which may name their passes.
static llvm::Error preparePipelines(const ToolOptions &options) {
  for (const std::string &file : options.plugins) {
    llvm::Expected<PassPlugin> plugin = PassPlugin::load(file);
    if (!plugin)
      return plugin.takeError();
    plugin->registerPassRegistryCallbacks();
  }
  for (const auto &[phase, pipeline] : options.compile.pipelines) {
    std::string message;
    llvm::raw_string_ostream os(message);
    FailureOr<OpPassManager> parsed = parsePassPipeline(pipeline, os);
    if (succeeded(parsed) &&
        parsed->getOpAnchorName() != ModuleOp::getOperationName())
      os << "expected builtin.module(...), found '" << pipeline << "'";
    if (!message.empty())
      return llvm::createStringError(
          llvm::inconvertibleErrorCode(),
          "in --pass-pipeline-at=" + getPhaseName(phase) + ": " + message);
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::Expected<ToolOptions> options = parseCommandLine(argc, argv);
  if (!options)
    return usageError(options.takeError());
  if (options->listTargets) {
    listCPUTargets(llvm::outs());
    return Success;
  }
  if (!options->calibration.empty()) {
    auto data = readCalibration(options->calibration);
    if (!data) {
      llvm::WithColor::error(llvm::errs(), "ds-compile")
          << llvm::toString(data.takeError()) << "\n";
      return InputError;
    }
    options->compile.calibration = std::move(*data);
  }
  // What a pipeline on the command line may name.
  registerAllPasses();
  registerCompilerPasses();

  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  std::optional<llvm::DefaultThreadPool> threads;
  if (options->jobs != 1) {
    options->compile.compiler = llvm::sys::fs::getMainExecutable(
        argv[0], reinterpret_cast<void *>(&usageError));
    threads.emplace(llvm::hardware_concurrency(options->jobs));
    context.setThreadPool(*threads);
  }
  if (llvm::Error error = preparePipelines(*options))
    return usageError(std::move(error));
  DiagnosticPrinter printer(context, "ds-compile", options->compile.input,
                            llvm::errs());
  Explainer explainer(context, options->explain, options->missedRemarks,
                      options->compile, llvm::errs());
  switch (compile(context, options->compile)) {
  case CompileResult::Success:
    return Success;
  case CompileResult::InputError:
    return InputError;
  case CompileResult::InternalError:
    return Internal;
  }
}
