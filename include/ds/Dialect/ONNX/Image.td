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
