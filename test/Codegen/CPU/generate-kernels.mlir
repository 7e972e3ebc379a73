// RUN: ds-opt %s --split-input-file --ds-generate-kernels | FileCheck %s

// Full vectors, then a masked tail with the same arithmetic.
// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  // CHECK: scf.forall (%[[ROW:.*]]) in
  // CHECK: scf.for
  // CHECK:   vector.load {{.*}} vector<16xf32>
  // CHECK:   arith.maximumf
  // CHECK:   vector.store
  // CHECK: scf.if
  // CHECK:   vector.create_mask
  // CHECK:   vector.maskedload
  // CHECK:   arith.maximumf
  // CHECK:   vector.maskedstore
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  }
  return
}

// -----

// A sum along the last dim keeps one partial sum for each lane and joins them
// by halves; lanes past the end keep what they had.
// CHECK-LABEL: func.func @row_sum
func.func @row_sum(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  // CHECK: scf.forall
  // CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO]])
  // CHECK: scf.if
  // CHECK:   arith.select {{.*}} vector<16xi1>, vector<16xf32>
  // CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7] : vector<16xf32>
  // CHECK: vector.shuffle {{.*}} [0] : vector<2xf32>
  // CHECK-NOT: vector.reduction
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]}
    ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// A transposed read: rows of a square, which trade places in registers. Where
// less than a square is left, loads and stores are masked.
// CHECK-LABEL: func.func @transpose
func.func @transpose(%x: memref<?x?xi8>, %y: memref<?x?xi8>) {
  // CHECK: scf.forall
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: scf.if
  // CHECK-COUNT-16: vector.load {{.*}} vector<16xi8>
  // CHECK-COUNT-64: vector.shuffle
  // CHECK-COUNT-16: vector.store
  // CHECK: else
  // CHECK-COUNT-16: vector.maskedload
  // CHECK-COUNT-16: vector.maskedstore
  // CHECK-NOT: memref.load
  // CHECK: return
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<?x?xi8>) outs(%y : memref<?x?xi8>) {
  ^bb0(%a: i8, %o: i8):
    linalg.yield %a : i8
  }
  return
}

// -----

// Every third element: vectors of all that lies between, and nothing past the
// last element that counts.
// CHECK-LABEL: func.func @stride
func.func @stride(%x: memref<?xf32>, %y: memref<?xf32>) {
  // CHECK-NOT: vector.gather
  // CHECK: scf.for
  // CHECK-COUNT-2: vector.load
  // CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 18, 21, 24, 27, 30, 11, 12, 13, 14, 15]
  // CHECK: vector.maskedload
  // CHECK: vector.store
  // CHECK: scf.if
  // CHECK-COUNT-3: vector.maskedload
  // CHECK: vector.maskedstore
  // CHECK-NOT: vector.gather
  // CHECK: return
  linalg.generic {
    indexing_maps = [affine_map<(i) -> (i * 3)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]}
    ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// Elements further apart: a gather, and nothing past the last lane.
// CHECK-LABEL: func.func @far_apart
func.func @far_apart(%x: memref<?xf32>, %y: memref<?xf32>) {
  // CHECK: scf.for
  // CHECK: vector.gather
  // CHECK: vector.store
  // CHECK: scf.if
  // CHECK: arith.select {{.*}} : vector<16xi1>, vector<16xindex>
  // CHECK: vector.gather
  // CHECK: vector.maskedstore
  linalg.generic {
    indexing_maps = [affine_map<(i) -> (i * 5)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]}
    ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// Sums over windows start from what they were filled with, which is not stored
// and read again, and four rows are formed at once.
// CHECK-LABEL: func.func @windows
// CHECK-SAME: %{{[^:]+}}: memref<66x66xf32>, %{{[^:]+}}: memref<3x3xf32>, %[[Y:[^:]+]]: memref<64x64xf32>
func.func @windows(%x: memref<66x66xf32>, %w: memref<3x3xf32>, %y: memref<64x64xf32>) {
  // CHECK-NOT: vector.store
  // CHECK-NOT: vector.load %[[Y]]
  // CHECK: scf.forall
  // CHECK: scf.if
  // CHECK: scf.for {{.*}} iter_args(%{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // CHECK-COUNT-4: math.fma
  // CHECK-COUNT-4: vector.store %{{.+}}, %[[Y]]
  // Rows that are left, one by one, with all of their vectors at once.
  // CHECK: else
  // CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // CHECK-COUNT-4: math.fma
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64x64xf32>)
  linalg.generic {
    indexing_maps = [affine_map<(i, j, k, l) -> (i + k, j + l)>, affine_map<(i, j, k, l) -> (k, l)>,
                     affine_map<(i, j, k, l) -> (i, j)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
    ins(%x, %w : memref<66x66xf32>, memref<3x3xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// An index for each element: checked and gathered for all lanes at once.
// CHECK-LABEL: func.func @gather_elements
func.func @gather_elements(%x: memref<?xf32>, %ids: memref<?xi64>, %y: memref<?xf32>, %n: index) {
  // CHECK: ds.checked_index {{.*}} : vector<16xindex>
  // CHECK: vector.gather
  // CHECK-NOT: memref.load
  linalg.generic {
    indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]}
    ins(%ids : memref<?xi64>) outs(%y : memref<?xf32>) {
  ^bb0(%id: i64, %o: f32):
    %i = arith.index_cast %id : i64 to index
    %safe = ds.checked_index %i in %n wrap : index
    %v = memref.load %x[%safe] : memref<?xf32>
    linalg.yield %v : f32
  }
  return
}

// -----

// Whether %b broadcasts along the rows is decided once; both versions read
// vectors or one element.
// CHECK-LABEL: func.func @undecided
// CHECK-SAME: %[[X:[^:]+]]: memref<?x?xf32>, %[[B:[^:]+]]: memref<?xf32>
func.func @undecided(%x: memref<?x?xf32>, %b: memref<?xf32>, %y: memref<?x?xf32>, %last: index) {
  // CHECK: arith.cmpi sge
  // CHECK: scf.if
  // CHECK:   vector.load %[[B]]
  // CHECK:   vector.maskedload %[[B]]
  // CHECK: else
  // CHECK-NOT: vector.load %[[B]]
  // CHECK:   memref.load %[[B]]
  // CHECK-NOT: vector.gather
  // CHECK: return
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %j = linalg.index 1 : index
    %k = arith.minsi %j, %last : index
    %v = memref.load %b[%k] : memref<?xf32>
    %s = arith.addf %a, %v : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// Rows picked by index: the index is read once, the row by vectors.
// CHECK-LABEL: func.func @gather_rows
func.func @gather_rows(%table: memref<100x32xf32>, %ids: memref<?xi64>,
                       %y: memref<?x32xf32>) {
  // CHECK: memref.load {{.*}} : memref<?xi64>
  // CHECK: ds.checked_index
  // CHECK: vector.load {{.*}} : memref<100x32xf32>, vector<16xf32>
  // CHECK: vector.store
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%ids : memref<?xi64>) outs(%y : memref<?x32xf32>) {
  ^bb0(%id: i64, %o: f32):
    %c100 = arith.constant 100 : index
    %i = arith.index_cast %id : i64 to index
    %safe = ds.checked_index %i in %c100 wrap : index
    %j = linalg.index 1 : index
    %v = memref.load %table[%safe, %j] : memref<100x32xf32>
    linalg.yield %v : f32
  }
  return
}

// -----

// A clamp that ends at a known element, and not at the first, is none of a
// broadcast: past it, the last element is read again and again.
// CHECK-LABEL: func.func @clamped
// CHECK-NOT: memref.load
// CHECK: vector.gather
// CHECK-NOT: memref.load
// CHECK: return
func.func @clamped(%x: memref<5xf32>, %y: memref<32xf32>) {
  %c4 = arith.constant 4 : index
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%y : memref<32xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = arith.minsi %i, %c4 : index
    %v = memref.load %x[%j] : memref<5xf32>
    linalg.yield %v : f32
  }
  return
}
