// RUN: ds-opt %s --ds-raise-transformer-ops --split-input-file | FileCheck %s

// Heads are split, a scale is made, and the heads are joined.
// CHECK-LABEL: func.func @rank_3
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x?x32xf32> {{[^,]*}}, "s", ""]}, %[[K:[^:]+]]: tensor<?x?x16xf32>
// CHECK: %[[QR:.+]] = onnx.Reshape %[[Q]], %{{.+}} -> tensor<?x?x4x8xf32>
// CHECK: %[[QT:.+]] = onnx.Transpose %[[QR]] {perm = array<i64: 0, 2, 1, 3>}
// CHECK: %[[KR:.+]] = onnx.Reshape %[[K]], %{{.+}} -> tensor<?x?x2x8xf32>
// CHECK: %[[KT:.+]] = onnx.Transpose %[[KR]]
// CHECK: %[[VT:.+]] = onnx.Transpose
// CHECK: %[[Y:.+]] = ds.attention %[[QT]], %[[KT]], %[[VT]] {scale = 0.353553385 : f32, softcap = 2.000000e+00 : f32}
// CHECK: %[[YT:.+]] = onnx.Transpose %[[Y]]
// CHECK: %[[R:.+]] = onnx.Reshape %[[YT]], %{{.+}} -> tensor<?x?x32xf32>
// CHECK: return %[[R]]
func.func @rank_3(%q: tensor<?x?x32xf32> {ds.symbols = ["b", "s", ""]}, %k: tensor<?x?x16xf32> {ds.symbols = ["b", "s", ""]}) -> tensor<?x?x32xf32> {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %k, %n, %n, %n, %n {kv_num_heads = 2 : i64, q_num_heads = 4 : i64, softcap = 2.0 : f32} : (tensor<?x?x32xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>, none, none, none, none) -> (tensor<?x?x32xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x4x?x?xf32>)
  return %y : tensor<?x?x32xf32>
}

// -----

// As many new keys as queries: the last of both are at one place.
// CHECK-LABEL: func.func @cache
// CHECK-SAME: %[[Q:[^:]+]]: tensor<2x4x1x8xf32>, %[[K:[^:]+]]: tensor<2x4x1x8xf32>, %[[P:[^:]+]]: tensor<2x4x?x8xf32>
// CHECK: %[[PK:.+]] = onnx.Concat %[[P]], %[[K]] {axis = 2 : i64}
// CHECK: %[[PV:.+]] = onnx.Concat %[[P]], %[[K]] {axis = 2 : i64}
// CHECK: %[[Y:.+]] = ds.attention %[[Q]], %[[PK]], %[[PV]] {causal, scale = 5.000000e-01 : f32}
// CHECK: return %[[Y]], %[[PK]]
func.func @cache(%q: tensor<2x4x1x8xf32>, %k: tensor<2x4x1x8xf32>, %p: tensor<2x4x?x8xf32>) -> (tensor<2x4x1x8xf32>, tensor<2x4x?x8xf32>) {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %k, %n, %p, %p, %n {is_causal = 1 : i64, scale = 0.5 : f32} : (tensor<2x4x1x8xf32>, tensor<2x4x1x8xf32>, tensor<2x4x1x8xf32>, none, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, none) -> (tensor<2x4x1x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x1x?xf32>)
  return %y, %k1 : tensor<2x4x1x8xf32>, tensor<2x4x?x8xf32>
}

// -----

// More keys than queries and no cache: the first of both are at one place. The mask, shorter than the keys, is padded.
// CHECK-LABEL: func.func @first_rows
// CHECK: %[[M:.+]] = onnx.Pad {{.*}} -> tensor<3x5xi1>
// CHECK: %[[START:.+]] = onnx.Expand
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} bias %[[M]] query_start %[[START]] {causal,
func.func @first_rows(%q: tensor<2x4x3x8xf32>, %k: tensor<2x4x5x8xf32>, %m: tensor<3x4xi1>) -> tensor<2x4x3x8xf32> {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %k, %m, %n, %n, %n {is_causal = 1 : i64} : (tensor<2x4x3x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<3x4xi1>, none, none, none) -> (tensor<2x4x3x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x3x5xf32>)
  return %y : tensor<2x4x3x8xf32>
}

// -----

// CHECK-LABEL: func.func @lengths
// CHECK-SAME: %[[N:[^:]+]]: tensor<2xi64>
// CHECK-NOT: query_start
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} key_length %[[N]] {causal,
func.func @lengths(%n: tensor<2xi64>, %q: tensor<2x4x3x8xf32>, %k: tensor<2x4x5x8xf32>) -> tensor<2x4x3x8xf32> {
  %none = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %k, %none, %none, %none, %n {is_causal = 1 : i64} : (tensor<2x4x3x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, none, none, none, tensor<2xi64>) -> (tensor<2x4x3x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x3x5xf32>)
  return %y : tensor<2x4x3x8xf32>
}

// -----

// The scores before the softmax, and a softmax in f64.
// CHECK-LABEL: func.func @scores
// CHECK: onnx.MatMul {{.*}} -> tensor<2x2x6x5xf64>
// CHECK: onnx.Tanh
// CHECK-NOT: onnx.Softmax
// CHECK: onnx.Cast {{.*}} -> tensor<2x4x3x5xf32>
// CHECK: ds.attention {{.*}} -> tensor<2x4x3x8xf64>
func.func @scores(%q: tensor<2x4x3x8xf32>, %k: tensor<2x2x5x8xf32>) -> (tensor<2x4x3x8xf32>, tensor<2x4x3x5xf32>) {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %k, %k, %n, %n, %n, %n {qk_matmul_output_mode = 1 : i64, softcap = 3.0 : f32, softmax_precision = 11 : i64} : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, tensor<2x4x3x5xf32>)
  return %y, %qk : tensor<2x4x3x8xf32>, tensor<2x4x3x5xf32>
}

// -----

// CHECK-LABEL: func.func @rotary
// CHECK: %[[X:.+]] = onnx.Transpose
// CHECK: ds.rope %[[X]], %{{.+}}, %{{.+}} positions %{{.+}} interleaved : {{.*}} -> tensor<2x4x?x8xf32>
// CHECK: onnx.Reshape {{.*}} -> tensor<2x?x32xf32>
func.func @rotary(%x: tensor<2x?x32xf32>, %cos: tensor<9x4xf32>, %sin: tensor<9x4xf32>, %p: tensor<2x?xi64>) -> tensor<2x?x32xf32> {
  %y = onnx.RotaryEmbedding %x, %cos, %sin, %p {interleaved = 1 : i64, num_heads = 4 : i64} : (tensor<2x?x32xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x?xi64>) -> tensor<2x?x32xf32>
  return %y : tensor<2x?x32xf32>
}

// -----

// Without a known width it is spelled out.
// CHECK-LABEL: func.func @rotary_of_unknown_width
// CHECK-NOT: ds.rope
// CHECK: onnx.Concat
func.func @rotary_of_unknown_width(%x: tensor<2x3x5x?xf32>, %cos: tensor<2x5x?xf32>, %sin: tensor<2x5x?xf32>) -> tensor<2x3x5x?xf32> {
  %n = onnx.NoValue
  %y = onnx.RotaryEmbedding %x, %cos, %sin, %n : (tensor<2x3x5x?xf32>, tensor<2x5x?xf32>, tensor<2x5x?xf32>, none) -> tensor<2x3x5x?xf32>
  return %y : tensor<2x3x5x?xf32>
}

// -----

// CHECK-LABEL: func.func @ring
// CHECK: ds.kv_append %arg0, %arg1 at %arg2 circular : (
func.func @ring(%cache: tensor<2x4x9x8xf32>, %x: tensor<2x4x3x8xf32>, %i: tensor<2xi64>) -> tensor<2x4x9x8xf32> {
  %y = onnx.TensorScatter %cache, %x, %i {mode = "circular"} : (tensor<2x4x9x8xf32>, tensor<2x4x3x8xf32>, tensor<2xi64>) -> tensor<2x4x9x8xf32>
  return %y : tensor<2x4x9x8xf32>
}

// -----

// Heads that are joined are one head, and views.
// CHECK-LABEL: func.func @joined_heads
// CHECK: %[[CACHE:.+]] = onnx.Reshape %arg0, %{{.+}} -> tensor<?x1x?x32xf16>
// CHECK: %[[ROWS:.+]] = onnx.Reshape %arg1, %{{.+}} -> tensor<?x1x?x32xf16>
// CHECK: %[[NEW:.+]] = ds.kv_append %[[CACHE]], %[[ROWS]] : (
// CHECK: onnx.Reshape %[[NEW]], %{{.+}} -> tensor<?x?x32xf16>
func.func @joined_heads(%cache: tensor<?x?x32xf16> {ds.symbols = ["b", "s", ""]}, %x: tensor<?x?x32xf16> {ds.symbols = ["b", "t", ""]}) -> tensor<?x?x32xf16> {
  %n = onnx.NoValue
  %y = onnx.TensorScatter %cache, %x, %n : (tensor<?x?x32xf16>, tensor<?x?x32xf16>, none) -> tensor<?x?x32xf16>
  return %y : tensor<?x?x32xf16>
}

// -----

// Rows are taken apart, rotated where they are in their sequence, and written behind what the cache has.
// CHECK-LABEL: func.func @group_query
// CHECK: %[[TOTAL:.+]] = onnx.Add %{{.+}} -> tensor<2xi64>
// CHECK: %[[PAST:.+]] = onnx.Max
// CHECK: %[[Q:.+]] = ds.rope {{.*}} -> tensor<2x4x3x8xf32>
// CHECK: %[[K:.+]] = ds.rope {{.*}} -> tensor<2x2x3x8xf32>
// CHECK: %[[PK:.+]] = ds.kv_append %{{.+}}, %[[K]] at %[[PAST]] : (
// CHECK: %[[PV:.+]] = ds.kv_append %{{.+}}, %{{.+}} at %[[PAST]] : (
// CHECK: ds.attention %[[Q]], %[[PK]], %[[PV]] sink %{{.+}} query_start %[[PAST]] key_length %[[TOTAL]] {causal, left = 3 : i64, scale = 0.353553385 : f32}
// CHECK: return %{{.+}}, %[[PK]]
func.func @group_query(%x: tensor<2x3x64xf32>, %p: tensor<2x2x9x8xf32>, %l: tensor<2xi32>, %cos: tensor<9x4xf32>, %sin: tensor<9x4xf32>, %s: tensor<4xf32>) -> (tensor<2x3x32xf32>, tensor<2x2x9x8xf32>) {
  %n = onnx.NoValue
  %t = onnx.Constant dense<9> : tensor<i32>
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %x, %n, %n, %p, %p, %l, %t, %cos, %sin, %n, %n, %s {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64, local_window_size = 4 : i64} : (tensor<2x3x64xf32>, none, none, tensor<2x2x9x8xf32>, tensor<2x2x9x8xf32>, tensor<2xi32>, tensor<i32>, tensor<9x4xf32>, tensor<9x4xf32>, none, none, tensor<4xf32>) -> (tensor<2x3x32xf32>, tensor<2x2x9x8xf32>, tensor<2x2x9x8xf32>)
  return %y, %pk : tensor<2x3x32xf32>, tensor<2x2x9x8xf32>
}
