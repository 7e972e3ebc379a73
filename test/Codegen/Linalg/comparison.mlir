// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @compare
// CHECK-SAME: -> (tensor<4xi8>, tensor<4xi8>, tensor<4xi8>)
func.func @compare(%x: tensor<4xf32>, %u: tensor<4xui8>, %i: tensor<4xi8>) -> (tensor<4xi1>, tensor<4xi1>, tensor<4xi1>) {
  // CHECK: arith.cmpf oeq
  // CHECK: arith.extui {{.*}} : i1 to i8
  %0 = onnx.Equal %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  // CHECK: arith.cmpi ult
  %1 = onnx.Less %u, %u : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xi1>
  // CHECK: arith.cmpi sge
  %2 = onnx.GreaterOrEqual %i, %i : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi1>
  return %0, %1, %2 : tensor<4xi1>, tensor<4xi1>, tensor<4xi1>
}

// -----

// All three operands broadcast.
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @where
func.func @where(%c: tensor<2x1xi1>, %x: tensor<3xf32>, %y: tensor<f32>) -> tensor<2x3xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[COLUMN]], #[[ROW]], #[[SCALAR]], #{{.*}}]
  // CHECK: %[[C:.*]] = arith.cmpi ne, %{{.*}}, %c0_i8
  // CHECK: arith.select %[[C]]
  %0 = onnx.Where %c, %x, %y : (tensor<2x1xi1>, tensor<3xf32>, tensor<f32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// A shift by the width or more is defined.
// CHECK-LABEL: func.func @shift
func.func @shift(%x: tensor<4xui8>, %y: tensor<4xui8>) -> tensor<4xui8> {
  // CHECK: %[[OK:.*]] = arith.cmpi ult, %[[Y:.*]], %c8_i8
  // CHECK: %[[BY:.*]] = arith.select %[[OK]], %[[Y]], %c0_i8
  // CHECK: %[[S:.*]] = arith.shrui %{{.*}}, %[[BY]]
  // CHECK: arith.select %[[OK]], %[[S]], %c0_i8
  %0 = onnx.BitShift %x, %y {direction = "RIGHT"} : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// CHECK-LABEL: func.func @logic
func.func @logic(%x: tensor<4xi1>, %y: tensor<4xi1>) -> tensor<4xi1> {
  // CHECK: arith.andi {{.*}} : i1
  // CHECK: arith.cmpi eq, {{.*}} : i8
  %0 = onnx.And %x, %y : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %1 = onnx.Not %0 : (tensor<4xi1>) -> tensor<4xi1>
  return %1 : tensor<4xi1>
}
