//===- Logical.cpp - ONNX ops: shapes and elements of logic ---------------===//
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
#include "ds/Dialect/ONNX/Logical.cpp.inc"

using Elements = std::optional<SmallVector<OpFoldResult>>;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

static Elements compareElements(Operation *op, ShapeBuilder &shapes,
                                arith::CmpIPredicate predicate) {
  return inferShapeArithmetic(op, shapes, [&](auto v) {
    return shapes.compare(predicate, v[0], v[1]);
  });
}

Elements EqualOp::inferElements(ShapeBuilder &shapes) {
  // Exporters ask of every size whether it is -1.
  auto isNever = [](OpFoldResult size, OpFoldResult other) {
    auto value = getConstantIntValue(other);
    return value && *value < 0 && isNonNegative(size);
  };
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    if (isNever(v[0], v[1]) || isNever(v[1], v[0]))
      return shapes.constant(0);
    return shapes.compare(arith::CmpIPredicate::eq, v[0], v[1]);
  });
}
Elements LessOp::inferElements(ShapeBuilder &shapes) {
  return compareElements(*this, shapes, arith::CmpIPredicate::slt);
}
Elements LessOrEqualOp::inferElements(ShapeBuilder &shapes) {
  return compareElements(*this, shapes, arith::CmpIPredicate::sle);
}
Elements GreaterOp::inferElements(ShapeBuilder &shapes) {
  return compareElements(*this, shapes, arith::CmpIPredicate::sgt);
}
Elements GreaterOrEqualOp::inferElements(ShapeBuilder &shapes) {
  return compareElements(*this, shapes, arith::CmpIPredicate::sge);
}
// Bools are 0 and 1.
Elements XorOp::inferElements(ShapeBuilder &shapes) {
  return compareElements(*this, shapes, arith::CmpIPredicate::ne);
}
Elements AndOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes,
                              [&](auto v) { return shapes.min(v[0], v[1]); });
}
Elements OrOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes,
                              [&](auto v) { return shapes.max(v[0], v[1]); });
}
Elements NotOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(*this, shapes, [&](auto v) {
    return shapes.sub(shapes.constant(1), v[0]);
  });
}
Elements WhereOp::inferElements(ShapeBuilder &shapes) {
  return inferShapeArithmetic(
      *this, shapes, [&](auto v) { return shapes.select(v[0], v[1], v[2]); });
}

//===----------------------------------------------------------------------===//
// Shapes and verification
//===----------------------------------------------------------------------===//

LogicalResult WhereOp::verify() {
  Type x = elementType(getX()), y = elementType(getY());
  if (x != y || x != elementType(getOutput()))
    return emitOpError() << "expected one element type of x, y and the result, "
                            "found "
                         << x << ", " << y << " and "
                         << elementType(getOutput());
  return success();
}

LogicalResult WhereOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  return inferBroadcast(*this, shapes, results, elementType(getX()));
}

LogicalResult BitShiftOp::verify() {
  if (getDirection() != "LEFT" && getDirection() != "RIGHT")
    return emitOpError("C1: expected direction \"LEFT\" or \"RIGHT\", found ")
           << getDirectionAttr();
  return success();
}
