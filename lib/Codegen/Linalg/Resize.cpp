//===- Resize.cpp - Resize to linalg --------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Where a result position samples is the same along all other dims, so it is
// computed once per axis, into vectors of indices and weights, in f64: whether
// a sample lies halfway between two elements decides which is the nearest.
// Interpolation goes axis by axis.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/ImageShapes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Scalar f64 arithmetic in the body of a generic.
struct Doubles {
  OpBuilder &b;
  Location loc;

  Value constant(double value) {
    return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
  }
  Value add(Value l, Value r) { return arith::AddFOp::create(b, loc, l, r); }
  Value sub(Value l, Value r) { return arith::SubFOp::create(b, loc, l, r); }
  Value mul(Value l, Value r) { return arith::MulFOp::create(b, loc, l, r); }
  Value div(Value l, Value r) { return arith::DivFOp::create(b, loc, l, r); }
  Value floor(Value v) { return math::FloorOp::create(b, loc, v); }
  Value ceil(Value v) { return math::CeilOp::create(b, loc, v); }
  Value compare(arith::CmpFPredicate predicate, Value l, Value r) {
    return arith::CmpFOp::create(b, loc, predicate, l, r);
  }
  Value select(Value condition, Value l, Value r) {
    return arith::SelectOp::create(b, loc, condition, l, r);
  }
  Value fromIndex(Value index) {
    Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, loc, b.getF64Type(), integer);
  }
};

/// What an axis' samples are computed from.
struct Axis {
  onnx::ResizeOp op;
  onnx::ResizeAxis spec;
  int64_t index;
  OpFoldResult dimSize, size;
  Value dim;            // index
  Value length, scaled; // f64: the operand's dim, and it times the scale
  Value resultLength;   // f64: the result's dim
  Value scale;          // f64

  StringRef mode() { return op.getCoordinateTransformationMode(); }
  bool isCrop() { return mode() == "tf_crop_and_resize"; }
  Axis(Lowering &l, onnx::ResizeOp op, const onnx::ResizeAxis &spec,
       int64_t index);
  /// The position in the operand, f64, that result position `i` samples.
  Value position(Doubles f, Value i);
};

/// One of the elements that a sample is made of, by result position.
struct Tap {
  Value indices; // i64, inside the dim
  Value weights; // of the compute type
};
} // namespace

Axis::Axis(Lowering &l, onnx::ResizeOp op, const onnx::ResizeAxis &spec,
           int64_t index)
    : op(op), spec(spec), index(index), dimSize(l.shapes.dim(op.getX(), index)),
      size(l.shapes.dim(op.getY(), index)) {
  Doubles f{l.b, l.loc()};
  dim = l.shapes.materialize(dimSize);
  length = f.fromIndex(dim);
  resultLength = f.fromIndex(l.shapes.materialize(size));
  if (spec.scale)
    scale = f.constant(*spec.scale);
  else if (spec.runtimeScale)
    scale = arith::ExtFOp::create(l.b, l.loc(), l.b.getF64Type(),
                                  spec.runtimeScale);
  else
    scale = f.div(resultLength, length);
  // Sizes that were asked for are exact.
  bool isExact = !spec.scale && !spec.runtimeScale;
  scaled = isExact ? resultLength : f.mul(scale, length);
}

Value Axis::position(Doubles f, Value i) {
  Value one = f.constant(1.0), half = f.constant(0.5), zero = f.constant(0.0);
  auto isOne = [&](Value v) {
    return f.compare(arith::CmpFPredicate::OEQ, v, one);
  };
  if (mode() == "asymmetric")
    return f.div(i, scale);
  if (mode() == "align_corners") {
    Value ratio = f.div(f.mul(i, f.sub(length, one)), f.sub(scaled, one));
    return f.select(isOne(scaled), zero, ratio);
  }
  if (isCrop()) {
    Value start = f.constant(spec.roiStart);
    Value extent = f.constant(spec.roiEnd - spec.roiStart);
    Value last = f.sub(length, one);
    Value moved = f.div(f.mul(f.mul(i, extent), last), f.sub(scaled, one));
    Value middle = f.constant(0.5 * (spec.roiStart + spec.roiEnd));
    return f.select(isOne(scaled), f.mul(middle, last),
                    f.add(f.mul(start, last), moved));
  }
  Value centered = f.sub(f.div(f.add(i, half), scale), half);
  if (mode() == "pytorch_half_pixel")
    return f.select(isOne(resultLength), zero, centered);
  if (mode() == "half_pixel_symmetric") {
    Value adjustment = f.div(resultLength, scaled);
    Value offset = f.mul(f.mul(length, half), f.sub(one, adjustment));
    return f.add(offset, centered);
  }
  return centered;
}

//===----------------------------------------------------------------------===//
// Vectors of indices and weights
//===----------------------------------------------------------------------===//

/// A vector over the result positions of `axis`.
static Value alongAxis(Lowering &l, Axis &axis, Type element,
                       function_ref<Value(Doubles, Value position)> body) {
  return generate(l, axis.size, element, {}, {}, [&](const Cell &cell) {
    Doubles f{cell.b, cell.loc};
    return body(f, axis.position(f, f.fromIndex(cell.index(0))));
  });
}

/// The element of the dim that a whole f64 names, those outside being the
/// border's.
static Value clampIndex(Doubles f, Axis &axis, Value whole) {
  Value last = f.sub(axis.length, f.constant(1.0));
  Value inside = arith::MaxNumFOp::create(
      f.b, f.loc, arith::MinNumFOp::create(f.b, f.loc, whole, last),
      f.constant(0.0));
  return arith::FPToSIOp::create(f.b, f.loc, f.b.getI64Type(), inside);
}

/// Whether each sample of a crop lies inside the operand: i8.
static Value isInside(Lowering &l, Axis &axis) {
  return alongAxis(l, axis, l.b.getI8Type(), [&](Doubles f, Value position) {
    Value last = f.sub(axis.length, f.constant(1.0));
    Value low = f.compare(arith::CmpFPredicate::OGE, position, f.constant(0.0));
    Value high = f.compare(arith::CmpFPredicate::OLE, position, last);
    Value inside = arith::AndIOp::create(f.b, f.loc, low, high);
    return arith::ExtUIOp::create(f.b, f.loc, f.b.getI8Type(), inside)
        .getResult();
  });
}

static Value nearestIndices(Lowering &l, Axis &axis) {
  StringRef mode = axis.op.getNearestMode();
  return alongAxis(l, axis, l.b.getI64Type(), [&](Doubles f, Value position) {
    Value whole;
    if (mode == "floor")
      whole = f.floor(position);
    else if (mode == "ceil")
      whole = f.ceil(position);
    else if (mode == "round_prefer_floor")
      whole = f.ceil(f.sub(position, f.constant(0.5)));
    else
      whole = f.floor(f.add(position, f.constant(0.5)));
    return clampIndex(f, axis, whole);
  });
}

/// The weights of the elements from floor(position) - count / 2 + 1 on, with
/// the position's fraction `t`.
static SmallVector<Value> interpolationWeights(Doubles f, onnx::ResizeOp op,
                                               Value t) {
  Value one = f.constant(1.0);
  if (op.getMode() == "linear")
    return {f.sub(one, t), t};
  double a = op.getCubicCoeffA().convertToDouble();
  // The kernel by the distance x to an element: up to 1, and from 1 to 2.
  auto near = [&](Value x) {
    Value inner = f.sub(f.mul(f.constant(a + 2), x), f.constant(a + 3));
    return f.add(f.mul(f.mul(inner, x), x), one);
  };
  auto far = [&](Value x) {
    Value inner = f.sub(f.mul(f.constant(a), x), f.constant(5 * a));
    inner = f.add(f.mul(inner, x), f.constant(8 * a));
    return f.sub(f.mul(inner, x), f.constant(4 * a));
  };
  Value rest = f.sub(one, t);
  return {far(f.add(t, one)), near(t), near(rest), far(f.add(rest, one))};
}

/// The weights as they are used: those outside are 0 and the others scaled up
/// where that is asked for.
static SmallVector<Value> effectiveWeights(Doubles f, Axis &axis,
                                           Value position, Value first) {
  Value fraction = f.sub(position, f.floor(position));
  SmallVector<Value> weights = interpolationWeights(f, axis.op, fraction);
  if (!axis.op.getExcludeOutside())
    return weights;
  Value zero = f.constant(0.0), sum = zero;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    Value at = f.add(first, f.constant(i));
    Value low = f.compare(arith::CmpFPredicate::OGE, at, zero);
    Value high = f.compare(arith::CmpFPredicate::OLT, at, axis.length);
    Value inside = arith::AndIOp::create(f.b, f.loc, low, high);
    weight = f.select(inside, weight, zero);
    sum = f.add(sum, weight);
  }
  for (Value &weight : weights)
    weight = f.div(weight, sum);
  return weights;
}

static SmallVector<Tap> interpolationTaps(Lowering &l, Axis &axis,
                                          Type compute) {
  int64_t count = axis.op.getMode() == "linear" ? 2 : 4;
  int64_t before = count / 2 - 1;
  auto first = [&](Doubles f, Value position) {
    return f.sub(f.floor(position), f.constant(before));
  };
  SmallVector<Tap> taps;
  for (int64_t i = 0; i < count; ++i) {
    Value indices =
        alongAxis(l, axis, l.b.getI64Type(), [&](Doubles f, Value position) {
          Value at = f.add(first(f, position), f.constant(i));
          return clampIndex(f, axis, at);
        });
    Value weights = alongAxis(l, axis, compute, [&](Doubles f, Value position) {
      Value weight = effectiveWeights(f, axis, position, first(f, position))[i];
      if (!compute.isF64())
        weight = arith::TruncFOp::create(f.b, f.loc, compute, weight);
      return weight;
    });
    taps.push_back({indices, weights});
  }
  return taps;
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

/// The type that elements are interpolated in.
static Type computeType(Type element, OpBuilder &b) {
  if (element.isF64())
    return element;
  bool isWide = element.isInteger() && element.getIntOrFloatBitWidth() > 16;
  return isWide ? Type(b.getF64Type()) : Type(b.getF32Type());
}

/// A scalar of a storage type in another type; `source` is the ONNX type of
/// the one that is an integer.
static Value convert(OpBuilder &b, Location loc, Value value, Type to,
                     Type source) {
  Type from = value.getType();
  if (from == to)
    return value;
  if (isa<FloatType>(from) && isa<FloatType>(to)) {
    if (from.getIntOrFloatBitWidth() < to.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(b, loc, to, value);
    return arith::TruncFOp::create(b, loc, to, value);
  }
  bool isUnsigned = source.isUnsignedInteger();
  if (isa<FloatType>(to)) {
    if (isUnsigned)
      return arith::UIToFPOp::create(b, loc, to, value);
    return arith::SIToFPOp::create(b, loc, to, value);
  }
  if (isUnsigned)
    return arith::FPToUIOp::create(b, loc, to, value);
  return arith::FPToSIOp::create(b, loc, to, value);
}

/// `extrapolation_value` where a sample of a crop is outside.
static Value orExtrapolated(const Cell &cell, onnx::ResizeOp op, Value inside,
                            Value value) {
  Type type = value.getType();
  double outside = op.getExtrapolationValue().convertToDouble();
  TypedAttr attr = isa<FloatType>(type)
                       ? TypedAttr(cell.b.getFloatAttr(type, outside))
                       : TypedAttr(cell.b.getIntegerAttr(
                             type, static_cast<int64_t>(outside)));
  Value other = arith::ConstantOp::create(cell.b, cell.loc, attr);
  Value zero =
      arith::ConstantOp::create(cell.b, cell.loc, cell.b.getI8IntegerAttr(0));
  Value bit = arith::CmpIOp::create(cell.b, cell.loc, arith::CmpIPredicate::ne,
                                    inside, zero);
  return arith::SelectOp::create(cell.b, cell.loc, bit, value, other);
}

static Value asIndex(const Cell &cell, Value integer) {
  return arith::IndexCastOp::create(cell.b, cell.loc, cell.b.getIndexType(),
                                    integer);
}

/// All axes at once: each result element is one of the operand.
static Value sampleNearest(Lowering &l, onnx::ResizeOp op, Value data,
                           MutableArrayRef<Axis> axes) {
  Dims dims = dimsOf(l, op.getY());
  SmallVector<Value> vectors;
  SmallVector<AffineMap> maps;
  for (Axis &axis : axes) {
    AffineMap map = AffineMap::get(
        dims.size(), 0, l.b.getAffineDimExpr(axis.index), l.b.getContext());
    vectors.push_back(nearestIndices(l, axis));
    maps.push_back(map);
    if (axis.isCrop()) {
      vectors.push_back(isInside(l, axis));
      maps.push_back(map);
    }
  }
  Type element = Lowering::storageElement(onnx::elementType(op.getX()));
  return generate(l, dims, element, vectors, maps, [&](const Cell &cell) {
    SmallVector<Value> at, inside;
    for (int64_t i = 0, e = dims.size(); i < e; ++i)
      at.push_back(cell.index(i));
    auto next = cell.inputs.begin();
    for (Axis &axis : axes) {
      at[axis.index] = asIndex(cell, *next++);
      if (axis.isCrop())
        inside.push_back(*next++);
    }
    Value value = cell.extract(data, at);
    for (Value flag : inside)
      value = orExtrapolated(cell, op, flag, value);
    return value;
  });
}

/// One axis: `data` has the dims `dims`, of which that of the axis changes.
static Value interpolate(Lowering &l, Axis &axis, Value data, Dims &dims,
                         Type compute) {
  Type element = onnx::elementType(axis.op.getX());
  SmallVector<Tap> taps = interpolationTaps(l, axis, compute);
  SmallVector<Value> vectors;
  for (const Tap &tap : taps)
    llvm::append_range(vectors, ArrayRef{tap.indices, tap.weights});
  if (axis.isCrop())
    vectors.push_back(isInside(l, axis));
  dims[axis.index] = axis.size;
  AffineMap map = AffineMap::get(
      dims.size(), 0, l.b.getAffineDimExpr(axis.index), l.b.getContext());
  SmallVector<AffineMap> maps(vectors.size(), map);
  return generate(l, dims, compute, vectors, maps, [&](const Cell &cell) {
    SmallVector<Value> at;
    for (int64_t i = 0, e = dims.size(); i < e; ++i)
      at.push_back(cell.index(i));
    Value sum;
    for (size_t i = 0; i < taps.size(); ++i) {
      at[axis.index] = asIndex(cell, cell.inputs[2 * i]);
      Value value =
          convert(cell.b, cell.loc, cell.extract(data, at), compute, element);
      Value term = arith::MulFOp::create(cell.b, cell.loc, value,
                                         cell.inputs[2 * i + 1]);
      sum = sum ? Value(arith::AddFOp::create(cell.b, cell.loc, sum, term))
                : term;
    }
    return axis.isCrop()
               ? orExtrapolated(cell, axis.op, cell.inputs.back(), sum)
               : sum;
  });
}

static LogicalResult lowerResize(onnx::ResizeOp op, Lowering &l) {
  FailureOr<SmallVector<onnx::ResizeAxis>> specs =
      onnx::getResizeAxes(op, l.shapes);
  if (failed(specs))
    return failure();
  Dims dims = dimsOf(l, op.getX()), result = dimsOf(l, op.getY());
  Value data = loweredAs(l, op.getX());
  SmallVector<Axis> axes;
  for (auto [i, spec] : llvm::enumerate(*specs)) {
    if (spec.isIdentity)
      continue;
    if (failed(requireAtLeast(l, op, result[i], 0, "a size is {0}")) ||
        failed(requireAtLeast(l, op, dims[i], 1,
                              "cannot resize a dim of {0} elements")))
      return failure();
    axes.emplace_back(l, op, spec, i);
  }
  if (axes.empty()) {
    l.setLowered(op.getY(), castTo(l, data, result));
    return success();
  }
  if (op.getMode() == "nearest") {
    l.setLowered(op.getY(), sampleNearest(l, op, data, axes));
    return success();
  }
  Type element = onnx::elementType(op.getX());
  Type compute = computeType(element, l.b),
       storage = Lowering::storageElement(element);
  for (Axis &axis : axes)
    data = interpolate(l, axis, data, dims, compute);
  if (compute != storage)
    data = generate(
        l, result, storage, data, l.b.getMultiDimIdentityMap(result.size()),
        [&](const Cell &cell) {
          return convert(cell.b, cell.loc, cell.inputs[0], storage, element);
        });
  l.setLowered(op.getY(), data);
  return success();
}

void mlir::ds::populateResizeLowerings(LoweringRegistry &registry) {
  registry.add<onnx::ResizeOp>(lowerResize);
}
