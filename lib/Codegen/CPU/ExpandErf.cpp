//===- ExpandErf.cpp - The error function ---------------------------------===//
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

/// erfc a for a >= 0: e^(-a^2) P(t) / (1 + 2a) with t = (a - 4) / (a + 4), the
/// variable of Shepherd and Laframboise (1981), which makes one polynomial
/// serve all arguments.
static Float erfcOfMagnitude(Float a) {
  a = a.atMost(28);
  Float p = polynomial((a - 4) / (a + 4), kErfcxF64) / fma(a, 2, 1);
  DoubleFloat square = twoProduct(a, a);
  Float e = exp(-square.hi);
  return fma(-e, square.lo, e) * p;
}

Float erf(Float x) {
  Float a = abs(x);
  if (!x.isF64()) {
    // 1 - erf is below half an ulp from the end of the fit on.
    Float bounded = a.atMost(3.925);
    Float z = bounded * bounded;
    Float r = (bounded * polynomial(z, kErfF32P)) / polynomial(z, kErfF32Q);
    r = select(a >= 3.925, 1.0, r.atMost(1));
    return copySign(r, x);
  }
  Float bounded = a.atMost(1);
  Float small = bounded * polynomial(bounded * bounded, kErfF64);
  return copySign(select(a < 1, small, 1.0 - erfcOfMagnitude(a)), x);
}

Float erfcF64(Float x) {
  Float r = erfcOfMagnitude(abs(x));
  return select(x < 0, 2.0 - r, r);
}

} // namespace mlir::ds::lanes
