//===- Elementwise.cpp - Element-wise ops to linalg -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Writes scalar arithmetic of one ONNX element type, whose signedness the
/// storage type no longer tells.
struct Scalars {
  OpBuilder &b;
  Location loc;
  Type element; // ONNX element type of the operands

  bool isFloat() const { return isa<FloatType>(element); }
  bool isUnsigned() const {
    return element.isUnsignedInteger() || element.isInteger(1);
  }

  template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
  Value select(Value l, Value r) {
    if (isFloat())
      return FloatOp::create(b, loc, l, r);
    if (isUnsigned())
      return UnsignedOp::create(b, loc, l, r);
    return SignedOp::create(b, loc, l, r);
  }
  Value zero(Type type) {
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  }
};
} // namespace

/// The scalar code of an element-wise op: operands in, result out. Null where
/// the element type is not supported.
static Value emitScalar(Operation *op, Scalars s, ValueRange v) {
  if (isa<onnx::AddOp>(op))
    return s.select<arith::AddFOp, arith::AddIOp>(v[0], v[1]);
  if (isa<onnx::ReluOp>(op))
    return s.select<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(
        v[0], s.zero(v[0].getType()));
  return nullptr;
}

static LogicalResult lowerElementwise(Operation *op, Lowering &l) {
  Type element = cast<ShapedType>(op->getOperand(0).getType()).getElementType();
  Type result =
      Lowering::storageType(op->getResult(0).getType()).getElementType();
  SmallVector<OpFoldResult> dims =
      llvm::to_vector(l.shapes.dims(op->getResult(0)));
  bool supported = true;
  Value lowered =
      l.elementwise(op->getOperands(), dims, result,
                    [&](OpBuilder &b, Location loc,
                        ValueRange scalars) -> SmallVector<Value> {
                      Value value = emitScalar(op, {b, loc, element}, scalars);
                      supported = bool(value);
                      return {supported ? value : scalars.back()};
                    });
  if (!supported)
    return op->emitOpError() << "is not supported for element type " << element;
  l.setLowered(op->getResult(0), lowered);
  return success();
}

void mlir::ds::populateElementwiseLowerings(LoweringRegistry &registry) {
  registry.addAll<onnx::AddOp, onnx::ReluOp>(lowerElementwise);
}
