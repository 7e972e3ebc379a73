//===- LinearOps.td - Products with weights -----------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_LINEAROPS_TD
#define DS_DIALECT_DS_LINEAROPS_TD

include "ds/Dialect/DS/DSOpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/TilingInterface.td"

def DS_LinearOp : DS_ValueOp<"linear"> {
  let summary = "a linear layer: rows times a weight matrix, plus a bias";
  let description = [{
    `y[…, n] = Σ_k x[…, k] · w[k, n] + bias[n]`

    The one place where adapters, quantization and packing attach to a weight.
    An activation or a residual stays an op of its own. Each element is one
    chain of fused multiply-adds over k = 0 … K−1, to which the bias is added
    last; half-precision elements are summed in f32 and rounded once.

    | operand | shape | element type |
    |---|---|---|
    | x | […, K] | f32, f64, f16 or bf16 |
    | w | [K, N], static | as x |
    | bias | [N] | as x |

    - C1: x has rank 1 or more.
    - C2: w is a matrix of static shape.
    - C3: the last dim of x is K.
    - C4: bias is a vector of N elements.
    - C5: all element types are the same.
    - C6: the result has the shape of x, with N as its last dim.

    Example:

    ```mlir
    // %x: tensor<?x?x384xf32>, %bias: tensor<1536xf32>
    %w = ds.weight <"model.onnx", 4096, 2359296, "", tensor<384x1536xf32>>
           : tensor<384x1536xf32>
    %y = ds.linear %x, %w, %bias
           : (tensor<?x?x384xf32>, tensor<384x1536xf32>, tensor<1536xf32>)
           -> tensor<?x?x1536xf32>
    ```
  }];
  let arguments = (ins DS_FloatTensor:$x, DS_FloatTensor:$w,
    Optional<DS_FloatTensor>:$bias);
  let results = (outs DS_FloatTensor:$y);
  let assemblyFormat =
    "$x `,` $w (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def DS_MatrixTensorOrMemRef
    : AnyTypeOf<[RankedTensorOf<[F32, F16, BF16]>,
                 StridedMemRefRankOf<[F32, F16, BF16], [2, 4, 5]>]>;
def DS_F32TensorOrMemRef
    : AnyTypeOf<[RankedTensorOf<[F32]>, StridedMemRefRankOf<[F32], [2]>]>;

def DS_PackedMatmulOp : DS_Op<"packed_matmul", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<ConditionallySpeculatable>,
    DeclareOpInterfaceMethods<AggregatedOpInterface, ["decomposeOperation"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                              ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<TilingInterface, [
      "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
      "getResultTilePosition", "generateResultTileValue",
      "getIterationDomainTileFromResultTile",
      "getTiledImplementationFromOperandTiles",
      "getIterationDomainTileFromOperandTiles"]>]> {
  let summary = "a matrix product with a weight packed in panels of columns";
  let description = [{
    `y[m, n] = Σ_k x[m, k] · packed[n / SL, n / L mod S, k / D, n mod L, k mod D]`

    What `ds.linear` becomes on the CPU. The weight lies in panels of S strips
    of L columns, as `#ds.pack` makes them, so that an inner loop reads each
    strip from first to last; columns past N in the last panel are padding and
    are not stored. `init` gives the result its place: it is overwritten and
    never read. Each element is one chain of fused multiply-adds in f32 over
    k = 0 … K−1, whatever M and N are, so tiles of any size give the same bits.
    Of bf16, D = 2 elements lie side by side: where a target multiplies pairs,
    a step of the chain adds the two products of a pair in the order that its
    instruction has.

    The loops are (M, N). A tile starts at a column that is a multiple of S·L
    and holds whole panels, but for the last one.

    | operand | shape | element type |
    |---|---|---|
    | x | [M, K] | f32, f16 or bf16 |
    | packed | [P, S, K, L] (D = 1) or [P, S, ⌈K/D⌉, L, D]; S, L and D static | as x |
    | init | [M, N] with (P−1)·S·L < N ≤ P·S·L | f32 |

    - C1: x and init have rank 2, packed has rank 4 and static strips, or rank 5
      and, side by side, two elements of bf16.
    - C2: x and packed have the same K, but for rows of zeros that complete the
      last pair.
    - C3: x and init have the same M.
    - C4: N fills the P panels, but for part of the last.
    - C5: all operands are tensors and the result has init's type, or all are
      memrefs and there is no result.
    - C6: x and packed have the same element type.

    Example:

    ```mlir
    // %x: tensor<?x384xf32>, %packed: tensor<3x2x384x16xf32>, %init: tensor<?x80xf32>
    %y = ds.packed_matmul
           ins(%x, %packed : tensor<?x384xf32>, tensor<3x2x384x16xf32>)
           outs(%init : tensor<?x80xf32>) -> tensor<?x80xf32>
    ```
  }];
  let arguments = (ins
    DS_MatrixTensorOrMemRef:$x,
    DS_MatrixTensorOrMemRef:$packed,
    DS_F32TensorOrMemRef:$init);
  let results = (outs Variadic<RankedTensorOf<[F32]>>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $x `,` $packed `:` type($x) `,` type($packed) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let builders = [
    // In value form; the result has init's type.
    OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$packed,
                   "::mlir::Value":$init)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// The number of columns in a strip.
    int64_t getStrip() {
      return ::llvm::cast<::mlir::ShapedType>(getPacked().getType())
          .getDimSize(3);
    }
    /// The number of elements of a column that lie side by side.
    int64_t getDepth() {
      auto type = ::llvm::cast<::mlir::ShapedType>(getPacked().getType());
      return type.getRank() == 5 ? type.getDimSize(4) : 1;
    }
    /// The number of columns in a panel.
    int64_t getPanel() {
      return ::llvm::cast<::mlir::ShapedType>(getPacked().getType())
                 .getDimSize(1) *
             getStrip();
    }
  }];
}

#endif // DS_DIALECT_DS_LINEAROPS_TD
