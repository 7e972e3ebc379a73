//===- GenerateKernels.cpp - linalg on buffers to loops and kernels -------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GenericVectorizer.h"
#include "MicroKernel.h"
#include "WorkCounter.h"

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"

namespace mlir::ds {
#define GEN_PASS_DEF_GENERATEKERNELS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

/// Elements that one task computes at least, where rows are shorter: fewer
/// would cost more to hand out than to compute.
static constexpr int64_t taskElements = 4096;

namespace {
struct GenerateKernels : mlir::ds::impl::GenerateKernelsBase<GenerateKernels> {
  using GenerateKernelsBase::GenerateKernelsBase;
  void runOnOperation() override;
};
} // namespace

/// Lowers all products of one kind with packed weights.
template <typename OpTy>
static LogicalResult lowerPacked(RewriterBase &rewriter, ModuleOp module,
                                 MicroKernels &kernels, WorkCounter &counter,
                                 void (*lower)(RewriterBase &, OpTy,
                                               MicroKernels &)) {
  int64_t lanes = kernels.registerTile().vectorLanes;
  SmallVector<OpTy> products;
  module.walk([&](OpTy op) { products.push_back(op); });
  for (OpTy op : products) {
    if (op.getStrip() % lanes != 0)
      return op.emitOpError()
             << "expected strips of a multiple of " << lanes
             << " columns for this target, found " << op.getStrip();
    (void)counter.count(op, [&] {
      lower(rewriter, op, kernels);
      return success();
    });
  }
  return success();
}

void GenerateKernels::runOnOperation() {
  ModuleOp module = getOperation();
  IRRewriter rewriter(&getContext());

  // A strided copy must not become a call into a library.
  SmallVector<memref::CopyOp> copies;
  module.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
  for (memref::CopyOp copy : copies) {
    rewriter.setInsertionPoint(copy);
    linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
    rewriter.eraseOp(copy);
  }

  WorkCounter counter(rewriter);
  MicroKernels kernels(module,
                       {tileRows, tileLanes, lanes, dotsBF16, tilesBF16});
  if (failed(lowerPacked<PackedMatmulOp>(rewriter, module, kernels, counter,
                                         lowerPackedMatmul)) ||
      failed(lowerPacked<PackedConvOp>(rewriter, module, kernels, counter,
                                       lowerPackedConv)))
    return signalPassFailure();

  auto collect = [&] {
    SmallVector<linalg::LinalgOp> ops;
    module.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    return ops;
  };
  for (linalg::LinalgOp op : collect()) {
    if (!op.hasPureBufferSemantics()) {
      op.emitOpError("expected buffers, found tensors");
      return signalPassFailure();
    }
    (void)counter.count(
        op, [&] { return lowerContraction(rewriter, op, kernels); });
  }
  // Products leave copies to make.
  for (linalg::LinalgOp op : collect())
    splitOnBroadcast(rewriter, op);
  SmallVector<linalg::LinalgOp> ops = collect();
  llvm::SmallPtrSet<Operation *, 16> absorbed;
  for (linalg::LinalgOp op : ops)
    for (OpOperand &init : op.getDpsInitsMutable())
      absorbed.insert(findFill(op, init));
  for (linalg::LinalgOp op : ops)
    if (!absorbed.contains(op))
      (void)counter.count(op, [&] {
        vectorizeGeneric(rewriter, op, lanes, taskElements);
        return success();
      });
  counter.emit();

  // Tasks do not nest.
  SmallVector<scf::ForallOp> inner;
  module.walk([&](scf::ForallOp forall) {
    if (forall->getParentOfType<scf::ForallOp>())
      inner.push_back(forall);
  });
  for (scf::ForallOp forall : inner) {
    rewriter.setInsertionPoint(forall);
    if (failed(scf::forallToForLoop(rewriter, forall)))
      return signalPassFailure();
  }
}
