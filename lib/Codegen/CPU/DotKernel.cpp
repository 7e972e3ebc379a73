//===- DotKernel.cpp - Products of rows with rows -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// C[m, n] += Σ_k A[m, k] · B[n, k], where k is what lies side by side in both:
// lanes are k. As many elements of a row of C as a vector has lanes are
// computed together: their partial sums go to a scratch, and are then added up
// in a tree that leaves each sum in its lane.
//
// With few rows of A, every element of B is read once, and often from memory.
// The loop over B's rows is short, so that a handful of instructions read all
// of them in order: that is what processors recognise and bring in early. On
// Zen 4, sixteen rows at once, each with loads of its own, come at 8 GB/s, two
// rows at once at 27 GB/s, which is what memory gives.
//
// Adding up is up to half as much work as the products. With 7 rows of A and
// more, a vector therefore has lanes for four of them, quads: with q = lanes /
// 4, lane (r, i) is
//
//   Σ_j A[m + r, q·j + i] · B[n, q·j + i]
//
// A is brought into that order once, and q elements of B are read into all four
// quarters of a vector. The sums of q rows of B are one vector after log2 q
// levels of the tree. With 5 and 6 rows half of the second quad would be idle;
// there two rows of B are taken together, where there are registers: a row of A
// is loaded for both, and their sums fill a vector without a scratch.
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ds;

/// How many rows of A share a vector, and how many columns these take at once.
static constexpr int64_t quad = 4;

namespace {
/// Writes the body of the kernel, a function of A, B and C.
class DotBody {
public:
  DotBody(OpBuilder &b, Location loc, func::FuncOp function, int64_t lanes)
      : b(b), loc(loc), x(function.getArgument(0)), y(function.getArgument(1)),
        c(function.getArgument(2)), lanes(lanes),
        type(VectorType::get({lanes}, b.getF32Type())) {}

  void emit();

private:
  bool canUseQuads(std::optional<int64_t> rows,
                   std::optional<int64_t> depth) const;
  void emitBlock(Value column, Value count);
  SmallVector<Value> emitColumns(Value firstRow, int64_t rowCount, Value column,
                                 int64_t columnCount);
  void emitInScratch(Value firstRow, int64_t count, Value column,
                     Value columnCount);
  void emitRows(Value firstRow, int64_t count, Value column, Value columnCount);
  void emitInPairs(Value firstRow, int64_t count, Value column);
  void packQuads();
  void emitInQuads(Value column, Value columnCount);
  SmallVector<Value> emitQuads(ArrayRef<Value> places);
  Value loadIntoQuarters(Value row, Value k);
  SmallVector<Value> addStep(Value firstRow, Value column, int64_t columnCount,
                             Value k, ValueRange sums, Value mask);
  Value load(Value memory, Value row, Value k, Value mask);
  void addToC(Value row, Value column, Value count, Value sum);
  Value addUp(ArrayRef<Value> sums);
  void transposeUnits(MutableArrayRef<Value> vectors);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value plus(Value value, int64_t more) {
    return b.createOrFold<arith::AddIOp>(loc, value, index(more));
  }
  Value mask(Value count) {
    return vector::CreateMaskOp::create(
        b, loc, VectorType::get({lanes}, b.getI1Type()), count);
  }

  OpBuilder &b;
  Location loc;
  Value x, y, c;
  int64_t lanes;
  VectorType type;
  int64_t rowsAtOnce;
  bool isContiguous;    ///< Rows of B lie in a row.
  int64_t quadRows = 0; ///< The rows of A, where they are read in quads.
  Value rows, columns, depth, wholeDepth, zero;
  Value scratch; ///< [rowsAtOnce, lanes, lanes]: of each row, sums of a block;
                 ///< [rows / 4, 4, lanes] in quads.
  Value quads;   ///< A in quads.
};
} // namespace

/// Elements k to k + lanes of a row, those that `mask` leaves out 0.
Value DotBody::load(Value memory, Value row, Value k, Value mask) {
  auto stored = type.clone(cast<MemRefType>(memory.getType()).getElementType());
  Value loaded;
  if (mask) {
    Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(stored));
    loaded = vector::MaskedLoadOp::create(b, loc, stored, memory,
                                          ValueRange{row, k}, mask, none);
  } else {
    loaded = vector::LoadOp::create(b, loc, stored, memory, ValueRange{row, k});
  }
  return stored == type ? loaded : arith::ExtFOp::create(b, loc, type, loaded);
}

/// Adds the products of lanes from `k` on to `sums`, which are those of a
/// column for each row, then those of the next column.
SmallVector<Value> DotBody::addStep(Value firstRow, Value column,
                                    int64_t columnCount, Value k,
                                    ValueRange sums, Value mask) {
  SmallVector<Value> next(sums);
  int64_t rowCount = sums.size() / columnCount;
  SmallVector<Value> factors;
  for (int64_t i = 0; i < columnCount; ++i)
    factors.push_back(load(y, plus(column, i), k, mask));
  for (int64_t r = 0; r < rowCount; ++r) {
    Value row = load(x, plus(firstRow, r), k, mask);
    for (auto [i, factor] : llvm::enumerate(factors)) {
      Value &sum = next[i * rowCount + r];
      sum = math::FmaOp::create(b, loc, row, factor, sum);
    }
  }
  return next;
}

/// Vector i's sum in lane i, or, of fewer vectors than lanes, the sum of each
/// as many lanes as there are vectors. Each level adds halves of what is left
/// of two neighbours: after the first, even lanes belong to the one and odd
/// lanes to the other.
Value DotBody::addUp(ArrayRef<Value> sums) {
  SmallVector<Value> level(sums);
  for (int64_t width = 1; level.size() > 1; width *= 2) {
    SmallVector<int64_t> own, other;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool first = lane / width % 2 == 0;
      own.push_back(first ? lane : lanes + lane);
      other.push_back((first ? 0 : lanes) + (lane ^ width));
    }
    SmallVector<Value> next;
    for (size_t i = 0; i < level.size(); i += 2) {
      Value lhs =
          vector::ShuffleOp::create(b, loc, level[i], level[i + 1], own);
      Value rhs =
          vector::ShuffleOp::create(b, loc, level[i], level[i + 1], other);
      next.push_back(arith::AddFOp::create(b, loc, lhs, rhs));
    }
    level = std::move(next);
  }
  return level.front();
}

/// Products of fewer rows read B, where its rows lie in a row, as fast as a
/// processor brings them in; those of more keep it too busy to look that far
/// ahead.
static constexpr int64_t leastRowsToPrefetch = 5;
/// How many rows of B ahead.
static constexpr int64_t columnsAhead = 64;

/// Partial sums of `columnCount` columns from `column` on and `rowCount` rows
/// from `firstRow` on: those of a column for each row, then those of the next.
SmallVector<Value> DotBody::emitColumns(Value firstRow, int64_t rowCount,
                                        Value column, int64_t columnCount) {
  bool prefetches = !isContiguous || rowCount >= leastRowsToPrefetch;
  auto steps = scf::ForOp::create(
      b, loc, index(0), wholeDepth, index(lanes),
      SmallVector<Value>(rowCount * columnCount, zero),
      [&](OpBuilder &, Location, Value k, ValueRange sums) {
        for (int64_t i = 0; prefetches && i < columnCount; ++i)
          emitPrefetch(b, loc, y, {plus(column, columnsAhead + i), k});
        scf::YieldOp::create(b, loc,
                             addStep(firstRow, column, columnCount, k, sums,
                                     /*mask=*/nullptr));
      });
  Value hasRest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        wholeDepth, depth);
  auto rest = scf::IfOp::create(
      b, loc, hasRest,
      [&](OpBuilder &, Location) {
        Value left = arith::SubIOp::create(b, loc, depth, wholeDepth);
        scf::YieldOp::create(b, loc,
                             addStep(firstRow, column, columnCount, wholeDepth,
                                     steps.getResults(), mask(left)));
      },
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(b, loc, steps.getResults());
      });
  return llvm::to_vector_of<Value>(rest.getResults());
}

/// Adds to elements [column, column + count) of a row of C; null for all lanes.
void DotBody::addToC(Value row, Value column, Value count, Value sum) {
  SmallVector<Value> place = {row, column};
  if (!count) {
    Value before = vector::LoadOp::create(b, loc, type, c, place);
    vector::StoreOp::create(b, loc, arith::AddFOp::create(b, loc, before, sum),
                            c, place);
    return;
  }
  Value present = mask(count);
  Value before =
      vector::MaskedLoadOp::create(b, loc, type, c, place, present, zero);
  vector::MaskedStoreOp::create(b, loc, c, place, present,
                                arith::AddFOp::create(b, loc, before, sum));
}

/// Columns [column, column + columnCount) of `count` rows from `firstRow` on,
/// null for as many columns as there are lanes: partial sums of all of them go
/// to the scratch.
void DotBody::emitInScratch(Value firstRow, int64_t count, Value column,
                            Value columnCount) {
  // One row leaves a core waiting for its sums.
  int64_t atOnce = count <= 2 && !columnCount ? 2 : 1;
  auto loop = scf::ForOp::create(b, loc, index(0),
                                 columnCount ? columnCount : index(lanes),
                                 index(atOnce));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    for (int64_t i = 0; i < atOnce; ++i) {
      Value place = plus(loop.getInductionVar(), i);
      SmallVector<Value> sums = emitColumns(
          firstRow, count, arith::AddIOp::create(b, loc, column, place), 1);
      for (auto [r, sum] : llvm::enumerate(sums))
        vector::StoreOp::create(b, loc, sum, scratch,
                                ValueRange{index(r), place, index(0)});
    }
  }
  for (int64_t r = 0; r < count; ++r) {
    SmallVector<Value> sums;
    for (int64_t i = 0; i < lanes; ++i)
      sums.push_back(vector::LoadOp::create(
          b, loc, type, scratch, ValueRange{index(r), index(i), index(0)}));
    addToC(plus(firstRow, r), column, columnCount, addUp(sums));
  }
}

/// Unit j of vector i becomes unit i of vector j, where a vector has as many
/// units as there are vectors.
void DotBody::transposeUnits(MutableArrayRef<Value> vectors) {
  int64_t units = vectors.size(), unit = lanes / units;
  for (int64_t step = 1; step < units; step *= 2)
    for (int64_t i = 0; i < units; ++i) {
      if (i & step)
        continue;
      SmallVector<int64_t> low, high;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        bool isSecond = (lane / unit) & step;
        low.push_back(isSecond ? lanes + lane - unit * step : lane);
        high.push_back(isSecond ? lanes + lane : lane + unit * step);
      }
      Value &first = vectors[i], &second = vectors[i | step];
      Value lower = vector::ShuffleOp::create(b, loc, first, second, low);
      second = vector::ShuffleOp::create(b, loc, first, second, high);
      first = lower;
    }
}

/// As many columns as there are lanes from `column` on, of `count` rows, at
/// most half as many: two columns share the loads of rows, and their sums are a
/// vector for each two lanes, so that these are added up where they are.
void DotBody::emitInPairs(Value firstRow, int64_t count, Value column) {
  int64_t pairs = lanes / 2;
  auto loop = scf::ForOp::create(b, loc, index(0), index(pairs), index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    Value pair = loop.getInductionVar();
    Value two = arith::AddIOp::create(b, loc, pair, pair);
    SmallVector<Value> sums = emitColumns(
        firstRow, count, arith::AddIOp::create(b, loc, column, two), 2);
    SmallVector<Value> ordered(lanes, zero);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < 2; ++i)
        ordered[2 * r + i] = sums[i * count + r];
    vector::StoreOp::create(b, loc, addUp(ordered), scratch,
                            ValueRange{index(0), pair, index(0)});
  }
  SmallVector<Value> rowsOfPairs;
  for (int64_t i = 0; i < pairs; ++i)
    rowsOfPairs.push_back(vector::LoadOp::create(
        b, loc, type, scratch, ValueRange{index(0), index(i), index(0)}));
  transposeUnits(rowsOfPairs);
  for (int64_t r = 0; r < count; ++r)
    addToC(plus(firstRow, r), column, /*count=*/nullptr, rowsOfPairs[r]);
}

void DotBody::emitRows(Value firstRow, int64_t count, Value column,
                       Value columnCount) {
  if (!columnCount && count >= leastRowsToPrefetch && 2 * count <= lanes)
    emitInPairs(firstRow, count, column);
  else
    emitInScratch(firstRow, count, column, columnCount);
}

/// Writes A as quads: [rows / 4, K / lanes, 4, lanes], where the last is a
/// quarter of a vector from each of four rows. Rows that there are not are 0.
void DotBody::packQuads() {
  auto loop = scf::ForOp::create(b, loc, index(0), depth, index(lanes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  Value k = loop.getInductionVar();
  Value chunk = arith::DivUIOp::create(b, loc, k, index(lanes));
  for (int64_t first = 0; first < quadRows; first += quad) {
    SmallVector<Value> vectors(quad, zero);
    for (int64_t i = 0; i < quad && first + i < quadRows; ++i)
      vectors[i] = load(x, index(first + i), k, /*mask=*/nullptr);
    transposeUnits(vectors);
    for (auto [i, vector] : llvm::enumerate(vectors))
      vector::StoreOp::create(
          b, loc, vector, quads,
          ValueRange{index(first / quad), chunk, index(i), index(0)});
  }
}

/// Elements k to k + lanes / 4 of a row of B, in each quarter of a vector.
Value DotBody::loadIntoQuarters(Value row, Value k) {
  int64_t unit = lanes / quad;
  auto wide = VectorType::get({unit}, b.getF32Type());
  auto stored = wide.clone(cast<MemRefType>(y.getType()).getElementType());
  Value loaded = vector::LoadOp::create(b, loc, stored, y, ValueRange{row, k});
  if (stored != wide)
    loaded = arith::ExtFOp::create(b, loc, wide, loaded);
  SmallVector<int64_t> elements;
  for (int64_t lane = 0; lane < lanes; ++lane)
    elements.push_back(lane % unit);
  return vector::ShuffleOp::create(b, loc, loaded, loaded, elements);
}

/// The partial sums of all quads with four columns: of each quad, those of the
/// columns in turn.
SmallVector<Value> DotBody::emitQuads(ArrayRef<Value> places) {
  int64_t count = llvm::divideCeil(quadRows, quad);
  auto loop = scf::ForOp::create(
      b, loc, index(0), depth, index(lanes),
      SmallVector<Value>(count * quad, zero),
      [&](OpBuilder &, Location, Value k, ValueRange sums) {
        for (Value place : places)
          emitPrefetch(b, loc, y, {plus(place, columnsAhead), k});
        Value chunk = arith::DivUIOp::create(b, loc, k, index(lanes));
        SmallVector<Value> next(sums);
        for (int64_t i = 0; i < quad; ++i) {
          SmallVector<Value> factors;
          for (Value place : places)
            factors.push_back(
                loadIntoQuarters(place, plus(k, i * lanes / quad)));
          for (int64_t q = 0; q < count; ++q) {
            Value rowsOfQuad = vector::LoadOp::create(
                b, loc, type, quads,
                ValueRange{index(q), chunk, index(i), index(0)});
            for (auto [c, factor] : llvm::enumerate(factors)) {
              Value &sum = next[q * quad + c];
              sum = math::FmaOp::create(b, loc, rowsOfQuad, factor, sum);
            }
          }
        }
        scf::YieldOp::create(b, loc, next);
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// Columns [column, column + columnCount) of all rows, null for as many columns
/// as there are lanes. The order of a sum is the same for both.
void DotBody::emitInQuads(Value column, Value columnCount) {
  int64_t unit = lanes / quad, count = llvm::divideCeil(quadRows, quad);
  auto loop = scf::ForOp::create(
      b, loc, index(0), columnCount ? columnCount : index(lanes), index(quad));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    Value first = loop.getInductionVar();
    SmallVector<Value> places;
    for (int64_t i = 0; i < quad; ++i) {
      Value place = arith::AddIOp::create(b, loc, column, plus(first, i));
      // The last one again in place of those that there are not.
      if (columnCount)
        place = arith::MinUIOp::create(b, loc, place, plus(columns, -1));
      places.push_back(place);
    }
    SmallVector<Value> sums = emitQuads(places);
    Value firstUnit = arith::DivUIOp::create(b, loc, first, index(unit));
    for (int64_t i = 0; i < count * quad; i += unit)
      vector::StoreOp::create(
          b, loc, addUp(ArrayRef(sums).slice(i, unit)), scratch,
          ValueRange{index(i / quad), plus(firstUnit, i % quad / unit),
                     index(0)});
  }
  for (int64_t row = 0; row < quadRows; row += quad) {
    SmallVector<Value> vectors;
    for (int64_t i = 0; i < quad; ++i)
      vectors.push_back(vector::LoadOp::create(
          b, loc, type, scratch,
          ValueRange{index(row / quad), index(i), index(0)}));
    transposeUnits(vectors);
    for (int64_t i = 0; i < quad && row + i < quadRows; ++i)
      addToC(index(row + i), column, columnCount, vectors[i]);
  }
}

/// Columns [column, column + count) of all rows; null for as many as there are
/// lanes.
void DotBody::emitBlock(Value column, Value count) {
  if (quadRows != 0) {
    emitInQuads(column, count);
    return;
  }
  auto emitLoop = [&](Value from, Value to, int64_t rowCount) {
    auto loop = scf::ForOp::create(b, loc, from, to, index(rowCount));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    emitRows(loop.getInductionVar(), rowCount, column, count);
  };
  Value rest = b.createOrFold<arith::RemUIOp>(loc, rows, index(rowsAtOnce));
  Value whole = b.createOrFold<arith::SubIOp>(loc, rows, rest);
  emitLoop(index(0), whole, rowsAtOnce);
  if (rowsAtOnce > 1 && !isConstantIntValue(rest, 0))
    emitLoop(whole, rows, 1);
}

/// The most rows that are taken together, and how many are where there may be
/// more: as many as there are registers for their sums.
static constexpr int64_t mostRowsAtOnce = 15, rowsOfGroup = 8;
/// Fewer rows are better in pairs of columns, or alone. A is kept on the stack,
/// and must fit there.
static constexpr int64_t leastRowsOfQuads = 7, mostDepthOfQuads = 1024;

bool DotBody::canUseQuads(std::optional<int64_t> rows,
                          std::optional<int64_t> depth) const {
  int64_t most = lanes >= 16 ? mostRowsAtOnce : rowsOfGroup;
  return rows && *rows >= leastRowsOfQuads && *rows <= most && depth &&
         *depth % lanes == 0 && *depth <= mostDepthOfQuads;
}

void DotBody::emit() {
  zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  auto size = [&](Value memory, int64_t dim) -> Value {
    return b.createOrFold<memref::DimOp>(loc, memory, index(dim));
  };
  rows = size(c, 0);
  columns = size(c, 1);
  depth = size(x, 1);
  std::optional<int64_t> known = getConstantIntValue(rows);
  rowsAtOnce = known && *known <= mostRowsAtOnce ? std::max<int64_t>(*known, 1)
                                                 : rowsOfGroup;
  auto [strides, offset] = cast<MemRefType>(y.getType()).getStridesAndOffset();
  isContiguous = getConstantIntValue(depth) == strides[0];
  auto allocate = [&](ArrayRef<int64_t> shape) {
    return memref::AllocaOp::create(b, loc,
                                    MemRefType::get(shape, b.getF32Type()),
                                    b.getI64IntegerAttr(64));
  };
  if (canUseQuads(known, getConstantIntValue(depth))) {
    quadRows = *known;
    int64_t count = llvm::divideCeil(quadRows, quad);
    quads = allocate({count, *getConstantIntValue(depth) / lanes, quad, lanes});
    scratch = allocate({count, quad, lanes});
    packQuads();
  } else {
    scratch = allocate({rowsAtOnce, lanes, lanes});
  }
  auto roundDown = [&](Value size) -> Value {
    Value rest = b.createOrFold<arith::RemUIOp>(loc, size, index(lanes));
    return b.createOrFold<arith::SubIOp>(loc, size, rest);
  };
  wholeDepth = roundDown(depth);
  Value wholeColumns = roundDown(columns);
  auto loop = scf::ForOp::create(b, loc, index(0), wholeColumns, index(lanes));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    emitBlock(loop.getInductionVar(), /*count=*/nullptr);
  }
  Value hasRest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        wholeColumns, columns);
  scf::IfOp::create(b, loc, hasRest, [&](OpBuilder &, Location) {
    emitBlock(wholeColumns,
              arith::SubIOp::create(b, loc, columns, wholeColumns));
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc);
}

/// `memory` of a type that says no more than the kernel needs: strides that are
/// known make addresses cheap, and so do dims that are known, but for `dim`.
static Value forgetSize(OpBuilder &b, Location loc, Value memory,
                        std::optional<int64_t> dim) {
  auto type = cast<MemRefType>(memory.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, strides);
  SmallVector<int64_t> shape(type.getShape());
  if (dim)
    shape[*dim] = ShapedType::kDynamic;
  return memref::CastOp::create(
      b, loc, MemRefType::get(shape, type.getElementType(), layout), memory);
}

void MicroKernels::emitDots(OpBuilder &b, Location loc, Value x, Value y,
                            Value c) {
  SmallVector<Value> operands = {forgetSize(b, loc, x, std::nullopt),
                                 forgetSize(b, loc, y, 0),
                                 forgetSize(b, loc, c, 1)};
  func::FuncOp kernel =
      getFunction("dot", /*variant=*/"", operands,
                  [&](OpBuilder &b, Location loc, func::FuncOp function) {
                    DotBody(b, loc, function, tile.vectorLanes).emit();
                  });
  func::CallOp::create(b, loc, kernel, operands);
}
