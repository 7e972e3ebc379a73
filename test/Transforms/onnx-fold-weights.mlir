// RUN: ds-opt %s --onnx-fold-weights | FileCheck %s

// CHECK-LABEL: func.func @chain
// CHECK-NOT: onnx.Transpose
// CHECK: %[[W:.+]] = ds.weight <"m", 0, 96, "", tensor<2x3x4xf32>> [#ds.transpose<[2, 1, 0]>, #ds.reshape<[12, 2]>] : tensor<12x2xf32>
// CHECK-NEXT: return %[[W]]
func.func @chain() -> tensor<12x2xf32> {
  %w = ds.weight <"m", 0, 96, "", tensor<2x3x4xf32>> : tensor<2x3x4xf32>
  %s = onnx.Constant dense<[12, 2]> : tensor<2xi64>
  %0 = onnx.Transpose %w : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
  %1 = onnx.Reshape %0, %s : (tensor<4x3x2xf32>, tensor<2xi64>) -> tensor<12x2xf32>
  %2 = onnx.Identity %1 : (tensor<12x2xf32>) -> tensor<12x2xf32>
  return %2 : tensor<12x2xf32>
}

// What is not known at compile time stays an op, as does a weight that only
// says what shape there is.
// CHECK-LABEL: func.func @stays
// CHECK: onnx.Reshape
// CHECK: onnx.Reshape
func.func @stays(%x: tensor<?x2xf32>, %s: tensor<1xi64>) -> (tensor<?xf32>, tensor<?xf32>) {
  %w = ds.weight <"m", 0, 96, "", tensor<2x3x4xf32>> : tensor<2x3x4xf32>
  %0 = onnx.Reshape %w, %s : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<?xf32>
  %1 = onnx.Reshape %x, %s : (tensor<?x2xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}
