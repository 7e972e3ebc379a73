//===- Tensor.cpp - ONNX ops: shapes and verification
//-------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Tensor.cpp.inc"
