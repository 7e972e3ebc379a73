//===- Linear.cpp - ds.linear ---------------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

LogicalResult LinearOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto w = cast<RankedTensorType>(getW().getType());
  if (x.getRank() == 0)
    return emitOpError("C1: expected x of rank 1 or more, found ") << x;
  if (w.getRank() != 2 || !w.hasStaticShape())
    return emitOpError("C2: expected w to be a matrix of static shape, found ")
           << w;
  int64_t depth = x.getShape().back();
  if (!ShapedType::isDynamic(depth) && depth != w.getDimSize(0))
    return emitOpError("C3: expected the last dim of x to be ")
           << w.getDimSize(0) << ", found " << depth;
  if (getBias()) {
    auto bias = cast<RankedTensorType>(getBias().getType());
    if (bias.getRank() != 1 ||
        (!bias.isDynamicDim(0) && bias.getDimSize(0) != w.getDimSize(1)))
      return emitOpError("C4: expected bias to be a vector of ")
             << w.getDimSize(1) << " elements, found " << bias;
  }
  for (Type type : getOperation()->getOperandTypes())
    if (cast<ShapedType>(type).getElementType() != x.getElementType())
      return emitOpError("C5: expected operands of element type ")
             << x.getElementType() << ", found " << type;
  if (getType().getElementType() != x.getElementType())
    return emitOpError("C5: expected a result of element type ")
           << x.getElementType() << ", found " << getType();
  SmallVector<int64_t> shape = llvm::to_vector(x.getShape());
  shape.back() = w.getDimSize(1);
  if (failed(verifyCompatibleShape(shape, getType().getShape())))
    return emitOpError("C6: expected a result of type ")
           << x.clone(shape) << ", found " << getType();
  return success();
}

LogicalResult LinearOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  dims.back() =
      shapes.constant(cast<ShapedType>(getW().getType()).getDimSize(1));
  results.push_back({getType().getElementType(), std::move(dims)});
  return success();
}

Value mlir::ds::decomposeLinear(LinearOp op, LinearOp::Adaptor operands,
                                OpBuilder &b, ShapeBuilder &shapes) {
  LinalgBuilder linalg{b, op.getLoc()};
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(op.getY()));
  int64_t rank = dims.size();
  Type element = op.getType().getElementType(), sum = getSumType(element);

  // Loops: the dims of the result, then k.
  AffineExpr n = b.getAffineDimExpr(rank - 1), k = b.getAffineDimExpr(rank);
  AffineMap result = AffineMap::getMultiDimIdentityMap(rank + 1, b.getContext())
                         .dropResult(rank);
  SmallVector<AffineExpr> x = llvm::to_vector(result.getResults().drop_back());
  x.push_back(k);
  Value y = linalg.contract(
      operands.getX(), operands.getW(),
      {AffineMap::get(rank + 1, 0, x, b.getContext()),
       AffineMap::get(rank + 1, 0, {k, n}, b.getContext()), result},
      linalg.filled(dims, sum, 0));
  if (operands.getBias())
    y = linalg.map({y, operands.getBias()},
                   {b.getMultiDimIdentityMap(rank), AffineMap::get(rank, 0, n)},
                   dims, sum, [&](OpBuilder &b, Location loc, ValueRange v) {
                     Value bias = LinalgBuilder::extend(b, loc, sum, v[1]);
                     return arith::AddFOp::create(b, loc, v[0], bias);
                   });
  return linalg.truncate(y, dims, element);
}

FailureOr<SmallVector<Value>> LinearOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeLinear(*this, Adaptor(getOperands(), *this), b, shapes)};
}
