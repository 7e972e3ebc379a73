//===- Packing.cpp - Sequences without their padding ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

static LogicalResult verifyRanks(Operation *op, Value x, Value mask) {
  if (typeOf(x).getRank() < 2)
    return op->emitOpError("C1: expected rows of rank 2 or more, found ")
           << x.getType();
  if (typeOf(mask).getRank() != 2)
    return op->emitOpError("C1: expected mask of rank 2, found ")
           << mask.getType();
  return success();
}

/// Whether `result` is `x` with the given first two dims, under constraint
/// `id`.
static LogicalResult verifyResult(Operation *op, StringRef id, Value x,
                                  Value result, int64_t first, int64_t second) {
  SmallVector<int64_t> shape = llvm::to_vector(typeOf(x).getShape());
  shape[0] = first;
  shape[1] = second;
  if (typeOf(result).getElementType() == typeOf(x).getElementType() &&
      succeeded(verifyCompatibleShape(shape, typeOf(result).getShape())))
    return success();
  return op->emitOpError() << id << ": expected a result of type "
                           << typeOf(x).clone(shape) << ", found "
                           << result.getType();
}

//===----------------------------------------------------------------------===//
// RowOffsetsOp
//===----------------------------------------------------------------------===//

LogicalResult RowOffsetsOp::verify() {
  if (typeOf(getMask()).getRank() != 2)
    return emitOpError("C1: expected mask of rank 2, found ")
           << getMask().getType();
  return success();
}

/// How many rows there are is known where they are counted: by the lowering,
/// which tells `shapes`.
LogicalResult RowOffsetsOp::inferResults(ShapeBuilder &,
                                         SmallVectorImpl<ResultShape> &) {
  return failure();
}

/// 1 + s at a 1, 0 at a 0, more than any position elsewhere.
static Value positionAfter(OpBuilder &b, Location loc, Value mask) {
  Type type = mask.getType();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value one = arith::ConstantOp::create(b, loc, b.getOneAttr(type));
  auto isEqual = [&](Value to) -> Value {
    if (isa<FloatType>(type))
      return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, mask, to);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, mask, to);
  };
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  };
  Value s = arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                       linalg::IndexOp::create(b, loc, 1));
  Value next = arith::AddIOp::create(b, loc, s, number(1));
  Value rest = arith::SelectOp::create(b, loc, isEqual(zero), number(0),
                                       number(INT64_MAX));
  return arith::SelectOp::create(b, loc, isEqual(one), next, rest);
}

namespace {
/// Serial loops over the sequences, which carry tensors that they fill.
struct RowLoops {
  OpBuilder &b;
  Location loc;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value toInteger(Value value) {
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  }
  Value toIndex(Value value) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
  }
  Value extract(Value tensor, Value at) {
    return toIndex(tensor::ExtractOp::create(b, loc, tensor, at));
  }
  Value insert(Value number, Value tensor, Value at) {
    return tensor::InsertOp::create(b, loc, toInteger(number), tensor, at);
  }
  /// What `body` makes of the carried values in each of `count` iterations.
  SmallVector<Value>
  loop(Value count, ValueRange carried,
       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto loop = scf::ForOp::create(b, loc, index(0), count, index(1), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(
        b, loc, body(loop.getInductionVar(), loop.getRegionIterArgs()));
    return llvm::to_vector_of<Value>(loop.getResults());
  }
};
} // namespace

SmallVector<Value> mlir::ds::decomposeRowOffsets(RowOffsetsOp op,
                                                 RowOffsetsOp::Adaptor operands,
                                                 OpBuilder &b,
                                                 ShapeBuilder &shapes) {
  Location loc = op.getLoc();
  LinalgBuilder linalg{b, loc};
  RowLoops rows{b, loc};
  OpFoldResult batch = shapes.dim(op.getMask(), 0),
               width = shapes.dim(op.getMask(), 1);
  Value sequences = shapes.materialize(batch), most = shapes.materialize(width);

  AffineMap all = b.getMultiDimIdentityMap(2);
  Type i64 = b.getI64Type();
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
  Value ends = linalg::FillOp::create(b, loc, zero, linalg.empty({batch}, i64))
                   .getResult(0);
  ends = linalg.generic(operands.getMask(), {all, all.dropResult(1)}, ends,
                        [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          Value after = positionAfter(b, loc, v[0]);
                          return arith::MaxSIOp::create(b, loc, v[1], after);
                        });

  // The sums of lengths. A 0 and what exceeds the row both stand for all of it.
  Value none = rows.index(0);
  OpFoldResult count = shapes.add(batch, shapes.constant(1));
  Value offsets = rows.insert(none, linalg.empty({count}, i64), none);
  SmallVector<Value> summed = rows.loop(
      sequences, {offsets, none},
      [&](Value sequence, ValueRange carried) -> SmallVector<Value> {
        Value end = rows.extract(ends, sequence);
        Value isEmpty =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, end, none);
        Value length = arith::MinSIOp::create(
            b, loc, most, arith::SelectOp::create(b, loc, isEmpty, most, end));
        Value sum = arith::AddIOp::create(b, loc, carried[1], length);
        Value at = arith::AddIOp::create(b, loc, sequence, rows.index(1));
        return {rows.insert(sum, carried[0], at), sum};
      });
  offsets = summed[0];
  Value limit = shapes.materialize(shapes.mul(batch, width));
  Value total = BoundedOp::create(b, loc, summed[1], limit);
  shapes.bindDims(op.getOffsets(), {count});
  shapes.bindDims(op.getRows(), {total});

  Value numbers = linalg.empty({total}, i64);
  SmallVector<Value> filled = rows.loop(
      sequences, numbers,
      [&](Value sequence, ValueRange carried) -> SmallVector<Value> {
        Value first = rows.extract(offsets, sequence);
        Value next = rows.extract(
            offsets, arith::AddIOp::create(b, loc, sequence, rows.index(1)));
        Value base = arith::MulIOp::create(b, loc, sequence, most);
        return rows.loop(arith::SubIOp::create(b, loc, next, first), carried,
                         [&](Value s, ValueRange inner) -> SmallVector<Value> {
                           return {rows.insert(
                               arith::AddIOp::create(b, loc, base, s), inner[0],
                               arith::AddIOp::create(b, loc, first, s))};
                         });
      });
  return {offsets, filled[0]};
}

FailureOr<SmallVector<Value>> RowOffsetsOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return decomposeRowOffsets(*this, Adaptor((*this)->getOperands(), *this), b,
                             shapes);
}

//===----------------------------------------------------------------------===//
// PackRowsOp
//===----------------------------------------------------------------------===//

LogicalResult PackRowsOp::verify() {
  if (failed(verifyRanks(*this, getX(), getMask())))
    return failure();
  ArrayRef<int64_t> x = typeOf(getX()).getShape(),
                    mask = typeOf(getMask()).getShape();
  if ((x[0] != 1 && !compatibleDims(x[0], mask[0])) ||
      !compatibleDims(x[1], mask[1]))
    return emitOpError("C2: expected the dims of mask, ")
           << getMask().getType() << ", found " << getX().getType();
  return verifyResult(*this, "C3", getX(), getPacked(), 1,
                      ShapedType::kDynamic);
}

LogicalResult PackRowsOp::inferResults(ShapeBuilder &shapes,
                                       SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  dims[0] = shapes.constant(1);
  dims[1] = shapes.dim(getRows(), 0);
  results.push_back({typeOf(getX()).getElementType(), std::move(dims)});
  return success();
}

Value mlir::ds::decomposePackRows(PackRowsOp op, PackRowsOp::Adaptor operands,
                                  OpBuilder &b, ShapeBuilder &shapes) {
  LinalgBuilder linalg{b, op.getLoc()};
  SmallVector<OpFoldResult> from = llvm::to_vector(shapes.dims(op.getX())),
                            dims = llvm::to_vector(shapes.dims(op.getPacked()));
  int64_t rank = dims.size();
  bool isShared = isConstantIntValue(from[0], 1);
  Value width = shapes.materialize(from[1]);

  // All rows of all sequences, one after another, as `rows` numbers them.
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  for (int64_t i = 2; i < rank; ++i)
    groups.push_back({i});
  Value flat =
      tensor::CollapseShapeOp::create(b, linalg.loc, operands.getX(), groups);
  Type element = typeOf(operands.getX()).getElementType();
  AffineMap row = AffineMap::get(rank, 0, b.getAffineDimExpr(1));
  return linalg.map(operands.getRows(), row, dims, element,
                    [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                      Value number = arith::IndexCastOp::create(
                          b, loc, b.getIndexType(), v[0]);
                      if (isShared)
                        number = arith::RemUIOp::create(b, loc, number, width);
                      SmallVector<Value> at = {number};
                      for (int64_t i = 2; i < rank; ++i)
                        at.push_back(linalg::IndexOp::create(b, loc, i));
                      return tensor::ExtractOp::create(b, loc, flat, at);
                    });
}

FailureOr<SmallVector<Value>> PackRowsOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposePackRows(*this, Adaptor(getOperands(), *this), b, shapes)};
}

//===----------------------------------------------------------------------===//
// UnpackRowsOp
//===----------------------------------------------------------------------===//

LogicalResult UnpackRowsOp::verify() {
  if (failed(verifyRanks(*this, getPacked(), getMask())))
    return failure();
  ArrayRef<int64_t> mask = typeOf(getMask()).getShape();
  return verifyResult(*this, "C2", getPacked(), getX(), mask[0], mask[1]);
}

LogicalResult
UnpackRowsOp::inferResults(ShapeBuilder &shapes,
                           SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getPacked()));
  dims[0] = shapes.dim(getMask(), 0);
  dims[1] = shapes.dim(getMask(), 1);
  results.push_back({typeOf(getPacked()).getElementType(), std::move(dims)});
  return success();
}

Value mlir::ds::decomposeUnpackRows(UnpackRowsOp op,
                                    UnpackRowsOp::Adaptor operands,
                                    OpBuilder &b, ShapeBuilder &shapes) {
  LinalgBuilder linalg{b, op.getLoc()};
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(op.getX()));
  int64_t rank = dims.size();
  Type element = typeOf(operands.getPacked()).getElementType();
  return linalg.map(
      {}, {}, dims, element,
      [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        RowLoops rows{b, loc};
        Value sequence = linalg::IndexOp::create(b, loc, 0);
        Value one = rows.index(1);
        Value first = rows.extract(operands.getOffsets(), sequence);
        Value next = rows.extract(operands.getOffsets(),
                                  arith::AddIOp::create(b, loc, sequence, one));
        Value row = arith::AddIOp::create(b, loc, first,
                                          linalg::IndexOp::create(b, loc, 1));
        // Every sequence has a row to read in place of one of padding.
        Value last = arith::SubIOp::create(b, loc, next, one);
        SmallVector<Value> at = {rows.index(0),
                                 arith::MinSIOp::create(b, loc, row, last)};
        for (int64_t i = 2; i < rank; ++i)
          at.push_back(linalg::IndexOp::create(b, loc, i));
        Value kept =
            tensor::ExtractOp::create(b, loc, operands.getPacked(), at);
        Value isKept =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, next);
        Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
        return arith::SelectOp::create(b, loc, isKept, kept, zero);
      });
}

FailureOr<SmallVector<Value>> UnpackRowsOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeUnpackRows(*this, Adaptor(getOperands(), *this), b, shapes)};
}
