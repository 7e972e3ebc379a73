//===- PackingOps.td - Sequences without their padding ------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_PACKINGOPS_TD
#define DS_DIALECT_DS_PACKINGOPS_TD

include "ds/Dialect/DS/DSOpBase.td"

def DS_RowOffsetsOp : DS_ValueOp<"row_offsets"> {
  let summary = "where each sequence starts once padding is left out";
  let description = [{
    `mask` has a row for each sequence of the batch: 1 at a token, 0 at padding.
    A sequence keeps its rows up to the last 1, so padding before or between
    tokens stays, with whatever its mask does elsewhere. A sequence without a 1,
    or with a number that is neither 0 nor 1, keeps all of its rows.

    ```
    length[b] = 1 + max {s : mask[b,s] = 1}, or S
    offsets[b] = Σ_{a < b} length[a]              b = 0 … B
    rows[offsets[b] + s] = b · S + s              s = 0 … length[b] − 1
    ```

    | operand or result | shape | element type |
    |---|---|---|
    | mask | [B, S] | i1, i32, i64 or f32 |
    | offsets | [B + 1] | i64 |
    | rows | [N], N = offsets[B] | i64 |

    N is known only when it runs, and is at most B · S.

    - C1: mask has rank 2.

    Example:

    ```mlir
    // %mask: tensor<?x?xi64>
    %offsets, %rows = ds.row_offsets %mask
           : (tensor<?x?xi64>) -> (tensor<?xi64>, tensor<?xi64>)
    ```
  }];
  let arguments = (ins RankedTensorOf<[I1, I32, I64, F32]>:$mask);
  let results = (outs 1DTensorOf<[I64]>:$offsets, 1DTensorOf<[I64]>:$rows);
  let assemblyFormat = "$mask attr-dict `:` functional-type(operands, results)";
}

def DS_PackRowsOp : DS_ValueOp<"pack_rows"> {
  let summary = "the rows of all sequences, without padding, as one sequence";
  let description = [{
    ```
    packed[0, offsets[b] + s, …] = x[b, s, …]
    ```

    with `offsets` and `rows` of `ds.row_offsets` of `mask`. An x of batch 1,
    such as a table of positions, stands for all sequences.

    | operand or result | shape | element type |
    |---|---|---|
    | x | [B, S, …] or [1, S, …] | any |
    | rows | [N] | i64 |
    | mask | [B, S] | that of the mask |
    | packed | [1, N, …] | as x |

    - C1: x has rank 2 or more, mask rank 2.
    - C2: the dims of x fit those of mask.
    - C3: packed has the shape above.

    Example:

    ```mlir
    // %x: tensor<?x?x384xf32>, %rows: tensor<?xi64>, %mask: tensor<?x?xi64>
    %packed = ds.pack_rows %x by %rows of %mask
           : (tensor<?x?x384xf32>, tensor<?xi64>, tensor<?x?xi64>)
           -> tensor<1x?x384xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, 1DTensorOf<[I64]>:$rows,
    AnyRankedTensor:$mask);
  let results = (outs AnyRankedTensor:$packed);
  let assemblyFormat = [{
    $x `by` $rows `of` $mask attr-dict `:` functional-type(operands, results)
  }];
}

def DS_UnpackRowsOp : DS_ValueOp<"unpack_rows"> {
  let summary = "packed rows back in their sequences, zeros at padding";
  let description = [{
    ```
    x[b, s, …] = packed[0, offsets[b] + s, …]     s < length[b], else 0
    ```

    | operand or result | shape | element type |
    |---|---|---|
    | packed | [1, N, …] | any |
    | offsets | [B + 1] | i64 |
    | mask | [B, S] | that of the mask |
    | x | [B, S, …] | as packed |

    - C1: packed has rank 2 or more, mask rank 2.
    - C2: x has the shape above.

    Example:

    ```mlir
    // %packed: tensor<1x?x384xf32>, %offsets: tensor<?xi64>, %mask: tensor<?x?xi64>
    %x = ds.unpack_rows %packed by %offsets of %mask
           : (tensor<1x?x384xf32>, tensor<?xi64>, tensor<?x?xi64>)
           -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$packed, 1DTensorOf<[I64]>:$offsets,
    AnyRankedTensor:$mask);
  let results = (outs AnyRankedTensor:$x);
  let assemblyFormat = [{
    $packed `by` $offsets `of` $mask attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // DS_DIALECT_DS_PACKINGOPS_TD
