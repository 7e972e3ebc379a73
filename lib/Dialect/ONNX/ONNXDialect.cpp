//===- ONNXDialect.cpp - The onnx dialect ---------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::onnx;

#include "ds/Dialect/ONNX/ONNXDialect.cpp.inc"

void ONNXDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Control.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Image.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Logical.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Math.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Microsoft.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/NN.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Reduction.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Tensor.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/ONNX/Transformer.cpp.inc"
      >();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }
