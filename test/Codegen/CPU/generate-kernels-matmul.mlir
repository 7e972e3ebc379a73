// RUN: ds-opt %s --ds-generate-kernels --canonicalize | FileCheck %s

// The register tile: one chain of multiply-adds over k for each element, the
// accumulators carried as vectors.
// CHECK-LABEL: func.func @product
func.func @product(%a: memref<?x64xf32>, %b: memref<2x64x32xf32>, %c: memref<?x64xf32>) {
  // CHECK: scf.forall
  // CHECK: scf.for
  // CHECK:   call @[[KERNEL:ds_matmul_8x32_[0-9]+]]
  // CHECK: scf.index_switch
  // CHECK: case 7
  // CHECK:   call @ds_matmul_7x32
  ds.packed_matmul ins(%a, %b : memref<?x64xf32>, memref<2x64x32xf32>)
    outs(%c : memref<?x64xf32>)
  return
}

// CHECK: func.func private @[[KERNEL]]
// CHECK: scf.for
// CHECK-SAME: -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-2: vector.load
// CHECK-COUNT-16: math.fma
// CHECK-NOT: vector.maskedload
// CHECK: scf.yield
