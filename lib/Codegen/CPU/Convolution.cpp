//===- Convolution.cpp - Convolutions on buffers to micro-kernels ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The windows along a row of positions are the left-hand side of a product: a
// view of x in which they overlap, with a dim for the position, one for the
// channel and one for each tap. Micro-kernels read single elements of their
// left-hand side, so strides and dilations cost nothing, and nothing is copied.
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Where the windows of a row of positions start, and which maps are computed.
struct Place {
  Value image, group, panel;
  ArrayRef<Value> outer; // positions but for the last dim
};

class Convolution {
public:
  Convolution(RewriterBase &rewriter, PackedConvOp op)
      : b(rewriter), loc(op.getLoc()), op(op), spatial(op.getKernel().size()),
        x(cast<MemRefType>(op.getX().getType())) {}

  void run(MicroKernels &kernels);

private:
  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
  }
  Value windows(const Place &place, OpFoldResult positions);
  Value strips(const Place &place);
  std::pair<Value, OpFoldResult> tile(const Place &place,
                                      OpFoldResult positions);

  RewriterBase &b;
  Location loc;
  PackedConvOp op;
  int64_t spatial;
  MemRefType x;
};
} // namespace

/// [positions, channels, taps…] of x, all of one image and group.
Value Convolution::windows(const Place &place, OpFoldResult positions) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, op.getX());
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides();
  AffineExpr s0 = b.getAffineSymbolExpr(0), s1 = b.getAffineSymbolExpr(1),
             s2 = b.getAffineSymbolExpr(2);
  OpFoldResult offset = metadata.getConstifiedMixedOffset();
  auto move = [&](OpFoldResult count, int64_t factor, OpFoldResult stride) {
    offset = apply(s0 + s1 * s2 * factor, {offset, count, stride});
  };
  move(place.image, 1, strides[0]);
  move(place.group, op.getGroupChannels(), strides[1]);
  for (auto [i, position] : llvm::enumerate(place.outer))
    move(position, op.getStrides()[i], strides[2 + i]);

  // What kernels take as it comes is a value, so that they are shared by
  // images of all sizes.
  auto toValue = [&](OpFoldResult size) -> OpFoldResult {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  };
  SmallVector<OpFoldResult> sizes{positions,
                                  b.getIndexAttr(op.getGroupChannels())};
  SmallVector<OpFoldResult> steps{
      apply(s0 * op.getStrides().back(), strides.back()), toValue(strides[1])};
  for (auto [kernel, dilation, stride] :
       llvm::zip_equal(op.getKernel(), op.getDilations(),
                       ArrayRef(strides).drop_front(2))) {
    sizes.push_back(b.getIndexAttr(kernel));
    OpFoldResult step = apply(s0 * dilation, stride);
    steps.push_back(sizes.size() == strides.size() ? step : toValue(step));
  }
  SmallVector<int64_t> shape, stepsKnown;
  for (OpFoldResult size : sizes)
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  for (OpFoldResult step : steps)
    stepsKnown.push_back(isa<Attribute>(step) ? *getConstantIntValue(step)
                                              : ShapedType::kDynamic);
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, stepsKnown);
  Value view = memref::ReinterpretCastOp::create(
      b, loc, MemRefType::get(shape, x.getElementType(), layout), op.getX(),
      toValue(offset), sizes, steps);
  return view;
}

/// The strips of a panel.
Value Convolution::strips(const Place &place) {
  auto type = cast<MemRefType>(op.getPacked().getType());
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> offsets{place.group, place.panel, zero, zero, zero};
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(b, loc, op.getPacked());
  sizes[0] = sizes[1] = one;
  SmallVector<OpFoldResult> strides(sizes.size(), one);
  auto slice = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(2), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, cast<MemRefType>(slice),
                                   op.getPacked(), offsets, sizes, strides);
}

/// [positions, maps] of the result, and how many maps these are.
std::pair<Value, OpFoldResult> Convolution::tile(const Place &place,
                                                 OpFoldResult positions) {
  auto type = cast<MemRefType>(op.getInit().getType());
  AffineExpr s0 = b.getAffineSymbolExpr(0), s1 = b.getAffineSymbolExpr(1),
             s2 = b.getAffineSymbolExpr(2);
  int64_t panel = op.getPanel();
  OpFoldResult each = op.getGroupMaps(b), zero = b.getIndexAttr(0),
               one = b.getIndexAttr(1);
  OpFoldResult maps;
  if (std::optional<int64_t> known = getConstantIntValue(each);
      known && (*known % panel == 0 || *known < panel)) {
    maps = b.getIndexAttr(std::min(*known, panel));
  } else {
    AffineMap least =
        AffineMap::get(0, 2, {b.getAffineConstantExpr(panel), s0 - s1 * panel},
                       b.getContext());
    maps =
        affine::makeComposedFoldedAffineMin(b, loc, least, {each, place.panel});
  }
  SmallVector<OpFoldResult> offsets{place.image};
  llvm::append_range(offsets, place.outer);
  offsets.push_back(zero);
  offsets.push_back(
      apply(s0 * s1 + s2 * panel, {place.group, each, place.panel}));
  SmallVector<OpFoldResult> sizes(spatial, one), strides(spatial + 2, one);
  llvm::append_range(sizes, ArrayRef{positions, maps});
  SmallVector<int64_t> shape;
  for (OpFoldResult size : {positions, maps})
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto slice = memref::SubViewOp::inferRankReducedResultType(
      shape, type, offsets, sizes, strides);
  Value view = memref::SubViewOp::create(b, loc, cast<MemRefType>(slice),
                                         op.getInit(), offsets, sizes, strides);
  return {view, maps};
}

void Convolution::run(MicroKernels &kernels) {
  b.setInsertionPoint(op);
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, op.getInit());
  OpFoldResult positions = sizes[spatial];
  // Images, groups, panels, then rows of positions, which find the panel in the
  // cache.
  SmallVector<OpFoldResult> bounds{
      sizes[0], b.getIndexAttr(op.getGroups()),
      memref::getMixedSize(b, loc, op.getPacked(), 1)};
  llvm::append_range(bounds, ArrayRef(sizes).slice(1, spatial - 1));
  auto forall =
      scf::ForallOp::create(b, loc, bounds, ValueRange{}, std::nullopt);
  b.setInsertionPoint(forall.getTerminator());
  SmallVector<Value> ivs = forall.getInductionVars();
  Place place{ivs[0], ivs[1], ivs[2], ArrayRef(ivs).drop_front(3)};
  auto [c, maps] = tile(place, positions);
  kernels.emitProduct(b, loc, windows(place, positions),
                      {strips(place), /*next=*/nullptr}, c, positions, maps,
                      /*accumulate=*/false);
  b.eraseOp(op);
}

void mlir::ds::lowerPackedConv(RewriterBase &rewriter, PackedConvOp op,
                               MicroKernels &kernels) {
  Convolution(rewriter, op).run(kernels);
}
