//===- Pipelines.h - CPU phases of the compiler ------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_CPU_PIPELINES_H
#define DS_CODEGEN_CPU_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::ds {

/// The facts of a CPU target that shape the code.
struct CPUTileOptions : PassPipelineOptions<CPUTileOptions> {
  Option<int64_t> lanes{*this, "lanes", llvm::cl::desc("f32 lanes of a vector"),
                        llvm::cl::init(16)};
  Option<int64_t> tileRows{*this, "tile-rows",
                           llvm::cl::desc("rows of the register tile"),
                           llvm::cl::init(8)};
  Option<int64_t> tileLanes{*this, "tile-lanes",
                            llvm::cl::desc("columns of the register tile"),
                            llvm::cl::init(32)};
  Option<bool> dotsBF16{*this, "dots-bf16",
                        llvm::cl::desc("dot products of pairs of bf16"),
                        llvm::cl::init(false)};
  Option<bool> tilesBF16{*this, "tiles-bf16",
                         llvm::cl::desc("tile registers for bf16"),
                         llvm::cl::init(false)};
};

/// linalg on tensors to fused and tiled linalg on tensors.
void buildTilePipeline(OpPassManager &pm, const CPUTileOptions &options);
/// linalg on tensors to loops on planned buffers, tasks and shape functions.
void buildBufferizePipeline(OpPassManager &pm, const CPUTileOptions &options);
/// Loops on buffers to the llvm dialect behind the frame ABI.
void buildLLVMPipeline(OpPassManager &pm);

/// Registers the above as `ds-tile-pipeline` and so on.
void registerCPUPipelines();

} // namespace mlir::ds

#endif // DS_CODEGEN_CPU_PIPELINES_H
