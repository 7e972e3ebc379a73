//===- Views.h - Reshapes, slices and index spaces --------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What the lowerings of ops that move elements share. Tensors here are lowered
// ones, and their dims are passed beside them: a tensor may have a dim that is
// dynamic in its type but known in the list.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_VIEWS_H
#define DS_CODEGEN_LINALG_VIEWS_H

#include "ds/Codegen/Linalg/Lowering.h"

namespace mlir::ds {

using Dims = SmallVector<OpFoldResult>;

/// The dims of a source value, in a copy.
Dims dimsOf(Lowering &l, Value source);

/// `tensor` with a static type wherever `dims` are known, dynamic elsewhere.
Value castTo(Lowering &l, Value tensor, ArrayRef<OpFoldResult> dims);
/// The lowered tensor of a source value with its dims, as `castTo` gives it.
Value loweredAs(Lowering &l, Value source);

/// The same row-major elements in another shape with as many elements: a view,
/// by collapsing and expanding the groups of dims that are known to have the
/// same product. A weight stays a weight.
Value reshape(Lowering &l, Value tensor, ArrayRef<OpFoldResult> from,
              ArrayRef<OpFoldResult> to);

/// Result dim i is dim permutation[i] of `tensor`. A weight stays a weight, and
/// where only dims of 1 move it is a view.
Value transpose(Lowering &l, Value tensor, ArrayRef<OpFoldResult> dims,
                ArrayRef<int64_t> permutation);

/// The weight […, K, N], of matrices, in panels of `strips` strips of columns.
/// It stays a reference: the packing happens when the artifact is written.
Value packWeight(Lowering &l, WeightOp weight, int64_t strips = 2);

/// The elements of `tensor` from `offsets` on, `strides` apart (1 where empty).
/// All of them lie inside the tensor.
Value extractSlice(Lowering &l, Value tensor, ArrayRef<OpFoldResult> offsets,
                   ArrayRef<OpFoldResult> sizes,
                   ArrayRef<OpFoldResult> strides = {});
/// `destination` with `source`, of shape `sizes`, written at `offsets`.
Value insertSlice(Lowering &l, Value source, Value destination,
                  ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes);

/// One iteration of an index space.
struct Cell {
  OpBuilder &b;
  Location loc;
  /// The scalars of the inputs.
  ValueRange inputs;

  /// The position in dim `i`, of type index.
  Value index(int64_t i) const;
  Value constant(int64_t value) const;
  /// `tensor` at `indices`.
  Value extract(Value tensor, ValueRange indices) const;
};

/// A tensor of `dims` by element: an all-parallel generic over its positions,
/// in which input i is read through map i. Values of `l.shapes` that `body`
/// needs must have been made before.
Value generate(Lowering &l, ArrayRef<OpFoldResult> dims, Type element,
               ValueRange inputs, ArrayRef<AffineMap> maps,
               function_ref<Value(const Cell &)> body);

/// States that `value` >= `least` (nothing where it is known). `message` names
/// both as {0} and {1}.
LogicalResult requireAtLeast(Lowering &l, Operation *op, OpFoldResult value,
                             int64_t least, StringRef message);

/// States that `holds` is not 0. `message` names `v0` and `v1` as {0} and {1}.
LogicalResult require(Lowering &l, Operation *op, OpFoldResult holds,
                      OpFoldResult v0, OpFoldResult v1, StringRef message);

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_VIEWS_H
