//===- AttentionOps.td - Attention and its companions -------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_ATTENTIONOPS_TD
#define DS_DIALECT_DS_ATTENTIONOPS_TD

include "ds/Dialect/DS/DSOpBase.td"

def DS_AttentionOp : DS_ValueOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "scaled dot-product attention with masks and head weights";
  let description = [{
    For batch b, query head h, query row i, key row j, with the key head
    g = ⌊h·Hkv / Hq⌋ and the position p = i + S − T of the query row:

    ```
    s = scale · Σ_d query[b,h,i,d] · key[b,g,j,d]
    s = softcap · tanh(s / softcap)                    where softcap is given
    s = s + bias[b,h,i,j]                              a float bias
    s = −inf        where a bool bias is false, or j is outside the window
    p = softmax over j of s
    result[b,h,i,:] = head_weight[b,h,i] · Σ_j p · value[b,g,j,:]
    ```

    The window of a row is p − left ≤ j ≤ p + right, without a bound on the
    side that is not given. `causal` is right = 0: with fewer queries than
    keys, the last query sees all keys. A row whose scores are all −inf gives
    zeros. A row that a bias of large finite negatives masks is not empty: it
    is the softmax of what the sums are.

    With `row_offsets`, those of `ds.row_offsets`, the one sequence of query, key
    and value is many, packed: rows offsets[a] to offsets[a + 1] − 1 attend to
    each other alone, and positions count from their first.

    Multi-head, grouped-query and multi-query attention differ by shape alone.
    Scores and sums of half-precision elements are f32.

    | operand | shape | element type |
    |---|---|---|
    | query | [B, Hq, T, Dk] | f32, f64, f16 or bf16 |
    | key | [B, Hkv, S, Dk] | as query |
    | value | [B, Hkv, S, Dv] | as query |
    | bias | broadcastable to [B, Hq, T, S] | as query: added; i1: true attends |
    | head_weight | [Hq], [B, Hq] or [B, Hq, T] | as query |
    | row_offsets | [A + 1] | i64 |

    - C1: query, key and value have rank 4.
    - C2: query, key and value have the same B.
    - C3: key and value have the same Hkv and S.
    - C4: Hq is a multiple of Hkv.
    - C5: query and key have the same Dk.
    - C6: bias broadcasts to [B, Hq, T, S].
    - C7: head_weight is [Hq], [B, Hq] or [B, Hq, T].
    - C8: all element types are query's; bias may be i1 instead.
    - C9: scale is finite, softcap finite and positive, left and right are not
      negative, and right is not given with causal.
    - C10: the result is [B, Hq, T, Dv].
    - C11: with row_offsets B is 1, T is S, and bias has no dim of T.

    The online form that runs over blocks of keys is that of FlashAttention
    (Dao et al., 2022).

    Example:

    ```mlir
    // %q: tensor<?x12x?x64xf32>, %k: tensor<?x4x?x64xf32>, %v: tensor<?x4x?x64xf32>, %mask: tensor<?x1x1x?xi1>
    %o = ds.attention %q, %k, %v bias %mask {causal, scale = 1.250000e-01 : f32}
           : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>,
              tensor<?x4x?x64xf32>, tensor<?x1x1x?xi1>)
           -> tensor<?x12x?x64xf32>
    ```
  }];
  let arguments = (ins DS_FloatTensor:$query, DS_FloatTensor:$key,
    DS_FloatTensor:$value,
    Optional<RankedTensorOf<[F16, F32, F64, BF16, I1]>>:$bias,
    Optional<DS_FloatTensor>:$head_weight,
    Optional<1DTensorOf<[I64]>>:$row_offsets,
    F32Attr:$scale, OptionalAttr<F32Attr>:$softcap, UnitAttr:$causal,
    OptionalAttr<I64Attr>:$left, OptionalAttr<I64Attr>:$right);
  let results = (outs DS_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`bias` $bias^)? (`head_weight` $head_weight^)?
    (`row_offsets` $row_offsets^)? attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// The last key of a row's window from its position, or nullopt where there
    /// is no bound.
    ::std::optional<int64_t> getRightBound() {
      if (getCausal())
        return 0;
      return getRight();
    }
  }];
}

def DS_RopeOp : DS_ValueOp<"rope"> {
  let summary = "rotary position embedding";
  let description = [{
    Rotates pairs (x1, x2) of the first R elements of each row by the angle of
    its position; the other D − R elements pass through.

    ```
    c = cos[p, r], s = sin[p, r]        r = 0 … R/2 − 1, p the row's position
    y1 = c · x1 − s · x2
    y2 = s · x1 + c · x2
    ```

    The pair of r is (x[r], x[r + R/2]), or (x[2r], x[2r + 1]) where
    `interleaved` is set. Half-precision elements are rotated in f32.

    With `positions` the tables have a row for each position, of which each row
    of x picks one; a position outside the table is reported and read as 0.
    Without, row t of x takes row t of the tables. Any scaling of the angles
    (YaRN and others) is in the tables.

    | operand | shape | element type |
    |---|---|---|
    | x | [B, H, T, D] | f32, f64, f16 or bf16 |
    | cos, sin | with positions [P, R/2]; without [T, R/2] or [B, T, R/2] | as x |
    | positions | [B, T] or [T] | i64 or i32 |

    - C1: x has rank 4.
    - C2: cos and sin have the same shape, with a static last dim.
    - C3: R, twice that dim, is at most D, which is static.
    - C4: the tables have a shape of the table above.
    - C5: positions is [B, T] or [T].
    - C6: all float element types are the same.
    - C7: the result has the type of x, but for what is known of its dims.

    Defined by Su et al., RoFormer (2021).

    Example:

    ```mlir
    // %x: tensor<?x32x?x128xf32>, %cos: tensor<4096x64xf32>, %sin: tensor<4096x64xf32>, %positions: tensor<?x?xi64>
    %y = ds.rope %x, %cos, %sin positions %positions
           : (tensor<?x32x?x128xf32>, tensor<4096x64xf32>,
              tensor<4096x64xf32>, tensor<?x?xi64>) -> tensor<?x32x?x128xf32>
    ```
  }];
  let arguments = (ins DS_FloatTensor:$x, DS_FloatTensor:$cos,
    DS_FloatTensor:$sin, Optional<RankedTensorOf<[I32, I64]>>:$positions,
    UnitAttr:$interleaved);
  let results = (outs DS_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $cos `,` $sin (`positions` $positions^)? (`interleaved` $interleaved^)?
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // DS_DIALECT_DS_ATTENTIONOPS_TD
