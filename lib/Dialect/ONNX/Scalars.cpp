//===- Scalars.cpp - Scalar arithmetic of ONNX element types --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/Scalars.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

const ScalarTable &mlir::ds::getScalarTable() {
  static const ScalarTable table = [] {
    ScalarTable all;
    addScalarActivations(all);
    addScalarArithmetic(all);
    addScalarComparisons(all);
    return all;
  }();
  return table;
}

Type mlir::ds::storageElement(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return element;
  unsigned width = integer.getWidth() == 1 ? 8 : integer.getWidth();
  return IntegerType::get(element.getContext(), width);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Type Scalars::computeType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  if (element.isInteger(1))
    return element;
  return storageElement(element);
}

Value Scalars::load(Value stored, Type from) {
  Type type = computeType(from);
  if (type == stored.getType())
    return stored;
  if (from.isInteger(1))
    return arith::CmpIOp::create(b, loc, CmpIPredicate::ne, stored,
                                 constant(0, stored.getType()));
  return arith::ExtFOp::create(b, loc, type, stored);
}

Value Scalars::store(Value computed, Type storage) {
  if (computed.getType() == storage)
    return computed;
  if (isa<FloatType>(storage))
    return arith::TruncFOp::create(b, loc, storage, computed);
  return arith::ExtUIOp::create(b, loc, storage, computed);
}

Value Scalars::constant(double value, Type type) {
  if (!type)
    type = computeType();
  TypedAttr attr = isa<FloatType>(type)
                       ? TypedAttr(b.getFloatAttr(type, value))
                       : b.getIntegerAttr(type, static_cast<int64_t>(value));
  return arith::ConstantOp::create(b, loc, attr);
}

Value Scalars::safeDivisor(Value r, Value &isZero, Value &isMinusOne) {
  Value one = constant(1);
  isZero = equal(r, constant(0));
  Value divisor = select(isZero, one, r);
  if (isUnsigned())
    return divisor;
  // The least integer over -1 overflows, which traps on some machines.
  isMinusOne = equal(r, constant(-1));
  return select(isMinusOne, one, divisor);
}

Value Scalars::div(Value l, Value r) {
  if (isFloat())
    return make<arith::DivFOp>(l, r);
  Value isZero, isMinusOne;
  Value divisor = safeDivisor(r, isZero, isMinusOne);
  Value quotient =
      pick<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(l, divisor);
  if (isMinusOne)
    quotient = select(isMinusOne, neg(l), quotient);
  return select(isZero, constant(0), quotient);
}

Value Scalars::rem(Value l, Value r) {
  Value isZero, isMinusOne;
  // A number modulo 1, which stands for 0 and -1, is 0.
  Value divisor = safeDivisor(r, isZero, isMinusOne);
  return pick<arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(l, divisor);
}

Value Scalars::neg(Value x) {
  if (isFloat())
    return make<arith::NegFOp>(x);
  return sub(constant(0), x);
}

Value Scalars::abs(Value x) {
  if (isFloat())
    return make<math::AbsFOp>(x);
  return isUnsigned() ? x : max(x, neg(x));
}

Value Scalars::compare(CmpFPredicate floats, CmpIPredicate ints, Value l,
                       Value r) {
  if (isa<FloatType>(l.getType()))
    return arith::CmpFOp::create(b, loc, floats, l, r);
  if (isUnsigned()) {
    switch (ints) {
    case CmpIPredicate::slt:
      ints = CmpIPredicate::ult;
      break;
    case CmpIPredicate::sle:
      ints = CmpIPredicate::ule;
      break;
    case CmpIPredicate::sgt:
      ints = CmpIPredicate::ugt;
      break;
    case CmpIPredicate::sge:
      ints = CmpIPredicate::uge;
      break;
    default:
      break;
    }
  }
  return arith::CmpIOp::create(b, loc, ints, l, r);
}

Value Scalars::equal(Value l, Value r) {
  return compare(CmpFPredicate::OEQ, CmpIPredicate::eq, l, r);
}

Value Scalars::less(Value l, Value r) {
  return compare(CmpFPredicate::OLT, CmpIPredicate::slt, l, r);
}

Value Scalars::isNaN(Value x) {
  return arith::CmpFOp::create(b, loc, CmpFPredicate::UNO, x, x);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

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
  Type storage = storageElement(to);
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
