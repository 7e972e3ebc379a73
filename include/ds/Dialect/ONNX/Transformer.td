//===- Transformer.td - ONNX ops of transformers ------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

def ONNX_AttentionOp : ONNX_Op<"Attention"> {
  let summary = "scaled dot-product attention, with the keys and values of a cache";
  let description = [{
    Q is (batch, heads, rows, head size), K and V likewise with heads of their
    own; with rank 3 they are (batch, rows, heads · head size), and the head
    counts are attributes. The keys are those of `past_key` and then K, which
    together are `present_key`; `nonpad_kv_seqlen` says how many of a sequence
    count.

    ```
    s = softcap · tanh(scale · q · k / softcap) + mask
    Y = softmax(s) · v
    ```

    With `is_causal` row i attends to key j where j <= i + offset: offset is the
    number of keys in `past_key`, `nonpad_kv_seqlen` − rows, or 0. A float mask
    is added, a bool one says what is attended to; one that is shorter than the
    keys hides the others. A row that attends to nothing gives zeros.

    `qk_matmul_output` is, by `qk_matmul_output_mode`, the scaled product (0),
    with the softcap (1), with softcap and mask (2), or the softmax (3).

    - C1: Q, K and V have one rank, 3 with both head counts, or 4.
    - C2: the head counts are positive, and with rank 4 those of the shapes.
    - C3: batches, heads and head sizes fit together; the query heads are a
      multiple of the key heads.
    - C4: `past_key` and `past_value` are both given or neither, and not with
      `nonpad_kv_seqlen`.
    - C5: `attn_mask` has rank 1 to 4 and broadcasts to (batch, query heads,
      rows, keys) but for its last dim, which is at most the number of keys.
    - C6: K, V and the cache have Q's element type, a mask is of bools or floats.
    - C7: `qk_matmul_output_mode` is 0 to 3, `softmax_precision` names a float
      type.
  }];
  let arguments = (ins ONNX_FloatTensor:$q, ONNX_FloatTensor:$k,
    ONNX_FloatTensor:$v,
    ONNX_Optional<RankedTensorOf<[ONNX_Float, I1]>>:$attn_mask,
    ONNX_Optional<ONNX_FloatTensor>:$past_key,
    ONNX_Optional<ONNX_FloatTensor>:$past_value,
    ONNX_Optional<RankedTensorOf<[I64]>>:$nonpad_kv_seqlen,
    DefaultValuedAttr<I64Attr, "0">:$is_causal,
    OptionalAttr<I64Attr>:$kv_num_heads, OptionalAttr<I64Attr>:$q_num_heads,
    DefaultValuedAttr<I64Attr, "0">:$qk_matmul_output_mode,
    OptionalAttr<F32Attr>:$scale, DefaultValuedAttr<F32Attr, "0.0f">:$softcap,
    OptionalAttr<I64Attr>:$softmax_precision);
  let results = (outs ONNX_FloatTensor:$y, ONNX_FloatTensor:$present_key,
    ONNX_FloatTensor:$present_value, ONNX_FloatTensor:$qk_matmul_output);
  let hasVerifier = 1;
}

def ONNX_RotaryEmbeddingOp : ONNX_Op<"RotaryEmbedding"> {
  let summary = "rotary position embedding";
  let description = [{
    Rotates pairs of elements of each head's row by the angle whose cosine and
    sine the tables have; see `ds.rope`. X is (batch, heads, rows, head size),
    or (batch, rows, heads · head size) with `num_heads`. With `position_ids`,
    (batch, rows), the tables are (positions, half), else (batch, rows, half),
    where half is half of `rotary_embedding_dim`, or of the head size where that
    is 0. Pairs are those of the two halves, or neighbours where `interleaved`
    is set; what is beyond them passes through.

    - C1: X has rank 4, or rank 3 with a positive `num_heads`.
    - C2: the tables have X's element type and one shape, of rank 2 with
      `position_ids` and else of rank 3.
    - C3: the tables' last dim is half of what is rotated, which is at most the
      head size.
    - C4: `position_ids` has rank 2.
  }];
  let arguments = (ins ONNX_FloatTensor:$x, ONNX_FloatTensor:$cos_cache,
    ONNX_FloatTensor:$sin_cache,
    ONNX_Optional<RankedTensorOf<[I64]>>:$position_ids,
    DefaultValuedAttr<I64Attr, "0">:$interleaved,
    OptionalAttr<I64Attr>:$num_heads,
    DefaultValuedAttr<I64Attr, "0">:$rotary_embedding_dim);
  let results = (outs ONNX_FloatTensor:$y);
  let hasVerifier = 1;
}

def ONNX_TensorScatterOp : ONNX_Op<"TensorScatter"> {
  let summary = "a cache with new rows written at a position of each sequence";
  let description = [{
    Row s of `update` along `axis` goes to row write_indices[b] + s of the copy
    of `past_cache`, for b the index of dim 0; without `write_indices` to row s.
    In mode "circular" the row is taken modulo the cache's.

    - C1: `mode` is "linear" or "circular".
    - C2: `axis` is not 0.
    - C3: `update` has the cache's element type and shape, but for fewer or as
      many rows along `axis`.
    - C4: `write_indices` has one element for each index of dim 0.
  }];
  let arguments = (ins ONNX_AnyTensor:$past_cache, ONNX_AnyTensor:$update,
    ONNX_Optional<RankedTensorOf<[I64]>>:$write_indices,
    DefaultValuedAttr<I64Attr, "-2">:$axis,
    DefaultValuedAttr<StrAttr, "\"linear\"">:$mode);
  let results = (outs ONNX_AnyTensor:$present_cache);
  let hasVerifier = 1;
}
