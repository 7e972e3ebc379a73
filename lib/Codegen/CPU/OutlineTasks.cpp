//===- OutlineTasks.cpp - Parallel loops to functions of tasks ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::ds {
#define GEN_PASS_DEF_OUTLINETASKS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct OutlineTasks : mlir::ds::impl::OutlineTasksBase<OutlineTasks> {
  void runOnOperation() override;
};
} // namespace

/// The names of the nodes that the body computes, in order: of a few all, of
/// many the first ones.
static std::string namesOf(scf::ForallOp forall) {
  constexpr size_t most = 4;
  SetVector<StringRef> names;
  forall.getBody()->walk([&](Operation *op) {
    op->getLoc()->walk([&](Location loc) {
      if (auto name = dyn_cast<NameLoc>(loc))
        names.insert(name.getName());
      return WalkResult::advance();
    });
  });
  ArrayRef<StringRef> list = names.getArrayRef();
  std::string text = llvm::join(list.take_front(most), " + ");
  if (list.size() > most)
    text += " + " + std::to_string(list.size() - most) + " more";
  return text;
}

/// Moves the body of `forall` to `@name(host, begin, end, worker, captures…)`
/// and calls it for the whole range.
static void outline(scf::ForallOp forall, Value host, StringRef name) {
  auto parent = forall->getParentOfType<func::FuncOp>();
  Location loc = forall.getLoc();
  OpBuilder b(forall);

  // Bounds of all dims but the first are needed inside to split the index.
  SmallVector<Value> bounds =
      getValueOrCreateConstantIndexOp(b, loc, forall.getMixedUpperBound());
  Value count = bounds.front();
  for (Value bound : ArrayRef(bounds).drop_front())
    count = arith::MulIOp::create(b, loc, count, bound);

  SetVector<Value> used;
  getUsedValuesDefinedAbove(forall.getRegion(), used);
  used.insert(bounds.begin() + 1, bounds.end());
  SmallVector<Value> captures;
  SmallVector<Operation *> constants;
  for (Value value : used) {
    Operation *op = value.getDefiningOp();
    if (op && op->hasTrait<OpTrait::ConstantLike>())
      constants.push_back(op);
    else if (value != host)
      captures.push_back(value);
  }

  Type index = b.getIndexType();
  SmallVector<Type> types{host.getType(), index, index, index};
  llvm::append_range(types, ValueRange(captures).getTypes());
  OpBuilder module(parent);
  auto task = func::FuncOp::create(module, loc, name,
                                   module.getFunctionType(types, {}));
  task.setPrivate();
  task->setAttr("ds.kernel", b.getStringAttr(namesOf(forall)));
  Block *entry = task.addEntryBlock();
  OpBuilder t = OpBuilder::atBlockBegin(entry);
  IRMapping map;
  map.map(host, entry->getArgument(0));
  for (Operation *constant : constants)
    t.clone(*constant, map);
  for (auto [i, capture] : llvm::enumerate(captures))
    map.map(capture, entry->getArgument(4 + i));

  Value one = arith::ConstantIndexOp::create(t, loc, 1);
  auto loop = scf::ForOp::create(t, loc, entry->getArgument(1),
                                 entry->getArgument(2), one);
  func::ReturnOp::create(t, loc);
  t.setInsertionPointToStart(loop.getBody());
  Value linear = loop.getInductionVar();
  auto ivs = forall.getInductionVars();
  for (unsigned i = bounds.size() - 1; i > 0; --i) {
    Value bound = map.lookup(bounds[i]);
    map.map(ivs[i], arith::RemUIOp::create(t, loc, linear, bound).getResult());
    linear = arith::DivUIOp::create(t, loc, linear, bound);
  }
  map.map(ivs[0], linear);
  for (Operation &op : forall.getBody()->without_terminator())
    t.clone(op, map);
  task.walk([&](WorkerOp worker) {
    worker.replaceAllUsesWith(entry->getArgument(3));
    worker.erase();
  });

  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  SmallVector<Value> operands{host, zero, count, zero};
  llvm::append_range(operands, captures);
  auto call = func::CallOp::create(b, loc, task, operands);
  call->setAttr("ds.tasks", b.getUnitAttr());
  forall.erase();
}

void OutlineTasks::runOnOperation() {
  ModuleOp module = getOperation();
  for (auto func : llvm::to_vector(module.getOps<func::FuncOp>())) {
    if (func.isDeclaration() || func.isPrivate())
      continue;
    SmallVector<scf::ForallOp> loops;
    func.walk<WalkOrder::PreOrder>([&](scf::ForallOp forall) {
      loops.push_back(forall);
      return WalkResult::skip();
    });
    Value host = func.getArguments().back();
    for (auto [i, forall] : llvm::enumerate(loops))
      outline(forall, host, (func.getName() + "_tasks_" + Twine(i)).str());
  }
}
