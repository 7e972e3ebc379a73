//===- MaskValues.cpp - What is computed from a mask ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MaskValues.h"
#include "RaiseHelpers.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ds;

std::optional<double> mlir::ds::getSplat(Value value) {
  DenseElementsAttr literal;
  if (!matchPattern(value, m_Constant(&literal)) || !literal.isSplat())
    return std::nullopt;
  if (auto ints = dyn_cast<DenseIntElementsAttr>(literal)) {
    bool isUnsigned = literal.getElementType().isInteger(1) ||
                      literal.getElementType().isUnsignedInteger();
    APInt number = ints.getSplatValue<APInt>();
    return isUnsigned ? double(number.getZExtValue())
                      : double(number.getSExtValue());
  }
  APFloat number = literal.getSplatValue<APFloat>();
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

/// The operands of an op whose elements those of its result are functions of.
static SmallVector<Value> elementOperands(Operation *op) {
  // The others are shapes and axes.
  if (isa<onnx::ExpandOp, onnx::UnsqueezeOp, onnx::TransposeOp, onnx::CastOp,
          onnx::IdentityOp, onnx::NotOp>(op))
    return {op->getOperand(0)};
  if (isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::EqualOp,
          onnx::GreaterOp, onnx::LessOp, onnx::WhereOp>(op))
    return llvm::to_vector(op->getOperands());
  return {};
}

Value mlir::ds::findMask(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return typeOf(argument).getRank() == 2 ? argument : Value();
  Value mask;
  for (Value operand : elementOperands(value.getDefiningOp())) {
    if (getSplat(operand))
      continue;
    Value found = findMask(operand);
    if (!found || (mask && found != mask))
      return nullptr;
    mask = found;
  }
  return mask;
}

/// What `op` makes of one element of each operand. Floats are computed in
/// double, which tells what this is used for.
static std::optional<double> evaluate(Operation *op, ArrayRef<double> v) {
  return llvm::TypeSwitch<Operation *, std::optional<double>>(op)
      .Case<onnx::ExpandOp, onnx::UnsqueezeOp, onnx::TransposeOp,
            onnx::IdentityOp>([&](auto) { return v[0]; })
      .Case([&](onnx::CastOp cast) {
        Type element = typeOf(cast.getResult()).getElementType();
        if (element.isInteger(1))
          return double(v[0] != 0);
        return isa<FloatType>(element) ? v[0] : std::trunc(v[0]);
      })
      .Case([&](onnx::NotOp) { return double(v[0] == 0); })
      .Case([&](onnx::AddOp) { return v[0] + v[1]; })
      .Case([&](onnx::SubOp) { return v[0] - v[1]; })
      .Case([&](onnx::MulOp) { return v[0] * v[1]; })
      .Case([&](onnx::DivOp div) -> std::optional<double> {
        if (!isa<FloatType>(typeOf(div.getResult()).getElementType()))
          return std::nullopt;
        return v[0] / v[1];
      })
      .Case([&](onnx::EqualOp) { return double(v[0] == v[1]); })
      .Case([&](onnx::GreaterOp) { return double(v[0] > v[1]); })
      .Case([&](onnx::LessOp) { return double(v[0] < v[1]); })
      .Case([&](onnx::WhereOp) { return v[0] != 0 ? v[1] : v[2]; })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<double> mlir::ds::valueWhereMaskIs(Value value, Value mask,
                                                 double number) {
  if (value == mask)
    return number;
  if (auto splat = getSplat(value))
    return splat;
  Operation *op = value.getDefiningOp();
  SmallVector<double> operands;
  for (Value operand : op ? elementOperands(op) : SmallVector<Value>()) {
    auto known = valueWhereMaskIs(operand, mask, number);
    if (!known)
      return std::nullopt;
    operands.push_back(*known);
  }
  return operands.empty() ? std::nullopt : evaluate(op, operands);
}
