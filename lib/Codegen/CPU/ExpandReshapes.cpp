//===- ExpandReshapes.cpp - memref.expand_shape to explicit strides -------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::ds {
#define GEN_PASS_DEF_EXPANDRESHAPES
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct ExpandReshape : OpRewritePattern<memref::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::ExpandShapeOp op,
                                PatternRewriter &b) const override {
    Location loc = op.getLoc();
    auto metadata =
        memref::ExtractStridedMetadataOp::create(b, loc, op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    SmallVector<OpFoldResult> strides(sizes.size());
    AffineExpr l = b.getAffineSymbolExpr(0), r = b.getAffineSymbolExpr(1);
    SmallVector<OpFoldResult> sourceStrides =
        metadata.getConstifiedMixedStrides();
    for (auto [group, innermost] :
         llvm::zip_equal(op.getReassociationIndices(), sourceStrides)) {
      OpFoldResult stride = innermost;
      for (int64_t dim : llvm::reverse(group)) {
        strides[dim] = stride;
        stride = affine::makeComposedFoldedAffineApply(b, loc, l * r,
                                                       {stride, sizes[dim]});
      }
    }
    // The type may know a stride that the arithmetic does not, or the reverse.
    auto [typeStrides, offset] = op.getResultType().getStridesAndOffset();
    for (auto [stride, known] : llvm::zip_equal(strides, typeStrides)) {
      if (!ShapedType::isDynamic(known))
        stride = b.getIndexAttr(known);
      else
        stride = getValueOrCreateConstantIndexOp(b, loc, stride);
    }
    OpFoldResult start = metadata.getConstifiedMixedOffset();
    if (!ShapedType::isDynamic(offset))
      start = b.getIndexAttr(offset);
    b.replaceOpWithNewOp<memref::ReinterpretCastOp>(op, op.getResultType(),
                                                    metadata.getBaseBuffer(),
                                                    start, sizes, strides);
    return success();
  }
};

struct ExpandReshapes : mlir::ds::impl::ExpandReshapesBase<ExpandReshapes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandReshape>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
