//===- Lowering.cpp - Lowering ops to linalg, one by one ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Codegen/Linalg/GenericBuilder.h"
#include "ds/Dialect/ONNX/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::ds;

Type Lowering::storageElement(Type element) {
  return mlir::ds::storageElement(element);
}

RankedTensorType Lowering::storageType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return type.clone(storageElement(type.getElementType()));
}

SmallVector<Value> Lowering::lowered(ValueRange sources) const {
  return llvm::map_to_vector(sources, [&](Value v) { return lowered(v); });
}

Value Lowering::empty(ArrayRef<OpFoldResult> dims, Type storageElement) {
  return tensor::EmptyOp::create(b, loc(), dims, storageElement);
}

Value Lowering::emptyResult(Operation *op) {
  Value result = op->getResult(0);
  return empty(shapes.dims(result),
               storageType(result.getType()).getElementType());
}

Value Lowering::filled(ArrayRef<OpFoldResult> dims, Value value) {
  Value init = empty(dims, value.getType());
  return linalg::FillOp::create(b, loc(), value, init).getResult(0);
}

Value Lowering::elementwise(ValueRange sources, ArrayRef<OpFoldResult> dims,
                            Type element, Body body) {
  GenericBuilder generic(*this, dims);
  for (Value source : sources)
    generic.addBroadcast(source);
  return generic.map(element, body);
}

LogicalResult Lowering::requireEqual(Operation *op, OpFoldResult lhs,
                                     OpFoldResult rhs, StringRef message) {
  if (lhs == rhs)
    return success();
  auto l = getConstantIntValue(lhs), r = getConstantIntValue(rhs);
  if (l && r)
    return op->emitOpError(llvm::formatv(message.str().c_str(), *l, *r).str());
  Value v0 = shapes.materialize(lhs), v1 = shapes.materialize(rhs);
  Value holds =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, v1);
  CheckOp::create(b, loc(), holds, v0, v1, message);
  return success();
}

LogicalResult Lowering::requireBroadcast(Operation *op, OpFoldResult source,
                                         OpFoldResult target,
                                         StringRef message) {
  if (isConstantIntValue(source, 1))
    return success();
  // Any other constant is the target's size.
  if (getConstantIntValue(source) || source == target)
    return requireEqual(op, source, target, message);
  Value v0 = shapes.materialize(source), v1 = shapes.materialize(target);
  Value one = shapes.materialize(shapes.constant(1));
  Value isOne =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, one);
  Value same =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, v1);
  Value holds = arith::OrIOp::create(b, loc(), isOne, same);
  CheckOp::create(b, loc(), holds, v0, v1, message);
  return success();
}

Value Lowering::extract(OpBuilder &b, Location loc, Value tensor,
                        ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}
