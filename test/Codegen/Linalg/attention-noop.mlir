// RUN: ds-opt %s --convert-ds-to-linalg --remarks-filter-missed=convert-ds-to-linalg --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// What has no fused form keeps all scores, and says so.
// CHECK-LABEL: func.func @double
// CHECK: tensor<1x2x3x5xf64>
func.func @double(%q: tensor<1x2x3x4xf64>, %k: tensor<1x2x5x4xf64>) -> tensor<1x2x3x4xf64> {
  // expected-remark @+1 {{'ds.attention' has a tensor of all scores: its sums are not of f32}}
  %0 = ds.attention %q, %k, %k {scale = 0.5 : f32} : (tensor<1x2x3x4xf64>, tensor<1x2x5x4xf64>, tensor<1x2x5x4xf64>) -> tensor<1x2x3x4xf64>
  return %0 : tensor<1x2x3x4xf64>
}

// CHECK-LABEL: func.func @any_width
func.func @any_width(%q: tensor<1x2x3x?xf32>, %k: tensor<1x2x5x?xf32>) -> tensor<1x2x3x?xf32> {
  // expected-remark @+1 {{'ds.attention' has a tensor of all scores: the width of a head is known only when it runs}}
  %0 = ds.attention %q, %k, %k {scale = 0.5 : f32} : (tensor<1x2x3x?xf32>, tensor<1x2x5x?xf32>, tensor<1x2x5x?xf32>) -> tensor<1x2x3x?xf32>
  return %0 : tensor<1x2x3x?xf32>
}
