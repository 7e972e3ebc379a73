// RUN: ds-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s

// The result is written where init lies, which is not read.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME: %[[X:.+]]: memref<?x4xf32>, %[[W:.+]]: memref<2x2x4x16xf32>, %[[Y:.+]]: memref<?x40xf32>
// CHECK-NOT: memref.copy
// CHECK: ds.packed_matmul ins(%[[X]], %[[W]] : memref<?x4xf32>, memref<2x2x4x16xf32>) outs(%[[Y]] : memref<?x40xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @in_place(%x: tensor<?x4xf32>, %w: tensor<2x2x4x16xf32>,
                    %init: tensor<?x40xf32> {bufferization.writable = true}) -> tensor<?x40xf32> {
  %0 = ds.packed_matmul ins(%x, %w : tensor<?x4xf32>, tensor<2x2x4x16xf32>)
         outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// The operand's own buffer cannot take the result.
// CHECK-LABEL: func.func @not_onto_x
// CHECK-SAME: %[[X:.+]]: memref<32x32xf32>
// CHECK: %[[A:.+]] = memref.alloc
// CHECK: ds.packed_matmul ins(%[[X]], {{.*}} outs(%[[A]]
func.func @not_onto_x(%x: tensor<32x32xf32> {bufferization.writable = true},
                      %w: tensor<1x2x32x16xf32>) -> tensor<32x32xf32> {
  %0 = ds.packed_matmul ins(%x, %w : tensor<32x32xf32>, tensor<1x2x32x16xf32>)
         outs(%x : tensor<32x32xf32>) -> tensor<32x32xf32>
  return %0 : tensor<32x32xf32>
}
