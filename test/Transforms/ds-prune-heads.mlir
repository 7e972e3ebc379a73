// RUN: ds-opt %s --ds-prune-heads=threshold=0.3 --split-input-file | FileCheck %s

// Heads of one element: importance is the length of a column of W_V times that
// of a row of W_O, here 5, 1 and 2. Head 1 leaves with its parts of all weights.
// CHECK-LABEL: func.func @least
// CHECK-SAME: ds.pruned_heads = [{bytes = 36 : i64, heads = array<i64: 1>, importance = array<f64: 2.000000e-01>, node = "layer.0", of = 3 : i64}]
// CHECK: ds.linear %{{.*}}, %{{.*}}, %[[BIAS:.*]] : (tensor<?x?x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<?x?x2xf32>
// CHECK: ds.attention {{.*}} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
// CHECK: onnx.Constant dense<{{\[\[}}1.000000e+00, 0.000000e+00], [2.000000e+00, 0.000000e+00]]> : tensor<2x2xf32>
// CHECK: ds.linear %{{.*}} : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32>
func.func @least(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %wq = onnx.Constant dense<1.0> : tensor<2x3xf32>
  %wv = onnx.Constant dense<[[3.0, 0.0, 1.0], [4.0, 1.0, 0.0]]> : tensor<2x3xf32>
  %wo = onnx.Constant dense<[[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]> : tensor<3x2xf32>
  %bias = onnx.Constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %apart = onnx.Constant dense<[0, 0, 3, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, -1]> : tensor<3xi64>
  %q0 = ds.linear %x, %wq, %bias : (tensor<?x?x2xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<?x?x3xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %k0 = ds.linear %x, %wq : (tensor<?x?x2xf32>, tensor<2x3xf32>) -> tensor<?x?x3xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %v0 = ds.linear %x, %wv : (tensor<?x?x2xf32>, tensor<2x3xf32>) -> tensor<?x?x3xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x3x?x1xf32>, tensor<?x3x?x1xf32>, tensor<?x3x?x1xf32>) -> tensor<?x3x?x1xf32> loc("layer.0")
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x3x?x1xf32>) -> tensor<?x?x3x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x3x1xf32>, tensor<3xi64>) -> tensor<?x?x3xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x3xf32>, tensor<3x2xf32>) -> tensor<?x?x2xf32>
  return %o : tensor<?x?x2xf32>
}

// -----

// A constant weight is part of the importance: it makes head 0 the one to leave,
// and stays with the others. The bias of values counts as one more row, which is
// all of head 2.
// CHECK-LABEL: func.func @weights
// CHECK-SAME: heads = array<i64: 0>, importance = array<f64: 2.500000e-01>
// CHECK: %[[WEIGHT:.*]] = onnx.Constant dense<[1.000000e+00, 5.000000e-01]> : tensor<2xf32>
// CHECK: ds.attention {{.*}} head_weight %[[WEIGHT]] {{.*}} tensor<2xf32>) -> tensor<?x2x?x1xf32>
func.func @weights(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %ones = onnx.Constant dense<1.0> : tensor<1x3xf32>
  %wv = onnx.Constant dense<[[4.0, 4.0, 0.0]]> : tensor<1x3xf32>
  %bv = onnx.Constant dense<[0.0, 0.0, 8.0]> : tensor<3xf32>
  %wo = onnx.Constant dense<1.0> : tensor<3x1xf32>
  %weight = onnx.Constant dense<[0.25, 1.0, 0.5]> : tensor<3xf32>
  %apart = onnx.Constant dense<[0, 0, 3, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, -1]> : tensor<3xi64>
  %q0 = ds.linear %x, %ones : (tensor<?x?x1xf32>, tensor<1x3xf32>) -> tensor<?x?x3xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %k0 = ds.linear %x, %ones : (tensor<?x?x1xf32>, tensor<1x3xf32>) -> tensor<?x?x3xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %v0 = ds.linear %x, %wv, %bv : (tensor<?x?x1xf32>, tensor<1x3xf32>, tensor<3xf32>) -> tensor<?x?x3xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x3xf32>, tensor<4xi64>) -> tensor<?x?x3x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x1xf32>) -> tensor<?x3x?x1xf32>
  %a = ds.attention %q, %k, %v head_weight %weight {scale = 0.5 : f32} : (tensor<?x3x?x1xf32>, tensor<?x3x?x1xf32>, tensor<?x3x?x1xf32>, tensor<3xf32>) -> tensor<?x3x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x3x?x1xf32>) -> tensor<?x?x3x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x3x1xf32>, tensor<3xi64>) -> tensor<?x?x3xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x3xf32>, tensor<3x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// Of three groups of two heads the first is gone with its key head, and the
// others lose one head each. Query and key are rotated and normalized by head.
// CHECK-LABEL: func.func @groups
// CHECK-SAME: heads = array<i64: 0, 1, 2, 5>
// CHECK: onnx.RMSNormalization {{.*}} : (tensor<?x?x2x2xf32>, tensor<2xf32>) -> tensor<?x?x2x2xf32>
// CHECK: ds.rope {{.*}} -> tensor<?x2x?x2xf32>
// CHECK: ds.attention {{.*}} : (tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>) -> tensor<?x2x?x2xf32>
// CHECK: onnx.Constant dense<{{\[\[}}6.000000e+00], [7.000000e+00], [8.000000e+00], [9.000000e+00]]> : tensor<4x1xf32>
func.func @groups(%x: tensor<?x?x1xf32>, %cos: tensor<?x1xf32>, %sin: tensor<?x1xf32>) -> tensor<?x?x1xf32> {
  %wq = onnx.Constant dense<1.0> : tensor<1x12xf32>
  %wk = onnx.Constant dense<1.0> : tensor<1x6xf32>
  %norm = onnx.Constant dense<1.0> : tensor<2xf32>
  %wo = onnx.Constant dense<[[0.0], [0.1], [0.2], [0.3], [0.4], [0.5], [6.0], [7.0], [8.0], [9.0], [1.0], [1.1]]> : tensor<12x1xf32>
  %apart = onnx.Constant dense<[0, 0, -1, 2]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 12]> : tensor<3xi64>
  %q0 = ds.linear %x, %wq : (tensor<?x?x1xf32>, tensor<1x12xf32>) -> tensor<?x?x12xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x12xf32>, tensor<4xi64>) -> tensor<?x?x6x2xf32>
  %q2 = onnx.RMSNormalization %q1, %norm : (tensor<?x?x6x2xf32>, tensor<2xf32>) -> tensor<?x?x6x2xf32>
  %q3 = onnx.Transpose %q2 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x6x2xf32>) -> tensor<?x6x?x2xf32>
  %q = ds.rope %q3, %cos, %sin : (tensor<?x6x?x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x6x?x2xf32>
  %k0 = ds.linear %x, %wk : (tensor<?x?x1xf32>, tensor<1x6xf32>) -> tensor<?x?x6xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x6xf32>, tensor<4xi64>) -> tensor<?x?x3x2xf32>
  %k2 = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x2xf32>) -> tensor<?x3x?x2xf32>
  %k = ds.rope %k2, %cos, %sin : (tensor<?x3x?x2xf32>, tensor<?x1xf32>, tensor<?x1xf32>) -> tensor<?x3x?x2xf32>
  %v0 = ds.linear %x, %wk : (tensor<?x?x1xf32>, tensor<1x6xf32>) -> tensor<?x?x6xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x6xf32>, tensor<4xi64>) -> tensor<?x?x3x2xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x2xf32>) -> tensor<?x3x?x2xf32>
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x6x?x2xf32>, tensor<?x3x?x2xf32>, tensor<?x3x?x2xf32>) -> tensor<?x6x?x2xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x6x?x2xf32>) -> tensor<?x?x6x2xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x6x2xf32>, tensor<3xi64>) -> tensor<?x?x12xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x12xf32>, tensor<12x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// One linear layer gives query, key and value, whose rows were flattened; each
// gets one of its own. Sizes are read from values that heads leave.
// CHECK-LABEL: func.func @split
// CHECK-SAME: heads = array<i64: 0>
// CHECK-DAG: onnx.Constant dense<2.000000e+00> : tensor<1x1xf32>
// CHECK-DAG: onnx.Constant dense<4.000000e+00> : tensor<1x1xf32>
// CHECK-DAG: onnx.Constant dense<6.000000e+00> : tensor<1x1xf32>
// CHECK-NOT: tensor<?x6xf32>
// CHECK: ds.attention {{.*}} -> tensor<?x1x?x1xf32>
// CHECK: %[[BACK:.*]] = onnx.Transpose {{.*}} -> tensor<?x?x1x1xf32>
// CHECK: onnx.Shape %[[BACK]]
// CHECK: onnx.Reshape %[[BACK]]
// CHECK: ds.linear {{.*}} : (tensor<?x?x1xf32>, tensor<1x1xf32>) -> tensor<?x?x1xf32>
func.func @split(%x: tensor<?x1xf32>, %sizes: tensor<2xi64>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 2.0, 3.0, 4.0, 0.0, 6.0]]> : tensor<1x6xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %six = onnx.Constant dense<6> : tensor<1xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %parts = onnx.Constant dense<2> : tensor<3xi64>
  %none = onnx.NoValue
  %indices = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %rows = onnx.Concat %sizes, %six {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %flat = ds.linear %x, %w : (tensor<?x1xf32>, tensor<1x6xf32>) -> tensor<?x6xf32>
  %all = onnx.Reshape %flat, %rows : (tensor<?x6xf32>, tensor<3xi64>) -> tensor<?x?x6xf32>
  %s:3 = onnx.Split %all, %parts {axis = -1 : i64} : (tensor<?x?x6xf32>, tensor<3xi64>) -> (tensor<?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>)
  %shape = onnx.Shape %s#0 : (tensor<?x?x2xf32>) -> tensor<3xi64>
  %two_dims = onnx.Slice %shape, %zero, %two, %none, %none : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<2xi64>
  %apart = onnx.Concat %two_dims, %two, %one {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %q1 = onnx.Reshape %s#0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k1 = onnx.Reshape %s#1, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v1 = onnx.Reshape %s#2, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o_shape = onnx.Shape %o1 : (tensor<?x?x2x1xf32>) -> tensor<4xi64>
  %o_dims = onnx.Gather %o_shape, %indices : (tensor<4xi64>, tensor<2xi64>) -> tensor<2xi64>
  %joined = onnx.Concat %o_dims, %two {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// Sizes of a mask are those of repeated keys, and a reshape takes all of its
// sizes from the heads: where they are an input's, they are read there. Nothing
// is computed for its shape alone then.
// CHECK-LABEL: func.func @sizes
// CHECK-SAME: heads = array<i64: 0>
// CHECK-NOT: onnx.Expand
// CHECK: ds.attention {{.*}} -> tensor<?x1x?x1xf32>
// CHECK: %[[BACK:.*]] = onnx.Transpose {{.*}} -> tensor<?x?x1x1xf32>
// CHECK: %[[SIZES:.*]] = onnx.Concat {{.*}} -> tensor<3xi64>
// CHECK: onnx.Reshape %[[BACK]], %[[SIZES]] {{.*}} -> tensor<?x?x1xf32>
func.func @sizes(%x: tensor<?x?x1xf32> {ds.symbols = ["b", "s", ""]}) -> (tensor<?x?x1xf32>, tensor<1xi64>) {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %twice = onnx.Constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %axis = onnx.Constant dense<2> : tensor<1xi64>
  %last = onnx.Constant dense<3> : tensor<1xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %repeated = onnx.Unsqueeze %k, %axis : (tensor<?x2x?x1xf32>, tensor<1xi64>) -> tensor<?x2x1x?x1xf32>
  %groups = onnx.Expand %repeated, %twice : (tensor<?x2x1x?x1xf32>, tensor<5xi64>) -> tensor<?x2x2x?x1xf32>
  %shape = onnx.Shape %groups : (tensor<?x2x2x?x1xf32>) -> tensor<5xi64>
  %keys = onnx.Gather %shape, %last : (tensor<5xi64>, tensor<1xi64>) -> tensor<1xi64>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %size = onnx.Shape %o1 {start = 0 : i64, end = 3 : i64} : (tensor<?x?x2x1xf32>) -> tensor<3xi64>
  %o0 = onnx.Reshape %o1, %size : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o, %keys : tensor<?x?x1xf32>, tensor<1xi64>
}
