//===- Elementwise.cpp - Element-wise ops to linalg -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/GenericBuilder.h"

using namespace mlir;
using namespace mlir::ds;

LogicalResult mlir::ds::lowerElementwise(
    Operation *op, Lowering &l,
    function_ref<Value(Scalars &, ArrayRef<Value>)> body) {
  Value result = op->getResult(0);
  Type storage = Lowering::storageType(result.getType()).getElementType();
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(result));
  SmallVector<Type> elements; // null for an absent operand
  GenericBuilder generic(l, dims);
  for (Value operand : op->getOperands()) {
    bool present = onnx::isPresent(operand);
    elements.push_back(
        present ? cast<ShapedType>(operand.getType()).getElementType()
                : Type());
    if (present)
      generic.addBroadcast(operand);
  }
  l.setLowered(
      result, generic.map(storage,
                          [&](OpBuilder &b, Location loc,
                              ValueRange stored) -> SmallVector<Value> {
                            Scalars s(b, loc, elements[0]);
                            SmallVector<Value> scalars;
                            auto next = stored.begin();
                            for (Type element : elements)
                              scalars.push_back(
                                  element ? s.load(*next++, element) : Value());
                            return {s.store(body(s, scalars), storage)};
                          }));
  return success();
}

Value mlir::ds::storeTensor(Lowering &l, Value computed,
                            ArrayRef<OpFoldResult> dims, Type element) {
  Type storage = Lowering::storageElement(element);
  if (cast<ShapedType>(computed.getType()).getElementType() == storage)
    return computed;
  GenericBuilder generic(l, dims);
  generic.add(computed, dims, llvm::to_vector(llvm::seq<int64_t>(dims.size())));
  return generic.map(
      storage,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        return {Scalars(b, loc, element).store(v[0], storage)};
      });
}

void mlir::ds::populateElementwiseLowerings(LoweringRegistry &registry) {
  for (const auto &entry : getScalarTable()) {
    const ScalarTable::Fn &body = entry.getValue();
    registry.add(entry.getKey(), [&body](Operation *op, Lowering &l) {
      return lowerElementwise(
          op, l, [&](Scalars &s, ArrayRef<Value> v) { return body(s, op, v); });
    });
  }
}
