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

// -----

// Gemm knows matrices alone: rows have their dims again, where what is read of
// the product has them, too.
// CHECK-LABEL: func.func @joined_dims
// CHECK: %[[Y:.+]] = ds.linear %arg0, %{{.+}}, %arg1 : (tensor<?x?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x?x4xf32>
// CHECK: %[[Z:.+]] = onnx.Relu %[[Y]]
// CHECK: ds.linear %{{.+}}, %{{.+}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
// CHECK: onnx.Reshape
// CHECK: return %[[Z]]
func.func @joined_dims(%x: tensor<?x?x4xf32> {ds.symbols = ["b", "s", ""]}, %b: tensor<4xf32>) -> (tensor<?x?x4xf32>, tensor<?x?x2xf32>) {
  %w = ds.weight <"m", 0, 64, "", tensor<4x4xf32>> : tensor<4x4xf32>
  %none = onnx.NoValue
  %four = onnx.Constant dense<[-1, 4]> : tensor<2xi64>
  %last = onnx.Constant dense<4> : tensor<1xi64>
  %half = onnx.Constant dense<[0, -1, 2]> : tensor<3xi64>
  %rows = onnx.Shape %x {end = 2 : i64} : (tensor<?x?x4xf32>) -> tensor<2xi64>
  %shape = onnx.Concat %rows, %last {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %flat = onnx.Reshape %x, %four : (tensor<?x?x4xf32>, tensor<2xi64>) -> tensor<?x4xf32>
  %p0 = onnx.Gemm %flat, %w, %b : (tensor<?x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y0 = onnx.Reshape %p0, %shape : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<?x?x4xf32>
  %z0 = onnx.Relu %y0 : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %p1 = onnx.Gemm %flat, %w, %none : (tensor<?x4xf32>, tensor<4x4xf32>, none) -> tensor<?x4xf32>
  %y1 = onnx.Reshape %p1, %half : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  return %z0, %y1 : tensor<?x?x4xf32>, tensor<?x?x2xf32>
}

// -----

// The dims of heads are joined for the rows, and a product that leaves as it is
// stays one.
// CHECK-LABEL: func.func @joined_heads
// CHECK: %[[X:.+]] = onnx.Reshape %arg0, %{{.+}} -> tensor<?x?x4xf32>
// CHECK: %[[Y:.+]] = ds.linear %[[X]], %{{.+}} -> tensor<?x?x4xf32>
// CHECK: %[[Z:.+]] = ds.linear %{{.+}}, %{{.+}} : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
// CHECK: return %[[Y]], %[[Z]]
func.func @joined_heads(%x: tensor<?x?x2x2xf32> {ds.symbols = ["b", "s", "", ""]}) -> (tensor<?x?x4xf32>, tensor<?x4xf32>) {
  %w = ds.weight <"m", 0, 64, "", tensor<4x4xf32>> : tensor<4x4xf32>
  %v = ds.weight <"m", 64, 64, "", tensor<4x4xf32>> : tensor<4x4xf32>
  %none = onnx.NoValue
  %four = onnx.Constant dense<[-1, 4]> : tensor<2xi64>
  %last = onnx.Constant dense<4> : tensor<1xi64>
  %rows = onnx.Shape %x {end = 2 : i64} : (tensor<?x?x2x2xf32>) -> tensor<2xi64>
  %shape = onnx.Concat %rows, %last {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %flat = onnx.Reshape %x, %four : (tensor<?x?x2x2xf32>, tensor<2xi64>) -> tensor<?x4xf32>
  %p0 = onnx.Gemm %flat, %w, %none : (tensor<?x4xf32>, tensor<4x4xf32>, none) -> tensor<?x4xf32>
  %y0 = onnx.Reshape %p0, %shape : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<?x?x4xf32>
  %p1 = onnx.Gemm %flat, %v, %none : (tensor<?x4xf32>, tensor<4x4xf32>, none) -> tensor<?x4xf32>
  return %y0, %p1 : tensor<?x?x4xf32>, tensor<?x4xf32>
}
