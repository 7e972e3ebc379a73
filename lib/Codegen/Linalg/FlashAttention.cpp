//===- FlashAttention.cpp - Attention over blocks of keys -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Tasks are heads and blocks of query rows, which are the lanes of vectors:
// FlashLoops.h has the loop of a task. One query row alone takes the way of
// FlashDecode.cpp.
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

/// Query rows of a task: the columns of the register tile.
static constexpr int64_t queryBlock = 32;

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
  return f.arith<arith::CeilDivSIOp>(longest.getResult(0), f.index(queryBlock));
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

static void emitTask(FlashLoops f, scf::ForallOp forall) {
  OpBuilder &b = f.b;
  SmallVector<Value> ivs = forall.getInductionVars();
  ScoreTile tile = f.locate(
      ivs[0], ivs[1], f.arith<arith::MulIOp>(ivs[2], f.index(queryBlock)));
  tile.rowCount = countRows(f, ivs[2]);
  Value query = f.prepareQuery(tile);
  FlashState state = f.initialState(tile, /*withSink=*/true);
  // A prob_mod that is not a factor needs the sums before it is applied.
  bool twice = f.masks.hasProbMod() && !f.masks.isProbModLinear();
  state = f.emitSweep(twice ? Sweep::Sums : Sweep::Whole, tile, query, state,
                      f.keyRange(tile));
  if (f.op.getLse()) {
    Value destination = forall.getRegionIterArgs()[1];
    SmallVector<OpFoldResult> offsets = {tile.batch, tile.head,
                                         tile.toPacked(b, f.loc, tile.row)};
    SmallVector<OpFoldResult> sizes = {f.fixed(1), f.fixed(1), tile.rowCount};
    Value target = tensor::ExtractSliceOp::create(
        b, f.loc, getStaticType({f.f32(), {tile.rowCount}}), destination,
        offsets, sizes, SmallVector<OpFoldResult>(3, f.fixed(1)));
    Value lse = f.emitLse(f.firstLanes(state.largest, 0, tile.rowCount),
                          f.firstLanes(state.sum, 0, tile.rowCount), target);
    f.insert(forall, lse, destination, offsets, sizes);
  }
  if (twice) {
    state.sum = f.emitFactors(tile, state.sum, /*weighted=*/false);
    state = f.emitSweep(Sweep::Weighted, tile, query, state, f.keyRange(tile));
    state.sum = f.linalg.filled({f.fixed(queryBlock)}, f.f32(), 1);
  }
  Value factors =
      f.emitFactors(tile, state.sum, /*weighted=*/bool(f.headWeight));
  Heads destination{forall.getRegionIterArgs()[0], f.resultRowsFirst};
  f.emitResult(forall, destination, tile, state.acc, factors);
}

static SmallVector<Value> emitPrefill(FlashLoops f, ValueRange results) {
  OpBuilder &b = f.b;
  f.order = TileOrder::KeysFirst;
  f.lanes = queryBlock;
  auto forall = scf::ForallOp::create(
      b, f.loc, ArrayRef<OpFoldResult>{f.sequences, f.dims[1], countBlocks(f)},
      results,
      /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  emitTask(f, forall);
  return llvm::to_vector_of<Value>(forall.getResults());
}

bool mlir::ds::hasFlashForm(AttentionOp op) {
  auto hasKnownRows = [](Value tensor) {
    return !cast<ShapedType>(tensor.getType()).isDynamicDim(3);
  };
  return getSumType(op.getType().getElementType()).isF32() &&
         hasKnownRows(op.getKey()) && hasKnownRows(op.getValueOrKey());
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
  // With as many rows as keys one row is no decoding.
  bool mayDecode =
      canDecode(loops) && (rows ? *rows == 1 : loops.dims[2] != loops.dims[3]);
  if (mayDecode && rows) {
    results = emitFlashDecode(loops, results);
  } else if (mayDecode) {
    // One of the two has no sequences. Both write to the same memory, which a
    // conditional would hide from the planning of memory.
    ShapeBuilder &shapes = lowering.shapes;
    OpFoldResult isOne =
        shapes.compare(arith::CmpIPredicate::eq, loops.dims[2], loops.fixed(1));
    OpFoldResult all = loops.sequences, none = loops.fixed(0);
    loops.sequences = shapes.materialize(shapes.select(isOne, all, none));
    results = emitFlashDecode(loops, results);
    loops.sequences = shapes.materialize(shapes.select(isOne, none, all));
    results = emitPrefill(loops, results);
  } else {
    results = emitPrefill(loops, results);
  }
  // The reader transposes this back.
  if (loops.resultRowsFirst)
    results[0] = transpose(lowering, results[0], dims, {0, 2, 1, 3});
  return results;
}
