//===- Softmax.cpp - Softmax and its logarithm to linalg ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/ReductionSpace.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;

/// Generics for the maximum, e^(x - maximum), its sum and the quotient (or
/// x - maximum, the sum of its exponentials and the difference to its
/// logarithm), so that tiling by rows fuses them.
template <typename OpTy>
static LogicalResult lowerSoftmax(OpTy op, Lowering &l) {
  constexpr bool isLog = std::is_same_v<OpTy, onnx::LogSoftmaxOp>;
  SmallVector<OpFoldResult> dims =
      llvm::to_vector(l.shapes.dims(op.getInput()));
  FailureOr<int64_t> axis = onnx::normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  llvm::SmallBitVector reduced(dims.size());
  reduced.set(*axis);
  ReductionSpace space(l, dims, reduced);

  Type element = onnx::elementType(op.getInput());
  Type compute = Scalars::computeType(element);
  auto scalars = [&](OpBuilder &b, Location loc) {
    return Scalars(b, loc, element);
  };
  Value x = l.lowered(op.getInput());
  FloatAttr zero = l.b.getFloatAttr(compute, 0.0);
  Value maximum = space.reduce(
      x, {},
      l.b.getFloatAttr(compute, -std::numeric_limits<double>::infinity()),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {s.max(v[1], s.load(v[0]))};
      });
  Value shifted = space.mapFull(
      x, maximum, compute,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        Value difference = s.sub(s.load(v[0]), v[1]);
        return {isLog ? difference : s.make<math::ExpOp>(difference)};
      });
  Value sum = space.reduce(
      shifted, {}, zero,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {s.add(v[1], isLog ? s.make<math::ExpOp>(v[0]) : v[0])};
      });
  Value perRow = space.mapRows(
      sum, compute,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s = scalars(b, loc);
        return {isLog ? s.make<math::LogOp>(v[0]) : s.div(s.constant(1), v[0])};
      });
  l.setLowered(op.getResult(),
               space.mapFull(shifted, perRow, element,
                             [&](OpBuilder &b, Location loc,
                                 ValueRange v) -> SmallVector<Value> {
                               Scalars s = scalars(b, loc);
                               Value y = isLog ? s.sub(v[0], v[1])
                                               : s.mul(v[0], v[1]);
                               return {s.store(y, element)};
                             }));
  return success();
}

void mlir::ds::populateSoftmaxLowerings(LoweringRegistry &registry) {
  registry.add<onnx::SoftmaxOp>(lowerSoftmax<onnx::SoftmaxOp>);
  registry.add<onnx::LogSoftmaxOp>(lowerSoftmax<onnx::LogSoftmaxOp>);
}
