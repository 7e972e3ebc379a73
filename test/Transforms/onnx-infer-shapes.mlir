// RUN: ds-opt %s --onnx-infer-shapes | FileCheck %s

// CHECK-LABEL: func.func @chain
// CHECK-SAME: -> tensor<?x8xf32>
func.func @chain(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x?xf32> {
  // CHECK: onnx.Relu {{.*}} -> tensor<?x4xf32>
  %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<?x?xf32>
  // CHECK: onnx.MatMul {{.*}} -> tensor<?x8xf32>
  %1 = onnx.MatMul %0, %w : (tensor<?x?xf32>, tensor<4x8xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// Dims of one symbol are one value, whichever input they are read from.
// CHECK-LABEL: func.func @symbols
// CHECK: onnx.Reshape {{.*}} -> tensor<?x?x4x8xf32>
func.func @symbols(%x: tensor<?x?x32xf32> {ds.symbols = ["b", "t", ""]}, %y: tensor<?x4xf32> {ds.symbols = ["b", ""]}) -> tensor<?x?x?x8xf32> {
  %b = onnx.Shape %y {start = 0 : i64, end = 1 : i64} : (tensor<?x4xf32>) -> tensor<1xi64>
  %t = onnx.Shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x32xf32>) -> tensor<1xi64>
  %rest = onnx.Constant dense<[-1, 8]> : tensor<2xi64>
  %shape = onnx.Concat %b, %t, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %0 = onnx.Reshape %x, %shape : (tensor<?x?x32xf32>, tensor<4xi64>) -> tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// b · t / b is t.
// CHECK-LABEL: func.func @quotient
// CHECK: onnx.Reshape {{.*}} -> tensor<?x?x4x8xf32>
func.func @quotient(%x: tensor<?x?x32xf32>) -> tensor<?x?x?x8xf32> {
  %b = onnx.Shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?x?x32xf32>) -> tensor<1xi64>
  %t = onnx.Shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x32xf32>) -> tensor<1xi64>
  %both = onnx.Mul %b, %t : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %again = onnx.Div %both, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %rest = onnx.Constant dense<[-1, 8]> : tensor<2xi64>
  %shape = onnx.Concat %b, %again, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %0 = onnx.Reshape %x, %shape : (tensor<?x?x32xf32>, tensor<4xi64>) -> tensor<?x?x?x8xf32>
  return %0 : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @same_shape
// CHECK-SAME: %[[X:[^:]+]]: tensor<?x8xf32>
// CHECK-NEXT: return %[[X]]
func.func @same_shape(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %b = onnx.Shape %x {start = 0 : i64, end = 1 : i64} : (tensor<?x8xf32>) -> tensor<1xi64>
  %rest = onnx.Constant dense<-1> : tensor<1xi64>
  %shape = onnx.Concat %b, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %0 = onnx.Reshape %x, %shape : (tensor<?x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
