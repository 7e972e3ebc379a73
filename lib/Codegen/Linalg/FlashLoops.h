//===- FlashLoops.h - The loop of attention over blocks of keys -*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A task computes a tile of rows: query rows of one head, or one row of several
// heads that share their keys. For each block of keys j:
//
//   S[i, j] = Σ_d scale · query[i, d] · key[j, d]       then masks
//   α[i]    = exp(m[i] − max(m[i], max_j S[i, j]))
//   m[i]    = max(m[i], max_j S[i, j])
//   P[i, j] = exp(S[i, j] − m[i])
//   l[i]    = α[i] · l[i] + Σ_j P[i, j]
//   O[i, e] = α[i] · O[i, e] + Σ_j P[i, j] · value[j, e]
//
// With many rows everything is transposed (KeysFirst): the lanes of a vector
// are rows. Then key and value are read as they lie, the maximum and the sum of
// a row are vertical, and both products have the shape of the matrix
// micro-kernel. With few rows (RowsFirst) lanes are keys, then elements of
// values: rows as lanes would leave most of them idle.
//
// m starts at the least float, not −inf: a masked score is −inf, so its weight
// is exp(−inf − m) = 0 whatever m is, and a row without keys keeps l = 0. A row
// that a bias of least floats masks has weights of 1, as its formula says.
//
// The bits of a row do not depend on how many rows and keys there are, but for
// the number of rows that decides between this form and that of
// FlashDecode.cpp: blocks of keys start at multiples of the block, their sums
// have an order that does not depend on how many there are, and a key of weight
// 0 changes neither l nor O.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_LINALG_FLASHLOOPS_H
#define DS_LIB_CODEGEN_LINALG_FLASHLOOPS_H

#include "AttentionScores.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::ds {

/// What a loop over the blocks of keys computes.
enum class Sweep {
  Whole,   // the running maximum, sum and weighted values
  Sums,    // the maximum and the sum
  Weighted // the weighted values, of a maximum and a sum that are known
};

/// The running values of a tile of rows: of `lanes` rows m and l, and O, which
/// is [Dv, lanes] where keys come first, else [lanes, Dv].
struct FlashState {
  Value largest, sum, acc;

  /// Those that a sweep changes.
  SmallVector<Value> valuesOf(Sweep sweep) const;
  /// The same with other values of those.
  FlashState with(Sweep sweep, ValueRange values) const;
};

/// Keys that a tile may attend to: `first` until `end`, none where that is not
/// larger.
struct KeyRange {
  Value first, end;
};

/// Rows of all heads: [B, heads, rows, width], or as linear layers leave them,
/// [B, rows, heads, width], where the graph transposes that.
struct Heads {
  Value tensor;
  bool rowsFirst = false;

  template <typename T>
  SmallVector<T> order(T batch, T head, T row, T element) const {
    return rowsFirst ? SmallVector<T>{batch, row, head, element}
                     : SmallVector<T>{batch, head, row, element};
  }
};

/// An attention to be written as tasks, and what its tasks are made of.
struct FlashLoops {
  FlashLoops(AttentionOp op, Lowering &l);

  /// What a task knows of its sequence, but for rowCount.
  ScoreTile locate(Value batch, Value head, Value row);
  /// The rows of the tile as an operand of the scores, in `room` if there is.
  Value prepareQuery(const ScoreTile &tile, Value room = nullptr);
  /// A sink is a key that has been seen already.
  FlashState initialState(const ScoreTile &tile, bool withSink,
                          const FlashState &room = {});
  /// The keys that any row of the tile may attend to.
  KeyRange keyRange(const ScoreTile &tile);
  /// Calls `body` for the blocks of keys that have some in `range`, with the
  /// block's start and the carried values, of which it gives the next.
  SmallVector<Value>
  emitBlocks(KeyRange range, ValueRange carried,
             function_ref<SmallVector<Value>(Value, ValueRange)> body);
  /// The tile's step for the block at `block`; of the keys in `range` none may
  /// be there where `mayBeOutside`.
  FlashState emitBlock(Sweep sweep, const ScoreTile &tile, Value query,
                       FlashState state, Value block, KeyRange range,
                       bool mayBeOutside);
  /// Goes through the blocks of the keys in `range`.
  FlashState emitSweep(Sweep sweep, const ScoreTile &tile, Value query,
                       FlashState state, KeyRange range);
  /// For each lane, 1 over its sum, or the weight of its row's head; 0 where
  /// the sum is 0. One factor for each row: dividing each element would cost
  /// more.
  Value emitFactors(const ScoreTile &tile, Value sums, bool weighted);
  /// O times `factors` as rows, in the place of `target`.
  Value emitResult(const ScoreTile &tile, Value acc, Value factors,
                   Value target);
  /// Writes `rows` as the tile's part of `destination` at the end of a task.
  void insertTile(scf::ForallOp forall, const Heads &destination,
                  const ScoreTile &tile, Value rows);
  /// m + ln l, −inf in a row without keys.
  Value emitLse(Value largest, Value sums, Value target);
  /// The sink of a lane's head in the units of scores.
  Value sinkOf(OpBuilder &b, Location loc, const ScoreTile &tile, Value lane);
  /// Writes `part` at the end of a task.
  void insert(scf::ForallOp forall, Value part, Value destination,
              ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes);

  /// Rows [row, row + count) of the tile's sequence and of `head`, as a
  /// matrix.
  Value sliceRows(const Heads &source, const ScoreTile &tile, Value head,
                  Value row, OpFoldResult count, int64_t width);
  /// The tile's keys, or what belongs to them, as a matrix. Those of pages that
  /// do not hold all of them are copied together.
  Value sliceKeys(const Heads &source, const ScoreTile &tile, Value head,
                  int64_t width);
  /// The rows of the tile, as a matrix.
  Value sliceTile(const Heads &source, const ScoreTile &tile, int64_t width);
  /// The first `count` lanes of dim `dim`.
  Value firstLanes(Value tensor, int64_t dim, OpFoldResult count);
  Value readIndex(Value tensor, Value at);

  bool hasWindow() const {
    return AttentionOp(op).getRightBound() || AttentionOp(op).getLeft();
  }
  bool keysFirst() const { return order == TileOrder::KeysFirst; }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  template <typename OpTy> Value arith(Value lhs, Value rhs) {
    return b.createOrFold<OpTy>(loc, lhs, rhs);
  }
  AffineMap map(int64_t dims, ArrayRef<int64_t> results) {
    SmallVector<AffineExpr> exprs;
    for (int64_t result : results)
      exprs.push_back(b.getAffineDimExpr(result));
    return AffineMap::get(dims, 0, exprs, b.getContext());
  }
  OpFoldResult fixed(int64_t value) { return b.getIndexAttr(value); }
  Type f32() { return b.getF32Type(); }
  /// The larger of two floats; the second where one is NaN. One instruction.
  static Value larger(OpBuilder &b, Location loc, Value lhs, Value rhs);

  AttentionOp op;
  Lowering &l;
  OpBuilder &b;
  Location loc;
  LinalgBuilder linalg;
  AttentionScores masks;
  Heads query, key, value; // lowered
  BroadcastTensor headWeight, sink;
  Value offsets, queryStart, keyLength; // lowered, or null
  OpFoldResult sequences;
  SmallVector<OpFoldResult> dims; // B, Hq, T, S; T and S are a task's own where
                                  // they differ from one to the next
  OpFoldResult keyHeads;
  int64_t depth, valueDepth;
  Value rows, keys, group; // T, S, Hq / Hkv or null where that is 1
  Value keysAndOne;        // S + 1
  /// The pages that keys lie in: their numbers [B, P], how many the pools have,
  /// and the keys of each. All are null where there are none.
  struct {
    Value numbers, count, size;
  } pages;
  /// Whether the result is written with heads after rows, as its only reader
  /// wants it.
  bool resultRowsFirst;

  /// Whether rows may see no key but those that the bias hides by a number;
  /// null where they may.
  Value rowsMaySeeNone;
  /// Keys of a step: the scores of many rows stay in the first-level cache.
  int64_t keyBlock = 128;
  /// How tiles lie, and how many rows they have room for.
  TileOrder order = TileOrder::KeysFirst;
  int64_t lanes = 0;

private:
  std::pair<Value, OpFoldResult> keysOf(Value block, KeyRange range);
  Value filled(ArrayRef<OpFoldResult> sizes, double value, Value room);
  /// Whether a block of keys lies in one page.
  bool holdsBlocks() const {
    auto size = pages.size ? getConstantIntValue(pages.size) : std::nullopt;
    return size && *size % keyBlock == 0;
  }
  /// The number of a sequence's page, checked.
  Value readPage(Value batch, Value place);
  Value joinPages(const Heads &source, const ScoreTile &tile, Value head,
                  int64_t width);
  Value emitScores(const ScoreTile &tile, Value keyHead, Value query);
  void accumulate(const ScoreTile &tile, Value keyHead, Value weights,
                  FlashState &state);
  FlashState emitStep(Sweep sweep, const ScoreTile &tile, Value keyHead,
                      Value query, FlashState state);
  Value reduceKeys(Value tile, Value init, LinalgBuilder::Body body);
  Value headWeightOf(OpBuilder &b, Location loc, const ScoreTile &tile,
                     Value lane);
  Value hasWeight(const ScoreTile &tile);
};

/// A form of attention for few query rows: up to `mostRows`, and more than any
/// form before it takes.
struct DecodeForm {
  int64_t mostRows;
  /// Rows of a tile: the query heads that share keys, of one query row, or
  /// query rows of one head.
  int64_t tileRows;
  bool areHeads;
};

/// The forms that `emitFlashDecode` has for the attention, as far as it is
/// known; none where tiles of many rows are all that there is.
SmallVector<DecodeForm> getDecodeForms(FlashLoops &loops);

/// Tasks are parts of the keys, of a length that does not depend on anything,
/// and are merged in the order of the keys. Gives `results`, which it writes
/// to.
SmallVector<Value> emitFlashDecode(FlashLoops loops, const DecodeForm &form,
                                   ValueRange results);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_LINALG_FLASHLOOPS_H
