//===- MathCoefficients.h - Minimax polynomials -----------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
// Printed by scripts/fit-polynomials, which holds the functions, intervals and
// weights. Coefficients are in ascending order. Tables of f32 functions hold
// values that are exact in f32.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_MATHCOEFFICIENTS_H
#define DS_LIB_CODEGEN_CPU_MATHCOEFFICIENTS_H

// clang-format off
namespace mlir::ds::coefficients {

/// e^r = 1 + r + r^2 P(r) for |r| <= ln(2)/2, relative.
/// Error 2^-28.3, with rounded coefficients 2^-27.8.
inline constexpr double kExpF32[] = {
    0x1.fffffc0000000p-2, 0x1.5554900000000p-3,
    0x1.5558f40000000p-5, 0x1.123a6c0000000p-7,
    0x1.6a23520000000p-10,
};

/// e^r = 1 + r + r^2 P(r) for |r| <= ln(2)/2, relative.
/// Error 2^-57.9, with rounded coefficients 2^-56.5.
inline constexpr double kExpF64[] = {
    0x1.000000000000ap-1, 0x1.55555555554f9p-3,
    0x1.55555555507f0p-5, 0x1.1111111127e81p-7,
    0x1.6c16c1844b0d5p-10, 0x1.a01a0129b5551p-13,
    0x1.a01999adace3cp-16, 0x1.71df2629ee27bp-19,
    0x1.28adce8df304cp-22, 0x1.ad7f068b67f8cp-26,
};

/// 2^r = 1 + r P(r) for |r| <= 1/2, relative.
/// Error 2^-28.5, with rounded coefficients 2^-25.5.
inline constexpr double kExp2F32[] = {
    0x1.62e4320000000p-1, 0x1.ebfbe20000000p-3,
    0x1.c6ae720000000p-5, 0x1.3b270e0000000p-7,
    0x1.5f72760000000p-10, 0x1.470b480000000p-13,
};

/// 2^r = 1 + r P(r) for |r| <= 1/2, relative.
/// Error 2^-63.9, with rounded coefficients 2^-55.6.
inline constexpr double kExp2F64[] = {
    0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3,
    0x1.c6b08d704a0d6p-5, 0x1.3b2ab6fba4ea8p-7,
    0x1.5d87fe78a130ep-10, 0x1.430912f859943p-13,
    0x1.ffcbfc7ac311cp-17, 0x1.62c0229a6489fp-20,
    0x1.b524d0eb1e853p-24, 0x1.e4cd9d85bb5bcp-28,
    0x1.ea1421f0be997p-32, 0x1.c6d991dd1268cp-36,
};

/// 2^r = 1 + r P(r) for |r| <= 1/2, relative.
/// Error 2^-21.1, with rounded coefficients 2^-21.1.
inline constexpr double kSoftmaxExp2F32[] = {
    0x1.62e39e0000000p-1, 0x1.ebfa4e0000000p-3,
    0x1.c743220000000p-5, 0x1.3cbea80000000p-7,
    0x1.23a62c0000000p-10,
};

/// ln(1+f) = f + f^2 P(f) for sqrt(1/2) <= 1+f <= sqrt(2), relative.
/// Error 2^-27.9, with rounded coefficients 2^-27.0.
inline constexpr double kLogF32[] = {
    -0x1.fffff80000000p-2, 0x1.5555500000000p-2,
    -0x1.0004300000000p-2, 0x1.99a48c0000000p-3,
    -0x1.5425ec0000000p-3, 0x1.2264280000000p-3,
    -0x1.0f35fe0000000p-3, 0x1.08a4080000000p-3,
    -0x1.3923080000000p-4,
};

/// log2(1+f) = f / ln 2 + f^2 P(f) for sqrt(1/2) <= 1+f <= sqrt(2), relative.
/// Error 2^-27.9, with rounded coefficients 2^-26.9.
inline constexpr double kLog2F32[] = {
    -0x1.7154700000000p-1, 0x1.ec70940000000p-2,
    -0x1.715a820000000p-2, 0x1.277eaa0000000p-2,
    -0x1.eabae40000000p-3, 0x1.a2f22e0000000p-3,
    -0x1.8746500000000p-3, 0x1.7dcbc00000000p-3,
    -0x1.c3c2d00000000p-4,
};

/// log10(1+f) = f / ln 10 + f^2 P(f) for sqrt(1/2) <= 1+f <= sqrt(2), relative.
/// Error 2^-27.9, with rounded coefficients 2^-27.2.
inline constexpr double kLog10F32[] = {
    -0x1.bcb7aa0000000p-3, 0x1.287a700000000p-3,
    -0x1.bcbef80000000p-4, 0x1.63cfaa0000000p-4,
    -0x1.2772ec0000000p-4, 0x1.f876160000000p-5,
    -0x1.d724420000000p-5, 0x1.cbba640000000p-5,
    -0x1.0ffcba0000000p-5,
};

/// ln((1+s)/(1-s)) = 2s + s z P(z), z = s^2, for |s| <= 3 - sqrt(8), relative.
/// Error 2^-59.5, with rounded coefficients 2^-58.9.
inline constexpr double kLogF64[] = {
    0x1.5555555555592p-1, 0x1.999999997fdb7p-2,
    0x1.24924941f1251p-2, 0x1.c71c52095cb01p-3,
    0x1.74663ee88c0d1p-3, 0x1.39a1bab3c9fddp-3,
    0x1.2f0563abf1351p-3,
};

/// ln((1+s)/(1-s)) = 2s + 2/3 s z + s z^2 P(z), relative.
/// Error 2^-66.3, with rounded coefficients 2^-65.9.
inline constexpr double kLogTailF64[] = {
    0x1.9999999999b30p-2, 0x1.2492492457db5p-2,
    0x1.c71c722d5e03fp-3, 0x1.745ce9e65d353p-3,
    0x1.3b1eeb7b6f964p-3, 0x1.0f7ff7058fa18p-3,
    0x1.0e422d0e7b4a8p-3,
};

/// sin r = r + r z P(z), z = r^2, for |r| <= pi/4, relative.
/// Error 2^-28.1, with rounded coefficients 2^-27.5.
inline constexpr double kSinF32[] = {
    -0x1.5555460000000p-3, 0x1.1107600000000p-7,
    -0x1.994e5a0000000p-13,
};

/// cos r = 1 - z/2 + z^2 P(z), z = r^2, for |r| <= pi/4, absolute.
/// Error 2^-33.3, with rounded coefficients 2^-30.9.
inline constexpr double kCosF32[] = {
    0x1.55554a0000000p-5, -0x1.6c0c8a0000000p-10,
    0x1.9a020a0000000p-16,
};

/// sin r = r + r z P(z), z = r^2, for |r| <= pi/4, relative.
/// Error 2^-58.0, with rounded coefficients 2^-57.2.
inline constexpr double kSinF64[] = {
    -0x1.5555555555549p-3, 0x1.111111110f87ap-7,
    -0x1.a01a019c11962p-13, 0x1.71de3577b3d93p-19,
    -0x1.ae5e66387a478p-26, 0x1.5d93006845f23p-33,
};

/// cos r = 1 - z/2 + z^2 P(z), z = r^2, for |r| <= pi/4, absolute.
/// Error 2^-64.2, with rounded coefficients 2^-59.9.
inline constexpr double kCosF64[] = {
    0x1.555555555554cp-5, -0x1.6c16c16c1517ep-10,
    0x1.a01a019cb1be6p-16, -0x1.27e4f809f0f15p-22,
    0x1.1ee9ebe94c5b0p-29, -0x1.8fae9c7c8b43bp-37,
};

/// erf x = x + x P(z), z = x^2, for |x| <= 1.1, relative.
/// Error 2^-27.8, with rounded coefficients 2^-24.9.
inline constexpr double kErfF32[] = {
    0x1.06eba80000000p-3, -0x1.81272c0000000p-2,
    0x1.ce29e40000000p-4, -0x1.b7c52c0000000p-6,
    0x1.527c0a0000000p-8, -0x1.993fa00000000p-11,
    0x1.2d7ca60000000p-14,
};

/// erf x = 1 - 1 / P(x)^8 for 1.1 <= x <= 3.925, absolute.
/// Error 2^-27.0, with rounded coefficients 2^-25.0.
inline constexpr double kErfTailF32[] = {
    0x1.fcbf0c0000000p-1, 0x1.5fb5760000000p-3,
    0x1.ac28420000000p-6, 0x1.8ef9060000000p-4,
    -0x1.82e4ae0000000p-5, 0x1.751bf00000000p-6,
    -0x1.45d3e40000000p-8, 0x1.4657800000000p-11,
};

/// erf x = x P(z), z = x^2, for |x| <= 1, relative.
/// Error 2^-56.9, with rounded coefficients 2^-55.0.
inline constexpr double kErfF64[] = {
    0x1.20dd750429b6dp+0, -0x1.812746b0379bdp-2,
    0x1.ce2f21a040d16p-4, -0x1.b82ce311fa93bp-6,
    0x1.565bccf92b29dp-8, -0x1.c02db03dd64cdp-11,
    0x1.f9a2baa8ecd44p-14, -0x1.f4ca4d6e402b1p-17,
    0x1.b97fd3d0a0198p-20, -0x1.5c0726be3c879p-23,
    0x1.d71b0dde1c7d7p-27, -0x1.abae45b859ca5p-31,
};

/// e^(x^2) erfc x = P(t) / (1 + 2x), t = (x-4)/(x+4), for 0 <= x <= 28, relative.
/// Error 2^-56.3, with rounded coefficients 2^-54.2.
inline constexpr double kErfcxF64[] = {
    0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a29cp-3,
    0x1.f7f5df66fd71ep-7, 0x1.16ecefcfa6043p-4,
    -0x1.9ddb23c3e8a4dp-4, 0x1.7fee004df6ac1p-4,
    -0x1.0fb06dfe58cc1p-4, 0x1.3079edf9f9aacp-5,
    -0x1.09623880774fcp-6, 0x1.49c67191a9a4bp-8,
    -0x1.8d4a9feefdd34p-11, -0x1.a1de83d069a55p-13,
    0x1.3be0d2dd7e19dp-13, -0x1.9969d5ed1f1ffp-16,
    -0x1.78a87280ffe49p-17, 0x1.7fae6252e14e6p-18,
    0x1.443923ac35493p-22, -0x1.bfe1200208768p-21,
    0x1.0bf5985738447p-24, 0x1.ec097a850773bp-24,
    -0x1.0b4822dc21738p-27, -0x1.cbf2c9795bd10p-27,
    -0x1.d822a38a9c167p-30,
};

/// asin x = x + x z P(z), z = x^2, for |x| <= 1/2, relative.
/// Error 2^-59.8, with rounded coefficients 2^-58.9.
inline constexpr double kAsinF64[] = {
    0x1.5555555555578p-3, 0x1.333333332df7ep-4,
    0x1.6db6db72260d3p-5, 0x1.f1c71a8dc29e1p-6,
    0x1.6e8bdfa6826b1p-6, 0x1.1c49e2b9fe45ap-6,
    0x1.ca20ce315530fp-7, 0x1.757b790581a7dp-7,
    0x1.6173f8e20ecb6p-7, 0x1.e2be4aefb654bp-9,
    0x1.6492c031a84dfp-6, -0x1.5954970dd8b79p-6,
    0x1.0bb0689aee446p-5,
};

/// atan x = x + x z P(z), z = x^2, for |x| <= tan(pi/8), relative.
/// Error 2^-64.3, with rounded coefficients 2^-58.1.
inline constexpr double kAtanF64[] = {
    -0x1.5555555555554p-2, 0x1.999999999965ap-3,
    -0x1.2492492475d46p-3, 0x1.c71c71b77860cp-4,
    -0x1.745d14bfc2dcap-4, 0x1.3b136eadf3757p-4,
    -0x1.110c79ce1a601p-4, 0x1.e172828e4ee44p-5,
    -0x1.ab80a4713b258p-5, 0x1.70f98e7d2edfbp-5,
    -0x1.125351fc9b92ep-5, 0x1.f255290ed419ep-7,
};

/// ln 2 as a sum.
inline constexpr double kLn2F32[] = {0x1.62e4300000000p-1, -0x1.05c6100000000p-29};

/// log10 2 as a sum.
inline constexpr double kLog10Of2F32[] = {0x1.3441360000000p-2, -0x1.ec10c00000000p-27};

/// 1 / ln 2 as a sum.
inline constexpr double kLog2EF32[] = {0x1.7154760000000p+0, 0x1.4ae0c00000000p-26};

/// 1 / ln 10 as a sum.
inline constexpr double kLog10EF32[] = {0x1.bcb7b20000000p-2, -0x1.5b235e0000000p-27};

/// ln 2 as a sum.
inline constexpr double kLn2F64[] = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

/// log10 2 as a sum.
inline constexpr double kLog10Of2F64[] = {0x1.34413509f79ffp-2, -0x1.9dc1da994fd21p-59};

/// 1 / ln 2 as a sum.
inline constexpr double kLog2EF64[] = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};

/// 1 / ln 10 as a sum.
inline constexpr double kLog10EF64[] = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};

/// 2/3 as a sum.
inline constexpr double kTwoThirds[] = {0x1.5555555555555p-1, 0x1.5555555555555p-55};

/// 1/3 as a sum.
inline constexpr double kThird[] = {0x1.5555555555555p-2, 0x1.5555555555555p-56};

/// pi/2 as a sum.
inline constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};

/// The first 1196 bits of 2/pi in pieces of 26, each times 2^200: enough for
/// the largest f64.
inline constexpr double kTwoOverPi[] = {
    0x1.45f3068000000p+199, 0x1.7272208000000p+173,
    0x1.4a7f090000000p+146, 0x1.abe8fa8000000p+121,
    0x1.a6ee060000000p+93, 0x1.b629590000000p+68,
    0x1.2788720000000p+43, 0x1.07f9440000000p+14,
    0x1.8eaf7a0000000p-10, 0x1.de2b0d8000000p-35,
    0x1.c91b8e0000000p-62, 0x1.2126e90000000p-87,
    0x1.c00c920000000p-113, 0x1.77504e8000000p-139,
    0x1.921cfc0000000p-168, 0x1.0ef58e0000000p-191,
    0x1.62534e0000000p-217, 0x1.f744118000000p-243,
    0x1.7d4bae0000000p-270, 0x1.a242748000000p-295,
    0x1.38e04d0000000p-321, 0x1.a2fbf20000000p-347,
    0x1.3991d40000000p-376, 0x1.1cc1a98000000p-399,
    0x1.cfa4e40000000p-427, 0x1.17e2ec0000000p-454,
    0x1.bf25070000000p-477, 0x1.8ffc4b8000000p-503,
    0x1.ffbc0b0000000p-529, 0x1.80fef20000000p-556,
    0x1.e2316b0000000p-581, 0x1.05368f8000000p-607,
    0x1.b4d9fb0000000p-634, 0x1.e4f9600000000p-661,
    0x1.36e9e88000000p-685, 0x1.1fb34f0000000p-711,
    0x1.7fa8b50000000p-738, 0x1.a93dd60000000p-763,
    0x1.faf97c0000000p-790, 0x1.7b3d070000000p-816,
    0x1.cfbc520000000p-843, 0x1.292ea60000000p-868,
    0x1.7f6bf60000000p-893, 0x1.1f8d5d0000000p-920,
    0x1.0ac0600000000p-949, 0x1.8237e38000000p-971,
};

} // namespace mlir::ds::coefficients
// clang-format on

#endif // DS_LIB_CODEGEN_CPU_MATHCOEFFICIENTS_H
