//===- Resize.cpp - The shape of ONNX Resize ------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ImageShapes.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::onnx;

/// Whether an optional operand is there and has elements: older opsets spell an
/// absent one as an empty tensor.
static bool isGiven(Value operand) {
  if (!isPresent(operand))
    return false;
  auto type = cast<RankedTensorType>(operand.getType());
  return !type.hasStaticShape() || type.getNumElements() != 0;
}

static std::optional<SmallVector<double>> getFloats(Value operand) {
  DenseFPElementsAttr literal;
  if (!matchPattern(operand, m_Constant(&literal)))
    return std::nullopt;
  SmallVector<double> values;
  for (APFloat value : literal.getValues<APFloat>()) {
    bool exact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &exact);
    values.push_back(value.convertToDouble());
  }
  return values;
}

static LogicalResult checkModes(ResizeOp op) {
  auto oneOf = [&](StringRef name, StringRef value,
                   ArrayRef<StringRef> known) -> LogicalResult {
    if (llvm::is_contained(known, value))
      return success();
    return op.emitOpError()
           << name << " '" << value << "' is not one that is supported";
  };
  if (op.getAntialias())
    return op.emitOpError("C2: expected antialias 0, found 1");
  Type element = elementType(op.getX());
  bool isFloat = isa<FloatType>(element);
  if ((op.getMode() == "cubic" && !isFloat) ||
      (op.getMode() == "linear" && element.isInteger(1)))
    return op.emitOpError()
           << "C3: expected floats to interpolate, found " << element;
  return success(
      succeeded(oneOf("mode", op.getMode(), {"nearest", "linear", "cubic"})) &&
      succeeded(oneOf(
          "nearest_mode", op.getNearestMode(),
          {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})) &&
      succeeded(
          oneOf("coordinate_transformation_mode",
                op.getCoordinateTransformationMode(),
                {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                 "align_corners", "asymmetric", "tf_crop_and_resize"})) &&
      succeeded(oneOf("keep_aspect_ratio_policy", op.getKeepAspectRatioPolicy(),
                      {"stretch", "not_larger", "not_smaller"})));
}

/// floor(dim * scale) for an f32 of run time, within what a dim can be.
static OpFoldResult scaleDim(ShapeBuilder &shapes, OpFoldResult dim,
                             Value scale) {
  return shapes.memoize("scale", {dim, scale}, [&](ArrayRef<Value> v) -> Value {
    OpBuilder &b = shapes.builder();
    Location loc = shapes.location();
    auto constant = [&](double value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
    };
    Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), v[0]);
    Value size = arith::SIToFPOp::create(b, loc, b.getF64Type(), integer);
    Value factor = arith::ExtFOp::create(b, loc, b.getF64Type(), v[1]);
    Value scaled = arith::MulFOp::create(b, loc, size, factor);
    // Truncation rounds down what is not negative, and not a number gives 0.
    scaled = arith::MaxNumFOp::create(b, loc, scaled, constant(0.0));
    scaled = arith::MinNumFOp::create(b, loc, scaled, constant(0x1p40));
    Value result = arith::FPToSIOp::create(b, loc, b.getI64Type(), scaled);
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), result);
  });
}

/// Sets what `scales` says of the dims `axes`.
static LogicalResult applyScales(ResizeOp op, ShapeBuilder &shapes,
                                 ArrayRef<int64_t> axes,
                                 MutableArrayRef<ResizeAxis> result) {
  auto type = cast<RankedTensorType>(op.getScales().getType());
  if (type.getRank() != 1 ||
      type.getDimSize(0) != static_cast<int64_t>(axes.size()))
    return op.emitOpError()
           << "expected " << axes.size() << " scales, found " << type;
  std::optional<SmallVector<double>> scales = getFloats(op.getScales());
  if (!scales && (!shapes.inputElement(op.getScales(), 0) ||
                  !type.getElementType().isF32()))
    return op.emitOpError("C1: its scales are neither constants nor a graph "
                          "input of f32");
  for (auto [i, axis] : llvm::enumerate(axes)) {
    ResizeAxis &target = result[axis];
    OpFoldResult dim = target.size;
    target.isIdentity = false;
    if (!scales) {
      target.runtimeScale = shapes.inputElement(op.getScales(), i);
      target.size = scaleDim(shapes, dim, target.runtimeScale);
      continue;
    }
    double scale = (*scales)[i];
    if (!(scale > 0) || !(scale < 0x1p20))
      return op.emitOpError("expected scales above 0 and below 2^20, found ")
             << scale;
    target.scale = scale;
    target.isIdentity = scale == 1;
    if (auto known = getConstantIntValue(dim)) {
      target.size = shapes.constant(std::floor(*known * scale));
    } else if (scale == std::floor(scale)) {
      target.size = shapes.mul(dim, shapes.constant(scale));
    } else {
      Value factor =
          arith::ConstantOp::create(shapes.builder(), shapes.location(),
                                    shapes.builder().getF32FloatAttr(scale));
      target.size = scaleDim(shapes, dim, factor);
    }
  }
  return success();
}

/// Makes all scales the smallest or largest of those that `sizes` asks for.
static LogicalResult keepAspectRatio(ResizeOp op, ShapeBuilder &shapes,
                                     ArrayRef<int64_t> axes,
                                     ArrayRef<OpFoldResult> dims,
                                     MutableArrayRef<ResizeAxis> result) {
  SmallVector<double> scales;
  for (int64_t axis : axes) {
    auto size = getConstantIntValue(result[axis].size);
    auto dim = getConstantIntValue(dims[axis]);
    if (!size || !dim || *dim == 0)
      return op.emitOpError("C4: keeps the aspect ratio of dims that are not "
                            "known at compile time");
    scales.push_back(double(*size) / *dim);
  }
  double scale = op.getKeepAspectRatioPolicy() == "not_larger"
                     ? *llvm::min_element(scales)
                     : *llvm::max_element(scales);
  for (int64_t axis : axes) {
    result[axis].scale = scale;
    // Halfway cases go up.
    double size = std::floor(scale * *getConstantIntValue(dims[axis]) + 0.5);
    result[axis].size = shapes.constant(size);
    result[axis].isIdentity = scale == 1;
  }
  return success();
}

static LogicalResult applySizes(ResizeOp op, ShapeBuilder &shapes,
                                ArrayRef<int64_t> axes,
                                ArrayRef<OpFoldResult> dims,
                                MutableArrayRef<ResizeAxis> result) {
  FailureOr<SmallVector<OpFoldResult>> sizes =
      indexElements(op, shapes, op.getSizes(), "sizes");
  if (failed(sizes))
    return failure();
  if (sizes->size() != axes.size())
    return op.emitOpError()
           << "expected " << axes.size() << " sizes, found " << sizes->size();
  for (auto [size, axis] : llvm::zip_equal(*sizes, axes)) {
    if (auto known = getConstantIntValue(size); known && *known < 0)
      return op.emitOpError()
             << "expected sizes of 0 or more, found " << *known;
    result[axis].size = size;
    result[axis].isIdentity = size == dims[axis];
  }
  if (op.getKeepAspectRatioPolicy() != "stretch")
    return keepAspectRatio(op, shapes, axes, dims, result);
  return success();
}

FailureOr<SmallVector<ResizeAxis>>
mlir::onnx::getResizeAxes(ResizeOp op, ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, op.getX());
  int64_t rank = dims.size();
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (op.getAxes())
    axes.assign(op.getAxes()->begin(), op.getAxes()->end());
  for (int64_t &axis : axes) {
    FailureOr<int64_t> normalized = normalizeAxis(op, axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  SmallVector<ResizeAxis> result(rank);
  for (auto [axis, dim] : llvm::zip_equal(result, dims))
    axis.size = dim;
  if (isGiven(op.getScales()) == isGiven(op.getSizes()))
    return op.emitOpError("expected either scales or sizes");
  if (failed(isGiven(op.getScales())
                 ? applyScales(op, shapes, axes, result)
                 : applySizes(op, shapes, axes, dims, result)))
    return failure();
  if (op.getCoordinateTransformationMode() != "tf_crop_and_resize")
    return result;

  std::optional<SmallVector<double>> roi;
  if (isGiven(op.getRoi()))
    roi = getFloats(op.getRoi());
  if (!roi || roi->size() != 2 * axes.size())
    return op.emitOpError() << "C1: expected a constant roi of "
                            << 2 * axes.size() << " elements";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    result[axis].roiStart = (*roi)[i];
    result[axis].roiEnd = (*roi)[axes.size() + i];
    result[axis].isIdentity &=
        result[axis].roiStart == 0 && result[axis].roiEnd == 1;
  }
  return result;
}

LogicalResult ResizeOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  if (failed(checkModes(*this)))
    return failure();
  FailureOr<SmallVector<ResizeAxis>> axes = getResizeAxes(*this, shapes);
  if (failed(axes))
    return failure();
  results.push_back({elementType(getX()),
                     llvm::map_to_vector(*axes, [](const ResizeAxis &axis) {
                       return axis.size;
                     })});
  return success();
}
