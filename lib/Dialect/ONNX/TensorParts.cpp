//===- TensorParts.cpp - Shapes of ONNX ops that cut and join tensors -----===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::onnx;

using Elements = std::optional<SmallVector<OpFoldResult>>;

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  if (getInputs().empty())
    return emitOpError("expected at least one operand");
  SmallVector<OpFoldResult> result = dimsOf(shapes, getInputs().front());
  int64_t rank = result.size();
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), rank);
  if (failed(axis))
    return failure();
  for (Value input : getInputs().drop_front()) {
    SmallVector<OpFoldResult> dims = dimsOf(shapes, input);
    if (static_cast<int64_t>(dims.size()) != rank)
      return emitOpError() << "expected operands of one rank, found " << rank
                           << " and " << dims.size();
    for (auto [i, joined, dim] : llvm::enumerate(result, dims)) {
      if (static_cast<int64_t>(i) == *axis) {
        joined = shapes.add(joined, dim);
        continue;
      }
      // Of two dims that must be equal, one known at compile time says more.
      auto l = getConstantIntValue(joined), r = getConstantIntValue(dim);
      if (l && r && *l != *r)
        return emitOpError() << "its operands differ in dim " << i << ": " << *l
                             << " and " << *r;
      if (r)
        joined = dim;
    }
  }
  results.push_back({elementType(getInputs().front()), std::move(result)});
  return success();
}

Elements ConcatOp::inferElements(ShapeBuilder &shapes) {
  // Shape arithmetic joins vectors only.
  auto type = cast<RankedTensorType>(getConcatResult().getType());
  if (type.getRank() != 1)
    return std::nullopt;
  SmallVector<OpFoldResult> result;
  for (Value input : getInputs()) {
    Elements elements = shapes.elements(input);
    if (!elements)
      return std::nullopt;
    llvm::append_range(result, *elements);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// Exporters write "to the end" as a bound far beyond any dim.
static bool isBeyondAnyDim(OpFoldResult bound) {
  auto value = getConstantIntValue(bound);
  return value && *value >= std::numeric_limits<int32_t>::max();
}

/// A bound as a position from the start: negative ones count from `dim`.
static OpFoldResult fromStart(ShapeBuilder &s, OpFoldResult bound,
                              OpFoldResult dim) {
  if (isNonNegative(bound))
    return bound;
  if (getConstantIntValue(bound))
    return s.add(dim, bound);
  OpFoldResult isNegative =
      s.compare(arith::CmpIPredicate::slt, bound, s.constant(0));
  return s.select(isNegative, s.add(dim, bound), bound);
}

/// A bound of a forward slice in [0, dim], with the comparisons left out that
/// cannot matter.
static OpFoldResult clampForward(ShapeBuilder &s, OpFoldResult bound,
                                 OpFoldResult dim) {
  if (isBeyondAnyDim(bound))
    return dim;
  if (isConstantIntValue(bound, 0))
    return bound;
  OpFoldResult position = fromStart(s, bound, dim);
  auto constant = getConstantIntValue(bound);
  if (constant && *constant < 0)
    return s.max(position, s.constant(0));
  position = s.min(position, dim);
  return isNonNegative(bound) ? position : s.max(position, s.constant(0));
}

static SliceAxis sliceForward(ShapeBuilder &s, OpFoldResult dim,
                              OpFoldResult start, OpFoldResult end,
                              OpFoldResult step) {
  start = clampForward(s, start, dim);
  end = clampForward(s, end, dim);
  OpFoldResult span = s.sub(end, start);
  if (end != dim && !isNonNegative(span))
    span = s.max(span, s.constant(0));
  return {start, step, s.ceilDiv(span, step)};
}

/// A slice whose step is negative, or has a sign that only run time knows.
static SliceAxis sliceAnyWay(ShapeBuilder &s, OpFoldResult dim,
                             OpFoldResult start, OpFoldResult end,
                             OpFoldResult step) {
  OpFoldResult zero = s.constant(0), one = s.constant(1);
  OpFoldResult forward = s.compare(arith::CmpIPredicate::sgt, step, zero);
  OpFoldResult last = s.select(forward, dim, s.sub(dim, one));
  OpFoldResult first = s.select(forward, zero, s.constant(-1));
  start = s.max(s.min(fromStart(s, start, dim), last), zero);
  end = s.max(s.min(fromStart(s, end, dim), last), first);
  // The lowering checks a step from data; the division must not trap before.
  if (!getConstantIntValue(step))
    step = s.select(s.compare(arith::CmpIPredicate::eq, step, zero), one, step);
  OpFoldResult size = s.max(s.ceilDiv(s.sub(end, start), step), zero);
  // An empty dim has no last element to start from.
  return {start, step, s.min(size, dim)};
}

FailureOr<SmallVector<SliceAxis>>
mlir::onnx::getSliceAxes(SliceOp op, ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, op.getData());
  FailureOr<SmallVector<OpFoldResult>> starts =
      indexElements(op, shapes, op.getStarts(), "starts");
  FailureOr<SmallVector<OpFoldResult>> ends =
      indexElements(op, shapes, op.getEnds(), "ends");
  if (failed(starts) || failed(ends))
    return failure();
  // Without axes the bounds are those of the first dims.
  if (!isPresent(op.getAxes()) && starts->size() > dims.size())
    return op.emitOpError() << "has " << starts->size() << " starts for "
                            << dims.size() << " dims";
  FailureOr<SmallVector<int64_t>> axes =
      constantAxes(op, shapes, op.getAxes(),
                   isPresent(op.getAxes()) ? dims.size() : starts->size());
  if (failed(axes))
    return failure();
  FailureOr<SmallVector<OpFoldResult>> steps =
      SmallVector<OpFoldResult>(starts->size(), shapes.constant(1));
  if (isPresent(op.getSteps()))
    steps = indexElements(op, shapes, op.getSteps(), "steps");
  if (failed(steps))
    return failure();
  if (ends->size() != starts->size() || axes->size() != starts->size() ||
      steps->size() != starts->size())
    return op.emitOpError() << "has " << starts->size() << " starts, "
                            << ends->size() << " ends, " << axes->size()
                            << " axes and " << steps->size() << " steps";

  SmallVector<SliceAxis> slices;
  for (OpFoldResult dim : dims)
    slices.push_back({shapes.constant(0), shapes.constant(1), dim});
  for (auto [start, end, axis, step] :
       llvm::zip_equal(*starts, *ends, *axes, *steps)) {
    auto constant = getConstantIntValue(step);
    if (constant && *constant == 0)
      return op.emitOpError() << "the step of axis " << axis << " is 0";
    slices[axis] = constant && *constant > 0
                       ? sliceForward(shapes, dims[axis], start, end, step)
                       : sliceAnyWay(shapes, dims[axis], start, end, step);
  }
  return slices;
}

LogicalResult SliceOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  FailureOr<SmallVector<SliceAxis>> slices = getSliceAxes(*this, shapes);
  if (failed(slices))
    return failure();
  results.push_back({elementType(getData()),
                     llvm::map_to_vector(*slices, [](const SliceAxis &slice) {
                       return slice.size;
                     })});
  return success();
}

Elements SliceOp::inferElements(ShapeBuilder &shapes) {
  if (!getData().getType().hasStaticShape())
    return std::nullopt;
  FailureOr<SmallVector<SliceAxis>> slices = getSliceAxes(*this, shapes);
  if (failed(slices))
    return std::nullopt;
  SmallVector<int64_t> strides = computeStrides(getData().getType().getShape());
  SmallVector<int64_t> resultShape;
  int64_t offset = 0;
  for (auto [slice, stride] : llvm::zip_equal(*slices, strides)) {
    auto start = getConstantIntValue(slice.start);
    auto step = getConstantIntValue(slice.step);
    auto size = getConstantIntValue(slice.size);
    if (!start || !step || !size)
      return std::nullopt;
    offset += *start * stride;
    stride *= *step;
    resultShape.push_back(*size);
  }
  return mapElements(shapes, getData(), resultShape,
                     [&](ArrayRef<int64_t> position) {
                       return offset + linearize(position, strides);
                     });
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<OpFoldResult>>
mlir::onnx::getSplitSizes(SplitOp op, ShapeBuilder &shapes) {
  FailureOr<int64_t> axis =
      normalizeAxis(op, op.getAxis(),
                    cast<RankedTensorType>(op.getInput().getType()).getRank());
  if (failed(axis))
    return failure();
  OpFoldResult dim = shapes.dim(op.getInput(), *axis);
  int64_t parts = op.getNumResults();
  if (op.getNumOutputs().value_or(parts) != static_cast<uint64_t>(parts))
    return op.emitOpError() << "has " << parts << " results but num_outputs "
                            << *op.getNumOutputs();
  SmallVector<OpFoldResult> sizes;
  if (!isPresent(op.getSplit())) {
    OpFoldResult size = shapes.ceilDiv(dim, shapes.constant(parts));
    sizes.assign(parts, size);
    sizes.back() =
        shapes.sub(dim, shapes.mul(size, shapes.constant(parts - 1)));
  } else {
    FailureOr<SmallVector<OpFoldResult>> given =
        indexElements(op, shapes, op.getSplit(), "split");
    if (failed(given))
      return failure();
    sizes = std::move(*given);
    if (static_cast<int64_t>(sizes.size()) != parts)
      return op.emitOpError()
             << "has " << parts << " results but " << sizes.size() << " sizes";
  }
  int64_t sum = 0;
  for (OpFoldResult size : sizes) {
    auto value = getConstantIntValue(size);
    if (value && *value < 0)
      return op.emitOpError() << "cannot cut a part of size " << *value;
    sum += value.value_or(0);
  }
  auto total = getConstantIntValue(dim);
  if (total && getConstantIntValues(sizes) && sum != *total)
    return op.emitOpError()
           << "its sizes add up to " << sum << " but the dim is " << *total;
  return sizes;
}

/// Tells the elements of the parts of a small integer vector.
static void bindParts(SplitOp op, ShapeBuilder &shapes,
                      ArrayRef<OpFoldResult> sizes) {
  std::optional<SmallVector<int64_t>> known = getConstantIntValues(sizes);
  auto type = cast<RankedTensorType>(op.getInput().getType());
  if (!known || type.getRank() != 1 || !op.getInput().getDefiningOp())
    return;
  Elements elements = shapes.elements(op.getInput());
  if (!elements)
    return;
  ArrayRef<OpFoldResult> rest = *elements;
  for (auto [result, size] : llvm::zip_equal(op.getResults(), *known)) {
    shapes.bindElements(result, rest.take_front(size));
    rest = rest.drop_front(size);
  }
}

LogicalResult SplitOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  FailureOr<SmallVector<OpFoldResult>> sizes = getSplitSizes(*this, shapes);
  if (failed(sizes))
    return failure();
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getInput());
  int64_t axis = *normalizeAxis(*this, getAxis(), dims.size());
  for (OpFoldResult size : *sizes) {
    dims[axis] = size;
    results.push_back({elementType(getInput()), dims});
  }
  bindParts(*this, shapes, *sizes);
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<PadAxis>> mlir::onnx::getPadAxes(PadOp op,
                                                       ShapeBuilder &shapes) {
  int64_t rank = cast<RankedTensorType>(op.getData().getType()).getRank();
  FailureOr<SmallVector<int64_t>> axes =
      constantAxes(op, shapes, op.getAxes(), rank);
  FailureOr<SmallVector<OpFoldResult>> pads =
      indexElements(op, shapes, op.getPads(), "pads");
  if (failed(axes) || failed(pads))
    return failure();
  if (pads->size() != 2 * axes->size())
    return op.emitOpError() << "expected " << 2 * axes->size()
                            << " pads, found " << pads->size();
  SmallVector<PadAxis> result(rank, {shapes.constant(0), shapes.constant(0)});
  for (auto [i, axis] : llvm::enumerate(*axes))
    result[axis] = {(*pads)[i], (*pads)[axes->size() + i]};
  return result;
}

LogicalResult PadOp::inferResults(ShapeBuilder &shapes,
                                  SmallVectorImpl<ResultShape> &results) {
  StringRef mode = getMode();
  if (mode != "constant" && mode != "edge" && mode != "reflect" &&
      mode != "wrap")
    return emitOpError() << "mode '" << mode
                         << "' is none of constant, edge, reflect and wrap";
  if (isPresent(getConstantValue()) &&
      elementType(getConstantValue()) != elementType(getData()))
    return emitOpError() << "pads elements of " << elementType(getData())
                         << " with one of " << elementType(getConstantValue());
  FailureOr<SmallVector<PadAxis>> pads = getPadAxes(*this, shapes);
  if (failed(pads))
    return failure();
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getData());
  for (auto [i, dim, pad] : llvm::enumerate(dims, *pads)) {
    dim = shapes.add(shapes.add(pad.before, dim), pad.after);
    if (auto value = getConstantIntValue(dim); value && *value < 0)
      return emitOpError() << "its pads leave dim " << i << " with " << *value
                           << " elements";
  }
  results.push_back({elementType(getData()), std::move(dims)});
  return success();
}
