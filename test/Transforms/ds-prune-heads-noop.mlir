// RUN: ds-opt %s --ds-prune-heads=threshold=0.5 --split-input-file --remarks-filter-missed=ds-prune-heads --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// Heads that matter as much as others stay.
// CHECK-LABEL: func.func @equal
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @equal(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[-4.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// The key is that of a cache.
// CHECK-LABEL: func.func @cache
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @cache(%x: tensor<?x?x1xf32>, %past: tensor<?x2x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %all = onnx.Concat %past, %k {axis = 2 : i64} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32> loc("cached")
  // expected-remark @+1 {{is no attention without its least heads: no linear layer makes its key, but 'cached' (Concat)}}
  %a = ds.attention %q, %all, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// The value is an input.
// CHECK-LABEL: func.func @given
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @given(%x: tensor<?x?x1xf32>, %v: tensor<?x2x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: its value is an input of the graph}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// The key is a result, too.
// CHECK-LABEL: func.func @present
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @present(%x: tensor<?x?x1xf32>) -> (tensor<?x?x1xf32>, tensor<?x2x?x1xf32>) {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: return reads its key, too}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o, %k : tensor<?x?x1xf32>, tensor<?x2x?x1xf32>
}

// -----

// So are the joined heads.
// CHECK-LABEL: func.func @context
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @context(%x: tensor<?x?x1xf32>) -> (tensor<?x?x1xf32>, tensor<?x?x2xf32>) {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: return reads its result, too}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o, %o0 : tensor<?x?x1xf32>, tensor<?x?x2xf32>
}

// -----

// The number of heads goes into a size that is computed, beside one that no input has.
// CHECK-LABEL: func.func @computed
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @computed(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %rows = onnx.Concat %x, %x {axis = 1 : i64} : (tensor<?x?x1xf32>, tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %q0 = ds.linear %rows, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %rows, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %rows, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: 'size' (Shape) reads its result, too}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %size = onnx.Shape %o1 {start = 0 : i64, end = 3 : i64} : (tensor<?x?x2x1xf32>) -> tensor<3xi64> loc("size")
  %o0 = onnx.Reshape %o1, %size : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// Each head has a bias of its own.
// CHECK-LABEL: func.func @bias
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @bias(%x: tensor<?x?x1xf32>, %b: tensor<1x2x?x?xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: its bias may be another one for each head}}
  %a = ds.attention %q, %k, %v bias %b {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<1x2x?x?xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// Weights that a call gives cannot be parted.
// CHECK-LABEL: func.func @weighted
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @weighted(%x: tensor<?x?x1xf32>, %b: tensor<2xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: its weights of heads are known only when the model runs}}
  %a = ds.attention %q, %k, %v head_weight %b {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<2xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// The scores are changed, perhaps by head.
// CHECK-LABEL: func.func @modified
// CHECK: ds.attention
// CHECK: scale = {{.*}} -> tensor<?x2x?x1xf32>
func.func @modified(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: its scores are modified by what may depend on the head}}
  %a = ds.attention %q, %k, %v score_mod {
  ^bb0(%s: f32, %b: index, %h: index, %p: index, %j: index):
    ds.yield %s : f32
  } {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// No linear layer reads the heads.
// CHECK-LABEL: func.func @unread
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @unread(%x: tensor<?x?x1xf32>) -> tensor<?x2x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: no linear layer reads its heads, but 'act' (Relu)}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o = onnx.Relu %a : (tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32> loc("act")
  return %o : tensor<?x2x?x1xf32>
}

// -----

// The weight of the output is computed.
// CHECK-LABEL: func.func @computed_weight
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @computed_weight(%x: tensor<?x?x1xf32>, %wo: tensor<2x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<[[1.0, 4.0]]> : tensor<1x2xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: the weight of linear is not known}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// Query heads that share one key head leave alone, but not of one of two groups.
// CHECK-LABEL: func.func @groups
// CHECK: ds.attention {{.*}} -> tensor<?x4x?x1xf32>
func.func @groups(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %wq = onnx.Constant dense<1.0> : tensor<1x4xf32>
  %w = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %wo = onnx.Constant dense<[[1.0], [4.0], [4.0], [4.0]]> : tensor<4x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %four = onnx.Constant dense<[0, 0, 4, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 4]> : tensor<3xi64>
  %q0 = ds.linear %x, %wq : (tensor<?x?x1xf32>, tensor<1x4xf32>) -> tensor<?x?x4xf32>
  %q1 = onnx.Reshape %q0, %four : (tensor<?x?x4xf32>, tensor<4xi64>) -> tensor<?x?x4x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x4x1xf32>) -> tensor<?x4x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-remark @+1 {{is no attention without its least heads: 1 of 1 heads below the threshold share keys with heads that stay}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x4x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x4x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x4x?x1xf32>) -> tensor<?x?x4x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x4x1xf32>, tensor<3xi64>) -> tensor<?x?x4xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x4xf32>, tensor<4x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

// -----

// CHECK-LABEL: func.func @branch
// CHECK: ds.attention {{.*}} -> tensor<?x2x?x1xf32>
func.func @branch(%c: tensor<i1>, %q: tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?x2x?x1xf32> {
    // expected-remark @+1 {{it is in a graph of}}
    %a = ds.attention %q, %q, %q {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
    onnx.Yield %a : tensor<?x2x?x1xf32>
  } else {
    onnx.Yield %q : tensor<?x2x?x1xf32>
  }
  return %0 : tensor<?x2x?x1xf32>
}
