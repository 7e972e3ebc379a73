//===- TensorShapes.h - What tensor ops compute from shapes -----*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The values that both the shape function and the lowering of an op need. All
// of them emit an error on the op where they fail.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_TENSORSHAPES_H
#define DS_DIALECT_ONNX_TENSORSHAPES_H

#include "ds/Dialect/ONNX/ShapeHelpers.h"

namespace mlir::onnx {

/// The dims that a Reshape asks for.
struct ReshapeDims {
  SmallVector<OpFoldResult> dims;
  /// The dims that come from data, which may hold anything at run time.
  SmallVector<int64_t> unchecked;
  /// How many elements of the shape are -1, and whether, with allowzero, one is
  /// 0 next to one that is -1; null where that is known to be right.
  OpFoldResult inferred, contradicts;
};
FailureOr<ReshapeDims> getReshapeDims(ReshapeOp op, ShapeBuilder &shapes);

/// What a Slice takes of one dim: `size` elements from `start` on, `step`
/// apart, all inside the dim.
struct SliceAxis {
  OpFoldResult start, step, size;
};
/// One entry for each dim of the operand.
FailureOr<SmallVector<SliceAxis>> getSliceAxes(SliceOp op,
                                               ShapeBuilder &shapes);

/// The sizes of a Split's parts along its axis.
FailureOr<SmallVector<OpFoldResult>> getSplitSizes(SplitOp op,
                                                   ShapeBuilder &shapes);

/// What a Pad adds before and after one dim; negative where it removes.
struct PadAxis {
  OpFoldResult before, after;
};
/// One entry for each dim of the operand.
FailureOr<SmallVector<PadAxis>> getPadAxes(PadOp op, ShapeBuilder &shapes);

/// Result dim i is operand dim permutation[i].
FailureOr<SmallVector<int64_t>> getPermutation(TransposeOp op);

/// The one element of an integer operand as an index value.
FailureOr<OpFoldResult> getScalar(Operation *op, ShapeBuilder &shapes,
                                  Value operand, StringRef name);

} // namespace mlir::onnx

#endif // DS_DIALECT_ONNX_TENSORSHAPES_H
