//===- InsertCopies.cpp - The copies that bufferization needs -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Sites.h"

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/IR/Remarks.h"

namespace mlir::ds {
#define GEN_PASS_DEF_INSERTCOPIES
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct InsertCopies : mlir::ds::impl::InsertCopiesBase<InsertCopies> {
  void runOnOperation() override;
};
} // namespace

/// Why what `copy` copies cannot be written in place.
static std::string findReason(bufferization::AllocTensorOp copy) {
  Value source = copy.getCopy();
  if (isa<BlockArgument>(source) &&
      isa<func::FuncOp>(source.getParentBlock()->getParentOp()))
    return "it is an input, which is never written";
  Operation *producer = source.getDefiningOp();
  if (isa_and_nonnull<arith::ConstantOp, WeightOp, bufferization::ToTensorOp>(
          producer))
    return "it is constant";
  for (Operation *reader : source.getUsers())
    if (reader != copy && reader->getBlock() == copy->getBlock() &&
        copy->isBeforeInBlock(reader))
      return describeOp(reader) + " reads it later";
  return "a view of it is read later";
}

void InsertCopies::runOnOperation() {
  bufferization::OneShotBufferizationOptions options;
  options.bufferizeFunctionBoundaries = true;
  bufferization::BufferizationState state;
  if (failed(bufferization::insertTensorCopies(getOperation(), options, state)))
    return signalPassFailure();
  getOperation().walk([&](bufferization::AllocTensorOp copy) {
    if (!copy.getCopy())
      return;
    ++numCopies;
    auto remark = remark::missed(
        copy.getLoc(),
        remark::RemarkOpts::name("in place").category("ds-insert-copies"));
    if (!remark)
      return;
    Operation *writer = copy->use_empty() ? copy : *copy->getUsers().begin();
    remark << describeOp(writer) +
                  " writes a copy of its operand: " + findReason(copy);
  });
}
