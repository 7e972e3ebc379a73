//===- MathFunctions.h - Elementary functions without libm ------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
// Each function emits straight-line arithmetic unless it says otherwise. The
// types are f32 or f64, except where a name says F64. Special values are those
// of C's Annex F. Measured errors: docs/math-accuracy.md.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_MATHFUNCTIONS_H
#define DS_LIB_CODEGEN_CPU_MATHFUNCTIONS_H

#include "Lanes.h"

namespace mlir::ds::lanes {

/// An unevaluated sum, |lo| at most half an ulp of hi.
struct DoubleFloat {
  Float hi, lo;
};

/// a + b where |a| >= |b| or a is 0.
inline DoubleFloat fastTwoSum(Float a, Float b) {
  Float sum = a + b;
  return {sum, b - (sum - a)};
}
/// a + b.
inline DoubleFloat twoSum(Float a, Float b) {
  Float sum = a + b;
  Float partOfB = sum - a;
  return {sum, (a - (sum - partOfB)) + (b - partOfB)};
}
/// a · b.
inline DoubleFloat twoProduct(Float a, FloatArg b) {
  Float product = a * b;
  return {product, fma(a, b, -product)};
}

// ExpandExpLog.cpp
Float exp(Float x);
Float exp2(Float x);
/// 2^x of an x <= 0 of f32, 0 where that is 2^-126.5 or less.
Float softmaxExp2(Float x);
/// 2^(hi + lo) in f64.
Float exp2F64(DoubleFloat x);
Float expm1(Float x);
Float log(Float x);
Float log2(Float x);
Float log10(Float x);
Float log1p(Float x);
/// log2 x in f64 with a relative error below 2^-63, for finite x > 0.
DoubleFloat log2F64(Float x);

/// x = m · 2^exponent with sqrt(1/2) <= m < sqrt(2), for x > 0 and normal.
struct Split {
  Float exponent, m;
  /// The exponent plus the bias, in the low bits.
  Int biased;
};
Split splitAtSqrtHalf(Float x);

// ExpandTrig.cpp. sin and cos branch around the reduction of large arguments.
struct SinCos {
  Float sin, cos;
};
SinCos sincos(Float x);
Float tanF64(Float x);
Float asinF64(Float x);
Float acosF64(Float x);
Float atanF64(Float x);
Float atan2F64(Float y, Float x);

// ExpandHyperbolic.cpp
Float tanh(Float x);
Float sinhF64(Float x);
Float coshF64(Float x);
Float asinhF64(Float x);
Float acoshF64(Float x);
Float atanhF64(Float x);

// ExpandErf.cpp
Float erf(Float x);
Float erfcF64(Float x);

// ExpandPow.cpp
Float pow(Float x, Float y);
/// x^n, n any integer.
Float powi(Float x, Int n);
/// n^m modulo 2^width; 0 for m < 0 unless n is 1 or -1. A loop.
Int powi(Int n, Int m);
Float cbrtF64(Float x);
/// The remainder of C's fmod, exact. A loop.
Float fmod(Float x, Float y);

// ExpandHalf.cpp
/// f32 to bf16, rounded to nearest even, in integer arithmetic.
Value toBF16(Float x);
/// f64 to f32 so that a further rounding to a narrower type is the only one
/// that counts: exact values stay, others go to the odd neighbour.
Float toF32RoundOdd(Float x);

} // namespace mlir::ds::lanes

#endif // DS_LIB_CODEGEN_CPU_MATHFUNCTIONS_H
