//===- CountOps.cpp - A pass in a plugin, as users write them -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {
/// Remarks how many ops of each function are of the onnx dialect.
struct CountOps : PassWrapper<CountOps, OperationPass<func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CountOps)
  StringRef getArgument() const override { return "count-onnx-ops"; }
  StringRef getDescription() const override { return "counts onnx ops"; }
  void runOnOperation() override {
    unsigned count = 0;
    getOperation().walk([&](Operation *op) {
      count += op->getName().getDialectNamespace() == "onnx";
    });
    getOperation().emitRemark() << count << " onnx ops";
  }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "CountOps", "0.1",
          [] { PassRegistration<CountOps>(); }};
}
