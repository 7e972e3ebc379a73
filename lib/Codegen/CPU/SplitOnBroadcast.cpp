//===- SplitOnBroadcast.cpp - One branch for undecided broadcasts ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GenericVectorizer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// min(index of a loop + offset, last), which is the sum where the last one is.
struct Clamp {
  Value result, sum, last;
  unsigned dim;
  Value offset; // null: 0
};
} // namespace

static bool isOutside(Value value, linalg::LinalgOp op) {
  return !op->isAncestor(value.getParentBlock()->getParentOp());
}

static std::optional<Clamp> matchClamp(arith::MinSIOp min,
                                       linalg::LinalgOp op) {
  Clamp clamp{min.getResult(), min.getLhs(), min.getRhs(), 0, nullptr};
  if (!isOutside(clamp.last, op))
    return std::nullopt;
  Value position = clamp.sum;
  if (auto add = position.getDefiningOp<arith::AddIOp>()) {
    position = add.getLhs();
    clamp.offset = add.getRhs();
    if (isOutside(position, op))
      std::swap(position, clamp.offset);
    if (!isOutside(clamp.offset, op))
      return std::nullopt;
  }
  auto index = position.getDefiningOp<linalg::IndexOp>();
  if (!index || index->getParentOp() != op)
    return std::nullopt;
  clamp.dim = index.getDim();
  return clamp;
}

/// The dim along which `op` can be vectorized without gathers.
static std::optional<unsigned> findVectorDim(linalg::LinalgOp op) {
  std::optional<VectorPlan> plan = GenericAnalysis(op).plan();
  return plan && !plan->gathers ? std::optional(plan->dim) : std::nullopt;
}

namespace {
/// Clamps along the vector dim that either all hold or are all idle.
struct Choice {
  SmallVector<Clamp> clamps;
  /// Whether what is clamped is 0: what broadcasts has one element.
  bool isZero;
};

/// Makes one copy of an op for each way its choices may fall.
class Splitter {
public:
  Splitter(RewriterBase &rewriter, linalg::LinalgOp op)
      : b(rewriter), loc(op.getLoc()), op(op) {}
  SmallVector<linalg::LinalgOp> run();

private:
  bool findChoices();
  linalg::LinalgOp cloneWith(function_ref<Value(const Clamp &)> replacement);
  Value emitIsIdle(const Choice &choice);
  void emitVersions(ArrayRef<Choice> left, DenseMap<Value, bool> isIdle);

  RewriterBase &b;
  Location loc;
  linalg::LinalgOp op;
  SmallVector<Clamp> clamps;
  SmallVector<Choice> choices;
  SmallVector<linalg::LinalgOp> versions;
};
} // namespace

/// More would be more code than speed.
static constexpr unsigned maxChoices = 2;

/// A copy of the op without the clamps that have a replacement.
linalg::LinalgOp
Splitter::cloneWith(function_ref<Value(const Clamp &)> replacement) {
  IRMapping map;
  auto copy = cast<linalg::LinalgOp>(b.clone(*op, map));
  for (const Clamp &clamp : clamps)
    if (Value value = replacement(clamp))
      b.replaceAllUsesWith(map.lookup(clamp.result),
                           map.lookupOrDefault(value));
  return copy;
}

/// False where nothing is gained.
bool Splitter::findChoices() {
  for (auto min : op.getBlock()->getOps<arith::MinSIOp>())
    if (std::optional<Clamp> clamp = matchClamp(min, op))
      clamps.push_back(*clamp);
  if (clamps.empty() || findVectorDim(op))
    return false;
  linalg::LinalgOp idle =
      cloneWith([](const Clamp &clamp) { return clamp.sum; });
  std::optional<unsigned> dim = findVectorDim(idle);
  b.eraseOp(idle);
  if (!dim)
    return false;
  llvm::MapVector<Value, Choice> byLast;
  for (const Clamp &clamp : clamps) {
    if (clamp.dim != *dim)
      continue;
    Choice &choice = byLast.insert({clamp.last, {{}, true}}).first->second;
    choice.clamps.push_back(clamp);
    // What has more than one element and ends before the loop does is no
    // broadcast.
    if (getConstantIntValue(clamp.last).value_or(0) != 0)
      choice.isZero = false;
  }
  for (auto &[last, choice] : byLast)
    choices.push_back(choice);
  if (choices.size() > maxChoices) {
    Choice all{{}, false};
    for (const Choice &choice : choices)
      llvm::append_range(all.clamps, choice.clamps);
    choices = {all};
  }
  return true;
}

/// Whether min(sum, last) is the sum all along the dim.
Value Splitter::emitIsIdle(const Choice &choice) {
  SmallVector<Range> ranges = op.createLoopRanges(b, loc);
  Value one = arith::ConstantIndexOp::create(b, loc, 1), all;
  for (const Clamp &clamp : choice.clamps) {
    Value end = getValueOrCreateConstantIndexOp(b, loc, ranges[clamp.dim].size);
    if (clamp.offset)
      end = arith::AddIOp::create(b, loc, end, clamp.offset);
    Value size = arith::AddIOp::create(b, loc, clamp.last, one);
    Value isIdle =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, size, end);
    all = all ? arith::AndIOp::create(b, loc, all, isIdle).getResult() : isIdle;
  }
  return all;
}

void Splitter::emitVersions(ArrayRef<Choice> left,
                            DenseMap<Value, bool> isIdle) {
  if (left.empty()) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    versions.push_back(cloneWith([&](const Clamp &clamp) -> Value {
      auto decision = isIdle.find(clamp.result);
      if (decision == isIdle.end())
        return nullptr;
      return decision->second ? clamp.sum : zero;
    }));
    return;
  }
  const Choice &choice = left.front();
  auto branch = scf::IfOp::create(b, loc, emitIsIdle(choice),
                                  /*withElseRegion=*/true);
  for (bool idle : {true, false}) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(
        (idle ? branch.thenBlock() : branch.elseBlock())->getTerminator());
    if (idle || choice.isZero)
      for (const Clamp &clamp : choice.clamps)
        isIdle[clamp.result] = idle;
    else
      for (const Clamp &clamp : choice.clamps)
        isIdle.erase(clamp.result);
    emitVersions(left.drop_front(), isIdle);
  }
}

SmallVector<linalg::LinalgOp> Splitter::run() {
  b.setInsertionPoint(op);
  if (!findChoices())
    return {op};
  emitVersions(choices, DenseMap<Value, bool>());
  b.eraseOp(op);
  return versions;
}

SmallVector<linalg::LinalgOp> mlir::ds::splitOnBroadcast(RewriterBase &rewriter,
                                                         linalg::LinalgOp op) {
  return Splitter(rewriter, op).run();
}
