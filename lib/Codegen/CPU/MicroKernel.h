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
  /// Whether an instruction multiplies pairs of bf16 and adds them to f32.
  bool dotsBF16 = false;
  /// Whether there are tile registers (AMX) for products of bf16.
  bool tilesBF16 = false;
};

/// Kernels for tile registers: `rows` x `columns` elements of C at most, K a
/// multiple of `depth`.
struct TileKernel {
  static constexpr int64_t rows = 32, columns = 32, depth = 32;
  /// Writes the body of a kernel with the arguments A [rows, K] of bf16, B
  /// [2, K / 2, 32] of bf16, C [rows, N] of f32.
  static void emit(OpBuilder &b, Location loc, func::FuncOp function,
                   int64_t rows);
};

/// The right-hand side of a product: K rows of columns that lie next to each
/// other.
struct Columns {
  /// f32 memref [K, N] with unit stride in N, or S strips of L columns: [S, K,
  /// L] of f32, f16 or bf16, or [S, K/2, L, 2] of bf16. Strips hold all of
  /// their columns, also those past N.
  Value memory;
  /// What the products after this one read, of the same form, to be brought
  /// into the cache meanwhile; null for nothing.
  Value next;
  /// Where there are no strips: the most columns of one kernel, a multiple of a
  /// vector's; the register tile's if 0.
  int64_t width = 0;
};

/// Which operands of a product of two activations come from memory, not from
/// what the task itself has just written: what is read of them next is brought
/// in meanwhile. They lie far apart, a few cache lines of each row: too few for
/// the processor to see where that leads to.
struct FromMemory {
  bool a = false, b = false;
};

/// Asks for the cache line of an element that is read soon, into the second
/// level of cache: the first has few places for lines on their way from memory
/// (24 on Zen 4, 14 GB/s at 110 ns each), the second twice as many and more.
void emitPrefetch(OpBuilder &b, Location loc, Value memory, ValueRange at);

/// Makes and calls micro-kernels: functions that compute a block of C (+)= A·B
/// with every element one fma chain over k = 0…K−1, whatever block it is in.
/// They are shared by all products of a module with the same operand types.
class MicroKernels {
public:
  MicroKernels(ModuleOp module, RegisterTile tile)
      : module(module), tile(tile) {}

  const RegisterTile &registerTile() const { return tile; }
  /// Whether a kernel's sums, and beside them a row of B, are in registers.
  bool fits(int64_t rows, int64_t columns) const {
    return (rows + 1) * columns <= (tile.rows + 1) * tile.lanes;
  }

  /// Computes C[0:rows, 0:columns] from A[rows, K] and B's first columns; A and
  /// C are memrefs of rank 2, C's last dim has stride 1. Where B is of strips
  /// of f32, A may have several dims, static but for the first two, whose
  /// elements are K in row-major order. All are f32, but for
  /// strips, and for an A of bf16 where the target has dot products of the
  /// pairs in B; K is even where B has pairs. `rows` is any number, `columns`
  /// at most what B's strips hold or `tile.lanes`. C is added to where
  /// `accumulate` is set, else overwritten.
  void emitProduct(OpBuilder &b, Location loc, Value a, const Columns &columns,
                   Value c, OpFoldResult rows, OpFoldResult columnCount,
                   bool accumulate, FromMemory fromMemory = {});

  /// Adds A[rows, K] · B[columns, K]ᵀ to C, of 1 or more rows: matrices of rank
  /// 2 with stride 1 in their last dim, A and C of f32, B of f32, f16 or bf16.
  void emitDots(OpBuilder &b, Location loc, Value a, Value rowsOfB, Value c);

private:
  struct Kernel;
  /// The function of `operands`' types that `name` and `variant` tell from
  /// others of these types; `emit` writes its body.
  func::FuncOp
  getFunction(StringRef name, StringRef variant, ValueRange operands,
              function_ref<void(OpBuilder &, Location, func::FuncOp)> emit);
  bool takesTiles(Value a, const Columns &columns, OpFoldResult columnCount,
                  bool accumulate) const;
  func::FuncOp getKernel(const Kernel &kernel, ValueRange operands);

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

/// The same for a convolution.
void lowerPackedConv(RewriterBase &rewriter, PackedConvOp op,
                     MicroKernels &kernels);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_MICROKERNEL_H
