// RUN: ds-opt %s --transform-interpreter --canonicalize --split-input-file | FileCheck %s

// Tiles hold whole panels, and the product moves into the loop of its consumer.
// CHECK: #[[PANEL:.+]] = affine_map<(d0) -> (d0 floordiv 32)>
// CHECK: #[[COUNT:.+]] = affine_map<({{.*}}) -> ({{.*}} ceildiv 32)>
// CHECK-LABEL: func.func @fused
// CHECK: scf.forall (%[[M:.+]], %[[N:.+]]) = (0, 0) to (%{{.+}}, 80) step (8, 64)
// CHECK: %[[P:.+]] = affine.apply #[[PANEL]](%[[N]])
// CHECK: tensor.extract_slice %{{.+}}[%[[M]], 0] [%{{.+}}, 384]
// CHECK: tensor.extract_slice %{{.+}}[%[[P]], 0, 0, 0] [%{{.+}}, 2, 384, 16]
// CHECK: ds.packed_matmul
// CHECK: linalg.generic
func.func @fused(%x: tensor<?x384xf32>, %w: tensor<3x2x384x16xf32>,
                 %init: tensor<?x80xf32>) -> tensor<?x80xf32> {
  %0 = ds.packed_matmul
         ins(%x, %w : tensor<?x384xf32>, tensor<3x2x384x16xf32>)
         outs(%init : tensor<?x80xf32>) -> tensor<?x80xf32>
  %1 = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%0 : tensor<?x80xf32>) outs(%init : tensor<?x80xf32>) {
  ^bb0(%a: f32, %b: f32):
    %2 = arith.addf %a, %a : f32
    linalg.yield %2 : f32
  } -> tensor<?x80xf32>
  return %1 : tensor<?x80xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %consumer = transform.structured.match ops{["linalg.generic"]} in %root
      : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.fuse %consumer tile_sizes [8, 64] {use_forall}
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
