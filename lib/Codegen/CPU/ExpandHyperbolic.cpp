//===- ExpandHyperbolic.cpp - Hyperbolic functions ------------------------===//
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

Float tanh(Float x) {
  // With t = e^(-2|x|) - 1: nothing cancels and nothing overflows.
  Float t = expm1(abs(x) * -2);
  return copySign(t / (t + 2), x);
}

/// e^a / 2 without overflow where the result is finite, for large a.
static Float halfExp(Float a) {
  Float root = exp(a * 0.5);
  return (root * 0.5) * root;
}

Float sinhF64(Float x) {
  Float a = abs(x);
  Float t = expm1(a);
  Float result = (t + t / (t + 1)) * 0.5;
  return copySign(select(a > 709, halfExp(a), result), x);
}

Float coshF64(Float x) {
  Float a = abs(x);
  Float e = exp(a);
  return select(a > 709, halfExp(a), fma(e, 0.5, 0.5 / e));
}

/// ln(2a) for large a, which is asinh and acosh to the last bit.
static Float logOfTwice(Float a) { return log(a) + kLn2F64[0]; }

Float asinhF64(Float x) {
  Float a = abs(x);
  Float square = a * a;
  Float result = log1p(a + square / (sqrt(square + 1) + 1));
  return copySign(select(a > 0x1p28, logOfTwice(a), result), x);
}

Float acoshF64(Float x) {
  Float t = x - 1;
  Float result = log1p(t + sqrt(fma(t, t, t * 2)));
  result = select(x > 0x1p28, logOfTwice(x), result);
  return select(x < 1, x.nan(), result);
}

Float atanhF64(Float x) {
  Float a = abs(x);
  return copySign(log1p((a * 2) / (1.0 - a)) * 0.5, x);
}

} // namespace mlir::ds::lanes
