// RUN: ds-opt %s --split-input-file --verify-diagnostics

func.func @kv_append_c1(%c: tensor<2x4x9x8xf32>, %r: tensor<4x2x8xf32>) {
  // expected-error @+1 {{C1: expected rows of rank 4, found 'tensor<4x2x8xf32>'}}
  %0 = ds.kv_append %c, %r : (tensor<2x4x9x8xf32>, tensor<4x2x8xf32>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @kv_append_c2(%c: tensor<2x4x9x8xf32>, %r: tensor<2x3x2x8xf32>) {
  // expected-error @+1 {{C2: expected dim 1 of rows to be 4, found 3}}
  %0 = ds.kv_append %c, %r : (tensor<2x4x9x8xf32>, tensor<2x3x2x8xf32>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @kv_append_c3(%c: tensor<2x4x9x8xf32>, %r: tensor<2x4x10x8xf32>) {
  // expected-error @+1 {{C3: expected at most 9 rows, as the cache has, found 10}}
  %0 = ds.kv_append %c, %r circular : (tensor<2x4x9x8xf32>, tensor<2x4x10x8xf32>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @kv_append_c4(%c: tensor<2x4x9x8xf32>, %r: tensor<2x4x1x8xf32>, %p: tensor<3xi64>) {
  // expected-error @+1 {{C4: expected positions of shape [B], found 'tensor<3xi64>' for 'tensor<2x4x9x8xf32>'}}
  %0 = ds.kv_append %c, %r at %p : (tensor<2x4x9x8xf32>, tensor<2x4x1x8xf32>, tensor<3xi64>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @kv_append_c5(%c: tensor<2x4x9x8xf32>, %r: tensor<2x4x1x8xf16>) {
  // expected-error @+1 {{C5: expected element type 'f32', found 'tensor<2x4x1x8xf16>'}}
  %0 = ds.kv_append %c, %r : (tensor<2x4x9x8xf32>, tensor<2x4x1x8xf16>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @kv_append_c6(%c: tensor<2x4x9x8xf32>, %r: tensor<2x4x1x8xf32>) {
  // expected-error @+1 {{C6: expected a result of type 'tensor<2x4x9x8xf32>', found 'tensor<2x4x1x8xf32>'}}
  %0 = ds.kv_append %c, %r : (tensor<2x4x9x8xf32>, tensor<2x4x1x8xf32>) -> tensor<2x4x1x8xf32>
  return
}

// -----

func.func @index_score_c1(%q: tensor<2x4x5x8xf32>, %k: tensor<2x1x6x8xf32>, %w: tensor<2x5x4xf32>) {
  // expected-error @+1 {{C1: expected query of rank 4, key and weight of rank 3, found 'tensor<2x4x5x8xf32>', 'tensor<2x1x6x8xf32>' and 'tensor<2x5x4xf32>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<2x1x6x8xf32>, tensor<2x5x4xf32>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @index_score_c2(%q: tensor<2x4x5x8xf32>, %k: tensor<3x6x8xf32>, %w: tensor<2x5x4xf32>) {
  // expected-error @+1 {{C2: expected key of type 'tensor<2x?x?xf32>', found 'tensor<3x6x8xf32>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<3x6x8xf32>, tensor<2x5x4xf32>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @index_score_c3(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x9xf32>, %w: tensor<2x5x4xf32>) {
  // expected-error @+1 {{C3: expected key of type 'tensor<?x?x8xf32>', found 'tensor<2x6x9xf32>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<2x6x9xf32>, tensor<2x5x4xf32>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @index_score_c4(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x8xf32>, %w: tensor<2x5x3xf32>) {
  // expected-error @+1 {{C4: expected weight of type 'tensor<?x5x4xf32>', found 'tensor<2x5x3xf32>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<2x6x8xf32>, tensor<2x5x3xf32>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @index_score_c5(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x8xf32>, %w: tensor<2x5x4xf16>) {
  // expected-error @+1 {{C5: expected operands of element type 'f32', found 'tensor<2x5x4xf16>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<2x6x8xf32>, tensor<2x5x4xf16>) -> tensor<2x5x6xf32>
  return
}

// -----

func.func @index_score_c5_score(%q: tensor<2x4x5x8xf16>, %k: tensor<2x6x8xf16>, %w: tensor<2x5x4xf16>) {
  // expected-error @+1 {{C5: expected a score of element type 'f32', found 'tensor<2x5x6xf16>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf16>, tensor<2x6x8xf16>, tensor<2x5x4xf16>) -> tensor<2x5x6xf16>
  return
}

// -----

func.func @index_score_c6(%q: tensor<2x4x5x8xf32>, %k: tensor<2x6x8xf32>, %w: tensor<2x5x4xf32>) {
  // expected-error @+1 {{C6: expected a score of type 'tensor<2x5x6xf32>', found 'tensor<2x6x5xf32>'}}
  %0 = ds.index_score %q, %k, %w : (tensor<2x4x5x8xf32>, tensor<2x6x8xf32>, tensor<2x5x4xf32>) -> tensor<2x6x5xf32>
  return
}

// -----

func.func @topk_c1(%x: tensor<f32>) {
  // expected-error @+1 {{C1: expected x of rank 1 or more, found 'tensor<f32>'}}
  %0 = ds.topk %x {k = 1} : (tensor<f32>) -> tensor<1xi64>
  return
}

// -----

func.func @topk_c2(%x: tensor<3xf32>) {
  // expected-error @+1 {{C2: expected k of 0 or more, found -1}}
  %0 = ds.topk %x {k = -1} : (tensor<3xf32>) -> tensor<?xi64>
  return
}

// -----

func.func @topk_c2_integers(%x: tensor<3xi32>) {
  // expected-error @+1 {{C2: expected rows of at least 4 integers, found 'tensor<3xi32>'}}
  %0 = ds.topk %x {k = 4} : (tensor<3xi32>) -> tensor<4xi64>
  return
}

// -----

func.func @topk_c3(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{C3: expected indices of type 'tensor<2x2xi64>', found 'tensor<2x3xi64>'}}
  %0 = ds.topk %x {k = 2} : (tensor<2x3xf32>) -> tensor<2x3xi64>
  return
}

// -----

func.func @topk_c4_masked(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{C4: expected x of floats with masked, found 'tensor<2x3xi32>'}}
  %0 = ds.topk %x {k = 2, masked} : (tensor<2x3xi32>) -> tensor<2x2xi64>
  return
}

// -----

func.func @topk_c3_values(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{C3: expected values of type 'tensor<2x2xf32>', found 'tensor<2x3xf32>'}}
  %0, %1 = ds.topk %x {k = 2} : (tensor<2x3xf32>) -> (tensor<2x2xi64>, tensor<2x3xf32>)
  return
}

// -----

func.func @topk_c4_values(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{C4: expected values of element type 'f32', found 'tensor<2x2xf16>'}}
  %0, %1 = ds.topk %x {k = 2} : (tensor<2x3xf32>) -> (tensor<2x2xi64>, tensor<2x2xf16>)
  return
}
