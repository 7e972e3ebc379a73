//===- NN.td - ONNX ops ------------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

def ONNX_ReluOp : ONNX_UnaryOp<"Relu", ONNX_NumberTensor> {
  let summary = "max(x, 0)";
}
