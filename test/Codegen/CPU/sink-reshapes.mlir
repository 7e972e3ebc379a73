// RUN: ds-opt %s --split-input-file --ds-sink-reshapes | FileCheck %s

// The activation runs on the product's matrix, and what it reads beside it is
// reshaped too. The size that was asked of the reshape is no reason to keep it.
// CHECK-LABEL: func.func @activation
// CHECK-SAME: %[[R:.+]]: tensor<?x?x32xf32>
// CHECK: %[[P:.+]] = ds.packed_matmul
// CHECK: %[[M:.+]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2]]
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} ins(%[[P]], %[[M]] : tensor<?x32xf32>, tensor<?x32xf32>)
// CHECK: tensor.expand_shape %[[Y]]
#id = affine_map<(b, s, n) -> (b, s, n)>
func.func @activation(%r: tensor<?x?x32xf32>, %x: tensor<?x64xf32>, %w: tensor<1x2x64x16xf32>,
                      %b: index, %s: index, %e: tensor<?x32xf32>) -> tensor<?x?x32xf32> {
  %c0 = arith.constant 0 : index
  %p = ds.packed_matmul ins(%x, %w : tensor<?x64xf32>, tensor<1x2x64x16xf32>)
         outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %y = tensor.expand_shape %p [[0, 1], [2]] output_shape [%b, %s, 32] : tensor<?x32xf32> into tensor<?x?x32xf32>
  %d = tensor.dim %y, %c0 : tensor<?x?x32xf32>
  %o = tensor.empty(%d, %s) : tensor<?x?x32xf32>
  %z = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y, %r : tensor<?x?x32xf32>, tensor<?x?x32xf32>) outs(%o : tensor<?x?x32xf32>) {
  ^bb0(%v: f32, %u: f32, %out: f32):
    %t = arith.addf %v, %u : f32
    linalg.yield %t : f32
  } -> tensor<?x?x32xf32>
  return %z : tensor<?x?x32xf32>
}

// -----

// Nothing to fuse with: the reshape stays.
// CHECK-LABEL: func.func @no_product
// CHECK: tensor.expand_shape
// CHECK-NEXT: linalg.generic
#id = affine_map<(b, s, n) -> (b, s, n)>
func.func @no_product(%p: tensor<12x32xf32>, %o: tensor<3x4x32xf32>) -> tensor<3x4x32xf32> {
  %y = tensor.expand_shape %p [[0, 1], [2]] output_shape [3, 4, 32] : tensor<12x32xf32> into tensor<3x4x32xf32>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : tensor<3x4x32xf32>) outs(%o : tensor<3x4x32xf32>) {
  ^bb0(%v: f32, %out: f32):
    %t = arith.negf %v : f32
    linalg.yield %t : f32
  } -> tensor<3x4x32xf32>
  return %z : tensor<3x4x32xf32>
}
