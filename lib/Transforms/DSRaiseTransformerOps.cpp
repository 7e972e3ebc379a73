//===- DSRaiseTransformerOps.cpp - Ops of whole layers --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "TransformerOps.h"
#include "ds/Transforms/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISETRANSFORMEROPS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseTransformerOps
    : mlir::ds::impl::DSRaiseTransformerOpsBase<DSRaiseTransformerOps> {
  void runOnOperation() override;
};
} // namespace

/// What `op` becomes, or nullopt where it stays.
static std::optional<SmallVector<Value>> raise(Operation *op,
                                               onnx::GraphBuilder &g) {
  return llvm::TypeSwitch<Operation *, std::optional<SmallVector<Value>>>(op)
      .Case([&](onnx::AttentionOp op) { return raiseAttentionOp(op, g); })
      .Case([&](onnx::GroupQueryAttentionOp op) {
        return raiseGroupQueryAttention(op, g);
      })
      .Case([&](onnx::RotaryEmbeddingOp op) {
        return raiseRotaryEmbedding(op, g);
      })
      .Case([&](onnx::TensorScatterOp op) { return raiseTensorScatter(op, g); })
      .Default([](Operation *) { return std::nullopt; });
}

void DSRaiseTransformerOps::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  SmallVector<Operation *> ops;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  bool failedAny = false;
  for (Operation *op : ops) {
    if (op == func)
      continue;
    builder.setInsertionPoint(op);
    insertShapesBefore(op, shapes);
    shapes.setLocation(op->getLoc());
    onnx::GraphBuilder g(shapes, op->getLoc());
    std::optional<SmallVector<Value>> values = raise(op, g);
    if (!values)
      continue;
    if (g.failed()) {
      failedAny = true;
      continue;
    }
    for (auto [result, value] : llvm::zip_equal(op->getResults(), *values))
      if (!result.use_empty())
        result.replaceAllUsesWith(withTypeOf(result, value, g.b));
    op->erase();
  }
  if (failedAny)
    return signalPassFailure();
  eraseDeadOps(func);
}
