//===- FlashDecode.cpp - Attention of few query rows ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Tasks are key heads and parts of the keys, so that few heads keep all threads
// at work. A tile has a row for each query head that shares the keys, which are
// read once; the next query row has a task of its own, and finds the keys in
// the cache. Where heads do not share keys, several query rows are the rows of
// a tile: all, if their number is known, else four. Parts start at fixed keys,
// and are merged in their order:
//
//   m = max(sink, max_k m[k])
//   l = exp(sink − m) + Σ_k exp(m[k] − m) · l[k]
//   O = Σ_k exp(m[k] − m) · O[k] / l
//
//===----------------------------------------------------------------------===//

#include "FlashLoops.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

/// Keys of a part.
static constexpr int64_t partKeys = 512;
/// With more rows, those are better lanes than keys are: a vector is full.
static constexpr int64_t mostRowsOfKeyLanes = 15;
/// Rows of all tiles that share keys: what parts leave of more is larger than
/// keys and values are.
static constexpr int64_t mostPartRows = 512;
/// The most query rows of which a tile of some is better than one of 32, and
/// the rows of a tile where their number is not known.
static constexpr int64_t mostFewRows = 16, rowsOfTile = 4;

namespace {
/// What tasks leave: m and l of [B, Hkv, R, parts, rows of a tile], O of [B,
/// Hkv, R, parts, rows of a tile, Dv], with R tiles for all query rows.
struct Parts {
  Value largest, sum, acc;
};
} // namespace

SmallVector<DecodeForm> mlir::ds::getDecodeForms(FlashLoops &f) {
  // Parts cannot be divided by sums that are not known yet.
  bool twice = f.masks.hasProbMod() && !f.masks.isProbModLinear();
  if (f.offsets || twice || isConstantIntValue(f.dims[2], 0) ||
      isConstantIntValue(f.dims[3], 0))
    return {};
  std::optional<int64_t> rows = getConstantIntValue(f.dims[2]);
  if (f.group) {
    std::optional<int64_t> heads = getConstantIntValue(f.group);
    if (!heads)
      return {};
    // Each row of a tile leaves a value for every part.
    int64_t most = std::clamp<int64_t>(mostPartRows / *heads, 1, mostFewRows);
    return {{most, *heads, /*areHeads=*/true}};
  }
  DecodeForm alone{1, 1, /*areHeads=*/true};
  if (!rows)
    return {alone, {mostFewRows, rowsOfTile, /*areHeads=*/false}};
  if (*rows == 1)
    return {alone};
  if (*rows > mostRowsOfKeyLanes)
    return {};
  return {{*rows, *rows, /*areHeads=*/false}};
}

/// Whether a part is one step: its keys, and then its values, come from memory
/// in one stream. Not where a step copies them, or where masks leave many out.
static bool isPartOneStep(FlashLoops &f) {
  auto isF32 = [](Value tensor) {
    return !tensor || getElementTypeOrSelf(tensor).isF32();
  };
  return !f.masks.skipsTiles() && !f.pages.numbers && isF32(f.key.tensor) &&
         isF32(f.value.tensor);
}

/// A matrix or vector `source` of a tile into `target`, through `map`.
static Value copyTo(FlashLoops &f, Value source, AffineMap map, Value target) {
  AffineMap whole = f.b.getMultiDimIdentityMap(map.getNumDims());
  return f.linalg.generic(
      source, {map, whole}, target,
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// Tile number `number` of the query heads from `head` on.
static ScoreTile locateTile(FlashLoops &f, Value batch, Value head,
                            Value number, const DecodeForm &form) {
  Value row = form.areHeads
                  ? number
                  : f.arith<arith::MulIOp>(number, f.index(form.tileRows));
  ScoreTile tile = f.locate(batch, head, row);
  tile.lanesAreHeads = form.areHeads;
  tile.rowCount = f.fixed(form.tileRows);
  // The last one may have fewer.
  if (!form.areHeads && !isEqualConstantIntOrValue(tile.rowCount, f.dims[2]))
    tile.rowCount = f.arith<arith::MinSIOp>(f.arith<arith::SubIOp>(f.rows, row),
                                            f.index(form.tileRows));
  return tile;
}

static void emitPart(FlashLoops f, scf::ForallOp forall,
                     const DecodeForm &form) {
  OpBuilder &b = f.b;
  Location loc = f.loc;
  SmallVector<Value> ivs = forall.getInductionVars();
  Value keyHead = ivs[1], part = ivs[2], number = ivs[3];
  Value head = f.group ? f.arith<arith::MulIOp>(keyHead, f.group) : keyHead;
  ScoreTile tile = locateTile(f, ivs[0], head, number, form);
  Value query = f.prepareQuery(tile);
  FlashState state = f.initialState(tile, /*withSink=*/false);

  auto [lower, upper] = f.keyRange(tile);
  Value first = f.arith<arith::MulIOp>(part, f.index(partKeys));
  Value end = f.arith<arith::AddIOp>(first, f.index(partKeys));
  state = f.emitSweep(Sweep::Whole, tile, query, state,
                      {f.arith<arith::MaxSIOp>(lower, first),
                       f.arith<arith::MinSIOp>(upper, end)});

  auto store = [&](Value source, unsigned destination, AffineMap map,
                   ArrayRef<OpFoldResult> shape) {
    Value whole = forall.getRegionIterArgs()[destination];
    SmallVector<OpFoldResult> offsets = {tile.batch, keyHead, number, part};
    offsets.resize(4 + shape.size(), f.fixed(0));
    SmallVector<OpFoldResult> sizes(4, f.fixed(1));
    llvm::append_range(sizes, shape);
    Value target = tensor::ExtractSliceOp::create(
        b, loc, getStaticType({f.f32(), llvm::to_vector(shape)}), whole,
        offsets, sizes, SmallVector<OpFoldResult>(sizes.size(), f.fixed(1)));
    f.insert(forall, copyTo(f, source, map, target), whole, offsets, sizes);
  };
  AffineMap lane = f.map(1, {0});
  OpFoldResult rows = f.fixed(form.tileRows);
  store(f.firstLanes(state.largest, 0, rows), 0, lane, {rows});
  store(f.firstLanes(state.sum, 0, rows), 1, lane, {rows});
  store(f.firstLanes(state.acc, f.keysFirst() ? 1 : 0, rows), 2,
        f.keysFirst() ? f.map(2, {1, 0}) : f.map(2, {0, 1}),
        {rows, f.fixed(f.valueDepth)});
}

static Value addProduct(OpBuilder &b, Location loc, ValueRange v) {
  Value product = arith::MulFOp::create(b, loc, v[0], v[1]);
  return arith::AddFOp::create(b, loc, v[2], product);
}

/// Adds the products of `lhs` and `rhs`, both [parts, rows], to `sums`. A
/// reduction of a single row would have parts as lanes, and add them up in
/// another order than those of several rows.
static Value addPartByPart(FlashLoops &f, Value lhs, Value rhs, Value sums) {
  OpBuilder &b = f.b;
  Location loc = f.loc;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, lhs);
  auto loop = scf::ForOp::create(
      b, loc, f.index(0), getValueOrCreateConstantIndexOp(b, loc, sizes[0]),
      f.index(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  sizes[0] = f.fixed(1);
  auto part = [&](Value parts) -> Value {
    return tensor::ExtractSliceOp::create(
        b, loc, cast<RankedTensorType>(sums.getType()), parts,
        ArrayRef<OpFoldResult>{loop.getInductionVar(), f.fixed(0)}, sizes,
        ArrayRef<OpFoldResult>{f.fixed(1), f.fixed(1)});
  };
  AffineMap lane = f.map(1, {0});
  scf::YieldOp::create(b, loc,
                       f.linalg.generic({part(lhs), part(rhs)},
                                        {lane, lane, lane},
                                        loop.getRegionIterArg(0), addProduct));
  return loop.getResult(0);
}

/// Merges the parts of the rows of one task.
static void emitMerge(FlashLoops f, scf::ForallOp forall, const Parts &parts,
                      OpFoldResult count, const DecodeForm &form) {
  OpBuilder &b = f.b;
  Location loc = f.loc;
  SmallVector<Value> ivs = forall.getInductionVars();
  Value head = f.group ? f.arith<arith::MulIOp>(ivs[1], f.group) : ivs[1];
  ScoreTile tile = locateTile(f, ivs[0], head, ivs[2], form);

  auto slice = [&](Value whole, ArrayRef<OpFoldResult> shape) -> Value {
    SmallVector<OpFoldResult> offsets = {tile.batch, ivs[1], ivs[2]};
    offsets.resize(3 + shape.size(), f.fixed(0));
    SmallVector<OpFoldResult> sizes(3, f.fixed(1));
    llvm::append_range(sizes, shape);
    return tensor::ExtractSliceOp::create(
        b, loc, getStaticType({f.f32(), llvm::to_vector(shape)}), whole,
        offsets, sizes, SmallVector<OpFoldResult>(sizes.size(), f.fixed(1)));
  };
  OpFoldResult lanes = f.fixed(form.tileRows), width = f.fixed(f.valueDepth);
  Value m = slice(parts.largest, {count, lanes}),
        l = slice(parts.sum, {count, lanes}),
        o = slice(parts.acc, {count, lanes, width});

  // Loops over rows, elements of a value, then parts.
  FlashState state = f.initialState(tile, /*withSink=*/true);
  AffineMap perRow = f.map(2, {0}), ofPart = f.map(2, {1, 0});
  Value before = state.largest;
  state.largest = f.linalg.generic(
      m, {ofPart, perRow},
      copyTo(f, before, f.map(1, {0}), f.linalg.empty({lanes}, f.f32())),
      [](OpBuilder &b, Location loc, ValueRange v) {
        return FlashLoops::larger(b, loc, v[0], v[1]);
      });
  // The sink's weight, which was of its own maximum.
  AffineMap lane = f.map(1, {0});
  state.sum = f.linalg.generic(
      {before, state.largest}, {lane, lane, lane}, state.sum,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value difference = arith::SubFOp::create(b, loc, v[0], v[1]);
        return arith::MulFOp::create(b, loc, v[2],
                                     f.masks.exponential(b, loc, difference));
      });
  Value scales = f.linalg.map(
      {m, state.largest}, {f.map(2, {0, 1}), f.map(2, {1})}, {count, lanes},
      f.f32(), [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return f.masks.exponential(b, loc,
                                   arith::SubFOp::create(b, loc, v[0], v[1]));
      });
  state.sum = addPartByPart(f, l, scales, state.sum);
  state.acc = f.linalg.generic(
      {o, scales}, {f.map(3, {2, 0, 1}), f.map(3, {2, 0}), f.map(3, {0, 1})},
      state.acc, addProduct);
  if (f.op.getLse()) {
    Value destination = forall.getRegionIterArgs()[1];
    SmallVector<OpFoldResult> offsets = {tile.batch, head, tile.row};
    SmallVector<OpFoldResult> sizes = {f.fixed(1), tile.rowCount, f.fixed(1)};
    if (!form.areHeads)
      std::swap(sizes[1], sizes[2]);
    Value target = tensor::ExtractSliceOp::create(
        b, loc, getStaticType({f.f32(), {tile.rowCount}}), destination, offsets,
        sizes, SmallVector<OpFoldResult>(3, f.fixed(1)));
    f.insert(forall,
             f.emitLse(f.firstLanes(state.largest, 0, tile.rowCount),
                       f.firstLanes(state.sum, 0, tile.rowCount), target),
             destination, offsets, sizes);
  }
  Value factors =
      f.emitFactors(tile, state.sum, /*weighted=*/bool(f.headWeight));
  Heads destination{forall.getRegionIterArgs()[0], f.resultRowsFirst};
  Value target = f.sliceTile(destination, tile, f.valueDepth);
  f.insertTile(forall, destination, tile,
               f.emitResult(tile, state.acc, factors, target));
}

SmallVector<Value> mlir::ds::emitFlashDecode(FlashLoops f,
                                             const DecodeForm &form,
                                             ValueRange results) {
  OpBuilder &b = f.b;
  Location loc = f.loc;
  bool keyLanes = form.tileRows <= mostRowsOfKeyLanes;
  f.order = keyLanes ? TileOrder::RowsFirst : TileOrder::KeysFirst;
  f.lanes = keyLanes ? form.tileRows : llvm::PowerOf2Ceil(form.tileRows);
  // With many heads a step's scores, and its keys, are better short.
  if (keyLanes && isPartOneStep(f))
    f.keyBlock = partKeys;

  auto countOf = [&](OpFoldResult size, int64_t step) {
    return affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0).ceilDiv(step), {size});
  };
  OpFoldResult count = countOf(f.dims[3], partKeys);
  OpFoldResult tiles = countOf(f.dims[2], form.areHeads ? 1 : form.tileRows);
  SmallVector<OpFoldResult> partDims = {f.sequences, f.keyHeads, tiles, count,
                                        f.fixed(form.tileRows)};
  // Each is of its own: equal ones would become one.
  SmallVector<OpFoldResult> accDims = partDims;
  accDims.push_back(f.fixed(f.valueDepth));
  LinalgBuilder own{b, loc, /*inTask=*/true};
  SmallVector<Value> inits = {own.empty(partDims, f.f32()),
                              own.empty(partDims, f.f32()),
                              own.empty(accDims, f.f32())};
  // Query rows come last: keys of a part are in the cache after the first one.
  auto parts = scf::ForallOp::create(
      b, loc, ArrayRef<OpFoldResult>{f.sequences, f.keyHeads, count, tiles},
      inits, /*mapping=*/std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(parts.getTerminator());
    emitPart(f, parts, form);
  }

  // The rows of a merge are as they are stored.
  f.order = TileOrder::RowsFirst;
  f.lanes = form.tileRows;
  auto merge = scf::ForallOp::create(
      b, loc, ArrayRef<OpFoldResult>{f.sequences, f.keyHeads, tiles}, results,
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(merge.getTerminator());
  emitMerge(f, merge,
            {parts.getResult(0), parts.getResult(1), parts.getResult(2)}, count,
            form);
  return llvm::to_vector_of<Value>(merge.getResults());
}
