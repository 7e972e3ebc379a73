//===- KeyBlocks.cpp - The keys that ds.attention lists -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/KeyBlocks.h"

#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

static Value indexConstant(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

/// Loops over `bounds`, outermost first, that carry `carried`.
static Value emitLoops(OpBuilder &b, Location loc, ArrayRef<Value> bounds,
                       SmallVector<Value> &ivs, Value carried,
                       function_ref<Value(OpBuilder &, Value)> body) {
  if (ivs.size() == bounds.size())
    return body(b, carried);
  Value zero = indexConstant(b, loc, 0), one = indexConstant(b, loc, 1);
  auto loop =
      scf::ForOp::create(b, loc, zero, bounds[ivs.size()], one, carried);
  ivs.push_back(loop.getInductionVar());
  OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
  Value next =
      emitLoops(inner, loc, bounds, ivs, loop.getRegionIterArg(0), body);
  scf::YieldOp::create(inner, loc, next);
  return loop.getResult(0);
}

KeyBlocks::KeyBlocks(AttentionOp op, Value lists, OpBuilder &b,
                     ShapeBuilder &shapes)
    : rowsOfBlock(op.getQueryBlock().value_or(1)),
      keysOfBlock(*op.getKeyBlock()) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> dims =
      llvm::to_vector(shapes.dims(op.getKeyIndex()));
  OpFoldResult one = shapes.constant(1);
  auto lastOf = [&](OpFoldResult dim, OpFoldResult whole, bool &isOne) {
    isOne = isConstantIntValue(dim, 1);
    return isOne || dim == whole ? Value()
                                 : shapes.materialize(shapes.sub(dim, one));
  };
  OpFoldResult keyHeads = shapes.dim(op.getKey(), 1);
  lastBatch = lastOf(dims[0], shapes.dim(op.getQuery(), 0), oneBatch);
  lastHead = lastOf(dims[1], keyHeads, oneHead);
  group = shapes.materialize(
      shapes.exactQuotient(shapes.dim(op.getQuery(), 1), keyHeads));

  // A block for nothing to stand in where there are no keys.
  OpFoldResult blocks = shapes.max(
      shapes.ceilDiv(op.getKeyRows(shapes), shapes.constant(keysOfBlock)), one);
  Value blockCount = shapes.materialize(blocks);
  SmallVector<Value> bounds;
  for (OpFoldResult dim : dims)
    bounds.push_back(shapes.materialize(dim));
  LinalgBuilder linalg{b, loc};
  Type i8 = b.getI8Type();
  SmallVector<Value> at;
  Value nothing = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
  Value empty = linalg::FillOp::create(
                    b, loc, nothing,
                    linalg.empty({dims[0], dims[1], dims[2], blocks}, i8))
                    .getResult(0);
  table = emitLoops(
      b, loc, bounds, at, empty, [&](OpBuilder &b, Value table) -> Value {
        Value listed = arith::IndexCastOp::create(
            b, loc, b.getIndexType(),
            tensor::ExtractOp::create(b, loc, lists, at));
        // −1 is none, which leaves block 0 as it is.
        Value none = indexConstant(b, loc, -1), zero = indexConstant(b, loc, 0);
        Value isGiven = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                              listed, none);
        Value block = arith::SelectOp::create(b, loc, isGiven, listed, zero);
        block = CheckedIndexOp::create(b, loc, block, blockCount,
                                       /*wrap=*/false);
        SmallVector<Value> place(ArrayRef(at).drop_back());
        place.push_back(block);
        Value before = tensor::ExtractOp::create(b, loc, table, place);
        Value after = arith::OrIOp::create(
            b, loc, before, arith::ExtUIOp::create(b, loc, i8, isGiven));
        return tensor::InsertOp::create(b, loc, after, table, place);
      });
}

Value KeyBlocks::keyHead(OpBuilder &b, Location loc, Value head) const {
  return b.createOrFold<arith::DivUIOp>(loc, head, group);
}

Value KeyBlocks::read(OpBuilder &b, Location loc, Value batch, Value keyHead,
                      Value rowBlock, Value keyBlock) const {
  auto broadcast = [&](Value i, bool isOne, Value last) -> Value {
    if (isOne)
      return indexConstant(b, loc, 0);
    return last ? b.createOrFold<arith::MinSIOp>(loc, i, last) : i;
  };
  Value element = tensor::ExtractOp::create(
      b, loc, table,
      ValueRange{broadcast(batch, oneBatch, lastBatch),
                 broadcast(keyHead, oneHead, lastHead), rowBlock, keyBlock});
  Value zero = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, element, zero);
}

Value KeyBlocks::attends(OpBuilder &b, Location loc, Value batch, Value head,
                         Value row, Value key) const {
  auto blockOf = [&](Value i, int64_t size) {
    return b.createOrFold<arith::DivUIOp>(loc, i, indexConstant(b, loc, size));
  };
  return read(b, loc, batch, keyHead(b, loc, head), blockOf(row, rowsOfBlock),
              blockOf(key, keysOfBlock));
}

std::pair<Value, Value> KeyBlocks::coverage(OpBuilder &b, Location loc,
                                            Value batch, Value head,
                                            Value firstRow, Value lastRow,
                                            Value firstKey,
                                            Value lastKey) const {
  Value one = indexConstant(b, loc, 1), group = keyHead(b, loc, head);
  auto loopOver = [&](OpBuilder &b, Value first, Value last, int64_t size,
                      ValueRange carried) {
    Value blockSize = indexConstant(b, loc, size);
    Value from = b.createOrFold<arith::DivUIOp>(loc, first, blockSize);
    Value to = b.createOrFold<arith::DivUIOp>(loc, last, blockSize);
    to = b.createOrFold<arith::AddIOp>(loc, to, one);
    return scf::ForOp::create(b, loc, from, to, one, carried);
  };
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  Value no = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
  auto rows = loopOver(b, firstRow, lastRow, rowsOfBlock, {yes, no});
  OpBuilder outer = OpBuilder::atBlockBegin(rows.getBody());
  auto keys =
      loopOver(outer, firstKey, lastKey, keysOfBlock, rows.getRegionIterArgs());
  OpBuilder inner = OpBuilder::atBlockBegin(keys.getBody());
  Value listed = read(inner, loc, batch, group, rows.getInductionVar(),
                      keys.getInductionVar());
  Value all =
      arith::AndIOp::create(inner, loc, keys.getRegionIterArg(0), listed);
  Value any =
      arith::OrIOp::create(inner, loc, keys.getRegionIterArg(1), listed);
  scf::YieldOp::create(inner, loc, ValueRange{all, any});
  scf::YieldOp::create(outer, loc, keys.getResults());
  return {rows.getResult(0), rows.getResult(1)};
}
