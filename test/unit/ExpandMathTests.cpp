//===- ExpandMathTests.cpp - Accuracy of the expanded math functions ------===//
//
// Part of the ds project, under the Apache License v2.0.
//
// Sweeps the bit patterns of f32 and samples those of f64, and compares with
// the C library in the next wider type. Prints the largest errors as a table.
//
//   ds-math-tests [--stride=N]     every N-th bit pattern of f32
//
//===----------------------------------------------------------------------===//

#include "MathKernels.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringRef.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

using namespace ds::test;

static uint64_t stride = 1499;

template <typename To, typename From> static To bitcast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

//===----------------------------------------------------------------------===//
// Functions and their references
//===----------------------------------------------------------------------===//

namespace {
struct Unary {
  const char *name;
  double (*f32)(double);
  long double (*f64)(long double);
  double maxF32, maxF64; ///< ulp
};
} // namespace

#define LIBM(name)                                                             \
  static_cast<double (*)(double)>(std::name),                                  \
      static_cast<long double (*)(long double)>(std::name)

static double rsqrt32(double x) { return 1 / std::sqrt(x); }
static long double rsqrt64(long double x) { return 1 / std::sqrt(x); }

static const Unary unaries[] = {
    {"acos", LIBM(acos), 0.6, 2},
    {"acosh", LIBM(acosh), 0.6, 3},
    {"asin", LIBM(asin), 0.6, 3},
    {"asinh", LIBM(asinh), 0.6, 3},
    {"atan", LIBM(atan), 0.6, 3},
    {"atanh", LIBM(atanh), 0.6, 3},
    {"cbrt", LIBM(cbrt), 0.6, 2},
    {"cos", LIBM(cos), 2, 1},
    {"cosh", LIBM(cosh), 0.6, 3},
    {"erf", LIBM(erf), 3, 2},
    {"erfc", LIBM(erfc), 0.6, 4},
    {"exp", LIBM(exp), 1, 1},
    {"exp2", LIBM(exp2), 1.5, 1},
    {"expm1", LIBM(expm1), 2, 3},
    {"log", LIBM(log), 1, 1},
    {"log10", LIBM(log10), 2, 2},
    {"log1p", LIBM(log1p), 2, 2},
    {"log2", LIBM(log2), 2, 2},
    {"rsqrt", rsqrt32, rsqrt64, 1.5, 1.5},
    {"sin", LIBM(sin), 2, 1},
    {"sinh", LIBM(sinh), 0.6, 3},
    {"tan", LIBM(tan), 0.6, 3},
    {"tanh", LIBM(tanh), 3, 3},
};

static const char *const types[] = {"f32", "f64"};

static std::vector<KernelSpec> specs() {
  std::vector<KernelSpec> list;
  for (std::string type : types) {
    for (const Unary &unary : unaries)
      list.push_back({unary.name + ("_" + type),
                      "math." + std::string(unary.name) + " %a : $r", type, "",
                      type});
    for (const char *op : {"math.powf", "math.atan2", "arith.remf"})
      list.push_back({llvm::StringRef(op).split('.').second.str() + "_" + type,
                      op + std::string(" %a, %b : $r"), type, type, type});
    list.push_back(
        {"fpowi_" + type, "math.fpowi %a, %b : $a, $b", type, "i32", type});
  }
  for (auto [from, to] : {std::pair("f32", "bf16"),
                          {"f64", "bf16"},
                          {"f64", "f16"},
                          {"f32", "f16"}})
    list.push_back({std::string(from) + "_" + to, "arith.truncf %a : $a to $r",
                    from, "", to});
  for (const char *from : {"i8", "i16", "i32", "i64"})
    for (const char *op : {"sitofp", "uitofp"})
      list.push_back({std::string(op) + "_" + from,
                      "arith." + std::string(op) + " %a : $a to $r", from, "",
                      "bf16"});
  list.push_back({"softmax_exp2", "ds.softmax_exp2 %a : $r", "f32", "", "f32"});
  list.push_back({"ipowi", "math.ipowi %a, %b : $r", "i32", "i32", "i32"});
  return list;
}

/// Compiled once for all tests.
static const MathKernels &kernels() {
  static const MathKernels all(specs());
  return all;
}

//===----------------------------------------------------------------------===//
// Errors in units in the last place
//===----------------------------------------------------------------------===//

/// |got - want| in ulps of `want`; 0 for NaN and NaN, infinite for NaN and not.
/// Infinity counts as the number that overflow begins at.
template <typename T, typename Wide> static double ulps(T got, Wide want) {
  if (std::isnan(got) || std::isnan(want))
    return std::isnan(got) && std::isnan(want)
               ? 0
               : std::numeric_limits<double>::infinity();
  if (got == want)
    return 0;
  using Limits = std::numeric_limits<T>;
  Wide edge = std::ldexp(Wide(1), Limits::max_exponent);
  auto bounded = [&](Wide x) { return std::clamp(x, -edge, edge); };
  Wide reference = bounded(want);
  int exponent = reference == 0 ? Limits::min_exponent
                                : std::max<int>(std::ilogb(reference) + 1,
                                                Limits::min_exponent);
  return double(std::fabs(bounded(Wide(got)) - reference) /
                std::ldexp(Wide(1), exponent - Limits::digits));
}

namespace {
struct Worst {
  double error = 0, at = 0, at2 = 0, got = 0;
  void see(double e, double a, double b, double g) {
    if (e > error)
      *this = {e, a, b, g};
  }
};
} // namespace

/// Rows of the table, in the order of the tests.
static std::vector<std::string> report;

static void addRow(const std::string &name, const Worst &worst, double bound) {
  char row[160];
  std::snprintf(row, sizeof(row), "| %s | %.3f | %g | %.9g |", name.c_str(),
                worst.error, bound, worst.at);
  report.push_back(row);
}

/// Runs both kernels on `count` elements, a multiple of 16, and expects equal
/// bits.
template <typename R, typename A, typename B = int>
static std::vector<R> run(const std::string &name, const std::vector<A> &a,
                          const std::vector<B> &b = {}) {
  std::vector<R> scalar(a.size()), vector(a.size());
  Kernel kernel = kernels()[name];
  kernel.scalar(a.data(), b.data(), scalar.data(), a.size());
  kernel.vector(a.data(), b.data(), vector.data(), a.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&scalar[i], &vector[i], sizeof(R)) != 0) {
      if constexpr (std::is_floating_point_v<R>)
        if (std::isnan(scalar[i]) && std::isnan(vector[i]))
          continue;
      ADD_FAILURE() << name << ": scalar and vector differ at " << double(a[i]);
      break;
    }
  return scalar;
}

//===----------------------------------------------------------------------===//
// Accuracy of functions of one argument
//===----------------------------------------------------------------------===//

static constexpr size_t kBlock = 1 << 16;

static void sweep(const Unary &unary) {
  Worst worst;
  std::vector<float> block;
  auto flush = [&] {
    while (block.size() % 16 != 0)
      block.push_back(0.5f);
    std::vector<float> got =
        run<float>(unary.name + std::string("_f32"), block);
    for (size_t i = 0; i < block.size(); ++i)
      worst.see(ulps(got[i], unary.f32(block[i])), block[i], 0, got[i]);
    block.clear();
  };
  auto add = [&](uint32_t bits) {
    block.push_back(bitcast<float>(bits));
    if (block.size() == kBlock)
      flush();
  };
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += stride)
    add(uint32_t(bits));
  // Around 0, powers of two, infinity, and where results leave the range.
  for (float center :
       {0.0f, 0x1p-149f, 0x1p-126f, 0.25f, 0.5f, 1.0f, 2.0f, 3.925f, 88.72284f,
        87.33655f, 103.97208f, 128.0f, 149.0f, 0x1p40f, 3.1415927f, 1.5707964f,
        std::numeric_limits<float>::infinity()})
    for (int64_t offset = -2000; offset <= 2000; ++offset)
      for (uint32_t sign : {0u, 0x80000000u})
        add((bitcast<uint32_t>(center) + uint32_t(offset)) ^ sign);
  flush();
  EXPECT_LE(worst.error, unary.maxF32)
      << unary.name << "(" << worst.at << ") = " << worst.got;
  addRow(unary.name + std::string(" f32"), worst, unary.maxF32);
}

/// Doubles of all magnitudes, of ordinary ones, and near the sweep's points.
static std::vector<double> samples(size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<double> list;
  for (size_t i = 0; i < count; ++i) {
    list.push_back(bitcast<double>(random()));
    list.push_back(std::uniform_real_distribution<>(-2, 2)(random));
    list.push_back(std::uniform_real_distribution<>(-40, 40)(random));
    list.push_back(std::uniform_real_distribution<>(-1100, 1100)(random));
  }
  for (double center :
       {0.0, 0x1p-1074, 0x1p-1022, 0.5, 1.0, 2.0, 709.782712893384, 745.1332,
        708.396418532, 26.543, 27.226, 1.5707963267948966, 0x1p28, 0x1p53,
        6381956970095103.0 * 0x1p797, std::numeric_limits<double>::infinity()})
    for (int64_t offset = -64; offset < 64; ++offset)
      for (uint64_t sign : {uint64_t(0), uint64_t(1) << 63})
        list.push_back(bitcast<double>(
            (bitcast<uint64_t>(center) + uint64_t(offset)) ^ sign));
  while (list.size() % 16 != 0)
    list.push_back(1);
  return list;
}

static void sample(const Unary &unary) {
  Worst worst;
  std::vector<double> in =
      samples(std::max<size_t>(1024, 60'000'000 / stride), 1);
  std::vector<double> got = run<double>(unary.name + std::string("_f64"), in);
  for (size_t i = 0; i < in.size(); ++i)
    worst.see(ulps(got[i], unary.f64(in[i])), in[i], 0, got[i]);
  EXPECT_LE(worst.error, unary.maxF64)
      << unary.name << "(" << worst.at << ") = " << worst.got;
  addRow(unary.name + std::string(" f64"), worst, unary.maxF64);
}

class ExpandMath : public testing::TestWithParam<Unary> {};
TEST_P(ExpandMath, F32) { sweep(GetParam()); }
TEST_P(ExpandMath, F64) {
  if (std::numeric_limits<long double>::digits < 64)
    GTEST_SKIP() << "no wider type to compare with";
  sample(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Functions, ExpandMath, testing::ValuesIn(unaries),
                         [](const testing::TestParamInfo<Unary> &info) {
                           return info.param.name;
                         });

/// Of numbers that are not positive.
TEST(ExpandMathSoftmax, Exp2) {
  constexpr double bound = 8;
  Worst worst;
  std::vector<float> block;
  auto flush = [&] {
    while (block.size() % 16 != 0)
      block.push_back(-0.5f);
    std::vector<float> got = run<float>("softmax_exp2", block);
    for (size_t i = 0; i < block.size(); ++i) {
      if (block[i] <= -126.5f)
        EXPECT_EQ(got[i], 0) << block[i];
      else
        worst.see(ulps(got[i], std::exp2(double(block[i]))), block[i], 0,
                  got[i]);
    }
    block.clear();
  };
  auto add = [&](uint32_t bits) {
    block.push_back(bitcast<float>(bits | 0x80000000u));
    if (block.size() == kBlock)
      flush();
  };
  constexpr uint32_t infinity = 0x7f800000;
  for (uint64_t bits = 0; bits <= infinity; bits += stride)
    add(uint32_t(bits));
  for (float center : {0.25f, 0.5f, 1.5f, 126.0f, 126.5f, 127.0f})
    for (int64_t offset = -2000; offset <= 2000; ++offset)
      add(bitcast<uint32_t>(center) + uint32_t(offset));
  add(infinity);
  add(0);
  flush();
  EXPECT_LE(worst.error, bound) << "at " << worst.at << ": " << worst.got;
  float zero[16] = {}, one[16];
  kernels()["softmax_exp2"].vector(zero, nullptr, one, 16);
  EXPECT_EQ(one[0], 1);
  addRow("softmax_exp2 f32", worst, bound);
}

//===----------------------------------------------------------------------===//
// Functions of two arguments
//===----------------------------------------------------------------------===//

template <typename T> static std::vector<T> interesting() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> list;
  for (T x : {T(0),
              Limits::denorm_min(),
              Limits::min(),
              T(0.3),
              T(0.5),
              T(1),
              T(1) + Limits::epsilon(),
              T(1) - Limits::epsilon() / 2,
              T(1.5),
              T(2),
              T(3),
              T(3.5),
              T(7),
              T(255),
              T(0x1p23) + 1,
              T(0x1p31),
              T(0x1p53) - 1,
              T(0x1p53),
              Limits::max(),
              Limits::infinity(),
              Limits::quiet_NaN()}) {
    list.push_back(x);
    list.push_back(-x);
  }
  return list;
}

/// All pairs of interesting numbers, then random ones: any, and ordinary.
template <typename T> static void pairs(std::vector<T> &a, std::vector<T> &b) {
  for (T x : interesting<T>())
    for (T y : interesting<T>()) {
      a.push_back(x);
      b.push_back(y);
    }
  std::mt19937_64 random(2);
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  std::uniform_real_distribution<T> base(T(0.001), 20), exponent(-30, 30);
  for (size_t i = 0, e = std::max<size_t>(1024, 150'000'000 / stride); i < e;
       ++i) {
    a.push_back(bitcast<T>(Bits(random())));
    b.push_back(bitcast<T>(Bits(random())));
    a.push_back(base(random));
    b.push_back(exponent(random));
    a.push_back(T(1) + exponent(random) * T(0x1p-16));
    b.push_back(exponent(random) * T(0x1p19));
  }
  while (a.size() % 16 != 0) {
    a.push_back(1);
    b.push_back(2);
  }
}

template <typename T, typename Wide>
static void checkBinary(const std::string &name, Wide (*reference)(Wide, Wide),
                        double bound) {
  std::vector<T> a, b;
  pairs(a, b);
  std::vector<T> got = run<T>(name, a, b);
  Worst worst;
  for (size_t i = 0; i < a.size(); ++i) {
    Wide want = reference(a[i], b[i]);
    worst.see(ulps(got[i], want), a[i], b[i], got[i]);
    if (got[i] == 0 && want == 0)
      EXPECT_EQ(std::signbit(got[i]), std::signbit(want))
          << name << "(" << a[i] << ", " << b[i] << ")";
  }
  EXPECT_LE(worst.error, bound)
      << name << "(" << worst.at << ", " << worst.at2 << ") = " << worst.got;
  std::string row = name;
  std::replace(row.begin(), row.end(), '_', ' ');
  addRow(row, worst, bound);
}

template <typename T> static T fmodOf(T a, T b) { return std::fmod(a, b); }

TEST(ExpandMathBinary, F32) {
  checkBinary<float, double>("powf_f32", std::pow, 0.6);
  checkBinary<float, double>("atan2_f32", std::atan2, 0.6);
  checkBinary<float, double>("remf_f32", fmodOf, 0);
}
TEST(ExpandMathBinary, F64) {
  if (std::numeric_limits<long double>::digits < 64)
    GTEST_SKIP() << "no wider type to compare with";
  checkBinary<double, long double>("powf_f64", std::pow, 2);
  checkBinary<double, long double>("atan2_f64", std::atan2, 3);
  checkBinary<double, long double>("remf_f64", fmodOf, 0);
}

template <typename T, typename Wide>
static void checkPowi(const std::string &name, double bound) {
  std::vector<T> a;
  std::vector<int32_t> n;
  std::mt19937_64 random(3);
  for (T x : interesting<T>())
    for (int32_t e : {0, 1, -1, 2, -2, 3, -3, 7, 1 << 24, (1 << 24) + 1,
                      INT32_MAX, INT32_MIN, -INT32_MAX}) {
      a.push_back(x);
      n.push_back(e);
    }
  std::uniform_real_distribution<T> base(-10, 10);
  while (a.size() < 100'000) {
    a.push_back(base(random));
    n.push_back(int32_t(random() % 81) - 40);
  }
  std::vector<T> got = run<T>(name, a, n);
  Worst worst;
  for (size_t i = 0; i < a.size(); ++i)
    worst.see(ulps(got[i], std::pow(Wide(a[i]), Wide(n[i]))), a[i], n[i],
              got[i]);
  EXPECT_LE(worst.error, bound)
      << name << "(" << worst.at << ", " << worst.at2 << ") = " << worst.got;
  std::string row = name;
  std::replace(row.begin(), row.end(), '_', ' ');
  addRow(row, worst, bound);
}

TEST(ExpandMathBinary, PowerOfInteger) {
  checkPowi<float, double>("fpowi_f32", 0.6);
  checkPowi<double, long double>("fpowi_f64", 2);
}

TEST(ExpandMathBinary, IntegerPower) {
  std::vector<int32_t> a, n;
  for (int32_t x = -8; x < 8; ++x)
    for (int32_t e = -8; e < 40; ++e) {
      a.push_back(x);
      n.push_back(e);
    }
  std::vector<int32_t> got = run<int32_t>("ipowi", a, n);
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t want = 1;
    for (int32_t k = 0; k < std::abs(n[i]); ++k)
      want *= uint32_t(a[i]);
    if (n[i] < 0 && a[i] != 1 && a[i] != -1)
      want = 0;
    EXPECT_EQ(uint32_t(got[i]), want) << a[i] << "^" << n[i];
  }
}

//===----------------------------------------------------------------------===//
// Exact values
//===----------------------------------------------------------------------===//

/// The C library's float functions are exact, sign of zero included, on these.
TEST(ExpandMathSpecials, MatchTheCLibrary) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<float> in = {
      0.0f,    -0.0f,  inf,     -inf,   NAN,   -1.0f,     1.0f,       -2.0f,
      -150.0f, 150.0f, -200.0f, -1e30f, 1e30f, 0x1p-149f, -0x1p-149f, 0.5f};
  for (const Unary &unary : unaries) {
    std::vector<float> got = run<float>(unary.name + std::string("_f32"), in);
    for (size_t i = 0; i < in.size(); ++i) {
      float want = float(unary.f32(in[i]));
      bool exact = want == 0 || std::isinf(want) || in[i] == 0 ||
                   (unary.name == std::string("tanh") && std::isinf(in[i])) ||
                   (unary.name == std::string("erf") && std::isinf(in[i]));
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(got[i])) << unary.name << "(" << in[i] << ")";
      else if (exact)
        EXPECT_EQ(bitcast<uint32_t>(got[i]), bitcast<uint32_t>(want))
            << unary.name << "(" << in[i] << ") = " << got[i];
    }
  }
}

/// As NaN may have any payload, no bit of which may reach the exponent.
TEST(ExpandMathSpecials, PayloadsPropagate) {
  std::vector<float> in;
  for (uint32_t payload = 1; payload < (1u << 23); payload += 4111)
    for (uint32_t sign : {0x7F800000u, 0xFF800000u})
      in.push_back(bitcast<float>(payload | sign));
  in.resize(in.size() / 16 * 16);
  for (const Unary &unary : unaries) {
    std::vector<float> got = run<float>(unary.name + std::string("_f32"), in);
    for (float x : got)
      ASSERT_TRUE(std::isnan(x)) << unary.name;
  }
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

static uint16_t narrowed(llvm::APFloat x, const llvm::fltSemantics &to) {
  bool lost;
  x.convert(to, llvm::APFloat::rmNearestTiesToEven, &lost);
  return uint16_t(x.bitcastToAPInt().getZExtValue());
}

template <typename T>
static void checkNarrowing(const std::string &name,
                           const llvm::fltSemantics &to,
                           const std::vector<T> &in) {
  std::vector<uint16_t> got = run<uint16_t>(name, in);
  for (size_t i = 0; i < in.size(); ++i) {
    if (std::isnan(in[i])) {
      bool bf16 = &to == &llvm::APFloat::BFloat();
      EXPECT_TRUE(llvm::APFloat(to, llvm::APInt(16, got[i])).isNaN())
          << name << (bf16 ? " bf16" : "");
      continue;
    }
    ASSERT_EQ(got[i], narrowed(llvm::APFloat(in[i]), to))
        << name << "(" << in[i] << ")";
  }
}

TEST(ExpandMathHalf, Narrowing) {
  std::vector<float> floats;
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += 16411)
    floats.push_back(bitcast<float>(uint32_t(bits)));
  // Ties and their neighbours, of both half types.
  std::vector<double> doubles;
  for (uint32_t half = 0; half < (1u << 16); half += 7)
    for (int64_t offset : {-1, 0, 1}) {
      float tie = bitcast<float>((half << 16 | 0x8000u) + uint32_t(offset));
      floats.push_back(tie);
      for (int64_t small : {-1, 0, 1}) {
        double exact = bitcast<float>(half << 16 | 0x8000u);
        doubles.push_back(
            bitcast<double>(bitcast<uint64_t>(exact) + uint64_t(small)));
        double tieF16 = bitcast<float>(half << 16 | 0x1000u);
        doubles.push_back(
            bitcast<double>(bitcast<uint64_t>(tieF16) + uint64_t(offset)));
      }
    }
  for (double x : samples(20'000, 4))
    doubles.push_back(x);
  floats.resize(floats.size() / 16 * 16);
  doubles.resize(doubles.size() / 16 * 16);
  checkNarrowing("f32_bf16", llvm::APFloat::BFloat(), floats);
  checkNarrowing("f32_f16", llvm::APFloat::IEEEhalf(), floats);
  checkNarrowing("f64_bf16", llvm::APFloat::BFloat(), doubles);
  checkNarrowing("f64_f16", llvm::APFloat::IEEEhalf(), doubles);
}

template <typename T> static void checkIntegers(const std::string &type) {
  std::mt19937_64 random(5);
  std::vector<T> in;
  while (in.size() < 65536) {
    T x = T(random() >> (random() % 64));
    in.push_back(x);
    // Near ties of an 8-bit significand.
    unsigned shift = unsigned(random() % (sizeof(T) * 8));
    T tie = T(T(2 * (128 + random() % 128) + 1) << shift);
    for (int offset : {-1, 0, 1})
      in.push_back(T(tie + T(offset)));
  }
  for (bool isSigned : {true, false}) {
    std::string name = (isSigned ? "sitofp_" : "uitofp_") + type;
    std::vector<uint16_t> got = run<uint16_t>(name, in);
    for (size_t i = 0; i < in.size(); ++i) {
      llvm::APFloat want(llvm::APFloat::BFloat());
      want.convertFromAPInt(
          llvm::APInt(sizeof(T) * 8, in[i], false, /*implicitTrunc=*/true),
          isSigned, llvm::APFloat::rmNearestTiesToEven);
      ASSERT_EQ(got[i], want.bitcastToAPInt().getZExtValue())
          << name << " of " << uint64_t(in[i]);
    }
  }
}

TEST(ExpandMathHalf, Integers) {
  checkIntegers<uint8_t>("i8");
  checkIntegers<uint16_t>("i16");
  checkIntegers<uint32_t>("i32");
  checkIntegers<uint64_t>("i64");
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef arg = argv[i];
    if (!arg.consume_front("--stride=") || arg.getAsInteger(10, stride) ||
        stride == 0) {
      std::fprintf(stderr, "expected --stride=N, found '%s'\n", argv[i]);
      return 2;
    }
  }
  int status = RUN_ALL_TESTS();
  std::printf(
      "| function | largest error, ulp | bound | at |\n|---|---|---|---|\n");
  for (const std::string &row : report)
    std::printf("%s\n", row.c_str());
  return status;
}
