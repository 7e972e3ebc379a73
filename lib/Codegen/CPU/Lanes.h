//===- Lanes.h - Arithmetic on scalars and vectors alike --------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
// Value types that read as formulas and emit arith and math ops. The same ops
// are emitted for a scalar and for every lane of a vector, without fast-math
// flags and with every fused multiply-add spelled out: an element's result is
// the same bits wherever it is computed.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_LANES_H
#define DS_LIB_CODEGEN_CPU_LANES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

namespace mlir::ds::lanes {

/// A value and where to emit what is computed from it.
struct Lanes {
  OpBuilder *b;
  Location loc;
  Value v;

  Lanes(OpBuilder &b, Location loc, Value v) : b(&b), loc(loc), v(v) {}
  Type type() const { return v.getType(); }
  unsigned width() const {
    return getElementTypeOrSelf(v).getIntOrFloatBitWidth();
  }
  /// This value's shape with another element type.
  Type with(Type element) const;

protected:
  template <typename Op, typename... Args> Value emit(Args... args) const {
    return b->createOrFold<Op>(loc, args...);
  }
};

struct Mask : Lanes {
  using Lanes::Lanes;
  Mask operator&(Mask o) const { return like(emit<arith::AndIOp>(v, o.v)); }
  Mask operator|(Mask o) const { return like(emit<arith::OrIOp>(v, o.v)); }
  Mask operator!() const;
  Mask like(Value o) const { return Mask(*b, loc, o); }
};

struct Int;
struct Float;

/// An operand: a float of the other operand's type, or a number to become one.
struct FloatArg {
  FloatArg(double number) : number(number) {}
  FloatArg(const Float &f);
  Value resolve(const Lanes &like) const;
  double number = 0;
  Value v;
};

/// f32 or f64.
struct Float : Lanes {
  using Lanes::Lanes;
  bool isF64() const { return width() == 64; }
  unsigned mantissaBits() const { return isF64() ? 52 : 23; }
  int64_t bias() const { return isF64() ? 1023 : 127; }
  Float like(Value o) const { return Float(*b, loc, o); }
  Float num(double number) const;
  Float infinity() const;
  Float nan() const;

  Float operator-() const { return like(emit<arith::NegFOp>(v)); }
  Float operator+(FloatArg o) const;
  Float operator-(FloatArg o) const;
  Float operator*(FloatArg o) const;
  Float operator/(FloatArg o) const;
  /// Ordered comparisons: false where an operand is NaN.
  Mask operator<(FloatArg o) const { return cmp(arith::CmpFPredicate::OLT, o); }
  Mask operator>(FloatArg o) const { return cmp(arith::CmpFPredicate::OGT, o); }
  Mask operator<=(FloatArg o) const {
    return cmp(arith::CmpFPredicate::OLE, o);
  }
  Mask operator>=(FloatArg o) const {
    return cmp(arith::CmpFPredicate::OGE, o);
  }
  Mask operator==(FloatArg o) const {
    return cmp(arith::CmpFPredicate::OEQ, o);
  }
  /// Ordered and different.
  Mask operator!=(FloatArg o) const {
    return cmp(arith::CmpFPredicate::ONE, o);
  }
  Mask unordered(FloatArg o) const { return cmp(arith::CmpFPredicate::UNO, o); }
  Mask isNaN() const { return unordered(*this); }

  /// Bounds that let NaN through; one min or max instruction on x86.
  Float atLeast(double low) const;
  Float atMost(double high) const;

  Int bits() const;
  /// f64 of an f32 and back.
  Float toF64() const;
  Float toF32() const;

private:
  Mask cmp(arith::CmpFPredicate predicate, FloatArg o) const;
};

/// A signless integer.
struct Int : Lanes {
  using Lanes::Lanes;
  Int like(Value o) const { return Int(*b, loc, o); }
  Int num(uint64_t number) const;
  Int operator+(Int o) const { return like(emit<arith::AddIOp>(v, o.v)); }
  Int operator-(Int o) const { return like(emit<arith::SubIOp>(v, o.v)); }
  Int operator*(Int o) const { return like(emit<arith::MulIOp>(v, o.v)); }
  Int operator&(Int o) const { return like(emit<arith::AndIOp>(v, o.v)); }
  Int operator|(Int o) const { return like(emit<arith::OrIOp>(v, o.v)); }
  Int operator^(Int o) const { return like(emit<arith::XOrIOp>(v, o.v)); }
  Int operator+(uint64_t o) const { return *this + num(o); }
  Int operator-(uint64_t o) const { return *this - num(o); }
  Int operator&(uint64_t o) const { return *this & num(o); }
  Int operator|(uint64_t o) const { return *this | num(o); }
  Int operator<<(unsigned n) const {
    return like(emit<arith::ShLIOp>(v, num(n).v));
  }
  /// Logical.
  Int operator>>(unsigned n) const {
    return like(emit<arith::ShRUIOp>(v, num(n).v));
  }
  Mask operator==(uint64_t o) const { return cmp(arith::CmpIPredicate::eq, o); }
  Mask operator!=(uint64_t o) const { return cmp(arith::CmpIPredicate::ne, o); }
  Mask isNegative() const { return cmp(arith::CmpIPredicate::slt, 0); }
  Int truncate(unsigned width) const;
  /// The float with these bits.
  Float asFloat() const;

private:
  Mask cmp(arith::CmpIPredicate predicate, uint64_t o) const;
};

Float operator-(double a, Float b);
Float operator/(double a, Float b);

Float fma(Float a, FloatArg b, FloatArg c);
Float abs(Float a);
Float sqrt(Float a);
Float roundEven(Float a);
Float trunc(Float a);
/// The magnitude of `a` with the sign bit of `sign`.
Float copySign(Float a, Float sign);
Float select(Mask m, Float a, FloatArg b);
Float select(Mask m, double a, Float b);
Int select(Mask m, Int a, Int b);

/// c[0] + c[1] x + … as a chain of fused multiply-adds.
Float polynomial(Float x, ArrayRef<double> c);

/// An integer as a float, and in two's complement in the low bits of `bits`. As
/// many bits as an exponent has are right, also after a shift right by one;
/// what stands above them is unspecified. |x| < 2^22 (f32), 2^51 (f64).
struct Rounded {
  Float value;
  Int bits;
};
/// round(x · scale), the product not rounded.
Rounded roundToInteger(Float x, double scale = 1);
/// 2^n for the `n` in the low bits of `n`, a normal number's exponent.
Float powerOfTwo(Int n, const Float &like);
/// x · 2^n, rounded once, for exponents to twice the range of normal numbers.
Float scale(Float x, Int n);

/// True if any lane is: an i1.
Value any(Mask m);

} // namespace mlir::ds::lanes

#endif // DS_LIB_CODEGEN_CPU_LANES_H
