//===- Image.cpp - ONNX ops on images -------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ImageShapes.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Image.cpp.inc"

//===----------------------------------------------------------------------===//
// Conv
//===----------------------------------------------------------------------===//

/// An attribute with one entry per spatial dim, all `fallback` where absent.
static FailureOr<SmallVector<int64_t>>
spatialAttr(ConvOp op, std::optional<ArrayRef<int64_t>> values, StringRef name,
            int64_t count, int64_t fallback, int64_t least) {
  if (!values)
    return SmallVector<int64_t>(count, fallback);
  if (static_cast<int64_t>(values->size()) != count)
    return op.emitOpError() << "expected " << count << " " << name << ", found "
                            << values->size();
  for (int64_t value : *values)
    if (value < least)
      return op.emitOpError() << "expected " << name << " of " << least
                              << " or more, found " << value;
  return SmallVector<int64_t>(*values);
}

/// Sets the size of a window, and the pads where `autoPad` decides them.
static void placeWindow(ShapeBuilder &s, ConvWindow &window, OpFoldResult dim,
                        StringRef autoPad) {
  OpFoldResult one = s.constant(1), zero = s.constant(0);
  OpFoldResult stride = s.constant(window.stride);
  OpFoldResult extent =
      s.add(s.mul(s.sub(window.kernel, one), s.constant(window.dilation)), one);
  if (autoPad.starts_with("SAME")) {
    window.size = s.ceilDiv(dim, stride);
    OpFoldResult needed = s.add(s.mul(s.sub(window.size, one), stride), extent);
    OpFoldResult total = s.max(s.sub(needed, dim), zero);
    OpFoldResult half = s.floorDiv(total, s.constant(2));
    bool upper = autoPad == "SAME_UPPER";
    window.before = upper ? half : s.sub(total, half);
    window.after = upper ? s.sub(total, half) : half;
    return;
  }
  OpFoldResult padded = s.add(s.add(dim, window.before), window.after);
  window.size = s.add(s.floorDiv(s.sub(padded, extent), stride), one);
}

FailureOr<SmallVector<ConvWindow>>
mlir::onnx::getConvWindows(ConvOp op, ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> x = dimsOf(shapes, op.getX());
  SmallVector<OpFoldResult> w = dimsOf(shapes, op.getW());
  if (x.size() < 3 || x.size() != w.size())
    return op.emitOpError("expected operands of one rank, 3 or more, found ")
           << x.size() << " and " << w.size();
  int64_t count = x.size() - 2;
  StringRef autoPad = op.getAutoPad();
  if (!llvm::is_contained({"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"},
                          autoPad))
    return op.emitOpError() << "auto_pad '" << autoPad
                            << "' is none of NOTSET, VALID, SAME_UPPER and "
                               "SAME_LOWER";
  auto strides = spatialAttr(op, op.getStrides(), "strides", count, 1, 1);
  auto dilations = spatialAttr(op, op.getDilations(), "dilations", count, 1, 1);
  auto kernel =
      spatialAttr(op, op.getKernelShape(), "kernel sizes", count, 0, 1);
  auto pads = spatialAttr(op, autoPad == "NOTSET" ? op.getPads() : std::nullopt,
                          "pads", 2 * count, 0, 0);
  if (failed(strides) || failed(dilations) || failed(kernel) || failed(pads))
    return failure();

  SmallVector<ConvWindow> windows;
  for (int64_t i = 0; i < count; ++i) {
    ConvWindow window{(*strides)[i],
                      (*dilations)[i],
                      w[2 + i],
                      shapes.constant((*pads)[i]),
                      shapes.constant((*pads)[count + i]),
                      OpFoldResult()};
    auto known = getConstantIntValue(window.kernel);
    if ((*kernel)[i] && known && *known != (*kernel)[i])
      return op.emitOpError()
             << "kernel_shape is " << (*kernel)[i] << " in spatial dim " << i
             << ", its weight " << *known;
    placeWindow(shapes, window, x[2 + i], autoPad);
    if (auto size = getConstantIntValue(window.size); size && *size < 0)
      return op.emitOpError() << "its kernel is larger than spatial dim " << i;
    windows.push_back(window);
  }
  return windows;
}

LogicalResult ConvOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  FailureOr<SmallVector<ConvWindow>> windows = getConvWindows(*this, shapes);
  if (failed(windows))
    return failure();
  SmallVector<OpFoldResult> x = dimsOf(shapes, getX());
  SmallVector<OpFoldResult> w = dimsOf(shapes, getW());
  int64_t group = getGroup();
  auto channels = getConstantIntValue(x[1]), each = getConstantIntValue(w[1]);
  auto maps = getConstantIntValue(w[0]);
  if (group < 1 || (maps && *maps % group != 0))
    return emitOpError() << "cannot divide its feature maps into " << group
                         << " groups";
  if (channels && each && *channels != *each * group)
    return emitOpError() << "has " << *channels << " channels for " << group
                         << " groups of " << *each;
  if (isPresent(getB())) {
    if (shapes.rank(getB()) != 1)
      return emitOpError("expected a vector as bias, found ")
             << getB().getType();
    auto biases = getConstantIntValue(shapes.dim(getB(), 0));
    if (biases && maps && *biases != *maps)
      return emitOpError() << "has " << *biases << " biases for " << *maps
                           << " feature maps";
  }
  ResultShape result{elementType(getX()), {x[0], w[0]}};
  for (const ConvWindow &window : *windows)
    result.dims.push_back(window.size);
  results.push_back(std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

/// The dims of a batch of images, or an error on the op.
static FailureOr<SmallVector<OpFoldResult>>
imageDims(Operation *op, ShapeBuilder &shapes, int64_t blockSize) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, op->getOperand(0));
  if (dims.size() != 4)
    return op->emitOpError("expected rank 4, found ") << dims.size();
  if (blockSize < 1)
    return op->emitOpError("expected a blocksize of 1 or more, found ")
           << blockSize;
  return dims;
}

/// `dim` / `divisor`, or an error on the op where it is known not to divide.
static FailureOr<OpFoldResult> divideDim(Operation *op, ShapeBuilder &shapes,
                                         OpFoldResult dim, int64_t divisor) {
  if (auto value = getConstantIntValue(dim); value && *value % divisor != 0)
    return op->emitOpError()
           << "cannot divide a dim of " << *value << " by " << divisor;
  return shapes.exactQuotient(factorsOf(dim), shapes.constant(divisor));
}

LogicalResult
DepthToSpaceOp::inferResults(ShapeBuilder &shapes,
                             SmallVectorImpl<ResultShape> &results) {
  int64_t block = getBlocksize();
  FailureOr<SmallVector<OpFoldResult>> dims = imageDims(*this, shapes, block);
  if (failed(dims))
    return failure();
  if (getMode() != "DCR" && getMode() != "CRD")
    return emitOpError() << "mode '" << getMode() << "' is neither DCR nor CRD";
  FailureOr<OpFoldResult> channels =
      divideDim(*this, shapes, (*dims)[1], block * block);
  if (failed(channels))
    return failure();
  OpFoldResult factor = shapes.constant(block);
  results.push_back({elementType(getInput()),
                     {(*dims)[0], *channels, shapes.mul((*dims)[2], factor),
                      shapes.mul((*dims)[3], factor)}});
  return success();
}

LogicalResult
SpaceToDepthOp::inferResults(ShapeBuilder &shapes,
                             SmallVectorImpl<ResultShape> &results) {
  int64_t block = getBlocksize();
  FailureOr<SmallVector<OpFoldResult>> dims = imageDims(*this, shapes, block);
  if (failed(dims))
    return failure();
  FailureOr<OpFoldResult> height = divideDim(*this, shapes, (*dims)[2], block);
  FailureOr<OpFoldResult> width = divideDim(*this, shapes, (*dims)[3], block);
  if (failed(height) || failed(width))
    return failure();
  results.push_back(
      {elementType(getInput()),
       {(*dims)[0], shapes.mul((*dims)[1], shapes.constant(block * block)),
        *height, *width}});
  return success();
}
