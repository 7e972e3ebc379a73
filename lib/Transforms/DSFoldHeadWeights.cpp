//===- DSFoldHeadWeights.cpp - Constant weights of heads ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionHeads.h"
#include "ShapeReads.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSFOLDHEADWEIGHTS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSFoldHeadWeights
    : mlir::ds::impl::DSFoldHeadWeightsBase<DSFoldHeadWeights> {
  void runOnOperation() override;
};
} // namespace

/// Takes out the heads whose weight is 0, which add nothing.
static void dropUnused(AttentionOp op, AttentionHeads &heads,
                       ArrayRef<double> weights) {
  SmallVector<double> sizes;
  for (double weight : weights)
    sizes.push_back(std::abs(weight));
  HeadSet kept = chooseHeads(sizes, heads.getKeyHeads(),
                             std::numeric_limits<double>::denorm_min());
  if (kept.query.size() == weights.size())
    return;
  if (succeeded(heads.matchInputs()))
    heads.keep(kept);
  else
    reportMissed(op, "ds-fold-head-weights", "attention without unused heads",
                 heads.reason);
}

void DSFoldHeadWeights::runOnOperation() {
  func::FuncOp func = getOperation();
  SmallVector<AttentionOp> ops;
  func.walk([&](AttentionOp op) {
    if (op.getHeadWeight() && getConstantHeadWeights(op))
      ops.push_back(op);
  });
  if (ops.empty())
    return;
  readShapesOfArguments(func);
  for (AttentionOp op : ops) {
    std::optional<SmallVector<double>> weights = getConstantHeadWeights(op);
    AttentionHeads heads(op);
    if (failed(heads.matchOutput())) {
      reportMissed(op, "ds-fold-head-weights", "attention without weights",
                   heads.reason);
      continue;
    }
    heads.foldWeights(*weights);
    dropUnused(op, heads, *weights);
  }
  eraseDeadOps(func);
}
