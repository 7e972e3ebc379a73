// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// CLIP: batch and heads are one dim for the products, and two for the mask.
// CHECK-LABEL: func.func @joined_heads
// CHECK-SAME: %[[Q:.+]]: tensor<?x2x?x16xf32> {{.*}}, %[[K:.+]]: tensor<?x2x?x16xf32> {{.*}}, %[[V:.+]]: tensor<?x2x?x8xf32> {{.*}}, %[[M:.+]]: tensor<?x1x?x?xf32>
// CHECK: %[[O:.+]] = ds.attention %[[Q]], %[[K]], %[[V]] bias %[[M]] {{.*}} -> tensor<?x2x?x8xf32>
// CHECK-NEXT: return %[[O]]
func.func @joined_heads(
    %q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "s", ""]},
    %v: tensor<?x2x?x8xf32> {ds.symbols = ["b", "", "s", ""]}, %m: tensor<?x1x?x?xf32>) -> tensor<?x2x?x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %infer = onnx.Constant dense<-1> : tensor<1xi64>
  %sixteen = onnx.Constant dense<16> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %b = onnx.Gather %qs, %zero {axis = 0 : i64} : (tensor<4xi64>, tensor<1xi64>) -> tensor<1xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<1xi64>) -> tensor<1xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<1xi64>) -> tensor<1xi64>
  %n = onnx.Mul %b, %two : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %rows = onnx.Concat %n, %infer, %sixteen {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %vrows = onnx.Concat %n, %infer, %eight {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %q3 = onnx.Reshape %q, %rows : (tensor<?x2x?x16xf32>, tensor<3xi64>) -> tensor<?x?x16xf32>
  %k3 = onnx.Reshape %k, %rows : (tensor<?x2x?x16xf32>, tensor<3xi64>) -> tensor<?x?x16xf32>
  %v3 = onnx.Reshape %v, %vrows : (tensor<?x2x?x8xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %kt = onnx.Transpose %k3 {perm = array<i64: 0, 2, 1>} : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %0 = onnx.MatMul %q3, %kt : (tensor<?x?x16xf32>, tensor<?x16x?xf32>) -> tensor<?x?x?xf32>
  %four = onnx.Concat %b, %two, %t, %s {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %three = onnx.Concat %n, %t, %s {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %1 = onnx.Reshape %0, %four : (tensor<?x?x?xf32>, tensor<4xi64>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Add %1, %m : (tensor<?x2x?x?xf32>, tensor<?x1x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Reshape %2, %three : (tensor<?x2x?x?xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  %4 = onnx.Softmax %3 {axis = -1 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %5 = onnx.MatMul %4, %v3 : (tensor<?x?x?xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %split = onnx.Concat %b, %two, %t, %eight {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %6 = onnx.Reshape %5, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x2x?x8xf32>
  return %6 : tensor<?x2x?x8xf32>
}

// -----

// Llama: key heads are repeated for their groups of query heads.
// CHECK-LABEL: func.func @grouped
// CHECK-SAME: %[[Q:.+]]: tensor<?x4x?x16xf32>, %[[K:.+]]: tensor<?x2x?x16xf32>, %[[V:.+]]: tensor<?x2x?x16xf32>
// CHECK: ds.attention %[[Q]], %[[K]], %[[V]] {{.*}} : (tensor<?x4x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>)
func.func @grouped(%q: tensor<?x4x?x16xf32>, %k: tensor<?x2x?x16xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x4x?x16xf32> {
  %axis = onnx.Constant dense<2> : tensor<1xi64>
  %times = onnx.Constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %joined = onnx.Constant dense<[0, 4, -1, 16]> : tensor<4xi64>
  %k1 = onnx.Unsqueeze %k, %axis : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x2x1x?x16xf32>
  %k2 = onnx.Expand %k1, %times : (tensor<?x2x1x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %k3 = onnx.Reshape %k2, %joined : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x4x?x16xf32>
  %v1 = onnx.Unsqueeze %v, %axis : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x2x1x?x16xf32>
  %v2 = onnx.Expand %v1, %times : (tensor<?x2x1x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %v3 = onnx.Reshape %v2, %joined : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x4x?x16xf32>
  %kt = onnx.Transpose %k3 {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x16xf32>) -> tensor<?x4x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x4x?x16xf32>, tensor<?x4x16x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %2 = onnx.MatMul %1, %v3 : (tensor<?x4x?x?xf32>, tensor<?x4x?x16xf32>) -> tensor<?x4x?x16xf32>
  return %2 : tensor<?x4x?x16xf32>
}

// -----

// Heads that are repeated as a whole, 0 1 0 1, are no groups and stay.
// CHECK-LABEL: func.func @tiled
// CHECK: %[[K:.+]] = onnx.Reshape
// CHECK: ds.attention %{{.+}}, %[[K]], %[[K]] {{.*}} : (tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>, tensor<?x4x?x16xf32>)
func.func @tiled(%q: tensor<?x4x?x16xf32>, %k: tensor<?x2x?x16xf32>) -> tensor<?x4x?x16xf32> {
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %times = onnx.Constant dense<[1, 2, 1, 1, 1]> : tensor<5xi64>
  %joined = onnx.Constant dense<[0, 4, -1, 16]> : tensor<4xi64>
  %k1 = onnx.Unsqueeze %k, %axis : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x1x2x?x16xf32>
  %k2 = onnx.Expand %k1, %times : (tensor<?x1x2x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %k3 = onnx.Reshape %k2, %joined : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x4x?x16xf32>
  %kt = onnx.Transpose %k3 {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x16xf32>) -> tensor<?x4x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x4x?x16xf32>, tensor<?x4x16x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %2 = onnx.MatMul %1, %k3 : (tensor<?x4x?x?xf32>, tensor<?x4x?x16xf32>) -> tensor<?x4x?x16xf32>
  return %2 : tensor<?x4x?x16xf32>
}

// -----

// One key head, which the products broadcast.
// CHECK-LABEL: func.func @multi_query
// CHECK: ds.attention {{.*}} : (tensor<?x2x?x16xf32>, tensor<?x1x?x16xf32>, tensor<?x1x?x16xf32>) -> tensor<?x2x?x16xf32>
func.func @multi_query(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x1x16x?xf32>, %v: tensor<?x1x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x1x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x1x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}
