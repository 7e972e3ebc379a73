//===- Cache.cpp - ds.kv_append to linalg ---------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// New rows are written into the cache itself; where its buffer may not be
// overwritten, bufferization makes the copy. A task for each batch: a step of
// decoding writes so few rows that handing out more would cost as much.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

static LogicalResult requireCacheShapes(KVAppendOp op, Lowering &l,
                                        ArrayRef<OpFoldResult> cache,
                                        ArrayRef<OpFoldResult> rows) {
  for (int64_t dim : {0, 1, 3})
    if (failed(l.requireEqual(op, rows[dim], cache[dim],
                              "rows has a dim of {0}, cache one of {1}")))
      return failure();
  ShapeBuilder &s = l.shapes;
  if (failed(require(
          l, op, s.compare(arith::CmpIPredicate::sle, rows[2], cache[2]),
          rows[2], cache[2], "{0} rows do not fit into a cache of {1}")))
    return failure();
  if (!op.getPositions())
    return success();
  return l.requireEqual(op, s.dim(op.getPositions(), 0), cache[0],
                        "positions has batch {0}, cache {1}");
}

namespace {
/// Writes rows of one batch in a task.
struct AppendTask {
  OpBuilder &b;
  Location loc;
  scf::ForallOp forall;
  Value source; // of all rows
  ArrayRef<OpFoldResult> dims;

  /// Writes `count` rows from `from` on to those of the cache from `to` on.
  void write(OpFoldResult from, OpFoldResult to, OpFoldResult count) {
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    Value batch = forall.getInductionVars().front();
    SmallVector<OpFoldResult> ones(4, one),
        sizes = {one, dims[1], count, dims[3]};
    Value part = tensor::ExtractSliceOp::create(
        b, loc, source, ArrayRef<OpFoldResult>{batch, zero, from, zero}, sizes,
        ones);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(forall.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(
        b, loc, part, forall.getRegionIterArgs().front(),
        ArrayRef<OpFoldResult>{batch, zero, to, zero}, sizes, ones);
  }
};
} // namespace

static LogicalResult lowerKVAppend(KVAppendOp op, Lowering &l) {
  ShapeBuilder &s = l.shapes;
  Dims cache = dimsOf(l, op.getCache()), rows = dimsOf(l, op.getRows());
  if (failed(requireCacheShapes(op, l, cache, rows)))
    return failure();
  // All that is computed through `shapes` must dominate the tasks.
  OpFoldResult zero = s.constant(0), one = s.constant(1);
  Value positions = op.getPositions() ? l.lowered(op.getPositions()) : Value();
  Value bound = s.materialize(s.add(s.sub(cache[2], rows[2]), one));
  Value count = s.materialize(rows[2]), size = s.materialize(cache[2]);
  Value modulus = s.materialize(s.max(cache[2], one));

  OpBuilder &b = l.b;
  Location loc = l.loc();
  auto forall = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{cache[0]},
                                      loweredAs(l, op.getCache()),
                                      /*mapping=*/std::nullopt);
  l.setLowered(op.getResult(), forall.getResult(0));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  AppendTask task{b, loc, forall, loweredAs(l, op.getRows()), rows};
  if (!positions) {
    task.write(zero, zero, rows[2]);
    return success();
  }
  Value batch = forall.getInductionVars().front();
  Value first = arith::IndexCastOp::create(
      b, loc, b.getIndexType(),
      tensor::ExtractOp::create(b, loc, positions, batch));
  if (!op.getCircular()) {
    first = CheckedIndexOp::create(b, loc, first, bound, /*wrap=*/false);
    task.write(zero, first, rows[2]);
    return success();
  }
  // Up to the end of the cache, then from its start.
  first = floorMod(b, loc, first, modulus);
  Value room = arith::SubIOp::create(b, loc, size, first);
  Value before = arith::MinSIOp::create(b, loc, count, room);
  Value after = arith::SubIOp::create(b, loc, count, before);
  task.write(zero, first, before);
  task.write(before, zero, after);
  return success();
}

void mlir::ds::populateCacheLowerings(LoweringRegistry &registry) {
  registry.add<KVAppendOp>(lowerKVAppend);
}
