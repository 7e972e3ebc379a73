//===- DotKernel.cpp - Products of rows with rows -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// C[m, n] += Σ_k A[m, k] · B[n, k], where k is what lies side by side in both:
// lanes are k. As many elements of C as a vector has lanes are computed
// together, and their partial sums are added up in a tree that leaves each sum
// in its lane. With few rows of A every element of B is read once, from memory
// as likely as not: later blocks are brought in meanwhile, from more places
// than a processor follows.
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
  void emitBlock(Value column, bool isLast);
  void emitRow(Value row, Value column, ArrayRef<Value> block, bool isLast,
               bool prefetches);
  SmallVector<Value> addStep(Value row, ArrayRef<Value> columns, Value k,
                             ValueRange sums, Value mask);
  void prefetch(Value column, Value k);
  Value load(Value memory, Value row, Value k, Value mask);
  Value addUp(ArrayRef<Value> sums);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
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
  Value rows, columns, depth, wholeDepth, zero;
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

SmallVector<Value> DotBody::addStep(Value row, ArrayRef<Value> columns, Value k,
                                    ValueRange sums, Value mask) {
  SmallVector<Value> next;
  Value factor = load(x, row, k, mask);
  for (auto [column, sum] : llvm::zip_equal(columns, sums))
    next.push_back(
        math::FmaOp::create(b, loc, factor, load(y, column, k, mask), sum));
  return next;
}

/// Vector i's sum in lane i. Each level adds halves of what is left of two
/// neighbours: after the first, even lanes belong to the one and odd lanes to
/// the other.
Value DotBody::addUp(ArrayRef<Value> sums) {
  SmallVector<Value> level(sums);
  for (int64_t width = 1; width < lanes; width *= 2) {
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

/// Columns [column, column + lanes) of all rows; of the last block, those that
/// there are.
void DotBody::emitBlock(Value column, bool isLast) {
  Value last = arith::SubIOp::create(b, loc, columns, index(1));
  SmallVector<Value> block;
  for (int64_t i = 0; i < lanes; ++i) {
    Value n = arith::AddIOp::create(b, loc, column, index(i));
    block.push_back(isLast ? arith::MinSIOp::create(b, loc, n, last).getResult()
                           : n);
  }
  emitRow(index(0), column, block, isLast, /*prefetches=*/true);
  auto loop = scf::ForOp::create(b, loc, index(1), rows, index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  emitRow(loop.getInductionVar(), column, block, isLast, /*prefetches=*/false);
}

/// How many blocks ahead rows of B are brought in.
static constexpr int64_t blocksAhead = 8;

/// Elements k to k + lanes of a later block than the one at `column`.
void DotBody::prefetch(Value column, Value k) {
  for (int64_t i = 0; i < lanes; ++i) {
    Value n =
        arith::AddIOp::create(b, loc, column, index(blocksAhead * lanes + i));
    emitPrefetch(b, loc, y, {n, k});
  }
}

/// Elements `block` of a row of C, which lie side by side from `column` on.
void DotBody::emitRow(Value row, Value column, ArrayRef<Value> block,
                      bool isLast, bool prefetches) {
  auto steps = scf::ForOp::create(
      b, loc, index(0), wholeDepth, index(lanes),
      SmallVector<Value>(lanes, zero),
      [&](OpBuilder &, Location, Value k, ValueRange sums) {
        if (prefetches)
          prefetch(column, k);
        scf::YieldOp::create(b, loc,
                             addStep(row, block, k, sums, /*mask=*/nullptr));
      });
  Value hasRest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        wholeDepth, depth);
  auto rest = scf::IfOp::create(
      b, loc, hasRest,
      [&](OpBuilder &, Location) {
        Value left = arith::SubIOp::create(b, loc, depth, wholeDepth);
        scf::YieldOp::create(
            b, loc,
            addStep(row, block, wholeDepth, steps.getResults(), mask(left)));
      },
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(b, loc, steps.getResults());
      });
  Value sum = addUp(llvm::to_vector_of<Value>(rest.getResults()));
  SmallVector<Value> place = {row, column};
  if (!isLast) {
    Value before = vector::LoadOp::create(b, loc, type, c, place);
    vector::StoreOp::create(b, loc, arith::AddFOp::create(b, loc, before, sum),
                            c, place);
    return;
  }
  Value present = mask(arith::SubIOp::create(b, loc, columns, column));
  Value before =
      vector::MaskedLoadOp::create(b, loc, type, c, place, present, zero);
  vector::MaskedStoreOp::create(b, loc, c, place, present,
                                arith::AddFOp::create(b, loc, before, sum));
}

void DotBody::emit() {
  zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  rows = memref::DimOp::create(b, loc, c, 0);
  columns = memref::DimOp::create(b, loc, c, 1);
  depth = memref::DimOp::create(b, loc, x, 1);
  auto roundDown = [&](Value size) -> Value {
    Value rest = arith::RemUIOp::create(b, loc, size, index(lanes));
    return arith::SubIOp::create(b, loc, size, rest);
  };
  wholeDepth = roundDown(depth);
  Value wholeColumns = roundDown(columns);
  auto loop = scf::ForOp::create(b, loc, index(0), wholeColumns, index(lanes));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    emitBlock(loop.getInductionVar(), /*isLast=*/false);
  }
  Value hasRest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                        wholeColumns, columns);
  scf::IfOp::create(b, loc, hasRest, [&](OpBuilder &, Location) {
    emitBlock(wholeColumns, /*isLast=*/true);
    scf::YieldOp::create(b, loc);
  });
  func::ReturnOp::create(b, loc);
}

/// `memory` of a type that says no more than the kernel needs: strides that are
/// known make addresses cheap.
static Value forgetShape(OpBuilder &b, Location loc, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, strides);
  SmallVector<int64_t> shape(2, ShapedType::kDynamic);
  return memref::CastOp::create(
      b, loc, MemRefType::get(shape, type.getElementType(), layout), memory);
}

void MicroKernels::emitDots(OpBuilder &b, Location loc, Value x, Value y,
                            Value c) {
  SmallVector<Value> operands = {forgetShape(b, loc, x), forgetShape(b, loc, y),
                                 forgetShape(b, loc, c)};
  func::FuncOp kernel =
      getFunction("dot", /*variant=*/"", operands,
                  [&](OpBuilder &b, Location loc, func::FuncOp function) {
                    DotBody(b, loc, function, tile.vectorLanes).emit();
                  });
  func::CallOp::create(b, loc, kernel, operands);
}
