//===- Lanes.cpp - Arithmetic on scalars and vectors alike ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::ds::lanes;

Type Lanes::with(Type element) const {
  if (auto vector = dyn_cast<VectorType>(type()))
    return vector.clone(element);
  return element;
}

/// A constant of `type`, the same in all lanes.
static Value splat(const Lanes &like, TypedAttr element) {
  TypedAttr value = element;
  if (auto vector = dyn_cast<VectorType>(like.with(element.getType())))
    value = DenseElementsAttr::get(vector, Attribute(element));
  return arith::ConstantOp::create(*like.b, like.loc, value);
}

FloatArg::FloatArg(const Float &f) : v(f.v) {}

Value FloatArg::resolve(const Lanes &like) const {
  return v ? v
           : splat(like, like.b->getFloatAttr(getElementTypeOrSelf(like.type()),
                                              number));
}

Mask Mask::operator!() const {
  return like(emit<arith::XOrIOp>(v, splat(*this, b->getBoolAttr(true))));
}

Float Float::num(double number) const {
  return like(FloatArg(number).resolve(*this));
}
Float Float::infinity() const {
  return num(std::numeric_limits<double>::infinity());
}
Float Float::nan() const {
  return num(std::numeric_limits<double>::quiet_NaN());
}

Float Float::operator+(FloatArg o) const {
  return like(emit<arith::AddFOp>(v, o.resolve(*this)));
}
Float Float::operator-(FloatArg o) const {
  return like(emit<arith::SubFOp>(v, o.resolve(*this)));
}
Float Float::operator*(FloatArg o) const {
  return like(emit<arith::MulFOp>(v, o.resolve(*this)));
}
Float Float::operator/(FloatArg o) const {
  return like(emit<arith::DivFOp>(v, o.resolve(*this)));
}
Mask Float::cmp(arith::CmpFPredicate predicate, FloatArg o) const {
  return Mask(*b, loc, emit<arith::CmpFOp>(predicate, v, o.resolve(*this)));
}

Float Float::atLeast(double low) const {
  return select(num(low) > *this, low, *this);
}
Float Float::atMost(double high) const {
  return select(num(high) < *this, high, *this);
}

Int Float::bits() const {
  return Int(*b, loc,
             emit<arith::BitcastOp>(with(b->getIntegerType(width())), v));
}
Float Float::toF64() const {
  return like(emit<arith::ExtFOp>(with(b->getF64Type()), v));
}
Float Float::toF32() const {
  return like(emit<arith::TruncFOp>(with(b->getF32Type()), v));
}

Int Int::num(uint64_t number) const {
  return like(splat(*this, b->getIntegerAttr(getElementTypeOrSelf(v),
                                             APInt(width(), number, false,
                                                   /*implicitTrunc=*/true))));
}
Mask Int::cmp(arith::CmpIPredicate predicate, uint64_t o) const {
  return Mask(*b, loc, emit<arith::CmpIOp>(predicate, v, num(o).v));
}
Int Int::truncate(unsigned to) const {
  return like(emit<arith::TruncIOp>(with(b->getIntegerType(to)), v));
}
Float Int::asFloat() const {
  Type element = width() == 64 ? Type(b->getF64Type()) : b->getF32Type();
  return Float(*b, loc, emit<arith::BitcastOp>(with(element), v));
}

namespace mlir::ds::lanes {

Float operator-(double a, Float b) { return b.num(a) - b; }
Float operator/(double a, Float b) { return b.num(a) / b; }

Float fma(Float a, FloatArg b, FloatArg c) {
  return a.like(
      math::FmaOp::create(*a.b, a.loc, a.v, b.resolve(a), c.resolve(a)));
}

template <typename Op> static Float unary(Float a) {
  return a.like(Op::create(*a.b, a.loc, a.v));
}
Float abs(Float a) { return unary<math::AbsFOp>(a); }
Float sqrt(Float a) { return unary<math::SqrtOp>(a); }
Float roundEven(Float a) { return unary<math::RoundEvenOp>(a); }
Float trunc(Float a) { return unary<math::TruncOp>(a); }

Float copySign(Float a, Float sign) {
  if (!a.isF64())
    return a.like(math::CopySignOp::create(*a.b, a.loc, a.v, sign.v));
  // Rounding a copysign of f64 to f16, by way of f32, LLVM rounds the sign's
  // operand from f64 to f16, which is a call.
  constexpr uint64_t kSign = uint64_t(1) << 63;
  return ((a.bits() & ~kSign) | (sign.bits() & kSign)).asFloat();
}
Float select(Mask m, Float a, FloatArg b) {
  return a.like(arith::SelectOp::create(*a.b, a.loc, m.v, a.v, b.resolve(a)));
}
Float select(Mask m, double a, Float b) { return select(m, b.num(a), b); }
Int select(Mask m, Int a, Int b) {
  return a.like(arith::SelectOp::create(*a.b, a.loc, m.v, a.v, b.v));
}

Float polynomial(Float x, ArrayRef<double> c) {
  Float sum = x.num(c.back());
  for (double coefficient : llvm::reverse(c.drop_back()))
    sum = fma(sum, x, coefficient);
  return sum;
}

Rounded roundToInteger(Float x, double factor) {
  // Adding 1.5 · 2^mantissaBits leaves no bits after the point, and the
  // integer, in two's complement, in the low bits.
  double magic = x.isF64() ? 0x1.8p52 : 0x1.8p23;
  Float shifted = factor == 1 ? x + magic : fma(x, factor, magic);
  return {shifted - magic, shifted.bits()};
}

Float powerOfTwo(Int n, const Float &like) {
  unsigned shift = like.mantissaBits();
  return ((n << shift) + (uint64_t(like.bias()) << shift)).asFloat();
}

Float scale(Float x, Int n) {
  // Two factors, for 2^n alone may be no normal number. The bits above those
  // that count are shifted out.
  Int half = n >> 1;
  return x * powerOfTwo(half, x) * powerOfTwo(n - half, x);
}

Value any(Mask m) {
  auto vector = dyn_cast<VectorType>(m.type());
  if (!vector)
    return m.v;
  Value flat = m.v;
  if (vector.getRank() != 1)
    flat = vector::ShapeCastOp::create(
        *m.b, m.loc,
        VectorType::get(vector.getNumElements(), vector.getElementType()),
        flat);
  return vector::ReductionOp::create(*m.b, m.loc, vector::CombiningKind::OR,
                                     flat);
}

} // namespace mlir::ds::lanes
