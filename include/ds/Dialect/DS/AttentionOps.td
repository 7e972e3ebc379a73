//===- AttentionOps.td - Attention and its companions -------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_ATTENTIONOPS_TD
#define DS_DIALECT_DS_ATTENTIONOPS_TD

include "ds/Dialect/DS/DSOpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def DS_AttentionOp : DS_ValueOp<"attention",
    [AttrSizedOperandSegments, SingleBlock,
     DeclareOpInterfaceMethods<TilingInterface, [
       "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
       "getResultTilePosition", "generateResultTileValue",
       "getIterationDomainTileFromResultTile"]>,
     DeclareOpInterfaceMethods<PartialReductionOpInterface, [
       "generateInitialTensorForPartialReduction", "tileToPartialReduction",
       "mergeReductions", "getPartialResultTilePosition"]>]> {
  let summary = "scaled dot-product attention with masks and head weights";
  let description = [{
    For batch b, query head h, query row i, key row j, with the key head
    g = ⌊h·Hkv / Hq⌋ and the position p of the query row:

    ```
    n = key_length[b], or S                             the keys there are
    p = query_start[b] + i, or n − T + i
    s = scale · Σ_d query[b,h,i,d] · key[b,g,j,d]
    s = softcap · tanh(s / softcap)                     where softcap is given
    s = score_mod(s, b, h, p, j)                        where it is given
    s = s + bias[b,h,i,j]                               a float bias
    s = −inf unless j < n, j is in the window, a bool bias is true
             and mask_mod(b, h, p, j) is, and key_index[b, g, ⌊i / query_block⌋]
             lists ⌊j / key_block⌋
    m = max(sink[h], max_j s)
    l = e^(sink[h] − m) + Σ_j e^(s − m)
    w = prob_mod(e^(s − m) / l, b, h, p, j)
    result[b,h,i,:] = head_weight[b,h,i] · Σ_j w · value[b,g,j,:]
    lse[b,h,i] = m + ln l
    ```

    The window of a row is p − left ≤ j ≤ p + right, without a bound on the
    side that is not given. `causal` is right = 0: with fewer queries than
    keys, the last query sees all keys. A row whose scores are all −inf gives
    zeros and, without a sink, an lse of −inf. A row that a bias of large finite
    negatives masks is not empty: it is the softmax of what the sums are.

    A sink is a key without a value: it takes part in the softmax alone. Without
    a value, that of a key is its first v_dim elements, as multi-head latent
    attention has in its absorbed form.

    With `row_offsets`, those of `ds.row_offsets`, the one sequence of query, key
    and value is many, packed: rows offsets[a] to offsets[a + 1] − 1 attend to
    each other alone, and positions count from their first.

    `key_index` lists, for each block of query_block rows, the blocks of key_block
    keys that it attends to, in any order; −1 stands for none. Every block of
    queries and keys that no list joins costs a look at a table, no more.

    With `kv_page`, key and value are pools of pages that any sequences use:
    row j of batch b is row j mod page_size of page kv_page[b, ⌊j / page_size⌋],
    and S is P · page_size. Pages whose rows are all past key_length are not
    looked at, whatever is there in place of their numbers.

    Multi-head, grouped-query and multi-query attention differ by shape alone.
    Scores and sums of half-precision elements are f32, and so are what regions
    take and give.

    The loops of tiles are (B, Hq, T, Dv, S). Tiles of heads are whole groups, or
    within one. Keys are tiled as a partial reduction alone: parts of them give
    results and lse, without head_weight and sink, which one softmax over parts
    merges. Tiles that there are not are refused with the reason.

    | operand | shape | element type |
    |---|---|---|
    | query | [B, Hq, T, Dk] | f32, f64, f16 or bf16 |
    | key | [B, Hkv, S, Dk] | as query |
    | value | [B, Hkv, S, Dv] | as query |
    | bias | broadcastable to [B, Hq, T, S] | as query: added; i1: true attends |
    | head_weight | [Hq], [B, Hq] or [B, Hq, T] | as query |
    | sink | [Hq] | as query |
    | query_start, key_length | [B] | i64 |
    | row_offsets | [A + 1] | i64 |
    | key_index | [B or 1, Hkv or 1, ⌈T / query_block⌉, N] | i64 |
    | kv_page | [B, P]; key is [pages, Hkv, page_size, Dk], value [pages, Hkv, page_size, Dv] | i64 |
    | lse | [B, Hq, T] | f32, f64 for f64 |

    - C1: query, key and value have rank 4.
    - C2: query, key and value have the same B; with kv_page, key and value the
      same number of pages.
    - C3: key and value have the same Hkv and S.
    - C4: Hq is a multiple of Hkv.
    - C5: query and key have the same Dk.
    - C6: bias broadcasts to [B, Hq, T, S].
    - C7: head_weight is [Hq], [B, Hq] or [B, Hq, T], sink [Hq], query_start and
      key_length [B].
    - C8: all float element types are query's; bias may be i1 instead, and the
      result of half precision f32, which is not rounded then.
    - C9: scale is finite, softcap finite and positive, left and right are from
      0 to 2^48, and right is not given with causal.
    - C10: the result is [B, Hq, T, Dv], lse [B, Hq, T].
    - C11: with row_offsets B is 1, T is S, bias has no dim of T, and there are
      neither regions nor query_start, key_length, key_index or kv_page.
    - C12: either value or v_dim is given, v_dim from 1 to Dk.
    - C13: a region has one block, with the arguments of the formula; it gives
      its first argument's type, mask_mod i1. Its ops have no effects and no
      regions, and read tensors by `tensor.extract` alone.
    - C14: key_index has the shape of the table; key_block, of 1 or more, is
      given with it alone, and so is query_block, which is 1 unless given.
    - C15: kv_page is [B, P].

    A key_length outside [0, S] is reported at run time and taken as 0, so is an
    index at which a region reads outside of a tensor, a listed block that has no
    keys, or the number of a page that the pool does not have.

    The online form that runs over blocks of keys is that of FlashAttention
    (Dao et al., 2022). The regions are those of FlexAttention (Dong et al.,
    2024), sinks those of Xiao et al. (2023), and pages those of PagedAttention
    (Kwon et al., 2023).

    Example:

    ```mlir
    // %q: tensor<?x12x?x64xf32>, %k: tensor<?x4x?x64xf32>, %v: tensor<?x4x?x64xf32>, %mask: tensor<?x1x1x?xi1>
    %o = ds.attention %q, %k, %v bias %mask {causal, scale = 1.250000e-01 : f32}
           : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>,
              tensor<?x4x?x64xf32>, tensor<?x1x1x?xi1>)
           -> tensor<?x12x?x64xf32>
    ```

    Distance makes scores smaller, by a slope of each head (ALiBi). Example:

    ```mlir
    // %q: tensor<?x12x?x64xf32>, %slopes: tensor<12xf32>
    %o = ds.attention %q, %q, %q score_mod {
    ^bb0(%s: f32, %b: index, %h: index, %p: index, %j: index):
      %slope = tensor.extract %slopes[%h] : tensor<12xf32>
      %distance = arith.subi %j, %p : index
      %integer = arith.index_cast %distance : index to i64
      %float = arith.sitofp %integer : i64 to f32
      %bias = arith.mulf %slope, %float : f32
      %sum = arith.addf %s, %bias : f32
      ds.yield %sum : f32
    } {causal, scale = 1.250000e-01 : f32}
      : (tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>)
      -> tensor<?x12x?x64xf32>
    ```
  }];
  let arguments = (ins DS_FloatTensor:$query, DS_FloatTensor:$key,
    Optional<DS_FloatTensor>:$value,
    Optional<RankedTensorOf<[F16, F32, F64, BF16, I1]>>:$bias,
    Optional<DS_FloatTensor>:$head_weight,
    Optional<DS_FloatTensor>:$sink,
    Optional<1DTensorOf<[I64]>>:$query_start,
    Optional<1DTensorOf<[I64]>>:$key_length,
    Optional<1DTensorOf<[I64]>>:$row_offsets,
    Optional<RankedTensorOf<[I64]>>:$key_index,
    Optional<RankedTensorOf<[I64]>>:$kv_page,
    F32Attr:$scale, OptionalAttr<F32Attr>:$softcap, UnitAttr:$causal,
    OptionalAttr<I64Attr>:$left, OptionalAttr<I64Attr>:$right,
    OptionalAttr<I64Attr>:$v_dim, OptionalAttr<I64Attr>:$query_block,
    OptionalAttr<I64Attr>:$key_block);
  let regions = (region MaxSizedRegion<1>:$score_mod,
    MaxSizedRegion<1>:$mask_mod, MaxSizedRegion<1>:$prob_mod);
  let results = (outs DS_FloatTensor:$result,
                      Optional<RankedTensorOf<[F32, F64]>>:$lse);
  let assemblyFormat = [{
    $query `,` $key (`,` $value^)? (`bias` $bias^)? (`head_weight` $head_weight^)?
    (`sink` $sink^)? (`query_start` $query_start^)? (`key_length` $key_length^)?
    (`row_offsets` $row_offsets^)? (`key_index` $key_index^)? (`kv_page` $kv_page^)?
    (`score_mod` $score_mod^)? (`mask_mod` $mask_mod^)? (`prob_mod` $prob_mod^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasRegionVerifier = 1;
  let builders = [
    // The plain form: query, key, value, and a bias or null.
    OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$query,
                   "::mlir::Value":$key, "::mlir::Value":$value,
                   "::mlir::Value":$bias, "double":$scale)>
  ];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getType() { return getResult().getType(); }
    /// The most that `left` and `right` are: positions are added to them.
    static constexpr int64_t mostDistance = int64_t(1) << 48;
    /// The loops of tiles, in the order of the iteration domain.
    enum Loop : unsigned { Batch, Head, Row, Column, Key };
    /// The value, or the key whose elements it is.
    ::mlir::TypedValue<::mlir::RankedTensorType> getValueOrKey() {
      return getValue() ? getValue() : getKey();
    }
    /// S: the rows of key, or of the pages of a sequence.
    ::mlir::OpFoldResult getKeyRows(::mlir::ds::ShapeBuilder &shapes);
    /// The last key of a row's window from its position, or nullopt where there
    /// is no bound.
    ::std::optional<int64_t> getRightBound() {
      if (getCausal())
        return 0;
      return getRight();
    }
    /// The regions that are given, each with its name.
    ::llvm::SmallVector<::std::pair<::llvm::StringRef, ::mlir::Region *>>
    getModifiers();
  }];
}

def DS_YieldOp : DS_Op<"yield", [Pure, ReturnLike, Terminator,
                                 HasParent<"::mlir::ds::AttentionOp">]> {
  let summary = "what a region of an op gives";
  let description = [{
    Ends a region of `ds.attention`, whose page has an example.
  }];
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
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
