//===- AttentionHeadWeight.h - Weights of heads ------------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_ATTENTIONHEADWEIGHT_H
#define DS_LIB_TRANSFORMS_ATTENTIONHEADWEIGHT_H

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// A factor of weights or results that is one number for each head, and perhaps
/// batch and row.
struct HeadWeight {
  Value factor;
  /// Which dims of the factor are [H], [B, H] or [B, H, T]; the rest is 1. A
  /// negative one is missing, for a batch of 1.
  SmallVector<int64_t> dims;

  /// `factor` as a weight of heads, where dim i of [B, H, T, D] is dim
  /// `permutation[i]` of what it multiplies.
  static std::optional<HeadWeight> get(Value factor,
                                       ArrayRef<int64_t> permutation,
                                       Value query, ShapeBuilder &shapes);
  /// The operand of an attention.
  Value create(OpBuilder &builder, Location loc) const;
};

/// Leaves to `op` the multiplication of its result by such a factor.
void takeResultFactor(AttentionOp op, ShapeBuilder &shapes);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_ATTENTIONHEADWEIGHT_H
