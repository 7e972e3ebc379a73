//===- Pipelines.cpp - Graph phases of the compiler -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Transforms/Pipelines.h"

#include "ds/Dialect/DS/Passes.h"
#include "ds/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::ds;

void mlir::ds::buildImportPipeline(OpPassManager &pm) {
  pm.addPass(createVerifyPhase("import"));
}

void mlir::ds::buildCanonicalPipeline(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createOnnxInferShapes());
  // Types are known now, and with them more constants and casts to themselves.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createRecordPorts());
  pm.addPass(createVerifyPhase("canonical"));
}

void mlir::ds::buildRaisePipeline(OpPassManager &pm,
                                  const RaiseOptions &options) {
  // First: what these ops become, other passes take further.
  pm.addNestedPass<func::FuncOp>(createDSRaiseTransformerOps());
  pm.addNestedPass<func::FuncOp>(createOnnxFoldWeights());
  // Masks are seen for what they are then.
  pm.addNestedPass<func::FuncOp>(createOnnxFoldMasks());
  pm.addNestedPass<func::FuncOp>(createDSRaiseNormalization());
  pm.addNestedPass<func::FuncOp>(createDSRaiseGelu());
  pm.addNestedPass<func::FuncOp>(createDSRaiseRope());
  pm.addNestedPass<func::FuncOp>(createDSRaiseAttention());
  pm.addNestedPass<func::FuncOp>(createDSRaiseLinear());
  // While heads have the model's numbers: folding takes out those of weight 0.
  if (options.pruneHeads)
    pm.addNestedPass<func::FuncOp>(
        createDSPruneHeads(DSPruneHeadsOptions{*options.pruneHeads}));
  pm.addNestedPass<func::FuncOp>(createDSFoldHeadWeights());
  // Before rows are packed, which then have no places of their own.
  pm.addNestedPass<func::FuncOp>(createDSBubbleUpSlices());
  if (options.padding != Padding::Compute)
    pm.addNestedPass<func::FuncOp>(
        createDSUnpad(DSUnpadOptions{options.padding == Padding::Zero}));
  pm.addPass(createCanonicalizerPass());
  // Masks and tables that each layer was given are one again.
  pm.addPass(createCSEPass());
  pm.addPass(createVerifyPhase("raise"));
}

void mlir::ds::buildQuantizePipeline(OpPassManager &pm) {
  pm.addPass(createVerifyPhase("quantize"));
}

void mlir::ds::registerTransformsPipelines() {
  PassPipelineRegistration<>("ds-import-pipeline",
                             "Checks what the importer made",
                             buildImportPipeline);
  PassPipelineRegistration<>("ds-canonical-pipeline",
                             "Canonical onnx with the most static types",
                             buildCanonicalPipeline);
  PassPipelineRegistration<>("ds-raise-pipeline",
                             "Recognises what graphs spell out",
                             [](OpPassManager &pm) { buildRaisePipeline(pm); });
  PassPipelineRegistration<>("ds-quantize-pipeline",
                             "Checks raised graphs; no recipe yet",
                             buildQuantizePipeline);
}
