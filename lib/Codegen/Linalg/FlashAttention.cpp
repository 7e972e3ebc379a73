//===- FlashAttention.cpp - Attention over blocks of keys -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Tasks are heads and groups of tiles of query rows, which are the lanes of
// vectors: FlashLoops.h has the loop of a tile. All tiles of a group go through
// a block of keys before the next one is read: keys and values of a long
// sequence are more than the second-level cache holds, and lie in more pages
// than a processor remembers. Few query rows take the way of FlashDecode.cpp.
//
//===----------------------------------------------------------------------===//

#include "FlashAttention.h"

#include "FlashLoops.h"
#include "ds/Codegen/Linalg/Views.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

/// Query rows of a tile: the columns of the register tile.
static constexpr int64_t queryBlock = 32;
/// Tiles of a group, where a sequence has more rows than `rowsOfGroups`:
/// shorter ones are in the cache, and make more tasks.
static constexpr int64_t tilesOfGroup = 4, rowsOfGroups = 512;

/// Blocks of query rows in the longest sequence.
static OpFoldResult countBlocks(FlashLoops &f) {
  OpBuilder &b = f.b;
  if (!f.offsets) {
    AffineExpr size = b.getAffineSymbolExpr(0);
    return affine::makeComposedFoldedAffineApply(
        b, f.loc, size.ceilDiv(queryBlock), {f.dims[2]});
  }
  auto longest = scf::ForOp::create(
      b, f.loc, f.index(0), cast<Value>(f.sequences), f.index(1), f.index(0));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(longest.getBody());
  Value sequence = longest.getInductionVar();
  Value first = f.readIndex(f.offsets, sequence);
  Value next =
      f.readIndex(f.offsets, f.arith<arith::AddIOp>(sequence, f.index(1)));
  Value length = f.arith<arith::SubIOp>(next, first);
  scf::YieldOp::create(
      b, f.loc, f.arith<arith::MaxSIOp>(longest.getRegionIterArg(0), length));
  b.setInsertionPointAfter(longest);
  // Offsets are data, and checked where they are used.
  Value rows = f.arith<arith::MinSIOp>(
      longest.getResult(0),
      getValueOrCreateConstantIndexOp(b, f.loc, f.dims[2]));
  return f.arith<arith::CeilDivSIOp>(rows, f.index(queryBlock));
}

/// Rows of a block of the sequence at work; none past the sequence's end.
static OpFoldResult countRows(FlashLoops &f, Value block) {
  OpBuilder &b = f.b;
  auto all = getConstantIntValue(f.dims[2]);
  if (all && *all % queryBlock == 0)
    return f.fixed(queryBlock);
  if (all && *all < queryBlock)
    return f.fixed(*all);
  AffineExpr number, size;
  bindDims(b.getContext(), number);
  bindSymbols(b.getContext(), size);
  OpFoldResult count = affine::makeComposedFoldedAffineMin(
      b, f.loc,
      AffineMap::get(
          1, 1,
          {b.getAffineConstantExpr(queryBlock), size - number * queryBlock},
          b.getContext()),
      {block, f.dims[2]});
  if (!f.offsets)
    return count;
  return f.arith<arith::MaxSIOp>(
      getValueOrCreateConstantIndexOp(b, f.loc, count), f.index(0));
}

namespace {
/// A part of a tensor.
struct Slice {
  SmallVector<OpFoldResult> offsets, sizes;
  RankedTensorType type; // may lack dims of size 1

  Value take(FlashLoops &f, Value whole) const {
    return tensor::ExtractSliceOp::create(f.b, f.loc, type, whole, offsets,
                                          sizes, strides(f));
  }
  Value put(FlashLoops &f, Value part, Value whole) const {
    return tensor::InsertSliceOp::create(f.b, f.loc, part, whole, offsets,
                                         sizes, strides(f));
  }

private:
  SmallVector<OpFoldResult> strides(FlashLoops &f) const {
    return SmallVector<OpFoldResult>(offsets.size(), f.fixed(1));
  }
};

/// One task: the tiles of a group. What belongs to a tile is a slice of a
/// tensor that counts the tiles in its first dim, or where a group is one tile,
/// that tensor.
class GroupTask {
public:
  /// The task has `size` tiles, `most` at most.
  GroupTask(const FlashLoops &loops, scf::ForallOp forall, int64_t most,
            Value size);

  void emit();

private:
  using Body = function_ref<SmallVector<Value>(const ScoreTile &tile,
                                               Value number, ValueRange)>;
  SmallVector<Value> forTiles(ValueRange carried, Body body);
  ScoreTile tileAt(Value number);
  Slice ofTile(Value whole, Value number);
  Slice ofRows(Value whole, const ScoreTile &tile);
  Value part(Value whole, Value number) {
    return most == 1 ? whole : ofTile(whole, number).take(f, whole);
  }
  Value withPart(Value whole, Value number, Value part) {
    return most == 1 ? part : ofTile(whole, number).put(f, part, whole);
  }
  FlashState partOf(const FlashState &state, Value number) {
    return {part(state.largest, number), part(state.sum, number),
            part(state.acc, number)};
  }
  Value room(ArrayRef<int64_t> shape);
  FlashState prepare();
  KeyRange keyRange();
  Value anySeesNone(const FlashState &state);
  FlashState begin(const FlashState &state);
  FlashState emitSweepTwiceIfNeeded(FlashState state);
  FlashState emitSweep(Sweep sweep, FlashState state);
  Value divisors(Value sums);
  void emitResults(const FlashState &state, bool areDivided);

  FlashLoops f;
  OpBuilder &b;
  Location loc;
  scf::ForallOp forall;
  int64_t most;
  Value first, count; // tiles
  ScoreTile group;    // all rows of the task
  Value query;
};
} // namespace

GroupTask::GroupTask(const FlashLoops &loops, scf::ForallOp forall,
                     int64_t most, Value size)
    : f(loops), b(f.b), loc(f.loc), forall(forall), most(most) {
  SmallVector<Value> ivs = forall.getInductionVars();
  first = f.arith<arith::MulIOp>(ivs[2], size);
  group = f.locate(ivs[0], ivs[1],
                   f.arith<arith::MulIOp>(first, f.index(queryBlock)));
  if (most == 1) {
    group.rowCount = countRows(f, first);
    return;
  }
  Value all = getValueOrCreateConstantIndexOp(b, loc, f.dims[2]);
  Value left = f.arith<arith::MaxSIOp>(f.arith<arith::SubIOp>(all, group.row),
                                       f.index(0));
  Value rows = f.arith<arith::MinSIOp>(
      left, f.arith<arith::MulIOp>(size, f.index(queryBlock)));
  group.rowCount = rows;
  count = f.arith<arith::CeilDivSIOp>(rows, f.index(queryBlock));
}

SmallVector<Value> GroupTask::forTiles(ValueRange carried, Body body) {
  if (most == 1)
    return body(group, f.index(0), carried);
  auto loop =
      scf::ForOp::create(b, loc, f.index(0), count, f.index(1), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = loop.getInductionVar();
  scf::YieldOp::create(b, loc,
                       body(tileAt(number), number, loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

ScoreTile GroupTask::tileAt(Value number) {
  ScoreTile tile = group;
  Value block = f.arith<arith::AddIOp>(first, number);
  tile.row = f.arith<arith::MulIOp>(block, f.index(queryBlock));
  tile.rowCount = countRows(f, block);
  return tile;
}

Slice GroupTask::ofTile(Value whole, Value number) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(whole.getType()).getShape();
  Slice slice{SmallVector<OpFoldResult>(shape.size(), f.fixed(0)),
              getAsIndexOpFoldResult(b.getContext(), shape),
              RankedTensorType::get(shape.drop_front(), f.f32())};
  slice.offsets[0] = number;
  slice.sizes[0] = f.fixed(1);
  return slice;
}

/// The tile's rows of those of the task.
Slice GroupTask::ofRows(Value whole, const ScoreTile &tile) {
  Slice slice;
  slice.sizes = tensor::getMixedSizes(b, loc, whole);
  slice.sizes[0] = tile.rowCount;
  slice.offsets.assign(slice.sizes.size(), f.fixed(0));
  slice.offsets[0] = f.arith<arith::SubIOp>(tile.row, group.row);
  slice.type = getStaticType(
      {cast<ShapedType>(whole.getType()).getElementType(), slice.sizes});
  return slice;
}

/// Memory of the task for `shape` of each tile.
Value GroupTask::room(ArrayRef<int64_t> shape) {
  SmallVector<OpFoldResult> sizes = {f.fixed(most)};
  llvm::append_range(sizes, getAsIndexOpFoldResult(b.getContext(), shape));
  return f.linalg.empty(sizes, f.f32());
}

/// Sets `query`, and gives the state that a sweep begins with.
FlashState GroupTask::prepare() {
  SmallVector<Value> values(4);
  if (most > 1)
    values = {room({f.depth, queryBlock}), room({queryBlock}),
              room({queryBlock}), room({f.valueDepth, queryBlock})};
  values = forTiles(values, [&](const ScoreTile &tile, Value number,
                                ValueRange values) {
    auto room = [&](int64_t i) { return part(values[i], number); };
    Value query = f.prepareQuery(tile, room(0));
    FlashState state =
        f.initialState(tile, /*withSink=*/true, {room(1), room(2), room(3)});
    return SmallVector<Value>{withPart(values[0], number, query),
                              withPart(values[1], number, state.largest),
                              withPart(values[2], number, state.sum),
                              withPart(values[3], number, state.acc)};
  });
  query = values[0];
  return {values[1], values[2], values[3]};
}

/// The keys that any tile of the group may attend to.
KeyRange GroupTask::keyRange() {
  if (most == 1)
    return f.keyRange(group);
  SmallVector<Value> range =
      forTiles({f.keys, f.index(0)}, [&](const ScoreTile &tile, Value,
                                         ValueRange range) {
        KeyRange own = f.keyRange(tile);
        return SmallVector<Value>{f.arith<arith::MinSIOp>(range[0], own.first),
                                  f.arith<arith::MaxSIOp>(range[1], own.end)};
      });
  return {range[0], range[1]};
}

FlashState GroupTask::emitSweep(Sweep sweep, FlashState state) {
  // Where tiles see the same keys, they see those of the group.
  bool differ = most > 1 && (f.hasWindow() || f.headWeight || f.offsets);
  KeyRange all =
      differ || most == 1 ? keyRange() : KeyRange{f.index(0), f.keys};
  SmallVector<Value> values = f.emitBlocks(
      all, state.valuesOf(sweep), [&](Value block, ValueRange values) {
        return forTiles(values, [&](const ScoreTile &tile, Value number,
                                    ValueRange values) {
          FlashState before = partOf(state.with(sweep, values), number);
          KeyRange own = differ ? f.keyRange(tile) : all;
          FlashState after =
              f.emitBlock(sweep, tile, part(query, number), before, block, own,
                          /*mayBeOutside=*/differ);
          SmallVector<Value> next;
          for (auto [whole, changed] :
               llvm::zip_equal(values, after.valuesOf(sweep)))
            next.push_back(withPart(whole, number, changed));
          return next;
        });
      });
  return state.with(sweep, values);
}

/// Whether a row of the task sees no key but those that the bias hides by a
/// number.
Value GroupTask::anySeesNone(const FlashState &state) {
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  return forTiles(
             no,
             [&](const ScoreTile &tile, Value number, ValueRange found) {
               Value largest = part(state.largest, number);
               Value count =
                   getValueOrCreateConstantIndexOp(b, loc, tile.rowCount);
               auto loop = scf::ForOp::create(
                   b, loc, f.index(0), count, f.index(1), found,
                   [&](OpBuilder &b, Location loc, Value row, ValueRange any) {
                     Value m = tensor::ExtractOp::create(b, loc, largest, row);
                     Value either = arith::OrIOp::create(
                         b, loc, any[0], AttentionScores::seesNone(b, loc, m));
                     scf::YieldOp::create(b, loc, either);
                   });
               return SmallVector<Value>{loop.getResult(0)};
             })
      .front();
}

/// The state of a sweep's begin, in the place of `state`.
FlashState GroupTask::begin(const FlashState &state) {
  SmallVector<Value> values =
      forTiles(state.valuesOf(Sweep::Whole),
               [&](const ScoreTile &tile, Value number, ValueRange values) {
                 FlashState whole = state.with(Sweep::Whole, values);
                 FlashState begun = f.initialState(tile, /*withSink=*/true,
                                                   partOf(whole, number));
                 return SmallVector<Value>{
                     withPart(whole.largest, number, begun.largest),
                     withPart(whole.sum, number, begun.sum),
                     withPart(whole.acc, number, begun.acc)};
               });
  return state.with(Sweep::Whole, values);
}

/// A sweep leaves out what the bias hides by a number, which is right for rows
/// that see another key: the weight of such a one is 0. Where a row sees none,
/// the sweep is repeated with all. One loop, so that there is one copy of it.
FlashState GroupTask::emitSweepTwiceIfNeeded(FlashState state) {
  SmallVector<Value> carried = state.valuesOf(Sweep::Whole);
  carried.push_back(arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
  auto loop =
      scf::ForOp::create(b, loc, f.index(0), f.index(2), f.index(1), carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  f.rowsMaySeeNone = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                           loop.getInductionVar(), f.index(1));
  ValueRange before = loop.getRegionIterArgs();
  SmallVector<Value> values =
      emitWhere(b, loc, before.back(), before.drop_back(),
                [&](OpBuilder &, Location, ValueRange values) {
                  FlashState begun = begin(state.with(Sweep::Whole, values));
                  return emitSweep(Sweep::Whole, begun).valuesOf(Sweep::Whole);
                });
  Value again = anySeesNone(state.with(Sweep::Whole, values));
  values.push_back(again);
  scf::YieldOp::create(b, loc, values);
  return state.with(Sweep::Whole, ValueRange(loop.getResults()).drop_back());
}

/// 1 over each sum.
Value GroupTask::divisors(Value sums) {
  Value whole = most == 1 ? Value() : room({queryBlock});
  return forTiles(whole,
                  [&](const ScoreTile &tile, Value number, ValueRange whole) {
                    Value divided = f.emitFactors(tile, part(sums, number),
                                                  /*weighted=*/false);
                    return SmallVector<Value>{
                        withPart(whole[0], number, divided)};
                  })
      .front();
}

/// Writes the results, and lse; `areDivided`: by sums already.
void GroupTask::emitResults(const FlashState &state, bool areDivided) {
  Heads destination{forall.getRegionIterArgs()[0], f.resultRowsFirst};
  SmallVector<Value> targets = {f.sliceTile(destination, group, f.valueDepth)};
  SmallVector<OpFoldResult> offsets = {group.batch, group.head,
                                       group.toPacked(b, loc, group.row)};
  SmallVector<OpFoldResult> sizes = {f.fixed(1), f.fixed(1), group.rowCount};
  if (f.op.getLse())
    targets.push_back(tensor::ExtractSliceOp::create(
        b, loc, getStaticType({f.f32(), {group.rowCount}}),
        forall.getRegionIterArgs()[1], offsets, sizes,
        SmallVector<OpFoldResult>(3, f.fixed(1))));
  targets = forTiles(targets, [&](const ScoreTile &tile, Value number,
                                  ValueRange targets) {
    FlashState own = partOf(state, number);
    Value divisors = areDivided
                         ? f.linalg.filled({f.fixed(queryBlock)}, f.f32(), 1)
                         : own.sum;
    Value factors =
        f.emitFactors(tile, divisors, /*weighted=*/bool(f.headWeight));
    auto write = [&](Value whole, function_ref<Value(Value)> rows) {
      if (most == 1)
        return rows(whole);
      Slice slice = ofRows(whole, tile);
      return slice.put(f, rows(slice.take(f, whole)), whole);
    };
    SmallVector<Value> next = {write(targets[0], [&](Value target) {
      return f.emitResult(tile, own.acc, factors, target);
    })};
    if (f.op.getLse())
      next.push_back(write(targets[1], [&](Value target) {
        return f.emitLse(f.firstLanes(own.largest, 0, tile.rowCount),
                         f.firstLanes(own.sum, 0, tile.rowCount), target);
      }));
    return next;
  });
  f.insertTile(forall, destination, group, targets[0]);
  if (f.op.getLse())
    f.insert(forall, targets[1], forall.getRegionIterArgs()[1], offsets, sizes);
}

void GroupTask::emit() {
  FlashState state = prepare();
  // A prob_mod that is not a factor needs the sums before it is applied.
  bool twice = f.masks.hasProbMod() && !f.masks.isProbModLinear();
  if (f.masks.mayHideByNumber() && !twice)
    state = emitSweepTwiceIfNeeded(state);
  else
    state = emitSweep(twice ? Sweep::Sums : Sweep::Whole, state);
  if (twice) {
    FlashState divided = state;
    divided.sum = divisors(state.sum);
    state.acc = emitSweep(Sweep::Weighted, divided).acc;
  }
  emitResults(state, /*areDivided=*/twice);
}

static SmallVector<Value> emitPrefill(FlashLoops f, ValueRange results) {
  OpBuilder &b = f.b;
  f.order = TileOrder::KeysFirst;
  f.lanes = queryBlock;
  OpFoldResult tiles = countBlocks(f), groups = tiles;
  auto known = getConstantIntValue(tiles);
  constexpr int64_t fewTiles = rowsOfGroups / queryBlock;
  int64_t most = known && *known <= fewTiles ? 1 : tilesOfGroup;
  Value size = f.index(most);
  if (most > 1) {
    Value all = getValueOrCreateConstantIndexOp(b, f.loc, tiles);
    Value isLong = b.createOrFold<arith::CmpIOp>(
        f.loc, arith::CmpIPredicate::sgt, all, f.index(fewTiles));
    size = b.createOrFold<arith::SelectOp>(f.loc, isLong, size, f.index(1));
    groups = f.arith<arith::CeilDivSIOp>(all, size);
  }
  auto forall = scf::ForallOp::create(
      b, f.loc, ArrayRef<OpFoldResult>{f.sequences, f.dims[1], groups}, results,
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  GroupTask(f, forall, most, size).emit();
  return llvm::to_vector_of<Value>(forall.getResults());
}

const char *mlir::ds::whyNotFlash(AttentionOp op) {
  if (!getSumType(op.getType().getElementType()).isF32())
    return "its sums are not of f32";
  for (Value rows : {op.getKey(), op.getValueOrKey()})
    if (cast<ShapedType>(rows.getType()).isDynamicDim(3))
      return "the width of a head is known only when it runs";
  return nullptr;
}

SmallVector<Value> mlir::ds::lowerToFlashAttention(AttentionOp op,
                                                   Lowering &lowering) {
  FlashLoops loops(op, lowering);
  OpBuilder &b = loops.b;
  // The first with heads after rows, where its reader wants that.
  SmallVector<OpFoldResult> dims =
      Heads{Value(), loops.resultRowsFirst}.order<OpFoldResult>(
          loops.dims[0], loops.dims[1], loops.dims[2],
          loops.fixed(loops.valueDepth));
  SmallVector<Value> results = {tensor::EmptyOp::create(
      b, loops.loc, dims, op.getType().getElementType())};
  if (op.getLse())
    results.push_back(tensor::EmptyOp::create(
        b, loops.loc, ArrayRef(loops.dims).take_front(3), loops.f32()));

  auto rows = getConstantIntValue(loops.dims[2]);
  SmallVector<DecodeForm> forms;
  // With as many rows as keys few rows are no decoding.
  if (loops.dims[2] != loops.dims[3])
    forms = getDecodeForms(loops);
  if (rows) {
    llvm::erase_if(forms,
                   [&](const DecodeForm &f) { return *rows > f.mostRows; });
    results = forms.empty() ? emitPrefill(loops, results)
                            : emitFlashDecode(loops, forms.front(), results);
  } else {
    // All but one have no sequences. They write to the same memory, which a
    // conditional would hide from the planning of memory.
    ShapeBuilder &shapes = lowering.shapes;
    OpFoldResult left = loops.sequences, none = loops.fixed(0);
    for (const DecodeForm &form : forms) {
      OpFoldResult takes = shapes.compare(
          arith::CmpIPredicate::sle, loops.dims[2], loops.fixed(form.mostRows));
      loops.sequences = shapes.materialize(shapes.select(takes, left, none));
      results = emitFlashDecode(loops, form, results);
      left = shapes.select(takes, none, left);
    }
    if (!forms.empty())
      loops.sequences = shapes.materialize(left);
    results = emitPrefill(loops, results);
  }
  // The reader transposes this back.
  if (loops.resultRowsFirst)
    results[0] = transpose(lowering, results[0], dims, {0, 2, 1, 3});
  return results;
}
