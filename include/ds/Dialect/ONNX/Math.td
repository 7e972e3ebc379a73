//===- Math.td - ONNX ops: arithmetic -----------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

//===----------------------------------------------------------------------===//
// Arithmetic of two operands
//===----------------------------------------------------------------------===//

def ONNX_AddOp : ONNX_BinaryOp<"Add", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise sum with broadcasting";
  let hasFolder = 1;
}

def ONNX_SubOp : ONNX_BinaryOp<"Sub", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise difference with broadcasting";
  let hasFolder = 1;
}

def ONNX_MulOp : ONNX_BinaryOp<"Mul", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise product with broadcasting";
  let hasFolder = 1;
}

def ONNX_DivOp : ONNX_BinaryOp<"Div", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise quotient with broadcasting";
  let description = [{
    Integers truncate toward zero. An integer divided by zero gives 0 here, and
    the least integer divided by -1 gives itself: ONNX leaves both open.
  }];
  let hasFolder = 1;
}

def ONNX_ModOp : ONNX_BinaryOp<"Mod", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise remainder with broadcasting";
  let description = [{
    With `fmod` = 1 the remainder has the dividend's sign, as C's `fmod`; with
    `fmod` = 0 the divisor's, as Python's `%`. An integer modulo zero gives 0.
  }];
  let arguments = (ins ONNX_NumberTensor:$lhs, ONNX_NumberTensor:$rhs,
    DefaultValuedAttr<I64Attr, "0">:$fmod);
}

def ONNX_PowOp : ONNX_Op<"Pow"> {
  let summary = "element-wise power with broadcasting";
  let description = [{
    The result has the base's element type. An integer base to an integer
    exponent wraps; to a negative one it gives the truncated quotient 1/x^-y,
    and 0 for base 0. With a float on either side it is computed in floats.

    - C1: the exponent of an integer base is not of type ui64.
  }];
  let arguments = (ins ONNX_NumberTensor:$base, ONNX_NumberTensor:$exponent);
  let results = (outs ONNX_NumberTensor:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferBroadcast(*this, shapes, results);
    }
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Arithmetic of any number of operands
//===----------------------------------------------------------------------===//

def ONNX_MaxOp : ONNX_VariadicOp<"Max", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise maximum with broadcasting; a NaN stays";
}

def ONNX_MinOp : ONNX_VariadicOp<"Min", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "element-wise minimum with broadcasting; a NaN stays";
}

def ONNX_SumOp : ONNX_VariadicOp<"Sum", ONNX_FloatTensor> {
  let summary = "element-wise sum of all operands with broadcasting";
}

def ONNX_MeanOp : ONNX_VariadicOp<"Mean", ONNX_FloatTensor> {
  let summary = "element-wise mean of all operands with broadcasting";
}

def ONNX_ClipOp : ONNX_Op<"Clip", [ONNX_SameElementType]> {
  let summary = "x, at least `min` and at most `max`, both optional";
  let description = [{
    - C1: each bound is a scalar, or holds one element of rank 1.
  }];
  let arguments = (ins ONNX_NumberTensor:$input,
    ONNX_Optional<ONNX_NumberTensor>:$min,
    ONNX_Optional<ONNX_NumberTensor>:$max);
  let results = (outs ONNX_NumberTensor:$output);
}

//===----------------------------------------------------------------------===//
// Functions of one operand
//===----------------------------------------------------------------------===//

def ONNX_AbsOp : ONNX_UnaryOp<"Abs", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "|x|";
}

def ONNX_NegOp : ONNX_UnaryOp<"Neg", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "-x";
}

def ONNX_SignOp : ONNX_UnaryOp<"Sign", ONNX_NumberTensor> {
  let summary = "-1, 0 or 1 by the sign of x; a NaN stays";
}

def ONNX_CeilOp : ONNX_UnaryOp<"Ceil", ONNX_FloatTensor> {
  let summary = "the least integer not below x";
}

def ONNX_FloorOp : ONNX_UnaryOp<"Floor", ONNX_FloatTensor> {
  let summary = "the greatest integer not above x";
}

def ONNX_RoundOp : ONNX_UnaryOp<"Round", ONNX_FloatTensor> {
  let summary = "the nearest integer, halves to the even one";
}

def ONNX_ReciprocalOp : ONNX_UnaryOp<"Reciprocal", ONNX_FloatTensor> {
  let summary = "1 / x";
  let hasFolder = 1;
}

def ONNX_SqrtOp : ONNX_UnaryOp<"Sqrt", ONNX_FloatTensor> {
  let summary = "square root; NaN below zero";
  let hasFolder = 1;
}

def ONNX_ExpOp : ONNX_UnaryOp<"Exp", ONNX_FloatTensor> {
  let summary = "e^x";
}

def ONNX_LogOp : ONNX_UnaryOp<"Log", ONNX_FloatTensor> {
  let summary = "natural logarithm";
}

def ONNX_ErfOp : ONNX_UnaryOp<"Erf", ONNX_NumberTensor> {
  let summary = "the error function";
}

def ONNX_SinOp : ONNX_UnaryOp<"Sin", ONNX_FloatTensor> {
  let summary = "sine";
}

def ONNX_CosOp : ONNX_UnaryOp<"Cos", ONNX_FloatTensor> {
  let summary = "cosine";
}

def ONNX_TanOp : ONNX_UnaryOp<"Tan", ONNX_FloatTensor> {
  let summary = "tangent";
}

def ONNX_AsinOp : ONNX_UnaryOp<"Asin", ONNX_FloatTensor> {
  let summary = "inverse sine";
}

def ONNX_AcosOp : ONNX_UnaryOp<"Acos", ONNX_FloatTensor> {
  let summary = "inverse cosine";
}

def ONNX_AtanOp : ONNX_UnaryOp<"Atan", ONNX_FloatTensor> {
  let summary = "inverse tangent";
}

def ONNX_SinhOp : ONNX_UnaryOp<"Sinh", ONNX_FloatTensor> {
  let summary = "hyperbolic sine";
}

def ONNX_CoshOp : ONNX_UnaryOp<"Cosh", ONNX_FloatTensor> {
  let summary = "hyperbolic cosine";
}

def ONNX_AsinhOp : ONNX_UnaryOp<"Asinh", ONNX_FloatTensor> {
  let summary = "inverse hyperbolic sine";
}

def ONNX_AcoshOp : ONNX_UnaryOp<"Acosh", ONNX_FloatTensor> {
  let summary = "inverse hyperbolic cosine";
}

def ONNX_AtanhOp : ONNX_UnaryOp<"Atanh", ONNX_FloatTensor> {
  let summary = "inverse hyperbolic tangent";
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

def ONNX_IdentityOp : ONNX_UnaryOp<"Identity", ONNX_AnyTensor,
    [ONNX_Elements]> {
  let summary = "its operand";
}

def ONNX_CastOp : ONNX_Op<"Cast", [ONNX_Elements]> {
  let summary = "conversion to another element type";
  let description = [{
    A float becomes an integer by truncation; one out of range, which ONNX
    leaves open, becomes the nearest integer of the type, and a NaN the least.
    An integer keeps its low bits. Anything but zero is true. A conversion to a
    float rounds once, to nearest even. (`saturate` concerns 8-bit floats.)
  }];
  let arguments = (ins ONNX_AnyTensor:$input, TypeAttr:$to,
    DefaultValuedAttr<I64Attr, "1">:$saturate);
  let results = (outs ONNX_AnyTensor:$output);
  let hasFolder = 1;
}

def ONNX_CastLikeOp : ONNX_Op<"CastLike", [ONNX_Elements]> {
  let summary = "conversion to another operand's element type, as onnx.Cast";
  let arguments = (ins ONNX_AnyTensor:$input, ONNX_AnyTensor:$target_type,
    DefaultValuedAttr<I64Attr, "1">:$saturate);
  let results = (outs ONNX_AnyTensor:$output);
}

//===----------------------------------------------------------------------===//
// Products and sums along dims
//===----------------------------------------------------------------------===//

def ONNX_MatMulOp : ONNX_Op<"MatMul", [ONNX_SameElementType]> {
  let summary = "matrix product with numpy's rules for stacks and vectors";
  let arguments = (ins ONNX_NumberTensor:$a, ONNX_NumberTensor:$b);
  let results = (outs ONNX_NumberTensor:$output);
}

def ONNX_GemmOp : ONNX_Op<"Gemm", [ONNX_SameElementType]> {
  let summary = "alpha * A' * B' + beta * C";
  let description = [{
    A' is A or its transpose, by `transA`; B' likewise. C broadcasts to the
    product's shape and may be absent.

    - C1: A and B have rank 2, C at most 2.
    - C2: with integer operands `alpha` and `beta` are integers.
  }];
  let arguments = (ins ONNX_NumberTensor:$a, ONNX_NumberTensor:$b,
    ONNX_Optional<ONNX_NumberTensor>:$c,
    DefaultValuedAttr<F32Attr, "1.0f">:$alpha,
    DefaultValuedAttr<F32Attr, "1.0f">:$beta,
    DefaultValuedAttr<I64Attr, "0">:$transA,
    DefaultValuedAttr<I64Attr, "0">:$transB);
  let results = (outs ONNX_NumberTensor:$output);
  let hasVerifier = 1;
}

def ONNX_CumSumOp : ONNX_Op<"CumSum"> {
  let summary = "sum of the elements up to each along an axis";
  let description = [{
    `exclusive` leaves the element itself out, `reverse` sums from the end.

    - C1: `axis` is one constant.
  }];
  let arguments = (ins ONNX_NumberTensor:$input, ONNX_IndexTensor:$axis,
    DefaultValuedAttr<I64Attr, "0">:$exclusive,
    DefaultValuedAttr<I64Attr, "0">:$reverse);
  let results = (outs ONNX_NumberTensor:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferSameShape(*this, shapes, results);
    }
  }];
}
