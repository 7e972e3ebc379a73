// RUN: ds-opt %s --ds-generate-kernels --split-input-file | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// One row takes as many columns as there are registers for. What comes from
// memory is brought in ahead: 16 rows of B later, and here the next rows of A.
// CHECK-LABEL: func.func @one_row
// CHECK:   scf.forall (%{{.+}}, %{{.+}}) in (1, 2)
// CHECK:     call @ds_matmul_1x128_[[#KERNEL:]]
// CHECK: func.func private @ds_matmul_1x128_[[#KERNEL]]
// CHECK: scf.for
// CHECK-COUNT-9: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @one_row(%a: memref<1x64xf32>, %b: memref<64x256xf32>, %c: memref<1x256xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<1x64xf32>, memref<64x256xf32>) outs(%c : memref<1x256xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// What the task has written itself is in the caches.
// CHECK-LABEL: func.func @own
// CHECK:     call @ds_matmul_2x64_[[#OWN:]]
// CHECK: func.func private @ds_matmul_2x64_[[#OWN]]
// CHECK: scf.for
// CHECK-COUNT-4: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @own(%a: memref<2x64xf32>, %b: memref<64x128xf32>, %c: memref<2x128xf32>) {
  scf.forall (%i) in (3) {
    %own = memref.alloc() : memref<2x64xf32>
    linalg.copy ins(%a : memref<2x64xf32>) outs(%own : memref<2x64xf32>)
    linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                    iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%own, %b : memref<2x64xf32>, memref<64x128xf32>) outs(%c : memref<2x128xf32>) {
    ^bb0(%x: f32, %y: f32, %z: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %z, %p : f32
      linalg.yield %s : f32
    }
  }
  return
}

// -----

// Whole rows of B lie in a row: processors bring them in without being asked.
// CHECK-LABEL: func.func @whole_rows
// CHECK:     call @ds_matmul_2x64_[[#WHOLE:]]
// CHECK: func.func private @ds_matmul_2x64_[[#WHOLE]]
// CHECK: scf.for
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @whole_rows(%a: memref<2x64xf32>, %b: memref<64x64xf32>, %c: memref<2x64xf32>) {
  scf.forall (%i) in (3) {
    %own = memref.alloc() : memref<2x64xf32>
    linalg.copy ins(%a : memref<2x64xf32>) outs(%own : memref<2x64xf32>)
    linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                    iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%own, %b : memref<2x64xf32>, memref<64x64xf32>) outs(%c : memref<2x64xf32>) {
    ^bb0(%x: f32, %y: f32, %z: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %z, %p : f32
      linalg.yield %s : f32
    }
  }
  return
}
