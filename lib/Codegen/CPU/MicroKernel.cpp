//===- MicroKernel.cpp - Register-tiled matrix products -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace mlir::ds;

/// What one kernel computes: `rows` x `width` elements of C.
struct MicroKernels::Kernel {
  int64_t rows, width;
  int64_t depth;       // elements of a column of B that lie side by side
  bool masksB, masksC; // columns past those that count are not there
  bool accumulate;
  bool tiles; // in tile registers
  FromMemory fromMemory;
};

namespace {
/// Writes the body of one kernel. Its arguments are A [rows, K…], B [K, N] or
/// strips [S, K / depth, L · depth], C [rows, N], the number of columns that
/// count and, where something is to be prefetched, it, the elements of it for
/// each step, and how far apart the cache lines of a step are.
class KernelBody {
public:
  KernelBody(OpBuilder &b, Location loc, func::FuncOp function, int64_t lanes,
             int64_t rows, int64_t width, int64_t depth, FromMemory fromMemory)
      : b(b), loc(loc), args(function.getArguments()), lanes(lanes), rows(rows),
        vectors(width / lanes), depth(depth), fromMemory(fromMemory),
        type(VectorType::get({lanes}, b.getF32Type())),
        bits(type.clone(b.getI32Type())) {}

  void emit(bool masksB, bool masksC, bool accumulate);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  void makeMasks();
  Value load(Value memory, ValueRange at, int64_t vector, bool masked) {
    if (!masked)
      return vector::LoadOp::create(b, loc, type, memory, at);
    return vector::MaskedLoadOp::create(b, loc, type, memory, at, masks[vector],
                                        zero);
  }
  SmallVector<Value> loadRow(Value k, bool masked);
  Value spread(Value row, ValueRange k);
  Value spreadPair(Value row, Value pair);
  Value half(Value pairs, bool second);
  void addRow(ValueRange k, ArrayRef<Value> row, MutableArrayRef<Value> sums);
  void addPairs(Value pair, ArrayRef<Value> row, MutableArrayRef<Value> sums);
  SmallVector<Value> emitLoops(ArrayRef<Value> outer, ValueRange sums,
                               bool masksB);
  SmallVector<Value> emitStep(ValueRange at, ValueRange sums, bool masksB);
  void prefetchA(Value k);
  void prefetchB(Value k);

  OpBuilder &b;
  Location loc;
  Block::BlockArgListType args;
  int64_t lanes, rows, vectors, depth;
  FromMemory fromMemory;
  VectorType type, bits;
  Value zero;
  SmallVector<Value> masks;
};
} // namespace

void KernelBody::makeMasks() {
  auto mask = VectorType::get({lanes}, b.getI1Type());
  for (int64_t v = 0; v < vectors; ++v) {
    // create_mask clamps: a count below zero masks every lane.
    Value left = arith::SubIOp::create(b, loc, args[3], index(v * lanes));
    masks.push_back(vector::CreateMaskOp::create(b, loc, mask, left));
  }
}

/// The vectors of row k of B, or of pair k of rows.
SmallVector<Value> KernelBody::loadRow(Value k, bool masked) {
  auto bType = cast<MemRefType>(args[1].getType());
  SmallVector<Value> row;
  for (int64_t v = 0; v < vectors; ++v) {
    int64_t column = v * lanes;
    if (bType.getRank() == 2) {
      row.push_back(load(args[1], {k, index(column)}, v, masked));
      continue;
    }
    int64_t strip = bType.getDimSize(2) / depth;
    auto stored = VectorType::get({lanes * depth}, bType.getElementType());
    Value loaded = vector::LoadOp::create(
        b, loc, stored, args[1],
        ValueRange{index(column / strip), k, index(column % strip * depth)});
    if (depth == 1 && !bType.getElementType().isF32())
      loaded = arith::ExtFOp::create(b, loc, type, loaded);
    row.push_back(loaded);
  }
  return row;
}

/// Element k of a row of A in all lanes.
Value KernelBody::spread(Value row, ValueRange k) {
  SmallVector<Value> place{row};
  llvm::append_range(place, k);
  Value scalar = memref::LoadOp::create(b, loc, args[0], place);
  return vector::BroadcastOp::create(b, loc, type, scalar);
}

/// Two elements of a row of A in all lanes.
Value KernelBody::spreadPair(Value row, Value pair) {
  Value k = arith::MulIOp::create(b, loc, pair, index(2));
  auto two = VectorType::get({2}, b.getBF16Type());
  Value loaded =
      vector::LoadOp::create(b, loc, two, args[0], ValueRange{row, k});
  Value word = vector::ExtractOp::create(
      b, loc,
      vector::BitCastOp::create(b, loc, VectorType::get({1}, b.getI32Type()),
                                loaded),
      0);
  Value words = vector::BroadcastOp::create(b, loc, bits, word);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({lanes * 2}, b.getBF16Type()), words);
}

/// The first or the second of each pair of bf16, as f32: its bits are the upper
/// half of those of the f32.
Value KernelBody::half(Value pairs, bool second) {
  Value words = vector::BitCastOp::create(b, loc, bits, pairs);
  auto constant = [&](uint32_t value) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(bits, APInt(32, value)));
  };
  words = second
              ? arith::AndIOp::create(b, loc, words, constant(0xFFFF0000))
                    .getResult()
              : arith::ShLIOp::create(b, loc, words, constant(16)).getResult();
  return vector::BitCastOp::create(b, loc, type, words);
}

void KernelBody::addRow(ValueRange k, ArrayRef<Value> row,
                        MutableArrayRef<Value> sums) {
  for (int64_t r = 0; r < rows; ++r) {
    Value factor = spread(index(r), k);
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = sums[r * vectors + v];
      sum = math::FmaOp::create(b, loc, factor, row[v], sum);
    }
  }
}

void KernelBody::addPairs(Value pair, ArrayRef<Value> row,
                          MutableArrayRef<Value> sums) {
  if (cast<MemRefType>(args[0].getType()).getElementType().isBF16()) {
    for (int64_t r = 0; r < rows; ++r) {
      Value factor = spreadPair(index(r), pair);
      for (int64_t v = 0; v < vectors; ++v) {
        Value &sum = sums[r * vectors + v];
        sum = x86vector::DotBF16Op::create(b, loc, type, sum, factor, row[v]);
      }
    }
    return;
  }
  Value k = arith::MulIOp::create(b, loc, pair, index(2));
  for (bool second : {false, true}) {
    SmallVector<Value> halves;
    for (Value pairs : row)
      halves.push_back(half(pairs, second));
    addRow(second ? arith::AddIOp::create(b, loc, k, index(1)).getResult() : k,
           halves, sums);
  }
}

void mlir::ds::emitPrefetch(OpBuilder &b, Location loc, Value memory,
                            ValueRange at) {
  memref::PrefetchOp::create(b, loc, memory, at, /*isWrite=*/false,
                             /*localityHint=*/2, /*isDataCache=*/true);
}

/// How many rows ahead operands are brought in that are not packed.
static constexpr int64_t stepsAhead = 64;

/// Brings in what is read of A soon.
void KernelBody::prefetchA(Value k) {
  auto [strides, offset] =
      cast<MemRefType>(args[0].getType()).getStridesAndOffset();
  if (strides[0] == 1)
    return emitPrefetch(
        b, loc, args[0],
        {index(0), arith::AddIOp::create(b, loc, k, index(stepsAhead))});
  // Those rows in turn, a part of each.
  Value row = arith::RemUIOp::create(b, loc, k, index(rows));
  emitPrefetch(b, loc, args[0],
               {arith::AddIOp::create(b, loc, row, index(stepsAhead)),
                arith::SubIOp::create(b, loc, k, row)});
}

/// Brings in the row of B that is read soon.
void KernelBody::prefetchB(Value k) {
  Value row = arith::AddIOp::create(b, loc, k, index(stepsAhead));
  for (int64_t v = 0; v < vectors; ++v)
    emitPrefetch(b, loc, args[1], {row, index(v * lanes)});
}

/// The step at `at` in the dims of A that are k.
SmallVector<Value> KernelBody::emitStep(ValueRange at, ValueRange sums,
                                        bool masksB) {
  SmallVector<Value> next(sums);
  Value k = at.front();
  for (auto [i, position] : llvm::enumerate(at.drop_front())) {
    Value size = memref::DimOp::create(b, loc, args[0], 2 + i);
    k = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, k, size),
                              position);
  }
  if (args.size() > 4) {
    // A cache line for each strip, and two of a share.
    int64_t strip = cast<MemRefType>(args[1].getType()).getDimSize(2) / depth;
    int64_t lines = std::max<int64_t>(2, vectors * lanes / strip);
    Value line = arith::MulIOp::create(b, loc, k, args[5]);
    for (int64_t i = 0; i < lines; ++i) {
      if (i != 0)
        line = arith::AddIOp::create(b, loc, line, args[6]);
      emitPrefetch(b, loc, args[4], line);
    }
  }
  if (fromMemory.a)
    prefetchA(k);
  if (fromMemory.b)
    prefetchB(k);
  SmallVector<Value> row = loadRow(k, masksB);
  if (depth == 2)
    addPairs(k, row, next);
  else
    addRow(at, row, next);
  return next;
}

/// Loops over the dims of A that are k, inside of those at `outer`.
SmallVector<Value> KernelBody::emitLoops(ArrayRef<Value> outer, ValueRange sums,
                                         bool masksB) {
  int64_t dim = 1 + outer.size();
  if (dim == cast<MemRefType>(args[0].getType()).getRank())
    return emitStep(outer, sums, masksB);
  Value steps = memref::DimOp::create(b, loc, args[0], dim);
  if (depth > 1)
    steps = arith::DivUIOp::create(b, loc, steps, index(depth));
  auto loop = scf::ForOp::create(b, loc, index(0), steps, index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> at(outer);
  at.push_back(loop.getInductionVar());
  scf::YieldOp::create(b, loc, emitLoops(at, loop.getRegionIterArgs(), masksB));
  return loop.getResults();
}

void KernelBody::emit(bool masksB, bool masksC, bool accumulate) {
  zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  if (masksC)
    makeMasks();
  Value c = args[2];
  auto place = [&](int64_t r, int64_t v) {
    return SmallVector<Value>{index(r), index(v * lanes)};
  };
  SmallVector<Value> sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(accumulate ? load(c, place(r, v), v, masksC) : zero);

  sums = emitLoops({}, sums, masksB);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value sum = sums[r * vectors + v];
      if (masksC)
        vector::MaskedStoreOp::create(b, loc, c, place(r, v), masks[v], sum);
      else
        vector::StoreOp::create(b, loc, sum, c, place(r, v));
    }
  func::ReturnOp::create(b, loc);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// How many steps ahead weights are brought in that are read once.
static constexpr int64_t rowsAhead = 128;
/// Products of fewer rows ask for nothing: they read weights as fast as a
/// processor brings in what it sees to lie in a row, and asking as well takes a
/// fifth of their time.
static constexpr int64_t leastRowsToPrefetch = 7;

func::FuncOp MicroKernels::getFunction(
    StringRef name, StringRef variant, ValueRange operands,
    function_ref<void(OpBuilder &, Location, func::FuncOp)> emit) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << name << variant << ' ' << operands.getTypes();
  func::FuncOp &function = kernels[key];
  if (function)
    return function;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = UnknownLoc::get(module.getContext());
  function = func::FuncOp::create(
      b, loc, ("ds_" + name + "_" + Twine(kernels.size())).str(),
      b.getFunctionType(operands.getTypes(), {}));
  function.setPrivate();
  // Many products call it: one copy keeps the code small.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  b.setInsertionPointToStart(function.addEntryBlock());
  emit(b, loc, function);
  return function;
}

func::FuncOp MicroKernels::getKernel(const Kernel &kernel,
                                     ValueRange operands) {
  std::string name, variant;
  llvm::raw_string_ostream(name)
      << "matmul_" << kernel.rows << "x" << kernel.width;
  llvm::raw_string_ostream(variant)
      << ' ' << kernel.depth << kernel.masksB << kernel.masksC
      << kernel.accumulate << kernel.tiles << kernel.fromMemory.a
      << kernel.fromMemory.b;
  return getFunction(
      name, variant, operands,
      [&](OpBuilder &b, Location loc, func::FuncOp function) {
        if (kernel.tiles)
          return TileKernel::emit(b, loc, function, kernel.rows);
        KernelBody(b, loc, function, tile.vectorLanes, kernel.rows,
                   kernel.width, kernel.depth, kernel.fromMemory)
            .emit(kernel.masksB, kernel.masksC, kernel.accumulate);
      });
}

/// `memory` of a type that says no more than kernels need: its second dim may
/// have any size, strips may lie anywhere, and the offset is dynamic.
static Value share(OpBuilder &b, Location loc, Value memory,
                   bool isStrips = false) {
  auto type = cast<MemRefType>(memory.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  SmallVector<int64_t> shape(type.getShape()), sharedStrides(strides);
  shape[1] = ShapedType::kDynamic;
  if (isStrips)
    sharedStrides[0] = ShapedType::kDynamic;
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                       sharedStrides);
  return memref::CastOp::create(
      b, loc, MemRefType::get(shape, type.getElementType(), layout), memory);
}

namespace {
/// Emits the calls of one product: groups of columns, in each of them whole
/// tiles of rows, then kernels of exactly the rows that are left; a chain of
/// smaller ones is several times slower. A rest of few rows shares those of the
/// tile before it, since a kernel of few waits for the row of B. Few rows alone
/// take more columns at once where there are registers for them: one group
/// would leave the multipliers waiting for its sums.
class Calls {
public:
  struct Call {
    int64_t rows, width;
    Value row, column;
    Value number; // of the tile; null where the group has no other
  };
  using Emit = function_ref<void(const Call &)>;
  /// Rests of fewer than `leastRest` rows share those of a tile.
  Calls(OpBuilder &b, Location loc, OpFoldResult rows, int64_t tileRows,
        int64_t leastRest, llvm::function_ref<int64_t(int64_t)> widthFor,
        int64_t columns);

  /// How many calls a group has.
  Value count();
  /// Calls `emit` where each call belongs.
  void run(Emit emit);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  void emitRest(int64_t rest, int64_t width, Value column, Emit emit);
  void emitGroups(int64_t width, Value count,
                  function_ref<void(Value column)> body);
  void emitSwitch(Value choice, ArrayRef<int64_t> cases,
                  function_ref<void(int64_t)> body);

  OpBuilder &b;
  Location loc;
  OpFoldResult rows;
  int64_t tileRows, leastRest;
  llvm::function_ref<int64_t(int64_t)> widthFor;
  int64_t columns;
  Value all, tiles, firstOfRest;
};
} // namespace

Calls::Calls(OpBuilder &b, Location loc, OpFoldResult rows, int64_t tileRows,
             int64_t leastRest, llvm::function_ref<int64_t(int64_t)> widthFor,
             int64_t columns)
    : b(b), loc(loc), rows(rows), tileRows(tileRows), leastRest(leastRest),
      widthFor(widthFor), columns(columns),
      all(getValueOrCreateConstantIndexOp(b, loc, rows)),
      tiles(b.createOrFold<arith::DivUIOp>(loc, all, index(tileRows))),
      firstOfRest(b.createOrFold<arith::MulIOp>(loc, tiles, index(tileRows))) {}

Value Calls::count() {
  return b.createOrFold<arith::CeilDivUIOp>(loc, all, index(tileRows));
}

void Calls::emitGroups(int64_t width, Value count,
                       function_ref<void(Value column)> body) {
  auto loop = scf::ForOp::create(b, loc, index(0), count, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  body(arith::MulIOp::create(b, loc, loop.getInductionVar(), index(width)));
}

void Calls::emitSwitch(Value choice, ArrayRef<int64_t> cases,
                       function_ref<void(int64_t)> body) {
  auto op = scf::IndexSwitchOp::create(b, loc, TypeRange{}, choice, cases,
                                       cases.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [i, value] : llvm::enumerate(cases)) {
    b.setInsertionPointToStart(&op.getCaseRegions()[i].emplaceBlock());
    body(value);
    scf::YieldOp::create(b, loc);
  }
  b.setInsertionPointToStart(&op.getDefaultRegion().emplaceBlock());
  scf::YieldOp::create(b, loc);
}

/// The rows after whole tiles, `rest` of them.
void Calls::emitRest(int64_t rest, int64_t width, Value column, Emit emit) {
  if (rest >= leastRest)
    return emit({rest, width, firstOfRest, column, tiles});
  int64_t second = (tileRows + rest) / 2, first = tileRows + rest - second;
  Value one = index(1);
  Value row = b.createOrFold<arith::SubIOp>(loc, firstOfRest, index(tileRows));
  emit({first, width, row, column,
        b.createOrFold<arith::SubIOp>(loc, tiles, one)});
  row = b.createOrFold<arith::AddIOp>(loc, row, index(first));
  emit({second, width, row, column, tiles});
}

void Calls::run(Emit emit) {
  std::optional<int64_t> known = getConstantIntValue(rows);
  auto groups = [&](int64_t width) {
    return index(llvm::divideCeilSigned(columns, width));
  };
  auto emitFew = [&](int64_t few) {
    int64_t width = widthFor(few);
    emitGroups(width, groups(width), [&](Value column) {
      emit({few, width, index(0), column, /*number=*/nullptr});
    });
  };
  if (known && *known < tileRows) {
    if (*known > 0)
      emitFew(*known);
    return;
  }

  int64_t width = widthFor(tileRows);
  Value count = groups(width);
  auto fewRows = llvm::to_vector(llvm::seq<int64_t>(1, tileRows));
  if (!known) {
    Value isFew = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, all,
                                        index(tileRows));
    emitSwitch(arith::SelectOp::create(b, loc, isFew, all, index(0)), fewRows,
               emitFew);
    count = arith::SelectOp::create(b, loc, isFew, index(0), count);
  }
  emitGroups(width, count, [&](Value column) {
    Value rest = b.createOrFold<arith::SubIOp>(loc, all, firstOfRest);
    Value whole = tiles;
    if (leastRest > 1) {
      Value isShared = b.createOrFold<arith::CmpIOp>(
          loc, arith::CmpIPredicate::ult,
          b.createOrFold<arith::SubIOp>(loc, rest, index(1)),
          index(leastRest - 1));
      whole = b.createOrFold<arith::SelectOp>(
          loc, isShared, b.createOrFold<arith::SubIOp>(loc, tiles, index(1)),
          tiles);
    }
    {
      auto loop = scf::ForOp::create(b, loc, index(0), whole, index(1));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(loop.getBody()->getTerminator());
      Value tile = loop.getInductionVar();
      Value row = arith::MulIOp::create(b, loc, tile, index(tileRows));
      emit({tileRows, width, row, column, tile});
    }
    auto emitCase = [&](int64_t rows) { emitRest(rows, width, column, emit); };
    if (!known)
      emitSwitch(rest, fewRows, emitCase);
    else if (*known % tileRows != 0)
      emitCase(*known % tileRows);
  });
}

namespace {
/// What the calls of a product with strips bring into the cache meanwhile: the
/// calls of a group, each its share, what the next group reads. Where a group
/// is one call, and so reads its strips once, it brings in those themselves, a
/// few steps ahead: two groups may be more than the cache holds.
class Prefetch {
public:
  /// Of groups of `width` columns, of `callCount` calls each.
  Prefetch(OpBuilder &b, Location loc, const Columns &columns, int64_t width,
           Value steps, Value callCount);

  /// The operands of a kernel that say so: memory, the elements of it for each
  /// step, and how far apart its cache lines of a step are.
  void addOperands(const Calls::Call &call, SmallVector<Value> &operands);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  template <typename OpTy> Value arith(Value lhs, Value rhs) {
    return b.createOrFold<OpTy>(loc, lhs, rhs);
  }
  Value select(Value condition, Value lhs, Value rhs) {
    return b.createOrFold<arith::SelectOp>(loc, condition, lhs, rhs);
  }
  Value flat(Value strips);

  OpBuilder &b;
  Location loc;
  int64_t width, depth, strip; // strip: elements of one in a step
  int64_t columns;             // of all strips
  Value steps, own, next;
  Value isOnly, stripSize, share, perCall, apart;
};
} // namespace

Prefetch::Prefetch(OpBuilder &b, Location loc, const Columns &columns,
                   int64_t width, Value steps, Value callCount)
    : b(b), loc(loc), width(width), steps(steps), own(flat(columns.memory)),
      next(flat(columns.next)) {
  auto type = cast<MemRefType>(columns.memory.getType());
  depth = type.getRank() == 4 ? type.getDimSize(3) : 1;
  strip = type.getDimSize(2) * depth;
  this->columns = type.getDimSize(0) * type.getDimSize(2);
  int64_t line = 64 * 8 / type.getElementTypeBitWidth();
  stripSize = arith<arith::MulIOp>(steps, index(strip));
  isOnly = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule,
                                         callCount, index(1));
  // Evenly along k: two cache lines for each at most.
  share = arith<arith::CeilDivUIOp>(index(width * depth),
                                    arith<arith::MaxUIOp>(callCount, index(1)));
  perCall = arith<arith::MulIOp>(share, steps);
  Value hasTwo = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ugt,
                                               share, index(line));
  apart = select(isOnly, stripSize, select(hasTwo, index(line), index(0)));
}

Value Prefetch::flat(Value strips) {
  int64_t rank = cast<MemRefType>(strips.getType()).getRank();
  return memref::CollapseShapeOp::create(
      b, loc, strips,
      SmallVector<ReassociationIndices>{
          llvm::to_vector(llvm::seq<int64_t>(rank))});
}

void Prefetch::addOperands(const Calls::Call &call,
                           SmallVector<Value> &operands) {
  Value stepsOfAll = arith<arith::MulIOp>(steps, index(depth));
  Value mine = arith<arith::MulIOp>(call.column, stepsOfAll);
  Value ahead = arith<arith::AddIOp>(mine, index(rowsAhead * strip));
  Value source = own, start = ahead, step = index(strip), distance = stripSize;
  if (call.number) {
    Value end = arith<arith::AddIOp>(call.column, index(width));
    Value isLast = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::uge,
                                                 end, index(columns));
    Value following =
        select(isLast, index(0), arith<arith::MulIOp>(end, stepsOfAll));
    Value part = arith<arith::MulIOp>(call.number, perCall);
    start = select(isOnly, ahead, arith<arith::AddIOp>(following, part));
    source = select(isOnly, own, select(isLast, next, own));
    step = select(isOnly, step, share);
    distance = apart;
  }
  Value view =
      memref::SubViewOp::create(b, loc, source, ArrayRef<OpFoldResult>{start},
                                ArrayRef<OpFoldResult>{stripSize},
                                ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  llvm::append_values(operands, view, step, distance);
}

/// Whether a product is of whole tiles but for the number of rows.
bool MicroKernels::takesTiles(Value a, const Columns &columns,
                              OpFoldResult columnCount, bool accumulate) const {
  auto aType = cast<MemRefType>(a.getType());
  std::optional<int64_t> known = getConstantIntValue(columnCount);
  return tile.tilesBF16 && aType.getElementType().isBF16() && !accumulate &&
         !aType.isDynamicDim(1) &&
         aType.getDimSize(1) % TileKernel::depth == 0 && known &&
         *known % TileKernel::columns == 0 &&
         cast<MemRefType>(columns.memory.getType()).getDimSize(0) % 2 == 0;
}

void MicroKernels::emitProduct(OpBuilder &b, Location loc, Value a,
                               const Columns &columns, Value c,
                               OpFoldResult rows, OpFoldResult columnCount,
                               bool accumulate, FromMemory fromMemory) {
  auto bType = cast<MemRefType>(columns.memory.getType());
  int64_t rank = bType.getRank(), depth = rank == 4 ? bType.getDimSize(3) : 1;
  bool isStrips = rank > 2;
  int64_t strips = isStrips ? bType.getDimSize(0) : 1;
  int64_t strip = isStrips        ? bType.getDimSize(2)
                  : columns.width ? columns.width
                                  : tile.lanes;
  // Elements that lie side by side, and their columns, are one dim.
  Value memory = columns.memory;
  if (depth > 1)
    memory = memref::CollapseShapeOp::create(
        b, loc, memory, SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}});
  // As many strips at once as there are registers for.
  bool tiles = takesTiles(a, columns, columnCount, accumulate);
  int64_t tileRows = tiles ? TileKernel::rows : tile.rows;
  auto widthFor = [&](int64_t kernelRows) {
    if (tiles)
      return TileKernel::columns;
    int64_t width = strips * strip;
    while (width > strip && !fits(kernelRows, width))
      width /= 2;
    return width;
  };
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  std::optional<int64_t> known = getConstantIntValue(columnCount);
  // Rows of tile registers cost as many as they have room for.
  Calls calls(b, loc, rows, tileRows, tiles ? 0 : tileRows / 2, widthFor,
              std::min(known.value_or(strips * strip), strips * strip));

  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  // All of a row of A, whatever dims k has there.
  SmallVector<OpFoldResult> aSizes = memref::getMixedSizes(b, loc, a);
  SmallVector<OpFoldResult> aOffsets(aSizes.size(), zero);
  OpFoldResult steps = memref::getMixedSize(b, loc, memory, isStrips ? 1 : 0);
  Value stepCount = getValueOrCreateConstantIndexOp(b, loc, steps);
  Value total = getValueOrCreateConstantIndexOp(b, loc, columnCount);

  // Loads of tiles take whole strips in order, which needs no help.
  std::optional<Prefetch> prefetch;
  if (columns.next && !tiles)
    prefetch.emplace(b, loc, columns, widthFor(tileRows), stepCount,
                     calls.count());
  calls.run([&](const Calls::Call &call) {
    SmallVector<OpFoldResult> ones{one, one};
    OpFoldResult counted = b.getIndexAttr(call.rows);
    aOffsets[0] = call.row;
    aSizes[0] = counted;
    Value aRows = memref::SubViewOp::create(
        b, loc, a, aOffsets, aSizes,
        SmallVector<OpFoldResult>(aSizes.size(), one));
    bool isFull = known && *known % call.width == 0;
    // Of a group that lies past the last column, nothing is stored.
    Value left = b.createOrFold<arith::SubIOp>(loc, total, call.column);
    left = b.createOrFold<arith::MaxSIOp>(loc, left, index(0));
    Value cRows = memref::SubViewOp::create(
        b, loc, c, ArrayRef<OpFoldResult>{call.row, call.column},
        {counted, left}, ones);
    Value bStrips = memory;
    if (isStrips) {
      Value first =
          b.createOrFold<arith::DivUIOp>(loc, call.column, index(strip));
      bStrips = memref::SubViewOp::create(
          b, loc, bStrips, ArrayRef<OpFoldResult>{first, zero, zero},
          {b.getIndexAttr(llvm::divideCeil(call.width, strip)), steps,
           b.getIndexAttr(strip * depth)},
          SmallVector<OpFoldResult>(3, one));
    }
    SmallVector<Value> operands{share(b, loc, aRows),
                                share(b, loc, bStrips, isStrips),
                                share(b, loc, cRows), left};
    if (prefetch && (call.number || call.rows >= leastRowsToPrefetch))
      prefetch->addOperands(call, operands);
    func::FuncOp kernel =
        getKernel({call.rows, call.width, depth, !isFull && !isStrips, !isFull,
                   accumulate, tiles, fromMemory},
                  operands);
    func::CallOp::create(b, loc, kernel, operands);
  });
}
