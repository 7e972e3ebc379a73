//===- Decompositions.h - Reference meaning of ds ops ------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DECOMPOSITIONS_H
#define DS_DIALECT_DS_DECOMPOSITIONS_H

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/LinalgBuilder.h"

namespace mlir::ds {

// Each function writes an op by its formula, in linalg generics on the given
// tensors, which stand for the op's operands: a bool tensor may be of i1 or, as
// stored, of i8. `shapes` knows the dims of the op's own operands and results.

/// Gives the result and lse, where the op has it. `lowered` is what stands for
/// a tensor that regions read.
SmallVector<Value> decomposeAttention(AttentionOp op,
                                      AttentionOp::Adaptor operands,
                                      OpBuilder &b, ShapeBuilder &shapes,
                                      function_ref<Value(Value)> lowered);
/// Gives the same from what the op gives, without head_weight and sink, for C
/// parts of its keys that have all keys between them: `results` is [C, B, Hq,
/// T, Dv] and `logSums`, their lse, [C, B, Hq, T]. There is no prob_mod.
SmallVector<Value> mergeAttention(AttentionOp op, Value results, Value logSums,
                                  OpBuilder &b, ShapeBuilder &shapes);
/// The scalar e^(score − largest), 0 where both are −inf.
Value emitWeight(OpBuilder &b, Location loc, Value score, Value largest);
Value decomposeIndexScore(IndexScoreOp op, IndexScoreOp::Adaptor operands,
                          OpBuilder &b, ShapeBuilder &shapes);
Value decomposeKVAppend(KVAppendOp op, KVAppendOp::Adaptor operands,
                        OpBuilder &b, ShapeBuilder &shapes);
Value decomposeLinear(LinearOp op, LinearOp::Adaptor operands, OpBuilder &b,
                      ShapeBuilder &shapes);
Value decomposePackRows(PackRowsOp op, PackRowsOp::Adaptor operands,
                        OpBuilder &b, ShapeBuilder &shapes);
/// Gives the offsets and the rows, and binds their dims.
SmallVector<Value> decomposeRowOffsets(RowOffsetsOp op,
                                       RowOffsetsOp::Adaptor operands,
                                       OpBuilder &b, ShapeBuilder &shapes);
Value decomposeUnpackRows(UnpackRowsOp op, UnpackRowsOp::Adaptor operands,
                          OpBuilder &b, ShapeBuilder &shapes);
Value decomposeRope(RopeOp op, RopeOp::Adaptor operands, OpBuilder &b,
                    ShapeBuilder &shapes);
/// Gives the indices and the values, where the op has them.
SmallVector<Value> decomposeTopK(TopKOp op, TopKOp::Adaptor operands,
                                 OpBuilder &b, ShapeBuilder &shapes);

} // namespace mlir::ds

#endif // DS_DIALECT_DS_DECOMPOSITIONS_H
