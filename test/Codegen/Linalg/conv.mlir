// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// A constant weight of f32 is packed, feature maps as columns, and the sums come
// with the maps as the last dim. There is no product of reshaped patches.
// CHECK: #[[LAST:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3, d1)>
// CHECK-LABEL: func.func @packed
func.func @packed(%x: tensor<?x3x8x8xf32>, %b: tensor<16xf32>) -> tensor<?x?x?x?xf32> {
  // CHECK: %[[W:.*]] = ds.weight {{.*}} [#ds.reshape<[1, 16, 27]>, #ds.transpose<[0, 2, 1]>, #ds.pack<1 x 16>] : tensor<1x1x1x27x16xf32>
  // CHECK: %[[PADDED:.*]] = tensor.pad %{{.*}} low[0, 0, 1, 1] high[0, 0, 1, 1]
  // CHECK: %[[Y:.*]] = ds.packed_conv kernel [3, 3] strides [2, 2] dilations [1, 1] ins(%[[PADDED]], %[[W]] {{.*}} -> tensor<?x4x4x16xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[LAST]], {{.*}} ins(%[[Y]], %{{.*}} outs(%{{.*}} : tensor<?x16x4x4xf32>)
  %w = ds.weight <"w", 0, 1728, "", tensor<16x3x3x3xf32>> : tensor<16x3x3x3xf32>
  %y = onnx.Conv %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x8x8xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<?x?x?x?xf32>
  return %y : tensor<?x?x?x?xf32>
}

// -----

// Panels belong to one group; patches and single elements are no exception.
// CHECK-LABEL: func.func @packed_groups
func.func @packed_groups(%x: tensor<1x6x8xf32>) -> tensor<1x40x4xf32> {
  // CHECK: ds.weight {{.*}} [#ds.reshape<[2, 20, 6]>, #ds.transpose<[0, 2, 1]>, #ds.pack<2 x 16>] : tensor<2x1x2x6x16xf32>
  // CHECK: ds.packed_conv kernel [2] strides [2] dilations [1]
  %w = ds.weight <"w", 0, 960, "", tensor<40x3x2xf32>> : tensor<40x3x2xf32>
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none {strides = array<i64: 2>, group = 2 : i64} : (tensor<1x6x8xf32>, tensor<40x3x2xf32>, none) -> tensor<1x40x4xf32>
  return %y : tensor<1x40x4xf32>
}

// -----

// A few feature maps would leave most of a vector empty.
// CHECK-LABEL: func.func @few_maps
func.func @few_maps(%x: tensor<1x3x8x8xf32>) -> tensor<1x11x8x8xf32> {
  // CHECK-NOT: ds.packed_conv
  // CHECK: linalg.generic
  %w = ds.weight <"w", 0, 132, "", tensor<11x3x1x1xf32>> : tensor<11x3x1x1xf32>
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none : (tensor<1x3x8x8xf32>, tensor<11x3x1x1xf32>, none) -> tensor<1x11x8x8xf32>
  return %y : tensor<1x11x8x8xf32>
}

// -----

// One channel for each feature map needs no loop over channels.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d4, d5)>
// CHECK-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<?x32x8x8xf32>) -> tensor<?x32x4x4xf32> {
  // CHECK: ds.weight {{.*}} : tensor<32x3x3xf32>
  // CHECK: tensor.pad
  // CHECK: linalg.generic {indexing_maps = [#[[X]], #[[W]],
  %w = ds.weight <"w", 0, 1152, "", tensor<32x1x3x3xf32>> : tensor<32x1x3x3xf32>
  %none = onnx.NoValue
  %y = onnx.Conv %x, %w, %none {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, group = 32 : i64} : (tensor<?x32x8x8xf32>, tensor<32x1x3x3xf32>, none) -> tensor<?x32x4x4xf32>
  return %y : tensor<?x32x4x4xf32>
}

// -----

// In half precision a patch embedding is a matrix product with the weight as its
// right side.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[COLS:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @patches
// CHECK-SAME: -> tensor<?x16x2x2xbf16>
func.func @patches(%x: tensor<?x3x8x8xbf16>, %b: tensor<16xbf16>) -> tensor<?x?x?x?xbf16> {
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x3x2x4x2x4xbf16>
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x4x48xbf16>
  // CHECK: %[[W:.*]] = ds.weight {{.*}} [#ds.reshape<[16, 48]>, #ds.transpose<[1, 0]>] : tensor<48x16xbf16>
  // CHECK: linalg.generic {indexing_maps = [#[[ROWS]], #[[COLS]],
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  // CHECK-SAME: %[[W]]
  %w = ds.weight <"w", 0, 1536, "", tensor<16x3x4x4xbf16>> : tensor<16x3x4x4xbf16>
  %y = onnx.Conv %x, %w, %b {strides = array<i64: 4, 4>, kernel_shape = array<i64: 4, 4>} : (tensor<?x3x8x8xbf16>, tensor<16x3x4x4xbf16>, tensor<16xbf16>) -> tensor<?x?x?x?xbf16>
  return %y : tensor<?x?x?x?xbf16>
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
  // CHECK: tensor.pad %arg0 low[0, 0, 1, 1] high[0, 0, 1, 1]
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
