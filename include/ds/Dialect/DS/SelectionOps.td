//===- SelectionOps.td - Which keys attention keeps ---------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_SELECTIONOPS_TD
#define DS_DIALECT_DS_SELECTIONOPS_TD

include "ds/Dialect/DS/DSOpBase.td"

def DS_IndexScoreOp : DS_ValueOp<"index_score"> {
  let summary = "how much each query row asks for each key";
  let description = [{
    The score by which an indexer chooses the keys of a query row:

    ```
    score[b,t,s] = Σ_h weight[b,t,h] · max(Σ_d query[b,h,t,d] · key[b,s,d], 0)
    ```

    All heads share one key. Sums are f32 for half precision. Scores that no key
    may have, of later ones for example, are the caller's to set to −inf, for
    which `ds.topk` has no place.

    | operand | shape | element type |
    |---|---|---|
    | query | [B, H, T, D] | f32, f64, f16 or bf16 |
    | key | [B, S, D] | as query |
    | weight | [B, T, H] | as query |
    | score | [B, T, S] | f32, f64 for f64 |

    - C1: query has rank 4, key and weight rank 3.
    - C2: query, key and weight have the same B.
    - C3: query and key have the same D.
    - C4: weight has the H and T of query.
    - C5: query, key and weight have one element type, score that of its sums.
    - C6: score is [B, T, S].

    The lightning indexer of DeepSeek-V3.2 (DeepSeek-AI, 2025).

    Example:

    ```mlir
    // %query: tensor<?x64x?x128xf32>, %key: tensor<?x?x128xf32>, %weight: tensor<?x?x64xf32>
    %score = ds.index_score %query, %key, %weight
               : (tensor<?x64x?x128xf32>, tensor<?x?x128xf32>,
                  tensor<?x?x64xf32>) -> tensor<?x?x?xf32>
    ```
  }];
  let arguments = (ins DS_FloatTensor:$query, DS_FloatTensor:$key,
                       DS_FloatTensor:$weight);
  let results = (outs DS_FloatTensor:$score);
  let assemblyFormat = [{
    $query `,` $key `,` $weight attr-dict `:` functional-type(operands, results)
  }];
}

def DS_TopKOp : DS_ValueOp<"topk"> {
  let summary = "the places of the k largest elements of each row";
  let description = [{
    The indices of the k largest elements of the last dim of x, the largest
    first; of equal ones the first. With `smallest`, those of the k smallest.
    Where a row has fewer than k elements, −1 stands in for the others.

    With `masked`, elements of −inf (+inf with `smallest`) are none: −1 stands
    in for them, too. So the result is a `key_index` of `ds.attention`, of blocks
    that are masked nowhere.

    `values` are the elements at these places, −inf (+inf) in place of none. NaN
    comes behind all numbers.

    | operand | shape | element type |
    |---|---|---|
    | x | [..., N] | any float or integer; a float with masked |
    | indices | [..., k] | i64 |
    | values | [..., k] | as x |

    - C1: x has a rank of 1 or more.
    - C2: k is not negative. Of integers there are at least k, which have no
      element that could stand for none.
    - C3: indices, and values where they are asked for, have the shape of the
      table.
    - C4: values have the element type of x; x is a float with masked.

    Example:

    ```mlir
    // %score: tensor<?x1x?x?xf32>
    %blocks = ds.topk %score {k = 2048, masked}
                : (tensor<?x1x?x?xf32>) -> tensor<?x1x?x2048xi64>
    ```
  }];
  let arguments = (ins RankedTensorOf<[AnyFloat, AnyInteger]>:$x, I64Attr:$k,
                       UnitAttr:$smallest, UnitAttr:$masked);
  let results = (outs RankedTensorOf<[I64]>:$indices,
                      Optional<RankedTensorOf<[AnyFloat, AnyInteger]>>:$values);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // DS_DIALECT_DS_SELECTIONOPS_TD
