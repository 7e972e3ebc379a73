//===- LinalgBuilder.h - Shorthand for linalg on tensors ---------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_LINALGBUILDER_H
#define DS_DIALECT_DS_LINALGBUILDER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::ds {

/// Writes linalg generics on tensors, all at one location.
struct LinalgBuilder {
  OpBuilder &b;
  Location loc;
  /// Whether all that is written is a parallel task's. Tensors of its own are
  /// then allocations: an equal tensor.empty outside would stand for them, and
  /// all tasks would write to that.
  bool inTask = false;

  /// The scalars of inputs, then of the output; gives the output's.
  using Body = function_ref<Value(OpBuilder &, Location, ValueRange)>;

  /// An uninitialised tensor. Static dims give a static type.
  Value empty(ArrayRef<OpFoldResult> dims, Type element);
  /// A tensor of these dims that holds `value` everywhere.
  Value filled(ArrayRef<OpFoldResult> dims, Type element, double value);

  /// A generic with one output. `maps` has one for each input, then the
  /// output's; the loops that the output's map lacks are reductions.
  Value generic(ValueRange inputs, ArrayRef<AffineMap> maps, Value init,
                Body body);

  /// A new tensor of these dims, each element by `body` from one of each input.
  Value map(ValueRange inputs, ArrayRef<AffineMap> inputMaps,
            ArrayRef<OpFoldResult> dims, Type element, Body body);

  /// `init` plus a sum of products, in the element type of `init`, which may be
  /// wider than the inputs'. `maps` are those of lhs, rhs and init.
  Value contract(Value lhs, Value rhs, ArrayRef<AffineMap> maps, Value init);

  /// `tensor` rounded to `element`; itself where that is its element type.
  Value truncate(Value tensor, ArrayRef<OpFoldResult> dims, Type element);

  /// `scalar` in the wider float type `type`; itself where that is its type.
  static Value extend(OpBuilder &b, Location loc, Type type, Value scalar);
  /// A scalar float constant.
  static Value constant(OpBuilder &b, Location loc, Type type, double value);
};

/// The type that sums of `element` are formed in: f32 for half precision.
Type getSumType(Type element);

/// x mod y for a positive y: from 0 to y − 1, where arith's remainder takes the
/// sign of x.
Value floorMod(OpBuilder &b, Location loc, Value x, Value y);

} // namespace mlir::ds

#endif // DS_DIALECT_DS_LINALGBUILDER_H
