// RUN: ds-opt %s --transform-interpreter --verify-diagnostics --split-input-file

// A softmax over a tile is not one over all keys.
func.func @keys(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: the softmax over a tile of the keys is not that over all: they are tiled as a partial reduction alone}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 0, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Tiles of three heads would have heads of two groups of two.
func.func @heads(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: a tile of query heads is not known to be whole groups, or within one}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 3] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Groups of a size that is not known.
func.func @unknown_heads(%q: tensor<3x?x9x16xf32>, %k: tensor<3x?x9x16xf32>) -> tensor<3x?x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: a tile of query heads is not known to be whole groups, or within one}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x?x9x16xf32>, tensor<3x?x9x16xf32>, tensor<3x?x9x16xf32>) -> tensor<3x?x9x16xf32>
  return %0 : tensor<3x?x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Each tile of columns would give lse once more.
func.func @lse(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>) -> (tensor<3x8x9x16xf32>, tensor<3x8x9xf32>) {
  // expected-error @+3 {{cannot be tiled so: each tile of value columns would give the same lse}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0:2 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>) -> (tensor<3x8x9x16xf32>, tensor<3x8x9xf32>)
  return %0#0, %0#1 : tensor<3x8x9x16xf32>, tensor<3x8x9xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Rows of a list are split.
func.func @lists(%q: tensor<3x8x9x16xf32>, %lists: tensor<1x1x3x2xi64>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: a tile of query rows is not known to begin at a multiple of query_block}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %q, %q key_index %lists {key_block = 3, query_block = 4, scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>, tensor<1x1x3x2xi64>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 6] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Offsets of packed rows are those of all rows.
func.func @packed_rows(%q: tensor<1x8x9x16xf32>, %offsets: tensor<?xi64>) -> tensor<1x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: row_offsets tell the sequences of all packed rows}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %q, %q row_offsets %offsets {scale = 0.3 : f32}
    : (tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<?xi64>) -> tensor<1x8x9x16xf32>
  return %0 : tensor<1x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile of a size that is known when it runs only.
func.func @packed_batch(%q: tensor<1x8x9x16xf32>, %offsets: tensor<?xi64>) -> tensor<1x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: packed rows are those of one batch}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %q, %q row_offsets %offsets {scale = 0.3 : f32}
    : (tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<?xi64>) -> tensor<1x8x9x16xf32>
  return %0 : tensor<1x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [2] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Parts of packed rows.
func.func @packed_keys(%q: tensor<1x8x9x16xf32>, %offsets: tensor<?xi64>) -> tensor<1x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: row_offsets tell the keys of packed rows, of which there are no parts}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %q, %q row_offsets %offsets {scale = 0.3 : f32}
    : (tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<1x8x9x16xf32>, tensor<?xi64>) -> tensor<1x8x9x16xf32>
  return %0 : tensor<1x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{could not tile reduction}}
    transform.structured.tile_reduction_using_forall %op by tile_sizes = [0, 0, 0, 0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Lists count blocks of all keys.
func.func @listed_keys(%q: tensor<3x8x9x16xf32>, %lists: tensor<1x1x9x2xi64>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: key_index lists blocks of all keys, of which there are no parts}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %q, %q key_index %lists {key_block = 3, scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>, tensor<1x1x9x2xi64>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{could not tile reduction}}
    transform.structured.tile_reduction_using_forall %op by tile_sizes = [0, 0, 0, 0, 3]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// prob_mod sees weights that are divided by the sum over all keys.
func.func @weights(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: prob_mod applies to weights of all keys, which no part of them knows}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %k, %k prob_mod {
  ^bb0(%w: f32, %b: index, %h: index, %p: index, %j: index):
    %square = arith.mulf %w, %w : f32
    ds.yield %square : f32
  } {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 0, 0, 0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Parts of pages.
func.func @pages(%q: tensor<3x8x9x16xf32>, %k: tensor<?x8x16x16xf32>, %pages: tensor<3x?xi64>) -> tensor<3x8x9x16xf32> {
  // expected-error @+3 {{cannot be tiled so: a part of the keys is not known to be whole pages}}
  // expected-error @+2 {{to tile operation}}
  // expected-error @+1 {{failed to generate tiling loops}}
  %0 = ds.attention %q, %k, %k kv_page %pages {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<?x8x16x16xf32>, tensor<?x8x16x16xf32>, tensor<3x?xi64>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{could not tile reduction}}
    transform.structured.tile_reduction_using_forall %op by tile_sizes = [0, 0, 0, 0, 24]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Keys are tiled, but rows are said to be.
func.func @reduction_of_rows(%q: tensor<3x8x9x16xf32>) -> tensor<3x8x9x16xf32> {
  // expected-error @+1 {{cannot be tiled so: keys are the only reduction}}
  %0 = ds.attention %q, %q, %q {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>, tensor<3x8x9x16xf32>) -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op reduction_dims = [2] by tile_sizes = [0, 0, 0, 0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A fusion that there is not leaves attention in front of the loop.
func.func @fused(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32> {
  // expected-remark @+1 {{cannot be tiled so: a tile of query heads is not known to be whole groups, or within one}}
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>) -> tensor<3x8x9x16xf32>
  %1 = linalg.exp ins(%0 : tensor<3x8x9x16xf32>) outs(%q : tensor<3x8x9x16xf32>) -> tensor<3x8x9x16xf32>
  return %1 : tensor<3x8x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["linalg.exp"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse %op tile_sizes [1, 3]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
