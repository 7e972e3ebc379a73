// RUN: ds-opt %s --transform-interpreter --verify-diagnostics

// A tile that starts within a panel would need a slice of parts of panels.
func.func @within_a_panel(%x: tensor<?x384xf32>, %w: tensor<3x2x384x16xf32>,
                          %init: tensor<?x80xf32>) -> tensor<?x80xf32> {
  // expected-error @+3 {{to tile operation}}
  // expected-error @+2 {{failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %0 = ds.packed_matmul
         ins(%x, %w : tensor<?x384xf32>, tensor<3x2x384x16xf32>)
         outs(%init : tensor<?x80xf32>) -> tensor<?x80xf32>
  return %0 : tensor<?x80xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.packed_matmul"]} in %root
      : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{failed to apply}}
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [8, 16]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
