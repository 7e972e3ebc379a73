//===- Math.td - ONNX ops ------------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

def ONNX_AddOp : ONNX_BinaryOp<"Add", ONNX_NumberTensor,
    [DeclareOpInterfaceMethods<DS_ElementsOpInterface>]> {
  let summary = "element-wise sum with broadcasting";
}

def ONNX_MatMulOp : ONNX_Op<"MatMul", [ONNX_SameElementType]> {
  let summary = "matrix product with numpy's rules for stacks and vectors";
  let arguments = (ins ONNX_NumberTensor:$a, ONNX_NumberTensor:$b);
  let results = (outs ONNX_NumberTensor:$output);
}
