//===- NN.cpp - ONNX ops: shapes of normalization -------------------------===//
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
#include "ds/Dialect/ONNX/NN.cpp.inc"

LogicalResult GeluOp::verify() {
  if (getApproximate() != "none" && getApproximate() != "tanh")
    return emitOpError("C1: expected approximate \"none\" or \"tanh\", found ")
           << getApproximateAttr();
  return success();
}

LogicalResult LayerNormalizationOp::verify() {
  if (getStashType() != 1)
    return emitOpError("C2: expected stash_type 1 (f32), found ")
           << getStashType();
  return success();
}

LogicalResult
LayerNormalizationOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getX()));
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size());
  if (failed(axis) ||
      failed(checkBroadcastsTo(*this, shapes.dims(getScale()), dims, "scale")))
    return failure();
  if (isPresent(getBias()) &&
      failed(checkBroadcastsTo(*this, shapes.dims(getBias()), dims, "bias")))
    return failure();
  SmallVector<OpFoldResult> rows = dims;
  for (OpFoldResult &dim : MutableArrayRef(rows).drop_front(*axis))
    dim = shapes.constant(1);
  Type f32 = Float32Type::get(getContext());
  results.push_back({elementType(getX()), std::move(dims)});
  results.push_back({f32, rows});
  results.push_back({f32, std::move(rows)});
  return success();
}
