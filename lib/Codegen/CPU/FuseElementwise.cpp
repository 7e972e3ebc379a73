//===- FuseElementwise.cpp - Fuses element-wise generics ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::ds {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct FuseElementwise : mlir::ds::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override;
};
} // namespace

static bool isContraction(linalg::LinalgOp op) {
  return op.getNumReductionLoops() > 0 && op.getNumDpsInputs() > 1;
}

/// Whether each element of the operand that `read` indexes is read once in all
/// loops, but for dims of one element.
static bool readsOnce(linalg::LinalgOp consumer, AffineMap read) {
  if (!read.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  for (auto [i, size] : llvm::enumerate(consumer.getStaticLoopRanges()))
    if (size != 1 && !read.isFunctionOfDim(i))
      return false;
  return true;
}

/// Whether the dims that `read` indexes are in the order of the loops.
static bool readsInOrder(AffineMap read) {
  std::optional<unsigned> last;
  for (AffineExpr expr : read.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      if (last && dim.getPosition() < *last)
        return false;
      last = dim.getPosition();
    }
  return true;
}

/// Whether computing `producer` where it is read, instead of once before, does
/// no work twice and loses no vector access.
static bool pays(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::LinalgOp>();
  auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  if (!producer || !consumer || isContraction(consumer) ||
      producer.getNumReductionLoops() > 0)
    return false;
  AffineMap read = consumer.getMatchingIndexingMap(operand);
  // What updates its result in place would do so wherever it is read.
  bool updates =
      llvm::any_of(producer.getDpsInitsMutable(), [&](OpOperand &init) {
        return producer.payloadUsesValueFromOperand(&init);
      });
  bool isCheap = !updates && (producer.getNumDpsInputs() == 0 ||
                              isa<linalg::FillOp>(producer));
  if (isCheap)
    return true;
  // A loop of the model would compute it again and again.
  if (auto loop = consumer->getParentOfType<scf::WhileOp>();
      loop && !loop->isAncestor(producer))
    return false;
  if (!producer->hasOneUse() || !readsOnce(consumer, read))
    return false;
  // A permuted read would turn the producer's contiguous reads into strides.
  return readsInOrder(read) || consumer.getNumReductionLoops() == 0;
}

void FuseElementwise::runOnOperation() {
  MLIRContext *context = &getContext();
  RewritePatternSet patterns(context);
  linalg::populateElementwiseOpsFusionPatterns(patterns, pays);
  linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
  affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal();
  if (failed(
          applyPatternsGreedily(getOperation(), std::move(patterns), config)))
    signalPassFailure();
}
