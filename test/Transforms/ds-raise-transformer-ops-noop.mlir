// RUN: ds-opt %s --ds-raise-transformer-ops | FileCheck %s

// What other passes raise, and what is lowered as it is, stays.
// CHECK-LABEL: func.func @others
// CHECK-NEXT: onnx.MatMul
// CHECK-NEXT: onnx.Softmax
// CHECK-NEXT: onnx.MatMul
// CHECK-NEXT: onnx.Swish
// CHECK-NEXT: onnx.RMSNormalization
// CHECK-NEXT: return
func.func @others(%q: tensor<2x4x3x8xf32>, %k: tensor<2x4x8x3xf32>, %g: tensor<8xf32>) -> tensor<2x4x3x8xf32> {
  %0 = onnx.MatMul %q, %k : (tensor<2x4x3x8xf32>, tensor<2x4x8x3xf32>) -> tensor<2x4x3x3xf32>
  %1 = onnx.Softmax %0 : (tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
  %2 = onnx.MatMul %1, %q : (tensor<2x4x3x3xf32>, tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32>
  %3 = onnx.Swish %2 : (tensor<2x4x3x8xf32>) -> tensor<2x4x3x8xf32>
  %4 = onnx.RMSNormalization %3, %g : (tensor<2x4x3x8xf32>, tensor<8xf32>) -> tensor<2x4x3x8xf32>
  return %4 : tensor<2x4x3x8xf32>
}
