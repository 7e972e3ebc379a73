//===- Scalars.cpp - Scalar arithmetic of ONNX element types --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Scalars.h"
#include "ds/Codegen/Linalg/GenericBuilder.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

Type Scalars::computeType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  if (element.isInteger(1))
    return element;
  return Lowering::storageElement(element);
}

Value Scalars::load(Value stored, Type from) {
  Type type = computeType(from);
  if (type == stored.getType())
    return stored;
  if (from.isInteger(1))
    return arith::CmpIOp::create(b, loc, CmpIPredicate::ne, stored,
                                 constant(0, stored.getType()));
  return arith::ExtFOp::create(b, loc, type, stored);
}

Value Scalars::store(Value computed, Type storage) {
  if (computed.getType() == storage)
    return computed;
  if (isa<FloatType>(storage))
    return arith::TruncFOp::create(b, loc, storage, computed);
  return arith::ExtUIOp::create(b, loc, storage, computed);
}

Value Scalars::constant(double value, Type type) {
  if (!type)
    type = computeType();
  TypedAttr attr = isa<FloatType>(type)
                       ? TypedAttr(b.getFloatAttr(type, value))
                       : b.getIntegerAttr(type, static_cast<int64_t>(value));
  return arith::ConstantOp::create(b, loc, attr);
}

Value Scalars::safeDivisor(Value r, Value &isZero, Value &isMinusOne) {
  Value one = constant(1);
  isZero = equal(r, constant(0));
  Value divisor = select(isZero, one, r);
  if (isUnsigned())
    return divisor;
  // The least integer over -1 overflows, which traps on some machines.
  isMinusOne = equal(r, constant(-1));
  return select(isMinusOne, one, divisor);
}

Value Scalars::div(Value l, Value r) {
  if (isFloat())
    return make<arith::DivFOp>(l, r);
  Value isZero, isMinusOne;
  Value divisor = safeDivisor(r, isZero, isMinusOne);
  Value quotient =
      pick<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(l, divisor);
  if (isMinusOne)
    quotient = select(isMinusOne, neg(l), quotient);
  return select(isZero, constant(0), quotient);
}

Value Scalars::rem(Value l, Value r) {
  Value isZero, isMinusOne;
  // A number modulo 1, which stands for 0 and -1, is 0.
  Value divisor = safeDivisor(r, isZero, isMinusOne);
  return pick<arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(l, divisor);
}

Value Scalars::neg(Value x) {
  if (isFloat())
    return make<arith::NegFOp>(x);
  return sub(constant(0), x);
}

Value Scalars::abs(Value x) {
  if (isFloat())
    return make<math::AbsFOp>(x);
  return isUnsigned() ? x : max(x, neg(x));
}

Value Scalars::compare(CmpFPredicate floats, CmpIPredicate ints, Value l,
                       Value r) {
  if (isa<FloatType>(l.getType()))
    return arith::CmpFOp::create(b, loc, floats, l, r);
  if (isUnsigned()) {
    switch (ints) {
    case CmpIPredicate::slt:
      ints = CmpIPredicate::ult;
      break;
    case CmpIPredicate::sle:
      ints = CmpIPredicate::ule;
      break;
    case CmpIPredicate::sgt:
      ints = CmpIPredicate::ugt;
      break;
    case CmpIPredicate::sge:
      ints = CmpIPredicate::uge;
      break;
    default:
      break;
    }
  }
  return arith::CmpIOp::create(b, loc, ints, l, r);
}

Value Scalars::equal(Value l, Value r) {
  return compare(CmpFPredicate::OEQ, CmpIPredicate::eq, l, r);
}

Value Scalars::less(Value l, Value r) {
  return compare(CmpFPredicate::OLT, CmpIPredicate::slt, l, r);
}

Value Scalars::isNaN(Value x) {
  return arith::CmpFOp::create(b, loc, CmpFPredicate::UNO, x, x);
}

LogicalResult mlir::ds::lowerElementwise(
    Operation *op, Lowering &l,
    function_ref<Value(Scalars &, ArrayRef<Value>)> body) {
  Value result = op->getResult(0);
  Type storage = Lowering::storageType(result.getType()).getElementType();
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(result));
  SmallVector<Type> elements; // null for an absent operand
  GenericBuilder generic(l, dims);
  for (Value operand : op->getOperands()) {
    bool present = onnx::isPresent(operand);
    elements.push_back(
        present ? cast<ShapedType>(operand.getType()).getElementType()
                : Type());
    if (present)
      generic.addBroadcast(operand);
  }
  l.setLowered(
      result, generic.map(storage,
                          [&](OpBuilder &b, Location loc,
                              ValueRange stored) -> SmallVector<Value> {
                            Scalars s(b, loc, elements[0]);
                            SmallVector<Value> scalars;
                            auto next = stored.begin();
                            for (Type element : elements)
                              scalars.push_back(
                                  element ? s.load(*next++, element) : Value());
                            return {s.store(body(s, scalars), storage)};
                          }));
  return success();
}

Value mlir::ds::storeTensor(Lowering &l, Value computed,
                            ArrayRef<OpFoldResult> dims, Type element) {
  Type storage = Lowering::storageElement(element);
  if (cast<ShapedType>(computed.getType()).getElementType() == storage)
    return computed;
  GenericBuilder generic(l, dims);
  generic.add(computed, dims, llvm::to_vector(llvm::seq<int64_t>(dims.size())));
  return generic.map(
      storage,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        return {Scalars(b, loc, element).store(v[0], storage)};
      });
}
