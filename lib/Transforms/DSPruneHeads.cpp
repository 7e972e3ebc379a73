//===- DSPruneHeads.cpp - Heads that add little leave ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionHeads.h"
#include "HeadImportance.h"
#include "ShapeReads.h"
#include "ds/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSPRUNEHEADS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

/// Of the function, for the driver.
static constexpr llvm::StringLiteral recordName = "ds.pruned_heads";

namespace {
struct DSPruneHeads : mlir::ds::impl::DSPruneHeadsBase<DSPruneHeads> {
  using DSPruneHeadsBase::DSPruneHeadsBase;
  void runOnOperation() override;

private:
  /// Adds what left to `record`. Fails where a weight cannot be read.
  LogicalResult prune(AttentionOp op, const WeightReader &reader,
                      SmallVectorImpl<Attribute> &record);
  Attribute describe(AttentionOp op, ArrayRef<double> importance,
                     ArrayRef<int64_t> kept, int64_t bytes);
};
} // namespace

static void reportKept(Operation *op, const Twine &why) {
  reportMissed(op, "ds-prune-heads", "attention without its least heads", why);
}

/// For whoever looks for a threshold.
static void reportImportance(AttentionOp op, ArrayRef<double> importance) {
  auto remark = remark::analysis(op.getLoc(),
                                 remark::RemarkOpts::name("importance of heads")
                                     .category("ds-prune-heads"));
  if (!remark)
    return;
  std::string text = "importance of heads:";
  for (double value : importance)
    text += llvm::formatv(" {0:f3}", value).str();
  remark << text;
}

/// An entry of the record, for the heads that are not kept.
Attribute DSPruneHeads::describe(AttentionOp op, ArrayRef<double> importance,
                                 ArrayRef<int64_t> kept, int64_t bytes) {
  Builder b(op.getContext());
  SmallVector<int64_t> gone;
  SmallVector<double> values;
  for (auto [head, value] : llvm::enumerate(importance))
    if (!llvm::is_contained(kept, int64_t(head))) {
      gone.push_back(head);
      values.push_back(value);
    }
  return b.getDictionaryAttr(
      {b.getNamedAttr("bytes", b.getI64IntegerAttr(bytes)),
       b.getNamedAttr("heads", b.getDenseI64ArrayAttr(gone)),
       b.getNamedAttr("importance", b.getDenseF64ArrayAttr(values)),
       b.getNamedAttr("node", b.getStringAttr(getNodeName(op.getLoc()))),
       b.getNamedAttr("of", b.getI64IntegerAttr(importance.size()))});
}

LogicalResult DSPruneHeads::prune(AttentionOp op, const WeightReader &reader,
                                  SmallVectorImpl<Attribute> &record) {
  AttentionHeads heads(op);
  if (failed(heads.matchOutput()) || failed(heads.matchInputs())) {
    reportKept(op, heads.reason);
    return success();
  }
  llvm::Expected<SmallVector<double>> importance =
      getHeadImportance(heads, *getConstantHeadWeights(op), reader);
  if (!importance)
    return op.emitOpError("has heads whose importance is not known: ")
           << llvm::toString(importance.takeError());
  reportImportance(op, *importance);
  HeadSet kept = chooseHeads(*importance, heads.getKeyHeads(), threshold);
  int64_t below = llvm::count_if(
      *importance, [&](double value) { return value < threshold; });
  int64_t gone = importance->size() - kept.query.size();
  if (gone < below)
    reportKept(op, Twine(below - gone) + " of " + Twine(below) +
                       " heads below the threshold share keys with heads that "
                       "stay");
  if (gone == 0)
    return success();
  int64_t bytes = heads.getWeightBytes(heads.getHeads(), heads.getKeyHeads()) -
                  heads.getWeightBytes(kept.query.size(), kept.key.size());
  record.push_back(describe(op, *importance, kept.query, bytes));
  heads.keep(kept);
  return success();
}

void DSPruneHeads::runOnOperation() {
  func::FuncOp func = getOperation();
  if (!(threshold >= 0 && threshold <= 1)) {
    func.emitError("expected a threshold of heads from 0 to 1, found ")
        << threshold.getValue();
    return signalPassFailure();
  }
  auto *dialect = getContext().getLoadedDialect<DSDialect>();
  const auto *reader =
      dialect ? dialect->getRegisteredInterface<WeightReader>() : nullptr;
  func.walk([&](AttentionOp op) {
    if (op->getParentOp() != func)
      reportKept(op, "it is in a graph of " + describeNode(op->getParentOp()));
  });
  if (func.getOps<AttentionOp>().empty())
    return;
  readShapesOfArguments(func);
  SmallVector<AttentionOp> ops(func.getOps<AttentionOp>());
  SmallVector<Attribute> record;
  if (auto earlier = func->getAttrOfType<ArrayAttr>(recordName))
    record = llvm::to_vector(earlier);
  for (AttentionOp op : ops) {
    if (!reader) {
      op.emitOpError("has weights that nothing here reads; see WeightReader");
      return signalPassFailure();
    }
    if (failed(prune(op, *reader, record)))
      return signalPassFailure();
  }
  if (!record.empty())
    func->setAttr(recordName, ArrayAttr::get(&getContext(), record));
  eraseDeadOps(func);
}
