//===- Pipelines.cpp - CPU phases of the compiler -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Pipelines.h"

#include "ds/Codegen/CPU/Passes.h"
#include "ds/Dialect/DS/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::ds;

static void addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mlir::ds::buildTilePipeline(OpPassManager &pm, const CPUTileOptions &) {
  pm.addNestedPass<func::FuncOp>(createFuseElementwise());
  pm.addNestedPass<func::FuncOp>(createSinkReshapes());
  // What a reshape stood between.
  pm.addNestedPass<func::FuncOp>(createFuseElementwise());
  addCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createFuseTasks());
  addCleanup(pm);
  pm.addPass(createVerifyPhase("tile"));
}

void mlir::ds::buildBufferizePipeline(OpPassManager &pm,
                                      const CPUTileOptions &options) {
  pm.addPass(createBindWeights());
  // Results of tiles go straight to where they are inserted.
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(createInsertCopies());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  // Buffers at the ABI are contiguous.
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // A copy of a buffer to itself goes only when CSE has made the two one.
  addCleanup(pm);
  pm.addPass(createCanonicalizerPass());

  pm.addPass(createResultsToArguments());
  // Sizes of buffers must be seen to come from inputs.
  pm.addPass(memref::createResolveShapedTypeResultDimsPass());
  addCleanup(pm);

  GenerateKernelsOptions kernels;
  kernels.lanes = options.lanes;
  kernels.tileRows = options.tileRows;
  kernels.tileLanes = options.tileLanes;
  kernels.dotsBF16 = options.dotsBF16;
  kernels.tilesBF16 = options.tilesBF16;
  pm.addPass(createGenerateKernels(kernels));
  // Once loops are vectors, so that both have the same arithmetic.
  pm.addPass(createExpandMath());
  pm.addPass(createLowerChecks());
  pm.addPass(createLoopInvariantCodeMotionPass());
  addCleanup(pm);
  pm.addPass(createPlanMemory());
  pm.addPass(createOutlineTasks());
  addCleanup(pm);
  pm.addPass(createVerifyPhase("bufferize"));
}

void mlir::ds::buildLLVMPipeline(OpPassManager &pm) {
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createExpandReshapes());
  pm.addPass(memref::createExpandStridedMetadataPass());
  // Strided metadata leaves affine maps, which become arith and, again,
  // indices.
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.x86Vector = true;
  vectors.amx = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createHalvesAsIntegers());
  addCleanup(pm);
  pm.addPass(createEmitEntryPoints());
  pm.addPass(createVerifyPhase("llvm"));
}

void mlir::ds::registerCPUPipelines() {
  PassPipelineRegistration<CPUTileOptions>(
      "ds-tile-pipeline", "Fuses and tiles linalg for a CPU",
      [](OpPassManager &pm, const CPUTileOptions &options) {
        buildTilePipeline(pm, options);
      });
  PassPipelineRegistration<CPUTileOptions>(
      "ds-bufferize-pipeline", "Linalg on tensors to loops on planned buffers",
      [](OpPassManager &pm, const CPUTileOptions &options) {
        buildBufferizePipeline(pm, options);
      });
  PassPipelineRegistration<>("ds-llvm-pipeline",
                             "Loops on buffers to the llvm dialect",
                             [](OpPassManager &pm) { buildLLVMPipeline(pm); });
}
