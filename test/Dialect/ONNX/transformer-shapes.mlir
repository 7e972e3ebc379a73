// RUN: ds-opt %s --onnx-infer-shapes --split-input-file | FileCheck %s

// Rows of heads, of which keys and values have fewer; the cache is before them.
// CHECK-LABEL: func.func @attention
// CHECK: -> (tensor<?x3x24xf32>, tensor<?x2x12x8xf32>, tensor<?x2x12x6xf32>, tensor<?x4x3x12xf32>)
func.func @attention(%q: tensor<?x3x32xf32>, %k: tensor<?x5x16xf32>, %v: tensor<?x5x12xf32>, %pk: tensor<?x2x7x8xf32>, %pv: tensor<?x2x7x6xf32>) -> tensor<?x?x?xf32> {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %v, %n, %pk, %pv, %n {kv_num_heads = 2 : i64, q_num_heads = 4 : i64} : (tensor<?x3x32xf32>, tensor<?x5x16xf32>, tensor<?x5x12xf32>, none, tensor<?x2x7x8xf32>, tensor<?x2x7x6xf32>, none) -> (tensor<?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  return %y : tensor<?x?x?xf32>
}

// -----

// What one operand knows of a dim, all do.
// CHECK-LABEL: func.func @attention_rank_4
// CHECK: -> (tensor<2x4x3x6xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x6xf32>, tensor<2x4x3x5xf32>)
func.func @attention_rank_4(%q: tensor<2x4x3x?xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x?x5x6xf32>) -> tensor<?x?x?x?xf32> {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %v, %n, %n, %n, %n : (tensor<2x4x3x?xf32>, tensor<?x2x?x8xf32>, tensor<?x?x5x6xf32>, none, none, none, none) -> (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>)
  return %y : tensor<?x?x?x?xf32>
}

// -----

// CHECK-LABEL: func.func @rotary
// CHECK: onnx.RotaryEmbedding {{.*}} -> tensor<2x?x32xf32>
// CHECK: onnx.TensorScatter {{.*}} -> tensor<2x9x32xf32>
func.func @rotary(%x: tensor<2x?x32xf32>, %cos: tensor<9x4xf32>, %sin: tensor<9x4xf32>, %p: tensor<2x?xi64>, %cache: tensor<2x9x32xf32>) -> tensor<?x?x?xf32> {
  %n = onnx.NoValue
  %y = onnx.RotaryEmbedding %x, %cos, %sin, %p {num_heads = 4 : i64} : (tensor<2x?x32xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x?xi64>) -> tensor<?x?x?xf32>
  %z = onnx.TensorScatter %cache, %y, %n : (tensor<2x9x32xf32>, tensor<?x?x?xf32>, none) -> tensor<?x?x?xf32>
  return %z : tensor<?x?x?xf32>
}
