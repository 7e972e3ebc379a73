//===- ConvOps.td - Convolutions with weights ---------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_CONVOPS_TD
#define DS_DIALECT_DS_CONVOPS_TD

include "ds/Dialect/DS/DSOpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/TilingInterface.td"

def DS_ImageTensorOrMemRef
    : AnyTypeOf<[RankedTensorOf<[F32]>, StridedMemRefOf<[F32]>]>;

def DS_PackedConvOp : DS_Op<"packed_conv", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<ConditionallySpeculatable>,
    DeclareOpInterfaceMethods<AggregatedOpInterface, ["decomposeOperation"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                              ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<TilingInterface, [
      "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
      "getResultTilePosition", "generateResultTileValue",
      "getIterationDomainTileFromResultTile"]>]> {
  let summary = "a convolution with a weight packed in panels of feature maps";
  let description = [{
    `y[n, o…, m] = Σ_c Σ_t… x[n, g·C + c, oᵢ·strideᵢ + tᵢ·dilationᵢ …] ·
                   packed[g, j / SL, j / L mod S, k, j mod L]`
    where g = m / J is the group of the feature map, j = m mod J its number in
    the group, and k = (c, t…) counts channels and taps in row-major order.

    What a convolution of f32 becomes on the CPU: a matrix product of which a
    row is a position and a column a feature map, so the maps are the last dim
    of the result. Its left-hand side is read from x where it lies. There is no
    padding: x has its zeros already. As in `ds.packed_matmul`, each element is
    one chain of fused multiply-adds over k, so tiles of any size give the same
    bits, and `init` gives the result its place: it is overwritten and never
    read.

    The loops are those of the result. A tile of feature maps is whole, or lies
    in one group, starts at a multiple of S·L in it and holds whole panels, but
    for the last one of the group.

    | operand | shape | element type |
    |---|---|---|
    | x | [N, G·C, spatial dims] | f32 |
    | packed | [G, P, S, K, L] with K = C · taps | f32 |
    | init | [N, positions, G·J] with (P−1)·S·L < J ≤ P·S·L | f32 |

    - C1: x and init have one rank, 3 or more; packed has rank 5 and a static
      shape, but for P.
    - C2: kernel, strides and dilations have an element, at least 1, for each
      spatial dim.
    - C3: x and init have the same N.
    - C4: the channels of a group and the taps of the kernel make up K.
    - C5: the feature maps of a group fill the P panels, but for part of the
      last.
    - C6: every window lies in x.
    - C7: all operands are tensors and the result has init's type, or all are
      memrefs and there is no result.

    Example:

    ```mlir
    // %x: tensor<?x64x58x58xf32>, %w: tensor<1x2x2x576x16xf32>, %init: tensor<?x56x56x64xf32>
    %y = ds.packed_conv kernel [3, 3] strides [1, 1] dilations [1, 1]
           ins(%x, %w : tensor<?x64x58x58xf32>, tensor<1x2x2x576x16xf32>)
           outs(%init : tensor<?x56x56x64xf32>) -> tensor<?x56x56x64xf32>
    ```
  }];
  let arguments = (ins
    DS_ImageTensorOrMemRef:$x,
    DS_ImageTensorOrMemRef:$packed,
    DS_ImageTensorOrMemRef:$init,
    DenseI64ArrayAttr:$kernel,
    DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$dilations);
  let results = (outs Variadic<RankedTensorOf<[F32]>>:$results);
  let assemblyFormat = [{
    `kernel` $kernel `strides` $strides `dilations` $dilations attr-dict
    `ins` `(` $x `,` $packed `:` type($x) `,` type($packed) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let builders = [
    // In value form; the result has init's type.
    OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$packed,
                   "::mlir::Value":$init,
                   "::llvm::ArrayRef<int64_t>":$kernel,
                   "::llvm::ArrayRef<int64_t>":$strides,
                   "::llvm::ArrayRef<int64_t>":$dilations)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    ::mlir::ShapedType getPackedType() {
      return ::llvm::cast<::mlir::ShapedType>(getPacked().getType());
    }
    /// The number of feature maps in a strip.
    int64_t getStrip() { return getPackedType().getDimSize(4); }
    /// The number of feature maps in a panel.
    int64_t getPanel() { return getPackedType().getDimSize(2) * getStrip(); }
    /// The number of taps of the kernel.
    int64_t getTaps() {
      return ::mlir::ShapedType::getNumElements(getKernel());
    }
    int64_t getGroups() { return getPackedType().getDimSize(0); }
    /// The number of channels that a feature map sums over.
    int64_t getGroupChannels() {
      return getPackedType().getDimSize(3) / getTaps();
    }
    /// The number of feature maps of a group.
    ::mlir::OpFoldResult getGroupMaps(::mlir::OpBuilder &b);
  }];
}

#endif // DS_DIALECT_DS_CONVOPS_TD
