//===- Normalization.cpp - Layer normalization and kin to linalg ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/ReductionSpace.h"
#include "ds/Codegen/Linalg/Scalars.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Mean and inverse standard deviation of rows, as row tensors of the compute
/// type.
struct Moments {
  Value mean, inverseDeviation;
};
} // namespace

/// 1 / √(x + ε), the inverse standard deviation of a variance.
static Value emitInverseRoot(Scalars &s, Value x, const APFloat &epsilon) {
  Value shifted = s.add(x, s.constant(epsilon.convertToDouble()));
  return s.div(s.constant(1), s.make<math::SqrtOp>(shifted));
}

/// The variance is that of the centred values: the difference of the mean
/// square and the squared mean would cancel.
static Moments computeMoments(Lowering &l, ReductionSpace &space, Value x,
                              Type element, const APFloat &epsilon) {
  auto compute = cast<FloatType>(Scalars::computeType(element));
  FloatAttr zero = l.b.getFloatAttr(compute, 0.0);
  Value count = space.count(compute);
  Value sum = space.reduce(
      x, {}, zero,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        return {s.add(v[1], s.load(v[0]))};
      });
  Value mean = space.mapRows(
      sum, compute,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        return {Scalars(b, loc, element).div(v[0], count)};
      });
  Value squares = space.reduce(
      x, mean, zero,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        Value centred = s.sub(s.load(v[0]), v[1]);
        return {s.add(v[2], s.mul(centred, centred))};
      });
  Value inverse = space.mapRows(
      squares, compute,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        return {emitInverseRoot(s, s.div(v[0], count), epsilon)};
      });
  return {mean, inverse};
}

/// A row tensor as a result: with the reduced dims as 1, in `element`.
static Value rowResult(ReductionSpace &space, Value rows, Type element) {
  auto from = cast<ShapedType>(rows.getType()).getElementType();
  if (from != element)
    rows = space.mapRows(
        rows, element,
        [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
          Scalars s(b, loc, from);
          return {s.store(v[0], element)};
        });
  return space.keepDims(rows);
}

static LogicalResult lowerLayerNorm(onnx::LayerNormalizationOp op,
                                    Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  FailureOr<int64_t> axis = onnx::normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  llvm::SmallBitVector reduced(dims.size());
  reduced.set(*axis, dims.size());
  ReductionSpace space(l, dims, reduced);
  Type element = onnx::elementType(op.getX());
  Value x = l.lowered(op.getX());
  Moments moments = computeMoments(l, space, x, element, op.getEpsilon());

  GenericBuilder generic = space.full();
  space.addFull(generic, x);
  space.addRows(generic, moments.mean);
  space.addRows(generic, moments.inverseDeviation);
  generic.addBroadcast(op.getScale());
  bool hasBias = onnx::isPresent(op.getBias());
  if (hasBias)
    generic.addBroadcast(op.getBias());
  l.setLowered(op.getY(),
               generic.map(element,
                           [&](OpBuilder &b, Location loc,
                               ValueRange v) -> SmallVector<Value> {
                             Scalars s(b, loc, element);
                             Value y = s.mul(s.sub(s.load(v[0]), v[1]), v[2]);
                             y = s.mul(y, s.load(v[3]));
                             if (hasBias)
                               y = s.add(y, s.load(v[4]));
                             return {s.store(y, element)};
                           }));
  l.setLowered(op.getMean(),
               rowResult(space, moments.mean, onnx::elementType(op.getMean())));
  l.setLowered(op.getInvStdDev(),
               rowResult(space, moments.inverseDeviation,
                         onnx::elementType(op.getInvStdDev())));
  return success();
}

void mlir::ds::populateNormalizationLowerings(LoweringRegistry &registry) {
  registry.add<onnx::LayerNormalizationOp>(lowerLayerNorm);
}
