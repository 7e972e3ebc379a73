//===- ExpandExpLog.cpp - Exponentials and logarithms ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathCoefficients.h"
#include "MathFunctions.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::coefficients;

namespace mlir::ds::lanes {

namespace {
/// x = n · ln 2 + r, |r| <= ln(2) / 2.
struct Reduced {
  Rounded n;
  Float r;
};
} // namespace

static Reduced reduceByLn2(Float x) {
  const auto &ln2 = x.isF64() ? kLn2F64 : kLn2F32;
  Rounded n = roundToInteger(x, kLog2EF64[0]);
  // The first step is exact: the result has no bits below those of ln2[0].
  Float r = fma(n.value, -ln2[0], x);
  return {n, fma(n.value, -ln2[1], r)};
}

static ArrayRef<double> expTail(Float x) {
  return x.isF64() ? ArrayRef<double>(kExpF64) : ArrayRef<double>(kExpF32);
}

Float exp(Float x) {
  // Below the lower bound the result rounds to 0, above the upper to infinity;
  // both come out of the scaling.
  x = x.isF64() ? x.atLeast(-746).atMost(710) : x.atLeast(-104).atMost(89);
  auto [n, r] = reduceByLn2(x);
  Float p = polynomial(r, expTail(x));
  p = fma(fma(p, r, 1), r, 1);
  return scale(p, n.bits);
}

static ArrayRef<double> exp2Polynomial(Float x) {
  return x.isF64() ? ArrayRef<double>(kExp2F64) : ArrayRef<double>(kExp2F32);
}

Float exp2(Float x) {
  x = x.isF64() ? x.atLeast(-1077).atMost(1025) : x.atLeast(-152).atMost(129);
  Rounded n = roundToInteger(x);
  Float r = x - n.value;
  Float p = fma(polynomial(r, exp2Polynomial(x)), r, 1);
  return scale(p, n.bits);
}

Float softmaxExp2(Float x) {
  // The sum with this number holds the rounded x plus the bias of exponents in
  // its low bits, and shifting leaves those alone: 0 for x of -127.
  constexpr double shifter = 0x1.8p23 + 127;
  x = x.atLeast(-127);
  Float shifted = x + shifter;
  Float r = x - (shifted - shifter);
  Float p = fma(polynomial(r, kSoftmaxExp2F32), r, 1);
  return p * (shifted.bits() << 23).asFloat();
}

Float exp2F64(DoubleFloat x) {
  Float hi = x.hi.atLeast(-1077).atMost(1025);
  // Where hi is out of range, lo may be anything.
  Float lo = select(abs(x.hi) < 1080, x.lo, 0.0);
  Rounded n = roundToInteger(hi);
  Float r = (hi - n.value) + lo;
  Float p = fma(polynomial(r, kExp2F64), r, 1);
  return scale(p, n.bits);
}

Float expm1(Float x) {
  Float bounded =
      x.isF64() ? x.atLeast(-60).atMost(710) : x.atLeast(-30).atMost(89);
  auto [n, r] = reduceByLn2(bounded);
  Float p = fma(r * r, polynomial(r, expTail(x)), r);
  // (2^n - 1) + 2^n p, halved so that 2^n does not overflow before the result.
  Float half = powerOfTwo(n.bits - 1, x);
  Float result = fma(p, half, half - 0.5) * 2;
  // Keeps the sign of 0 and the bits of subnormal numbers.
  return select(abs(x) < (x.isF64() ? 0x1p-54 : 0x1p-25), x, result);
}

Split splitAtSqrtHalf(Float x) {
  bool f64 = x.isF64();
  unsigned shift = x.mantissaBits();
  uint64_t sqrtHalf = f64 ? 0x3FE6A09E667F3BCD : 0x3F3504F3;
  uint64_t one = f64 ? 0x3FF0000000000000 : 0x3F800000;
  // Adding 1 - sqrt(1/2) carries into the exponent iff m would reach sqrt(2).
  Int shifted = x.bits() + (one - sqrtHalf);
  Int biased = shifted >> shift;
  Float m = ((shifted & ((uint64_t(1) << shift) - 1)) + sqrtHalf).asFloat();
  // An integer to float by its bits: vectors of i64 have no instruction for
  // that on AVX2.
  double magic = f64 ? 0x1p52 : 0x1p23;
  uint64_t magicBits = f64 ? 0x4330000000000000 : 0x4B000000;
  Float exponent = (biased | magicBits).asFloat() - (magic + double(x.bias()));
  return {exponent, m, biased};
}

namespace {
/// Of a logarithm: log 2, 1 / ln(base), each as a sum of two, and for f32 the
/// polynomial.
struct Base {
  const double *log2;
  const double *perLn;
  ArrayRef<double> tailF32;
};
} // namespace

static constexpr double kOne[] = {1, 0};

static Base naturalBase(Float x) {
  return {x.isF64() ? kLn2F64 : kLn2F32, kOne, kLogF32};
}
static Base binaryBase(Float x) {
  return {kOne, x.isF64() ? kLog2EF64 : kLog2EF32, kLog2F32};
}
static Base decimalBase(Float x) {
  return {x.isF64() ? kLog10Of2F64 : kLog10Of2F32,
          x.isF64() ? kLog10EF64 : kLog10EF32, kLog10F32};
}

/// a · b + c, without the arithmetic that constants 0 and 1 make needless.
static Float fmaConstant(Float a, double b, Float c) {
  return b == 0 ? c : b == 1 ? a + c : fma(a, b, c);
}

/// log(2^k (1 + f)): the terms that are small against k log 2 first, so that
/// each of the last two steps is rounded once.
static Float logOf(Float k, Float f, const Base &base) {
  Float tail = f;
  if (f.isF64()) {
    // ln(1+f) = f - s (f - s^2 P), s = f / (2 + f).
    Float s = f / (f + 2);
    Float z = s * s;
    Float lo = s * fma(z, polynomial(z, kLogF64), -f);
    tail = base.perLn[0] == 1 ? lo : lo * base.perLn[0];
  } else {
    tail = (f * f) * polynomial(f, base.tailF32);
  }
  tail = fmaConstant(f, base.perLn[1], tail);
  tail = fmaConstant(k, base.log2[1], tail);
  Float y = fmaConstant(f, base.perLn[0], tail);
  return fmaConstant(k, base.log2[0], y);
}

/// The values of a logarithm where `argument`, x or 1 + x, is no positive
/// number; infinity and NaN are their own.
static Float logSpecials(Float argument, Float x, Float result) {
  result = select(x < x.infinity(), result, x);
  result = select(argument == 0, -x.infinity(), result);
  return select(argument < 0, x.nan(), result);
}

static Float logarithm(Float x, const Base &base) {
  bool f64 = x.isF64();
  Mask tiny = x < (f64 ? 0x1p-1022 : 0x1p-126);
  Split split = splitAtSqrtHalf(select(tiny, x * (f64 ? 0x1p54 : 0x1p24), x));
  Float k = split.exponent - select(tiny, x.num(f64 ? 54 : 24), 0.0);
  return logSpecials(x, x, logOf(k, split.m - 1, base));
}

Float log(Float x) { return logarithm(x, naturalBase(x)); }
Float log2(Float x) { return logarithm(x, binaryBase(x)); }
Float log10(Float x) { return logarithm(x, decimalBase(x)); }

Float log1p(Float x) {
  auto [sum, error] = twoSum(x.num(1), x);
  Split split = splitAtSqrtHalf(sum);
  // The part of x that the sum lost, over 2^k. For the largest k the factor
  // comes out as 0, and the part does not count.
  Int exponent = split.biased.num(2 * x.bias() + 1) - split.biased;
  Float twiceInverse = (exponent << x.mantissaBits()).asFloat();
  Float f = fma(error * 0.5, twiceInverse, split.m - 1);
  Float result = logSpecials(sum, x, logOf(split.exponent, f, naturalBase(x)));
  return select(x == 0, x, result);
}

DoubleFloat log2F64(Float x) {
  Mask tiny = x < 0x1p-1022;
  Split split = splitAtSqrtHalf(select(tiny, x * 0x1p54, x));
  Float k = split.exponent - select(tiny, x.num(54), 0.0);
  Float f = split.m - 1;

  // s = f / (2 + f).
  DoubleFloat d = fastTwoSum(split.m.num(1), split.m);
  Float inverse = 1.0 / d.hi;
  Float sHi = f * inverse;
  Float sLo = fma(-sHi, d.lo, fma(-sHi, d.hi, f)) * inverse;
  // z = s^2.
  auto [zHi, zError] = twoProduct(sHi, sHi);
  Float zLo = fma(sHi * 2, sLo, zError);
  // v = 2 + 2/3 z + z^2 P(z); the last term may be as rough as an f64.
  auto [cHi, cError] = twoProduct(zHi, kTwoThirds[0]);
  Float cLo = cError + fma(zHi, kTwoThirds[1], zLo * kTwoThirds[0]);
  DoubleFloat w = fastTwoSum(cHi, (zHi * zHi) * polynomial(zHi, kLogTailF64));
  DoubleFloat v = fastTwoSum(x.num(2), w.hi);
  Float vLo = v.lo + (w.lo + cLo);
  // ln m = s v, log2 m = ln m / ln 2.
  auto [lnHi, lnError] = twoProduct(sHi, v.hi);
  Float lnLo = lnError + fma(sHi, vLo, sLo * v.hi);
  auto [mHi, mError] = twoProduct(lnHi, kLog2EF64[0]);
  Float mLo = mError + fma(lnHi, kLog2EF64[1], lnLo * kLog2EF64[0]);
  DoubleFloat sum = fastTwoSum(k, mHi);
  return fastTwoSum(sum.hi, sum.lo + mLo);
}

} // namespace mlir::ds::lanes
