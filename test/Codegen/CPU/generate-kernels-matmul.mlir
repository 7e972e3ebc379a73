// RUN: ds-opt %s --ds-generate-kernels --canonicalize | FileCheck %s
// RUN: ds-opt %s --ds-generate-kernels="lanes=8 tile-rows=6 tile-lanes=16" --canonicalize \
// RUN:   | FileCheck %s --check-prefix=NARROW

// The register tile: one chain of multiply-adds over k for each element, the
// accumulators carried as vectors. Each call brings in its share of the next
// panel; few rows alone leave that to the processor. A rest of few rows shares
// those of the last whole tile.
// CHECK-LABEL: func.func @product
// CHECK: scf.forall
// CHECK:   %[[FEW:.*]] = arith.cmpi ult, %[[ROWS:.*]], %c8
// CHECK:   scf.index_switch
// CHECK:   case 6
// CHECK:     call @[[ALONE:ds_matmul_6x32_[0-9]+]]
// CHECK:   %[[REST:.*]] = arith.subi %[[ROWS]]
// CHECK:   %[[LESS:.*]] = arith.subi %[[REST]], %c1
// CHECK:   %[[SHARED:.*]] = arith.cmpi ult, %[[LESS]], %c3
// CHECK:   %[[WHOLE:.*]] = arith.select %[[SHARED]]
// CHECK:   scf.for %{{.*}} = %c0 to %[[WHOLE]]
// CHECK:     call @[[KERNEL:ds_matmul_8x32_[0-9]+]]
// CHECK:   scf.index_switch %[[REST]]
// CHECK:   case 1
// CHECK:     call @ds_matmul_5x32
// CHECK:     call @ds_matmul_4x32
// CHECK:   case 2
// CHECK:     call @ds_matmul_5x32
// CHECK:     call @ds_matmul_5x32
// CHECK:   case 3
// CHECK:     call @[[SHARE:ds_matmul_6x32_[0-9]+]]
// CHECK:     call @ds_matmul_5x32
// CHECK:   case 4
// CHECK:     call @ds_matmul_4x32
// CHECK-NEXT: scf.yield
// CHECK:   case 7
// CHECK:     call @ds_matmul_7x32

// A narrower tile takes a panel strip by strip, and both strips at once where
// few rows leave registers for it.
// NARROW-LABEL: func.func @product
// NARROW:   %[[FEW:.*]] = arith.cmpi ult, %[[ROWS:.*]], %c6
// NARROW:   scf.index_switch
// NARROW:   case 1
// NARROW-NOT: scf.for
// NARROW:     call @ds_matmul_1x32
// NARROW:   case 2
// NARROW-NOT: scf.for
// NARROW:     call @ds_matmul_2x32
// NARROW:   case 3
// NARROW:     scf.for
// NARROW:       call @ds_matmul_3x16
// NARROW:   %[[GROUPS:.*]] = arith.select %[[FEW]], %c0{{.*}}, %c2
// NARROW:   scf.for %{{.*}} to %[[GROUPS]]
// NARROW:     scf.for
// NARROW:       call @[[KERNEL:ds_matmul_6x16_[0-9]+]]
// NARROW:     scf.index_switch
// NARROW:     case 1
// NARROW:       call @ds_matmul_4x16
// NARROW:       call @ds_matmul_3x16
// NARROW:     case 3
// NARROW:       call @ds_matmul_3x16
func.func @product(%a: memref<?x64xf32>, %b: memref<2x2x64x16xf32>, %c: memref<?x64xf32>) {
  ds.packed_matmul ins(%a, %b : memref<?x64xf32>, memref<2x2x64x16xf32>)
    outs(%c : memref<?x64xf32>)
  return
}

// A panel of four strips is two groups, and one where few rows leave registers
// for it.
// CHECK-LABEL: func.func @wide
// CHECK:   scf.index_switch
// CHECK:   case 3
// CHECK:     call @ds_matmul_3x64
// CHECK-NOT: call @ds_matmul_4x64
// CHECK:     call @ds_matmul_8x32
func.func @wide(%a: memref<?x64xf32>, %b: memref<1x4x64x16xf32>, %c: memref<?x64xf32>) {
  ds.packed_matmul ins(%a, %b : memref<?x64xf32>, memref<1x4x64x16xf32>)
    outs(%c : memref<?x64xf32>)
  return
}

// Columns past the last one are in the panel, but not in the result.
// CHECK-LABEL: func.func @ragged
// CHECK: call @[[MASKED:ds_matmul_8x32_[0-9]+]]
func.func @ragged(%a: memref<?x64xf32>, %b: memref<2x2x64x16xf32>, %c: memref<?x40xf32>) {
  ds.packed_matmul ins(%a, %b : memref<?x64xf32>, memref<2x2x64x16xf32>)
    outs(%c : memref<?x40xf32>)
  return
}

// CHECK: func.func private @[[ALONE]]
// CHECK-NOT: memref.prefetch
// CHECK: return
// CHECK: func.func private @[[KERNEL]]
// CHECK-SAME: attributes {passthrough = ["noinline"]}
// CHECK: scf.for
// CHECK-SAME: -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: memref.prefetch
// CHECK-COUNT-2: vector.load
// CHECK-COUNT-16: math.fma
// CHECK-NOT: vector.maskedload
// CHECK: scf.yield
// CHECK-COUNT-16: vector.store
// CHECK: func.func private @[[SHARE]]
// CHECK: memref.prefetch

// CHECK: func.func private @[[MASKED]]
// CHECK-COUNT-2: vector.load
// CHECK-COUNT-16: math.fma
// CHECK-COUNT-16: vector.maskedstore
