// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --split-input-file | FileCheck %s

// Both branches write the result's tensor. Sizes are computed in front of the
// branches, the work in them, and weights go with their branch.
// CHECK-LABEL: func.func @input
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<i8>
// CHECK: tensor.extract %[[C]]
// CHECK: %[[DIM:.*]] = arith.select %{{.*}}, %dim, %c512
// CHECK: %[[INIT:.*]] = bufferization.alloc_tensor(%[[DIM]])
// CHECK: %[[R:.*]] = scf.if %{{.*}} -> (tensor<?xf32>) {
// CHECK: %[[N:.*]] = linalg.generic
// CHECK: arith.negf
// CHECK: %[[THEN:.*]] = bufferization.materialize_in_destination %[[N]] in %[[INIT]]
// CHECK: scf.yield %[[THEN]]
// CHECK: } else {
// CHECK: %[[W:.*]] = ds.weight
// CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%[[W]]
// CHECK: %[[CAST:.*]] = tensor.cast %[[A]] : tensor<512xf32> to tensor<?xf32>
// CHECK: bufferization.materialize_in_destination %[[CAST]] in %[[INIT]]
// CHECK: return %[[R]]
func.func @input(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    %1 = onnx.Neg %x : (tensor<?xf32>) -> tensor<?xf32>
    onnx.Yield %1 : tensor<?xf32>
  } else {
    %w = ds.weight <"m", 0, 2048, "", tensor<512xf32>> : tensor<512xf32>
    %1 = onnx.Abs %w : (tensor<512xf32>) -> tensor<512xf32>
    onnx.Yield %1 : tensor<512xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

// Where data decides, both branches must give the same dims.
// CHECK-LABEL: func.func @data
// CHECK: %[[BIT:.*]] = arith.cmpi ne
// CHECK: scf.if %[[BIT]]
// CHECK: ds.check {{.*}} "a branch gives a dim of {0}, expected {1} as the other one"
func.func @data(%x: tensor<?xf32>, %y: tensor<?xf32>, %s: tensor<f32>) -> tensor<?xf32> {
  %c = onnx.IsNaN %s : (tensor<f32>) -> tensor<i1>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    onnx.Yield %x : tensor<?xf32>
  } else {
    onnx.Yield %y : tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}
