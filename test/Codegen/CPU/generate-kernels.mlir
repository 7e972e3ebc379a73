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

// A transposed read is no vector access: element by element.
// CHECK-LABEL: func.func @transpose
func.func @transpose(%x: memref<64x64xf32>, %y: memref<64x64xf32>) {
  // CHECK-NOT: vector.
  // CHECK: memref.load
  // CHECK: memref.store
  linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<64x64xf32>) outs(%y : memref<64x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
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
