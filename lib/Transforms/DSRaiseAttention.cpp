//===- DSRaiseAttention.cpp - Attention from its spellings ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"
#include "RefineAttention.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISEATTENTION
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseAttention
    : mlir::ds::impl::DSRaiseAttentionBase<DSRaiseAttention> {
  void runOnOperation() override;
};
} // namespace

void DSRaiseAttention::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder(&getContext());
  builder.setInsertionPointToStart(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);

  SmallVector<onnx::MatMulOp> products;
  func.walk([&](onnx::MatMulOp op) { products.push_back(op); });
  for (onnx::MatMulOp product : products) {
    builder.setInsertionPoint(product);
    insertShapesBefore(product, shapes);
    AttentionMatcher matcher(product, shapes);
    // A softmax that weights no rows is that of a classifier.
    onnx::SoftmaxOp softmax = matcher.findSoftmax();
    if (!softmax)
      continue;
    if (succeeded(matcher.match()))
      matcher.rewrite();
    else
      reportMissed(softmax, "ds-raise-attention", "attention", matcher.reason);
  }
  SmallVector<AttentionOp> attentions;
  func.walk([&](AttentionOp op) { attentions.push_back(op); });
  for (AttentionOp op : attentions) {
    builder.setInsertionPoint(op);
    insertShapesBefore(op, shapes);
    shapes.setLocation(op.getLoc());
    refineAttention(op, shapes);
  }
  // With them goes the arithmetic that dims were compared by.
  eraseDeadOps(func);
}
