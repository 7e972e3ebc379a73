//===- InternalErrors.cpp - Tells the compiler's faults from users' -------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "InternalErrors.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

#include <atomic>

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Keeps in memory what MLIR would write: whether it is wanted is known only
/// when the pipeline has failed.
struct StringStream : ReproducerStream {
  explicit StringStream(std::string &text) : stream(text) {}
  StringRef description() override { return "the reproducer"; }
  raw_ostream &os() override { return stream; }
  llvm::raw_string_ostream stream;
};

/// Notices passes that leave invalid IR behind and said nothing themselves.
class InvalidIR : public PassInstrumentation {
public:
  explicit InvalidIR(bool &found) : found(found) {}
  void runAfterPassFailed(Pass *pass, Operation *op) override {
    // What a phase leaves behind is no model's fault.
    found |= pass->getArgument() == "ds-verify-phase";
    ScopedDiagnosticHandler quiet(op->getContext(),
                                  [](Diagnostic &) { return success(); });
    found |= failed(verify(op));
  }

private:
  bool &found;
};
} // namespace

InternalErrors::InternalErrors(PassManager &pm, StringRef reproducer)
    : pm(pm), path(reproducer) {
  pm.addInstrumentation(std::make_unique<InvalidIR>(isInvalid));
  if (!path.empty())
    pm.enableCrashReproducerGeneration(
        [this](std::string &) { return std::make_unique<StringStream>(text); });
}

LogicalResult InternalErrors::writeReproducer(ModuleOp module) {
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
  if (error)
    return emitError(module.getLoc())
           << "cannot write '" << path << "': " << error.message();
  file.os() << text;
  file.keep();
  return success();
}

CompileResult InternalErrors::run(ModuleOp module) {
  // What MLIR says of the reproducer comes after what the passes say, and as an
  // error at the module.
  std::atomic<unsigned> said{0};
  bool crashed = false;
  LogicalResult result = success();
  {
    ScopedDiagnosticHandler count(
        module.getContext(), [&](Diagnostic &diagnostic) {
          StringRef own = "Failures have been detected while processing an "
                          "MLIR pass pipeline";
          std::string message = diagnostic.str();
          if (StringRef(message).starts_with(own))
            return success();
          crashed |= StringRef(message).contains("A signal was caught");
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            ++said;
          return failure(); // for whoever prints
        });
    result = pm.run(module);
  }
  if (succeeded(result))
    return CompileResult::Success;
  if (said > 0 && !crashed && !isInvalid)
    return CompileResult::InputError;
  auto diagnostic = emitError(module.getLoc())
                    << "internal error: the compiler is at fault here";
  if (!path.empty() && !text.empty() && succeeded(writeReproducer(module)))
    diagnostic << "; '" << path
               << "' reproduces it with ds-opt --run-reproducer";
  return CompileResult::InternalError;
}
