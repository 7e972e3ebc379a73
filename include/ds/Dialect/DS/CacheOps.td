//===- CacheOps.td - Keys and values kept between calls -----*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_CACHEOPS_TD
#define DS_DIALECT_DS_CACHEOPS_TD

include "ds/Dialect/DS/DSOpBase.td"

def DS_CacheTensor : RankedTensorOf<[AnyFloat, AnyInteger]>;

def DS_KVAppendOp : DS_ValueOp<"kv_append"> {
  let summary = "new rows of keys or values in a cache";
  let description = [{
    The cache with `rows` written from a position of each batch on:

    ```
    p = positions[b], or 0
    result[b,h,p + t,:] = rows[b,h,t,:]               t = 0 … T − 1
    result[b,h,(p + t) mod S,:] = rows[b,h,t,:]       where circular is set
    result[b,h,s,:] = cache[b,h,s,:]                  everywhere else
    ```

    `mod` is never negative. The result has the buffer of `cache` where nothing
    reads that afterwards, and then only the new rows are written. An input of an
    entry is never written, unless the caller gives its buffer for the result,
    too: see `ds-results-to-arguments`.

    | operand | shape | element type |
    |---|---|---|
    | cache | [B, Hkv, S, D] | any float or integer |
    | rows | [B, Hkv, T, D], T at most S | as cache |
    | positions | [B] | i64 |

    - C1: cache and rows have rank 4.
    - C2: cache and rows have the same B, Hkv and D.
    - C3: T is at most S.
    - C4: positions is [B].
    - C5: cache, rows and result have one element type.
    - C6: the result has the shape of cache, but for what is known of its dims.

    Where `circular` is not set, a position outside [0, S − T] is reported at run
    time and taken as 0.

    Circular caches, which keep the last S rows, are those of a sliding window;
    `TensorScatter` of ONNX has both forms.

    Example:

    ```mlir
    // %cache: tensor<?x8x4096x64xf16>, %rows: tensor<?x8x?x64xf16>, %positions: tensor<?xi64>
    %present = ds.kv_append %cache, %rows at %positions circular
                 : (tensor<?x8x4096x64xf16>, tensor<?x8x?x64xf16>, tensor<?xi64>)
                 -> tensor<?x8x4096x64xf16>
    ```
  }];
  let arguments = (ins DS_CacheTensor:$cache, DS_CacheTensor:$rows,
    Optional<1DTensorOf<[I64]>>:$positions, UnitAttr:$circular);
  let results = (outs DS_CacheTensor:$result);
  let assemblyFormat = [{
    $cache `,` $rows (`at` $positions^)? (`circular` $circular^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getType() { return getResult().getType(); }
  }];
}

#endif // DS_DIALECT_DS_CACHEOPS_TD
