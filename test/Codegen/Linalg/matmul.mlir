// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Nothing is broadcast in memory: the stacking dim that an operand lacks is not
// in its map.
// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @weights
func.func @weights(%a: tensor<?x?x8xf32>, %b: tensor<8x4xf32>) -> tensor<?x?x4xf32> {
  // CHECK-NOT: ds.check
  // CHECK: linalg.generic {indexing_maps = [#[[A]], #[[B]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
  // CHECK: arith.mulf
  // CHECK-NEXT: arith.addf
  %0 = onnx.MatMul %a, %b : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// -----

// Stacks that may be of size 1 at run time are read by index. As no map spans
// the reduction then, an unread operand tells its length.
// CHECK-LABEL: func.func @undecided
// CHECK-SAME: (%[[A:.*]]: tensor<?x2x8xf32>, %[[B:.*]]: tensor<?x8x4xf32>)
func.func @undecided(%a: tensor<?x2x8xf32>, %b: tensor<?x8x4xf32>) -> tensor<?x2x4xf32> {
  // CHECK-COUNT-2: ds.check
  // CHECK: %[[LENGTH:.*]] = tensor.empty() : tensor<8xi8>
  // CHECK: linalg.generic {{.*}} ins(%[[LENGTH]] : tensor<8xi8>)
  // CHECK: tensor.extract %[[A]]
  // CHECK: tensor.extract %[[B]]
  %0 = onnx.MatMul %a, %b : (tensor<?x2x8xf32>, tensor<?x8x4xf32>) -> tensor<?x2x4xf32>
  return %0 : tensor<?x2x4xf32>
}

// -----

// CHECK-LABEL: func.func @vectors
// CHECK-SAME: -> tensor<f32>
func.func @vectors(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<f32> {
  // CHECK: ds.check {{.*}} "the contracted dims differ: {0} and {1}"
  // CHECK: iterator_types = ["reduction"]
  %0 = onnx.MatMul %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// Half-precision products are summed in f32 and rounded once.
// CHECK-LABEL: func.func @half
func.func @half(%a: tensor<2x8xf16>, %b: tensor<8x4xf16>) -> tensor<2x4xf16> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf32>)
  // CHECK: arith.addf {{.*}} : f32
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x4xf16>)
  // CHECK: arith.truncf
  %0 = onnx.MatMul %a, %b : (tensor<2x8xf16>, tensor<8x4xf16>) -> tensor<2x4xf16>
  return %0 : tensor<2x4xf16>
}

// -----

// CHECK-DAG: #[[AT:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[BT:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @gemm
func.func @gemm(%a: tensor<8x2xf32>, %b: tensor<4x8xf32>, %c: tensor<4xf32>) -> tensor<2x4xf32> {
  // CHECK-DAG: %[[ALPHA:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK: %[[P:.*]] = linalg.generic {indexing_maps = [#[[AT]], #[[BT]], #{{.*}}]
  // CHECK: linalg.generic {{.*}} ins(%[[P]], %{{.*}} : tensor<2x4xf32>, tensor<4xf32>)
  // CHECK: %[[AP:.*]] = arith.mulf %{{.*}}, %[[ALPHA]]
  // CHECK-NEXT: arith.addf %[[AP]]
  %0 = onnx.Gemm %a, %b, %c {alpha = 0.5 : f32, transA = 1 : i64, transB = 1 : i64} : (tensor<8x2xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// Without a bias and a factor there is nothing after the product.
// CHECK-LABEL: func.func @gemm_plain
func.func @gemm_plain(%a: tensor<2x8xf32>, %b: tensor<8x4xf32>) -> tensor<2x4xf32> {
  // CHECK-COUNT-1: linalg.generic
  // CHECK-NOT: linalg.generic
  %none = onnx.NoValue
  %0 = onnx.Gemm %a, %b, %none : (tensor<2x8xf32>, tensor<8x4xf32>, none) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
