// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @gelu
func.func @gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: math.erf
  %0 = onnx.Gelu %x : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: math.tanh
  %1 = onnx.Gelu %x {approximate = "tanh"} : (tensor<4xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// The exponential's argument is never positive: no overflow.
// CHECK-LABEL: func.func @softplus
func.func @softplus(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[A:.*]] = math.absf
  // CHECK: %[[N:.*]] = arith.negf %[[A]]
  // CHECK: %[[E:.*]] = math.exp %[[N]]
  // CHECK: math.log1p %[[E]]
  %0 = onnx.Softplus %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// A NaN stays: it is not less than 0.
// CHECK-LABEL: func.func @leaky
func.func @leaky(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: f32):
  // CHECK: %[[NEGATIVE:.*]] = arith.cmpf olt, %[[X]]
  // CHECK: %[[SCALED:.*]] = arith.mulf
  // CHECK: arith.select %[[NEGATIVE]], %[[SCALED]], %[[X]]
  %0 = onnx.LeakyRelu %x {alpha = 0.1 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-DAG: #[[SLOPE:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @prelu
func.func @prelu(%x: tensor<2x?xi32>, %s: tensor<2x1xi32>) -> tensor<2x?xi32> {
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[SLOPE]], #{{.*}}]
  // CHECK: arith.cmpi slt
  // CHECK: arith.muli
  %0 = onnx.PRelu %x, %s : (tensor<2x?xi32>, tensor<2x1xi32>) -> tensor<2x?xi32>
  return %0 : tensor<2x?xi32>
}
