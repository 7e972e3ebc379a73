// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Heads are split off and joined again: the dims of the result are the
// argument's, no tensor holds a shape, and both reshapes are views. What is
// transposed and back at once is left alone.
// CHECK-LABEL: func.func @heads
// CHECK-SAME: (%[[X:.*]]: tensor<?x?x384xf32> {{.*}}) -> tensor<?x?x384xf32>
func.func @heads(%x: tensor<?x?x384xf32> {ds.symbols = ["b", "s", ""]}) -> tensor<?x?x?xf32> {
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[S:.*]] = tensor.dim %[[X]], %c1
  // CHECK-NOT: i64
  // CHECK: tensor.expand_shape %[[X]] {{\[}}[0], [1], [2, 3]] output_shape [%[[B]], %[[S]], 12, 32]
  // CHECK-COUNT-3: linalg.generic
  // CHECK-NOT: linalg.generic
  // CHECK: %[[Y:.*]] = tensor.collapse_shape {{.*}} {{\[}}[0], [1], [2, 3]] : tensor<?x?x12x32xf32> into tensor<?x?x384xf32>
  // CHECK: tensor.empty(%[[B]], %[[S]]) : tensor<?x?x384xf32>
  // CHECK-NEXT: linalg.generic {{.*}} ins(%[[Y]], %[[X]] :
  %s = onnx.Shape %x : (tensor<?x?x384xf32>) -> tensor<3xi64>
  %i0 = onnx.Constant dense<0> : tensor<i64>
  %i1 = onnx.Constant dense<1> : tensor<i64>
  %axes = onnx.Constant dense<0> : tensor<1xi64>
  %b = onnx.Gather %s, %i0 : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %n = onnx.Gather %s, %i1 : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %b1 = onnx.Unsqueeze %b, %axes : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %n1 = onnx.Unsqueeze %n, %axes : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %h = onnx.Constant dense<[12, 32]> : tensor<2xi64>
  %split = onnx.Concat %b1, %n1, %h {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<4xi64>
  %r = onnx.Reshape %x, %split : (tensor<?x?x384xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  %t = onnx.Transpose %r {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %back = onnx.Transpose %t {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %forth = onnx.Transpose %back {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %positive = onnx.Relu %forth : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %u = onnx.Transpose %positive {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %rest = onnx.Constant dense<-1> : tensor<1xi64>
  %join = onnx.Concat %b1, %n1, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %o = onnx.Reshape %u, %join : (tensor<?x?x?x?xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  %sum = onnx.Add %o, %x : (tensor<?x?x?xf32>, tensor<?x?x384xf32>) -> tensor<?x?x?xf32>
  return %sum : tensor<?x?x?xf32>
}

// -----

// Shape, Slice and Concat: the leading dims of one tensor for another.
// CHECK-LABEL: func.func @slice_of_shape
func.func @slice_of_shape(%x: tensor<?x?x8xf32>) -> tensor<?x?x?x?xf32> {
  // CHECK-NOT: i64
  // CHECK-NOT: ds.check
  // CHECK: tensor.expand_shape %{{.*}} {{\[}}[0], [1], [2, 3]]
  // CHECK-NEXT: return {{.*}} : tensor<?x?x2x4xf32>
  %s = onnx.Shape %x : (tensor<?x?x8xf32>) -> tensor<3xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %end = onnx.Constant dense<-1> : tensor<1xi64>
  %none = onnx.NoValue
  %lead = onnx.Slice %s, %zero, %end, %none, %none : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<2xi64>
  %h = onnx.Constant dense<[2, -1]> : tensor<2xi64>
  %to = onnx.Concat %lead, %h {axis = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<4xi64>
  %r = onnx.Reshape %x, %to : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %r : tensor<?x?x?x?xf32>
}

// -----

// A shape that only run time knows is checked, then it is a view too.
// CHECK-LABEL: func.func @shape_from_data
func.func @shape_from_data(%x: tensor<?x4xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  // CHECK: ds.check %{{.*}} "its shape has a dim of {0}"
  // CHECK: ds.check %{{.*}} "its shape has a dim of {0}"
  // CHECK: ds.check %{{.*}} "cannot give {0} elements a shape of {1} or more"
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?xf32>
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x?xf32>
  %r = onnx.Reshape %x, %s : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// What is left must divide.
// CHECK-LABEL: func.func @indivisible
func.func @indivisible(%x: tensor<?x4xf32>) -> tensor<?x6xf32> {
  // CHECK: ds.check
  %s = onnx.Constant dense<[-1, 6]> : tensor<2xi64>
  %r = onnx.Reshape %x, %s : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x6xf32>
  return %r : tensor<?x6xf32>
}

// -----

// CHECK-LABEL: func.func @scalars
func.func @scalars(%x: tensor<f32>, %y: tensor<?x1xf32>) -> (tensor<1x1xf32>, tensor<f32>) {
  // CHECK: tensor.expand_shape %{{.*}} [] output_shape [1, 1]
  // CHECK: ds.check
  // CHECK: tensor.collapse_shape %{{.*}} [] : tensor<1x1xf32> into tensor<f32>
  %a = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %u = onnx.Unsqueeze %x, %a : (tensor<f32>, tensor<2xi64>) -> tensor<1x1xf32>
  %s = onnx.Squeeze %y, %a : (tensor<?x1xf32>, tensor<2xi64>) -> tensor<f32>
  return %u, %s : tensor<1x1xf32>, tensor<f32>
}

// -----

// A weight keeps being a reference.
// CHECK-LABEL: func.func @weight
func.func @weight() -> tensor<4x6xf32> {
  // CHECK-NEXT: %[[W:.*]] = ds.weight <"w", 0, 96, "", tensor<2x3x4xf32>>
  // CHECK-SAME: [#ds.reshape<[6, 4]>, #ds.transpose<[1, 0]>] : tensor<4x6xf32>
  // CHECK-NEXT: return %[[W]]
  %w = ds.weight <"w", 0, 96, "", tensor<2x3x4xf32>> : tensor<2x3x4xf32>
  %f = onnx.Flatten %w {axis = 2 : i64} : (tensor<2x3x4xf32>) -> tensor<6x4xf32>
  %t = onnx.Transpose %f : (tensor<6x4xf32>) -> tensor<4x6xf32>
  return %t : tensor<4x6xf32>
}

// -----

// Moving a dim of 1 moves no element.
// CHECK-LABEL: func.func @unit_transpose
func.func @unit_transpose(%x: tensor<?x1x8xf32>) -> tensor<1x?x8xf32> {
  // CHECK-NOT: linalg.generic
  // CHECK: return
  %t = onnx.Transpose %x {perm = array<i64: 1, 0, 2>} : (tensor<?x1x8xf32>) -> tensor<1x?x8xf32>
  return %t : tensor<1x?x8xf32>
}

// -----

// The class token of a vision transformer, expanded by the batch.
// CHECK-LABEL: func.func @class_token
func.func @class_token(%x: tensor<?x3x8x8xf32>, %token: tensor<1x1x16xf32>) -> tensor<?x?x?xf32> {
  // CHECK: %[[B:.*]] = tensor.dim %arg0, %c0
  // CHECK-NOT: ds.check
  // CHECK: tensor.empty(%[[B]]) : tensor<?x1x16xf32>
  // CHECK: linalg.generic
  // CHECK-NOT: tensor.extract
  // CHECK: return
  %s = onnx.Shape %x {end = 1 : i64} : (tensor<?x3x8x8xf32>) -> tensor<1xi64>
  %h = onnx.Constant dense<[1, 1]> : tensor<2xi64>
  %to = onnx.Concat %s, %h {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
  %e = onnx.Expand %token, %to : (tensor<1x1x16xf32>, tensor<3xi64>) -> tensor<?x?x?xf32>
  return %e : tensor<?x?x?xf32>
}

// -----

// An expansion that only run time knows is checked and read inside bounds.
// CHECK-LABEL: func.func @expand_by_data
func.func @expand_by_data(%x: tensor<?xf32>, %s: tensor<1xi64>) -> tensor<?xf32> {
  // CHECK: ds.check %{{.*}} "its shape has a dim of {0}"
  // CHECK: ds.check %{{.*}} "a dim of {0} cannot be expanded to {1}"
  // CHECK: arith.minsi
  // CHECK: tensor.extract
  %e = onnx.Expand %x, %s : (tensor<?xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %e : tensor<?xf32>
}

// -----

// Repetition reads through a map and joins each pair of dims.
// CHECK: #[[MAP:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @tile
func.func @tile(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[MAP]],
  // CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<3x?x4xf32> into tensor<?x4xf32>
  %r = onnx.Constant dense<[3, 1]> : tensor<2xi64>
  %t = onnx.Tile %x, %r : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<?x4xf32>
  return %t : tensor<?x4xf32>
}

// -----

// CHECK: #[[DCR:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d5, d1, d2, d4)>
// CHECK-LABEL: func.func @depth_to_space
func.func @depth_to_space(%x: tensor<?x8x2x3xf32>) -> tensor<?x2x4x6xf32> {
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x2x2x2x2x3xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[DCR]],
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x2x4x6xf32>
  %d = onnx.DepthToSpace %x {blocksize = 2 : i64} : (tensor<?x8x2x3xf32>) -> tensor<?x2x4x6xf32>
  return %d : tensor<?x2x4x6xf32>
}
