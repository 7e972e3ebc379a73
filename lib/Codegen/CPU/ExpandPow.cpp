//===- ExpandPow.cpp - Powers, roots and the remainder --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathCoefficients.h"
#include "MathFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::coefficients;

namespace mlir::ds::lanes {

/// a^y in f64 for a >= 0, a != 1, y != 0. For an f32's sake an f64 logarithm
/// leaves bits enough; else it takes one twice as long.
static Float powOfMagnitude(Float a, Float y, bool forF32) {
  if (forF32)
    return exp2(y * log2(a));
  DoubleFloat l = log2F64(a);
  // Of 0 and infinity; what lo then holds does not matter, see exp2F64.
  Float hi = select(a == 0, -a.infinity(), l.hi);
  hi = select(a == a.infinity(), a, hi);
  auto [product, error] = twoProduct(y, hi);
  return exp2F64({product, fma(y, l.lo, error)});
}

/// The rest of C's pow, given the magnitude and whether y is an odd integer.
static Float powSpecials(Float x, Float y, Float magnitude, Mask odd) {
  magnitude = select(abs(x) == 1, 1.0, magnitude);
  return select(odd, copySign(magnitude, x), magnitude);
}

static Float powF64(Float x, Float y, bool forF32) {
  Float magnitude = powOfMagnitude(abs(x), y, forF32);
  // Infinite and all large y are even integers.
  Float half = y * 0.5;
  Mask integer = trunc(y) == y;
  Mask odd = integer & (trunc(half) != half);
  Float result = powSpecials(x, y, magnitude, odd);
  Mask noReal = (x < 0) & (x > -x.infinity()) & !integer;
  result = select(noReal | x.unordered(y), x.nan(), result);
  return select((y == 0) | (x == 1), 1.0, result);
}

Float pow(Float x, Float y) {
  if (x.isF64())
    return powF64(x, y, /*forF32=*/false);
  return powF64(x.toF64(), y.toF64(), /*forF32=*/true).toF32();
}

Float powi(Float x, Int n) {
  bool f64 = x.isF64();
  Float wide = f64 ? x : x.toF64();
  Float y = wide.like(arith::SIToFPOp::create(*n.b, n.loc, wide.type(), n.v));
  Float magnitude = powOfMagnitude(abs(wide), y, !f64);
  Float result = powSpecials(wide, y, magnitude, (n & 1) != 0);
  result = select(wide.isNaN(), wide, result);
  result = select(n == 0, 1.0, result);
  return f64 ? result : result.toF32();
}

Int powi(Int n, Int m) {
  OpBuilder &b = *n.b;
  Location loc = n.loc;
  auto index = [&](int64_t i) -> Value {
    return arith::ConstantIndexOp::create(b, loc, i);
  };
  auto loop = scf::ForOp::create(b, loc, index(0), index(n.width()), index(1),
                                 ValueRange{n.num(1).v, n.v, m.v});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Int result = n.like(loop.getRegionIterArg(0));
    Int square = n.like(loop.getRegionIterArg(1));
    Int rest = n.like(loop.getRegionIterArg(2));
    result = select((rest & 1) != 0, result * square, result);
    scf::YieldOp::create(
        b, loc, ValueRange{result.v, (square * square).v, (rest >> 1).v});
  }
  Int result = n.like(loop.getResult(0));
  // 1 / n^-m: the loop's result is right for 1 and -1, whose powers repeat.
  Mask unit = (n == 1) | ((n + 1) == 0);
  return select(m.isNegative() & !unit, n.num(0), result);
}

Float cbrtF64(Float x) {
  Float a = abs(x);
  DoubleFloat l = log2F64(a);
  auto [hi, error] = twoProduct(l.hi, kThird[0]);
  Float lo = error + fma(l.hi, kThird[1], l.lo * kThird[0]);
  Float root = exp2F64({hi, lo});
  // 0, infinity and NaN are their own roots.
  return copySign(select((a > 0) & (a < a.infinity()), root, a), x);
}

/// |x| = m · 2^exponent with 1 <= m < 2, for x finite and not 0.
static DoubleFloat mantissaAndExponent(Float x) {
  Mask tiny = abs(x) < 0x1p-1022;
  Int bits = select(tiny, x * 0x1p54, x).bits();
  Int fraction = bits & 0x000FFFFFFFFFFFFF;
  Int biased = (bits & 0x7FF0000000000000) >> 52;
  Float exponent = (biased | 0x4330000000000000).asFloat() -
                   select(tiny, x.num(0x1p52 + 1023 + 54), 0x1p52 + 1023);
  return {(fraction | 0x3FF0000000000000).asFloat(), exponent};
}

/// r mod m for 0 <= r < 2^53, 1 <= m < 2, both with at most 53 bits: the
/// quotient is at most one too large, and both results are exact.
static Float remainderStep(Float r, Float m) {
  Float rest = fma(trunc(r / m), -m, r);
  return select(rest < 0, rest + m, rest);
}

static Float fmodF64(Float x, Float y, unsigned maxExponentDifference) {
  OpBuilder &b = *x.b;
  Location loc = x.loc;
  auto [mx, ex] = mantissaAndExponent(x);
  auto [my, ey] = mantissaAndExponent(y);
  constexpr unsigned kStep = 52;
  auto index = [&](int64_t i) -> Value {
    return arith::ConstantIndexOp::create(b, loc, i);
  };
  // The remainder of mx · 2^difference, `kStep` bits of it at a time.
  unsigned steps = (maxExponentDifference + kStep - 1) / kStep;
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(steps), index(1),
                         ValueRange{remainderStep(mx, my).v, (ex - ey).v});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Float r = x.like(loop.getRegionIterArg(0));
    Float left = x.like(loop.getRegionIterArg(1));
    Float now = left.atLeast(0).atMost(kStep);
    Float shifted = r * powerOfTwo(roundToInteger(now).bits, x);
    scf::YieldOp::create(
        b, loc, ValueRange{remainderStep(shifted, my).v, (left - now).v});
  }
  Float result = scale(x.like(loop.getResult(0)), roundToInteger(ey).bits);
  result = select(abs(x) < abs(y), x, result);
  Mask invalid = (y == 0) | (abs(x) == x.infinity()) | x.unordered(y);
  return copySign(select(invalid, x.nan(), result), x);
}

Float fmod(Float x, Float y) {
  // From the largest number to the smallest subnormal.
  if (x.isF64())
    return fmodF64(x, y, 1023 + 1074);
  return fmodF64(x.toF64(), y.toF64(), 127 + 149).toF32();
}

} // namespace mlir::ds::lanes
