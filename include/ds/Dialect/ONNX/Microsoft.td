//===- Microsoft.td - Ops of com.microsoft ------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Of these ops, those that ONNX's own cannot say; the importer takes the others
// apart.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

def ONNX_GroupQueryAttentionOp
    : ONNX_Op<"com.microsoft.GroupQueryAttention"> {
  let summary = "attention of grouped heads that appends to a cache";
  let description = [{
    Query, key and value are (batch, rows, heads · head size); without key and
    value the query's rows hold all three, one after the other. A sequence has
    seqlens_k + 1 keys in all, of which the rows are the last; those before are
    in the cache, whose rows after them are of no meaning:

    ```
    total = seqlens_k[b] + 1
    past = max(total − rows, 0)
    present_key[b, :, past + i] = key of row i, rotated where do_rotary
    ```

    The present cache has max(rows of the past cache, total_sequence_length)
    rows, or as many as the query without a past one. Row i attends to keys
    j < total with j <= past + i where `causal` is set, and j > past + i −
    `local_window_size` where that is positive.

    Rotation is as in `onnx.RotaryEmbedding`, at positions past + i unless
    `position_ids` says others. `head_sink` is as the sink of `ds.attention`;
    `smooth_softmax` is one of 0 for all heads.

    - C1: query, key and value have rank 3, the cache rank 4.
    - C2: the head counts are positive, and the query heads a multiple of the
      key heads.
    - C3: rows divide into heads, and all operands fit together.
    - C4: key and value are both given or neither, and so are `past_key` and
      `past_value`, `cos_cache` and `sin_cache`; with `do_rotary` these are.
    - C5: all float operands have one element type.
    - C6: `seqlens_k` has one element for each sequence, in one dim or two;
      `total_sequence_length` has one.
    - C7: `causal` is set where `local_window_size` is positive.
    - C8: `head_sink` has one element for each query head.
    - C9: `cos_cache`, `sin_cache` and `position_ids` have rank 2; the tables have
      one shape, of half a head's width or less.
    - C10: `attention_bias` has rank 4.
  }];
  let arguments = (ins ONNX_FloatTensor:$query,
    ONNX_Optional<ONNX_FloatTensor>:$key,
    ONNX_Optional<ONNX_FloatTensor>:$value,
    ONNX_Optional<ONNX_FloatTensor>:$past_key,
    ONNX_Optional<ONNX_FloatTensor>:$past_value,
    ONNX_IndexTensor:$seqlens_k, ONNX_IndexTensor:$total_sequence_length,
    ONNX_Optional<ONNX_FloatTensor>:$cos_cache,
    ONNX_Optional<ONNX_FloatTensor>:$sin_cache,
    ONNX_Optional<RankedTensorOf<[I64]>>:$position_ids,
    ONNX_Optional<ONNX_FloatTensor>:$attention_bias,
    ONNX_Optional<ONNX_FloatTensor>:$head_sink,
    I64Attr:$num_heads, I64Attr:$kv_num_heads,
    DefaultValuedAttr<I64Attr, "1">:$causal,
    DefaultValuedAttr<I64Attr, "0">:$do_rotary,
    DefaultValuedAttr<I64Attr, "-1">:$local_window_size,
    DefaultValuedAttr<I64Attr, "0">:$rotary_interleaved,
    DefaultValuedAttr<F32Attr, "0.0f">:$scale,
    DefaultValuedAttr<I64Attr, "-1">:$smooth_softmax,
    DefaultValuedAttr<F32Attr, "0.0f">:$softcap);
  let results = (outs ONNX_FloatTensor:$output, ONNX_FloatTensor:$present_key,
    ONNX_FloatTensor:$present_value);
  let hasVerifier = 1;
}
