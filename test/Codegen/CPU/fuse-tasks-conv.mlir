// RUN: ds-opt %s --split-input-file --ds-fuse-tasks --canonicalize --cse | FileCheck %s

// Tiles are whole rows of positions by a panel of feature maps; what is made of
// the sums puts them in the order of the result. A small weight is read for each
// part of the image: panels are the last loop.
// CHECK-LABEL: func.func @bias
// CHECK: scf.forall (%[[N:.+]], %[[I:.+]], %[[M:.+]]) in (%{{.+}}, 10, 2)
// CHECK-DAG: tensor.extract_slice %{{.+}}[%[[N]], 0, %{{.+}}, 0] [1, 4, %{{.+}}, 30] {{.*}} to tensor<1x4x?x30xf32>
// CHECK-DAG: tensor.extract_slice %{{.+}}[0, %[[M]], 0, 0, 0] [1, 1, 2, 36, 16]
// CHECK: bufferization.alloc_tensor() : tensor<1x2x28x32xf32>
// CHECK: %[[SUMS:.+]] = ds.packed_conv
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]],
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: ds.packed_conv
func.func @bias(%x: tensor<?x4x21x30xf32>, %w: tensor<1x2x2x36x16xf32>, %b: tensor<64xf32>, %n: index) -> tensor<?x64x19x28xf32> {
  %e = tensor.empty(%n) : tensor<?x19x28x64xf32>
  %p = ds.packed_conv kernel [3, 3] strides [1, 1] dilations [1, 1]
         ins(%x, %w : tensor<?x4x21x30xf32>, tensor<1x2x2x36x16xf32>) outs(%e : tensor<?x19x28x64xf32>) -> tensor<?x19x28x64xf32>
  %o = tensor.empty(%n) : tensor<?x64x19x28xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(n, m, i, j) -> (n, i, j, m)>, affine_map<(n, m, i, j) -> (m)>,
                       affine_map<(n, m, i, j) -> (n, m, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p, %b : tensor<?x19x28x64xf32>, tensor<64xf32>) outs(%o : tensor<?x64x19x28xf32>) {
  ^bb0(%v: f32, %c: f32, %r: f32):
    %s = arith.addf %v, %c : f32
    linalg.yield %s : f32
  } -> tensor<?x64x19x28xf32>
  return %y : tensor<?x64x19x28xf32>
}

// -----

// Of a large weight a panel stays in the cache for all images: panels are the
// first loop. A long row is cut into parts of whole register tiles.
// CHECK-LABEL: func.func @large_weight
// CHECK: scf.forall (%[[M:.+]], %[[N:.+]], %{{.+}}) in (16, 3, 4)
// CHECK: tensor.extract_slice %{{.+}}[%[[N]], 0, %{{.+}}] [1, 1024, 50]
// CHECK: tensor.extract_slice %{{.+}}[0, %[[M]], 0, 0, 0] [1, 1, 2, 3072, 16]
// CHECK: ds.packed_conv {{.*}} -> tensor<1x48x32xf32>
func.func @large_weight(%x: tensor<3x1024x194xf32>, %w: tensor<1x16x2x3072x16xf32>) -> tensor<3x512x192xf32> {
  %e = tensor.empty() : tensor<3x192x512xf32>
  %p = ds.packed_conv kernel [3] strides [1] dilations [1]
         ins(%x, %w : tensor<3x1024x194xf32>, tensor<1x16x2x3072x16xf32>) outs(%e : tensor<3x192x512xf32>) -> tensor<3x192x512xf32>
  %o = tensor.empty() : tensor<3x512x192xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(n, m, i) -> (n, i, m)>, affine_map<(n, m, i) -> (n, m, i)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p : tensor<3x192x512xf32>) outs(%o : tensor<3x512x192xf32>) {
  ^bb0(%v: f32, %r: f32):
    linalg.yield %v : f32
  } -> tensor<3x512x192xf32>
  return %y : tensor<3x512x192xf32>
}

// -----

// A tile is in one group, whose channels alone it reads.
// CHECK-DAG: #[[CHANNEL:.+]] = affine_map<(d0) -> (d0 * 3)>
// CHECK-LABEL: func.func @groups
// CHECK: scf.forall (%[[M:.+]]) in (4)
// CHECK: %[[C:.+]] = affine.apply #[[CHANNEL]](%[[M]])
// CHECK: tensor.extract_slice %{{.+}}[0, %[[C]], 0] [1, 3, 10]
// CHECK: tensor.extract_slice %{{.+}}[%[[M]], 0, 0, 0, 0] [1, 1, 2, 9, 16]
// CHECK: ds.packed_conv {{.*}} -> tensor<1x8x20xf32>
func.func @groups(%x: tensor<1x12x10xf32>, %w: tensor<4x1x2x9x16xf32>) -> tensor<1x80x8xf32> {
  %e = tensor.empty() : tensor<1x8x80xf32>
  %p = ds.packed_conv kernel [3] strides [1] dilations [1]
         ins(%x, %w : tensor<1x12x10xf32>, tensor<4x1x2x9x16xf32>) outs(%e : tensor<1x8x80xf32>) -> tensor<1x8x80xf32>
  %o = tensor.empty() : tensor<1x80x8xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(n, m, i) -> (n, i, m)>, affine_map<(n, m, i) -> (n, m, i)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p : tensor<1x8x80xf32>) outs(%o : tensor<1x80x8xf32>) {
  ^bb0(%v: f32, %r: f32):
    linalg.yield %v : f32
  } -> tensor<1x80x8xf32>
  return %y : tensor<1x80x8xf32>
}

// -----

// Where channels do not mix, a plane is padded, summed and finished in one task.
// CHECK-LABEL: func.func @planes
// CHECK-NOT: linalg.fill
// CHECK: scf.forall (%[[N:.+]], %[[C:.+]]) in (%{{.+}}, 8)
// CHECK: tensor.extract_slice %{{.+}}[%[[N]], %[[C]], 0, 0] [1, 1, 9, 9]
// CHECK: bufferization.alloc_tensor() : tensor<1x1x11x11xf32>
// CHECK: tensor.insert_slice
// CHECK: arith.mulf
// CHECK: arith.maximumf
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: linalg.generic
func.func @planes(%x: tensor<?x8x9x9xf32>, %w: tensor<8x3x3xf32>, %n: index) -> tensor<?x8x9x9xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<?x8x9x9xf32> to tensor<?x8x11x11xf32>
  %e = tensor.empty(%n) : tensor<?x8x9x9xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8x9x9xf32>) -> tensor<?x8x9x9xf32>
  %p = linalg.generic {
      indexing_maps = [affine_map<(n, m, i, j, k, l) -> (n, m, i + k, j + l)>, affine_map<(n, m, i, j, k, l) -> (m, k, l)>,
                       affine_map<(n, m, i, j, k, l) -> (n, m, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%padded, %w : tensor<?x8x11x11xf32>, tensor<8x3x3xf32>) outs(%f : tensor<?x8x9x9xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  } -> tensor<?x8x9x9xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(n, m, i, j) -> (n, m, i, j)>, affine_map<(n, m, i, j) -> (n, m, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p : tensor<?x8x9x9xf32>) outs(%e : tensor<?x8x9x9xf32>) {
  ^bb0(%v: f32, %r: f32):
    %s = arith.maximumf %v, %zero : f32
    linalg.yield %s : f32
  } -> tensor<?x8x9x9xf32>
  return %y : tensor<?x8x9x9xf32>
}

// -----

// Where channels mix, one that is padded with the sums would be padded many
// times. Planes are padded alone, where they belong.
// CHECK-LABEL: func.func @mixed_channels
// CHECK: scf.forall (%[[C:.+]]) in (8) shared_outs(%[[ALL:.+]] =
// CHECK: %[[PLANE:.+]] = tensor.extract_slice %[[ALL]][0, %[[C]], 0] [1, 1, 11]
// CHECK: %[[ZEROS:.+]] = linalg.fill ins(%{{.+}}) outs(%[[PLANE]]
// CHECK: tensor.insert_slice %{{.+}} into %[[ZEROS]][0, 0, 1] [1, 1, 9]
// CHECK-NOT: scf.forall (
// CHECK: arith.mulf
func.func @mixed_channels(%x: tensor<1x8x9xf32>, %w: tensor<4x8x3xf32>, %e: tensor<1x4x9xf32>) -> tensor<1x4x9xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%a: index, %b: index, %c: index):
    tensor.yield %zero : f32
  } : tensor<1x8x9xf32> to tensor<1x8x11xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x9xf32>) -> tensor<1x4x9xf32>
  %p = linalg.generic {
      indexing_maps = [affine_map<(n, m, i, c, k) -> (n, c, i + k)>, affine_map<(n, m, i, c, k) -> (m, c, k)>,
                       affine_map<(n, m, i, c, k) -> (n, m, i)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%padded, %w : tensor<1x8x11xf32>, tensor<4x8x3xf32>) outs(%f : tensor<1x4x9xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    %s = arith.addf %o, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x4x9xf32>
  return %p : tensor<1x4x9xf32>
}
