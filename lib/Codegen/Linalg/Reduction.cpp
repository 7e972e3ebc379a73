//===- Reduction.cpp - Reductions to linalg -------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/ReductionSpace.h"
#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::onnx;
using arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// What is reduced
//===----------------------------------------------------------------------===//

/// The ONNX element type that a reduction computes in: one whose compute type
/// is the type itself.
static Type accumulatorType(Operation *op, Type element) {
  MLIRContext *context = op->getContext();
  if (element.isInteger(1))
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  if (isa<FloatType>(element))
    return Scalars::computeType(element);
  if (isa<ReduceMeanOp, ReduceL2Op, ReduceLogSumOp, ReduceLogSumExpOp>(op))
    return Float64Type::get(context);
  return element;
}

/// The least (or greatest) value of a type, which a maximum (minimum) starts
/// from.
static TypedAttr extremeValue(OpBuilder &b, Type element, bool least) {
  if (auto floatType = dyn_cast<FloatType>(element))
    return b.getFloatAttr(
        floatType, APFloat::getInf(floatType.getFloatSemantics(), least));
  unsigned width = element.getIntOrFloatBitWidth();
  bool isUnsigned = Scalars::isUnsigned(element);
  APInt value = least ? (isUnsigned ? APInt::getMinValue(width)
                                    : APInt::getSignedMinValue(width))
                      : (isUnsigned ? APInt::getMaxValue(width)
                                    : APInt::getSignedMaxValue(width));
  return b.getIntegerAttr(Lowering::storageElement(element), value);
}

static TypedAttr identityOf(Operation *op, OpBuilder &b, Type accumulator) {
  if (isa<ReduceMaxOp, ReduceMinOp>(op))
    return extremeValue(b, accumulator, isa<ReduceMaxOp>(op));
  Type storage = Lowering::storageElement(accumulator);
  return isa<ReduceProdOp>(op) ? b.getOneAttr(storage)
                               : cast<TypedAttr>(b.getZeroAttr(storage));
}

/// One more element in the accumulator.
static Value accumulate(Operation *op, Scalars &s, Value sum, Value x) {
  if (isa<ReduceMaxOp>(op))
    return s.max(sum, x);
  if (isa<ReduceMinOp>(op))
    return s.min(sum, x);
  if (isa<ReduceProdOp>(op))
    return s.mul(sum, x);
  if (isa<ReduceL1Op>(op))
    return s.add(sum, s.abs(x));
  if (isa<ReduceL2Op, ReduceSumSquareOp>(op))
    return s.add(sum, s.mul(x, x));
  return s.add(sum, x);
}

//===----------------------------------------------------------------------===//
// Reductions over several axes
//===----------------------------------------------------------------------===//

namespace {
/// One reduction op being lowered.
struct Reduction {
  Operation *op;
  Lowering &l;
  ReductionSpace space;
  Type element, accumulator; // ONNX element types
  Value data;

  Scalars scalars(OpBuilder &b, Location loc) {
    return Scalars(b, loc, accumulator);
  }
  /// An element of the data as the accumulator's type.
  Value load(Scalars s, Value stored) {
    return convertScalar(s, s.load(stored, element), element, accumulator);
  }
  Value sums();
  Value logSumExp();
  /// The results in storage form from the accumulators.
  Value finish(Value rows);
};
} // namespace

Value Reduction::sums() {
  return space.reduce(
      data, {}, identityOf(op, l.b, accumulator),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {accumulate(op, s, v[1], load(s, v[0]))};
      });
}

/// log(sum of e^(x - m)) + m with m the maximum, or 0 where that is not finite.
Value Reduction::logSumExp() {
  Value maximum = space.reduce(
      data, {}, extremeValue(l.b, accumulator, /*least=*/true),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {s.max(v[1], load(s, v[0]))};
      });
  Value shift = space.mapRows(
      maximum, accumulator,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        Value inf = s.constant(std::numeric_limits<double>::infinity());
        Value finite = s.less(s.abs(v[0]), inf);
        return {s.select(finite, v[0], s.constant(0))};
      });
  Value sum = space.reduce(
      data, shift, identityOf(op, l.b, accumulator),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        Value difference = s.sub(load(s, v[0]), v[1]);
        return {s.add(v[2], s.make<math::ExpOp>(difference))};
      });
  return space.mapRows(
      ValueRange{sum, shift}, accumulator,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {s.add(s.make<math::LogOp>(v[0]), v[1])};
      });
}

Value Reduction::finish(Value rows) {
  bool isMean = isa<ReduceMeanOp>(op);
  bool isRoot = isa<ReduceL2Op>(op), isLog = isa<ReduceLogSumOp>(op);
  Type storage = Lowering::storageElement(element);
  if (element == accumulator && !isMean && !isRoot && !isLog)
    return rows;
  Value count = isMean ? space.count(cast<FloatType>(accumulator)) : Value();
  return space.mapRows(
      rows, storage,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        Value x = v[0];
        if (isMean)
          x = s.div(x, count);
        if (isRoot)
          x = s.make<math::SqrtOp>(x);
        if (isLog)
          x = s.make<math::LogOp>(x);
        return {s.store(convertScalar(s, x, accumulator, element), storage)};
      });
}

template <typename OpTy>
static LogicalResult lowerReduction(OpTy op, Lowering &l) {
  ReductionArgs args = op.getReductionArgs();
  FailureOr<llvm::SmallBitVector> reduced = reducedDims(op, args, l.shapes);
  if (failed(reduced))
    return failure();
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(args.data));
  Type element = elementType(args.data);
  Reduction r{op,
              l,
              ReductionSpace(l, dims, *reduced),
              element,
              accumulatorType(op, element),
              l.lowered(args.data)};
  Value rows = r.finish(isa<ReduceLogSumExpOp>(op) ? r.logSumExp() : r.sums());
  l.setLowered(op.getResult(),
               args.keepDims && reduced->any() ? r.space.keepDims(rows) : rows);
  return success();
}

//===----------------------------------------------------------------------===//
// Positions of extremes
//===----------------------------------------------------------------------===//

/// The position of the first (or last) greatest (or least) element of each row,
/// as a row tensor of i64: the extreme value, then the extreme index of an
/// element that is it. Two reductions that vectorize.
static Value extremePositions(Lowering &l, ReductionSpace &space, Value data,
                              Type element, bool isMax, bool last) {
  Type accumulator =
      isa<FloatType>(element) ? Scalars::computeType(element) : element;
  Value extreme = space.reduce(
      data, {}, extremeValue(l.b, accumulator, /*least=*/isMax),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        Value x = s.load(v[0]);
        return {isMax ? s.max(v[1], x) : s.min(v[1], x)};
      });
  IntegerType i64 = l.b.getI64Type();
  return space.reduce(
      data, extreme, extremeValue(l.b, i64, /*least=*/last),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element), indices(b, loc, i64);
        Value x = s.load(v[0]);
        Value hit = s.equal(x, v[1]);
        // A NaN, if there is one, is the extreme, but equals nothing.
        if (s.isFloat())
          hit = s.make<arith::OrIOp>(hit, s.isNaN(x));
        // The reduced axis is the last loop.
        int64_t loop = space.rank() - 1;
        Value i = arith::IndexCastOp::create(
            b, loc, i64, linalg::IndexOp::create(b, loc, loop));
        Value candidate = indices.select(hit, i, v[2]);
        return {last ? indices.max(v[2], candidate)
                     : indices.min(v[2], candidate)};
      });
}

/// The space of a reduction along one axis of at least `least` elements.
static FailureOr<ReductionSpace> alongAxis(Operation *op, Lowering &l,
                                           int64_t axis, int64_t least) {
  SmallVector<OpFoldResult> dims = dimsOf(l, op->getOperand(0));
  FailureOr<int64_t> dim = normalizeAxis(op, axis, dims.size());
  if (failed(dim) || failed(requireAtLeast(l, op, dims[*dim], least,
                                           "the axis has {0} elements")))
    return failure();
  llvm::SmallBitVector reduced(dims.size());
  reduced.set(*dim);
  return ReductionSpace(l, dims, reduced);
}

template <typename OpTy>
static LogicalResult lowerArgReduction(OpTy op, Lowering &l) {
  FailureOr<ReductionSpace> space = alongAxis(op, l, op.getAxis(), /*least=*/1);
  if (failed(space))
    return failure();
  Value index = extremePositions(
      l, *space, l.lowered(op.getData()), elementType(op.getData()),
      /*isMax=*/std::is_same_v<OpTy, ArgMaxOp>, op.getSelectLastIndex() != 0);
  l.setLowered(op.getResult(),
               op.getKeepdims() ? space->keepDims(index) : index);
  return success();
}

static LogicalResult lowerHardmax(HardmaxOp op, Lowering &l) {
  // Without elements to find the largest of there is no result to tell it.
  FailureOr<ReductionSpace> space = alongAxis(op, l, op.getAxis(), /*least=*/0);
  if (failed(space))
    return failure();
  Type element = elementType(op.getInput());
  Value index = extremePositions(l, *space, l.lowered(op.getInput()), element,
                                 /*isMax=*/true, /*last=*/false);
  int64_t axis = *normalizeAxis(op, op.getAxis(), space->rank());
  l.setLowered(
      op.getResult(),
      space->mapFull(
          {}, index, element,
          [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
            Scalars s(b, loc, element);
            Value i = arith::IndexCastOp::create(
                b, loc, b.getI64Type(), linalg::IndexOp::create(b, loc, axis));
            Value hit =
                arith::CmpIOp::create(b, loc, CmpIPredicate::eq, i, v[0]);
            Value y = s.select(hit, s.constant(1), s.constant(0));
            return {s.store(y, element)};
          }));
  return success();
}

void mlir::ds::populateReductionLowerings(LoweringRegistry &registry) {
  registry.add<ReduceSumOp>(lowerReduction<ReduceSumOp>);
  registry.add<ReduceMeanOp>(lowerReduction<ReduceMeanOp>);
  registry.add<ReduceMaxOp>(lowerReduction<ReduceMaxOp>);
  registry.add<ReduceMinOp>(lowerReduction<ReduceMinOp>);
  registry.add<ReduceProdOp>(lowerReduction<ReduceProdOp>);
  registry.add<ReduceL1Op>(lowerReduction<ReduceL1Op>);
  registry.add<ReduceL2Op>(lowerReduction<ReduceL2Op>);
  registry.add<ReduceSumSquareOp>(lowerReduction<ReduceSumSquareOp>);
  registry.add<ReduceLogSumOp>(lowerReduction<ReduceLogSumOp>);
  registry.add<ReduceLogSumExpOp>(lowerReduction<ReduceLogSumExpOp>);
  registry.add<ArgMaxOp>(lowerArgReduction<ArgMaxOp>);
  registry.add<ArgMinOp>(lowerArgReduction<ArgMinOp>);
  registry.add<HardmaxOp>(lowerHardmax);
}
