//===- Parts.cpp - Concat, Slice, Split and Pad to linalg -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/LinalgBuilder.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;

//===----------------------------------------------------------------------===//
// Concat, Split
//===----------------------------------------------------------------------===//

static LogicalResult lowerConcat(onnx::ConcatOp op, Lowering &l) {
  Dims result = dimsOf(l, op.getConcatResult());
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), result.size());
  if (op.getInputs().size() == 1) {
    l.setLowered(op.getConcatResult(), loweredAs(l, op.getInputs().front()));
    return success();
  }
  Value joined =
      l.empty(result, Lowering::storageElement(elementType(op.getResult())));
  Dims offsets(result.size(), l.shapes.constant(0));
  for (Value input : op.getInputs()) {
    Dims sizes = dimsOf(l, input);
    for (auto [i, size] : llvm::enumerate(sizes)) {
      if (static_cast<int64_t>(i) == axis)
        continue;
      if (failed(l.requireEqual(op, size, result[i],
                                "its operands differ in a dim: {0} and {1}")))
        return failure();
      size = result[i];
    }
    joined = insertSlice(l, l.lowered(input), joined, offsets, sizes);
    offsets[axis] = l.shapes.add(offsets[axis], sizes[axis]);
  }
  l.setLowered(op.getConcatResult(), joined);
  return success();
}

static LogicalResult lowerSplit(onnx::SplitOp op, Lowering &l) {
  FailureOr<SmallVector<OpFoldResult>> parts =
      onnx::getSplitSizes(op, l.shapes);
  if (failed(parts))
    return failure();
  Dims sizes = dimsOf(l, op.getInput());
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), sizes.size());
  OpFoldResult dim = sizes[axis], end = l.shapes.constant(0);
  for (OpFoldResult part : *parts) {
    if (failed(requireAtLeast(l, op, part, 0, "cannot cut a part of size {0}")))
      return failure();
    // Sizes from data could add up to the dim by wrapping.
    if (onnx::isPresent(op.getSplit()) && !getConstantIntValue(part) &&
        failed(require(l, op,
                       l.shapes.compare(arith::CmpIPredicate::sle, part, dim),
                       part, dim, "cannot cut a part of size {0} off {1}")))
      return failure();
    end = l.shapes.add(end, part);
  }
  // Equal parts add up by their computation.
  if (onnx::isPresent(op.getSplit()) &&
      failed(l.requireEqual(op, end, dim,
                            "its sizes add up to {0} but the dim is {1}")))
    return failure();
  Value input = loweredAs(l, op.getInput());
  Dims offsets(sizes.size(), l.shapes.constant(0));
  for (auto [result, part] : llvm::zip_equal(op.getResults(), *parts)) {
    sizes[axis] = part;
    l.setLowered(result, extractSlice(l, input, offsets, sizes));
    offsets[axis] = l.shapes.add(offsets[axis], part);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

static LogicalResult lowerSlice(onnx::SliceOp op, Lowering &l) {
  FailureOr<SmallVector<onnx::SliceAxis>> axes =
      onnx::getSliceAxes(op, l.shapes);
  if (failed(axes))
    return failure();
  Dims starts, steps, sizes;
  bool forward = true, whole = true;
  Dims dims = dimsOf(l, op.getData());
  for (auto [axis, dim] : llvm::zip_equal(*axes, dims)) {
    starts.push_back(axis.start);
    steps.push_back(axis.step);
    sizes.push_back(axis.size);
    auto step = getConstantIntValue(axis.step);
    forward &= step && *step > 0;
    whole &= isConstantIntValue(axis.start, 0) && axis.size == dim && step == 1;
  }
  if (onnx::isPresent(op.getSteps())) {
    FailureOr<SmallVector<OpFoldResult>> given =
        onnx::indexElements(op, l.shapes, op.getSteps(), "steps");
    OpFoldResult zero = l.shapes.constant(0);
    for (OpFoldResult step : *given)
      if (failed(require(l, op,
                         l.shapes.compare(arith::CmpIPredicate::ne, step, zero),
                         step, zero, "a step is {0}")))
        return failure();
  }
  Value data = loweredAs(l, op.getData());
  if (whole || forward) {
    l.setLowered(op.getOutput(),
                 whole ? data : extractSlice(l, data, starts, sizes, steps));
    return success();
  }
  SmallVector<Value> start, step;
  for (const onnx::SliceAxis &axis : *axes) {
    start.push_back(l.shapes.materialize(axis.start));
    step.push_back(l.shapes.materialize(axis.step));
  }
  // start + i * step is inside the dim for all i below the size.
  Type element = Lowering::storageElement(elementType(op.getData()));
  l.setLowered(op.getOutput(),
               generate(l, sizes, element, {}, {}, [&](const Cell &cell) {
                 SmallVector<Value> indices;
                 for (auto [i, axis] : llvm::enumerate(*axes)) {
                   Value moved = arith::MulIOp::create(cell.b, cell.loc,
                                                       cell.index(i), step[i]);
                   indices.push_back(arith::AddIOp::create(cell.b, cell.loc,
                                                           moved, start[i]));
                 }
                 return cell.extract(data, indices);
               }));
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

/// What remains of the operand inside a fill: negative pads cut it first.
static Value padConstant(onnx::PadOp op, Lowering &l,
                         ArrayRef<onnx::PadAxis> pads) {
  ShapeBuilder &s = l.shapes;
  OpFoldResult zero = s.constant(0);
  Dims from = dimsOf(l, op.getData()), to = dimsOf(l, op.getOutput());
  Dims starts, sizes, offsets;
  for (auto [pad, dim] : llvm::zip_equal(pads, from)) {
    OpFoldResult start = onnx::isNonNegative(pad.before)
                             ? zero
                             : s.min(s.max(s.sub(zero, pad.before), zero), dim);
    OpFoldResult end = onnx::isNonNegative(pad.after)
                           ? dim
                           : s.min(s.add(dim, pad.after), dim);
    OpFoldResult size = s.sub(end, start);
    bool kept = isConstantIntValue(start, 0) && end == dim;
    starts.push_back(start);
    sizes.push_back(kept ? dim : s.max(size, zero));
    offsets.push_back(
        onnx::isNonNegative(pad.before) ? pad.before : s.max(pad.before, zero));
  }
  Value data = loweredAs(l, op.getData());
  if (sizes != from)
    data = extractSlice(l, data, starts, sizes);
  if (sizes == to)
    return data;
  // A remainder of nothing may have nowhere to go.
  for (auto [offset, size, dim] : llvm::zip_equal(offsets, sizes, to))
    if (size != dim && !getConstantIntValue(size) &&
        !isConstantIntValue(offset, 0))
      offset = s.min(offset, s.sub(dim, size));
  Type element = Lowering::storageElement(elementType(op.getData()));
  Value value;
  if (onnx::isPresent(op.getConstantValue())) {
    SmallVector<Value> indices(s.rank(op.getConstantValue()),
                               s.materialize(zero));
    value = Lowering::extract(l.b, l.loc(), l.lowered(op.getConstantValue()),
                              indices);
  } else {
    value = arith::ConstantOp::create(l.b, l.loc(), l.b.getZeroAttr(element));
  }
  // Behind one dim alone, only what is added is filled, once the operand is
  // there: nothing is written twice, and of a cache that has room already, all
  // that remains is a copy, which may be one of a buffer to itself.
  SmallVector<int64_t> grown;
  for (auto [i, dim] : llvm::enumerate(from))
    if (dim != to[i])
      grown.push_back(i);
  bool isBehind = sizes == from && grown.size() == 1 &&
                  llvm::all_of(offsets, [](OpFoldResult offset) {
                    return isConstantIntValue(offset, 0);
                  });
  if (!isBehind)
    return insertSlice(l, data, l.filled(to, value), offsets, sizes);
  Value whole = insertSlice(l, data, l.empty(to, element), offsets, sizes);
  Dims tailOffsets = offsets, tailSizes = to;
  int64_t axis = grown.front();
  tailOffsets[axis] = from[axis];
  tailSizes[axis] = s.sub(to[axis], from[axis]);
  Value tail = extractSlice(l, whole, tailOffsets, tailSizes);
  tail = linalg::FillOp::create(l.b, l.loc(), value, tail).getResult(0);
  return insertSlice(l, tail, whole, tailOffsets, tailSizes);
}

/// The position in a dim of `dim` elements that a padded position shows.
static Value sourceIndex(const Cell &cell, StringRef mode, Value position,
                         Value dim) {
  OpBuilder &b = cell.b;
  Location loc = cell.loc;
  Value zero = cell.constant(0), one = cell.constant(1);
  Value last = arith::SubIOp::create(b, loc, dim, one);
  if (mode == "edge") {
    Value low = arith::MaxSIOp::create(b, loc, position, zero);
    return arith::MinSIOp::create(b, loc, low, last);
  }
  if (mode == "wrap")
    return floorMod(b, loc, position, dim);
  // Reflection repeats after a way there and back, without the turning points.
  Value period = arith::MaxSIOp::create(
      b, loc, arith::AddIOp::create(b, loc, last, last), one);
  Value there = floorMod(b, loc, position, period);
  Value back = arith::SubIOp::create(b, loc, period, there);
  return arith::MinSIOp::create(b, loc, there, back);
}

/// States that a dim has elements to show in what is added to it, if anything
/// is.
static LogicalResult requireElementsToRepeat(Lowering &l, Operation *op,
                                             OpFoldResult dim,
                                             const onnx::PadAxis &pad) {
  ShapeBuilder &s = l.shapes;
  OpFoldResult zero = s.constant(0), one = s.constant(1);
  auto isZero = [&](OpFoldResult value) {
    return s.compare(arith::CmpIPredicate::eq, value, zero);
  };
  OpFoldResult holds = s.max(s.compare(arith::CmpIPredicate::sge, dim, one),
                             s.min(isZero(pad.before), isZero(pad.after)));
  return require(l, op, holds, dim, one,
                 "cannot repeat the elements of a dim of {0}");
}

/// By element, reading the operand at the position that is shown.
static LogicalResult padByIndex(onnx::PadOp op, Lowering &l,
                                ArrayRef<onnx::PadAxis> pads) {
  Dims from = dimsOf(l, op.getData()), to = dimsOf(l, op.getOutput());
  SmallVector<Value> before, dims;
  for (auto [pad, dim] : llvm::zip_equal(pads, from)) {
    bool none =
        isConstantIntValue(pad.before, 0) && isConstantIntValue(pad.after, 0);
    if (!none && failed(requireElementsToRepeat(l, op, dim, pad)))
      return failure();
    for (OpFoldResult amount : {pad.before, pad.after})
      if (failed(requireAtLeast(l, op, amount, 0,
                                "a pad is {0}, which only mode constant "
                                "supports")))
        return failure();
    before.push_back(none ? Value() : l.shapes.materialize(pad.before));
    dims.push_back(l.shapes.materialize(dim));
  }
  Value data = loweredAs(l, op.getData());
  Type element = Lowering::storageElement(elementType(op.getData()));
  l.setLowered(
      op.getOutput(), generate(l, to, element, {}, {}, [&](const Cell &cell) {
        SmallVector<Value> indices;
        for (auto [i, first] : llvm::enumerate(before)) {
          Value index = cell.index(i);
          if (first) {
            index = arith::SubIOp::create(cell.b, cell.loc, index, first);
            index = sourceIndex(cell, op.getMode(), index, dims[i]);
          }
          indices.push_back(index);
        }
        return cell.extract(data, indices);
      }));
  return success();
}

/// States that a pad from data is within what a dim can have: the sum of
/// larger ones could wrap.
static LogicalResult requireFinitePad(Lowering &l, Operation *op,
                                      OpFoldResult amount) {
  ShapeBuilder &s = l.shapes;
  constexpr int64_t most = int64_t(1) << 48;
  OpFoldResult holds =
      s.min(s.compare(arith::CmpIPredicate::sge, amount, s.constant(-most)),
            s.compare(arith::CmpIPredicate::sle, amount, s.constant(most)));
  return require(l, op, holds, amount, s.constant(most),
                 "a pad is {0}, of a magnitude of more than {1}");
}

static LogicalResult lowerPad(onnx::PadOp op, Lowering &l) {
  FailureOr<SmallVector<onnx::PadAxis>> pads = onnx::getPadAxes(op, l.shapes);
  if (failed(pads))
    return failure();
  for (const onnx::PadAxis &pad : *pads)
    for (OpFoldResult amount : {pad.before, pad.after})
      if (failed(requireFinitePad(l, op, amount)))
        return failure();
  for (OpFoldResult dim : dimsOf(l, op.getOutput()))
    if (failed(requireAtLeast(l, op, dim, 0,
                              "its pads leave a dim with {0} elements")))
      return failure();
  if (op.getMode() != "constant")
    return padByIndex(op, l, *pads);
  l.setLowered(op.getOutput(), padConstant(op, l, *pads));
  return success();
}

void mlir::ds::populatePartsLowerings(LoweringRegistry &registry) {
  registry.add<onnx::ConcatOp>(lowerConcat);
  registry.add<onnx::SliceOp>(lowerSlice);
  registry.add<onnx::SplitOp>(lowerSplit);
  registry.add<onnx::PadOp>(lowerPad);
}
