// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Only the axes that change have indices, as many as the axis is long.
// CHECK-LABEL: func.func @nearest
// CHECK-SAME: -> tensor<?x3x16x12xi8>
func.func @nearest(%x: tensor<?x3x8x8xui8>) -> tensor<?x?x?x?xui8> {
  // CHECK: %[[H:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16xi64>)
  // CHECK: %[[W:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<12xi64>)
  // CHECK: linalg.generic {{.*}} ins(%[[H]], %[[W]] :
  // CHECK: tensor.extract %arg0
  // CHECK-SAME: tensor<?x3x8x8xi8>
  %none = onnx.NoValue
  %scales = onnx.Constant dense<[1.0, 1.0, 2.0, 1.5]> : tensor<4xf32>
  %r = onnx.Resize %x, %none, %scales, %none {mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"} : (tensor<?x3x8x8xui8>, none, tensor<4xf32>, none) -> tensor<?x?x?x?xui8>
  return %r : tensor<?x?x?x?xui8>
}

// -----

// One pass per axis, each with the dims that those before it have left.
// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<1x?x8x8xf32>, %sizes: tensor<2xi64>) -> tensor<1x?x?x?xf32> {
  // CHECK: ds.check {{.*}} "a size is {0}"
  // CHECK: %[[FIRST:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x?x?x8xf32>)
  // CHECK: tensor.extract %arg0
  // CHECK: arith.mulf
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x?x?x?xf32>)
  // CHECK: tensor.extract %[[FIRST]]
  %none = onnx.NoValue
  %r = onnx.Resize %x, %none, %none, %sizes {mode = "linear", axes = array<i64: 2, 3>} : (tensor<1x?x8x8xf32>, none, none, tensor<2xi64>) -> tensor<1x?x?x?xf32>
  return %r : tensor<1x?x?x?xf32>
}

// -----

// A scale that only run time knows.
// CHECK-LABEL: func.func @scale_from_data
func.func @scale_from_data(%x: tensor<8xf32>, %scale: tensor<1xf32>) -> tensor<?xf32> {
  // CHECK: %[[S:.*]] = tensor.extract %arg1
  // CHECK: arith.extf %[[S]]
  // CHECK: arith.fptosi
  %none = onnx.NoValue
  %r = onnx.Resize %x, %none, %scale, %none {mode = "cubic"} : (tensor<8xf32>, none, tensor<1xf32>, none) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
