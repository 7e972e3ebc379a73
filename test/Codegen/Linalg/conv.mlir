// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// A patch embedding is a matrix product with the weight as its right side.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[COLS:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @patches
// CHECK-SAME: -> tensor<?x16x2x2xf32>
func.func @patches(%x: tensor<?x3x8x8xf32>, %b: tensor<16xf32>) -> tensor<?x?x?x?xf32> {
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x3x2x4x2x4xf32>
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x4x48xf32>
  // CHECK: %[[W:.*]] = ds.weight {{.*}} [#ds.reshape<[16, 48]>, #ds.transpose<[1, 0]>] : tensor<48x16xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[ROWS]], #[[COLS]],
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  // CHECK-SAME: %[[W]]
  %w = ds.weight <"w", 0, 3072, "", tensor<16x3x4x4xf32>> : tensor<16x3x4x4xf32>
  %y = onnx.Conv %x, %w, %b {strides = array<i64: 4, 4>, kernel_shape = array<i64: 4, 4>} : (tensor<?x3x8x8xf32>, tensor<16x3x4x4xf32>, tensor<16xf32>) -> tensor<?x?x?x?xf32>
  return %y : tensor<?x?x?x?xf32>
}

// -----

// Elements past the last whole patch are left out.
// CHECK-LABEL: func.func @patches_cropped
func.func @patches_cropped(%x: tensor<1x3x9x8xf32>, %w: tensor<16x3x4x4xf32>) -> tensor<1x16x2x2xf32> {
  // CHECK: tensor.extract_slice %arg0[0, 0, 0, 0] [1, 3, 8, 8]
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none {strides = array<i64: 4, 4>} : (tensor<1x3x9x8xf32>, tensor<16x3x4x4xf32>, none) -> tensor<1x16x2x2xf32>
  return %y : tensor<1x16x2x2xf32>
}

// -----

// CHECK-DAG: #[[LHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-DAG: #[[RHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
// CHECK-LABEL: func.func @pointwise
func.func @pointwise(%x: tensor<?x3x8x8xf16>, %w: tensor<16x3x1x1xf16>) -> tensor<?x16x8x8xf16> {
  // CHECK: linalg.generic {indexing_maps = [#[[LHS]], #[[RHS]],
  // CHECK: arith.extf
  // CHECK: arith.addf %{{.*}} : f32
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none : (tensor<?x3x8x8xf16>, tensor<16x3x1x1xf16>, none) -> tensor<?x16x8x8xf16>
  return %y : tensor<?x16x8x8xf16>
}

// -----

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 + d6 * 3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-LABEL: func.func @windows
// CHECK-SAME: -> tensor<?x16x4x4xf32>
func.func @windows(%x: tensor<?x3x8x8xf32>, %w: tensor<16x3x3x3xf32>) -> tensor<?x?x?x?xf32> {
  // CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 0, 1, 1] {{.*}} into tensor<?x3x10x10xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]],
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 1>, dilations = array<i64: 1, 3>} : (tensor<?x3x8x8xf32>, tensor<16x3x3x3xf32>, none) -> tensor<?x?x?x?xf32>
  return %y : tensor<?x?x?x?xf32>
}

// -----

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d3 + d5)>
// CHECK-LABEL: func.func @groups
// CHECK-SAME: -> tensor<?x8x?xf32>
func.func @groups(%x: tensor<?x4x?xf32>, %w: tensor<8x2x3xf32>, %b: tensor<8xf32>) -> tensor<?x?x?xf32> {
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x2x2x?xf32>
  // CHECK: tensor.expand_shape {{.*}} into tensor<2x4x2x3xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[X]],
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x8x?xf32>
  %y = onnx.Conv %x, %w, %b {group = 2 : i64, auto_pad = "SAME_UPPER"} : (tensor<?x4x?xf32>, tensor<8x2x3xf32>, tensor<8xf32>) -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
