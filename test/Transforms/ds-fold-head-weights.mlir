// RUN: ds-opt %s --ds-fold-head-weights --split-input-file | FileCheck %s

// Weights go to the rows of the output projection; heads of weight 0 go, with
// their columns of the other projections.
// CHECK-LABEL: func.func @drops
// CHECK: %[[WQ:.*]] = ds.weight {{.*}} [#ds.select<1, [0, 1, 4, 5]>] : tensor<6x4xf32>
// CHECK: %[[BIAS:.*]] = onnx.Constant dense<[0.000000e+00, 1.000000e+00, 4.000000e+00, 5.000000e+00]> : tensor<4xf32>
// CHECK: %[[ROWS:.*]] = ds.linear %{{.*}}, %[[WQ]], %[[BIAS]]
// CHECK: %[[APART:.*]] = onnx.Constant dense<[0, 0, 2, 2]>
// CHECK: onnx.Reshape %[[ROWS]], %[[APART]]
// CHECK: ds.attention %{{[^,]+}}, %{{[^,]+}}, %{{[^ ]+}} {scale = {{.*}}} : (tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>) -> tensor<?x2x?x2xf32>
// CHECK: %[[JOINED:.*]] = onnx.Constant dense<[0, 0, 4]>
// CHECK: onnx.Reshape %{{.*}}, %[[JOINED]]
// CHECK: %[[WO:.*]] = ds.weight {{.*}} [#ds.scale<0, [2.000000e+00, 0.000000e+00, 5.000000e-01]>, #ds.select<0, [0, 1, 4, 5]>] : tensor<4x6xf32>
// CHECK: ds.linear %{{.*}}, %[[WO]] : (tensor<?x?x4xf32>, tensor<4x6xf32>)
func.func @drops(%x: tensor<?x?x6xf32>) -> tensor<?x?x6xf32> {
  %w = ds.weight <"w", 0, 144, "", tensor<6x6xf32>> : tensor<6x6xf32>
  %bias = onnx.Constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<6xf32>
  %heads = onnx.Constant dense<[0, 0, 3, 2]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 6]> : tensor<3xi64>
  %weights = onnx.Constant dense<[2.0, 0.0, 0.5]> : tensor<3xf32>
  %q0 = ds.linear %x, %w, %bias : (tensor<?x?x6xf32>, tensor<6x6xf32>, tensor<6xf32>) -> tensor<?x?x6xf32>
  %q1 = onnx.Reshape %q0, %heads : (tensor<?x?x6xf32>, tensor<4xi64>) -> tensor<?x?x3x2xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x2xf32>) -> tensor<?x3x?x2xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x6xf32>, tensor<6x6xf32>) -> tensor<?x?x6xf32>
  %k1 = onnx.Reshape %k0, %heads : (tensor<?x?x6xf32>, tensor<4xi64>) -> tensor<?x?x3x2xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x2xf32>) -> tensor<?x3x?x2xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x6xf32>, tensor<6x6xf32>) -> tensor<?x?x6xf32>
  %v1 = onnx.Reshape %v0, %heads : (tensor<?x?x6xf32>, tensor<4xi64>) -> tensor<?x?x3x2xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x3x2xf32>) -> tensor<?x3x?x2xf32>
  %a = ds.attention %q, %k, %v head_weight %weights {scale = 0.5 : f32} : (tensor<?x3x?x2xf32>, tensor<?x3x?x2xf32>, tensor<?x3x?x2xf32>, tensor<3xf32>) -> tensor<?x3x?x2xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x3x?x2xf32>) -> tensor<?x?x3x2xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x3x2xf32>, tensor<3xi64>) -> tensor<?x?x6xf32>
  %o = ds.linear %o0, %w : (tensor<?x?x6xf32>, tensor<6x6xf32>) -> tensor<?x?x6xf32>
  return %o : tensor<?x?x6xf32>
}

// -----

// Two query heads share a key head: one of them stays with weight 0.
// CHECK-LABEL: func.func @groups
// CHECK: ds.attention {{.*}} {scale = {{.*}}} : (tensor<?x2x?x2xf32>, tensor<?x1x?x2xf32>, tensor<?x1x?x2xf32>)
// CHECK: ds.weight {{.*}} [#ds.scale<0, [0.000000e+00, 1.000000e+00]>] : tensor<4x6xf32>
func.func @groups(%q: tensor<?x2x?x2xf32>, %k: tensor<?x1x?x2xf32>) -> tensor<?x?x6xf32> {
  %w = ds.weight <"w", 0, 96, "", tensor<4x6xf32>> : tensor<4x6xf32>
  %joined = onnx.Constant dense<[0, 0, 4]> : tensor<3xi64>
  %weights = onnx.Constant dense<[0.0, 1.0]> : tensor<2xf32>
  %a = ds.attention %q, %k, %k head_weight %weights {scale = 0.5 : f32} : (tensor<?x2x?x2xf32>, tensor<?x1x?x2xf32>, tensor<?x1x?x2xf32>, tensor<2xf32>) -> tensor<?x2x?x2xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x2xf32>) -> tensor<?x?x2x2xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x2xf32>, tensor<3xi64>) -> tensor<?x?x4xf32>
  %o = ds.linear %o0, %w : (tensor<?x?x4xf32>, tensor<4x6xf32>) -> tensor<?x?x6xf32>
  return %o : tensor<?x?x6xf32>
}

// -----

// The heads are read elsewhere: the weights stay.
// CHECK-LABEL: func.func @shared
// CHECK: ds.attention {{.*}} head_weight
func.func @shared(%q: tensor<?x2x?x2xf32>) -> (tensor<?x2x?x2xf32>, tensor<?x?x2x2xf32>) {
  %weights = onnx.Constant dense<[0.0, 1.0]> : tensor<2xf32>
  %a = ds.attention %q, %q, %q head_weight %weights {scale = 0.5 : f32} : (tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>, tensor<?x2x?x2xf32>, tensor<2xf32>) -> tensor<?x2x?x2xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x2xf32>) -> tensor<?x?x2x2xf32>
  return %a, %o1 : tensor<?x2x?x2xf32>, tensor<?x?x2x2xf32>
}
