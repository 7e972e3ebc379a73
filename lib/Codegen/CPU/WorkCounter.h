//===- WorkCounter.h - What ops on buffers have to do -----------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_WORKCOUNTER_H
#define DS_LIB_CODEGEN_CPU_WORKCOUNTER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::ds {

/// Leaves a `ds.count_work` for the ops that become loops, one for each block:
/// in tasks for what each of them does, else in the first task of the loop that
/// an op has become, or where it stood.
///
/// Every operation on floats is one, a fused multiply-add two; conversions,
/// comparisons and selections are none. Bytes are those of all operands but
/// buffers of the task's own, and of elements read at indices from data.
class WorkCounter {
public:
  explicit WorkCounter(RewriterBase &b) : b(b) {}

  /// Lowers `op` by `lower`, which may leave a parallel loop in its place, and
  /// notes its work. Nothing is noted where that fails.
  LogicalResult count(Operation *op, function_ref<LogicalResult()> lower);

  /// Writes the ops. Call once, when all is lowered.
  void emit();

private:
  struct Work {
    Value flops, bytes;
  };
  Work measure(Operation *op);
  Value product(Location loc, ArrayRef<OpFoldResult> factors, int64_t constant);
  Value bytesOf(Location loc, Value buffer);
  void emitSum(Location loc, ArrayRef<Work> works);

  RewriterBase &b;
  llvm::MapVector<Block *, SmallVector<Work>> everyTime;
  /// Of bodies of parallel loops, what the loop as a whole does.
  llvm::MapVector<Block *, SmallVector<Work>> firstTime;
};

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_WORKCOUNTER_H
