// RUN: ds-opt %s --onnx-infer-shapes | FileCheck %s

// CHECK-LABEL: func.func @axes
// CHECK-SAME: -> (tensor<?x1x4xf32>, tensor<?x4xf32>, tensor<1x1x1xf32>, tensor<f32>, tensor<?x3x4xf32>)
func.func @axes(%x: tensor<?x3x4xf32>) -> (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<f32>, tensor<?x?x?xf32>) {
  %axes = onnx.Constant dense<-2> : tensor<1xi64>
  %none = onnx.NoValue
  %empty = onnx.Constant dense<> : tensor<0xi64>
  %0 = onnx.ReduceSum %x, %axes : (tensor<?x3x4xf32>, tensor<1xi64>) -> tensor<?x?x?xf32>
  %1 = onnx.ReduceMean %x, %axes {keepdims = 0 : i64} : (tensor<?x3x4xf32>, tensor<1xi64>) -> tensor<?x?xf32>
  %2 = onnx.ReduceMax %x, %none : (tensor<?x3x4xf32>, none) -> tensor<?x?x?xf32>
  %3 = onnx.ReduceL2 %x, %empty {keepdims = 0 : i64} : (tensor<?x3x4xf32>, tensor<0xi64>) -> tensor<f32>
  %4 = onnx.ReduceMin %x, %empty {noop_with_empty_axes = 1 : i64} : (tensor<?x3x4xf32>, tensor<0xi64>) -> tensor<?x?x?xf32>
  return %0, %1, %2, %3, %4 : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?x?xf32>, tensor<f32>, tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @arg
// CHECK-SAME: -> (tensor<1x3xi64>, tensor<?xi64>)
func.func @arg(%x: tensor<?x3xf32>) -> (tensor<?x?xi64>, tensor<?xi64>) {
  %0 = onnx.ArgMax %x : (tensor<?x3xf32>) -> tensor<?x?xi64>
  %1 = onnx.ArgMin %x {axis = -1 : i64, keepdims = 0 : i64} : (tensor<?x3xf32>) -> tensor<?xi64>
  return %0, %1 : tensor<?x?xi64>, tensor<?xi64>
}

// CHECK-LABEL: func.func @top
// CHECK-SAME: -> (tensor<?x2x4xf16>, tensor<?x2x4xi64>, tensor<?x3x?xi64>)
func.func @top(%x: tensor<?x3x4xf16>, %n: tensor<1xi64>) -> (tensor<?x?x?xf16>, tensor<?x?x?xi64>, tensor<?x?x?xi64>) {
  %k = onnx.Constant dense<2> : tensor<1xi64>
  %0:2 = onnx.TopK %x, %k {axis = 1 : i64} : (tensor<?x3x4xf16>, tensor<1xi64>) -> (tensor<?x?x?xf16>, tensor<?x?x?xi64>)
  %1:2 = onnx.TopK %x, %n : (tensor<?x3x4xf16>, tensor<1xi64>) -> (tensor<?x?x?xf16>, tensor<?x?x?xi64>)
  return %0#0, %0#1, %1#1 : tensor<?x?x?xf16>, tensor<?x?x?xi64>, tensor<?x?x?xi64>
}

// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME: -> (tensor<?x3x4xf16>, tensor<?x1x1xf32>, tensor<?x1x1xf32>)
func.func @layer_norm(%x: tensor<?x3x4xf16>, %s: tensor<4xf16>) -> (tensor<?x?x?xf16>, tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %none = onnx.NoValue
  %0:3 = onnx.LayerNormalization %x, %s, %none {axis = 1 : i64} : (tensor<?x3x4xf16>, tensor<4xf16>, none) -> (tensor<?x?x?xf16>, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  return %0#0, %0#1, %0#2 : tensor<?x?x?xf16>, tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
