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
