// RUN: ds-opt %s --ds-generate-kernels --canonicalize | FileCheck %s

// The windows of a row of positions are a view of x in which they overlap:
// positions 2 apart, channels, rows of taps, taps. Nothing is copied. What
// kernels take as it comes is not in their types.
// CHECK-LABEL: func.func @windows
// CHECK-SAME: %[[X:[^:]+]]: memref<?x3x33x35xf32>, %[[W:[^:]+]]: memref<1x3x2x27x16xf32>, %[[Y:[^:]+]]: memref<?x16x17x80xf32>
// CHECK-NOT: memref.alloc
// CHECK: scf.forall (%[[N:.+]], %[[P:.+]], %[[I:.+]]) in (%{{.+}}, 3, 16)
// CHECK: %[[MAPS:.+]] = affine.min #{{.+}}()[%[[P]]]
// CHECK: memref.reinterpret_cast %[[X]] to offset: [%{{.+}}], sizes: [17, 3, 3, 3], strides: [2, {{.+}}, {{.+}}, 1]
// CHECK: memref.subview %[[W]][0, %[[P]], 0, 0, 0] [1, 1, 2, 27, 16]
// CHECK: call @[[FULL:ds_matmul_8x32_[0-9]+]](%{{.+}}) : (memref<8x?x3x3xf32, strided<[2, ?, ?, 1], offset: ?>>, memref<2x?x16xf32, {{.+}}>, memref<8x?xf32, {{.+}}>, index)
// CHECK: call @ds_matmul_5x32
// CHECK: call @ds_matmul_4x32
func.func @windows(%x: memref<?x3x33x35xf32>, %w: memref<1x3x2x27x16xf32>, %y: memref<?x16x17x80xf32>) {
  ds.packed_conv kernel [3, 3] strides [2, 2] dilations [1, 1]
    ins(%x, %w : memref<?x3x33x35xf32>, memref<1x3x2x27x16xf32>) outs(%y : memref<?x16x17x80xf32>)
  return
}

// Of an image of which nothing is known, the rest of a row has one of all
// kernels.
// CHECK-LABEL: func.func @dynamic
// CHECK: call @ds_matmul_8x32_{{[0-9]+}}(%{{.+}}) : (memref<8x?x3x3xf32, strided<[2, ?, ?, 1], offset: ?>>
// CHECK: scf.index_switch
func.func @dynamic(%x: memref<?x?x?x?xf32>, %w: memref<1x1x2x27x16xf32>, %y: memref<?x?x?x?xf32>) {
  ds.packed_conv kernel [3, 3] strides [2, 2] dilations [1, 1]
    ins(%x, %w : memref<?x?x?x?xf32>, memref<1x1x2x27x16xf32>) outs(%y : memref<?x?x?x?xf32>)
  return
}

// A group has channels, panels and feature maps of its own; taps lie 2 apart.
// CHECK-LABEL: func.func @groups
// CHECK: scf.forall (%[[N:.+]], %[[G:.+]]) in (5, 2)
// CHECK: memref.subview %{{.+}}[%[[N]], 0, %{{.+}}] [1, 16, 14] [1, 1, 1]
// CHECK: memref.reinterpret_cast %{{.+}} to offset: [%{{.+}}], sizes: [16, 3, 3], strides: [1, {{.+}}, 2]
// CHECK: memref.subview %{{.+}}[%[[G]], 0, 0, 0, 0] [1, 1, 1, 9, 16]
// CHECK: call @ds_matmul_8x16_{{[0-9]+}}(%{{.+}}) : (memref<8x?x3xf32, strided<[1, ?, 2], offset: ?>>
func.func @groups(%x: memref<5x6x20xf32>, %w: memref<2x1x1x9x16xf32>, %y: memref<5x16x28xf32>) {
  ds.packed_conv kernel [3] strides [1] dilations [2]
    ins(%x, %w : memref<5x6x20xf32>, memref<2x1x1x9x16xf32>) outs(%y : memref<5x16x28xf32>)
  return
}

// One loop for each dim of k, and the sums in registers.
// CHECK: func.func private @[[FULL]]
// CHECK-COUNT-3: scf.for {{.+}} iter_args(%{{.+}}) -> (vector<16xf32>,
// CHECK-COUNT-2: vector.load {{.*}} vector<16xf32>
// CHECK-COUNT-16: math.fma
// CHECK-COUNT-3: scf.yield
// CHECK-COUNT-16: vector.maskedstore
