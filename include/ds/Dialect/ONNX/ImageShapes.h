//===- ImageShapes.h - What image ops compute from shapes -------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The values that both the shape function and the lowering of an op need. All
// of them emit an error on the op where they fail.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_IMAGESHAPES_H
#define DS_DIALECT_ONNX_IMAGESHAPES_H

#include "ds/Dialect/ONNX/ShapeHelpers.h"

namespace mlir::onnx {

/// How a convolution moves along one spatial dim.
struct ConvWindow {
  int64_t stride, dilation;
  OpFoldResult kernel;        // elements of the kernel
  OpFoldResult before, after; // zeros around the operand
  OpFoldResult size;          // positions, the result's dim
};
/// One entry for each spatial dim.
FailureOr<SmallVector<ConvWindow>> getConvWindows(ConvOp op,
                                                  ShapeBuilder &shapes);

/// How a Resize scales one dim. `scale` is known, or is `runtimeScale` (f32),
/// or else is the result's dim over the operand's.
struct ResizeAxis {
  OpFoldResult size;
  std::optional<double> scale;
  Value runtimeScale;
  /// The part of the dim that a crop takes, from 0 to 1.
  double roiStart = 0, roiEnd = 1;
  /// Whether nothing changes along the dim.
  bool isIdentity = true;
};
/// One entry for each dim of the operand.
FailureOr<SmallVector<ResizeAxis>> getResizeAxes(ResizeOp op,
                                                 ShapeBuilder &shapes);

} // namespace mlir::onnx

#endif // DS_DIALECT_ONNX_IMAGESHAPES_H
