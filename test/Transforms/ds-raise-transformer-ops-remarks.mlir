// RUN: ds-opt %s --ds-raise-transformer-ops --split-input-file --remarks-filter-missed=ds-raise-transformer-ops --remark-format=emitRemark --verify-diagnostics

func.func @mask(%q: tensor<2x4x3x8xf32>, %m: tensor<3x?xf32>) -> tensor<2x4x3x8xf32> {
  %n = onnx.NoValue
  // expected-remark @+1 {{'onnx.Attention' is no attention with its mask as it lies: attn_mask of tensor<3x?xf32> may be shorter than there are keys, so it is copied and padded}}
  %y, %k1, %v1, %qk = onnx.Attention %q, %q, %q, %m, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<3x?xf32>, none, none, none) -> (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x3xf32>)
  return %y : tensor<2x4x3x8xf32>
}

// -----

// One of the right length is read where it lies.
func.func @mask_that_fits(%q: tensor<2x4x3x8xf32>, %m: tensor<3x3xf32>) -> tensor<2x4x3x8xf32> {
  %n = onnx.NoValue
  %y, %k1, %v1, %qk = onnx.Attention %q, %q, %q, %m, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<3x3xf32>, none, none, none) -> (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x3xf32>)
  return %y : tensor<2x4x3x8xf32>
}

// -----

func.func @scores(%q: tensor<2x4x3x8xf32>) -> tensor<2x4x3x3xf32> {
  %n = onnx.NoValue
  // expected-remark @+1 {{'onnx.Attention' is no attention by blocks of keys alone: qk_matmul_output is read, so all scores are computed a second time, as a tensor}}
  %y, %k1, %v1, %qk = onnx.Attention %q, %q, %q, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, none, none, none, none) -> (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x3xf32>)
  return %qk : tensor<2x4x3x3xf32>
}

// -----

func.func @rotary(%x: tensor<2x3x5x?xf32>, %cos: tensor<2x5x4xf32>) -> tensor<2x3x5x?xf32> {
  %n = onnx.NoValue
  // expected-remark @+1 {{'onnx.RotaryEmbedding' is no ds.rope: the width of its heads or of cos_cache is known when it runs only}}
  %y = onnx.RotaryEmbedding %x, %cos, %cos, %n : (tensor<2x3x5x?xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, none) -> tensor<2x3x5x?xf32>
  return %y : tensor<2x3x5x?xf32>
}
