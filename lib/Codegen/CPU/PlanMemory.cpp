//===- PlanMemory.cpp - One arena for a call, and the shape function ------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphBlocks.h"
#include "Sites.h"

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ds {
#define GEN_PASS_DEF_PLANMEMORY
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

/// Alignment of buffers, in bytes: a cache line and the widest vector.
static constexpr int64_t alignment = 64;

namespace {
/// What is computed from shapes and small integer inputs alone, in an order in
/// which it can be computed.
class EntrySlice {
public:
  explicit EntrySlice(func::FuncOp func)
      : numInputs(func->getAttrOfType<IntegerAttr>("ds.inputs").getInt()),
        entry(&func.getBody().front()) {}

  /// Adds all that `value` needs. Fails, naming the node, where it needs more
  /// than the inputs give.
  LogicalResult add(Value value, StringRef purpose);
  /// Adds all that `value` needs, or gives false where it needs more.
  bool tryAdd(Value value) { return collect(value); }
  ArrayRef<Operation *> ops() const { return slice.getArrayRef(); }

private:
  bool collect(Value value);

  int64_t numInputs;
  Block *entry;
  llvm::SetVector<Operation *> slice;
};

/// A buffer of an entry, outside of tasks, and where the code uses it.
struct Life {
  memref::AllocOp alloc;
  int64_t first, last; // positions
  int64_t estimate;    // of its bytes, to compare with others
  size_t number;       // among all buffers
};

/// Buffers that share a place one after another.
struct Place {
  SmallVector<Life> lives;
  Value bytes; // the most that any of them needs
};

/// Where ops that no loop over elements or tasks holds are in the code. Of two
/// branches the second one is behind the first, so what only one of them needs
/// can be where the other one's is.
class Positions {
public:
  explicit Positions(func::FuncOp func) { add(func.getBody().front()); }
  /// The position of `op`, or of the op that it is in.
  int64_t operator[](Operation *op) const {
    for (; !positions.contains(op); op = op->getParentOp())
      ;
    return positions.lookup(op);
  }
  /// Until where a buffer that `alloc` makes is needed, by what `user` does
  /// with it: a loop that it outlives does that again.
  int64_t endOfUse(Operation *alloc, Operation *user) const {
    int64_t end = (*this)[user];
    for (auto loop = user->getParentOfType<scf::WhileOp>();
         loop && !loop->isAncestor(alloc);
         loop = loop->getParentOfType<scf::WhileOp>())
      end = std::max(end, ends.lookup(loop));
    return end;
  }

private:
  void add(Block &block);
  DenseMap<Operation *, int64_t> positions;
  /// Of loops: the position of the last op in them.
  DenseMap<Operation *, int64_t> ends;
};

struct PlanMemory : mlir::ds::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override;
};
} // namespace

void Positions::add(Block &block) {
  for (Operation &op : block) {
    positions.try_emplace(&op, positions.size());
    if (!isa<scf::IfOp, scf::WhileOp>(op))
      continue;
    for (Region &region : op.getRegions())
      if (!region.empty())
        add(region.front());
    if (isa<scf::WhileOp>(op))
      ends[&op] = positions.size() - 1;
  }
}

bool EntrySlice::collect(Value value) {
  if (auto arg = dyn_cast<BlockArgument>(value))
    return arg.getOwner() == entry && int64_t(arg.getArgNumber()) < numInputs;
  Operation *op = value.getDefiningOp();
  if (slice.contains(op))
    return true;
  // Inputs are never written, so reading them early gives the same.
  if (op->getNumRegions() != 0 ||
      !(isMemoryEffectFree(op) || isa<memref::LoadOp>(op)))
    return false;
  for (Value operand : op->getOperands())
    if (!collect(operand))
      return false;
  slice.insert(op);
  return true;
}

LogicalResult EntrySlice::add(Value value, StringRef purpose) {
  if (collect(value))
    return success();
  Location loc = value.getLoc();
  InFlightDiagnostic diagnostic = emitError(loc)
                                  << purpose << " depends on computed values";
  if (StringRef node = getNodeName(loc); !node.empty())
    diagnostic << " at node '" << node << "'";
  return diagnostic
         << "; only shapes and small integer inputs may determine it";
}

//===----------------------------------------------------------------------===//
// Sizes and lives
//===----------------------------------------------------------------------===//

static Value constantIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

/// A number of bytes that no machine has: what needs as much or more, by dims
/// that data asks for, must not wrap to a size that can be had.
static constexpr int64_t mostBytes = int64_t(1) << 56;

/// bytes * size, or `mostBytes` where that is more.
static Value multiplyBytes(OpBuilder &b, Location loc, Value bytes,
                           Value size) {
  Type i64 = b.getI64Type();
  auto toInteger = [&](Value value) {
    return arith::IndexCastOp::create(b, loc, i64, value);
  };
  auto product =
      arith::MulUIExtendedOp::create(b, loc, toInteger(bytes), toInteger(size));
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
  Value most = arith::ConstantIntOp::create(b, loc, mostBytes, 64);
  Value fits = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                     product.getHigh(), zero);
  Value result = arith::MinUIOp::create(
      b, loc, most,
      arith::SelectOp::create(b, loc, fits, product.getLow(), most));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), result);
}

/// offset + bytes, at most `mostBytes`.
static Value addBytes(OpBuilder &b, Location loc, Value offset, Value bytes) {
  if (getConstantIntValue(bytes))
    return b.createOrFold<arith::AddIOp>(loc, offset, bytes);
  return b.createOrFold<arith::MinUIOp>(
      loc, b.createOrFold<arith::AddIOp>(loc, offset, bytes),
      constantIndex(b, loc, mostBytes));
}

/// Bytes of `alloc` where its dynamic sizes are `sizes`, rounded up to the
/// alignment.
static Value emitBytes(OpBuilder &b, memref::AllocOp alloc,
                       ArrayRef<Value> sizes) {
  Location loc = alloc.getLoc();
  MemRefType type = alloc.getType();
  uint64_t fixed = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size))
      fixed = std::min<uint64_t>(
          llvm::SaturatingMultiply(fixed, uint64_t(size)), mostBytes);
  if (sizes.empty())
    return constantIndex(b, loc, llvm::alignTo(fixed, alignment));
  Value bytes = constantIndex(b, loc, fixed);
  for (Value size : sizes)
    bytes = multiplyBytes(b, loc, bytes, size);
  Value unit = constantIndex(b, loc, alignment);
  Value units = arith::CeilDivUIOp::create(b, loc, bytes, unit);
  return arith::MulIOp::create(b, loc, units, unit);
}

/// The position of the last op in which `root` or a view of it is used.
/// Whatever takes a view and gives a buffer counts as a view.
static int64_t findLastUse(Value root, Block *entry,
                           const Positions &positions) {
  SmallVector<Value> work{root};
  llvm::SmallPtrSet<Value, 16> seen{root};
  int64_t last = positions[root.getDefiningOp()];
  while (!work.empty()) {
    Value value = work.pop_back_val();
    for (Operation *user : value.getUsers()) {
      last = std::max(last, positions.endOfUse(root.getDefiningOp(), user));
      Operation *top = entry->findAncestorOpInBlock(*user);
      for (Operation *op = user;; op = op->getParentOp()) {
        for (Value result : op->getResults())
          if (isa<BaseMemRefType>(result.getType()) &&
              seen.insert(result).second)
            work.push_back(result);
        for (Region &region : op->getRegions())
          for (BlockArgument arg : region.getArguments())
            if (isa<BaseMemRefType>(arg.getType()) && seen.insert(arg).second)
              work.push_back(arg);
        if (op == top)
          break;
      }
    }
  }
  return last;
}

/// Bytes of `alloc` as far as they are known: what only a run tells of a dim
/// counts as a small number.
static int64_t estimateBytes(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  uint64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape())
    bytes = std::min<uint64_t>(
        llvm::SaturatingMultiply(
            bytes, uint64_t(ShapedType::isDynamic(size) ? 64 : size)),
        mostBytes);
  return bytes;
}

/// Lets a buffer share the place of others that are not live with it, if there
/// is one, else gives it its own. Of those it takes one of equal size, or the
/// smallest: where large buffers come first, all are large enough, but for what
/// only a run tells.
static void assignPlace(OpBuilder &b, Life life, Value bytes,
                        SmallVectorImpl<Place> &places) {
  memref::AllocOp alloc = life.alloc;
  // In another branch, the same sizes may not be asked for.
  auto sameSize = [&](const Place &place) {
    return getAsOpFoldResult(place.bytes) == getAsOpFoldResult(bytes) ||
           llvm::any_of(place.lives, [&](Life other) {
             return other.alloc->getParentRegion()->isAncestor(
                        alloc->getParentRegion()) &&
                    other.alloc.getType() == alloc.getType() &&
                    llvm::equal(other.alloc.getDynamicSizes(),
                                life.alloc.getDynamicSizes());
           });
  };
  Place *best = nullptr;
  bool bestIsSame = false;
  // The last one is the smallest.
  for (Place &place : llvm::reverse(places)) {
    if (llvm::any_of(place.lives, [&](Life other) {
          return other.first <= life.last && life.first <= other.last;
        }))
      continue;
    bool same = sameSize(place);
    if (!best || (same && !bestIsSame)) {
      best = &place;
      bestIsSame = same;
    }
  }
  if (!best) {
    places.push_back({{life}, bytes});
    return;
  }
  if (!bestIsSame)
    best->bytes =
        b.createOrFold<arith::MaxUIOp>(alloc.getLoc(), best->bytes, bytes);
  best->lives.push_back(life);
}

static void replaceByView(memref::AllocOp alloc, Value base, Value offset) {
  OpBuilder b(alloc);
  Value view = memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(), base,
                                      offset, alloc.getDynamicSizes());
  alloc.replaceAllUsesWith(view);
  alloc.erase();
}

//===----------------------------------------------------------------------===//
// One entry
//===----------------------------------------------------------------------===//

namespace {
/// Plans the memory of one entry and writes its shape function.
class EntryPlan {
public:
  EntryPlan(func::FuncOp func, Sites &sites)
      : func(func), sites(sites), entry(&func.getBody().front()), slice(func),
        b(func.getContext()) {
    auto args = func.getArguments();
    arena = args[args.size() - 4];
    scratch = args[args.size() - 3];
    scratchBytes = args[args.size() - 2];
  }

  LogicalResult run();

private:
  LogicalResult collect();
  LogicalResult hoistChecks();
  Value limitOf(Value size);
  SmallVector<Value> limitsOf(memref::AllocOp alloc);
  LogicalResult guardByChecks();
  Value conditionOf(Operation *op);
  Value bytesOf(memref::AllocOp alloc);
  void planArena();
  void planScratch();
  void emitShapeFunction();

  func::FuncOp func;
  Sites &sites;
  Block *entry;
  EntrySlice slice;
  OpBuilder b;
  Value arena, scratch, scratchBytes;
  SmallVector<memref::AllocOp> allocs;
  llvm::MapVector<Operation *, SmallVector<memref::AllocOp>> taskAllocs;
  SmallVector<CheckOp> checks;
  DenseMap<Value, Value> limits;
  /// Of branches whose condition the inputs tell.
  llvm::SmallPtrSet<Operation *, 4> decidedBranches;
  Value arenaTotal, scratchTotal;
};
} // namespace

/// Whether `op` gives no less where its operands, none of them negative, grow.
static bool isMonotone(Operation *op) {
  auto apply = dyn_cast<affine::AffineApplyOp>(op);
  if (!apply)
    return isa<arith::AddIOp, arith::MulIOp, arith::MinSIOp, arith::MinUIOp,
               arith::MaxSIOp, arith::MaxUIOp, arith::IndexCastOp>(op);
  // What is subtracted has a negative factor.
  bool falls = false;
  apply.getAffineMap().getResult(0).walk([&](AffineExpr expr) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    falls |= constant && constant.getValue() < 0;
    falls |= binary && expr.getKind() != AffineExprKind::Add &&
             expr.getKind() != AffineExprKind::Mul &&
             (expr.getKind() == AffineExprKind::Mod ||
              !isa<AffineConstantExpr>(binary.getRHS()));
  });
  return !falls;
}

/// The most that `size` can be: numbers from data give way to their limits.
/// `size` itself where that is not known.
Value EntryPlan::limitOf(Value size) {
  if (auto known = limits.lookup(size))
    return known;
  Operation *op = size.getDefiningOp();
  Value limit = size;
  if (auto bounded = dyn_cast_or_null<BoundedOp>(op)) {
    limit = bounded.getLimit();
  } else if (op && isMonotone(op)) {
    SmallVector<Value> operands = llvm::map_to_vector(
        op->getOperands(), [&](Value operand) { return limitOf(operand); });
    if (!llvm::equal(operands, op->getOperands())) {
      Operation *clone = OpBuilder(op).clone(*op);
      clone->setOperands(operands);
      limit = clone->getResult(cast<OpResult>(size).getResultNumber());
    }
  }
  limits[size] = limit;
  return limit;
}

SmallVector<Value> EntryPlan::limitsOf(memref::AllocOp alloc) {
  return llvm::map_to_vector(alloc.getDynamicSizes(),
                             [&](Value size) { return limitOf(size); });
}

/// What a loop's body asks of shapes holds in each iteration or in none: it is
/// checked once, in front of the loop.
LogicalResult EntryPlan::hoistChecks() {
  SmallVector<Block *> blocks = getGraphBlocks(func);
  for (Block *block : llvm::reverse(blocks)) {
    auto loop = dyn_cast<scf::WhileOp>(block->getParentOp());
    if (!loop)
      continue;
    if (llvm::any_of(block->getArgumentTypes(), llvm::IsaPred<BaseMemRefType>))
      return loop.emitOpError("gives a buffer of its own");
    for (auto check : llvm::make_early_inc_range(block->getOps<CheckOp>()))
      check->moveBefore(loop);
  }
  return success();
}

/// Where the inputs do not tell which branch is taken, what only one of them
/// asks of shapes is checked when it runs: the ops behind such a check go into
/// one more branch.
LogicalResult EntryPlan::guardByChecks() {
  SmallVector<CheckOp> late;
  for (Block *block : getGraphBlocks(func)) {
    auto branch = dyn_cast<scf::IfOp>(block->getParentOp());
    if (!branch)
      continue;
    Operation *outer = branch->getParentOp();
    while (isa<scf::WhileOp>(outer))
      outer = outer->getParentOp();
    bool isDecided = slice.tryAdd(branch.getCondition()) &&
                     (outer == func || decidedBranches.contains(outer));
    if (isDecided)
      decidedBranches.insert(branch);
    else
      llvm::append_range(late, block->getOps<CheckOp>());
  }
  for (CheckOp check : llvm::reverse(late)) {
    Block *block = check->getBlock();
    if (block->getTerminator()->getNumOperands() != 0)
      return check.emitOpError("is in a branch that gives a buffer of its own");
    b.setInsertionPoint(check);
    Location loc = check.getLoc();
    auto holds = scf::IfOp::create(b, loc, check.getHolds(),
                                   /*withElseRegion=*/true);
    Block *then = holds.thenBlock();
    then->getOperations().splice(then->begin(), block->getOperations(),
                                 std::next(check->getIterator()),
                                 block->getTerminator()->getIterator());
    b.setInsertionPointToStart(holds.elseBlock());
    sites.emitReport(b, loc, func.getArguments().back(), check.getMessage(),
                     check.getV0(), check.getV1());
    check.erase();
  }
  return success();
}

/// Whether `op` runs, as far as the inputs tell; null where nothing says that
/// it may not.
Value EntryPlan::conditionOf(Operation *op) {
  Value condition;
  Location loc = op->getLoc();
  for (Operation *parent = op->getParentOp(); parent != func;
       parent = parent->getParentOp()) {
    if (!decidedBranches.contains(parent))
      continue;
    auto branch = cast<scf::IfOp>(parent);
    Value taken = branch.getCondition();
    if (branch.getElseRegion().isAncestor(op->getParentRegion())) {
      Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
      taken = arith::XOrIOp::create(b, loc, taken, yes);
    }
    condition =
        condition ? arith::AndIOp::create(b, loc, condition, taken).getResult()
                  : taken;
  }
  return condition;
}

/// Bytes of `alloc` for the largest sizes that it can have. In a branch that is
/// not taken, sizes may be anything.
Value EntryPlan::bytesOf(memref::AllocOp alloc) {
  Value bytes = emitBytes(b, alloc, limitsOf(alloc));
  Value condition = getConstantIntValue(bytes) ? Value() : conditionOf(alloc);
  if (!condition)
    return bytes;
  return arith::SelectOp::create(b, alloc.getLoc(), condition, bytes,
                                 constantIndex(b, alloc.getLoc(), 0));
}

LogicalResult EntryPlan::collect() {
  if (failed(hoistChecks()))
    return failure();
  LogicalResult result = guardByChecks();
  func.walk([&](memref::AllocOp alloc) {
    if (auto task = alloc->getParentOfType<scf::ForallOp>())
      taskAllocs[task].push_back(alloc);
    else
      allocs.push_back(alloc);
    for (Value size : limitsOf(alloc))
      if (failed(slice.add(size, "the size of a buffer")))
        result = failure();
  });
  func.walk([&](CheckOp check) {
    checks.push_back(check);
    for (Value operand : check.getOperands())
      if (failed(slice.add(operand, "a check of shapes")))
        result = failure();
  });
  for (Value size : entry->getTerminator()->getOperands())
    if (failed(slice.add(size, "the shape of a result")))
      result = failure();
  return result;
}

void EntryPlan::planArena() {
  Positions positions(func);
  SmallVector<Life> lives;
  for (auto [number, alloc] : llvm::enumerate(allocs))
    lives.push_back({alloc, positions[alloc],
                     findLastUse(alloc, entry, positions), estimateBytes(alloc),
                     number});
  llvm::sort(lives, [](const Life &lhs, const Life &rhs) {
    return std::tuple(-lhs.estimate, lhs.number) <
           std::tuple(-rhs.estimate, rhs.number);
  });
  SmallVector<Place> places;
  for (const Life &life : lives)
    assignPlace(b, life, bytesOf(life.alloc), places);

  Value offset = constantIndex(b, func.getLoc(), 0);
  for (Place &place : places) {
    for (const Life &life : place.lives)
      replaceByView(life.alloc, arena, offset);
    offset = addBytes(b, func.getLoc(), offset, place.bytes);
  }
  arenaTotal = offset;
}

/// Buffers in a task lie one after another in its worker's part; tasks of
/// different loops are never at work at once, so the largest demand counts.
void EntryPlan::planScratch() {
  Location loc = func.getLoc();
  Value total = constantIndex(b, loc, 0);
  for (auto &[task, inTask] : taskAllocs) {
    SmallVector<Value> offsets;
    Value offset = constantIndex(b, loc, 0);
    for (memref::AllocOp alloc : inTask) {
      offsets.push_back(offset);
      offset = addBytes(b, loc, offset, bytesOf(alloc));
    }
    total = b.createOrFold<arith::MaxUIOp>(loc, total, offset);
    OpBuilder inner =
        OpBuilder::atBlockBegin(cast<scf::ForallOp>(task).getBody());
    Value worker = WorkerOp::create(inner, loc, inner.getIndexType());
    Value base = arith::MulIOp::create(inner, loc, worker, scratchBytes);
    for (auto [alloc, own] : llvm::zip_equal(inTask, offsets)) {
      // What stood next in the body may be an allocation that is gone by now.
      inner.setInsertionPointAfterValue(base);
      Value at = arith::AddIOp::create(inner, loc, base, own);
      replaceByView(alloc, scratch, at);
    }
  }
  scratchTotal = total;
}

/// `@main_shape(inputs…, sizes: memref<?xi64>, host) -> (ok: i32, arena bytes,
/// scratch bytes)`.
void EntryPlan::emitShapeFunction() {
  Location loc = func.getLoc();
  OpBuilder outer(func);
  unsigned numInputs = func->getAttrOfType<IntegerAttr>("ds.inputs").getInt();
  SmallVector<Type> types(func.getArgumentTypes().take_front(numInputs));
  types.push_back(MemRefType::get({ShapedType::kDynamic}, outer.getI64Type()));
  types.push_back(LLVM::LLVMPointerType::get(func.getContext()));
  auto shape = func::FuncOp::create(
      outer, loc, (func.getName() + "_shape").str(),
      outer.getFunctionType(types, {outer.getI32Type(), outer.getIndexType(),
                                    outer.getIndexType()}));
  shape.setPrivate();
  OpBuilder s = OpBuilder::atBlockBegin(shape.addEntryBlock());
  IRMapping map;
  for (unsigned i = 0; i < numInputs; ++i)
    map.map(func.getArgument(i), shape.getArgument(i));
  Value sizes = shape.getArgument(numInputs);
  Value host = shape.getArgument(numInputs + 1);
  SmallVector<Value> conditions = llvm::map_to_vector(
      checks, [&](CheckOp check) { return conditionOf(check); });

  // All that stands before the entry's own work was put there for this.
  for (Operation &op : llvm::make_range(entry->begin(), b.getInsertionPoint()))
    s.clone(op, map);

  Value status = arith::ConstantIntOp::create(s, loc, 0, 32);
  for (auto [i, condition] : llvm::enumerate(conditions)) {
    CheckOp check = checks[i];
    Location checkLoc = check.getLoc();
    Value yes = arith::ConstantIntOp::create(s, checkLoc, 1, 1);
    Value broken =
        arith::XOrIOp::create(s, checkLoc, map.lookup(check.getHolds()), yes);
    if (condition)
      broken =
          arith::AndIOp::create(s, checkLoc, broken, map.lookup(condition));
    scf::IfOp::create(s, checkLoc, broken, [&](OpBuilder &then, Location) {
      sites.emitReport(then, checkLoc, host, check.getMessage(),
                       map.lookup(check.getV0()), map.lookup(check.getV1()));
      scf::YieldOp::create(then, checkLoc);
    });
    Value bit = arith::ExtUIOp::create(s, checkLoc, s.getI32Type(), broken);
    status = arith::OrIOp::create(s, checkLoc, status, bit);
  }

  // The sizes of all results, static ones too, in order.
  auto dynamic = entry->getTerminator()->getOperands().begin();
  int64_t position = 0;
  for (Attribute result : func->getAttrOfType<ArrayAttr>("ds.results"))
    for (int64_t size :
         cast<MemRefType>(cast<TypeAttr>(result).getValue()).getShape()) {
      Value value = ShapedType::isDynamic(size) ? map.lookup(*dynamic++)
                                                : constantIndex(s, loc, size);
      Value word = arith::IndexCastOp::create(s, loc, s.getI64Type(), value);
      memref::StoreOp::create(s, loc, word, sizes,
                              ValueRange{constantIndex(s, loc, position++)});
    }
  func::ReturnOp::create(
      s, loc,
      ValueRange{status, map.lookup(arenaTotal), map.lookup(scratchTotal)});
}

LogicalResult EntryPlan::run() {
  if (failed(collect()))
    return failure();
  // What sizes are computed from goes first, so that places are known before
  // anything runs.
  Operation *firstOwn = &entry->front();
  while (llvm::is_contained(slice.ops(), firstOwn))
    firstOwn = firstOwn->getNextNode();
  for (Operation *op : slice.ops())
    op->moveBefore(firstOwn);
  b.setInsertionPoint(firstOwn);

  // Allocations are replaced below, so the place to insert must be another op.
  auto anchor = WorkerOp::create(b, func.getLoc(), b.getIndexType());
  b.setInsertionPoint(anchor);
  planArena();
  planScratch();
  emitShapeFunction();
  anchor.erase();

  for (CheckOp check : checks)
    check.erase();
  func.walk([](BoundedOp bounded) {
    bounded.getResult().replaceAllUsesWith(bounded.getValue());
    bounded.erase();
  });
  auto ret = cast<func::ReturnOp>(entry->getTerminator());
  ret->setOperands(ValueRange{});
  func.setType(
      FunctionType::get(func.getContext(), func.getArgumentTypes(), {}));
  return success();
}

void PlanMemory::runOnOperation() {
  ModuleOp module = getOperation();
  Sites sites(module);
  for (auto func : llvm::to_vector(module.getOps<func::FuncOp>()))
    if (!func.isDeclaration() && !func.isPrivate() &&
        failed(EntryPlan(func, sites).run()))
      return signalPassFailure();
}
