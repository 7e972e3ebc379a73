//===- Pipeline.cpp - The phase linalg ------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Passes.h"
#include "ds/Dialect/DS/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::ds;

void mlir::ds::buildLinalgPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertToLinalg());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVerifyPhase("linalg"));
}

void mlir::ds::registerLinalgPipeline() {
  PassPipelineRegistration<>("ds-linalg-pipeline",
                             "Lowers onnx and ds ops to linalg",
                             buildLinalgPipeline);
}
