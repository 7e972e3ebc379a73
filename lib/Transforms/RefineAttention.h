//===- RefineAttention.h - What ds.attention does by itself -----*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_REFINEATTENTION_H
#define DS_LIB_TRANSFORMS_REFINEATTENTION_H

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// What `value`, [B, H, S, D], repeats the heads of, each for a group of query
/// heads; itself where that is nothing.
Value takeRepeat(Value value, ShapeBuilder &shapes);

/// Leaves to `op`, wherever it comes from, what is spelled around it and it
/// does by itself: the repetition of key heads for groups, of a mask of bools
/// the part that hides later keys, and a weight of each head on its result.
void refineAttention(AttentionOp op, ShapeBuilder &shapes);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_REFINEATTENTION_H
