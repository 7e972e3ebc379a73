//===- LinalgBuilder.cpp - Shorthand for linalg on tensors ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

Type mlir::ds::getSumType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  return element;
}

Value LinalgBuilder::constant(OpBuilder &b, Location loc, Type type,
                              double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
}

Value LinalgBuilder::extend(OpBuilder &b, Location loc, Type type,
                            Value scalar) {
  if (scalar.getType() == type)
    return scalar;
  return arith::ExtFOp::create(b, loc, type, scalar);
}

Value LinalgBuilder::empty(ArrayRef<OpFoldResult> dims, Type element) {
  if (!inTask)
    return tensor::EmptyOp::create(b, loc, dims, element);
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(dims, dynamic, shape);
  return bufferization::AllocTensorOp::create(
      b, loc, RankedTensorType::get(shape, element), dynamic);
}

Value LinalgBuilder::filled(ArrayRef<OpFoldResult> dims, Type element,
                            double value) {
  Value scalar = constant(b, loc, element, value);
  return linalg::FillOp::create(b, loc, scalar, empty(dims, element))
      .getResult(0);
}

Value LinalgBuilder::generic(ValueRange inputs, ArrayRef<AffineMap> maps,
                             Value init, Body body) {
  AffineMap output = maps.back();
  SmallVector<utils::IteratorType> iterators(output.getNumDims(),
                                             utils::IteratorType::reduction);
  for (AffineExpr expr : output.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      iterators[dim.getPosition()] = utils::IteratorType::parallel;
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange scalars) {
               linalg::YieldOp::create(nested, loc, body(nested, loc, scalars));
             })
      .getResult(0);
}

Value LinalgBuilder::map(ValueRange inputs, ArrayRef<AffineMap> inputMaps,
                         ArrayRef<OpFoldResult> dims, Type element, Body body) {
  SmallVector<AffineMap> maps = llvm::to_vector(inputMaps);
  maps.push_back(b.getMultiDimIdentityMap(dims.size()));
  return generic(inputs, maps, empty(dims, element), body);
}

Value LinalgBuilder::contract(Value lhs, Value rhs, ArrayRef<AffineMap> maps,
                              Value init) {
  return generic(
      {lhs, rhs}, maps, init, [](OpBuilder &b, Location loc, ValueRange v) {
        Type sum = v[2].getType();
        Value product = arith::MulFOp::create(b, loc, extend(b, loc, sum, v[0]),
                                              extend(b, loc, sum, v[1]));
        return arith::AddFOp::create(b, loc, v[2], product).getResult();
      });
}

Value LinalgBuilder::truncate(Value tensor, ArrayRef<OpFoldResult> dims,
                              Type element) {
  if (cast<ShapedType>(tensor.getType()).getElementType() == element)
    return tensor;
  return map(
      tensor, b.getMultiDimIdentityMap(dims.size()), dims, element,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        return arith::TruncFOp::create(b, loc, element, v[0]).getResult();
      });
}

Value mlir::ds::floorMod(OpBuilder &b, Location loc, Value x, Value y) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value rest = arith::RemSIOp::create(b, loc, x, y);
  Value isNegative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, zero);
  Value above = arith::AddIOp::create(b, loc, rest, y);
  return arith::SelectOp::create(b, loc, isNegative, above, rest);
}
