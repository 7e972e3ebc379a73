//===- DSOps.td - Ops of the ds dialect ---------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSOPS_TD
#define DS_DIALECT_DS_DSOPS_TD

include "ds/Dialect/DS/DSAttrs.td"
include "ds/Dialect/DS/DSInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def DS_WeightOp : DS_Op<"weight", [Pure]> {
  let summary = "a tensor of constants that lies in a file";
  let description = [{
    The tensor that `source` names, after the steps of `transforms` from first
    to last. It stays a reference through the whole compiler and is evaluated
    once, when the artifact is written.

    - C1: every transform is a `#ds.transpose`, `#ds.reshape`, `#ds.select`,
      `#ds.scale` (of floats) or `#ds.pack`, and fits the shape that reaches it.
    - C2: the shape and element type after the last step are the result's.

    Example:

    ```mlir
    %w = ds.weight <"model.onnx", 4096, 589824, "", tensor<384x384xf32>>
           [#ds.transpose<[1, 0]>, #ds.pack<2 x 16>] : tensor<12x2x384x16xf32>
    ```
  }];
  let arguments = (ins DS_WeightAttr:$source,
    DefaultValuedAttr<ArrayAttr, "{}">:$transforms);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$source ($transforms^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def DS_CheckOp : DS_Op<"check"> {
  let summary = "a relation between shapes that must hold before anything runs";
  let description = [{
    States that `holds` is true in every legal call. The checks of an entry and
    what they are computed from move to its shape function, which reports the
    first that fails with the op's location as the node: in `message`, {0} and
    {1} stand for `v0` and `v1`.

    Example:

    ```mlir
    // %equal: i1, %k: index, %n: index
    ds.check %equal, %k, %n "the contracted dims differ: {0} and {1}"
    ```
  }];
  let arguments = (ins I1:$holds, Index:$v0, Index:$v1, StrAttr:$message);
  let assemblyFormat = "$holds `,` $v0 `,` $v1 $message attr-dict";
}

def DS_IndexOrVector : AnyTypeOf<[Index, VectorOfRankAndType<[1], [Index]>]>;

/// What compiled code tells the host about bad data.
def DS_Reports : Resource<"::mlir::ds::Reports">;

def DS_CheckedIndexOp : DS_Op<"checked_index",
    [MemoryEffects<[MemWrite<DS_Reports>]>, SameOperandsAndResultType]
    # ElementwiseMappable.traits> {
  let summary = "an index from data, made safe";
  let description = [{
    Gives `index` where 0 <= index < bound; index + bound where
    -bound <= index < 0 and `wrap` is set; otherwise reports the node at the
    op's location with the index and the bound, and gives 0, so that no data
    makes compiled code leave its buffers. `bound` is at least 1. Vectors hold
    an index for each lane.

    Its effect, on a resource that nothing reads, keeps it where its result is
    not used, and from being executed where the program would not. It stands
    inside the body of a generic or loop.

    Example:

    ```mlir
    // %i: index, %rows: index
    %safe = ds.checked_index %i in %rows wrap : index
    ```
  }];
  let arguments = (ins DS_IndexOrVector:$index, DS_IndexOrVector:$bound,
                       UnitAttr:$wrap);
  let results = (outs DS_IndexOrVector:$result);
  let assemblyFormat = "$index `in` $bound (`wrap` $wrap^)? attr-dict `:` type($result)";
}

def DS_F32OrVector : AnyTypeOf<[F32, VectorOfRankAndType<[1], [F32]>]>;

def DS_SoftmaxExp2Op : DS_Op<"softmax_exp2",
    [Pure, SameOperandsAndResultType] # ElementwiseMappable.traits> {
  let summary = "2 to a power that is not positive, as softmax takes it";
  let description = [{
    2^x for x <= 0 with an error below 8 ulp; where that is 2^-126.5 or
    less, and for x = -inf, exactly 0. What it gives for a positive x is
    not defined. It takes little more than half of the work of `math.exp2`:
    there is nothing to round for subnormal results and nothing to overflow.

    Example:

    ```mlir
    // %x: f32
    %w = ds.softmax_exp2 %x : f32
    ```
  }];
  let arguments = (ins DS_F32OrVector:$x);
  let results = (outs DS_F32OrVector:$result);
  let assemblyFormat = "$x attr-dict `:` type($result)";
}

def DS_BoundedOp : DS_Op<"bounded", [Pure, SameOperandsAndResultType]> {
  let summary = "a number from data that shapes bound";
  let description = [{
    `value`, which is at most `limit`. A buffer whose size is made of it gets
    the memory that `limit` needs, since memory is planned before anything runs.

    Example:

    ```mlir
    // %total: index, %most: index
    %n = ds.bounded %total by %most : index
    ```
  }];
  let arguments = (ins Index:$value, Index:$limit);
  let results = (outs Index:$result);
  let assemblyFormat = "$value `by` $limit attr-dict `:` type($result)";
}

def DS_WorkerOp : DS_Op<"worker", [NoMemoryEffect]> {
  let summary = "the number of the worker that runs a task";
  let description = [{
    In [0, threads). Stands in the body of a parallel loop, and picks the part of
    the scratch memory that is this worker's alone.

    Example: `%w = ds.worker : index`
  }];
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def DS_ProfileResource : Resource<"::mlir::ds::ProfileCounts">;

def DS_CountWorkOp : DS_Op<"count_work", [
    MemoryEffects<[MemWrite<DS_ProfileResource>]>]> {
  let summary = "counts work that has been done, for a profile";
  let description = [{
    Adds operations on floats, and bytes of buffers that outlive the task, to
    what the profile of the task at work holds, or of the entry where it stands
    outside of tasks. Nothing where no profile is made.

    Example:

    ```mlir
    // %flops: index, %bytes: index
    ds.count_work %flops, %bytes
    ```
  }];
  let arguments = (ins Index:$flops, Index:$bytes);
  let assemblyFormat = "$flops `,` $bytes attr-dict";
}

include "ds/Dialect/DS/AttentionOps.td"
include "ds/Dialect/DS/CacheOps.td"
include "ds/Dialect/DS/ConvOps.td"
include "ds/Dialect/DS/LinearOps.td"
include "ds/Dialect/DS/PackingOps.td"
include "ds/Dialect/DS/SelectionOps.td"

#endif // DS_DIALECT_DS_DSOPS_TD
