// RUN: ds-opt %s --split-input-file --verify-diagnostics

func.func @weight_c1() {
  // expected-error @+1 {{C1: transform #ds.transpose<[0, 1, 2]> does not fit a tensor of shape [8, 4]}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.transpose<[0, 1, 2]>] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c2() {
  // expected-error @+1 {{C2: expected result type 'tensor<4x8xf32>', found 'tensor<8x4xf32>'}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.transpose<[1, 0]>] : tensor<8x4xf32>
  return
}

// -----

func.func @linear_c1(%x: tensor<f32>, %w: tensor<4x8xf32>) {
  // expected-error @+1 {{C1: expected x of rank 1 or more, found 'tensor<f32>'}}
  %0 = ds.linear %x, %w : (tensor<f32>, tensor<4x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @linear_c2(%x: tensor<2x4xf32>, %w: tensor<4x?xf32>) {
  // expected-error @+1 {{C2: expected w to be a matrix of static shape, found 'tensor<4x?xf32>'}}
  %0 = ds.linear %x, %w : (tensor<2x4xf32>, tensor<4x?xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @linear_c3(%x: tensor<2x5xf32>, %w: tensor<4x8xf32>) {
  // expected-error @+1 {{C3: expected the last dim of x to be 4, found 5}}
  %0 = ds.linear %x, %w : (tensor<2x5xf32>, tensor<4x8xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_c4(%x: tensor<2x4xf32>, %w: tensor<4x8xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{C4: expected bias to be a vector of 8 elements, found 'tensor<4xf32>'}}
  %0 = ds.linear %x, %w, %b : (tensor<2x4xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @linear_c5(%x: tensor<2x4xf32>, %w: tensor<4x8xf16>) {
  // expected-error @+1 {{C5: expected operands of element type 'f32', found 'tensor<4x8xf16>'}}
  %0 = ds.linear %x, %w : (tensor<2x4xf32>, tensor<4x8xf16>) -> tensor<2x8xf32>
  return
}

// -----

func.func @packed_matmul_c1(%x: tensor<2x4xf32>, %w: tensor<1x4x?xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C1: expected packed of rank 3 with a static last dim, found 'tensor<1x4x?xf32>'}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x4x?xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c2(%x: tensor<2x5xf32>, %w: tensor<1x4x32xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C2: expected dim 1 of packed to be 5, found 4}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x5xf32>, tensor<1x4x32xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c3(%x: tensor<2x4xf32>, %w: tensor<1x4x32xf32>, %y: tensor<3x32xf32>) {
  // expected-error @+1 {{C3: expected dim 0 of init to be 2, found 3}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x4x32xf32>) outs(%y : tensor<3x32xf32>) -> tensor<3x32xf32>
  return
}

// -----

func.func @packed_matmul_c4(%x: tensor<2x4xf32>, %w: tensor<1x4x32xf32>, %y: tensor<2x33xf32>) {
  // expected-error @+1 {{C4: expected 2 panels in packed for 33 columns, found 1}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x4x32xf32>) outs(%y : tensor<2x33xf32>) -> tensor<2x33xf32>
  return
}

// -----

func.func @packed_matmul_c5(%x: tensor<2x4xf32>, %w: memref<1x4x32xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C5: expected tensors and a result of init's type, or memrefs and no result}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, memref<1x4x32xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}
