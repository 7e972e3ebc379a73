//===- Cast.cpp - Conversions between element types to linalg -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Scalars.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

/// f64 stays where the type is of half precision: f32 between would round
/// twice.
static Value floatToFloat(Scalars &s, Value value, Type to) {
  Type type = Scalars::computeType(to);
  unsigned have = value.getType().getIntOrFloatBitWidth();
  unsigned want = type.getIntOrFloatBitWidth();
  if (have < want)
    return arith::ExtFOp::create(s.b, s.loc, type, value);
  if (have > want && type == to)
    return arith::TruncFOp::create(s.b, s.loc, type, value);
  return value;
}

/// Truncates; what lies outside the type becomes its nearest value, NaN the
/// least one. (The plain conversions are undefined there.)
static Value floatToInt(Scalars &s, Value value, Type to) {
  bool isUnsigned = Scalars::isUnsigned(to);
  unsigned width = to.getIntOrFloatBitWidth();
  const llvm::fltSemantics &semantics =
      cast<FloatType>(value.getType()).getFloatSemantics();
  auto bound = [&](const APInt &limit, bool &exact) -> Value {
    APFloat number(semantics);
    exact = number.convertFromAPInt(limit, !isUnsigned,
                                    APFloat::rmTowardZero) == APFloat::opOK;
    return arith::ConstantOp::create(s.b, s.loc,
                                     FloatAttr::get(value.getType(), number));
  };
  APInt least =
      isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  APInt greatest =
      isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  bool leastExact, greatestExact;
  Value low = bound(least, leastExact), high = bound(greatest, greatestExact);
  // The maximum of a signaling NaN and a number is a NaN on some machines, and
  // LLVM makes maxima of comparisons.
  Value isNumber =
      arith::CmpFOp::create(s.b, s.loc, CmpFPredicate::ORD, value, value);
  Value number = s.select(isNumber, value, low);
  Value clamped =
      s.make<arith::MinNumFOp>(s.make<arith::MaxNumFOp>(number, low), high);
  Type storage = Lowering::storageElement(to);
  Value result;
  if (isUnsigned)
    result = arith::FPToUIOp::create(s.b, s.loc, storage, clamped);
  else
    result = arith::FPToSIOp::create(s.b, s.loc, storage, clamped);
  if (greatestExact)
    return result;
  // No float lies between the last one in range and the greatest integer.
  Value above =
      arith::CmpFOp::create(s.b, s.loc, CmpFPredicate::OGT, value, high);
  Value limit = arith::ConstantOp::create(
      s.b, s.loc, s.b.getIntegerAttr(storage, greatest));
  return s.select(above, limit, result);
}

Value mlir::ds::convertScalar(Scalars s, Value value, Type from, Type to) {
  if (from == to)
    return value;
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (to.isInteger(1)) {
    Value zero = s.constant(0, value.getType());
    if (fromFloat)
      return arith::CmpFOp::create(s.b, s.loc, CmpFPredicate::UNE, value, zero);
    return arith::CmpIOp::create(s.b, s.loc, CmpIPredicate::ne, value, zero);
  }
  if (fromFloat)
    return toFloat ? floatToFloat(s, value, to) : floatToInt(s, value, to);

  Type type = Scalars::computeType(to);
  bool isUnsigned = Scalars::isUnsigned(from);
  if (toFloat) {
    // A bf16 has fewer bits than an integer that f32 rounds.
    if (to.isBF16())
      type = to;
    if (isUnsigned)
      return arith::UIToFPOp::create(s.b, s.loc, type, value);
    return arith::SIToFPOp::create(s.b, s.loc, type, value);
  }
  unsigned have = value.getType().getIntOrFloatBitWidth();
  unsigned want = type.getIntOrFloatBitWidth();
  if (have == want)
    return value;
  if (have > want)
    return arith::TruncIOp::create(s.b, s.loc, type, value);
  if (isUnsigned)
    return arith::ExtUIOp::create(s.b, s.loc, type, value);
  return arith::ExtSIOp::create(s.b, s.loc, type, value);
}

/// From operand 0 to the element type of the result.
static LogicalResult lowerCast(Operation *op, Lowering &l) {
  Value input = op->getOperand(0), result = op->getResult(0);
  Type from = cast<ShapedType>(input.getType()).getElementType();
  Type to = cast<ShapedType>(result.getType()).getElementType();
  // Signedness is not stored.
  if (from == to ||
      (!from.isInteger(1) && !to.isInteger(1) &&
       Lowering::storageElement(from) == Lowering::storageElement(to))) {
    l.setLowered(result, l.lowered(input));
    return success();
  }
  Type storage = Lowering::storageElement(to);
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(result));
  l.setLowered(
      result,
      l.elementwise(
          input, dims, storage,
          [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
            Scalars s(b, loc, from);
            return {s.store(convertScalar(s, s.load(v[0]), from, to), storage)};
          }));
  return success();
}

static LogicalResult lowerIdentity(onnx::IdentityOp op, Lowering &l) {
  l.setLowered(op.getResult(), l.lowered(op.getInput()));
  return success();
}

void mlir::ds::populateCastLowerings(LoweringRegistry &registry) {
  registry.addAll<onnx::CastOp, onnx::CastLikeOp>(lowerCast);
  registry.add<onnx::IdentityOp>(lowerIdentity);
}
