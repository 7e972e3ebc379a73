//===- FaultyPasses.cpp - Passes that fail in every way -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
/// Refuses the model, as a pass may.
struct RefusePass : PassWrapper<RefusePass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RefusePass)
  StringRef getArgument() const override { return "test-refuse"; }
  void runOnOperation() override {
    getOperation().emitError("this model is not wanted");
    signalPassFailure();
  }
};

/// Gives up without a word.
struct SilentPass : PassWrapper<SilentPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SilentPass)
  StringRef getArgument() const override { return "test-silent"; }
  void runOnOperation() override { signalPassFailure(); }
};

/// Leaves a function without a terminator.
struct InvalidPass : PassWrapper<InvalidPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InvalidPass)
  StringRef getArgument() const override { return "test-invalid"; }
  void runOnOperation() override {
    getOperation().getBody().front().getTerminator()->erase();
  }
};

struct CrashPass : PassWrapper<CrashPass, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CrashPass)
  StringRef getArgument() const override { return "test-crash"; }
  void runOnOperation() override { LLVM_BUILTIN_TRAP; }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "FaultyPasses", "0.1", [] {
            PassRegistration<RefusePass>();
            PassRegistration<SilentPass>();
            PassRegistration<InvalidPass>();
            PassRegistration<CrashPass>();
          }};
}
