//===- TopK.cpp - ds.topk -------------------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"
#include "ds/Dialect/DS/TopKOrder.h"

using namespace mlir;
using namespace mlir::ds;

LogicalResult TopKOp::verify() {
  RankedTensorType x = getX().getType();
  if (x.getRank() == 0)
    return emitOpError("C1: expected x of rank 1 or more, found ") << x;
  int64_t k = getK(), size = x.getShape().back();
  bool isFloat = isa<FloatType>(x.getElementType());
  if (k < 0)
    return emitOpError("C2: expected k of 0 or more, found ") << k;
  if (!isFloat && !ShapedType::isDynamic(size) && size < k)
    return emitOpError("C2: expected rows of at least ")
           << k << " integers, found " << x;
  SmallVector<int64_t> shape = llvm::to_vector(x.getShape());
  shape.back() = k;
  if (failed(verifyCompatibleShape(shape, getIndices().getType().getShape())))
    return emitOpError("C3: expected indices of type ")
           << getIndices().getType().clone(shape) << ", found "
           << getIndices().getType();
  if (getValues() &&
      failed(verifyCompatibleShape(shape, getValues().getType().getShape())))
    return emitOpError("C3: expected values of type ")
           << x.clone(shape) << ", found " << getValues().getType();
  if (getValues() &&
      getValues().getType().getElementType() != x.getElementType())
    return emitOpError("C4: expected values of element type ")
           << x.getElementType() << ", found " << getValues().getType();
  if (getMasked() && !isFloat)
    return emitOpError("C4: expected x of floats with masked, found ") << x;
  return success();
}

LogicalResult TopKOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  dims.back() = shapes.constant(getK());
  results.push_back({IntegerType::get(getContext(), 64), dims});
  if (getValues())
    results.push_back({getX().getType().getElementType(), dims});
  return success();
}

//===----------------------------------------------------------------------===//
// The order
//===----------------------------------------------------------------------===//

Value TopKOrder::precedes(OpBuilder &b, Location loc, Value lhs,
                          Value rhs) const {
  if (!isa<FloatType>(element)) {
    bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
    arith::CmpIPredicate less =
        isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
    return smallest ? arith::CmpIOp::create(b, loc, less, lhs, rhs)
                    : arith::CmpIOp::create(b, loc, less, rhs, lhs);
  }
  // Comparisons of half precision are those of f32.
  Type wide = getSumType(element);
  lhs = LinalgBuilder::extend(b, loc, wide, lhs);
  rhs = LinalgBuilder::extend(b, loc, wide, rhs);
  Value beyond = arith::CmpFOp::create(
      b, loc, smallest ? arith::CmpFPredicate::OLT : arith::CmpFPredicate::OGT,
      lhs, rhs);
  Value isNumber =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, lhs, lhs);
  Value isNaN =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, rhs, rhs);
  return arith::OrIOp::create(b, loc, beyond,
                              arith::AndIOp::create(b, loc, isNumber, isNaN));
}

Value TopKOrder::isUnmasked(OpBuilder &b, Location loc, Value x) const {
  Type wide = getSumType(element);
  Value mask = arith::ConstantOp::create(b, loc, none(wide));
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE,
                               LinalgBuilder::extend(b, loc, wide, x), mask);
}

TypedAttr TopKOrder::none(Type storage) const {
  auto type = dyn_cast<FloatType>(storage);
  if (!type)
    return IntegerAttr::get(storage, 0);
  return FloatAttr::get(
      type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/!smallest));
}

//===----------------------------------------------------------------------===//
// By the formula
//===----------------------------------------------------------------------===//

/// The place of an element is how many come before it.
SmallVector<Value> mlir::ds::decomposeTopK(TopKOp op, TopKOp::Adaptor operands,
                                           OpBuilder &b, ShapeBuilder &shapes) {
  LinalgBuilder linalg{b, op.getLoc()};
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(op.getX())),
                            kept =
                                llvm::to_vector(shapes.dims(op.getIndices()));
  int64_t rank = dims.size(), last = rank - 1;
  TopKOrder order{op.getX().getType().getElementType(), op.getSmallest()};
  Type i64 = b.getI64Type();
  // Loops: the dims of the result, then the elements of a row.
  AffineMap outer = b.getMultiDimIdentityMap(rank + 1).dropResult(rank);
  SmallVector<AffineExpr> exprs = llvm::to_vector(outer.getResults());
  exprs[last] = b.getAffineDimExpr(rank);
  AffineMap inner = AffineMap::get(rank + 1, 0, exprs, b.getContext());
  auto filled = [&](ArrayRef<OpFoldResult> dims, int64_t value) {
    Value number = arith::ConstantIntOp::create(b, op.getLoc(), value, 64);
    return linalg::FillOp::create(b, op.getLoc(), number,
                                  linalg.empty(dims, i64))
        .getResult(0);
  };
  Value places = linalg.generic(
      {operands.getX(), operands.getX()}, {outer, inner, outer},
      filled(dims, 0), [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value own = linalg::IndexOp::create(b, loc, last),
              other = linalg::IndexOp::create(b, loc, rank);
        Value precedes = order.precedes(b, loc, v[1], v[0]);
        Value follows = order.precedes(b, loc, v[0], v[1]);
        Value isEarlier = arith::CmpIOp::create(
            b, loc, arith::CmpIPredicate::slt, other, own);
        // Of equal elements the first.
        Value isBefore = arith::SelectOp::create(
            b, loc, follows,
            arith::ConstantOp::create(b, loc, b.getBoolAttr(false)), isEarlier);
        isBefore = arith::OrIOp::create(b, loc, precedes, isBefore);
        return arith::AddIOp::create(
            b, loc, v[2], arith::ExtUIOp::create(b, loc, i64, isBefore));
      });
  // The element whose place is the loop's, if there is one.
  auto pick = [&](Value none,
                  function_ref<Value(OpBuilder &, Location, Value)> give) {
    return linalg.generic(
        {places, operands.getX()}, {inner, inner, outer}, none,
        [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
          Value place = arith::IndexCastOp::create(
              b, loc, i64, linalg::IndexOp::create(b, loc, last));
          Value isHere = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                               v[0], place);
          if (op.getMasked())
            isHere = arith::AndIOp::create(b, loc, isHere,
                                           order.isUnmasked(b, loc, v[1]));
          return arith::SelectOp::create(b, loc, isHere, give(b, loc, v[1]),
                                         v[2]);
        });
  };
  Value indices =
      pick(filled(kept, -1), [&](OpBuilder &b, Location loc, Value) -> Value {
        return arith::IndexCastOp::create(
            b, loc, i64, linalg::IndexOp::create(b, loc, rank));
      });
  if (!op.getValues())
    return {indices};
  Type storage = cast<ShapedType>(operands.getX().getType()).getElementType();
  Value none = arith::ConstantOp::create(b, op.getLoc(), order.none(storage));
  Value empty =
      linalg::FillOp::create(b, op.getLoc(), none, linalg.empty(kept, storage))
          .getResult(0);
  Value values = pick(empty, [](OpBuilder &, Location, Value x) { return x; });
  return {indices, values};
}

FailureOr<SmallVector<Value>> TopKOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return decomposeTopK(*this, Adaptor((*this)->getOperands(), *this), b,
                       shapes);
}
