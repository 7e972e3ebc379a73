//===- AttentionModifier.h - Regions of ds.attention in loops ---*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_ATTENTIONMODIFIER_H
#define DS_DIALECT_DS_ATTENTIONMODIFIER_H

#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// A region of ds.attention, to be written into the bodies of loops. Indices at
/// which it reads tensors are checked there.
class AttentionModifier {
public:
  /// `lowered` gives what stands for a tensor from outside of the op; a bool
  /// tensor may be of i1 or, as stored, of i8. What `shapes` makes must
  /// dominate the loops.
  AttentionModifier(Region &region, ShapeBuilder &shapes,
                    function_ref<Value(Value)> lowered);

  /// What the region gives for `arguments`.
  Value emit(OpBuilder &b, Location loc, ValueRange arguments) const;

  Block &body() const { return *block; }
  /// What stands for a value from outside of the op.
  Value lookup(Value outer) const { return outside.lookup_or(outer, outer); }

  /// The size of a dim of a tensor from outside.
  Value dimOf(Value tensor, unsigned dim) const { return dims.at(tensor)[dim]; }

  /// A copy of `op`, a read of a tensor, at `indices`, which are checked.
  Value emitRead(OpBuilder &b, Location loc, Operation *op,
                 ValueRange indices) const;

private:
  Block *block;
  DenseMap<Value, Value> outside;
  DenseMap<Value, SmallVector<Value>> dims;
};

} // namespace mlir::ds

#endif // DS_DIALECT_DS_ATTENTIONMODIFIER_H
