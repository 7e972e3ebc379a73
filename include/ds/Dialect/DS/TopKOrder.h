//===- TopKOrder.h - The order of ds.topk -----------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_TOPKORDER_H
#define DS_DIALECT_DS_TOPKORDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace mlir::ds {

/// How ds.topk orders elements of type `element`, which tells whether integers
/// have a sign. The scalars are as they are stored: integers without one.
struct TopKOrder {
  Type element;
  bool smallest;

  /// Whether `lhs` comes before `rhs` wherever the two are: it is larger (or
  /// smaller), or a number where the other is NaN.
  Value precedes(OpBuilder &b, Location loc, Value lhs, Value rhs) const;
  /// Whether a float is no NaN and not the one that masks.
  Value isUnmasked(OpBuilder &b, Location loc, Value x) const;
  /// What stands for none: of floats the number that masks, of integers 0.
  TypedAttr none(Type storage) const;
};

} // namespace mlir::ds

#endif // DS_DIALECT_DS_TOPKORDER_H
