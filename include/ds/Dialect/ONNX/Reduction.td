//===- Reduction.td - ONNX ops ------------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

