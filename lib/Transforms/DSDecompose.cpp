//===- DSDecompose.cpp - Reference decompositions -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSDECOMPOSE
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSDecompose : mlir::ds::impl::DSDecomposeBase<DSDecompose> {
  void runOnOperation() override;
};
} // namespace

void DSDecompose::runOnOperation() {
  SmallVector<linalg::AggregatedOpInterface> ops;
  getOperation().walk([&](linalg::AggregatedOpInterface op) {
    if (isa<DSDialect>(op->getDialect()))
      ops.push_back(op);
  });
  for (linalg::AggregatedOpInterface op : ops) {
    OpBuilder builder(op);
    FailureOr<SmallVector<Value>> values = op.decomposeOperation(builder);
    if (failed(values)) {
      op->emitOpError("has no decomposition in this form");
      return signalPassFailure();
    }
    for (auto [result, value] : llvm::zip_equal(op->getResults(), *values)) {
      // The formula may know more of the shape than the declared type, or less.
      if (value.getType() != result.getType())
        value = tensor::CastOp::create(builder, op->getLoc(), result.getType(),
                                       value);
      result.replaceAllUsesWith(value);
    }
    op->erase();
  }
}
