//===- ParallelDims.h - Dims that an op treats one by one -------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_PARALLELDIMS_H
#define DS_LIB_TRANSFORMS_PARALLELDIMS_H

#include "ds/Dialect/ONNX/ONNXDialect.h"

namespace mlir::ds {

/// For each dim of an operand the dim of the op's first result that goes with
/// it, or -1: element i of the result along that dim is computed from element i
/// (or, where the operand's dim is 1, the only one) and from no other. nullopt
/// where nothing is known of the op.
///
/// The rows of ds.attention count as such a pair for query, key and value, and
/// the keys of its bias: its row_offsets keep packed sequences apart.
std::optional<SmallVector<int64_t>> getParallelDims(OpOperand &operand,
                                                    ShapeBuilder &shapes);

/// Whether `use` is one of the operands of `range`, which are the same op's:
/// two operands may be the same value.
bool isOperandOf(OpOperand &use, MutableOperandRange range);

/// Whether `op` can have other sizes of its first `count` dims, which are its
/// operand's: the others are known.
bool canKeepLeadingDims(onnx::ReshapeOp op, int64_t count);

/// Lets `op`, of which that is so, take its first `count` dims as they are.
/// Its result's type is the caller's to set.
void keepLeadingDims(onnx::ReshapeOp op, int64_t count, OpBuilder &builder);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_PARALLELDIMS_H
