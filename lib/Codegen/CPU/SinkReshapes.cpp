//===- SinkReshapes.cpp - Element-wise ops on the matrices of products ----===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphBlocks.h"

#include "ds/Codegen/CPU/Passes.h"
#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::ds {
#define GEN_PASS_DEF_SINKRESHAPES
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct SinkReshapes : mlir::ds::impl::SinkReshapesBase<SinkReshapes> {
  void runOnOperation() override;
};
} // namespace

/// Whether one op reads the elements of `value`; a question for a size does
/// not.
static bool hasOneReader(Value value) {
  return llvm::count_if(value.getUses(), [](OpOperand &use) {
           return !isa<tensor::DimOp>(use.getOwner());
         }) == 1;
}

/// Whether `value` is a product, or element-wise ops on one that nothing else
/// reads.
static bool comesFromProduct(Value value) {
  while (hasOneReader(value)) {
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<PackedMatmulOp>(op))
      return true;
    auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
    if (!generic || generic.getNumReductionLoops() > 0)
      return false;
    Value next;
    for (OpOperand *input : generic.getDpsInputOperands())
      if (generic.getMatchingIndexingMap(input).isIdentity() &&
          isa_and_nonnull<PackedMatmulOp, linalg::GenericOp>(
              input->get().getDefiningOp()))
        next = input->get();
    if (!next)
      return false;
    value = next;
  }
  return false;
}

static bool pays(OpOperand *operand) {
  auto expand = operand->get().getDefiningOp<tensor::ExpandShapeOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return expand && consumer && consumer.getNumReductionLoops() == 0 &&
         hasOneReader(expand) && comesFromProduct(expand.getSrc());
}

void SinkReshapes::runOnOperation() {
  MLIRContext *context = &getContext();
  RewritePatternSet patterns(context);
  linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns, pays);
  tensor::populateFoldTensorEmptyPatterns(patterns);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  // A question for a size is a use that would keep the reshape.
  tensor::DimOp::getCanonicalizationPatterns(patterns, context);
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  // Inside of parallel loops, tiles have buffers of one size on purpose.
  SmallVector<Operation *> ops;
  for (Block *block : getGraphBlocks(getOperation()))
    for (Operation &op : *block)
      ops.push_back(&op);
  if (failed(applyOpPatternsGreedily(
          ops, std::move(patterns),
          GreedyRewriteConfig().setStrictness(
              GreedyRewriteStrictness::ExistingAndNewOps))))
    signalPassFailure();
}
