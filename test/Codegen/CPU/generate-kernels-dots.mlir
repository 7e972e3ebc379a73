// RUN: ds-opt %s --ds-generate-kernels | FileCheck %s

// Rows by rows: what is summed lies side by side in both, so lanes are that,
// and a tree of shuffles adds them up. Half precision is widened as it is read.
// CHECK-LABEL: func.func @dots
// CHECK: scf.forall
// CHECK:   call @[[DOT:ds_dot_[0-9]+]](%{{.+}}, %{{.+}}, %{{.+}}) : (memref<?x?xf32, strided<[64, 1], offset: ?>>, memref<?x?xbf16, strided<[64, 1], offset: ?>>,
// CHECK: func.func private @[[DOT]]
// CHECK: vector.load %{{.+}} : memref<?x?xbf16, {{.*}}>, vector<16xbf16>
// CHECK: arith.extf
// CHECK: math.fma
// CHECK-COUNT-30: vector.shuffle
// CHECK: vector.store
func.func @dots(%a: memref<3x64xf32>, %b: memref<100x64xbf16>, %c: memref<3x100xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<3x64xf32>, memref<100x64xbf16>) outs(%c : memref<3x100xf32>) {
  ^bb0(%x: f32, %y: bf16, %z: f32):
    %w = arith.extf %y : bf16 to f32
    %p = arith.mulf %x, %w : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}
