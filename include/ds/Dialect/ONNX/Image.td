//===- Image.td - ONNX ops on images ------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

def ONNX_ConvOp : ONNX_Op<"Conv", [ONNX_SameElementType]> {
  let summary = "convolution in any number of spatial dims";
  let description = [{
    y[n, m, o] = b[m] + sum over c, k of w[m, c, k] *
                 x[n, g(m) * C/group + c, o * stride + k * dilation - pad]

    over N x C x D1 x … and M x C/group x K1 x …; elements outside x are 0.
    `pads` holds the amounts before each spatial dim, then those after.
  }];
  let arguments = (ins ONNX_FloatTensor:$X, ONNX_FloatTensor:$W,
    ONNX_Optional<ONNX_FloatTensor>:$B,
    DefaultValuedAttr<StrAttr, "\"NOTSET\"">:$auto_pad,
    OptionalAttr<DenseI64ArrayAttr>:$dilations,
    DefaultValuedAttr<I64Attr, "1">:$group,
    OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
    OptionalAttr<DenseI64ArrayAttr>:$pads,
    OptionalAttr<DenseI64ArrayAttr>:$strides);
  let results = (outs ONNX_FloatTensor:$Y);
}

def ONNX_DepthToSpaceOp : ONNX_Op<"DepthToSpace", [ONNX_SameElementType]> {
  let summary = "moves blocks of channels into the two spatial dims";
  let description = [{
    N x C x H x W becomes N x C / b² x H * b x W * b. The channels are
    block-major in mode `DCR`, channel-major in `CRD`.
  }];
  let arguments = (ins ONNX_AnyTensor:$input, I64Attr:$blocksize,
    DefaultValuedAttr<StrAttr, "\"DCR\"">:$mode);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_SpaceToDepthOp : ONNX_Op<"SpaceToDepth", [ONNX_SameElementType]> {
  let summary = "moves blocks of the two spatial dims into channels";
  let description = [{
    N x C x H x W becomes N x C * b² x H / b x W / b, with block-major channels.
  }];
  let arguments = (ins ONNX_AnyTensor:$input, I64Attr:$blocksize);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_ResizeOp : ONNX_Op<"Resize"> {
  let summary = "samples a tensor at other positions";
  let description = [{
    Each of `axes` (all where absent) is scaled by `scales`, to dim
    floor(dim * scale), or to `sizes`, of which one is given and the other
    absent or empty. A result position maps to one of the operand as
    `coordinate_transformation_mode` says; its value is the nearest element's or
    is interpolated from 2 (linear) or 4 (cubic) elements along each axis.

    - C1: `scales` is a constant or a graph input, `roi` a constant.
    - C2: `antialias` is 0.
    - C3: other types than floats are not interpolated by mode `cubic`, nor bool
      by `linear`.
    - C4: an aspect ratio is kept of dims known at compile time only.
  }];
  let arguments = (ins ONNX_AnyTensor:$X,
    ONNX_Optional<ONNX_FloatTensor>:$roi,
    ONNX_Optional<ONNX_FloatTensor>:$scales,
    ONNX_Optional<ONNX_IndexTensor>:$sizes,
    DefaultValuedAttr<I64Attr, "0">:$antialias,
    OptionalAttr<DenseI64ArrayAttr>:$axes,
    DefaultValuedAttr<StrAttr, "\"half_pixel\"">:$coordinate_transformation_mode,
    DefaultValuedAttr<F32Attr, "::llvm::APFloat(-0.75f)">:$cubic_coeff_a,
    DefaultValuedAttr<I64Attr, "0">:$exclude_outside,
    DefaultValuedAttr<F32Attr, "::llvm::APFloat(0.0f)">:$extrapolation_value,
    DefaultValuedAttr<StrAttr, "\"stretch\"">:$keep_aspect_ratio_policy,
    DefaultValuedAttr<StrAttr, "\"nearest\"">:$mode,
    DefaultValuedAttr<StrAttr, "\"round_prefer_floor\"">:$nearest_mode);
  let results = (outs ONNX_AnyTensor:$Y);
}
