//===- FlashLoops.cpp - The loop of attention over blocks of keys ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "FlashLoops.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

static constexpr double minusInfinity =
    -std::numeric_limits<double>::infinity();

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

FlashLoops::FlashLoops(AttentionOp op, Lowering &l)
    : op(op), l(l), b(l.b), loc(l.loc()), linalg{l.b, l.loc(), /*inTask=*/true},
      masks(op, l), query(lowerHeads(op.getQuery(), l)),
      key(lowerHeads(op.getKey(), l)),
      value(op.getValue() ? lowerHeads(op.getValue(), l) : key) {
  // All that is computed through `shapes` must dominate the tasks.
  ShapeBuilder &shapes = l.shapes;
  dims = llvm::to_vector(shapes.dims(op.getQuery()));
  keyHeads = shapes.dim(op.getKey(), 1);
  group = dims[1] == keyHeads
              ? Value()
              : shapes.materialize(shapes.exactQuotient(dims[1], keyHeads));
  dims[3] = op.getKeyRows(shapes);
  rows = shapes.materialize(dims[2]);
  keys = shapes.materialize(dims[3]);
  sequences = dims[0];
  if (op.getRowOffsets()) {
    offsets = l.lowered(op.getRowOffsets());
    sequences = shapes.sub(shapes.dim(op.getRowOffsets(), 0), fixed(1));
    sequences = shapes.materialize(sequences);
  }
  if (op.getQueryStart())
    queryStart = l.lowered(op.getQueryStart());
  if (op.getKeyLength())
    keyLength = l.lowered(op.getKeyLength());
  if (keyLength || offsets)
    keysAndOne = shapes.materialize(shapes.add(dims[3], fixed(1)));
  if (op.getKvPage()) {
    pages.numbers = l.lowered(op.getKvPage());
    pages.count = shapes.materialize(shapes.dim(op.getKey(), 0));
    pages.size = shapes.materialize(shapes.dim(op.getKey(), 2));
  }
  depth = op.getKey().getType().getDimSize(3);
  valueDepth =
      op.getVDim() ? *op.getVDim() : op.getValue().getType().getDimSize(3);
  if (op.getHeadWeight()) {
    int64_t rank = shapes.rank(op.getHeadWeight());
    headWeight = BroadcastTensor(op.getHeadWeight(),
                                 rank == 1 ? ArrayRef(dims).slice(1, 1)
                                           : ArrayRef(dims).take_front(rank),
                                 l);
  }
  if (op.getSink())
    sink = BroadcastTensor(op.getSink(), ArrayRef(dims).slice(1, 1), l);
  resultRowsFirst = op.getResult().hasOneUse() &&
                    swapsHeadsAndRows(*op.getResult().user_begin());
}

Value FlashLoops::larger(OpBuilder &b, Location loc, Value lhs, Value rhs) {
  Value greater =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, lhs, rhs);
  return arith::SelectOp::create(b, loc, greater, lhs, rhs);
}

//===----------------------------------------------------------------------===//
// Parts of operands
//===----------------------------------------------------------------------===//

Value FlashLoops::readIndex(Value tensor, Value at) {
  return arith::IndexCastOp::create(
      b, loc, b.getIndexType(), tensor::ExtractOp::create(b, loc, tensor, at));
}

Value FlashLoops::sliceRows(const Heads &source, const ScoreTile &tile,
                            Value head, Value row, OpFoldResult count,
                            int64_t width) {
  Type element = cast<ShapedType>(source.tensor.getType()).getElementType();
  ResultShape shape{element, {count, fixed(width)}};
  return tensor::ExtractSliceOp::create(
      b, loc, getStaticType(shape), source.tensor,
      source.order<OpFoldResult>(tile.batch, head, tile.toPacked(b, loc, row),
                                 fixed(0)),
      source.order<OpFoldResult>(fixed(1), fixed(1), count, fixed(width)),
      SmallVector<OpFoldResult>(4, fixed(1)));
}

Value FlashLoops::readPage(Value batch, Value place) {
  Value number = arith::IndexCastOp::create(
      b, loc, b.getIndexType(),
      tensor::ExtractOp::create(b, loc, pages.numbers,
                                ValueRange{batch, place}));
  return CheckedIndexOp::create(b, loc, number, pages.count, /*wrap=*/false);
}

Value FlashLoops::sliceKeys(const Heads &source, const ScoreTile &tile,
                            Value head, int64_t width) {
  if (!pages.numbers)
    return sliceRows(source, tile, head, tile.key, tile.keyCount, width);
  if (!holdsBlocks())
    return joinPages(source, tile, head, width);
  ScoreTile page = tile;
  page.batch =
      readPage(tile.batch, arith<arith::DivUIOp>(tile.key, pages.size));
  return sliceRows(source, page, head,
                   arith<arith::RemUIOp>(tile.key, pages.size), tile.keyCount,
                   width);
}

/// The parts of a block that lie in one page each, one after another.
Value FlashLoops::joinPages(const Heads &source, const ScoreTile &tile,
                            Value head, int64_t width) {
  Type element = cast<ShapedType>(source.tensor.getType()).getElementType();
  Value count = getValueOrCreateConstantIndexOp(b, loc, tile.keyCount);
  Value end = arith<arith::AddIOp>(tile.key, count);
  auto loop = scf::ForOp::create(
      b, loc, arith<arith::DivUIOp>(tile.key, pages.size),
      arith<arith::CeilDivUIOp>(end, pages.size), index(1),
      linalg.empty({fixed(keyBlock), fixed(width)}, element));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value place = loop.getInductionVar(), joined = loop.getRegionIterArg(0);
    ScoreTile page = tile;
    page.batch = readPage(tile.batch, place);
    // The keys of the page, then those that the block has of them.
    Value start = arith<arith::MulIOp>(place, pages.size);
    Value first = arith<arith::MaxSIOp>(start, tile.key);
    Value last =
        arith<arith::MinSIOp>(end, arith<arith::AddIOp>(start, pages.size));
    OpFoldResult rows = arith<arith::SubIOp>(last, first);
    Value part = sliceRows(source, page, head,
                           arith<arith::SubIOp>(first, start), rows, width);
    Value next = tensor::InsertSliceOp::create(
        b, loc, part, joined,
        ArrayRef<OpFoldResult>{arith<arith::SubIOp>(first, tile.key), fixed(0)},
        ArrayRef<OpFoldResult>{rows, fixed(width)},
        ArrayRef<OpFoldResult>{fixed(1), fixed(1)});
    scf::YieldOp::create(b, loc, next);
  }
  return firstLanes(loop.getResult(0), 0, tile.keyCount);
}

Value FlashLoops::sliceTile(const Heads &source, const ScoreTile &tile,
                            int64_t width) {
  if (!tile.lanesAreHeads)
    return sliceRows(source, tile, tile.head, tile.row, tile.rowCount, width);
  Type element = cast<ShapedType>(source.tensor.getType()).getElementType();
  ResultShape shape{element, {tile.rowCount, fixed(width)}};
  return tensor::ExtractSliceOp::create(
      b, loc, getStaticType(shape), source.tensor,
      source.order<OpFoldResult>(tile.batch, tile.head, tile.row, fixed(0)),
      source.order<OpFoldResult>(fixed(1), tile.rowCount, fixed(1),
                                 fixed(width)),
      SmallVector<OpFoldResult>(4, fixed(1)));
}

Value FlashLoops::firstLanes(Value tensor, int64_t dim, OpFoldResult count) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  if (isEqualConstantIntOrValue(sizes[dim], count))
    return tensor;
  sizes[dim] = count;
  return tensor::ExtractSliceOp::create(
      b, loc, tensor, SmallVector<OpFoldResult>(sizes.size(), fixed(0)), sizes,
      SmallVector<OpFoldResult>(sizes.size(), fixed(1)));
}

ScoreTile FlashLoops::locate(Value batch, Value head, Value row) {
  ScoreTile tile;
  tile.batch = batch;
  tile.head = head;
  tile.row = row;
  tile.mostKeys = keyBlock;
  if (offsets) {
    // Rows [first, next), which data tells.
    auto checked = [&](Value at, Value bound) -> Value {
      return CheckedIndexOp::create(b, loc, readIndex(offsets, at), bound,
                                    /*wrap=*/false);
    };
    Value next = checked(arith<arith::AddIOp>(batch, index(1)), keysAndOne);
    tile.first = checked(batch, arith<arith::AddIOp>(next, index(1)));
    keys = rows = arith<arith::SubIOp>(next, tile.first);
    dims[2] = dims[3] = rows;
    tile.batch = index(0);
  }
  if (keyLength) {
    keys = CheckedIndexOp::create(b, loc, readIndex(keyLength, tile.batch),
                                  keysAndOne, /*wrap=*/false);
    dims[3] = keys;
  }
  tile.rows = rows;
  tile.start = queryStart ? readIndex(queryStart, tile.batch)
                          : arith<arith::SubIOp>(keys, rows);
  return tile;
}

/// As columns, where keys come first. Lanes past the last row are 0, and the
/// result is without what they give.
Value FlashLoops::prepareQuery(const ScoreTile &tile, Value room) {
  auto scaled = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    Value factor = LinalgBuilder::constant(b, loc, f32(), masks.scale());
    Value q = LinalgBuilder::extend(b, loc, f32(), v[0]);
    return arith::MulFOp::create(b, loc, q, factor);
  };
  Value rows = sliceTile(query, tile, depth);
  AffineMap whole = map(2, {0, 1});
  AffineMap source = keysFirst() ? map(2, {1, 0}) : whole;
  SmallVector<OpFoldResult> sizes = {fixed(lanes), fixed(depth)},
                            used = {tile.rowCount, fixed(depth)};
  if (keysFirst()) {
    std::swap(sizes[0], sizes[1]);
    std::swap(used[0], used[1]);
  }
  if (!room && isConstantIntValue(tile.rowCount, lanes))
    return linalg.map(rows, source, sizes, f32(), scaled);
  Value padded = filled(sizes, 0, room);
  Value part = firstLanes(padded, keysFirst() ? 1 : 0, tile.rowCount);
  part = linalg.generic(rows, {source, whole}, part, scaled);
  SmallVector<OpFoldResult> zeros(2, fixed(0)), ones(2, fixed(1));
  return tensor::InsertSliceOp::create(b, loc, part, padded, zeros, used, ones);
}

Value FlashLoops::headWeightOf(OpBuilder &b, Location loc,
                               const ScoreTile &tile, Value lane) {
  auto [head, row] = tile.at(b, loc, lane);
  Value all[] = {tile.batch, head, tile.toPacked(b, loc, row)};
  ArrayRef<Value> indices = all;
  indices = headWeight.rank() == 1 ? indices.slice(1, 1)
                                   : indices.take_front(headWeight.rank());
  return headWeight.read(b, loc, indices);
}

Value FlashLoops::sinkOf(OpBuilder &b, Location loc, const ScoreTile &tile,
                         Value lane) {
  Value logit = sink.read(b, loc, tile.at(b, loc, lane).first);
  logit = LinalgBuilder::extend(b, loc, f32(), logit);
  if (masks.isNatural())
    return logit;
  Value log2e = LinalgBuilder::constant(b, loc, f32(), llvm::numbers::log2e);
  return arith::MulFOp::create(b, loc, logit, log2e);
}

/// Whether a row of the tile has a weight that is not 0: of one that has none
/// there is nothing to compute.
Value FlashLoops::hasWeight(const ScoreTile &tile) {
  auto isUsed = [&](OpBuilder &b, Value lane) -> Value {
    Value weight = headWeightOf(b, loc, tile, lane);
    Value none = LinalgBuilder::constant(b, loc, weight.getType(), 0);
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, weight,
                                 none);
  };
  if (!tile.lanesAreHeads && headWeight.rank() < 3)
    return isUsed(b, index(0));
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto loop = scf::ForOp::create(
      b, loc, index(0), getValueOrCreateConstantIndexOp(b, loc, tile.rowCount),
      index(1), no,
      [&](OpBuilder &b, Location loc, Value lane, ValueRange any) {
        Value either = arith::OrIOp::create(b, loc, any[0], isUsed(b, lane));
        scf::YieldOp::create(b, loc, either);
      });
  return loop.getResult(0);
}

KeyRange FlashLoops::keyRange(const ScoreTile &tile) {
  Value zero = index(0), lower = zero, upper = keys;
  Value position = arith<arith::AddIOp>(tile.row, tile.start);
  if (auto right = op.getRightBound()) {
    int64_t span = (tile.lanesAreHeads ? 1 : lanes) + *right;
    Value end = arith<arith::AddIOp>(position, index(span));
    upper = arith<arith::MinSIOp>(upper, arith<arith::MaxSIOp>(end, zero));
  }
  if (op.getLeft())
    lower = arith<arith::MaxSIOp>(
        arith<arith::SubIOp>(position, index(*op.getLeft())), zero);
  // lse says something of heads without a weight too.
  if (headWeight && !op.getLse())
    upper = arith::SelectOp::create(b, loc, hasWeight(tile), upper, lower);
  if (offsets) {
    Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       cast<Value>(tile.rowCount), index(0));
    upper = arith::SelectOp::create(b, loc, none, lower, upper);
  }
  if (op.getLeft()) {
    // A row may be so far behind the last key that its window is, too.
    Value some = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt,
                                               lower, upper);
    lower = b.createOrFold<arith::SelectOp>(loc, some, lower, zero);
    upper = b.createOrFold<arith::SelectOp>(loc, some, upper, zero);
  }
  return {lower, upper};
}

/// The first key of the block at `block` that is in `range`, and how many there
/// are: a constant where all blocks have as many.
std::pair<Value, OpFoldResult> FlashLoops::keysOf(Value block, KeyRange range) {
  AffineExpr first, start, end;
  bindDims(b.getContext(), first, start);
  bindSymbols(b.getContext(), end);
  AffineExpr most = b.getAffineConstantExpr(keyBlock);
  auto least = [&](ArrayRef<AffineExpr> counts, ArrayRef<OpFoldResult> values) {
    return affine::makeComposedFoldedAffineMin(
        b, loc, AffineMap::get(2, 1, counts, b.getContext()), values);
  };
  if (hasWindow()) {
    // Before the window there may be a part of a block: whole tiles of the
    // product are left out.
    constexpr int64_t step = 16;
    Value rest = arith<arith::RemUIOp>(range.first, index(step));
    Value key =
        arith<arith::MaxSIOp>(block, arith<arith::SubIOp>(range.first, rest));
    return {key, least({most + start - first, end - first, most},
                       {key, block, range.end})};
  }
  auto all = getConstantIntValue(dims[3]);
  if (all && *all % keyBlock == 0)
    return {block, fixed(keyBlock)};
  if (all && *all < keyBlock)
    return {block, fixed(*all)};
  if (holdsBlocks() && !keyLength)
    return {block, fixed(keyBlock)};
  return {block, least({most, end - first}, {block, block, dims[3]})};
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// `room`, or memory of the task's own, with one value everywhere.
Value FlashLoops::filled(ArrayRef<OpFoldResult> sizes, double value,
                         Value room) {
  if (!room)
    return linalg.filled(sizes, f32(), value);
  Value scalar = LinalgBuilder::constant(b, loc, f32(), value);
  return linalg::FillOp::create(b, loc, scalar, room).getResult(0);
}

FlashState FlashLoops::initialState(const ScoreTile &tile, bool withSink,
                                    const FlashState &room) {
  constexpr double least = std::numeric_limits<float>::lowest();
  SmallVector<OpFoldResult> rows = {fixed(lanes)};
  SmallVector<OpFoldResult> sums = {fixed(lanes), fixed(valueDepth)};
  if (keysFirst())
    std::swap(sums[0], sums[1]);
  FlashState state{filled(rows, least, room.largest), filled(rows, 0, room.sum),
                   filled(sums, 0, room.acc)};
  if (!sink || !withSink)
    return state;
  AffineMap lane = map(1, {0});
  state.largest = linalg.generic(
      {}, lane, state.largest,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value logit = sinkOf(b, loc, tile, linalg::IndexOp::create(b, loc, 0));
        return larger(b, loc, logit, v[0]);
      });
  state.sum = linalg.generic(
      state.largest, {lane, lane}, state.sum,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value logit = sinkOf(b, loc, tile, linalg::IndexOp::create(b, loc, 0));
        Value weight = masks.exponential(
            b, loc, arith::SubFOp::create(b, loc, logit, v[0]));
        // What is there, 0, is read, lest the result goes elsewhere.
        return arith::AddFOp::create(b, loc, v[1], weight);
      });
  return state;
}

/// The masked scores of a step.
Value FlashLoops::emitScores(const ScoreTile &tile, Value keyHead,
                             Value query) {
  // The buffer has one size for all steps; a last block uses a part of it.
  SmallVector<OpFoldResult> sizes = {fixed(keyBlock), fixed(lanes)};
  if (!keysFirst())
    std::swap(sizes[0], sizes[1]);
  Value buffer = firstLanes(linalg.empty(sizes, f32()), keysFirst() ? 0 : 1,
                            tile.keyCount);
  Value zero = LinalgBuilder::constant(b, loc, f32(), 0);
  Value scores = linalg::FillOp::create(b, loc, zero, buffer).getResult(0);
  Value keyRows = sliceKeys(key, tile, keyHead, depth);
  AffineMap result = map(3, {0, 1}), ofRow = map(3, {0, 2}),
            ofColumn = map(3, {2, 1});
  if (keysFirst())
    scores = linalg.contract(keyRows, query, {ofRow, ofColumn, result}, scores);
  else
    scores = linalg.contract(query, keyRows, {ofRow, map(3, {1, 2}), result},
                             scores);
  return masks.apply(b, loc, tile, scores, order);
}

void FlashLoops::accumulate(const ScoreTile &tile, Value keyHead, Value weights,
                            FlashState &state) {
  Value rows = sliceKeys(value, tile, keyHead, valueDepth);
  AffineMap result = map(3, {0, 1});
  state.acc =
      keysFirst()
          ? linalg.contract(rows, weights,
                            {map(3, {2, 0}), map(3, {2, 1}), result}, state.acc)
          : linalg.contract(weights, rows,
                            {map(3, {0, 2}), map(3, {2, 1}), result},
                            state.acc);
}

/// Reduces a tile over its keys. Its loops are rows, then keys.
Value FlashLoops::reduceKeys(Value tile, Value init, LinalgBuilder::Body body) {
  AffineMap source = keysFirst() ? map(2, {1, 0}) : map(2, {0, 1});
  return linalg.generic(tile, {source, map(2, {0})}, init, body);
}

FlashState FlashLoops::emitStep(Sweep sweep, const ScoreTile &tile,
                                Value keyHead, Value query, FlashState state) {
  SmallVector<OpFoldResult> rows = {fixed(lanes)};
  AffineMap perRow = keysFirst() ? map(2, {1}) : map(2, {0}),
            whole = map(2, {0, 1}), lane = map(1, {0});
  Value scores = emitScores(tile, keyHead, query);
  auto weigh = [&](Value largest) {
    return linalg.generic(largest, {perRow, whole}, scores,
                          [&](OpBuilder &b, Location loc, ValueRange v) {
                            return masks.exponential(
                                b, loc,
                                arith::SubFOp::create(b, loc, v[1], v[0]));
                          });
  };
  if (sweep == Sweep::Weighted) {
    Value weights = masks.applyProbMod(b, loc, tile, weigh(state.largest),
                                       state.sum, order);
    accumulate(tile, keyHead, weights, state);
    return state;
  }

  Value blockLargest =
      reduceKeys(scores, linalg.filled(rows, f32(), minusInfinity),
                 [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                   // Across lanes it must be an op that reductions know.
                   if (!keysFirst())
                     return arith::MaxNumFOp::create(b, loc, v[0], v[1]);
                   return larger(b, loc, v[0], v[1]);
                 });
  Value alpha =
      linalg.map({state.largest, blockLargest}, {lane, lane}, rows, f32(),
                 [&](OpBuilder &b, Location loc, ValueRange v) {
                   Value next = larger(b, loc, v[1], v[0]);
                   return masks.exponential(
                       b, loc, arith::SubFOp::create(b, loc, v[0], next));
                 });
  // Before the maximum changes, which is in place: alpha may become part of
  // what reads it.
  auto rescale = [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::MulFOp::create(b, loc, v[0], v[1]);
  };
  state.sum = linalg.generic(alpha, {lane, lane}, state.sum, rescale);
  if (sweep == Sweep::Whole)
    state.acc = linalg.generic(alpha, {perRow, whole}, state.acc, rescale);
  state.largest = linalg.generic(blockLargest, {lane, lane}, state.largest,
                                 [](OpBuilder &b, Location loc, ValueRange v) {
                                   return larger(b, loc, v[0], v[1]);
                                 });
  Value weights = weigh(state.largest);
  state.sum = reduceKeys(weights, state.sum,
                         [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                           return arith::AddFOp::create(b, loc, v[1], v[0]);
                         });
  if (sweep == Sweep::Sums)
    return state;
  if (masks.hasProbMod())
    weights =
        masks.applyProbMod(b, loc, tile, weights, /*factors=*/nullptr, order);
  accumulate(tile, keyHead, weights, state);
  return state;
}

SmallVector<Value> FlashState::valuesOf(Sweep sweep) const {
  SmallVector<Value> values;
  if (sweep != Sweep::Weighted)
    llvm::append_values(values, largest, sum);
  if (sweep != Sweep::Sums)
    values.push_back(acc);
  return values;
}

FlashState FlashState::with(Sweep sweep, ValueRange values) const {
  FlashState next = *this;
  if (sweep != Sweep::Weighted)
    next.largest = values[0], next.sum = values[1];
  if (sweep != Sweep::Sums)
    next.acc = values.back();
  return next;
}

SmallVector<Value> FlashLoops::emitBlocks(
    KeyRange range, ValueRange carried,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value start = range.first;
  if (op.getLeft())
    start = arith<arith::SubIOp>(start,
                                 arith<arith::RemUIOp>(start, index(keyBlock)));
  auto loop =
      scf::ForOp::create(b, loc, start, range.end, index(keyBlock), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, loc,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

FlashState FlashLoops::emitBlock(Sweep sweep, const ScoreTile &tile,
                                 Value query, FlashState state, Value block,
                                 KeyRange range, bool mayBeOutside) {
  Value keyHead = group ? arith<arith::DivUIOp>(tile.head, group) : tile.head;
  ScoreTile step = tile;
  std::tie(step.key, step.keyCount) = keysOf(block, range);
  auto emitOwn = [&](OpBuilder &, Location, ValueRange values) {
    return emitStep(sweep, step, keyHead, query, state.with(sweep, values))
        .valuesOf(sweep);
  };
  // Masks are asked for keys that there are.
  auto emitAttended = [&](OpBuilder &, Location, ValueRange values) {
    step.attends = masks.coverage(b, loc, step);
    Value some = masks.skipsTiles() ? step.attends.largest : Value();
    // A prob_mod may give keys without a weight one.
    Value admits = sweep == Sweep::Weighted
                       ? Value()
                       : masks.biasAdmits(b, loc, step, rowsMaySeeNone);
    if (admits)
      some = some ? arith<arith::AndIOp>(some, admits) : admits;
    return some ? emitWhere(b, loc, some, values, emitOwn)
                : emitOwn(b, loc, values);
  };
  SmallVector<Value> values = state.valuesOf(sweep);
  if (!mayBeOutside)
    return state.with(sweep, emitAttended(b, loc, values));
  Value count = getValueOrCreateConstantIndexOp(b, loc, step.keyCount);
  Value some = arith<arith::AndIOp>(
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, step.key,
                            range.end),
      b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sgt, count,
                                    index(0)));
  return state.with(sweep, emitWhere(b, loc, some, values, emitAttended));
}

FlashState FlashLoops::emitSweep(Sweep sweep, const ScoreTile &tile,
                                 Value query, FlashState state,
                                 KeyRange range) {
  SmallVector<Value> values = emitBlocks(
      range, state.valuesOf(sweep), [&](Value block, ValueRange values) {
        return emitBlock(sweep, tile, query, state.with(sweep, values), block,
                         range, /*mayBeOutside=*/false)
            .valuesOf(sweep);
      });
  return state.with(sweep, values);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Value FlashLoops::emitFactors(const ScoreTile &tile, Value sums,
                              bool weighted) {
  AffineMap lane = map(1, {0});
  return linalg.map(
      sums, lane, {fixed(lanes)}, f32(),
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = LinalgBuilder::constant(b, loc, f32(), 0);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[0], zero);
        Value weight = LinalgBuilder::constant(b, loc, f32(), 1);
        if (weighted) {
          weight =
              headWeightOf(b, loc, tile, linalg::IndexOp::create(b, loc, 0));
          weight = LinalgBuilder::extend(b, loc, f32(), weight);
        }
        Value quotient = arith::DivFOp::create(b, loc, weight, v[0]);
        return arith::SelectOp::create(b, loc, empty, zero, quotient);
      });
}

void FlashLoops::insert(scf::ForallOp forall, Value part, Value destination,
                        ArrayRef<OpFoldResult> offsets,
                        ArrayRef<OpFoldResult> sizes) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, loc, part, destination, offsets, sizes,
      SmallVector<OpFoldResult>(offsets.size(), fixed(1)));
}

Value FlashLoops::emitResult(const ScoreTile &tile, Value acc, Value factors,
                             Value target) {
  acc = firstLanes(acc, keysFirst() ? 1 : 0, tile.rowCount);
  factors = firstLanes(factors, 0, tile.rowCount);
  Type element = op.getType().getElementType();
  AffineMap source = keysFirst() ? map(2, {1, 0}) : map(2, {0, 1});
  return linalg.generic(
      {acc, factors}, {source, map(2, {0}), map(2, {0, 1})}, target,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value product = arith::MulFOp::create(b, loc, v[0], v[1]);
        if (element != f32())
          product = arith::TruncFOp::create(b, loc, element, product);
        return product;
      });
}

void FlashLoops::insertTile(scf::ForallOp forall, const Heads &destination,
                            const ScoreTile &tile, Value rows) {
  OpFoldResult heads = fixed(1), count = tile.rowCount;
  if (tile.lanesAreHeads)
    std::swap(heads, count);
  insert(forall, rows, destination.tensor,
         destination.order<OpFoldResult>(
             tile.batch, tile.head, tile.toPacked(b, loc, tile.row), fixed(0)),
         destination.order<OpFoldResult>(fixed(1), heads, count,
                                         fixed(valueDepth)));
}

Value FlashLoops::emitLse(Value largest, Value sums, Value target) {
  AffineMap lane = map(1, {0});
  return linalg.generic(
      {largest, sums}, {lane, lane, lane}, target,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        auto constant = [&](double value) {
          return LinalgBuilder::constant(b, loc, f32(), value);
        };
        Value m = v[0];
        if (!masks.isNatural())
          m = arith::MulFOp::create(b, loc, m, constant(llvm::numbers::ln2));
        Value log = math::LogOp::create(b, loc, v[1]);
        Value sum = arith::AddFOp::create(b, loc, m, log);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[1], constant(0));
        return arith::SelectOp::create(b, loc, empty, constant(minusInfinity),
                                       sum);
      });
}
