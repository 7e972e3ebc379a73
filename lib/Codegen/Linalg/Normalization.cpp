//===- Normalization.cpp - Layer normalization and kin to linalg ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/ReductionSpace.h"
#include "ds/Codegen/Linalg/Views.h"
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

/// A generic over the full shape with inputs x, mean and inverse deviation, to
/// which the caller adds the scale and the bias.
static GenericBuilder startNormalized(ReductionSpace &space, Value x,
                                      const Moments &moments) {
  GenericBuilder generic = space.full();
  space.addFull(generic, x);
  space.addRows(generic, moments.mean);
  space.addRows(generic, moments.inverseDeviation);
  return generic;
}

static Value finishNormalized(GenericBuilder &generic, Type element,
                              bool hasBias) {
  return generic.map(
      element,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        Value y = s.mul(s.sub(s.load(v[0]), v[1]), v[2]);
        y = s.mul(y, s.load(v[3]));
        if (hasBias)
          y = s.add(y, s.load(v[4]));
        return {s.store(y, element)};
      });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// The dims from `axis` on, of `rank`.
static llvm::SmallBitVector dimsFrom(int64_t axis, int64_t rank) {
  llvm::SmallBitVector reduced(rank);
  reduced.set(axis, rank);
  return reduced;
}

static LogicalResult lowerLayerNorm(onnx::LayerNormalizationOp op,
                                    Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  FailureOr<int64_t> axis = onnx::normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  ReductionSpace space(l, dims, dimsFrom(*axis, dims.size()));
  Type element = onnx::elementType(op.getX());
  Value x = l.lowered(op.getX());
  Moments moments = computeMoments(l, space, x, element, op.getEpsilon());

  GenericBuilder generic = startNormalized(space, x, moments);
  generic.addBroadcast(op.getScale());
  bool hasBias = onnx::isPresent(op.getBias());
  if (hasBias)
    generic.addBroadcast(op.getBias());
  l.setLowered(op.getY(), finishNormalized(generic, element, hasBias));
  l.setLowered(op.getMean(),
               rowResult(space, moments.mean, onnx::elementType(op.getMean())));
  l.setLowered(op.getInvStdDev(),
               rowResult(space, moments.inverseDeviation,
                         onnx::elementType(op.getInvStdDev())));
  return success();
}

static LogicalResult lowerRMSNorm(onnx::RMSNormalizationOp op, Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  FailureOr<int64_t> axis = onnx::normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  ReductionSpace space(l, dims, dimsFrom(*axis, dims.size()));
  Type element = onnx::elementType(op.getX());
  auto compute = cast<FloatType>(Scalars::computeType(element));
  Value x = l.lowered(op.getX()), count = space.count(compute);
  Value squares = space.reduce(
      x, {}, l.b.getFloatAttr(compute, 0.0),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        Value value = s.load(v[0]);
        return {s.add(v[1], s.mul(value, value))};
      });
  Value inverse = space.mapRows(
      squares, compute,
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        return {emitInverseRoot(s, s.div(v[0], count), op.getEpsilon())};
      });
  GenericBuilder generic = space.full();
  space.addFull(generic, x);
  space.addRows(generic, inverse);
  generic.addBroadcast(op.getScale());
  l.setLowered(op.getY(), generic.map(element,
                                      [&](OpBuilder &b, Location loc,
                                          ValueRange v) -> SmallVector<Value> {
                                        Scalars s(b, loc, element);
                                        Value y =
                                            s.mul(s.mul(s.load(v[0]), v[1]),
                                                  s.load(v[2]));
                                        return {s.store(y, element)};
                                      }));
  return success();
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// Adds the operands of shape [C] that follow operand 0, (N, C, …), to a
/// generic over the loops of its dims.
static LogicalResult addPerChannel(Operation *op, Lowering &l,
                                   GenericBuilder &generic) {
  OpFoldResult channels = l.shapes.dim(op->getOperand(0), 1);
  for (Value operand : llvm::drop_begin(op->getOperands())) {
    if (failed(l.requireEqual(op, l.shapes.dim(operand, 0), channels,
                              "{0} values for {1} channels")))
      return failure();
    generic.add(l.lowered(operand), channels, 1);
  }
  return success();
}

static LogicalResult lowerInstanceNorm(onnx::InstanceNormalizationOp op,
                                       Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  ReductionSpace space(l, dims, dimsFrom(2, dims.size()));
  Type element = onnx::elementType(op.getX());
  Value x = l.lowered(op.getX());
  Moments moments = computeMoments(l, space, x, element, op.getEpsilon());
  GenericBuilder generic = startNormalized(space, x, moments);
  if (failed(addPerChannel(op, l, generic)))
    return failure();
  l.setLowered(op.getResult(),
               finishNormalized(generic, element, /*hasBias=*/true));
  return success();
}

/// As (N, groups, C / groups, …).
static LogicalResult lowerGroupNorm(onnx::GroupNormalizationOp op,
                                    Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  OpFoldResult channels = dims[1];
  OpFoldResult groups = l.shapes.constant(op.getNumGroups());
  OpFoldResult width = l.shapes.floorDiv(channels, groups);
  if (failed(l.requireEqual(
          op, l.shapes.mul(groups, width), channels,
          "{1} channels do not form groups of equal size: only {0} would")))
    return failure();
  SmallVector<OpFoldResult> grouped = dims;
  grouped[1] = groups;
  grouped.insert(grouped.begin() + 2, width);

  ReductionSpace space(l, grouped, dimsFrom(2, grouped.size()));
  Type element = onnx::elementType(op.getX());
  Value x = reshape(l, loweredAs(l, op.getX()), dims, grouped);
  Moments moments = computeMoments(l, space, x, element, op.getEpsilon());
  GenericBuilder generic = startNormalized(space, x, moments);
  for (Value operand : {op.getScale(), op.getBias()}) {
    if (failed(l.requireEqual(op, l.shapes.dim(operand, 0), channels,
                              "{0} values for {1} channels")))
      return failure();
    Value tensor = castTo(l, l.lowered(operand), channels);
    generic.add(reshape(l, tensor, channels, {groups, width}), {groups, width},
                {1, 2});
  }
  Value y = finishNormalized(generic, element, /*hasBias=*/true);
  l.setLowered(op.getResult(), reshape(l, y, grouped, dims));
  return success();
}

static LogicalResult lowerBatchNorm(onnx::BatchNormalizationOp op,
                                    Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getX()));
  Type element = onnx::elementType(op.getX());
  Type parameters = onnx::elementType(op.getScale());
  Type moments = onnx::elementType(op.getInputMean());
  GenericBuilder generic(l, dims);
  generic.addBroadcast(op.getX());
  if (failed(addPerChannel(op, l, generic)))
    return failure();
  l.setLowered(
      op.getResult(),
      generic.map(
          element,
          [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
            Scalars s(b, loc, element);
            auto load = [&](Value stored, Type from) {
              return convertScalar(s, s.load(stored, from), from,
                                   s.computeType());
            };
            Value centred = s.sub(s.load(v[0]), load(v[3], moments));
            Value inverse =
                emitInverseRoot(s, load(v[4], moments), op.getEpsilon());
            Value factor = s.mul(load(v[1], parameters), inverse);
            Value y = s.add(s.mul(centred, factor), load(v[2], parameters));
            return {s.store(y, element)};
          }));
  return success();
}

void mlir::ds::populateNormalizationLowerings(LoweringRegistry &registry) {
  registry.add<onnx::LayerNormalizationOp>(lowerLayerNorm);
  registry.add<onnx::RMSNormalizationOp>(lowerRMSNorm);
  registry.add<onnx::InstanceNormalizationOp>(lowerInstanceNorm);
  registry.add<onnx::GroupNormalizationOp>(lowerGroupNorm);
  registry.add<onnx::BatchNormalizationOp>(lowerBatchNorm);
}
