//===- Logical.td - ONNX ops: comparison, logic, bits -------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

def ONNX_EqualOp : ONNX_CompareOp<"Equal", ONNX_AnyTensor, [ONNX_Elements]> {
  let summary = "x = y; a NaN equals nothing";
}

def ONNX_LessOp : ONNX_CompareOp<"Less", ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "x < y";
}

def ONNX_LessOrEqualOp : ONNX_CompareOp<"LessOrEqual", ONNX_NumberTensor,
    [ONNX_Elements]> {
  let summary = "x <= y";
}

def ONNX_GreaterOp : ONNX_CompareOp<"Greater", ONNX_NumberTensor,
    [ONNX_Elements]> {
  let summary = "x > y";
}

def ONNX_GreaterOrEqualOp : ONNX_CompareOp<"GreaterOrEqual",
    ONNX_NumberTensor, [ONNX_Elements]> {
  let summary = "x >= y";
}

/// A predicate on each element.
class ONNX_PredicateOp<string mnemonic> : ONNX_Op<mnemonic> {
  let arguments = (ins ONNX_FloatTensor:$input);
  let results = (outs ONNX_BoolTensor:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferBroadcast(*this, shapes, results,
                            ::mlir::IntegerType::get(getContext(), 1));
    }
  }];
}

def ONNX_IsNaNOp : ONNX_PredicateOp<"IsNaN"> {
  let summary = "whether x is a NaN";
}

def ONNX_IsInfOp : ONNX_PredicateOp<"IsInf"> {
  let summary = "whether x is an infinity of a sign that is looked for";
  let arguments = (ins ONNX_FloatTensor:$input,
    DefaultValuedAttr<I64Attr, "1">:$detect_negative,
    DefaultValuedAttr<I64Attr, "1">:$detect_positive);
}

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

def ONNX_AndOp : ONNX_BinaryOp<"And", ONNX_BoolTensor, [ONNX_Elements]> {
  let summary = "x and y";
}

def ONNX_OrOp : ONNX_BinaryOp<"Or", ONNX_BoolTensor, [ONNX_Elements]> {
  let summary = "x or y";
}

def ONNX_XorOp : ONNX_BinaryOp<"Xor", ONNX_BoolTensor, [ONNX_Elements]> {
  let summary = "either x or y";
}

def ONNX_NotOp : ONNX_UnaryOp<"Not", ONNX_BoolTensor, [ONNX_Elements]> {
  let summary = "not x";
}

def ONNX_WhereOp : ONNX_Op<"Where", [ONNX_Elements]> {
  let summary = "x where the condition holds, else y";
  let description = "All three operands broadcast against each other.";
  let arguments = (ins ONNX_BoolTensor:$condition, ONNX_AnyTensor:$x,
    ONNX_AnyTensor:$y);
  let results = (outs ONNX_AnyTensor:$output);
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

def ONNX_BitShiftOp : ONNX_BinaryOp<"BitShift", ONNX_UnsignedTensor> {
  let summary = "x shifted by y bits";
  let description = [{
    A shift by the width or more gives 0.

    - C1: `direction` is "LEFT" or "RIGHT".
  }];
  let arguments = (ins ONNX_UnsignedTensor:$lhs, ONNX_UnsignedTensor:$rhs,
    StrAttr:$direction);
  let hasVerifier = 1;
}

def ONNX_BitwiseAndOp : ONNX_BinaryOp<"BitwiseAnd", ONNX_IntTensor> {
  let summary = "x & y";
}

def ONNX_BitwiseOrOp : ONNX_BinaryOp<"BitwiseOr", ONNX_IntTensor> {
  let summary = "x | y";
}

def ONNX_BitwiseXorOp : ONNX_BinaryOp<"BitwiseXor", ONNX_IntTensor> {
  let summary = "x ^ y";
}

def ONNX_BitwiseNotOp : ONNX_UnaryOp<"BitwiseNot", ONNX_IntTensor> {
  let summary = "~x";
}
