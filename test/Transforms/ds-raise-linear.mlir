// RUN: ds-opt %s --ds-raise-linear --split-input-file | FileCheck %s

// The bias is taken in, on either side of the Add.
// CHECK-LABEL: func.func @bias
// CHECK-SAME: %[[X:.+]]: tensor<?x?x4xf32>
// CHECK: %[[W:.+]] = ds.weight
// CHECK: %[[B:.+]] = onnx.Constant
// CHECK: %[[Y:.+]] = ds.linear %[[X]], %[[W]], %[[B]] : {{.*}} -> tensor<?x?x2xf32>
// CHECK-NOT: onnx.
// CHECK: return %[[Y]]
func.func @bias(%x: tensor<?x?x4xf32>) -> tensor<?x?x2xf32> {
  %w = ds.weight <"m", 0, 32, "", tensor<4x2xf32>> : tensor<4x2xf32>
  %b = onnx.Constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = onnx.MatMul %x, %w : (tensor<?x?x4xf32>, tensor<4x2xf32>) -> tensor<?x?x2xf32>
  %1 = onnx.Add %b, %0 : (tensor<2xf32>, tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  return %1 : tensor<?x?x2xf32>
}

// -----

// A residual stays an op, and so does a bias where the product has other uses.
// CHECK-LABEL: func.func @no_bias
// CHECK: %[[Y:.+]] = ds.linear %{{.+}}, %{{.+}} : (tensor<?x2xf32>, tensor<2x2xf32>)
// CHECK: onnx.Add %[[Y]]
// CHECK: %[[Z:.+]] = ds.linear %{{.+}}, %{{.+}} : (tensor<?x2xf32>, tensor<2x2xf32>)
// CHECK: onnx.Add %[[Z]]
func.func @no_bias(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = onnx.Constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = onnx.MatMul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = onnx.Add %0, %x : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %2 = onnx.MatMul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %3 = onnx.Add %2, %b : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %1, %2, %3 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// A transposed Gemm weight becomes a step of the reference.
// CHECK-LABEL: func.func @gemm
// CHECK: %[[W:.+]] = ds.weight {{.*}} [#ds.transpose<[1, 0]>] : tensor<4x2xf32>
// CHECK: ds.linear %{{.+}}, %[[W]], %{{.+}} : (tensor<?x4xf32>, tensor<4x2xf32>, tensor<2xf32>)
// CHECK: %[[Y:.+]] = ds.linear %{{.+}}, %{{.+}} : (tensor<?x4xf32>, tensor<4x2xf32>)
// CHECK: onnx.Add %[[Y]], %{{.+}} : (tensor<?x2xf32>, tensor<1xf32>)
func.func @gemm(%x: tensor<?x4xf32>, %b: tensor<2xf32>, %c: tensor<1xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = ds.weight <"m", 0, 32, "", tensor<2x4xf32>> : tensor<2x4xf32>
  %0 = onnx.Gemm %x, %w, %b {transB = 1 : i64} : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %1 = onnx.Gemm %x, %w, %c {transB = 1 : i64} : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<1xf32>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}
