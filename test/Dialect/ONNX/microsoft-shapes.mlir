// RUN: ds-opt %s --onnx-infer-shapes --split-input-file | FileCheck %s

// The cache grows to as many rows as are asked for, and has as many where it has room.
// CHECK-LABEL: func.func @cache
// CHECK: onnx.com.microsoft.GroupQueryAttention {{.*}} -> (tensor<2x3x32xf32>, tensor<2x2x9x8xf32>, tensor<2x2x9x8xf32>)
// CHECK: onnx.com.microsoft.GroupQueryAttention {{.*}} -> (tensor<2x3x32xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x8xf32>)
func.func @cache(%q: tensor<2x3x32xf32>, %k: tensor<?x3x16xf32>, %p: tensor<2x2x7x8xf32>, %l: tensor<2xi32>, %t: tensor<1xi32>) -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %n = onnx.NoValue
  %nine = onnx.Constant dense<9> : tensor<i32>
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %q, %k, %k, %p, %p, %l, %nine, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<?x3x16xf32>, tensor<?x3x16xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  %z, %pk1, %pv1 = onnx.com.microsoft.GroupQueryAttention %q, %k, %k, %p, %p, %l, %t, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<?x3x16xf32>, tensor<?x3x16xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2xi32>, tensor<1xi32>, none, none, none, none, none) -> (tensor<?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  return %y, %z : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}

// -----

// Rows of all three, and no cache.
// CHECK-LABEL: func.func @packed
// CHECK: onnx.com.microsoft.GroupQueryAttention {{.*}} -> (tensor<?x?x32xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>)
func.func @packed(%q: tensor<?x?x64xf32>, %l: tensor<?xi32>, %t: tensor<i32>) -> tensor<?x?x?xf32> {
  %n = onnx.NoValue
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %q, %n, %n, %n, %n, %l, %t, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<?x?x64xf32>, none, none, none, none, tensor<?xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  return %y : tensor<?x?x?xf32>
}
