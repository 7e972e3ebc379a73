//===- Math.cpp - ONNX ops: shapes and elements of arithmetic -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Math.cpp.inc"

using Elements = std::optional<SmallVector<OpFoldResult>>;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Elements AddOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes,
                              [&](auto v) { return shapes.add(v[0], v[1]); });
}

Elements SubOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes,
                              [&](auto v) { return shapes.sub(v[0], v[1]); });
}

Elements MulOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes,
                              [&](auto v) { return shapes.mul(v[0], v[1]); });
}

/// lhs / rhs by `divide` where that is defined; 0 for rhs = 0 and -lhs for -1,
/// as onnx.Div computes it.
static OpFoldResult guardedQuotient(
    ShapeBuilder &s, OpFoldResult lhs, OpFoldResult rhs,
    OpFoldResult (ShapeBuilder::*divide)(OpFoldResult, OpFoldResult)) {
  // (x · n) / n of sizes, but for a division by zero, which ONNX leaves open.
  SmallVector<OpFoldResult> product = {lhs}, factors = {rhs};
  cancelFactors(s, product, factors);
  if (factors.empty() && !isConstantIntValue(rhs, 0))
    return s.product(product);
  OpFoldResult zero = s.constant(0), one = s.constant(1);
  OpFoldResult isZero = s.compare(arith::CmpIPredicate::eq, rhs, zero);
  OpFoldResult isMinusOne =
      s.compare(arith::CmpIPredicate::eq, rhs, s.constant(-1));
  OpFoldResult divisor = s.select(isZero, one, s.select(isMinusOne, one, rhs));
  OpFoldResult quotient = (s.*divide)(lhs, divisor);
  return s.select(isZero, zero,
                  s.select(isMinusOne, s.sub(zero, lhs), quotient));
}

Elements DivOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    return guardedQuotient(shapes, v[0], v[1], &ShapeBuilder::truncDiv);
  });
}

Elements ModOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    OpFoldResult quotient = guardedQuotient(
        shapes, v[0], v[1],
        getFmod() ? &ShapeBuilder::truncDiv : &ShapeBuilder::floorDiv);
    OpFoldResult isZero =
        shapes.compare(arith::CmpIPredicate::eq, v[1], shapes.constant(0));
    return shapes.select(isZero, shapes.constant(0),
                         shapes.sub(v[0], shapes.mul(quotient, v[1])));
  });
}

Elements MaxOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](ArrayRef<OpFoldResult> v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](auto l, auto r) { return shapes.max(l, r); });
  });
}

Elements MinOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](ArrayRef<OpFoldResult> v) {
    return std::accumulate(v.begin() + 1, v.end(), v[0],
                           [&](auto l, auto r) { return shapes.min(l, r); });
  });
}

Elements NegOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    return shapes.sub(shapes.constant(0), v[0]);
  });
}

Elements AbsOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    return shapes.max(v[0], shapes.sub(shapes.constant(0), v[0]));
  });
}

Elements IdentityOp::inferElements(ShapeBuilder &shapes) {
  return shapes.elements(getInput());
}

/// The elements of `input` as those of an integer type: what index arithmetic
/// represents in both types.
static Elements castElements(ShapeBuilder &shapes, Value input, Type to) {
  Type from = elementType(input);
  if (!from.isInteger() || from.isUnsignedInteger(64) ||
      !to.isSignlessInteger())
    return std::nullopt;
  Elements elements = shapes.elements(input);
  if (!elements)
    return std::nullopt;
  for (OpFoldResult &element : *elements) {
    if (to.isInteger(1)) {
      element =
          shapes.compare(arith::CmpIPredicate::ne, element, shapes.constant(0));
      continue;
    }
    if (auto value = getConstantIntValue(element))
      element = shapes.constant(APInt(64, *value, true)
                                    .trunc(to.getIntOrFloatBitWidth())
                                    .getSExtValue());
    else if (to.getIntOrFloatBitWidth() < 32)
      return std::nullopt;
  }
  return elements;
}

Elements CastOp::inferElements(ShapeBuilder &shapes) {
  return castElements(shapes, getInput(), getTo());
}

Elements CastLikeOp::inferElements(ShapeBuilder &shapes) {
  return castElements(shapes, getInput(), elementType(getTargetType()));
}

//===----------------------------------------------------------------------===//
// Shapes and verification
//===----------------------------------------------------------------------===//

LogicalResult PowOp::verify() {
  if (elementType(getBase()).isInteger() &&
      elementType(getExponent()).isUnsignedInteger(64))
    return emitOpError("C1: an integer base with an exponent of type ui64 is "
                       "not supported");
  return success();
}

LogicalResult ClipOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  int64_t rank = shapes.rank(getInput());
  for (auto [name, bound] :
       {std::pair("min", getMin()), std::pair("max", getMax())}) {
    if (!isPresent(bound))
      continue;
    ArrayRef<OpFoldResult> dims = shapes.dims(bound);
    if (!dims.empty() &&
        !(dims.size() == 1 && rank >= 1 && isConstantIntValue(dims[0], 1)))
      return emitOpError() << "C1: expected operand '" << name
                           << "' to be a scalar, found " << bound.getType();
  }
  return inferSameShape(*this, shapes, results);
}

/// One result of operand 0's shape and another element type.
static LogicalResult inferCast(Operation *op, Type to, ShapeBuilder &shapes,
                               SmallVectorImpl<ResultShape> &results) {
  results.push_back({to, llvm::to_vector(shapes.dims(op->getOperand(0)))});
  return success();
}

LogicalResult CastOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  return inferCast(*this, getTo(), shapes, results);
}

LogicalResult CastLikeOp::inferResults(ShapeBuilder &shapes,
                                       SmallVectorImpl<ResultShape> &results) {
  return inferCast(*this, elementType(getTargetType()), shapes, results);
}

LogicalResult GemmOp::verify() {
  auto rank = [](Value v) {
    return cast<RankedTensorType>(v.getType()).getRank();
  };
  if (rank(getA()) != 2 || rank(getB()) != 2 ||
      (isPresent(getC()) && rank(getC()) > 2))
    return emitOpError("C1: expected A and B of rank 2 and C of at most 2");
  if (!isa<FloatType>(elementType(getA())) &&
      !(getAlpha().isInteger() && getBeta().isInteger()))
    return emitOpError("C2: integer operands need integer alpha and beta");
  return success();
}

LogicalResult GemmOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> a = llvm::to_vector(shapes.dims(getA()));
  SmallVector<OpFoldResult> b = llvm::to_vector(shapes.dims(getB()));
  if (getTransA())
    std::swap(a[0], a[1]);
  if (getTransB())
    std::swap(b[0], b[1]);
  auto lhsK = getConstantIntValue(a[1]), rhsK = getConstantIntValue(b[0]);
  if (lhsK && rhsK && *lhsK != *rhsK)
    return emitOpError() << "the contracted dims differ: " << *lhsK << " and "
                         << *rhsK;
  SmallVector<OpFoldResult> dims{a[0], b[1]};
  if (isPresent(getC()) &&
      failed(checkBroadcastsTo(*this, shapes.dims(getC()), dims, "c")))
    return failure();
  results.push_back({elementType(getA()), std::move(dims)});
  return success();
}

LogicalResult MatMulOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> a = llvm::to_vector(shapes.dims(getA()));
  SmallVector<OpFoldResult> b = llvm::to_vector(shapes.dims(getB()));
  if (a.empty() || b.empty())
    return emitOpError("expected operands of rank 1 or more, found a scalar");
  // A vector counts as a matrix of one row or one column, dropped again below.
  bool aIsVector = a.size() == 1, bIsVector = b.size() == 1;
  if (aIsVector)
    a.insert(a.begin(), shapes.constant(1));
  if (bIsVector)
    b.push_back(shapes.constant(1));
  OpFoldResult k = a.back(), otherK = b[b.size() - 2];
  auto lhsK = getConstantIntValue(k), rhsK = getConstantIntValue(otherK);
  if (lhsK && rhsK && *lhsK != *rhsK)
    return emitOpError() << "the contracted dims differ: " << *lhsK << " and "
                         << *rhsK;
  FailureOr<SmallVector<OpFoldResult>> dims =
      shapes.broadcast({ArrayRef(a).drop_back(2), ArrayRef(b).drop_back(2)});
  if (failed(dims))
    return emitOpError("the stacking dims of its operands do not broadcast");
  if (!aIsVector)
    dims->push_back(a[a.size() - 2]);
  if (!bIsVector)
    dims->push_back(b.back());
  results.push_back({elementType(getA()), std::move(*dims)});
  return success();
}
