//===- Scalars.h - Scalar arithmetic of ONNX element types -------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_SCALARS_H
#define DS_DIALECT_ONNX_SCALARS_H

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::ds {

/// The type that elements of an ONNX element type have in memory: signless
/// integers, i8 for bool.
Type storageElement(Type element);

/// Writes scalar arithmetic of one ONNX element type in the body of a generic,
/// on values of a compute type: f32 for half precision, i1 for bool, else the
/// storage type. Signedness is the ONNX type's.
class Scalars {
public:
  Scalars(OpBuilder &b, Location loc, Type element)
      : b(b), loc(loc), element(element) {}

  OpBuilder &b;
  Location loc;
  Type element;

  static bool isUnsigned(Type element) {
    return element.isUnsignedInteger() || element.isInteger(1);
  }
  bool isFloat() const { return isa<FloatType>(element); }
  bool isUnsigned() const { return isUnsigned(element); }
  /// The type that values of an ONNX element type are computed in.
  static Type computeType(Type element);
  Type computeType() const { return computeType(element); }

  /// A stored scalar of an ONNX element type, in its compute type.
  Value load(Value stored, Type from);
  Value load(Value stored) { return load(stored, element); }
  /// A computed scalar as it is stored in a tensor.
  Value store(Value computed, Type storage);

  /// A constant of the compute type, or of `type`.
  Value constant(double value, Type type = nullptr);
  /// That of a float attribute.
  Value constant(const APFloat &value) {
    return constant(value.convertToDouble());
  }

  /// `Op` of math or arith on floats.
  template <typename Op> Value make(Value x) { return Op::create(b, loc, x); }
  template <typename Op> Value make(Value l, Value r) {
    return Op::create(b, loc, l, r);
  }

  Value add(Value l, Value r) {
    return pick<arith::AddFOp, arith::AddIOp>(l, r);
  }
  Value sub(Value l, Value r) {
    return pick<arith::SubFOp, arith::SubIOp>(l, r);
  }
  Value mul(Value l, Value r) {
    return pick<arith::MulFOp, arith::MulIOp>(l, r);
  }
  /// Integers: truncated; 0 where r is 0, -l where it is -1.
  Value div(Value l, Value r);
  /// Integers only, with the sign of l; 0 where r is 0.
  Value rem(Value l, Value r);
  // A NaN stays.
  Value max(Value l, Value r) {
    return pick<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(l, r);
  }
  Value min(Value l, Value r) {
    return pick<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(l, r);
  }
  Value neg(Value x);
  Value abs(Value x);

  /// i1 of a comparison: an ordered float predicate (or une), and the signed
  /// integer predicate of the same meaning, made unsigned where the type is.
  Value compare(arith::CmpFPredicate floats, arith::CmpIPredicate ints, Value l,
                Value r);
  Value equal(Value l, Value r);
  Value less(Value l, Value r);
  Value isNaN(Value x);
  Value select(Value condition, Value onTrue, Value onFalse) {
    return arith::SelectOp::create(b, loc, condition, onTrue, onFalse);
  }

private:
  template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
  Value pick(Value l, Value r) {
    if (isa<FloatType>(l.getType()))
      return FloatOp::create(b, loc, l, r);
    if (isUnsigned())
      return UnsignedOp::create(b, loc, l, r);
    return SignedOp::create(b, loc, l, r);
  }
  /// `r` where dividing by it is defined, else 1.
  Value safeDivisor(Value r, Value &isZero, Value &isMinusOne);
};

/// Converts a scalar of an ONNX element type, in its compute type, to another
/// element type, as onnx.Cast defines it: the result is of that one's compute
/// type, or of one from which `store` gets the same value in fewer roundings.
Value convertScalar(Scalars s, Value value, Type from, Type to);

/// A scalar function of an op: its operands in their compute types in, its
/// result in its compute type out. The Scalars have the first operand's type.
template <typename OpTy>
using ScalarFn = Value (*)(Scalars &, OpTy, ArrayRef<Value>);

/// The scalar functions of element-wise ops, by the op's name: what one element
/// of the result is made of one of each operand. Absent operands are null.
class ScalarTable {
public:
  using Fn = std::function<Value(Scalars &, Operation *, ArrayRef<Value>)>;

  template <typename OpTy> void add(ScalarFn<OpTy> body) {
    functions[OpTy::getOperationName()] = [body](Scalars &s, Operation *op,
                                                 ArrayRef<Value> operands) {
      return body(s, cast<OpTy>(op), operands);
    };
  }
  const Fn *lookup(Operation *op) const {
    auto it = functions.find(op->getName().getStringRef());
    return it == functions.end() ? nullptr : &it->second;
  }
  auto begin() const { return functions.begin(); }
  auto end() const { return functions.end(); }

private:
  llvm::StringMap<Fn> functions;
};

/// The functions of all element-wise ops but casts, which are `convertScalar`.
const ScalarTable &getScalarTable();

// What fills the table, one function for each file.
void addScalarActivations(ScalarTable &table);
void addScalarArithmetic(ScalarTable &table);
void addScalarComparisons(ScalarTable &table);

} // namespace mlir::ds

#endif // DS_DIALECT_ONNX_SCALARS_H
