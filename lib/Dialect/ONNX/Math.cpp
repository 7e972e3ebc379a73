//===- Math.cpp - ONNX ops: shapes and verification
//-------------------------===//
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
#include "ds/Dialect/ONNX/Math.cpp.inc"

std::optional<SmallVector<OpFoldResult>>
AddOp::inferElements(ShapeBuilder &shapes) {
  return inferElementwiseElements(
      *this, shapes, [&](auto v) { return shapes.add(v[0], v[1]); });
}

LogicalResult MatMulOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> a = llvm::to_vector(shapes.dims(getA()));
  SmallVector<OpFoldResult> b = llvm::to_vector(shapes.dims(getB()));
  if (a.empty() || b.empty())
    return emitOpError("expected operands of rank 1 or more, found a scalar");
  // A vector counts as a matrix of one row or one column, dropped again below.
  bool aIsVector = a.size() == 1, bIsVector = b.size() == 1;
  if (aIsVector)
    a.insert(a.begin(), shapes.constant(1));
  if (bIsVector)
    b.push_back(shapes.constant(1));
  OpFoldResult k = a.back(), otherK = b[b.size() - 2];
  auto lhsK = getConstantIntValue(k), rhsK = getConstantIntValue(otherK);
  if (lhsK && rhsK && *lhsK != *rhsK)
    return emitOpError() << "the contracted dims differ: " << *lhsK << " and "
                         << *rhsK;
  FailureOr<SmallVector<OpFoldResult>> dims =
      shapes.broadcast({ArrayRef(a).drop_back(2), ArrayRef(b).drop_back(2)});
  if (failed(dims))
    return emitOpError("the stacking dims of its operands do not broadcast");
  if (!aIsVector)
    dims->push_back(a[a.size() - 2]);
  if (!bIsVector)
    dims->push_back(b.back());
  results.push_back({elementType(getA()), std::move(*dims)});
  return success();
}
