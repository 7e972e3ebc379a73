//===- Elementwise.cpp - Element-wise arithmetic to linalg ----------------===//
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
using Operands = ArrayRef<Value>;

/// `OpTy` is one op of math or arith on floats.
template <typename OpTy, typename FloatOp>
static void addFloat(LoweringRegistry &registry) {
  addElementwise<OpTy>(registry, [](Scalars &s, OpTy, Operands v) {
    return s.make<FloatOp>(v[0]);
  });
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

/// The remainder with the divisor's sign, of integers.
static Value emitPythonMod(Scalars &s, Value l, Value r) {
  Value remainder = s.rem(l, r);
  if (s.isUnsigned())
    return remainder;
  // It has the dividend's sign; one divisor more where the signs differ.
  Value zero = s.constant(0);
  Value differ = s.less(s.make<arith::XOrIOp>(remainder, r), zero);
  Value wrong = s.make<arith::AndIOp>(
      differ,
      s.compare(CmpFPredicate::UNE, CmpIPredicate::ne, remainder, zero));
  return s.select(wrong, s.add(remainder, r), remainder);
}

/// The remainder with the dividend's sign, of floats: exact, whatever the
/// quotient. Each step takes the multiple of the divisor times a power of two
/// that fits off the remainder; a step's quotient has so few bits that its
/// product with the divisor is exact, by an fma where the type has no wider
/// one.
static Value emitFloatMod(Scalars &s, Value l, Value r) {
  bool isF64 = s.element.isF64();
  Type f64 = s.b.getF64Type();
  Scalars w(s.b, s.loc, f64);
  Value x = w.abs(convertScalar(s, l, s.element, f64));
  Value y = w.abs(convertScalar(s, r, s.element, f64));
  // The quotient has at most this many bits: those between the greatest and the
  // least number of the type.
  int bits = isF64 ? 2098 : 277, step = isF64 ? 51 : 28;
  Value rest = x;
  for (int shift = bits - bits % step; shift >= 0; shift -= step) {
    // In two steps: 2^shift may be greater than any f64.
    Value scaled = w.mul(w.mul(y, w.constant(std::ldexp(1.0, shift / 2))),
                         w.constant(std::ldexp(1.0, shift - shift / 2)));
    Value quotient = w.make<math::FloorOp>(w.div(rest, scaled));
    Value next;
    if (isF64)
      next = math::FmaOp::create(s.b, s.loc, w.neg(quotient), scaled, rest);
    else
      next = w.sub(rest, w.mul(quotient, scaled));
    // The quotient may have been rounded up to an integer.
    next = w.select(w.less(next, w.constant(0)), w.add(next, scaled), next);
    // Not where it is 0, or the scaled divisor overflowed.
    rest = w.select(w.less(rest, scaled), rest, next);
  }
  Value result = math::CopySignOp::create(s.b, s.loc, rest,
                                          convertScalar(s, l, s.element, f64));
  return convertScalar(s, result, f64, s.element);
}

/// base to an integer exponent by repeated squaring, without branches.
static Value emitIntegerPower(Scalars &s, Value base, Value exponent,
                              Type exponentElement) {
  Scalars e(s.b, s.loc, exponentElement);
  Value one = s.constant(1);
  Value result = one, square = base;
  unsigned bits = exponentElement.getIntOrFloatBitWidth();
  // The sign bit of a signed exponent is looked at below.
  for (unsigned i = 0; i < bits - !e.isUnsigned(); ++i) {
    Value bit = e.make<arith::AndIOp>(
        e.make<arith::ShRUIOp>(exponent, e.constant(i)), e.constant(1));
    result =
        s.select(e.equal(bit, e.constant(1)), s.mul(result, square), result);
    square = s.mul(square, square);
  }
  if (e.isUnsigned())
    return result;
  // 1 / base^|exponent|, truncated: only that of 1 and -1 is not 0.
  Value odd =
      e.equal(e.make<arith::AndIOp>(exponent, e.constant(1)), e.constant(1));
  Value inverse = s.select(s.equal(base, one), one, s.constant(0));
  if (!s.isUnsigned()) {
    Value minusOne = s.constant(-1);
    inverse = s.select(s.equal(base, minusOne), s.select(odd, minusOne, one),
                       inverse);
  }
  return s.select(e.less(exponent, e.constant(0)), inverse, result);
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
  Value x = v[0];
  bool intBase = !s.isFloat(), intExponent = !isa<FloatType>(exponent);
  if (intBase && intExponent)
    return emitIntegerPower(s, x, v[1], exponent);
  if (std::optional<double> constant = splatExponent(op);
      constant && !intBase && (*constant == 2 || *constant == 3)) {
    Value square = s.mul(x, x);
    return *constant == 2 ? square : s.mul(square, x);
  }
  // In f64 where f32 would lose bits of an integer.
  Type f32 = s.b.getF32Type(), f64 = s.b.getF64Type();
  bool wide = intBase || s.element.isF64() || exponent.isF64() ||
              (intExponent && exponent.getIntOrFloatBitWidth() > 16);
  Type in = wide ? f64 : f32;
  Value power = s.make<math::PowFOp>(convertScalar(s, x, s.element, in),
                                     convertScalar(s, v[1], exponent, in));
  return convertScalar(s, power, in, s.element);
}

void mlir::ds::populateElementwiseLowerings(LoweringRegistry &registry) {
  using namespace onnx;
  addElementwise<AddOp>(registry, [](Scalars &s, AddOp, Operands v) {
    return s.add(v[0], v[1]);
  });
  addElementwise<SubOp>(registry, [](Scalars &s, SubOp, Operands v) {
    return s.sub(v[0], v[1]);
  });
  addElementwise<MulOp>(registry, [](Scalars &s, MulOp, Operands v) {
    return s.mul(v[0], v[1]);
  });
  addElementwise<DivOp>(registry, [](Scalars &s, DivOp, Operands v) {
    return s.div(v[0], v[1]);
  });
  addElementwise<ModOp>(registry, [](Scalars &s, ModOp op, Operands v) {
    if (s.isFloat())
      return emitFloatMod(s, v[0], v[1]);
    return op.getFmod() ? s.rem(v[0], v[1]) : emitPythonMod(s, v[0], v[1]);
  });
  addElementwise<PowOp>(registry, emitPow);

  addElementwise<MaxOp>(registry, [](Scalars &s, MaxOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.max(l, r); });
  });
  addElementwise<MinOp>(registry, [](Scalars &s, MinOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.min(l, r); });
  });
  addElementwise<SumOp>(registry, [](Scalars &s, SumOp, Operands v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](Value l, Value r) { return s.add(l, r); });
  });
  addElementwise<MeanOp>(registry, [](Scalars &s, MeanOp, Operands v) {
    Value sum = std::accumulate(v.begin() + 1, v.end(), v[0],
                                [&](Value l, Value r) { return s.add(l, r); });
    return s.div(sum, s.constant(v.size()));
  });
  addElementwise<ClipOp>(registry, [](Scalars &s, ClipOp, Operands v) {
    Value x = v[1] ? s.max(v[0], v[1]) : v[0];
    return v[2] ? s.min(x, v[2]) : x;
  });

  addElementwise<AbsOp>(
      registry, [](Scalars &s, AbsOp, Operands v) { return s.abs(v[0]); });
  addElementwise<NegOp>(
      registry, [](Scalars &s, NegOp, Operands v) { return s.neg(v[0]); });
  addElementwise<SignOp>(registry, [](Scalars &s, SignOp, Operands v) {
    return emitSign(s, v[0]);
  });
  addElementwise<ErfOp>(
      registry, [](Scalars &s, ErfOp, Operands v) { return emitErf(s, v[0]); });
  addElementwise<ReciprocalOp>(registry,
                               [](Scalars &s, ReciprocalOp, Operands v) {
                                 return s.div(s.constant(1), v[0]);
                               });
  addFloat<CeilOp, math::CeilOp>(registry);
  addFloat<FloorOp, math::FloorOp>(registry);
  addFloat<RoundOp, math::RoundEvenOp>(registry);
  addFloat<SqrtOp, math::SqrtOp>(registry);
  addFloat<ExpOp, math::ExpOp>(registry);
  addFloat<LogOp, math::LogOp>(registry);
  addFloat<SinOp, math::SinOp>(registry);
  addFloat<CosOp, math::CosOp>(registry);
}
