//===- LowerChecks.cpp - Checks of indices from data ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphBlocks.h"
#include "Sites.h"

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::ds {
#define GEN_PASS_DEF_LOWERCHECKS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct LowerChecks : mlir::ds::impl::LowerChecksBase<LowerChecks> {
  void runOnOperation() override;
};
} // namespace

/// `value` for all lanes of `type`, which may be scalar.
static Value splat(OpBuilder &b, Location loc, Type type, int64_t value) {
  auto attr = b.getIndexAttr(value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(vector, attr));
  return arith::ConstantOp::create(b, loc, attr);
}

/// Emits `body` where `condition`, an i1, holds.
static void emitIf(OpBuilder &b, Location loc, Value condition,
                   function_ref<void()> body) {
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
}

static void lower(CheckedIndexOp op, Value host, Sites &sites) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type type = op.getType();
  Value zero = splat(b, loc, type, 0);
  Value index = op.getIndex(), bound = op.getBound();
  Value wrapped = index;
  if (op.getWrap()) {
    Value isNegative =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
    Value moved = arith::AddIOp::create(b, loc, index, bound);
    wrapped = arith::SelectOp::create(b, loc, isNegative, moved, index);
  }
  // One unsigned comparison: what is negative is larger than any bound.
  Value isOutside =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, wrapped, bound);
  auto report = [&](Value index, Value bound) {
    sites.emitReport(b, loc, host,
                     op.getWrap() ? "index {0} is outside [-{1}, {1})"
                                  : "index {0} is outside [0, {1})",
                     index, bound);
  };
  if (auto vector = dyn_cast<VectorType>(type)) {
    Value any = vector::ReductionOp::create(b, loc, vector::CombiningKind::OR,
                                            isOutside);
    emitIf(b, loc, any, [&] {
      for (int64_t i = 0, e = vector.getNumElements(); i < e; ++i) {
        auto lane = [&](Value v) {
          return vector::ExtractOp::create(b, loc, v, ArrayRef<int64_t>{i});
        };
        emitIf(b, loc, lane(isOutside),
               [&] { report(lane(index), lane(bound)); });
      }
    });
  } else {
    emitIf(b, loc, isOutside, [&] { report(index, bound); });
  }
  Value safe = arith::SelectOp::create(b, loc, isOutside, zero, wrapped);
  op.replaceAllUsesWith(safe);
  op.erase();
}

/// Whether anything may be reported when `func` runs, in a loop or before.
static bool mayFail(func::FuncOp func) {
  return func
      .walk([](Operation *op) {
        return isa<CheckOp, CheckedIndexOp>(op) ? WalkResult::interrupt()
                                                : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Ends `loop` where `failed`, a function, says that something was reported:
/// what its condition waits for may never come then.
static void endByFailure(scf::WhileOp loop, func::FuncOp failed, Value host) {
  scf::ConditionOp condition = loop.getConditionOp();
  OpBuilder b(condition);
  Location loc = loop.getLoc();
  Value isBroken =
      func::CallOp::create(b, loc, failed, ValueRange{host}).getResult(0);
  Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
  Value isWhole = arith::XOrIOp::create(b, loc, isBroken, yes);
  condition.getConditionMutable().assign(
      arith::AndIOp::create(b, loc, condition.getCondition(), isWhole));
}

void LowerChecks::runOnOperation() {
  ModuleOp module = getOperation();
  Sites sites(module);
  func::FuncOp counter, failed;
  // Of the host and what is given.
  auto declare = [&](func::FuncOp &known, StringRef name, TypeRange types,
                     TypeRange results) {
    if (known)
      return known;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    SmallVector<Type> all{LLVM::LLVMPointerType::get(b.getContext())};
    llvm::append_range(all, types);
    known = func::FuncOp::create(b, module.getLoc(), name,
                                 b.getFunctionType(all, results));
    known.setPrivate();
    return known;
  };
  Type index = IndexType::get(&getContext());
  Type bit = IntegerType::get(&getContext(), 1);
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isDeclaration() || func.isPrivate())
      continue;
    Value host = func.getArguments().back();
    bool asks = mayFail(func);
    for (Block *block : getGraphBlocks(func))
      for (auto loop : block->getOps<scf::WhileOp>())
        if (asks)
          endByFailure(loop, declare(failed, "ds_failed", {}, bit), host);
    func.walk([&](CheckedIndexOp op) { lower(op, host, sites); });
    func.walk([&](CountWorkOp op) {
      OpBuilder b(op);
      func::CallOp::create(b, op.getLoc(),
                           declare(counter, "ds_count", {index, index}, {}),
                           ValueRange{host, op.getFlops(), op.getBytes()});
      op.erase();
    });
  }
}
