//===- TensorIndexing.cpp - Shapes of ONNX ops that index by data ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::onnx;

using Elements = std::optional<SmallVector<OpFoldResult>>;

static int64_t rankOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

/// Fails where two dims are known to differ.
static LogicalResult checkSameDim(Operation *op, OpFoldResult lhs,
                                  OpFoldResult rhs, StringRef what) {
  auto l = getConstantIntValue(lhs), r = getConstantIntValue(rhs);
  if (l && r && *l != *r)
    return op->emitOpError() << what << " differ: " << *l << " and " << *r;
  return success();
}

static LogicalResult checkReduction(Operation *op, StringRef reduction) {
  if (llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction))
    return success();
  return op->emitOpError() << "reduction '" << reduction
                           << "' is none of none, add, mul, max and min";
}

/// What GatherElements and ScatterElements demand: one rank, and outside the
/// axis no more indices than data.
static LogicalResult checkElementIndices(Operation *op, ShapeBuilder &shapes,
                                         Value data, Value indices,
                                         int64_t axis) {
  if (rankOf(data) != rankOf(indices))
    return op->emitOpError() << "expected indices of rank " << rankOf(data)
                             << ", found " << rankOf(indices);
  FailureOr<int64_t> normalized = normalizeAxis(op, axis, rankOf(data));
  if (failed(normalized))
    return failure();
  for (int64_t i = 0, e = rankOf(data); i < e; ++i) {
    auto from = getConstantIntValue(shapes.dim(data, i));
    auto used = getConstantIntValue(shapes.dim(indices, i));
    if (i != *normalized && from && used && *used > *from)
      return op->emitOpError() << "dim " << i << " of its indices is " << *used
                               << ", more than the " << *from << " of its data";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> data = dimsOf(shapes, getData());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), data.size());
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> dims(ArrayRef(data).take_front(*axis));
  llvm::append_range(dims, dimsOf(shapes, getIndices()));
  llvm::append_range(dims, ArrayRef(data).drop_front(*axis + 1));
  results.push_back({elementType(getData()), std::move(dims)});
  return success();
}

Elements GatherOp::inferElements(ShapeBuilder &shapes) {
  if (!getData().getType().hasStaticShape() ||
      !getIndices().getType().hasStaticShape())
    return std::nullopt;
  ArrayRef<int64_t> data = getData().getType().getShape();
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), data.size());
  Elements indices = shapes.elements(getIndices());
  if (failed(axis) || !indices)
    return std::nullopt;
  int64_t bound = data[*axis];
  SmallVector<int64_t> at;
  for (OpFoldResult element : *indices) {
    auto index = getConstantIntValue(element);
    if (!index || *index < -bound || *index >= bound)
      return std::nullopt;
    at.push_back(*index < 0 ? *index + bound : *index);
  }
  ArrayRef<int64_t> indexShape = getIndices().getType().getShape();
  SmallVector<int64_t> shape(data.take_front(*axis));
  llvm::append_range(shape, indexShape);
  llvm::append_range(shape, data.drop_front(*axis + 1));
  SmallVector<int64_t> dataStrides = computeStrides(data);
  SmallVector<int64_t> indexStrides = computeStrides(indexShape);
  return mapElements(shapes, getData(), shape, [&](ArrayRef<int64_t> position) {
    SmallVector<int64_t> source(position.take_front(*axis));
    source.push_back(
        at[linearize(position.slice(*axis, indexShape.size()), indexStrides)]);
    llvm::append_range(source, position.drop_front(*axis + indexShape.size()));
    return linearize(source, dataStrides);
  });
}

LogicalResult
GatherElementsOp::inferResults(ShapeBuilder &shapes,
                               SmallVectorImpl<ResultShape> &results) {
  if (failed(checkElementIndices(*this, shapes, getData(), getIndices(),
                                 getAxis())))
    return failure();
  results.push_back({elementType(getData()), dimsOf(shapes, getIndices())});
  return success();
}

//===----------------------------------------------------------------------===//
// GatherND and the scatters
//===----------------------------------------------------------------------===//

/// The length of the index tuples of GatherND and ScatterND.
static FailureOr<int64_t> getTupleLength(Operation *op, ShapeBuilder &shapes,
                                         Value indices, int64_t available) {
  if (rankOf(indices) == 0)
    return op->emitOpError(
        "expected indices of rank 1 or more, found a scalar");
  auto length = getConstantIntValue(shapes.dim(indices, rankOf(indices) - 1));
  if (!length)
    return op->emitOpError("the last dim of its indices must be known at "
                           "compile time");
  if (*length > available)
    return op->emitOpError() << "has index tuples of " << *length
                             << " elements for " << available << " dims";
  return *length;
}

LogicalResult GatherNDOp::inferResults(ShapeBuilder &shapes,
                                       SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> data = dimsOf(shapes, getData());
  SmallVector<OpFoldResult> indices = dimsOf(shapes, getIndices());
  int64_t batch = getBatchDims();
  if (batch < 0 || batch >= static_cast<int64_t>(indices.size()) ||
      batch > static_cast<int64_t>(data.size()))
    return emitOpError() << "batch_dims " << batch << " is outside [0, "
                         << indices.size() << ")";
  FailureOr<int64_t> tuple =
      getTupleLength(*this, shapes, getIndices(), data.size() - batch);
  if (failed(tuple))
    return failure();
  for (int64_t i = 0; i < batch; ++i)
    if (failed(checkSameDim(*this, data[i], indices[i], "its batch dims")))
      return failure();
  SmallVector<OpFoldResult> dims(ArrayRef(indices).drop_back());
  llvm::append_range(dims, ArrayRef(data).drop_front(batch + *tuple));
  results.push_back({elementType(getData()), std::move(dims)});
  return success();
}

LogicalResult
ScatterElementsOp::inferResults(ShapeBuilder &shapes,
                                SmallVectorImpl<ResultShape> &results) {
  if (failed(checkReduction(*this, getReduction())) ||
      failed(checkElementIndices(*this, shapes, getData(), getIndices(),
                                 getAxis())))
    return failure();
  if (elementType(getUpdates()) != elementType(getData()) ||
      rankOf(getUpdates()) != rankOf(getIndices()))
    return emitOpError() << "its updates do not fit: found "
                         << getUpdates().getType();
  for (auto [l, r] : llvm::zip_equal(dimsOf(shapes, getIndices()),
                                     dimsOf(shapes, getUpdates())))
    if (failed(checkSameDim(*this, l, r,
                            "the dims of its indices and its updates")))
      return failure();
  return inferSameShape(*this, shapes, results);
}

Elements ScatterElementsOp::inferElements(ShapeBuilder &shapes) {
  if (getReduction() != "none" || !getData().getType().hasStaticShape() ||
      !getIndices().getType().hasStaticShape())
    return std::nullopt;
  Elements result = shapes.elements(getData());
  Elements indices = shapes.elements(getIndices());
  Elements updates = shapes.elements(getUpdates());
  ArrayRef<int64_t> data = getData().getType().getShape();
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), data.size());
  if (!result || !indices || !updates || failed(axis))
    return std::nullopt;
  SmallVector<int64_t> dataStrides = computeStrides(data);
  SmallVector<int64_t> strides =
      computeStrides(getIndices().getType().getShape());
  for (auto [i, element, update] : llvm::enumerate(*indices, *updates)) {
    auto index = getConstantIntValue(element);
    if (!index || *index < -data[*axis] || *index >= data[*axis])
      return std::nullopt;
    SmallVector<int64_t> position = delinearize(i, strides);
    position[*axis] = *index < 0 ? *index + data[*axis] : *index;
    (*result)[linearize(position, dataStrides)] = update;
  }
  return result;
}

LogicalResult ScatterNDOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> data = dimsOf(shapes, getData());
  SmallVector<OpFoldResult> indices = dimsOf(shapes, getIndices());
  if (failed(checkReduction(*this, getReduction())))
    return failure();
  FailureOr<int64_t> tuple =
      getTupleLength(*this, shapes, getIndices(), data.size());
  if (failed(tuple))
    return failure();
  SmallVector<OpFoldResult> expected(ArrayRef(indices).drop_back());
  llvm::append_range(expected, ArrayRef(data).drop_front(*tuple));
  SmallVector<OpFoldResult> updates = dimsOf(shapes, getUpdates());
  if (elementType(getUpdates()) != elementType(getData()) ||
      updates.size() != expected.size())
    return emitOpError() << "its updates do not fit: expected shape "
                         << describeDims(expected) << ", found "
                         << getUpdates().getType();
  for (auto [l, r] : llvm::zip_equal(expected, updates))
    if (failed(checkSameDim(*this, l, r,
                            "the dims asked of its updates and theirs")))
      return failure();
  return inferSameShape(*this, shapes, results);
}

//===----------------------------------------------------------------------===//
// OneHot, ReverseSequence
//===----------------------------------------------------------------------===//

LogicalResult OneHotOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getIndices());
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), dims.size() + 1);
  FailureOr<OpFoldResult> depth = getScalar(*this, shapes, getDepth(), "depth");
  if (failed(axis) || failed(depth))
    return failure();
  if (auto value = getConstantIntValue(*depth); value && *value < 0)
    return emitOpError() << "its depth is " << *value;
  if (rankOf(getValues()) != 1 ||
      failed(checkSameDim(*this, shapes.dim(getValues(), 0), shapes.constant(2),
                          "the number of values and 2")))
    return emitOpError("expected a vector of two values, found ")
           << getValues().getType();
  dims.insert(dims.begin() + *axis, *depth);
  results.push_back({elementType(getValues()), std::move(dims)});
  return success();
}

LogicalResult
ReverseSequenceOp::inferResults(ShapeBuilder &shapes,
                                SmallVectorImpl<ResultShape> &results) {
  int64_t time = getTimeAxis(), batch = getBatchAxis();
  if (rankOf(getInput()) < 2 || time + batch != 1 || time * batch != 0)
    return emitOpError("expected the time and batch axes to be 0 and 1 of rank "
                       "2 or more, found ")
           << time << " and " << batch << " of " << getInput().getType();
  if (rankOf(getSequenceLens()) != 1)
    return emitOpError("expected a vector of lengths, found ")
           << getSequenceLens().getType();
  if (failed(checkSameDim(*this, shapes.dim(getInput(), batch),
                          shapes.dim(getSequenceLens(), 0),
                          "the batch and the number of lengths")))
    return failure();
  return inferSameShape(*this, shapes, results);
}
