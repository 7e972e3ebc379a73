//===- NN.td - ONNX ops: activations and normalization ------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def ONNX_ReluOp : ONNX_UnaryOp<"Relu", ONNX_NumberTensor> {
  let summary = "max(x, 0)";
}

def ONNX_SigmoidOp : ONNX_UnaryOp<"Sigmoid", ONNX_FloatTensor> {
  let summary = "1 / (1 + e^-x)";
}

def ONNX_TanhOp : ONNX_UnaryOp<"Tanh", ONNX_FloatTensor> {
  let summary = "hyperbolic tangent";
}

def ONNX_GeluOp : ONNX_UnaryOp<"Gelu", ONNX_FloatTensor> {
  let summary = "Gaussian error linear unit";
  let description = [{
    x/2 · (1 + erf(x/√2)) where `approximate` is "none", or
    x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))) where it is "tanh".

    - C1: `approximate` is one of these.
  }];
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<StrAttr, "\"none\"">:$approximate);
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

def ONNX_SoftmaxOp : ONNX_UnaryOp<"Softmax", ONNX_FloatTensor> {
  let summary = "e^x / sum of e^x along an axis";
  let description = "Where all of x is −inf the result is NaN, as in ONNX.";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<I64Attr, "-1">:$axis);
}

def ONNX_LogSoftmaxOp : ONNX_UnaryOp<"LogSoftmax", ONNX_FloatTensor> {
  let summary = "x − log(sum of e^x) along an axis";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<I64Attr, "-1">:$axis);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

def ONNX_LayerNormalizationOp : ONNX_Op<"LayerNormalization"> {
  let summary = "(x − mean) / √(variance + ε) · scale + bias per row";
  let description = [{
    A row is what the dims from `axis` on span; mean and variance are computed
    in f32 (in f64 for f64 operands), the variance from the centred values. The
    results are Y, the means and the inverse standard deviations.

    - C1: scale and bias broadcast to x.
    - C2: `stash_type` is 1, which is f32.
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$scale,
    ONNX_Optional<ONNX_FloatTensor>:$bias,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    DefaultValuedAttr<F32Attr, "1.0e-05f">:$epsilon,
    DefaultValuedAttr<I64Attr, "1">:$stash_type);
  let results = (outs ONNX_FloatTensor:$y, ONNX_FloatTensor:$mean,
    ONNX_FloatTensor:$inv_std_dev);
  let hasVerifier = 1;
}
