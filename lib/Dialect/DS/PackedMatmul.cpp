//===- PackedMatmul.cpp - Matrix product with a packed weight -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Tiling.h"

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// Construction and verification
//===----------------------------------------------------------------------===//

void PackedMatmulOp::build(OpBuilder &, OperationState &state, Value x,
                           Value packed, Value init) {
  state.addOperands({x, packed, init});
  state.addTypes(init.getType());
}

LogicalResult PackedMatmulOp::verify() {
  auto x = cast<ShapedType>(getX().getType());
  auto packed = cast<ShapedType>(getPacked().getType());
  auto init = cast<ShapedType>(getInit().getType());
  if (x.getRank() != 2)
    return emitOpError("C1: expected x of rank 2, found ") << x;
  if (init.getRank() != 2)
    return emitOpError("C1: expected init of rank 2, found ") << init;
  Type element = packed.getElementType();
  bool hasPairs = packed.getRank() == 5 && packed.getDimSize(4) == 2;
  if ((packed.getRank() != 4 && !(hasPairs && element.isBF16())) ||
      packed.isDynamicDim(1) || packed.isDynamicDim(3) || getPanel() == 0)
    return emitOpError("C1: expected packed of rank 4 with static strips, or "
                       "of rank 5 with pairs of bf16, found ")
           << packed;
  if (x.getElementType() != element)
    return emitOpError("C6: expected packed of ")
           << x.getElementType() << ", found " << element;
  int64_t groups = x.isDynamicDim(1)
                       ? ShapedType::kDynamic
                       : llvm::divideCeilSigned(x.getDimSize(1), getDepth());
  if (!compatibleDims(groups, packed.getDimSize(2)))
    return emitOpError("C2: expected dim 2 of packed to be ")
           << groups << ", found " << packed.getDimSize(2);
  if (!compatibleDims(x.getDimSize(0), init.getDimSize(0)))
    return emitOpError("C3: expected dim 0 of init to be ")
           << x.getDimSize(0) << ", found " << init.getDimSize(0);
  if (!init.isDynamicDim(1) && !packed.isDynamicDim(0)) {
    int64_t panels = llvm::divideCeilSigned(init.getDimSize(1), getPanel());
    if (panels != packed.getDimSize(0))
      return emitOpError("C4: expected ")
             << panels << " panels in packed for " << init.getDimSize(1)
             << " columns, found " << packed.getDimSize(0);
  }
  bool tensors = isa<RankedTensorType>(x);
  if (isa<RankedTensorType>(packed) != tensors ||
      isa<RankedTensorType>(init) != tensors ||
      getResults().size() != (tensors ? 1 : 0) ||
      (tensors && getResults().front().getType() != init))
    return emitOpError("C5: expected tensors and a result of init's type, or "
                       "memrefs and no result");
  return success();
}

//===----------------------------------------------------------------------===//
// Effects and shapes
//===----------------------------------------------------------------------===//

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (hasPureTensorSemantics())
    return;
  for (OpOperand *input : getDpsInputOperands())
    effects.emplace_back(MemoryEffects::Read::get(), input);
  effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable());
}

Speculation::Speculatability PackedMatmulOp::getSpeculatability() {
  return hasPureTensorSemantics() ? Speculation::Speculatable
                                  : Speculation::NotSpeculatable;
}

LogicalResult
PackedMatmulOp::reifyResultShapes(OpBuilder &b,
                                  ReifiedRankedShapedTypeDims &dims) {
  if (!hasPureTensorSemantics())
    return failure();
  dims.push_back(tensor::getMixedSizes(b, getLoc(), getInit()));
  return success();
}

//===----------------------------------------------------------------------===//
// Tiling
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> PackedMatmulOp::getLoopIteratorTypes() {
  return {utils::IteratorType::parallel, utils::IteratorType::parallel};
}

SmallVector<Range> PackedMatmulOp::getIterationDomain(OpBuilder &b) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(*this);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes =
      hasPureTensorSemantics() ? tensor::getMixedSizes(b, getLoc(), getInit())
                               : memref::getMixedSizes(b, getLoc(), getInit());
  return {Range{zero, sizes[0], one}, Range{zero, sizes[1], one}};
}

FailureOr<TilingResult>
PackedMatmulOp::getTiledImplementation(OpBuilder &b,
                                       ArrayRef<OpFoldResult> offsets,
                                       ArrayRef<OpFoldResult> sizes) {
  // A tile that starts within a panel has no slice of whole panels.
  if (!hasPureTensorSemantics() || !isMultipleOf(offsets[1], getPanel()))
    return failure();

  Location loc = getLoc();
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  AffineExpr n = b.getAffineDimExpr(0);
  auto panels = [&](AffineExpr expr, OpFoldResult columns) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, columns);
  };
  OpFoldResult firstPanel = panels(n.floorDiv(getPanel()), offsets[1]);
  OpFoldResult panelCount = panels(n.ceilDiv(getPanel()), sizes[1]);
  OpFoldResult depth = tensor::getMixedSize(b, loc, getX(), 1);

  auto x = tensor::ExtractSliceOp::create(
      b, loc, getX(), ArrayRef<OpFoldResult>{offsets[0], zero},
      ArrayRef<OpFoldResult>{sizes[0], depth},
      ArrayRef<OpFoldResult>{one, one});
  SmallVector<OpFoldResult> packedSizes =
      tensor::getMixedSizes(b, loc, getPacked());
  SmallVector<OpFoldResult> packedOffsets(packedSizes.size(), zero);
  packedOffsets[0] = firstPanel;
  packedSizes[0] = panelCount;
  auto packed = tensor::ExtractSliceOp::create(
      b, loc, getPacked(), packedOffsets, packedSizes,
      SmallVector<OpFoldResult>(packedSizes.size(), one));
  auto init = tensor::ExtractSliceOp::create(b, loc, getInit(), offsets, sizes,
                                             ArrayRef<OpFoldResult>{one, one});
  auto tiled = PackedMatmulOp::create(b, loc, x, packed, init);
  return TilingResult{{tiled}, {tiled->getResult(0)}, {x, packed, init}};
}

LogicalResult PackedMatmulOp::getResultTilePosition(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult>
PackedMatmulOp::generateResultTileValue(OpBuilder &b, unsigned,
                                        ArrayRef<OpFoldResult> offsets,
                                        ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(b, offsets, sizes);
}

LogicalResult PackedMatmulOp::getIterationDomainTileFromResultTile(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  return success();
}

LogicalResult PackedMatmulOp::getIterationDomainTileFromOperandTiles(
    OpBuilder &b, ArrayRef<unsigned> operands,
    ArrayRef<SmallVector<OpFoldResult>> offsets,
    ArrayRef<SmallVector<OpFoldResult>> sizes,
    SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  // Rows of x serve all columns; tiles of several operands, or of the weight,
  // come from no fusion that this compiler makes.
  if (operands.size() != 1 || operands[0] != 0 || !hasPureTensorSemantics())
    return failure();
  auto depth =
      getConstantIntValue(tensor::getMixedSize(b, getLoc(), getX(), 1));
  if (!isConstantIntValue(offsets[0][1], 0) || !depth ||
      !isConstantIntValue(sizes[0][1], *depth))
    return failure();
  domainOffsets.assign({offsets[0][0], b.getIndexAttr(0)});
  domainSizes.assign(
      {sizes[0][0], tensor::getMixedSize(b, getLoc(), getInit(), 1)});
  return success();
}

FailureOr<TilingResult> PackedMatmulOp::getTiledImplementationFromOperandTiles(
    OpBuilder &b, ArrayRef<unsigned> operands,
    ArrayRef<SmallVector<OpFoldResult>> offsets,
    ArrayRef<SmallVector<OpFoldResult>> sizes) {
  SmallVector<OpFoldResult> domainOffsets, domainSizes;
  if (failed(getIterationDomainTileFromOperandTiles(
          b, operands, offsets, sizes, domainOffsets, domainSizes)))
    return failure();
  return getTiledImplementation(b, domainOffsets, domainSizes);
}

//===----------------------------------------------------------------------===//
// Reference decomposition
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> PackedMatmulOp::decomposeOperation(OpBuilder &b) {
  if (!hasPureTensorSemantics())
    return failure();
  Location loc = getLoc();
  LinalgBuilder linalg{b, loc};
  Value zero = LinalgBuilder::constant(b, loc, b.getF32Type(), 0);
  Value init = linalg::FillOp::create(b, loc, zero, getInit()).getResult(0);
  AffineExpr m, n, k;
  bindDims(b.getContext(), m, n, k);
  Value sum = linalg.generic(
      getX(),
      {AffineMap::get(3, 0, {m, k}, b.getContext()),
       AffineMap::get(3, 0, {m, n}, b.getContext())},
      init, [&](OpBuilder &b, Location loc, ValueRange v) {
        Value column = linalg::IndexOp::create(b, loc, 1);
        Value depth = linalg::IndexOp::create(b, loc, 2);
        Value width = arith::ConstantIndexOp::create(b, loc, getStrip());
        Value strips =
            arith::ConstantIndexOp::create(b, loc, getPanel() / getStrip());
        Value strip = arith::DivUIOp::create(b, loc, column, width);
        SmallVector<Value> place{arith::DivUIOp::create(b, loc, strip, strips),
                                 arith::RemUIOp::create(b, loc, strip, strips),
                                 depth,
                                 arith::RemUIOp::create(b, loc, column, width)};
        if (getDepth() > 1) {
          Value group = arith::ConstantIndexOp::create(b, loc, getDepth());
          place[2] = arith::DivUIOp::create(b, loc, depth, group);
          place.push_back(arith::RemUIOp::create(b, loc, depth, group));
        }
        Value w = tensor::ExtractOp::create(b, loc, getPacked(), place);
        Type sum = b.getF32Type();
        Value product = arith::MulFOp::create(
            b, loc, LinalgBuilder::extend(b, loc, sum, v[0]),
            LinalgBuilder::extend(b, loc, sum, w));
        return arith::AddFOp::create(b, loc, v[1], product).getResult();
      });
  return SmallVector<Value>{sum};
}
