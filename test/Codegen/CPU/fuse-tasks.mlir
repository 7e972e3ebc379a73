// RUN: ds-opt %s --split-input-file --ds-fuse-tasks --canonicalize --cse | FileCheck %s

// The bias is added to a tile of the product while the tile is in the cache. The
// tile has a size of its own, so that the whole product is never in memory.
// CHECK-LABEL: func.func @bias
// CHECK-SAME: %[[X:.+]]: tensor<?x64xf32>, %[[W:.+]]: tensor<4x2x64x16xf32>, %[[B:.+]]: tensor<128xf32>
// CHECK: scf.forall (%[[I:.+]], %[[J:.+]]) in (%{{.+}}, 4)
// CHECK:   %[[ROWS:.+]] = affine.min
// CHECK:   %[[EMPTY:.+]] = bufferization.alloc_tensor() : tensor<48x32xf32>
// CHECK:   %[[TILE:.+]] = tensor.extract_slice %[[EMPTY]][0, 0] [%[[ROWS]], 32]
// CHECK:   %[[P:.+]] = ds.packed_matmul {{.*}} outs(%[[TILE]]
// CHECK:   linalg.generic {{.*}} ins(%[[P]],
// CHECK:   tensor.parallel_insert_slice
// CHECK-NOT: ds.packed_matmul
func.func @bias(%x: tensor<?x64xf32>, %w: tensor<4x2x64x16xf32>, %b: tensor<128xf32>,
                %m: index) -> tensor<?x128xf32> {
  %e = tensor.empty(%m) : tensor<?x128xf32>
  %p = ds.packed_matmul ins(%x, %w : tensor<?x64xf32>, tensor<4x2x64x16xf32>)
         outs(%e : tensor<?x128xf32>) -> tensor<?x128xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                       affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<?x128xf32>, tensor<128xf32>) outs(%e : tensor<?x128xf32>) {
  ^bb0(%v: f32, %c: f32, %o: f32):
    %s = arith.addf %v, %c : f32
    linalg.yield %s : f32
  } -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// A softmax is one loop over rows; the exponentials, which the sum and the
// quotient read, are computed once.
// CHECK-LABEL: func.func @softmax
// CHECK: scf.forall (%{{.+}}) in (%{{.+}}) shared_outs
// CHECK-NOT: scf.forall (
// CHECK: arith.maximumf
// CHECK-NOT: scf.forall (
// CHECK: math.exp
// CHECK-NOT: scf.forall (
// CHECK: arith.addf
// CHECK-NOT: scf.forall (
// CHECK-NOT: math.exp
// CHECK: arith.divf
// CHECK: tensor.parallel_insert_slice {{.*}} [1, %{{.+}}] [1, 1]
// CHECK-NOT: scf.forall (
// CHECK: return
#full = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @softmax(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %rows = tensor.empty(%m) : tensor<?xf32>
  %all = tensor.empty(%m, %n) : tensor<?x?xf32>
  %f0 = linalg.fill ins(%low : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %largest = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%f0 : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.maximumf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %e = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]}
      ins(%x, %largest : tensor<?x?xf32>, tensor<?xf32>) outs(%all : tensor<?x?xf32>) {
  ^bb0(%v: f32, %l: f32, %o: f32):
    %d = arith.subf %v, %l : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]}
      ins(%e : tensor<?x?xf32>) outs(%f1 : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]}
      ins(%e, %sum : tensor<?x?xf32>, tensor<?xf32>) outs(%all : tensor<?x?xf32>) {
  ^bb0(%v: f32, %s: f32, %o: f32):
    %r = arith.divf %v, %s : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
