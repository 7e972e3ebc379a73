// RUN: ds-opt %s --split-input-file --ds-fuse-tasks | FileCheck %s

// A product that two ops read is computed once, for both.
// CHECK-LABEL: func.func @two_readers
// CHECK-NOT: scf.forall
#id = affine_map<(i, j) -> (i, j)>
func.func @two_readers(%x: tensor<?x64xf32>, %w: tensor<1x2x64x16xf32>, %e: tensor<?x32xf32>)
    -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %p = ds.packed_matmul ins(%x, %w : tensor<?x64xf32>, tensor<1x2x64x16xf32>)
         outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) {
  ^bb0(%v: f32, %o: f32):
    %s = arith.addf %v, %v : f32
    linalg.yield %s : f32
  } -> tensor<?x32xf32>
  return %a, %p : tensor<?x32xf32>, tensor<?x32xf32>
}

// -----

// A transposed reader would write columns.
// CHECK-LABEL: func.func @transposed
// CHECK-NOT: scf.forall
func.func @transposed(%x: tensor<48x64xf32>, %w: tensor<1x2x64x16xf32>, %e: tensor<48x32xf32>,
                      %t: tensor<32x48xf32>) -> tensor<32x48xf32> {
  %p = ds.packed_matmul ins(%x, %w : tensor<48x64xf32>, tensor<1x2x64x16xf32>)
         outs(%e : tensor<48x32xf32>) -> tensor<48x32xf32>
  %a = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<48x32xf32>) outs(%t : tensor<32x48xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<32x48xf32>
  return %a : tensor<32x48xf32>
}

// -----

// Rows that each need the sum of all of them are not computed one by one.
// CHECK-LABEL: func.func @whole_sum
// CHECK-NOT: scf.forall
func.func @whole_sum(%x: tensor<8x16xf32>, %zero: tensor<f32>, %e: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %s = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
      iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<8x16xf32>) outs(%zero : tensor<f32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<f32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<8x16xf32>, tensor<f32>) outs(%e : tensor<8x16xf32>) {
  ^bb0(%v: f32, %t: f32, %o: f32):
    %r = arith.divf %v, %t : f32
    linalg.yield %r : f32
  } -> tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// -----

// The rows of a softmax do not take the product in front of them along: each
// would read all of its right-hand side.
// CHECK-LABEL: func.func @product
// CHECK: arith.mulf
// CHECK: scf.forall (
// CHECK-NOT: arith.mulf
#full = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @product(%x: tensor<?x64xf32>, %w: tensor<64x32xf32>, %zeros: tensor<?x32xf32>,
                   %zero: tensor<?xf32>, %e: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %p = linalg.generic {
      indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
                       affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<64x32xf32>) outs(%zeros : tensor<?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<?x32xf32>
  %s = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<?x32xf32>) outs(%zero : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<?x32xf32>, tensor<?xf32>) outs(%e : tensor<?x32xf32>) {
  ^bb0(%v: f32, %t: f32, %o: f32):
    %r = arith.divf %v, %t : f32
    linalg.yield %r : f32
  } -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// Nothing is tiled where there is nothing.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: scf.forall
#full = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @empty(%x: tensor<0x4xf32>, %zero: tensor<0xf32>, %e: tensor<0x4xf32>) -> tensor<0x4xf32> {
  %s = linalg.generic {indexing_maps = [#full, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<0x4xf32>) outs(%zero : tensor<0xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<0xf32>
  %y = linalg.generic {indexing_maps = [#full, #row, #full], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<0x4xf32>, tensor<0xf32>) outs(%e : tensor<0x4xf32>) {
  ^bb0(%v: f32, %t: f32, %o: f32):
    %r = arith.divf %v, %t : f32
    linalg.yield %r : f32
  } -> tensor<0x4xf32>
  return %y : tensor<0x4xf32>
}
