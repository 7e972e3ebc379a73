//===- Cast.cpp - Conversions between element types to linalg -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::ds;

/// From operand 0 to the element type of the result.
static LogicalResult lowerCast(Operation *op, Lowering &l) {
  Value input = op->getOperand(0), result = op->getResult(0);
  Type from = cast<ShapedType>(input.getType()).getElementType();
  Type to = cast<ShapedType>(result.getType()).getElementType();
  // Signedness is not stored.
  if (from == to ||
      (!from.isInteger(1) && !to.isInteger(1) &&
       Lowering::storageElement(from) == Lowering::storageElement(to))) {
    l.setLowered(result, l.lowered(input));
    return success();
  }
  Type storage = Lowering::storageElement(to);
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(result));
  l.setLowered(
      result,
      l.elementwise(
          input, dims, storage,
          [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
            Scalars s(b, loc, from);
            return {s.store(convertScalar(s, s.load(v[0]), from, to), storage)};
          }));
  return success();
}

static LogicalResult lowerIdentity(onnx::IdentityOp op, Lowering &l) {
  l.setLowered(op.getResult(), l.lowered(op.getInput()));
  return success();
}

void mlir::ds::populateCastLowerings(LoweringRegistry &registry) {
  registry.addAll<onnx::CastOp, onnx::CastLikeOp>(lowerCast);
  registry.add<onnx::IdentityOp>(lowerIdentity);
}
