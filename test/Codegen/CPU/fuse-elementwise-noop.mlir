// RUN: ds-opt %s --ds-fuse-elementwise | FileCheck %s

// What updates its result in place runs once for each element, however often
// the consumer reads it.
// CHECK-LABEL: func.func @update
// CHECK: %[[INVERSE:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<4xf32>)
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[INVERSE]] : tensor<4x8xf32>, tensor<4xf32>)
func.func @update(%x: tensor<4x8xf32>, %sums: tensor<4xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %one = arith.constant 1.0 : f32
  %inverse = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%sums : tensor<4xf32>) {
  ^bb0(%out: f32):
    %q = arith.divf %one, %out : f32
    linalg.yield %q : f32
  } -> tensor<4xf32>
  %scaled = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x, %inverse : tensor<4x8xf32>, tensor<4xf32>) outs(%y : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<4x8xf32>
  return %scaled : tensor<4x8xf32>
}
