// RUN: ds-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @attention_ranks(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x3x8xf32>, %a2: tensor<2x3x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: expected Q, K and V of one rank, 3 or 4, found 'tensor<2x4x3x8xf32>', 'tensor<2x3x8xf32>' and 'tensor<2x3x8xf32>'}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_head_counts(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x32xf32>, %a2: tensor<2x3x32xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: Q, K and V of rank 3 need the attributes q_num_heads and kv_num_heads}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {q_num_heads = 4 : i64} : (tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_no_heads(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected positive head counts, found 0}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {kv_num_heads = 0 : i64} : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_other_heads(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected the heads of Q to be 8, found 4}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {q_num_heads = 8 : i64} : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_split(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x32xf32>, %a2: tensor<2x3x32xf32>) {
  %n = onnx.NoValue
  // expected-error @below {{C3: rows of 32 elements of K do not form 5 heads}}
  // expected-error @below {{C3: rows of 32 elements of V do not form 5 heads}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {q_num_heads = 4 : i64, kv_num_heads = 5 : i64} : (tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_batch(%a0: tensor<2x4x3x8xf32>, %a1: tensor<3x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the batch of K to be 2, found 3}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<3x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_size(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x6xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the head size of K to be 8, found 6}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x6xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_rows(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x4x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the rows of V to be 5, found 4}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x4x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_group(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x3x5x8xf32>, %a2: tensor<2x3x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected a multiple of 3 query heads, found 4}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_past_rank(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a4: tensor<2x7x16xf32>, %a5: tensor<2x7x16xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected past_key of rank 4, found 'tensor<2x7x16xf32>'}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %a4, %a5, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, tensor<2x7x16xf32>, tensor<2x7x16xf32>, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_past_heads(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a4: tensor<2x2x7x8xf32>, %a5: tensor<2x1x7x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the heads of past_value to be 2, found 1}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %a4, %a5, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, tensor<2x2x7x8xf32>, tensor<2x1x7x8xf32>, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_past_rows(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a4: tensor<2x2x7x8xf32>, %a5: tensor<2x2x6x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the rows of past_value and V to be 12, found 11}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %a4, %a5, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, tensor<2x2x7x8xf32>, tensor<2x2x6x8xf32>, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_length(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a6: tensor<3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the length of nonpad_kv_seqlen to be 2, found 3}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %a6 : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, tensor<3xi64>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_length_rank(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a6: tensor<2x1xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected nonpad_kv_seqlen of rank 1, found 'tensor<2x1xi64>'}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %a6 : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, tensor<2x1xi64>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_past(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a4: tensor<2x2x7x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: one of past_key and past_value is absent}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %a4, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, tensor<2x2x7x8xf32>, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_two_caches(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a4: tensor<2x2x7x8xf32>, %a5: tensor<2x2x7x8xf32>, %a6: tensor<2xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: nonpad_kv_seqlen is given with past_key}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %a4, %a5, %a6 : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2xi64>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_mask_rank(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a3: tensor<f32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C5: expected attn_mask of rank 1 to 4, found 'tensor<f32>'}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %a3, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, tensor<f32>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_mask(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a3: tensor<4x5xi1>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C5: attn_mask of shape [4, 5] does not broadcast to [2, 4, 3, 5]}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %a3, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, tensor<4x5xi1>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_long_mask(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>, %a3: tensor<3x6xi1>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C5: attn_mask of shape [3, 6] does not broadcast to [2, 4, 3, 5]}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %a3, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, tensor<3x6xi1>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_elements(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf16>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C6: expected V of element type 'f32', found 'tensor<2x2x5x8xf16>'}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf16>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_mode(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C7: expected qk_matmul_output_mode from 0 to 3, found 4}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {qk_matmul_output_mode = 4 : i64} : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @attention_precision(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x2x5x8xf32>, %a2: tensor<2x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C7: expected the code of a float type as softmax_precision, found 7}}
  %y, %pk, %pv, %qk = onnx.Attention %a0, %a1, %a2, %n, %n, %n, %n {softmax_precision = 7 : i64} : (tensor<2x4x3x8xf32>, tensor<2x2x5x8xf32>, tensor<2x2x5x8xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @rotary_rank(%a0: tensor<3x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>, %a3: tensor<2x3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: expected X of rank 3 or 4, found 'tensor<3x8xf32>'}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<3x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x3xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_heads(%a0: tensor<2x3x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>, %a3: tensor<2x3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: X of rank 3 needs a positive num_heads}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<2x3x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x3xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_split(%a0: tensor<2x3x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>, %a3: tensor<2x3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: rows of 8 elements do not form 3 heads}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 {num_heads = 3 : i64} : (tensor<2x3x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x3xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_table_rank(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected cos_cache of rank 3 and elements of type 'f32' without position_ids, found 'tensor<9x4xf32>'}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %n : (tensor<2x3x5x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, none) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_table_type(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf16>, %a3: tensor<2x5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected sin_cache of rank 2 and elements of type 'f32' with position_ids, found 'tensor<9x4xf16>'}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<2x3x5x8xf32>, tensor<9x4xf32>, tensor<9x4xf16>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_tables(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<8x4xf32>, %a3: tensor<2x5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected a dim of sin_cache to be 9, found 8}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<2x3x5x8xf32>, tensor<9x4xf32>, tensor<8x4xf32>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_odd(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>, %a3: tensor<2x5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected an even rotary_embedding_dim, found 3}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 {rotary_embedding_dim = 3 : i64} : (tensor<2x3x5x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_width(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x3xf32>, %a2: tensor<9x3xf32>, %a3: tensor<2x5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected tables with 8 / 2 elements in a row, found 3}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<2x3x5x8xf32>, tensor<9x3xf32>, tensor<9x3xf32>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_wide(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x5xf32>, %a2: tensor<9x5xf32>, %a3: tensor<2x5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected at most 8 elements to rotate, found 10}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 {rotary_embedding_dim = 10 : i64} : (tensor<2x3x5x8xf32>, tensor<9x5xf32>, tensor<9x5xf32>, tensor<2x5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @rotary_positions(%a0: tensor<2x3x5x8xf32>, %a1: tensor<9x4xf32>, %a2: tensor<9x4xf32>, %a3: tensor<5xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: expected position_ids of rank 2, found 'tensor<5xi64>'}}
  %y = onnx.RotaryEmbedding %a0, %a1, %a2, %a3 : (tensor<2x3x5x8xf32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<5xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_mode(%a0: tensor<2x9x4xf32>, %a1: tensor<2x3x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: expected mode "linear" or "circular", found "ring"}}
  %y = onnx.TensorScatter %a0, %a1, %n {mode = "ring"} : (tensor<2x9x4xf32>, tensor<2x3x4xf32>, none) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_axis(%a0: tensor<2x9x4xf32>, %a1: tensor<2x3x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: axis 0 is that of the batch}}
  %y = onnx.TensorScatter %a0, %a1, %n {axis = -3 : i64} : (tensor<2x9x4xf32>, tensor<2x3x4xf32>, none) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_type(%a0: tensor<2x9x4xf32>, %a1: tensor<2x3x4xf16>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected an update of the rank and element type of 'tensor<2x9x4xf32>', found 'tensor<2x3x4xf16>'}}
  %y = onnx.TensorScatter %a0, %a1, %n : (tensor<2x9x4xf32>, tensor<2x3x4xf16>, none) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_rows(%a0: tensor<2x9x4xf32>, %a1: tensor<2x10x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: an update of shape [2, 10, 4] does not fit into [2, 9, 4] along axis 1}}
  %y = onnx.TensorScatter %a0, %a1, %n : (tensor<2x9x4xf32>, tensor<2x10x4xf32>, none) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_indices(%a0: tensor<2x9x4xf32>, %a1: tensor<2x3x4xf32>, %a2: tensor<3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: expected the length of write_indices to be 2, found 3}}
  %y = onnx.TensorScatter %a0, %a1, %a2 : (tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<3xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @scatter_index_rank(%a0: tensor<2x9x4xf32>, %a1: tensor<2x3x4xf32>, %a2: tensor<2x1xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: expected write_indices of rank 1, found 'tensor<2x1xi64>'}}
  %y = onnx.TensorScatter %a0, %a1, %a2 : (tensor<2x9x4xf32>, tensor<2x3x4xf32>, tensor<2x1xi64>) -> tensor<?xf32>
  return
}
