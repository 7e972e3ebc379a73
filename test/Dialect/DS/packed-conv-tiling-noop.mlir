// RUN: ds-opt %s --transform-interpreter --verify-diagnostics --split-input-file

// A tile that starts within a panel would need a slice of parts of panels.
func.func @within_a_panel(%x: tensor<?x4x9xf32>, %w: tensor<1x3x2x12x16xf32>, %y: tensor<?x7x80xf32>) -> tensor<?x7x80xf32> {
  // expected-error @+3 {{to tile operation}}
  // expected-error @+2 {{failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1]
         ins(%x, %w : tensor<?x4x9xf32>, tensor<1x3x2x12x16xf32>) outs(%y : tensor<?x7x80xf32>) -> tensor<?x7x80xf32>
  return %0 : tensor<?x7x80xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.packed_conv"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{failed to apply}}
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [1, 4, 16]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile of two groups of three would read two slices of x.
func.func @two_groups(%x: tensor<?x12x9xf32>, %w: tensor<3x1x1x12x16xf32>, %y: tensor<?x7x48xf32>) -> tensor<?x7x48xf32> {
  // expected-error @+3 {{to tile operation}}
  // expected-error @+2 {{failed to generate tiling loops}}
  // expected-note @+1 {{when applied to this op}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1]
         ins(%x, %w : tensor<?x12x9xf32>, tensor<3x1x1x12x16xf32>) outs(%y : tensor<?x7x48xf32>) -> tensor<?x7x48xf32>
  return %0 : tensor<?x7x48xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.packed_conv"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{failed to apply}}
    %tiled, %loop = transform.structured.tile_using_forall %op tile_sizes [1, 4, 32]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
