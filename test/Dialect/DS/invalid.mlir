// RUN: ds-opt %s --split-input-file --verify-diagnostics

func.func @weight_c1() {
  // expected-error @+1 {{C1: transform #ds.transpose<[0, 1, 2]> does not fit a tensor of shape [8, 4]}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.transpose<[0, 1, 2]>] : tensor<4x8xf32>
  return
}

// -----

func.func @weight_c1_select() {
  // expected-error @+1 {{C1: transform #ds.select<0, [0, 8]> does not fit a tensor of shape [8, 4]}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.select<0, [0, 8]>] : tensor<2x4xf32>
  return
}

// -----

func.func @weight_c1_scale() {
  // expected-error @+1 {{C1: transform #ds.scale<0, [1.000000e+00, 2.000000e+00, 3.000000e+00]> does not fit a tensor of shape [8, 4]}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.scale<0, [1.0, 2.0, 3.0]>] : tensor<8x4xf32>
  return
}

// -----

func.func @weight_c1_scale_integers() {
  // expected-error @+1 {{C1: #ds.scale is a step of floats, found 'i32'}}
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xi32>> [#ds.scale<0, [2.0]>] : tensor<8x4xi32>
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

func.func @linear_c6(%x: tensor<2x4xf32>, %w: tensor<4x8xf32>) {
  // expected-error @+1 {{C6: expected a result of type 'tensor<2x8xf32>', found 'tensor<2x4xf32>'}}
  %0 = ds.linear %x, %w : (tensor<2x4xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @packed_matmul_c1(%x: tensor<2x4xf32>, %w: tensor<1x2x4x?xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C1: expected packed of rank 4 with static strips, or of rank 5 with pairs of bf16, found 'tensor<1x2x4x?xf32>'}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x2x4x?xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

// Pairs are of bf16 only.
func.func @packed_matmul_c1_pairs(%x: tensor<2x4xf16>, %w: tensor<1x2x2x16x2xf16>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C1: expected packed of rank 4 with static strips, or of rank 5 with pairs of bf16, found 'tensor<1x2x2x16x2xf16>'}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf16>, tensor<1x2x2x16x2xf16>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c2_pairs(%x: tensor<2x5xbf16>, %w: tensor<1x2x2x16x2xbf16>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C2: expected dim 2 of packed to be 3, found 2}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x5xbf16>, tensor<1x2x2x16x2xbf16>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c6(%x: tensor<2x4xf32>, %w: tensor<1x2x4x16xf16>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C6: expected packed of 'f32', found 'f16'}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x2x4x16xf16>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c2(%x: tensor<2x5xf32>, %w: tensor<1x2x4x16xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C2: expected dim 2 of packed to be 5, found 4}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x5xf32>, tensor<1x2x4x16xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_matmul_c3(%x: tensor<2x4xf32>, %w: tensor<1x2x4x16xf32>, %y: tensor<3x32xf32>) {
  // expected-error @+1 {{C3: expected dim 0 of init to be 2, found 3}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x2x4x16xf32>) outs(%y : tensor<3x32xf32>) -> tensor<3x32xf32>
  return
}

// -----

func.func @packed_matmul_c4(%x: tensor<2x4xf32>, %w: tensor<1x2x4x16xf32>, %y: tensor<2x33xf32>) {
  // expected-error @+1 {{C4: expected 2 panels in packed for 33 columns, found 1}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, tensor<1x2x4x16xf32>) outs(%y : tensor<2x33xf32>) -> tensor<2x33xf32>
  return
}

// -----

func.func @packed_matmul_c5(%x: tensor<2x4xf32>, %w: memref<1x2x4x16xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C5: expected tensors and a result of init's type, or memrefs and no result}}
  %0 = ds.packed_matmul ins(%x, %w : tensor<2x4xf32>, memref<1x2x4x16xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_conv_c1(%x: tensor<2x4xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x32xf32>) {
  // expected-error @+1 {{C1: expected x and init of one rank, 3 or more, found 'tensor<2x4xf32>' and 'tensor<2x32xf32>'}}
  %0 = ds.packed_conv kernel [] strides [] dilations [] ins(%x, %w : tensor<2x4xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x32xf32>) -> tensor<2x32xf32>
  return
}

// -----

func.func @packed_conv_c1_packed(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x?xf32>, %y: tensor<2x7x32xf32>) {
  // expected-error @+1 {{C1: expected packed of rank 5, static but for the number of panels, found 'tensor<1x1x2x12x?xf32>'}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x?xf32>) outs(%y : tensor<2x7x32xf32>) -> tensor<2x7x32xf32>
  return
}

// -----

func.func @packed_conv_c2(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x7x32xf32>) {
  // expected-error @+1 {{C2: expected strides to be 1 positive numbers, found [0]}}
  %0 = ds.packed_conv kernel [3] strides [0] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x7x32xf32>) -> tensor<2x7x32xf32>
  return
}

// -----

func.func @packed_conv_c2_count(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x7x32xf32>) {
  // expected-error @+1 {{C2: expected kernel to be 1 positive numbers, found [3, 1]}}
  %0 = ds.packed_conv kernel [3, 1] strides [1] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x7x32xf32>) -> tensor<2x7x32xf32>
  return
}

// -----

func.func @packed_conv_c3(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<3x7x32xf32>) {
  // expected-error @+1 {{C3: expected dim 0 of init to be 2, found 3}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<3x7x32xf32>) -> tensor<3x7x32xf32>
  return
}

// -----

func.func @packed_conv_c4(%x: tensor<2x5x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x7x32xf32>) {
  // expected-error @+1 {{C4: expected 1 groups of 12 / 3 channels, found 'tensor<2x5x9xf32>'}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x5x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x7x32xf32>) -> tensor<2x7x32xf32>
  return
}

// -----

func.func @packed_conv_c5(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x7x33xf32>) {
  // expected-error @+1 {{C5: expected 1 groups of feature maps that fill 1 panels of 32, found 'tensor<2x7x33xf32>'}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x7x33xf32>) -> tensor<2x7x33xf32>
  return
}

// -----

func.func @packed_conv_c5_groups(%x: tensor<2x8x9xf32>, %w: tensor<2x1x2x12x16xf32>, %y: tensor<2x7x?xf32>) {
  // expected-error @+1 {{C5: expected a known number of feature maps in 2 groups, found 'tensor<2x7x?xf32>'}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x8x9xf32>, tensor<2x1x2x12x16xf32>) outs(%y : tensor<2x7x?xf32>) -> tensor<2x7x?xf32>
  return
}

// -----

func.func @packed_conv_c6(%x: tensor<2x4x9xf32>, %w: tensor<1x1x2x12x16xf32>, %y: tensor<2x5x32xf32>) {
  // expected-error @+1 {{C6: expected dim 2 of x to be at least 11, found 9}}
  %0 = ds.packed_conv kernel [3] strides [2] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, tensor<1x1x2x12x16xf32>) outs(%y : tensor<2x5x32xf32>) -> tensor<2x5x32xf32>
  return
}

// -----

func.func @packed_conv_c7(%x: tensor<2x4x9xf32>, %w: memref<1x1x2x12x16xf32>, %y: tensor<2x7x32xf32>) {
  // expected-error @+1 {{C7: expected tensors and a result of init's type, or memrefs and no result}}
  %0 = ds.packed_conv kernel [3] strides [1] dilations [1] ins(%x, %w : tensor<2x4x9xf32>, memref<1x1x2x12x16xf32>) outs(%y : tensor<2x7x32xf32>) -> tensor<2x7x32xf32>
  return
}

// -----

func.func @attention_c1(%q: tensor<2x4x5x8xf32>, %k: tensor<4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C1: expected key of rank 4, found 'tensor<4x6x8xf32>'}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c2(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<3x4x6x8xf32>) {
  // expected-error @+1 {{C2: expected dim 0 of value to be 2, found 3}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<3x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c3_heads(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x2x6x8xf32>) {
  // expected-error @+1 {{C3: expected dim 1 of value to be 4, found 2}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x2x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c3_rows(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x7x8xf32>) {
  // expected-error @+1 {{C3: expected dim 2 of value to be 6, found 7}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x7x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c4(%q: tensor<2x4x5x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>) {
  // expected-error @+1 {{C4: expected a multiple of 3 query heads, found 4}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x3x6x8xf32>, tensor<2x3x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c5(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x16xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C5: expected dim 3 of key to be 8, found 16}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x16xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c6(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %b: tensor<2x3x1x6xf32>) {
  // expected-error @+1 {{C6: expected bias to broadcast to 'tensor<2x4x5x6xf32>', found 'tensor<2x3x1x6xf32>'}}
  %0 = ds.attention %q, %k, %v bias %b {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<2x3x1x6xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c7(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %w: tensor<5xf32>) {
  // expected-error @+1 {{C7: expected head_weight of shape [Hq], [B, Hq] or [B, Hq, T], found 'tensor<5xf32>'}}
  %0 = ds.attention %q, %k, %v head_weight %w {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<5xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c8_operand(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf16>) {
  // expected-error @+1 {{C8: expected operands of element type 'f32', found 'tensor<2x4x6x8xf16>'}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf16>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c8_bias(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %b: tensor<6xf16>) {
  // expected-error @+1 {{C8: expected operands of element type 'f32', found 'tensor<6xf16>'}}
  %0 = ds.attention %q, %k, %v bias %b {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<6xf16>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c8_result(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C8: expected a result of element type 'f32', found 'tensor<2x4x5x8xf16>'}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf16>
  return
}

// -----

func.func @attention_c8_result_of_half(%q: tensor<2x4x5x8xf16>, %k: tensor<2x4x6x8xf16>, %v: tensor<2x4x6x8xf16>) {
  // expected-error @+1 {{C8: expected a result of element type 'f16', found 'tensor<2x4x5x8xbf16>'}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf16>, tensor<2x4x6x8xf16>, tensor<2x4x6x8xf16>) -> tensor<2x4x5x8xbf16>
  return
}

// -----

func.func @attention_c9_scale(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C9: expected a finite scale}}
  %0 = ds.attention %q, %k, %v {scale = 0x7F800000 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c9_softcap(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C9: expected a finite softcap above 0}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32, softcap = 0.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c9_window(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C9: expected left and right from 0 to 2^48, found -1}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32, left = -1} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c9_causal(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C9: right is given with causal, which is right = 0}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32, causal, right = 1} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c10(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C10: expected a result of type 'tensor<2x4x5x8xf32>', found 'tensor<2x4x6x8xf32>'}}
  %0 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x6x8xf32>
  return
}

// -----

func.func @rope_c1(%x: tensor<4x5x8xf32>, %c: tensor<5x4xf32>, %s: tensor<5x4xf32>) {
  // expected-error @+1 {{C1: expected x of rank 4, found 'tensor<4x5x8xf32>'}}
  %0 = ds.rope %x, %c, %s : (tensor<4x5x8xf32>, tensor<5x4xf32>, tensor<5x4xf32>) -> tensor<4x5x8xf32>
  return
}

// -----

func.func @rope_c2(%x: tensor<2x4x5x8xf32>, %c: tensor<5x4xf32>, %s: tensor<5x3xf32>) {
  // expected-error @+1 {{C2: expected cos and sin of one shape with a static last dim, found 'tensor<5x4xf32>' and 'tensor<5x3xf32>'}}
  %0 = ds.rope %x, %c, %s : (tensor<2x4x5x8xf32>, tensor<5x4xf32>, tensor<5x3xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @rope_c3(%x: tensor<2x4x5x8xf32>, %c: tensor<5x5xf32>, %s: tensor<5x5xf32>) {
  // expected-error @+1 {{C3: expected 2 to D elements of x to rotate, found 10}}
  %0 = ds.rope %x, %c, %s : (tensor<2x4x5x8xf32>, tensor<5x5xf32>, tensor<5x5xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @rope_c4(%x: tensor<2x4x5x8xf32>, %c: tensor<6x4xf32>, %s: tensor<6x4xf32>) {
  // expected-error @+1 {{C4: expected cos of shape [T, R/2] or [B, T, R/2], found 'tensor<6x4xf32>'}}
  %0 = ds.rope %x, %c, %s : (tensor<2x4x5x8xf32>, tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @rope_c5(%x: tensor<2x4x5x8xf32>, %c: tensor<5x4xf32>, %s: tensor<5x4xf32>, %p: tensor<6xi64>) {
  // expected-error @+1 {{C5: expected positions of shape [B, T] or [T], found 'tensor<6xi64>'}}
  %0 = ds.rope %x, %c, %s positions %p : (tensor<2x4x5x8xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<6xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @rope_c6(%x: tensor<2x4x5x8xf32>, %c: tensor<5x4xf16>, %s: tensor<5x4xf32>) {
  // expected-error @+1 {{C6: expected element type 'f32', found 'tensor<5x4xf16>'}}
  %0 = ds.rope %x, %c, %s : (tensor<2x4x5x8xf32>, tensor<5x4xf16>, tensor<5x4xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @rope_c7(%x: tensor<2x4x5x8xf32>, %c: tensor<5x4xf32>, %s: tensor<5x4xf32>) {
  // expected-error @+1 {{C7: expected a result of type 'tensor<2x4x5x8xf32>', found 'tensor<2x4x6x8xf32>'}}
  %0 = ds.rope %x, %c, %s : (tensor<2x4x5x8xf32>, tensor<5x4xf32>, tensor<5x4xf32>) -> tensor<2x4x6x8xf32>
  return
}

// -----

func.func @attention_c11_batch(%q: tensor<2x4x5x8xf32>, %o: tensor<3xi64>) {
  // expected-error @+1 {{C11: expected one packed sequence of queries and keys, found 'tensor<2x4x5x8xf32>'}}
  %0 = ds.attention %q, %q, %q row_offsets %o {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<3xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c11_bias(%q: tensor<1x4x5x8xf32>, %b: tensor<5x5xf32>, %o: tensor<3xi64>) {
  // expected-error @+1 {{C11: expected a bias without a dim of query rows, found 'tensor<5x5xf32>'}}
  %0 = ds.attention %q, %q, %q bias %b row_offsets %o {scale = 1.0 : f32} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<5x5xf32>, tensor<3xi64>) -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @attention_c7_sink(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %s: tensor<5xf32>) {
  // expected-error @+1 {{C7: expected sink of shape [Hq], found 'tensor<5xf32>'}}
  %0 = ds.attention %q, %k, %v sink %s {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<5xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c7_query_start(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %s: tensor<3xi64>) {
  // expected-error @+1 {{C7: expected query_start of shape [B], found 'tensor<3xi64>'}}
  %0 = ds.attention %q, %k, %v query_start %s {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<3xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c7_key_length(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>, %s: tensor<3xi64>) {
  // expected-error @+1 {{C7: expected key_length of shape [B], found 'tensor<3xi64>'}}
  %0 = ds.attention %q, %k, %v key_length %s {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>, tensor<3xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c8_lse(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C8: expected lse of element type 'f32', found 'tensor<2x4x5xf64>'}}
  %0, %1 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x5xf64>)
  return
}

// -----

func.func @attention_c10_lse(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{C10: expected lse of type 'tensor<2x4x5xf32>', found 'tensor<2x4x6xf32>'}}
  %0, %1 = ds.attention %q, %k, %v {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>, tensor<2x4x6x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x4x6xf32>)
  return
}

// -----

func.func @attention_c11_length(%q: tensor<1x4x5x8xf32>, %n: tensor<1xi64>, %o: tensor<3xi64>) {
  // expected-error @+1 {{C11: query_start, key_length, key_index and kv_page do not apply to packed sequences}}
  %0 = ds.attention %q, %q, %q key_length %n row_offsets %o {scale = 1.0 : f32} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1xi64>, tensor<3xi64>) -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @attention_c11_region(%q: tensor<1x4x5x8xf32>, %o: tensor<3xi64>) {
  // expected-error @+1 {{C11: score_mod does not apply to packed sequences}}
  %0 = ds.attention %q, %q, %q row_offsets %o score_mod {
  ^bb0(%s: f32, %b: index, %h: index, %p: index, %j: index):
    ds.yield %s : f32
  } {scale = 1.0 : f32} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<3xi64>) -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @attention_c12_none(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C12: expected a value or v_dim}}
  %0 = ds.attention %q, %q {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c12_both(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C12: v_dim is given with a value}}
  %0 = ds.attention %q, %q, %q {scale = 1.0 : f32, v_dim = 4} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x4xf32>
  return
}

// -----

func.func @attention_c12_wide(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C12: expected v_dim from 1 to the 8 elements of a key, found 9}}
  %0 = ds.attention %q, %q {scale = 1.0 : f32, v_dim = 9} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x9xf32>
  return
}

// -----

func.func @attention_c13_arguments(%q: tensor<2x4x5x8xbf16>) {
  // expected-error @+1 {{C13: expected arguments ('f32', 'index', 'index', 'index', 'index') of score_mod, found ('bf16', 'index')}}
  %0 = ds.attention %q, %q, %q score_mod {
  ^bb0(%s: bf16, %b: index):
    ds.yield %s : bf16
  } {scale = 1.0 : f32} : (tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>) -> tensor<2x4x5x8xbf16>
  return
}

// -----

func.func @attention_c13_result(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C13: expected mask_mod to end with ds.yield of 'i1'}}
  %0 = ds.attention %q, %q, %q mask_mod {
  ^bb0(%b: index, %h: index, %p: index, %j: index):
    ds.yield %j : index
  } {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c13_op(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C13: prob_mod has an op that is not one of scalars: tensor.dim}}
  %0 = ds.attention %q, %q, %q prob_mod {
  ^bb0(%w: f32, %b: index, %h: index, %p: index, %j: index):
    %c0 = arith.constant 0 : index
    %d = tensor.dim %q, %c0 : tensor<2x4x5x8xf32>
    ds.yield %w : f32
  } {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c14_shape(%q: tensor<2x4x5x8xf32>, %l: tensor<2x4x3x2xi64>) {
  // expected-error @+1 {{C14: expected key_index of shape [B or 1, Hkv or 1, T / query_block, N], found 'tensor<2x4x3x2xi64>'}}
  %0 = ds.attention %q, %q, %q key_index %l {key_block = 2, scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x3x2xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c14_block(%q: tensor<2x4x5x8xf32>, %l: tensor<2x4x5x2xi64>) {
  // expected-error @+1 {{C14: expected key_block and query_block of 1 or more with key_index}}
  %0 = ds.attention %q, %q, %q key_index %l {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x2xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c14_alone(%q: tensor<2x4x5x8xf32>) {
  // expected-error @+1 {{C14: key_block and query_block are given without key_index}}
  %0 = ds.attention %q, %q, %q {key_block = 2, scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @row_offsets_c1(%m: tensor<2x1x5xi64>) {
  // expected-error @+1 {{C1: expected mask of rank 2, found 'tensor<2x1x5xi64>'}}
  %0, %1 = ds.row_offsets %m : (tensor<2x1x5xi64>) -> (tensor<3xi64>, tensor<?xi64>)
  return
}

// -----

func.func @pack_rows_c1(%x: tensor<5xf32>, %r: tensor<?xi64>, %m: tensor<2x5xi64>) {
  // expected-error @+1 {{C1: expected rows of rank 2 or more, found 'tensor<5xf32>'}}
  %0 = ds.pack_rows %x by %r of %m : (tensor<5xf32>, tensor<?xi64>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @pack_rows_c2(%x: tensor<3x5xf32>, %r: tensor<?xi64>, %m: tensor<2x5xi64>) {
  // expected-error @+1 {{C2: expected the dims of mask, 'tensor<2x5xi64>', found 'tensor<3x5xf32>'}}
  %0 = ds.pack_rows %x by %r of %m : (tensor<3x5xf32>, tensor<?xi64>, tensor<2x5xi64>) -> tensor<1x?xf32>
  return
}

// -----

func.func @pack_rows_c3(%x: tensor<2x5xf32>, %r: tensor<?xi64>, %m: tensor<2x5xi64>) {
  // expected-error @+1 {{C3: expected a result of type 'tensor<1x?xf32>', found 'tensor<2x?xf32>'}}
  %0 = ds.pack_rows %x by %r of %m : (tensor<2x5xf32>, tensor<?xi64>, tensor<2x5xi64>) -> tensor<2x?xf32>
  return
}

// -----

func.func @unpack_rows_c1(%x: tensor<1x?xf32>, %o: tensor<3xi64>, %m: tensor<2xi64>) {
  // expected-error @+1 {{C1: expected mask of rank 2, found 'tensor<2xi64>'}}
  %0 = ds.unpack_rows %x by %o of %m : (tensor<1x?xf32>, tensor<3xi64>, tensor<2xi64>) -> tensor<2x5xf32>
  return
}

// -----

func.func @unpack_rows_c2(%x: tensor<1x?xf32>, %o: tensor<3xi64>, %m: tensor<2x5xi64>) {
  // expected-error @+1 {{C2: expected a result of type 'tensor<2x5xf32>', found 'tensor<2x6xf32>'}}
  %0 = ds.unpack_rows %x by %o of %m : (tensor<1x?xf32>, tensor<3xi64>, tensor<2x5xi64>) -> tensor<2x6xf32>
  return
}

// -----

func.func @attention_c15(%q: tensor<2x4x5x8xf32>, %k: tensor<7x4x6x8xf32>, %p: tensor<3x2xi64>) {
  // expected-error @+1 {{C15: expected kv_page of shape [B, P], found 'tensor<3x2xi64>'}}
  %0 = ds.attention %q, %k, %k kv_page %p {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<7x4x6x8xf32>, tensor<7x4x6x8xf32>, tensor<3x2xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c2_pages(%q: tensor<2x4x5x8xf32>, %k: tensor<7x4x6x8xf32>, %v: tensor<8x4x6x8xf32>, %p: tensor<2x2xi64>) {
  // expected-error @+1 {{C2: expected dim 0 of value to be 7, found 8}}
  %0 = ds.attention %q, %k, %v kv_page %p {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<7x4x6x8xf32>, tensor<8x4x6x8xf32>, tensor<2x2xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c6_pages(%q: tensor<2x4x5x8xf32>, %k: tensor<7x4x6x8xf32>, %b: tensor<6xf32>, %p: tensor<2x2xi64>) {
  // expected-error @+1 {{C6: expected bias to broadcast to 'tensor<2x4x5x12xf32>', found 'tensor<6xf32>'}}
  %0 = ds.attention %q, %k, %k bias %b kv_page %p {scale = 1.0 : f32} : (tensor<2x4x5x8xf32>, tensor<7x4x6x8xf32>, tensor<7x4x6x8xf32>, tensor<6xf32>, tensor<2x2xi64>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attention_c11_pages(%q: tensor<1x4x5x8xf32>, %p: tensor<1x1xi64>, %o: tensor<3xi64>) {
  // expected-error @+1 {{C11: query_start, key_length, key_index and kv_page do not apply to packed sequences}}
  %0 = ds.attention %q, %q, %q row_offsets %o kv_page %p {scale = 1.0 : f32} : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<3xi64>, tensor<1x1xi64>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// expected-error @+1 {{expected 'ds.symbols' to name each of the 2 dims of 'tensor<?x3xf32>' ("" for one without a name), found []}}
func.func @no_symbols(%x: tensor<?x3xf32> {ds.symbols = []}) {
  return
}

// -----

// expected-error @+1 {{expected 'ds.symbols' to be a list of strings, found [1]}}
func.func private @numbers(tensor<?xf32> {ds.symbols = [1]})

// -----

// expected-error @+1 {{expected 'ds.symbols' to name each of the 1 dims of 'tensor<?xf32>' ("" for one without a name), found ["a", "b"]}}
func.func private @too_many(tensor<?xf32>) -> (tensor<?xf32> {ds.symbols = ["a", "b"]})

// -----

// expected-error @+1 {{expected 'ds.name' to be a string, found 3 : i64}}
func.func private @numbered(tensor<?xf32> {ds.name = 3})

// -----

// expected-error @+1 {{expected 'ds.ports' to be a dictionary, of a function}}
module attributes {ds.ports = {inputs = [], outputs = []}} {
}

// -----

// expected-error @+1 {{expected 'ds.ports' to have a list of 'outputs', each of them a dictionary}}
func.func private @no_outputs() -> tensor<1xf32> attributes {ds.ports = {inputs = []}}

// -----

// expected-error @+1 {{expected 'ds.ports' to have 1 'inputs', found 0}}
func.func private @too_few(tensor<4xf32>) -> tensor<4xf32>
    attributes {ds.ports = {inputs = [], outputs = [{name = "y", symbols = [""], type = tensor<4xf32>}]}}

// -----

// expected-error @+1 {{expected the name of number 0 of 'inputs' to be a string, found nothing}}
func.func private @no_name(tensor<4xf32>) -> tensor<4xf32>
    attributes {ds.ports = {inputs = [{symbols = [""], type = tensor<4xf32>}], outputs = [{name = "y", symbols = [""], type = tensor<4xf32>}]}}

// -----

// expected-error @+1 {{expected the type of number 0 of 'inputs' to be that of a tensor of numbers}}
func.func private @no_type(tensor<4xf32>) -> tensor<4xf32>
    attributes {ds.ports = {inputs = [{name = "x", symbols = [""]}], outputs = [{name = "y", symbols = [""], type = tensor<4xf32>}]}}

// -----

// expected-error @+1 {{expected the type of number 0 of 'inputs' to be 'tensor<8xf32>' as in the function, found 'tensor<4xf32>'}}
func.func private @too_short(tensor<8xf32>) -> tensor<4xf32>
    attributes {ds.ports = {inputs = [{name = "x", symbols = [""], type = tensor<4xf32>}], outputs = [{name = "y", symbols = [""], type = tensor<4xf32>}]}}

// -----

// expected-error @+1 {{expected the type of number 0 of 'inputs' to be 'tensor<8xf32>' as in the function, found 'tensor<?xf32>'}}
func.func private @any_length(tensor<8xf32>) -> tensor<4xf32>
    attributes {ds.ports = {inputs = [{name = "x", symbols = [""], type = tensor<?xf32>}], outputs = [{name = "y", symbols = [""], type = tensor<4xf32>}]}}

// -----

// expected-error @+1 {{expected the symbols of number 0 of 'outputs' to name each of the 2 dims of 'tensor<4x4xf32>' ("" for one without a name), found [""]}}
func.func private @one_symbol() -> tensor<4x4xf32>
    attributes {ds.ports = {inputs = [], outputs = [{name = "y", symbols = [""], type = tensor<4x4xf32>}]}}
