//===- Control.td - ONNX ops ------------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

include "mlir/IR/OpAsmInterface.td"

def ONNX_NoValueOp : Op<ONNX_Dialect, "NoValue", [Pure]> {
  let summary = "stands where an optional operand is absent";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
}

def ONNX_ConstantOp : Op<ONNX_Dialect, "Constant", [Pure, ConstantLike,
    AllTypesMatch<["value", "output"]>]> {
  let summary = "a small constant tensor";
  let description = [{
    At most 1 KiB; anything larger is a `ds.weight`.

    Example: `%0 = onnx.Constant dense<[1, -1]> : tensor<2xi64>`
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs ONNX_AnyTensor:$output);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
