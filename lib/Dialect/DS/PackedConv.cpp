//===- PackedConv.cpp - Convolution with a packed weight ------------------===//
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

void PackedConvOp::build(OpBuilder &b, OperationState &state, Value x,
                         Value packed, Value init, ArrayRef<int64_t> kernel,
                         ArrayRef<int64_t> strides,
                         ArrayRef<int64_t> dilations) {
  build(b, state, init.getType(), x, packed, init, kernel, strides, dilations);
}

/// The elements along a spatial dim of x that `positions` windows reach over.
static int64_t reach(int64_t positions, int64_t kernel, int64_t stride,
                     int64_t dilation) {
  return (positions - 1) * stride + (kernel - 1) * dilation + 1;
}

LogicalResult PackedConvOp::verify() {
  auto x = cast<ShapedType>(getX().getType()), packed = getPackedType(),
       init = cast<ShapedType>(getInit().getType());
  int64_t spatial = x.getRank() - 2;
  if (spatial < 1 || init.getRank() != x.getRank())
    return emitOpError("C1: expected x and init of one rank, 3 or more, found ")
           << x << " and " << init;
  if (packed.getRank() != 5 || llvm::any_of(llvm::seq(5), [&](int i) {
        return i != 1 && (packed.isDynamicDim(i) || packed.getDimSize(i) == 0);
      }))
    return emitOpError("C1: expected packed of rank 5, static but for the "
                       "number of panels, found ")
           << packed;
  for (auto [name, values] : {std::pair("kernel", getKernel()),
                              {"strides", getStrides()},
                              {"dilations", getDilations()}})
    if (int64_t(values.size()) != spatial ||
        llvm::any_of(values, [](int64_t value) { return value < 1; }))
      return emitOpError("C2: expected ")
             << name << " to be " << spatial << " positive numbers, found ["
             << values << "]";
  if (!compatibleDims(x.getDimSize(0), init.getDimSize(0)))
    return emitOpError("C3: expected dim 0 of init to be ")
           << x.getDimSize(0) << ", found " << init.getDimSize(0);
  int64_t depth = packed.getDimSize(3);
  if (depth % getTaps() != 0 ||
      !compatibleDims(x.getDimSize(1), getGroups() * getGroupChannels()))
    return emitOpError("C4: expected ")
           << getGroups() << " groups of " << depth << " / " << getTaps()
           << " channels, found " << x;
  int64_t maps = init.getShape().back();
  if (!ShapedType::isDynamic(maps) &&
      (maps % getGroups() != 0 ||
       !compatibleDims(llvm::divideCeilSigned(maps / getGroups(), getPanel()),
                       packed.getDimSize(1))))
    return emitOpError("C5: expected ")
           << getGroups() << " groups of feature maps that fill "
           << packed.getDimSize(1) << " panels of " << getPanel() << ", found "
           << init;
  if (ShapedType::isDynamic(maps) && getGroups() != 1)
    return emitOpError("C5: expected a known number of feature maps in ")
           << getGroups() << " groups, found " << init;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t size = x.getDimSize(2 + i), positions = init.getDimSize(1 + i);
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(positions) ||
        positions == 0)
      continue;
    int64_t needed =
        reach(positions, getKernel()[i], getStrides()[i], getDilations()[i]);
    if (needed > size)
      return emitOpError("C6: expected dim ")
             << 2 + i << " of x to be at least " << needed << ", found "
             << size;
  }
  bool tensors = isa<RankedTensorType>(x);
  if (isa<RankedTensorType>(packed) != tensors ||
      isa<RankedTensorType>(init) != tensors ||
      getResults().size() != (tensors ? 1 : 0) ||
      (tensors && getResults().front().getType() != init))
    return emitOpError("C7: expected tensors and a result of init's type, or "
                       "memrefs and no result");
  return success();
}

//===----------------------------------------------------------------------===//
// Effects and shapes
//===----------------------------------------------------------------------===//

void PackedConvOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (hasPureTensorSemantics())
    return;
  for (OpOperand *input : getDpsInputOperands())
    effects.emplace_back(MemoryEffects::Read::get(), input);
  effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable());
}

Speculation::Speculatability PackedConvOp::getSpeculatability() {
  return hasPureTensorSemantics() ? Speculation::Speculatable
                                  : Speculation::NotSpeculatable;
}

LogicalResult
PackedConvOp::reifyResultShapes(OpBuilder &b,
                                ReifiedRankedShapedTypeDims &dims) {
  if (!hasPureTensorSemantics())
    return failure();
  dims.push_back(tensor::getMixedSizes(b, getLoc(), getInit()));
  return success();
}

OpFoldResult PackedConvOp::getGroupMaps(OpBuilder &b) {
  auto init = cast<ShapedType>(getInit().getType());
  int64_t last = init.getRank() - 1;
  if (!init.isDynamicDim(last))
    return b.getIndexAttr(init.getDimSize(last) / getGroups());
  return hasPureTensorSemantics()
             ? tensor::getMixedSize(b, getLoc(), getInit(), last)
             : memref::getMixedSize(b, getLoc(), getInit(), last);
}

//===----------------------------------------------------------------------===//
// Tiling
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> PackedConvOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(
      cast<ShapedType>(getInit().getType()).getRank(),
      utils::IteratorType::parallel);
}

SmallVector<Range> PackedConvOp::getIterationDomain(OpBuilder &b) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(*this);
  SmallVector<OpFoldResult> sizes =
      hasPureTensorSemantics() ? tensor::getMixedSizes(b, getLoc(), getInit())
                               : memref::getMixedSizes(b, getLoc(), getInit());
  return llvm::map_to_vector(sizes, [&](OpFoldResult size) {
    return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
  });
}

/// Whether feature maps from `offset` on are a tile with panels of its own.
static bool hasWholePanels(PackedConvOp op, OpFoldResult offset,
                           OpFoldResult size) {
  if (op.getGroups() == 1)
    return isMultipleOf(offset, op.getPanel());
  int64_t each = cast<ShapedType>(op.getInit().getType()).getShape().back() /
                 op.getGroups();
  std::optional<int64_t> known = getConstantIntValue(size);
  return known && *known > 0 && each % *known == 0 &&
         (*known == each || *known % op.getPanel() == 0) &&
         isMultipleOf(offset, *known);
}

FailureOr<TilingResult>
PackedConvOp::getTiledImplementation(OpBuilder &b,
                                     ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes) {
  if (!hasPureTensorSemantics())
    return failure();
  Location loc = getLoc();
  OpFoldResult one = b.getIndexAttr(1);
  auto apply = [&](AffineExpr expr, OpFoldResult operand) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operand);
  };
  auto slice = [&](Value tensor, ArrayRef<OpFoldResult> offsets,
                   ArrayRef<OpFoldResult> sizes) {
    return tensor::ExtractSliceOp::create(
        b, loc, tensor, offsets, sizes,
        SmallVector<OpFoldResult>(sizes.size(), one));
  };
  AffineExpr d = b.getAffineDimExpr(0);
  SmallVector<OpFoldResult> xSizes = tensor::getMixedSizes(b, loc, getX());
  SmallVector<OpFoldResult> xOffsets(xSizes.size(), b.getIndexAttr(0));
  xOffsets[0] = offsets[0];
  xSizes[0] = sizes[0];
  for (size_t i = 0, e = getKernel().size(); i < e; ++i) {
    int64_t stride = getStrides()[i];
    // A kernel of one tap needs nothing past its last position.
    xOffsets[2 + i] = apply(d * stride, offsets[1 + i]);
    xSizes[2 + i] =
        apply((d - 1) * stride + reach(1, getKernel()[i], 1, getDilations()[i]),
              sizes[1 + i]);
  }

  SmallVector<OpFoldResult> packedSizes =
      tensor::getMixedSizes(b, loc, getPacked());
  SmallVector<OpFoldResult> packedOffsets(packedSizes.size(),
                                          b.getIndexAttr(0));
  OpFoldResult map = offsets.back(), maps = sizes.back();
  OpFoldResult all =
      tensor::getMixedSize(b, loc, getInit(), int64_t(sizes.size()) - 1);
  if (!isConstantIntValue(map, 0) || maps != all) {
    // A tile that starts within a panel has no slice of whole panels.
    if (!hasWholePanels(*this, map, maps))
      return failure();
    packedOffsets[1] = apply(d.floorDiv(getPanel()), map);
    packedSizes[1] = apply(d.ceilDiv(getPanel()), maps);
    if (getGroups() != 1) {
      int64_t each = *getConstantIntValue(getGroupMaps(b));
      packedOffsets[0] = apply(d.floorDiv(each), map);
      packedOffsets[1] = apply((d % each).floorDiv(getPanel()), map);
      packedSizes[0] = one;
      xOffsets[1] = apply(d.floorDiv(each) * getGroupChannels(), map);
      xSizes[1] = b.getIndexAttr(getGroupChannels());
    }
  }
  auto x = slice(getX(), xOffsets, xSizes);
  auto packed = slice(getPacked(), packedOffsets, packedSizes);
  auto init = slice(getInit(), offsets, sizes);
  auto tiled = PackedConvOp::create(b, loc, x, packed, init, getKernel(),
                                    getStrides(), getDilations());
  return TilingResult{{tiled}, {tiled->getResult(0)}, {x, packed, init}};
}

LogicalResult PackedConvOp::getResultTilePosition(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  resultOffsets.assign(offsets.begin(), offsets.end());
  resultSizes.assign(sizes.begin(), sizes.end());
  return success();
}

FailureOr<TilingResult>
PackedConvOp::generateResultTileValue(OpBuilder &b, unsigned,
                                      ArrayRef<OpFoldResult> offsets,
                                      ArrayRef<OpFoldResult> sizes) {
  return getTiledImplementation(b, offsets, sizes);
}

LogicalResult PackedConvOp::getIterationDomainTileFromResultTile(
    OpBuilder &, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  return success();
}

//===----------------------------------------------------------------------===//
// Reference decomposition
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> PackedConvOp::decomposeOperation(OpBuilder &b) {
  if (!hasPureTensorSemantics())
    return failure();
  Location loc = getLoc();
  MLIRContext *context = b.getContext();
  LinalgBuilder linalg{b, loc};
  int64_t spatial = getKernel().size(), loops = 3 + 2 * spatial;
  auto loop = [&](int64_t i) { return getAffineDimExpr(i, context); };
  // Image, positions, feature map; channel, taps.
  int64_t map = 1 + spatial, channel = map + 1;
  AffineExpr firstChannel = getAffineConstantExpr(0, context);
  if (getGroups() != 1)
    firstChannel = loop(map).floorDiv(*getConstantIntValue(getGroupMaps(b))) *
                   getGroupChannels();
  SmallVector<AffineExpr> xExprs{loop(0), firstChannel + loop(channel)},
      windowExprs{loop(channel)}, initExprs{loop(0)};
  SmallVector<OpFoldResult> window{b.getIndexAttr(getGroupChannels())};
  for (int64_t i = 0; i < spatial; ++i) {
    AffineExpr position = loop(1 + i), tap = loop(channel + 1 + i);
    xExprs.push_back(position * getStrides()[i] + tap * getDilations()[i]);
    windowExprs.push_back(tap);
    initExprs.push_back(position);
    window.push_back(b.getIndexAttr(getKernel()[i]));
  }
  initExprs.push_back(loop(map));
  Value zero = LinalgBuilder::constant(b, loc, b.getF32Type(), 0);
  Value init = linalg::FillOp::create(b, loc, zero, getInit()).getResult(0);
  OpFoldResult each = getGroupMaps(b);
  Value groupMaps = getValueOrCreateConstantIndexOp(b, loc, each);
  // The second operand is never read: it tells how far channels and taps run.
  Value sum = linalg.generic(
      {getX(), linalg.empty(window, b.getF32Type())},
      {AffineMap::get(loops, 0, xExprs, context),
       AffineMap::get(loops, 0, windowExprs, context),
       AffineMap::get(loops, 0, initExprs, context)},
      init, [&](OpBuilder &b, Location loc, ValueRange v) {
        auto index = [&](int64_t value) -> Value {
          return arith::ConstantIndexOp::create(b, loc, value);
        };
        auto div = [&](Value l, Value r) -> Value {
          return arith::DivUIOp::create(b, loc, l, r);
        };
        auto rem = [&](Value l, Value r) -> Value {
          return arith::RemUIOp::create(b, loc, l, r);
        };
        Value number = linalg::IndexOp::create(b, loc, map);
        Value column = rem(number, groupMaps);
        Value depth = linalg::IndexOp::create(b, loc, channel);
        for (int64_t i = 0; i < spatial; ++i) {
          depth = arith::MulIOp::create(b, loc, depth, index(getKernel()[i]));
          depth = arith::AddIOp::create(
              b, loc, depth, linalg::IndexOp::create(b, loc, channel + 1 + i));
        }
        Value panel = index(getPanel()), strip = index(getStrip());
        SmallVector<Value> place{div(number, groupMaps), div(column, panel),
                                 div(rem(column, panel), strip), depth,
                                 rem(column, strip)};
        Value w = tensor::ExtractOp::create(b, loc, getPacked(), place);
        Value product = arith::MulFOp::create(b, loc, v[0], w);
        return arith::AddFOp::create(b, loc, v[2], product).getResult();
      });
  return SmallVector<Value>{sum};
}
