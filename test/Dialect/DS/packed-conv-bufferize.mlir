// RUN: ds-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s

// The result is written where init lies, which is not read.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME: %[[X:.+]]: memref<?x4x9xf32>, %[[W:.+]]: memref<1x1x2x12x16xf32>, %[[Y:.+]]: memref<?x4x32xf32>
// CHECK-NOT: memref.copy
// CHECK: ds.packed_conv kernel [3] strides [2] dilations [1] ins(%[[X]], %[[W]] : memref<?x4x9xf32>, memref<1x1x2x12x16xf32>) outs(%[[Y]] : memref<?x4x32xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @in_place(%x: tensor<?x4x9xf32>, %w: tensor<1x1x2x12x16xf32>,
                    %init: tensor<?x4x32xf32> {bufferization.writable = true}) -> tensor<?x4x32xf32> {
  %0 = ds.packed_conv kernel [3] strides [2] dilations [1]
         ins(%x, %w : tensor<?x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%init : tensor<?x4x32xf32>) -> tensor<?x4x32xf32>
  return %0 : tensor<?x4x32xf32>
}
