//===- ExpandTrig.cpp - Trigonometric functions ---------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathCoefficients.h"
#include "MathFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::coefficients;

namespace mlir::ds::lanes {

namespace {
/// x = quadrant · pi/2 + hi + lo in f64, |hi| <= pi/4, quadrant in the low two
/// bits.
struct Angle {
  Float hi, lo;
  Int quadrant;
};
} // namespace

static constexpr double kTwoOverPiRounded = 0x1.45f306dc9c883p-1;

/// Subtracts multiples of pi/2. The first step is exact while the quotient is
/// right to the nearest integer.
static Angle reduceSmall(Float x, bool fromF32) {
  Rounded n = roundToInteger(x, kTwoOverPiRounded);
  Float r = fma(n.value, -kHalfPi[0], x);
  // An f32 comes no closer to a multiple than two parts of pi/2 tell.
  if (fromF32)
    return {fma(n.value, -kHalfPi[1], r), x.num(0), n.bits};
  auto [product, productError] = twoProduct(n.value, kHalfPi[1]);
  auto [hi, error] = twoSum(r, -product);
  Float lo = fma(n.value, -kHalfPi[2], error - productError);
  DoubleFloat sum = fastTwoSum(hi, lo);
  return {sum.hi, sum.lo, n.bits};
}

namespace {
/// A sum of terms modulo 4: what remains after taking out integers, which are
/// counted.
struct TurnSum {
  Float hi, lo, integers;

  void add(Float term) {
    // Whole turns of the term are exact multiples of 4.
    term = fma(roundEven(term * 0.25), -4, term);
    DoubleFloat sum = twoSum(hi, term);
    Float n = roundEven(sum.hi);
    integers = integers + n;
    DoubleFloat rest = twoSum(sum.hi - n, lo + sum.lo);
    hi = rest.hi;
    lo = rest.lo;
  }
};
} // namespace

/// For any x (Payne and Hanek, 1983): x · 2/pi modulo 4, as exact products of
/// parts of x with pieces of 2/pi, of which `pieces` are needed.
static Angle reduceLarge(Float x, unsigned pieces) {
  OpBuilder &b = *x.b;
  Location loc = x.loc;
  // The table's scale, taken out of x first: no product overflows.
  Float scaled = x * 0x1p-200;
  Float head = (scaled.bits() & ~((uint64_t(1) << 27) - 1)).asFloat();
  Float tail = scaled - head;
  auto tableType = VectorType::get(pieces, b.getF64Type());
  Value table = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(tableType,
                             ArrayRef<double>(kTwoOverPi).take_front(pieces)));
  auto index = [&](int64_t i) -> Value {
    return arith::ConstantIndexOp::create(b, loc, i);
  };
  Value zero = x.num(0).v;
  auto loop = scf::ForOp::create(b, loc, index(0), index(pieces), index(1),
                                 ValueRange{zero, zero, zero});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value piece = vector::ExtractOp::create(
        b, loc, table, OpFoldResult(loop.getInductionVar()));
    if (auto vector = dyn_cast<VectorType>(x.type()))
      piece = vector::BroadcastOp::create(b, loc, vector, piece);
    Float c = x.like(piece);
    TurnSum sum{x.like(loop.getRegionIterArg(0)),
                x.like(loop.getRegionIterArg(1)),
                x.like(loop.getRegionIterArg(2))};
    sum.add(head * c);
    sum.add(tail * c);
    scf::YieldOp::create(b, loc,
                         ValueRange{sum.hi.v, sum.lo.v, sum.integers.v});
  }
  Float hi = x.like(loop.getResult(0)), lo = x.like(loop.getResult(1));
  Int quadrant = roundToInteger(x.like(loop.getResult(2))).bits;
  auto [product, error] = twoProduct(hi, kHalfPi[0]);
  Float rest = error + fma(hi, kHalfPi[1], lo * kHalfPi[0]);
  DoubleFloat sum = fastTwoSum(product, rest);
  return {sum.hi, sum.lo, quadrant};
}

/// Which reduction a lane gets depends on the lane alone; the branch only skips
/// work that no lane needs.
static Angle reduceAngle(Float x, bool fromF32) {
  // An f32 in f64: products stay exact much longer, and fewer pieces matter.
  Angle small = reduceSmall(x, fromF32);
  Mask large = abs(x) > (fromF32 ? 0x1p40 : 0x1p28);
  unsigned pieces = fromF32 ? 9 : std::size(kTwoOverPi);
  OpBuilder &b = *x.b;
  auto branch = scf::IfOp::create(
      b, x.loc, TypeRange{x.type(), x.type(), small.quadrant.type()},
      any(large), /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Angle full = reduceLarge(x, pieces);
    scf::YieldOp::create(
        b, x.loc,
        ValueRange{select(large, full.hi, small.hi).v,
                   select(large, full.lo, small.lo).v,
                   select(large, full.quadrant, small.quadrant).v});
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, x.loc,
                         ValueRange{small.hi.v, small.lo.v, small.quadrant.v});
  }
  return {x.like(branch.getResult(0)), x.like(branch.getResult(1)),
          small.quadrant.like(branch.getResult(2))};
}

/// sin and cos on [-pi/4, pi/4].
static SinCos kernelF64(const Angle &a) {
  Float z = a.hi * a.hi;
  Float w = fma(z, -0.5, 1);
  Float sin = a.hi + fma(a.hi * z, polynomial(z, kSinF64), a.lo * w);
  Float lost = fma(z, -0.5, 1.0 - w);
  Float cos = w + fma(z * z, polynomial(z, kCosF64), fma(-a.hi, a.lo, lost));
  return {sin, cos};
}

static SinCos kernelF32(Float r) {
  Float z = r * r;
  Float sin = fma(r * z, polynomial(z, kSinF32), r);
  Float cos = fma(z, fma(z, polynomial(z, kCosF32), -0.5), 1);
  return {sin, cos};
}

/// Moves bit 1 of `quadrant` to the sign.
static Float flipSign(Float x, Int quadrant) {
  Int sign = (quadrant & 2) << (x.width() - 2);
  return (x.bits() ^ sign).asFloat();
}

SinCos sincos(Float x) {
  bool f64 = x.isF64();
  Angle angle = f64 ? reduceAngle(x, false) : reduceAngle(x.toF64(), true);
  SinCos kernel = f64 ? kernelF64(angle) : kernelF32(angle.hi.toF32());
  Int quadrant = f64 ? angle.quadrant : angle.quadrant.truncate(32);
  Mask swap = (quadrant & 1) != 0;
  Float sin = flipSign(select(swap, kernel.cos, kernel.sin), quadrant);
  Float cos = flipSign(select(swap, kernel.sin, kernel.cos), quadrant + 1);
  return {select(x == 0, x, sin), cos};
}

Float tanF64(Float x) {
  Angle angle = reduceAngle(x, false);
  SinCos kernel = kernelF64(angle);
  Mask swap = (angle.quadrant & 1) != 0;
  Float tan = select(swap, -kernel.cos, kernel.sin) /
              select(swap, kernel.sin, kernel.cos);
  return select(x == 0, x, tan);
}

/// asin on [-1/2, 1/2].
static Float asinKernel(Float s, Float z) {
  return fma(s * z, polynomial(z, kAsinF64), s);
}

Float asinF64(Float x) {
  Float a = abs(x);
  Mask big = a > 0.5;
  // asin a = pi/2 - 2 asin(sqrt((1 - a) / 2)).
  Float z = select(big, (1.0 - a) * 0.5, a * a);
  Float p = asinKernel(select(big, sqrt(z), a), z);
  Float fromBig = fma(p, -2, kHalfPi[1]) + kHalfPi[0];
  return copySign(select(big, fromBig, p), x);
}

Float acosF64(Float x) {
  Float a = abs(x);
  Mask big = a > 0.5;
  Float z = select(big, (1.0 - a) * 0.5, a * a);
  Float p = asinKernel(select(big, sqrt(z), x), z);
  Float fromSmall = x.num(kHalfPi[0]) - (p - kHalfPi[1]);
  Float fromNegative = fma(p, -2, 2 * kHalfPi[1]) + 2 * kHalfPi[0];
  Float fromBig = select(x < 0, fromNegative, p * 2);
  return select(big, fromBig, fromSmall);
}

/// atan a for a >= 0.
static Float atanOfMagnitude(Float a) {
  // atan a = pi/4 + atan((a - 1) / (a + 1)) = pi/2 + atan(-1 / a), split at
  // tan(pi/8) and tan(3 pi/8).
  Mask big = a > 0x1.3504f333f9de6p+1;
  Mask middle = a > 0x1.a827999fcef32p-2;
  Float num = select(big, -1.0, select(middle, a - 1, a));
  Float den = select(big, a, select(middle, a + 1, 1.0));
  Float t = num / den;
  Float z = t * t;
  Float p = fma(t * z, polynomial(z, kAtanF64), t);
  auto base = [&](unsigned part) {
    return select(big, a.num(kHalfPi[part]),
                  select(middle, a.num(kHalfPi[part] * 0.5), 0.0));
  };
  return base(0) + (p + base(1));
}

Float atanF64(Float x) { return copySign(atanOfMagnitude(abs(x)), x); }

Float atan2F64(Float y, Float x) {
  Float num = abs(y), den = abs(x);
  // Equal magnitudes make 45 degrees, infinities too; two zeros make 0.
  Float q = select(num == den, select(num == 0, num, 1.0), num / den);
  Float angle = atanOfMagnitude(q);
  Float fromLeft = 2 * kHalfPi[0] - (angle - 2 * kHalfPi[1]);
  angle = select(x.bits().isNegative(), fromLeft, angle);
  return copySign(select(x.unordered(y), x.nan(), angle), y);
}

} // namespace mlir::ds::lanes
