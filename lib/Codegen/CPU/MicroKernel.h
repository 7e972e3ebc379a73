//===- MicroKernel.h - Register-tiled matrix products ------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_MICROKERNEL_H
#define DS_LIB_CODEGEN_CPU_MICROKERNEL_H

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::ds {

/// The register tile of a target: rows x lanes of accumulators, where `lanes`
/// is a whole number of vectors of `vectorLanes` f32 elements.
struct RegisterTile {
  int64_t rows = 8;
  int64_t lanes = 32;
  int64_t vectorLanes = 16;
};

/// Makes and calls micro-kernels: functions that compute a block of rows x
/// `tile.lanes` of C (+)= A·B with every element one fma chain over k = 0…K−1.
/// They are shared by all products of a module with the same operand types.
class MicroKernels {
public:
  MicroKernels(ModuleOp module, RegisterTile tile)
      : module(module), tile(tile) {}

  const RegisterTile &registerTile() const { return tile; }

  /// Computes C[0:rows, 0:columns] from A[rows, K] and B[K, >= columns], all of
  /// them f32 memrefs of rank 2 whose last dim of B and C has stride 1. `rows`
  /// is any number; `columns` at most `tile.lanes`. Where `readsPastColumns`,
  /// B has `tile.lanes` columns even if `columns` is less. C is added to
  /// where `accumulate` is set, else overwritten.
  void emitPanel(OpBuilder &b, Location loc, Value a, Value bPanel, Value c,
                 OpFoldResult rows, OpFoldResult columns, bool readsPastColumns,
                 bool accumulate);

private:
  func::FuncOp getKernel(MemRefType a, MemRefType b, MemRefType c, int64_t rows,
                         bool fullColumns, bool readsPastColumns,
                         bool accumulate);

  ModuleOp module;
  RegisterTile tile;
  llvm::StringMap<func::FuncOp> kernels;
};

/// Replaces a generic that is a matrix product of f32 buffers (stacked or not)
/// by loops that call micro-kernels. Fails where it is not one of that form.
LogicalResult lowerContraction(RewriterBase &rewriter, linalg::LinalgOp op,
                               MicroKernels &kernels);

/// Replaces a product with a packed weight on buffers by tasks that call
/// micro-kernels.
void lowerPackedMatmul(RewriterBase &rewriter, PackedMatmulOp op,
                       MicroKernels &kernels);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_MICROKERNEL_H
