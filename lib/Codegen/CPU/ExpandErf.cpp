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

static Float erfF32(Float x) {
  Float a = abs(x);
  Float small = fma(a, polynomial(a * a, kErfF32), a);
  // Approximating a root of 1 / erfc makes a short polynomial do. It grows, so
  // that large a, infinity included, give 1.
  Float root = polynomial(a, kErfTailF32);
  Float square = root * root;
  Float fourth = square * square;
  Float large = 1.0 - 1.0 / (fourth * fourth);
  return copySign(select(a < 1.1, small, large), x);
}

/// erf a for 0 <= a < 1.
static Float erfOfSmall(Float a) { return a * polynomial(a * a, kErfF64); }

Float erf(Float x) {
  if (!x.isF64())
    return erfF32(x);
  Float a = abs(x);
  Float large = 1.0 - erfcOfMagnitude(a);
  return copySign(select(a < 1, erfOfSmall(a), large), x);
}

Float erfcF64(Float x) {
  Float a = abs(x);
  Float r = select(a < 0.5, 1.0 - erfOfSmall(a), erfcOfMagnitude(a));
  return select(x < 0, 2.0 - r, r);
}

} // namespace mlir::ds::lanes
