//===- LowerChecks.cpp - Checks of indices from data ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Sites.h"

#include "ds/Codegen/CPU/Passes.h"

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

static void lower(CheckedIndexOp op, Value host, Sites &sites) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
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
  auto outside = scf::IfOp::create(b, loc, isOutside, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(outside.thenBlock()->getTerminator());
    sites.emitReport(b, loc, host,
                     op.getWrap() ? "index {0} is outside [-{1}, {1})"
                                  : "index {0} is outside [0, {1})",
                     index, bound);
  }
  Value safe = arith::SelectOp::create(b, loc, isOutside, zero, wrapped);
  op.replaceAllUsesWith(safe);
  op.erase();
}

void LowerChecks::runOnOperation() {
  ModuleOp module = getOperation();
  Sites sites(module);
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isDeclaration() || func.isPrivate())
      continue;
    Value host = func.getArguments().back();
    func.walk([&](CheckedIndexOp op) { lower(op, host, sites); });
  }
}
