//===- Folds.cpp - Constants computed from constants ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Integers fold as shape arithmetic, in ShapeBuilder. What is left are scalars
// that graphs make of dims, such as 1 / sqrt(d).
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/ShapeBuilder.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include <cmath>

using namespace mlir;
using namespace mlir::onnx;

Operation *ONNXDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getShapedType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, elements);
}

/// The element of a constant of one element, as a double. Integers that are not
/// exact in one are nullopt.
static std::optional<double> scalarOf(Attribute value) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(value);
  if (!elements || elements.getNumElements() != 1)
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType())) {
    APFloat number = *elements.value_begin<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return number.convertToDouble();
  }
  if (!elements.getElementType().isSignlessInteger() ||
      elements.getElementType().isInteger(1))
    return std::nullopt;
  int64_t number = (*elements.value_begin<APInt>()).getSExtValue();
  if (std::abs(number) > (int64_t{1} << 53))
    return std::nullopt;
  return static_cast<double>(number);
}

/// A constant of `type`, of one float, or null. Rounding the double result of
/// one operation on narrower floats gives that operation's.
static OpFoldResult floatConstant(Type type, std::optional<double> value) {
  auto tensor = cast<RankedTensorType>(type);
  if (!value || !tensor.hasStaticShape() || tensor.getNumElements() != 1 ||
      !isa<FloatType>(tensor.getElementType()))
    return nullptr;
  return DenseElementsAttr::get(tensor, static_cast<Attribute>(FloatAttr::get(
                                            tensor.getElementType(), *value)));
}

/// What `compute` makes of operands of one element each.
static OpFoldResult foldFloats(Type type, ArrayRef<Attribute> operands,
                               function_ref<double(double, double)> compute) {
  std::optional<double> lhs = scalarOf(operands.front());
  std::optional<double> rhs = scalarOf(operands.back());
  if (!lhs || !rhs)
    return nullptr;
  return floatConstant(type, compute(*lhs, *rhs));
}

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double y) { return x + y; });
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double y) { return x - y; });
}

/// Whether an operand of `op` is 1 everywhere, so that the other is the result.
template <typename OpTy>
static bool isOne(OpTy op, Attribute value, Value other) {
  return isa<FloatType>(cast<ShapedType>(op.getType()).getElementType()) &&
         scalarOf(value) == 1.0 && other.getType() == op.getType();
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isOne(*this, adaptor.getRhs(), getLhs()))
    return getLhs();
  if (isOne(*this, adaptor.getLhs(), getRhs()))
    return getRhs();
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double y) { return x * y; });
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isOne(*this, adaptor.getRhs(), getLhs()))
    return getLhs();
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double y) { return x / y; });
}

OpFoldResult PowOp::fold(FoldAdaptor adaptor) {
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double y) { return std::pow(x, y); });
}

OpFoldResult SqrtOp::fold(FoldAdaptor adaptor) {
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double) { return std::sqrt(x); });
}

OpFoldResult ReciprocalOp::fold(FoldAdaptor adaptor) {
  return foldFloats(getType(), adaptor.getOperands(),
                    [](double x, double) { return 1 / x; });
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return floatConstant(getType(), scalarOf(adaptor.getInput()));
}

OpFoldResult ConstantOfShapeOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape() ||
      type.getNumElements() > ds::ShapeBuilder::maxElements)
    return nullptr;
  auto value = dyn_cast_or_null<DenseElementsAttr>(getValueAttr());
  if (getValueAttr() && (!value || value.getNumElements() != 1))
    return nullptr;
  if (!value)
    return DenseElementsAttr::get(type, 0.0f);
  return DenseElementsAttr::get(type, *value.value_begin<Attribute>());
}
