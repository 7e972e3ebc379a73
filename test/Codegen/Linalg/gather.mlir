// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK: #[[IDS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @embedding
// CHECK-SAME: -> tensor<?x?x16xf32>
func.func @embedding(%table: tensor<100x16xf32>, %ids: tensor<?x?xi64>) -> tensor<?x?x?xf32> {
  // CHECK-NOT: ds.check %
  // CHECK: linalg.generic {indexing_maps = [#[[IDS]],
  // CHECK: %[[I:.*]] = arith.index_cast %{{.*}} : i64 to index
  // CHECK: %[[SAFE:.*]] = ds.checked_index %[[I]] in %c100 wrap
  // CHECK: %[[J:.*]] = linalg.index 2
  // CHECK: tensor.extract %arg0[%[[SAFE]], %[[J]]]
  %g = onnx.Gather %table, %ids : (tensor<100x16xf32>, tensor<?x?xi64>) -> tensor<?x?x?xf32>
  return %g : tensor<?x?x?xf32>
}

// -----

// One index known at compile time is a view; the dim is checked to have it.
// CHECK-LABEL: func.func @first_token
// CHECK-SAME: -> tensor<?x16xf32>
func.func @first_token(%x: tensor<?x?x16xf32>) -> tensor<?x?xf32> {
  // CHECK: ds.check {{.*}} "its constant index is outside a dim of {0}"
  // CHECK: tensor.extract_slice %arg0[0, 0, 0] [%{{.*}}, 1, 16] [1, 1, 1]
  // CHECK: tensor.collapse_shape
  // CHECK-NOT: linalg.generic
  %i = onnx.Constant dense<0> : tensor<i64>
  %g = onnx.Gather %x, %i {axis = 1 : i64} : (tensor<?x?x16xf32>, tensor<i64>) -> tensor<?x?xf32>
  return %g : tensor<?x?xf32>
}

// -----

// Nothing to read is an error before anything is read.
// CHECK-LABEL: func.func @maybe_empty
func.func @maybe_empty(%x: tensor<?xf32>, %i: tensor<3xi32>) -> tensor<3xf32> {
  // CHECK: ds.check {{.*}} "cannot read {0} elements of a dim of {1}"
  // CHECK: ds.checked_index
  %g = onnx.Gather %x, %i : (tensor<?xf32>, tensor<3xi32>) -> tensor<3xf32>
  return %g : tensor<3xf32>
}

// -----

// CHECK-LABEL: func.func @elements
func.func @elements(%x: tensor<3x?xf32>, %i: tensor<2x?xi64>) -> tensor<?x?xf32> {
  // CHECK: ds.check {{.*}} "a dim of its indices is {0}, of its data {1}"
  // CHECK: %[[I:.*]] = ds.checked_index %{{.*}} in %c3 wrap
  // CHECK: %[[J:.*]] = linalg.index 1
  // CHECK: tensor.extract %arg0[%[[I]], %[[J]]]
  %g = onnx.GatherElements %x, %i : (tensor<3x?xf32>, tensor<2x?xi64>) -> tensor<?x?xf32>
  return %g : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @tuples
// CHECK-SAME: -> tensor<2x?x5xf32>
func.func @tuples(%x: tensor<2x3x4x5xf32>, %i: tensor<2x?x2xi64>) -> tensor<?x?x?xf32> {
  // CHECK: %[[B:.*]] = linalg.index 0
  // CHECK: %[[P:.*]] = linalg.index 1
  // CHECK: tensor.extract %arg1[%[[B]], %[[P]], %c0]
  // CHECK: %[[I:.*]] = ds.checked_index %{{.*}} in %c3 wrap
  // CHECK: tensor.extract %arg1[%[[B]], %[[P]], %c1]
  // CHECK: %[[J:.*]] = ds.checked_index %{{.*}} in %c4 wrap
  // CHECK: tensor.extract %arg0[%[[B]], %[[I]], %[[J]], %{{.*}}]
  %g = onnx.GatherND %x, %i {batch_dims = 1 : i64} : (tensor<2x3x4x5xf32>, tensor<2x?x2xi64>) -> tensor<?x?x?xf32>
  return %g : tensor<?x?x?xf32>
}

// -----

// CHECK-LABEL: func.func @reverse
func.func @reverse(%x: tensor<4x?xf32>, %n: tensor<?xi64>) -> tensor<4x?xf32> {
  // CHECK: ds.check {{.*}} "has a batch of {0} but {1} lengths"
  // CHECK: ds.checked_index %{{.*}} in %c4 :
  // CHECK: tensor.extract
  %r = onnx.ReverseSequence %x, %n {time_axis = 0 : i64, batch_axis = 1 : i64} : (tensor<4x?xf32>, tensor<?xi64>) -> tensor<4x?xf32>
  return %r : tensor<4x?xf32>
}
