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

def ONNX_LeakyReluOp : ONNX_UnaryOp<"LeakyRelu", ONNX_FloatTensor> {
  let summary = "x, or αx where x < 0";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "0.01f">:$alpha);
}

def ONNX_PReluOp : ONNX_Op<"PRelu", [ONNX_SameElementType]> {
  let summary = "x, or slope · x where x < 0; the slope broadcasts to x";
  let arguments = (ins ONNX_NumberTensor:$input, ONNX_NumberTensor:$slope);
  let results = (outs ONNX_NumberTensor:$output);
}

def ONNX_ThresholdedReluOp : ONNX_UnaryOp<"ThresholdedRelu",
    ONNX_FloatTensor> {
  let summary = "x where x > α, else 0";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "1.0f">:$alpha);
}

def ONNX_EluOp : ONNX_UnaryOp<"Elu", ONNX_FloatTensor> {
  let summary = "x, or α(e^x − 1) where x < 0";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "1.0f">:$alpha);
}

def ONNX_SeluOp : ONNX_UnaryOp<"Selu", ONNX_FloatTensor> {
  let summary = "γx, or γα(e^x − 1) where x <= 0";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "1.67326319217681884765625f">:$alpha,
    DefaultValuedAttr<F32Attr, "1.05070102214813232421875f">:$gamma);
}

def ONNX_CeluOp : ONNX_UnaryOp<"Celu", ONNX_FloatTensor> {
  let summary = "max(x, 0) + min(α(e^(x/α) − 1), 0)";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "1.0f">:$alpha);
}

def ONNX_HardSigmoidOp : ONNX_UnaryOp<"HardSigmoid", ONNX_FloatTensor> {
  let summary = "αx + β, at least 0 and at most 1";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "0.2f">:$alpha,
    DefaultValuedAttr<F32Attr, "0.5f">:$beta);
}

def ONNX_HardSwishOp : ONNX_UnaryOp<"HardSwish", ONNX_FloatTensor> {
  let summary = "x · (x/6 + 1/2, at least 0 and at most 1)";
}

def ONNX_SoftplusOp : ONNX_UnaryOp<"Softplus", ONNX_FloatTensor> {
  let summary = "log(1 + e^x)";
}

def ONNX_SoftsignOp : ONNX_UnaryOp<"Softsign", ONNX_FloatTensor> {
  let summary = "x / (1 + |x|)";
}

def ONNX_MishOp : ONNX_UnaryOp<"Mish", ONNX_FloatTensor> {
  let summary = "x · tanh(log(1 + e^x))";
}

def ONNX_SwishOp : ONNX_UnaryOp<"Swish", ONNX_FloatTensor> {
  let summary = "x / (1 + e^−αx)";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "1.0f">:$alpha);
}

def ONNX_ShrinkOp : ONNX_UnaryOp<"Shrink", ONNX_FloatTensor> {
  let summary = "x + bias below −λ, x − bias above λ, else 0";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<F32Attr, "0.0f">:$bias,
    DefaultValuedAttr<F32Attr, "0.5f">:$lambd);
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

def ONNX_HardmaxOp : ONNX_UnaryOp<"Hardmax", ONNX_FloatTensor> {
  let summary = "1 at the first greatest element along an axis, else 0";
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
    - C3: scale and bias have x's element type.
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

def ONNX_RMSNormalizationOp : ONNX_Op<"RMSNormalization",
    [ONNX_SameElementType]> {
  let summary = "x / √(mean of x² + ε) · scale per row";
  let description = [{
    A row is what the dims from `axis` on span; the mean is computed in f32 (in
    f64 for f64 operands).

    - C1: the scale broadcasts to x.
    - C2: `stash_type` is 1, which is f32.
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$scale,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    DefaultValuedAttr<F32Attr, "1.0e-05f">:$epsilon,
    DefaultValuedAttr<I64Attr, "1">:$stash_type);
  let results = (outs ONNX_FloatTensor:$y);
  let hasVerifier = 1;
}

def ONNX_InstanceNormalizationOp : ONNX_Op<"InstanceNormalization",
    [ONNX_SameElementType]> {
  let summary = "(x − mean) / √(variance + ε) · scale + bias per channel";
  let description = [{
    x is (N, C, …); each of its N·C channels has its own moments, computed as in
    onnx.LayerNormalization.

    - C1: x has rank 2 at least, scale and bias have shape [C].
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$scale,
    ONNX_FloatTensor:$bias, DefaultValuedAttr<F32Attr, "1.0e-05f">:$epsilon);
  let results = (outs ONNX_FloatTensor:$y);
}

def ONNX_GroupNormalizationOp : ONNX_Op<"GroupNormalization",
    [ONNX_SameElementType]> {
  let summary = "(x − mean) / √(variance + ε) · scale + bias per group";
  let description = [{
    x is (N, C, …); the channels form `num_groups` groups of C/num_groups, each
    with its own moments, computed as in onnx.LayerNormalization.

    - C1: x has rank 2 at least, scale and bias have shape [C].
    - C2: C is a multiple of `num_groups`, which is positive.
    - C3: `stash_type` is 1, which is f32.
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$scale,
    ONNX_FloatTensor:$bias, I64Attr:$num_groups,
    DefaultValuedAttr<F32Attr, "1.0e-05f">:$epsilon,
    DefaultValuedAttr<I64Attr, "1">:$stash_type);
  let results = (outs ONNX_FloatTensor:$y);
  let hasVerifier = 1;
}

def ONNX_BatchNormalizationOp : ONNX_Op<"BatchNormalization"> {
  let summary = "(x − mean) / √(variance + ε) · scale + bias, moments given";
  let description = [{
    x is (N, C, …); the other operands have one value per channel.

    - C1: x has rank 2 at least, the others have shape [C].
    - C2: `training_mode` is 0; `momentum` then has no effect.
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$scale,
    ONNX_FloatTensor:$bias, ONNX_FloatTensor:$input_mean,
    ONNX_FloatTensor:$input_var,
    DefaultValuedAttr<F32Attr, "1.0e-05f">:$epsilon,
    DefaultValuedAttr<F32Attr, "0.9f">:$momentum,
    DefaultValuedAttr<I64Attr, "0">:$training_mode);
  let results = (outs ONNX_FloatTensor:$y);
  let hasVerifier = 1;
}
