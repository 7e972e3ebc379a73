//===- OnnxFoldWeights.cpp - Layout ops into weights ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_ONNXFOLDWEIGHTS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct OnnxFoldWeights : mlir::ds::impl::OnnxFoldWeightsBase<OnnxFoldWeights> {
  void runOnOperation() override;
};
} // namespace

/// The step that `op` is to the weight which is its operand 0, or null.
static Attribute getStep(Operation *op) {
  MLIRContext *context = op->getContext();
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return nullptr;
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op)) {
    SmallVector<int64_t> permutation =
        llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(type.getRank())));
    if (transpose.getPerm())
      permutation = llvm::to_vector(*transpose.getPerm());
    return TransposeAttr::get(context, permutation);
  }
  if (isa<onnx::ReshapeOp, onnx::FlattenOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(
          op))
    return ReshapeAttr::get(context, type.getShape());
  return nullptr;
}

void OnnxFoldWeights::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  // In order, so that a chain of steps folds from its first.
  func.walk<WalkOrder::PreOrder>([](Operation *op) {
    if (op->getNumOperands() == 0 || op->getNumResults() != 1)
      return;
    auto weight = op->getOperand(0).getDefiningOp<WeightOp>();
    if (!weight)
      return;
    Value folded;
    if (isa<onnx::IdentityOp>(op)) {
      folded = weight;
    } else if (Attribute step = getStep(op)) {
      SmallVector<Attribute> steps = llvm::to_vector(weight.getTransforms());
      steps.push_back(step);
      OpBuilder builder(op);
      folded =
          WeightOp::create(builder, weight.getLoc(), op->getResult(0).getType(),
                           weight.getSource(), builder.getArrayAttr(steps));
    }
    if (folded)
      op->getResult(0).replaceAllUsesWith(folded);
  });
  eraseDeadOps(func);
}
