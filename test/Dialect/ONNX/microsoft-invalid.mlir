// RUN: ds-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @query_rank(%a0: tensor<2x4x3x8xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: expected query of rank 3, found 'tensor<2x4x3x8xf32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x4x3x8xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @past_rank(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a3: tensor<2x2x7x8xf32>, %a4: tensor<2x7x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C1: expected past_value of rank 4, found 'tensor<2x7x16xf32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %a3, %a4, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, tensor<2x2x7x8xf32>, tensor<2x7x16xf32>, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @heads(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C2: expected positive head counts, of which kv_num_heads divides num_heads, found 4 and 3}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 3 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @division(%a0: tensor<2x3x30xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: rows of 30 elements of query do not form 4 heads}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x30xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @packed_division(%a0: tensor<2x3x36xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: rows of 36 elements of query do not form 8 heads}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %n, %n, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x36xf32>, none, none, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @size(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x12xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the head size of value to be 8, found 6}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x12xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @cache_heads(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a3: tensor<2x3x7x8xf32>, %a4: tensor<2x3x7x8xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the heads of past_key to be 2, found 3}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %a3, %a4, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, tensor<2x3x7x8xf32>, tensor<2x3x7x8xf32>, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @cache_rows(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a3: tensor<2x2x7x8xf32>, %a4: tensor<2x2x6x8xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C3: expected the rows of past_value to be 7, found 6}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %a3, %a4, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, tensor<2x2x7x8xf32>, tensor<2x2x6x8xf32>, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @key_alone(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: one of key and value is absent}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %n, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, none, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @past_alone(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a3: tensor<2x2x7x8xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: one of past_key and past_value is absent}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %a3, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, tensor<2x2x7x8xf32>, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @cos_alone(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a7: tensor<9x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: one of cos_cache and sin_cache is absent}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %a7, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, tensor<9x4xf32>, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @no_tables(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C4: do_rotary needs cos_cache and sin_cache}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @elements(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf16>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C5: expected floats of type 'f32', found 'tensor<2x3x16xf16>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf16>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @lengths_rank(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<i32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C6: expected seqlens_k of rank 1, found 'tensor<i32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<i32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @lengths(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<3xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C6: expected 2 elements of seqlens_k, found 'tensor<3xi32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<3xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @total(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a3: tensor<2x2x7x8xf32>, %a4: tensor<2x2x7x8xf32>, %a5: tensor<2xi32>, %a6: tensor<2xi32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{expected one element in operand 'total_sequence_length', found 2}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %a3, %a4, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2xi32>, tensor<2xi32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @window(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C7: local_window_size is given without causal}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64, causal = 0 : i64, local_window_size = 3 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @sink(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a11: tensor<2xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C8: expected head_sink of 4 elements, found 'tensor<2xf32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %n, %a11 {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, none, tensor<2xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @table_rank(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a7: tensor<4xf32>, %a8: tensor<4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C9: expected cos_cache of rank 2, found 'tensor<4xf32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %a7, %a8, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, tensor<4xf32>, tensor<4xf32>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @tables(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a7: tensor<9x4xf32>, %a8: tensor<8x4xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C9: expected a dim of sin_cache to be 9, found 8}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %a7, %a8, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, tensor<9x4xf32>, tensor<8x4xf32>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @table_width(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a7: tensor<9x5xf32>, %a8: tensor<9x5xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C9: expected tables of at most 4 elements in a row, found 5}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %a7, %a8, %n, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, tensor<9x5xf32>, tensor<9x5xf32>, none, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @positions_rank(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a7: tensor<9x4xf32>, %a8: tensor<9x4xf32>, %a9: tensor<3xi64>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C9: expected position_ids of rank 2, found 'tensor<3xi64>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %a7, %a8, %a9, %n, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, tensor<9x4xf32>, tensor<9x4xf32>, tensor<3xi64>, none, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}

// -----

func.func @bias_rank(%a0: tensor<2x3x32xf32>, %a1: tensor<2x3x16xf32>, %a2: tensor<2x3x16xf32>, %a5: tensor<2xi32>, %a6: tensor<i32>, %a10: tensor<3x3xf32>) {
  %n = onnx.NoValue
  // expected-error @+1 {{C10: expected attention_bias of rank 4, found 'tensor<3x3xf32>'}}
  %y, %pk, %pv = onnx.com.microsoft.GroupQueryAttention %a0, %a1, %a2, %n, %n, %a5, %a6, %n, %n, %n, %a10, %n {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x32xf32>, tensor<2x3x16xf32>, tensor<2x3x16xf32>, none, none, tensor<2xi32>, tensor<i32>, none, none, none, tensor<3x3xf32>, none) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
  return
}
