//===- ScalarArithmetic.cpp - Element-wise arithmetic of scalars --------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/Scalars.h"

#include <numeric>

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;
using Operands = ArrayRef<Value>;

/// `OpTy` is one op of math or arith on floats.
template <typename OpTy, typename FloatOp>
static void addFloat(ScalarTable &table) {
  table.add<OpTy>(
      [](Scalars &s, OpTy, Operands v) { return s.make<FloatOp>(v[0]); });
}

static Value emitSign(Scalars &s, Value x) {
  Value zero = s.constant(0);
  Value positive = s.less(zero, x);
  if (s.isUnsigned())
    return s.select(positive, s.constant(1), zero);
  // What is neither positive nor negative is 0 or NaN, and stays.
  return s.select(positive, s.constant(1),
                  s.select(s.less(x, zero), s.constant(-1), x));
}

static Value emitErf(Scalars &s, Value x) {
  if (s.isFloat())
    return s.make<math::ErfOp>(x);
  Type f64 = s.b.getF64Type();
  Value wide = convertScalar(s, x, s.element, f64);
  return convertScalar(s, s.make<math::ErfOp>(wide), f64, s.element);
}

/// The remainder with the dividend's sign, or with the divisor's.
static Value emitMod(Scalars &s, onnx::ModOp op, Operands v) {
  Value l = v[0], r = v[1];
  Value remainder = s.isFloat() ? s.make<arith::RemFOp>(l, r) : s.rem(l, r);
  if (op.getFmod() || s.isUnsigned())
    return remainder;
  // One divisor more where the signs differ.
  Value zero = s.constant(0);
  Value differ =
      s.make<arith::XOrIOp>(s.less(remainder, zero), s.less(r, zero));
  Value isZero = s.equal(remainder, zero);
  if (s.isFloat())
    zero = s.make<math::CopySignOp>(zero, r);
  Value wrapped = s.select(differ, s.add(remainder, r), remainder);
  return s.select(isZero, zero, wrapped);
}

/// An integer to an integer exponent: in i64, whose low bits are the result's.
static Value emitIntegerPower(Scalars &s, Value base, Value exponent,
                              Type exponentElement) {
  Type i64 = s.b.getI64Type();
  Value power =
      s.make<math::IPowIOp>(convertScalar(s, base, s.element, i64),
                            convertScalar(s, exponent, exponentElement, i64));
  return convertScalar(s, power, i64, s.element);
}

/// The value of a constant exponent that all elements share.
static std::optional<double> splatExponent(onnx::PowOp op) {
  DenseElementsAttr value;
  if (!matchPattern(op.getExponent(), m_Constant(&value)) || !value.isSplat() ||
      !isa<FloatType>(value.getElementType()))
    return std::nullopt;
  return value.getSplatValue<APFloat>().convertToDouble();
}

static Value emitPow(Scalars &s, onnx::PowOp op, Operands v) {
  Type exponent = cast<ShapedType>(op.getExponent().getType()).getElementType();
  bool intBase = !s.isFloat(), intExponent = !isa<FloatType>(exponent);
  if (intBase && intExponent)
    return emitIntegerPower(s, v[0], v[1], exponent);
  // In f64 where f32 would lose bits of an integer.
  Type f32 = s.b.getF32Type(), f64 = s.b.getF64Type();
  bool wide = intBase || s.element.isF64() || exponent.isF64() ||
              (intExponent && exponent.getIntOrFloatBitWidth() > 16);
  Type in = wide ? f64 : f32;
  Value x = convertScalar(s, v[0], s.element, in), power;
  if (std::optional<double> constant = splatExponent(op)) {
    // Others that are cheaper than the general case are known to math.powf.
    power = *constant == 3
                ? s.make<arith::MulFOp>(s.make<arith::MulFOp>(x, x), x)
                : s.make<math::PowFOp>(x, s.constant(*constant, in));
  } else {
    power = s.make<math::PowFOp>(x, convertScalar(s, v[1], exponent, in));
  }
  return convertScalar(s, power, in, s.element);
}

void mlir::ds::addScalarArithmetic(ScalarTable &table) {
  using namespace onnx;
  table.add<AddOp>(
      [](Scalars &s, AddOp, Operands v) { return s.add(v[0], v[1]); });
  table.add<SubOp>(
      [](Scalars &s, SubOp, Operands v) { return s.sub(v[0], v[1]); });
  table.add<MulOp>(
      [](Scalars &s, MulOp, Operands v) { return s.mul(v[0], v[1]); });
  table.add<DivOp>(
      [](Scalars &s, DivOp, Operands v) { return s.div(v[0], v[1]); });
  table.add<ModOp>(emitMod);
  table.add<PowOp>(emitPow);

  table.add<MaxOp>([](Scalars &s, MaxOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.max(l, r); });
  });
  table.add<MinOp>([](Scalars &s, MinOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.min(l, r); });
  });
  table.add<SumOp>([](Scalars &s, SumOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.add(l, r); });
  });
  table.add<MeanOp>([](Scalars &s, MeanOp, Operands v) {
    Value sum = std::accumulate(v.begin() + 1, v.end(), v[0],
                                [&](Value l, Value r) { return s.add(l, r); });
    return s.div(sum, s.constant(v.size()));
  });
  table.add<ClipOp>([](Scalars &s, ClipOp, Operands v) {
    Value x = v[1] ? s.max(v[0], v[1]) : v[0];
    return v[2] ? s.min(x, v[2]) : x;
  });

  table.add<AbsOp>([](Scalars &s, AbsOp, Operands v) { return s.abs(v[0]); });
  table.add<NegOp>([](Scalars &s, NegOp, Operands v) { return s.neg(v[0]); });
  table.add<SignOp>(
      [](Scalars &s, SignOp, Operands v) { return emitSign(s, v[0]); });
  table.add<ErfOp>(
      [](Scalars &s, ErfOp, Operands v) { return emitErf(s, v[0]); });
  table.add<ReciprocalOp>([](Scalars &s, ReciprocalOp, Operands v) {
    return s.div(s.constant(1), v[0]);
  });
  addFloat<CeilOp, math::CeilOp>(table);
  addFloat<FloorOp, math::FloorOp>(table);
  addFloat<RoundOp, math::RoundEvenOp>(table);
  addFloat<SqrtOp, math::SqrtOp>(table);
  addFloat<ExpOp, math::ExpOp>(table);
  addFloat<LogOp, math::LogOp>(table);
  addFloat<SinOp, math::SinOp>(table);
  addFloat<CosOp, math::CosOp>(table);
  addFloat<TanOp, math::TanOp>(table);
  addFloat<AsinOp, math::AsinOp>(table);
  addFloat<AcosOp, math::AcosOp>(table);
  addFloat<AtanOp, math::AtanOp>(table);
  addFloat<SinhOp, math::SinhOp>(table);
  addFloat<CoshOp, math::CoshOp>(table);
  addFloat<AsinhOp, math::AsinhOp>(table);
  addFloat<AcoshOp, math::AcoshOp>(table);
  addFloat<AtanhOp, math::AtanhOp>(table);
}
