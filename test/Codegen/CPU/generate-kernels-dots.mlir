// RUN: ds-opt %s --ds-generate-kernels | FileCheck %s

// Rows by rows: what is summed lies side by side in both, so lanes are that.
// A short loop reads the rows of B in order, each once for all rows of A, and
// leaves partial sums in a scratch; a tree of shuffles adds them up. Half
// precision is widened as it is read.
// CHECK-LABEL: func.func @dots
// CHECK: scf.forall
// CHECK:   call @[[DOT:ds_dot_[0-9]+]](%{{.+}}, %{{.+}}, %{{.+}}) : (memref<3x64xf32, strided<[64, 1], offset: ?>>, memref<?x64xbf16, strided<[64, 1], offset: ?>>, memref<3x?xf32, strided<[100, 1], offset: ?>>)
// CHECK-LABEL: func.func @many_heads
// CHECK:   call @[[MANY:ds_dot_[0-9]+]](
// CHECK-LABEL: func.func @quads
// CHECK:   call @[[QUADS:ds_dot_[0-9]+]](
// CHECK-LABEL: func.func @any_rows
// CHECK:   call @[[ANY:ds_dot_[0-9]+]](
// CHECK-LABEL: func.func @apart
// CHECK:   call @[[APART:ds_dot_[0-9]+]](

// CHECK: func.func private @[[DOT]]
// CHECK: %[[SCRATCH:.+]] = memref.alloca() {alignment = 64 : i64} : memref<3x16x16xf32>
// CHECK: scf.for %{{.+}} = %{{.+}} to %c16
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %{{.+}} : memref<?x64xbf16, {{.*}}>, vector<16xbf16>
// CHECK: arith.extf
// CHECK-COUNT-3: math.fma
// CHECK: scf.yield
// CHECK-COUNT-3: vector.store %{{.+}}, %[[SCRATCH]]
// CHECK-COUNT-16: vector.load %[[SCRATCH]]
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

// Six rows of A keep a core too busy to see what is read next: it is asked for.
// Two rows of B share their loads, and 16 sums are one vector, which is added
// up at once: eight such vectors are rows of 16 columns in pairs.
// CHECK: func.func private @[[MANY]]
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK-COUNT-2: memref.prefetch %{{.+}}, read, locality<2>, data : memref<?x64xf32
// CHECK-COUNT-12: math.fma
// CHECK: scf.yield
// CHECK-COUNT-30: vector.shuffle
// CHECK: vector.store
// CHECK-NOT: vector.store
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-6: vector.store
func.func @many_heads(%a: memref<6x64xf32>, %b: memref<100x64xf32>, %c: memref<6x100xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<6x64xf32>, memref<100x64xf32>) outs(%c : memref<6x100xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Seven rows of A are two quads, once brought into their order; there is no
// eighth. Four elements of a row of B are read into all quarters of a vector,
// and the sums of four rows of B are added up in two levels. The last columns
// are taken in the same order, the last one in place of those that there are
// not.
// CHECK: func.func private @[[QUADS]]
// CHECK-DAG: %[[A:.+]] = memref.alloca() {alignment = 64 : i64} : memref<2x4x4x16xf32>
// CHECK-DAG: %[[SUMS:.+]] = memref.alloca() {alignment = 64 : i64} : memref<2x4x16xf32>
// CHECK-COUNT-4: vector.load %arg0
// CHECK-COUNT-4: vector.store %{{.+}}, %[[A]][
// CHECK-COUNT-3: vector.load %arg0
// CHECK-COUNT-4: vector.store %{{.+}}, %[[A]][
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c16{{.*}} step %c4
// CHECK: scf.for
// CHECK-COUNT-4: memref.prefetch
// CHECK-COUNT-4: vector.load %arg1{{.*}} vector<4xf32>
// CHECK: vector.load %[[A]][
// CHECK-COUNT-4: math.fma
// CHECK: vector.load %[[A]][
// CHECK-COUNT-28: math.fma
// CHECK: scf.yield
// CHECK-COUNT-6: vector.shuffle
// CHECK: vector.store %{{.+}}, %[[SUMS]][
// CHECK-COUNT-6: vector.shuffle
// CHECK: vector.store %{{.+}}, %[[SUMS]][
// CHECK-COUNT-7: vector.store %{{.+}}, %arg2
// CHECK: scf.if
// CHECK-COUNT-4: arith.minui
// CHECK-COUNT-7: vector.maskedstore %arg2
func.func @quads(%a: memref<7x64xf32>, %b: memref<100x64xf32>, %c: memref<7x100xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<7x64xf32>, memref<100x64xf32>) outs(%c : memref<7x100xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Of rows whose number is not known, eight at a time, then single ones; the
// depth may end in the middle of a vector.
// CHECK: func.func private @[[ANY]]
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<8x16x16xf32>
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c8
// CHECK: vector.maskedload %arg1
// CHECK-COUNT-8: vector.store
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c1
// CHECK: vector.maskedload %arg1
func.func @any_rows(%a: memref<?x70xf32>, %b: memref<96x70xf32>, %c: memref<?x96xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<?x70xf32>, memref<96x70xf32>) outs(%c : memref<?x96xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Rows of B that lie apart are asked for, however few there are of A.
// CHECK: func.func private @[[APART]]
// CHECK: memref.prefetch
func.func @apart(%a: memref<1x64xf32>, %b: memref<100x64xf32, strided<[768, 1]>>, %c: memref<1x100xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<1x64xf32>, memref<100x64xf32, strided<[768, 1]>>) outs(%c : memref<1x100xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  }
  return
}
