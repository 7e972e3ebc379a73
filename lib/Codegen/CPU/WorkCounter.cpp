//===- WorkCounter.cpp - What ops on buffers have to do -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "WorkCounter.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::ds;

/// Operations on floats in one execution of a body.
static int64_t flopsOf(Block &body) {
  int64_t flops = 0;
  for (Operation &op : body.without_terminator()) {
    bool computes =
        isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) &&
        op.getNumResults() == 1 && isa<FloatType>(op.getResult(0).getType()) &&
        !isa<CastOpInterface, arith::ConstantOp, arith::SelectOp>(op);
    if (computes)
      flops += isa<math::FmaOp>(op) ? 2 : 1;
  }
  return flops;
}

static int64_t elementBytes(Type type) {
  return type.isIndex() ? 8 : llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

/// Whether `buffer` is memory that `op`'s task allocates.
static bool isOfTask(Value buffer, Operation *op) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  auto task = op->getParentOfType<scf::ForallOp>();
  return task && task->isAncestor(buffer.getParentBlock()->getParentOp());
}

Value WorkCounter::product(Location loc, ArrayRef<OpFoldResult> factors,
                           int64_t constant) {
  Value result = arith::ConstantIndexOp::create(b, loc, constant);
  for (OpFoldResult factor : factors)
    result = b.createOrFold<arith::MulIOp>(
        loc, result, getValueOrCreateConstantIndexOp(b, loc, factor));
  return result;
}

Value WorkCounter::bytesOf(Location loc, Value buffer) {
  Type element = cast<MemRefType>(buffer.getType()).getElementType();
  return product(loc, memref::getMixedSizes(b, loc, buffer),
                 elementBytes(element));
}

WorkCounter::Work WorkCounter::measure(Operation *op) {
  Location loc = op->getLoc();
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Work work;
  work.bytes = arith::ConstantIndexOp::create(b, loc, 0);
  auto addBytes = [&](Value bytes) {
    work.bytes = b.createOrFold<arith::AddIOp>(loc, work.bytes, bytes);
  };
  for (Value operand : op->getOperands())
    if (isa<MemRefType>(operand.getType()) && !isOfTask(operand, op))
      addBytes(bytesOf(loc, operand));
  if (auto matmul = dyn_cast<PackedMatmulOp>(op)) {
    SmallVector<OpFoldResult> sizes =
        memref::getMixedSizes(b, loc, matmul.getX());
    sizes.push_back(memref::getMixedSize(b, loc, matmul.getInit(), 1));
    work.flops = product(loc, sizes, 2);
    return work;
  }
  if (auto conv = dyn_cast<PackedConvOp>(op)) {
    int64_t depth = conv.getPackedType().getDimSize(3);
    work.flops =
        product(loc, memref::getMixedSizes(b, loc, conv.getInit()), 2 * depth);
    return work;
  }
  auto generic = cast<linalg::LinalgOp>(op);
  SmallVector<OpFoldResult> sizes;
  for (Range range : generic.createLoopRanges(b, loc))
    sizes.push_back(range.size);
  work.flops = product(loc, sizes, flopsOf(*generic.getBlock()));
  for (auto load : generic.getBlock()->getOps<memref::LoadOp>())
    addBytes(product(loc, sizes, elementBytes(load.getType())));
  return work;
}

LogicalResult WorkCounter::count(Operation *op,
                                 function_ref<LogicalResult()> lower) {
  bool inTask = op->getParentOfType<scf::ForallOp>();
  Work work = measure(op);
  Block *block = op->getBlock();
  Operation *before = op->getPrevNode(), *after = op->getNextNode();
  if (failed(lower()))
    return failure();
  if (!inTask)
    for (auto it = std::next(before->getIterator()), end = block->end();
         it != end && &*it != after; ++it)
      if (auto loop = dyn_cast<scf::ForallOp>(*it)) {
        firstTime[loop.getBody()].push_back(work);
        return success();
      }
  everyTime[block].push_back(work);
  return success();
}

void WorkCounter::emitSum(Location loc, ArrayRef<Work> works) {
  Work sum = works.front();
  for (Work work : works.drop_front()) {
    sum.flops = b.createOrFold<arith::AddIOp>(loc, sum.flops, work.flops);
    sum.bytes = b.createOrFold<arith::AddIOp>(loc, sum.bytes, work.bytes);
  }
  CountWorkOp::create(b, loc, sum.flops, sum.bytes);
}

void WorkCounter::emit() {
  for (auto &[block, works] : everyTime) {
    b.setInsertionPoint(block->getTerminator());
    emitSum(works.front().flops.getLoc(), works);
  }
  for (auto &[block, works] : firstTime) {
    b.setInsertionPoint(block->getTerminator());
    Location loc = works.front().flops.getLoc();
    Value zero = arith::ConstantIndexOp::create(b, loc, 0), isFirst;
    for (Value iv :
         cast<scf::ForallOp>(block->getParentOp()).getInductionVars()) {
      Value starts =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, iv, zero);
      isFirst = isFirst
                    ? arith::AndIOp::create(b, loc, isFirst, starts).getResult()
                    : starts;
    }
    auto branch = scf::IfOp::create(b, loc, isFirst, /*withElseRegion=*/false);
    b.setInsertionPoint(branch.thenBlock()->getTerminator());
    emitSum(loc, works);
  }
}
