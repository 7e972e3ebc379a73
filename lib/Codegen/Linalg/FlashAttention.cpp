//===- FlashAttention.cpp - Attention over blocks of keys -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Everything is transposed: the lanes of a vector are query rows. Then key and
// value are read as they lie, the maximum and the sum of a row are vertical,
// and both products have the shape of the matrix micro-kernel:
//
//   Qt[d, i] = scale · query[i, d]
//   for each block of keys j:
//     St[j, i] = Σ_d key[j, d] · Qt[d, i]         then masks
//     α[i]     = exp(m[i] − max(m[i], max_j St[j, i]))
//     m[i]     = max(m[i], max_j St[j, i])
//     P[j, i]  = exp(St[j, i] − m[i])
//     l[i]     = α[i] · l[i] + Σ_j P[j, i]
//     Ot[e, i] = α[i] · Ot[e, i] + Σ_j value[j, e] · P[j, i]
//   result[i, e] = head_weight · Ot[e, i] / l[i], 0 where l[i] = 0
//
// m starts at the least float, not −inf: a masked score is −inf, so its weight
// is exp(−inf − m) = 0 whatever m is, and a row without keys keeps l = 0. A row
// that a bias of least floats masks has weights of 1, as its formula says.
//
// The bits of a row do not depend on how many rows and keys there are: blocks
// of keys start at multiples of the block, their sums go from the first key to
// the last, and a key of weight 0 changes neither l nor Ot.
//
//===----------------------------------------------------------------------===//

#include "FlashAttention.h"

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/LinalgBuilder.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

/// Query rows of a task: the columns of the register tile.
static constexpr int64_t queryBlock = 32;
/// Keys of a step: their scores stay in the first-level cache.
static constexpr int64_t keyBlock = 128;

namespace {
/// The running values of a block of query rows.
struct State {
  Value largest, sum, acc; // [queryBlock], [queryBlock], [Dv, queryBlock]
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

/// Where the scores of a step lie.
struct Place {
  Value batch, head; // of the query
  Value row, key;    // the first of the block
  Value first;       // of packed sequences, this one's first row; else null
};

struct FlashAttention {
  FlashAttention(AttentionOp op, Lowering &l);
  Value run();

private:
  Value countBlocks();
  std::pair<Value, Value> sequenceAt(Value number);
  OpFoldResult countRows(Value block);
  void emitTask(scf::ForallOp forall);
  State emitStep(const Place &place, Value keyHead, Value transposedQuery,
                 State state);
  Value transposeQuery(const Place &place, OpFoldResult rowCount);
  Value applyMasks(const Place &place, Value scores,
                   ArrayRef<OpFoldResult> dims);
  Value exponential(OpBuilder &b, Location loc, Value difference);
  void emitResult(scf::ForallOp forall, const Place &place,
                  OpFoldResult rowCount, const State &state);
  std::pair<Value, Value> keyRange(const Place &place);

  /// Rows [row, row + count) of the place's sequence and of `head`, as a
  /// matrix.
  Value sliceRows(const Heads &source, const Place &place, Value head,
                  Value row, OpFoldResult count, int64_t width);
  /// Where row `row` of the place's sequence lies.
  static Value toPacked(OpBuilder &b, Location loc, const Place &place,
                        Value row) {
    return place.first
               ? arith::AddIOp::create(b, loc, place.first, row).getResult()
               : row;
  }
  /// The element of a tensor that broadcasts to scores or rows.
  Value readBroadcast(OpBuilder &b, Location loc, Value tensor,
                      ArrayRef<Value> last, ArrayRef<Value> indices);
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

  AttentionOp op;
  Lowering &l;
  OpBuilder &b;
  Location loc;
  LinalgBuilder linalg;
  Heads query, key, value;         // lowered
  Value bias, headWeight, offsets; // lowered
  OpFoldResult sequences;
  SmallVector<OpFoldResult> dims; // B, Hq, T, S; T and S are a task's own where
                                  // sequences are packed
  int64_t depth, valueDepth;
  Value rows, keys, group, start; // T, S, Hq / Hkv, S - T
  SmallVector<Value> biasLast, headWeightLast;
  /// Whether scores are those of the formula, or in units of ln 2, which saves
  /// a multiplication for each.
  bool natural;
  /// Whether the result is written with heads after rows, as its only reader
  /// wants it.
  bool resultRowsFirst;
};
} // namespace

static bool swapsHeadsAndRows(Operation *op) {
  auto transpose = dyn_cast_or_null<onnx::TransposeOp>(op);
  return transpose && transpose.getPerm() &&
         *transpose.getPerm() == ArrayRef<int64_t>{0, 2, 1, 3};
}

static Heads lowerHeads(Value operand, Lowering &l) {
  if (swapsHeadsAndRows(operand.getDefiningOp()))
    return {l.lowered(operand.getDefiningOp()->getOperand(0)),
            /*rowsFirst=*/true};
  return {l.lowered(operand), /*rowsFirst=*/false};
}

FlashAttention::FlashAttention(AttentionOp op, Lowering &l)
    : op(op), l(l), b(l.b), loc(l.loc()), linalg{l.b, l.loc(), /*inTask=*/true},
      query(lowerHeads(op.getQuery(), l)), key(lowerHeads(op.getKey(), l)),
      value(lowerHeads(op.getValue(), l)) {
  // All that is computed through `shapes` must dominate the tasks.
  ShapeBuilder &shapes = l.shapes;
  dims = llvm::to_vector(shapes.dims(op.getQuery()));
  OpFoldResult keyHeads = shapes.dim(op.getKey(), 1);
  group = dims[1] == keyHeads
              ? Value()
              : shapes.materialize(shapes.exactQuotient(dims[1], keyHeads));
  dims[3] = shapes.dim(op.getKey(), 2);
  rows = shapes.materialize(dims[2]);
  keys = shapes.materialize(dims[3]);
  start = shapes.materialize(shapes.sub(dims[3], dims[2]));
  sequences = dims[0];
  if (op.getRowOffsets()) {
    offsets = l.lowered(op.getRowOffsets());
    sequences = shapes.sub(shapes.dim(op.getRowOffsets(), 0), fixed(1));
    sequences = shapes.materialize(sequences);
  }
  depth = cast<ShapedType>(op.getKey().getType()).getDimSize(3);
  valueDepth = cast<ShapedType>(op.getValue().getType()).getDimSize(3);

  auto last = [&](Value source, ArrayRef<OpFoldResult> full) {
    SmallVector<Value> result;
    for (auto [dim, size] :
         llvm::zip_equal(llvm::to_vector(shapes.dims(source)), full))
      result.push_back(dim == size
                           ? Value()
                           : shapes.materialize(shapes.sub(dim, fixed(1))));
    return result;
  };
  if (op.getBias()) {
    bias = l.lowered(op.getBias());
    biasLast =
        last(op.getBias(), ArrayRef(dims).take_back(shapes.rank(op.getBias())));
  }
  if (op.getHeadWeight()) {
    headWeight = l.lowered(op.getHeadWeight());
    int64_t rank = shapes.rank(op.getHeadWeight());
    headWeightLast =
        last(op.getHeadWeight(), rank == 1 ? ArrayRef(dims).slice(1, 1)
                                           : ArrayRef(dims).take_front(rank));
  }
  resultRowsFirst = op->hasOneUse() && swapsHeadsAndRows(*op->user_begin());
  natural = op.getSoftcap() ||
            (op.getBias() &&
             isa<FloatType>(
                 cast<ShapedType>(op.getBias().getType()).getElementType()));
}

Value FlashAttention::sliceRows(const Heads &source, const Place &place,
                                Value head, Value row, OpFoldResult count,
                                int64_t width) {
  Type element = cast<ShapedType>(source.tensor.getType()).getElementType();
  ResultShape shape{element, {count, fixed(width)}};
  return tensor::ExtractSliceOp::create(
      b, loc, getStaticType(shape), source.tensor,
      source.order<OpFoldResult>(place.batch, head,
                                 toPacked(b, loc, place, row), fixed(0)),
      source.order<OpFoldResult>(fixed(1), fixed(1), count, fixed(width)),
      SmallVector<OpFoldResult>(4, fixed(1)));
}

Value FlashAttention::readBroadcast(OpBuilder &b, Location loc, Value tensor,
                                    ArrayRef<Value> last,
                                    ArrayRef<Value> indices) {
  SmallVector<Value> clamped;
  for (auto [index, end] : llvm::zip_equal(indices, last))
    clamped.push_back(!end ? index
                      : isConstantIntValue(end, 0)
                          ? end
                          : b.createOrFold<arith::MinSIOp>(loc, index, end));
  return tensor::ExtractOp::create(b, loc, tensor, clamped);
}

/// The rows of the block as columns, scaled. Columns past the last row are 0:
/// what they give is not stored.
Value FlashAttention::transposeQuery(const Place &place,
                                     OpFoldResult rowCount) {
  double scale = op.getScale().convertToDouble();
  if (!natural)
    scale *= llvm::numbers::log2e;
  SmallVector<OpFoldResult> zeros(2, fixed(0)), ones(2, fixed(1)),
      used = {fixed(depth), rowCount};
  bool isFull = isConstantIntValue(rowCount, queryBlock);
  SmallVector<OpFoldResult> whole = {fixed(depth), fixed(queryBlock)};
  Value columns =
      isFull ? linalg.empty(whole, f32()) : linalg.filled(whole, f32(), 0);
  Value target = columns;
  if (!isFull)
    target = tensor::ExtractSliceOp::create(b, loc, columns, zeros, used, ones);
  Value rows = sliceRows(query, place, place.head, place.row, rowCount, depth);
  Value transposed =
      linalg.generic(rows, {map(2, {1, 0}), map(2, {0, 1})}, target,
                     [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                       Value factor =
                           LinalgBuilder::constant(b, loc, f32(), scale);
                       Value q = LinalgBuilder::extend(b, loc, f32(), v[0]);
                       return arith::MulFOp::create(b, loc, q, factor);
                     });
  if (isFull)
    return transposed;
  return tensor::InsertSliceOp::create(b, loc, transposed, columns, zeros, used,
                                       ones);
}

/// e^difference, of scores in the units they are in.
Value FlashAttention::exponential(OpBuilder &b, Location loc,
                                  Value difference) {
  if (natural) {
    Value log2e = LinalgBuilder::constant(b, loc, f32(), llvm::numbers::log2e);
    difference = arith::MulFOp::create(b, loc, difference, log2e);
  }
  return math::Exp2Op::create(b, loc, difference);
}

/// Softcap, bias and window on the scores [keys, rows] of a step, in place.
Value FlashAttention::applyMasks(const Place &place, Value scores,
                                 ArrayRef<OpFoldResult> dims) {
  bool hasWindow = op.getLeft() || op.getRightBound();
  if (!op.getSoftcap() && !bias && !hasWindow)
    return scores;
  return linalg.generic(
      {}, map(2, {0, 1}), scores,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value s = v[0];
        if (op.getSoftcap()) {
          Value cap = LinalgBuilder::constant(
              b, loc, f32(), op.getSoftcap()->convertToDouble());
          Value ratio = arith::DivFOp::create(b, loc, s, cap);
          s = arith::MulFOp::create(b, loc, cap,
                                    math::TanhOp::create(b, loc, ratio));
        }
        Value j = arith::AddIOp::create(b, loc, place.key,
                                        linalg::IndexOp::create(b, loc, 0));
        Value i = arith::AddIOp::create(b, loc, place.row,
                                        linalg::IndexOp::create(b, loc, 1));
        Value attends;
        auto require = [&](Value condition) {
          attends = attends ? arith::AndIOp::create(b, loc, attends, condition)
                                  .getResult()
                            : condition;
        };
        if (bias) {
          // Columns past the last row are computed too, and not stored.
          Value lastRow = arith::SubIOp::create(
              b, loc, rows, arith::ConstantIndexOp::create(b, loc, 1));
          Value row = arith::MinSIOp::create(b, loc, i, lastRow);
          Value all[] = {place.batch, place.head, row,
                         toPacked(b, loc, place, j)};
          Value element = readBroadcast(
              b, loc, bias, biasLast, ArrayRef(all).take_back(biasLast.size()));
          if (isa<FloatType>(element.getType())) {
            element = LinalgBuilder::extend(b, loc, f32(), element);
            s = arith::AddFOp::create(b, loc, s, element);
          } else {
            Value zero = arith::ConstantOp::create(
                b, loc, b.getZeroAttr(element.getType()));
            require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                          element, zero));
          }
        }
        if (hasWindow) {
          Value position = arith::AddIOp::create(b, loc, i, start);
          auto bound = [&](int64_t distance, arith::CmpIPredicate predicate) {
            Value end = arith::AddIOp::create(
                b, loc, position,
                arith::ConstantIndexOp::create(b, loc, distance));
            require(arith::CmpIOp::create(b, loc, predicate, j, end));
          };
          if (op.getRightBound())
            bound(*op.getRightBound(), arith::CmpIPredicate::sle);
          if (op.getLeft())
            bound(-int64_t(*op.getLeft()), arith::CmpIPredicate::sge);
        }
        if (!attends)
          return s;
        Value masked = LinalgBuilder::constant(
            b, loc, f32(), -std::numeric_limits<double>::infinity());
        return arith::SelectOp::create(b, loc, attends, s, masked);
      });
}

/// The larger of two floats; the second where one is NaN. One instruction.
static Value larger(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  Value greater =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, lhs, rhs);
  return arith::SelectOp::create(b, loc, greater, lhs, rhs);
}

State FlashAttention::emitStep(const Place &place, Value keyHead,
                               Value transposedQuery, State state) {
  OpFoldResult count = fixed(keyBlock);
  if (auto all = getConstantIntValue(dims[3]); !all || *all % keyBlock != 0) {
    AffineExpr first, size;
    bindDims(b.getContext(), first);
    bindSymbols(b.getContext(), size);
    count = affine::makeComposedFoldedAffineMin(
        b, loc,
        AffineMap::get(1, 1, {b.getAffineConstantExpr(keyBlock), size - first},
                       b.getContext()),
        {place.key, dims[3]});
    if (all && *all < keyBlock)
      count = fixed(*all);
  }
  SmallVector<OpFoldResult> block = {count, fixed(queryBlock)};
  SmallVector<OpFoldResult> lanes = {fixed(queryBlock)};
  AffineMap perLane = map(2, {1}), whole = map(2, {0, 1});

  // The buffer has one size for all steps; a last block uses a part of it.
  Value buffer = linalg.empty({fixed(keyBlock), fixed(queryBlock)}, f32());
  if (!isConstantIntValue(count, keyBlock))
    buffer = tensor::ExtractSliceOp::create(
        b, loc, buffer, SmallVector<OpFoldResult>(2, fixed(0)), block,
        SmallVector<OpFoldResult>(2, fixed(1)));
  Value zero = LinalgBuilder::constant(b, loc, f32(), 0);
  Value scores = linalg::FillOp::create(b, loc, zero, buffer).getResult(0);
  Value keyRows = sliceRows(key, place, keyHead, place.key, count, depth);
  scores =
      linalg.contract(keyRows, transposedQuery,
                      {map(3, {0, 2}), map(3, {2, 1}), map(3, {0, 1})}, scores);
  scores = applyMasks(place, scores, block);

  // Loops of a reduction over keys: lanes first, keys last.
  Value blockLargest = linalg.generic(
      scores, {map(2, {1, 0}), map(2, {0})},
      linalg.filled(lanes, f32(), -std::numeric_limits<double>::infinity()),
      [](OpBuilder &b, Location loc, ValueRange v) {
        return larger(b, loc, v[0], v[1]);
      });
  AffineMap lane = map(1, {0});
  Value alpha = linalg.map(
      {state.largest, blockLargest}, {lane, lane}, lanes, f32(),
      [&](OpBuilder &b, Location loc, ValueRange v) {
        Value next = larger(b, loc, v[1], v[0]);
        return exponential(b, loc, arith::SubFOp::create(b, loc, v[0], next));
      });
  state.largest = linalg.generic(blockLargest, {lane, lane}, state.largest,
                                 [](OpBuilder &b, Location loc, ValueRange v) {
                                   return larger(b, loc, v[0], v[1]);
                                 });
  Value p = linalg.generic(
      state.largest, {perLane, whole}, scores,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        return exponential(b, loc, arith::SubFOp::create(b, loc, v[1], v[0]));
      });

  auto rescale = [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::MulFOp::create(b, loc, v[0], v[1]);
  };
  state.sum = linalg.generic(alpha, {lane, lane}, state.sum, rescale);
  state.sum =
      linalg.generic(p, {map(2, {1, 0}), map(2, {0})}, state.sum,
                     [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                       return arith::AddFOp::create(b, loc, v[1], v[0]);
                     });
  state.acc = linalg.generic(alpha, {perLane, whole}, state.acc, rescale);
  Value valueRows =
      sliceRows(value, place, keyHead, place.key, count, valueDepth);
  state.acc = linalg.contract(valueRows, p,
                              {map(3, {2, 0}), map(3, {2, 1}), map(3, {0, 1})},
                              state.acc);
  return state;
}

/// The keys that any row of the block may attend to: the first block's start
/// and the end.
std::pair<Value, Value> FlashAttention::keyRange(const Place &place) {
  Value zero = index(0), lower = zero, upper = keys;
  Value position = arith<arith::AddIOp>(place.row, start);
  if (op.getRightBound()) {
    Value end =
        arith<arith::AddIOp>(position, index(queryBlock + *op.getRightBound()));
    upper = arith<arith::MinSIOp>(upper, arith<arith::MaxSIOp>(end, zero));
  }
  if (op.getLeft()) {
    Value first = arith<arith::MaxSIOp>(
        arith<arith::SubIOp>(position, index(*op.getLeft())), zero);
    Value rest = arith<arith::RemUIOp>(first, index(keyBlock));
    lower = arith<arith::SubIOp>(first, rest);
  }
  // A head of weight 0 has nothing to compute. Its sums stay 0, as its result.
  if (headWeight && headWeightLast.size() < 3) {
    Value all[] = {place.batch, place.head};
    Value weight =
        readBroadcast(b, loc, headWeight, headWeightLast,
                      ArrayRef(all).take_back(headWeightLast.size()));
    Value none = LinalgBuilder::constant(b, loc, weight.getType(), 0);
    Value skips =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, weight, none);
    upper = arith::SelectOp::create(b, loc, skips, lower, upper);
  }
  return {lower, upper};
}

void FlashAttention::emitResult(scf::ForallOp forall, const Place &place,
                                OpFoldResult rowCount, const State &state) {
  // One factor for each row: dividing each element would cost more.
  AffineMap lane = map(1, {0});
  Value factor = linalg.generic(
      {}, lane, state.sum,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = LinalgBuilder::constant(b, loc, f32(), 0);
        Value one = LinalgBuilder::constant(b, loc, f32(), 1);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[0], zero);
        Value weight = one;
        if (headWeight) {
          Value i = arith::AddIOp::create(b, loc, place.row,
                                          linalg::IndexOp::create(b, loc, 0));
          Value lastRow = arith::SubIOp::create(
              b, loc, rows, arith::ConstantIndexOp::create(b, loc, 1));
          Value row = arith::MinSIOp::create(b, loc, i, lastRow);
          Value all[] = {place.batch, place.head, toPacked(b, loc, place, row)};
          ArrayRef<Value> indices = all;
          indices = headWeightLast.size() == 1
                        ? indices.slice(1, 1)
                        : indices.take_front(headWeightLast.size());
          weight = readBroadcast(b, loc, headWeight, headWeightLast, indices);
          weight = LinalgBuilder::extend(b, loc, f32(), weight);
        }
        Value quotient = arith::DivFOp::create(b, loc, weight, v[0]);
        return arith::SelectOp::create(b, loc, empty, zero, quotient);
      });

  Heads destination{forall.getRegionIterArgs()[0], resultRowsFirst};
  SmallVector<OpFoldResult> offsets = destination.order<OpFoldResult>(
      place.batch, place.head, toPacked(b, loc, place, place.row), fixed(0));
  SmallVector<OpFoldResult> sizes = destination.order<OpFoldResult>(
      fixed(1), fixed(1), rowCount, fixed(valueDepth));
  SmallVector<OpFoldResult> ones(4, fixed(1)), twoOnes(2, fixed(1)),
      zeros(2, fixed(0));
  Value target = sliceRows(destination, place, place.head, place.row, rowCount,
                           valueDepth);
  Value acc = state.acc;
  if (!isConstantIntValue(rowCount, queryBlock)) {
    acc = tensor::ExtractSliceOp::create(
        b, loc, acc, zeros,
        SmallVector<OpFoldResult>{fixed(valueDepth), rowCount}, twoOnes);
    factor = tensor::ExtractSliceOp::create(
        b, loc, factor, SmallVector<OpFoldResult>{fixed(0)},
        SmallVector<OpFoldResult>{rowCount},
        SmallVector<OpFoldResult>{fixed(1)});
  }
  Value result = linalg.generic(
      {acc, factor}, {map(2, {1, 0}), map(2, {0}), map(2, {0, 1})}, target,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value element = arith::MulFOp::create(b, loc, v[0], v[1]);
        if (op.getType().getElementType() != f32())
          element = arith::TruncFOp::create(
              b, loc, op.getType().getElementType(), element);
        return element;
      });
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, result, destination.tensor,
                                        offsets, sizes, ones);
}

/// Blocks of query rows in the longest sequence.
Value FlashAttention::countBlocks() {
  if (!offsets) {
    AffineExpr size = b.getAffineSymbolExpr(0);
    OpFoldResult blocks = affine::makeComposedFoldedAffineApply(
        b, loc, size.ceilDiv(queryBlock), {dims[2]});
    return getValueOrCreateConstantIndexOp(b, loc, blocks);
  }
  auto longest = scf::ForOp::create(b, loc, index(0), cast<Value>(sequences),
                                    index(1), index(0));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(longest.getBody());
  Value length = sequenceAt(longest.getInductionVar()).second;
  scf::YieldOp::create(
      b, loc, arith<arith::MaxSIOp>(longest.getRegionIterArg(0), length));
  b.setInsertionPointAfter(longest);
  return arith<arith::CeilDivSIOp>(longest.getResult(0), index(queryBlock));
}

/// The first row of a packed sequence, and how many it has.
std::pair<Value, Value> FlashAttention::sequenceAt(Value number) {
  auto read = [&](Value at) -> Value {
    return arith::IndexCastOp::create(
        b, loc, b.getIndexType(),
        tensor::ExtractOp::create(b, loc, offsets, at));
  };
  Value first = read(number);
  Value next = read(arith<arith::AddIOp>(number, index(1)));
  return {first, arith<arith::SubIOp>(next, first)};
}

/// Rows of a block of the sequence at work; none past the sequence's end.
OpFoldResult FlashAttention::countRows(Value block) {
  auto all = getConstantIntValue(dims[2]);
  if (all && *all % queryBlock == 0)
    return fixed(queryBlock);
  if (all && *all < queryBlock)
    return fixed(*all);
  AffineExpr number, size;
  bindDims(b.getContext(), number);
  bindSymbols(b.getContext(), size);
  OpFoldResult count = affine::makeComposedFoldedAffineMin(
      b, loc,
      AffineMap::get(
          1, 1,
          {b.getAffineConstantExpr(queryBlock), size - number * queryBlock},
          b.getContext()),
      {block, dims[2]});
  if (!offsets)
    return count;
  return arith<arith::MaxSIOp>(getValueOrCreateConstantIndexOp(b, loc, count),
                               index(0));
}

void FlashAttention::emitTask(scf::ForallOp forall) {
  SmallVector<Value> ivs = forall.getInductionVars();
  Place place{ivs[0], ivs[1], arith<arith::MulIOp>(ivs[2], index(queryBlock)),
              nullptr, nullptr};
  Value keyHead = group ? arith<arith::DivUIOp>(place.head, group) : place.head;
  if (offsets) {
    std::tie(place.first, rows) = sequenceAt(place.batch);
    keys = rows;
    dims[2] = dims[3] = rows;
    place.batch = index(0);
  }
  OpFoldResult rowCount = countRows(ivs[2]);
  Value transposed = transposeQuery(place, rowCount);
  SmallVector<OpFoldResult> lanes = {fixed(queryBlock)};
  State state{linalg.filled(lanes, f32(), std::numeric_limits<float>::lowest()),
              linalg.filled(lanes, f32(), 0),
              linalg.filled({fixed(valueDepth), fixed(queryBlock)}, f32(), 0)};

  auto [lower, upper] = keyRange(place);
  if (offsets) {
    Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       cast<Value>(rowCount), index(0));
    upper = arith::SelectOp::create(b, loc, none, lower, upper);
  }
  auto loop =
      scf::ForOp::create(b, loc, lower, upper, index(keyBlock),
                         ValueRange{state.largest, state.sum, state.acc});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    place.key = loop.getInductionVar();
    ValueRange args = loop.getRegionIterArgs();
    State next =
        emitStep(place, keyHead, transposed, {args[0], args[1], args[2]});
    scf::YieldOp::create(b, loc, ValueRange{next.largest, next.sum, next.acc});
  }
  emitResult(forall, place, rowCount,
             {loop.getResult(0), loop.getResult(1), loop.getResult(2)});
}

Value FlashAttention::run() {
  Heads order{Value(), resultRowsFirst};
  SmallVector<OpFoldResult> resultDims =
      order.order<OpFoldResult>(dims[0], dims[1], dims[2], fixed(valueDepth));
  Value init = tensor::EmptyOp::create(b, loc, resultDims,
                                       op.getType().getElementType());
  OpFoldResult blocks = getAsOpFoldResult(countBlocks());
  auto forall = scf::ForallOp::create(
      b, loc, ArrayRef<OpFoldResult>{sequences, dims[1], blocks}, init,
      /*mapping=*/std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(forall.getTerminator());
    emitTask(forall);
  }
  if (!resultRowsFirst)
    return forall.getResult(0);
  // The reader transposes this back.
  return transpose(l, forall.getResult(0), resultDims, {0, 2, 1, 3});
}

bool mlir::ds::hasFlashForm(AttentionOp op) {
  return getSumType(op.getType().getElementType()).isF32() &&
         !cast<ShapedType>(op.getKey().getType()).isDynamicDim(3) &&
         !cast<ShapedType>(op.getValue().getType()).isDynamicDim(3);
}

Value mlir::ds::lowerToFlashAttention(AttentionOp op, Lowering &lowering) {
  return FlashAttention(op, lowering).run();
}
