// RUN: ds-opt %s --ds-verify-phase="phase=import" | FileCheck %s
// RUN: ds-opt %s --ds-verify-phase="phase=raise" | FileCheck %s

// CHECK: onnx.Relu
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
