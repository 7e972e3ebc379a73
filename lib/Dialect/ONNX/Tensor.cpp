//===- Tensor.cpp - ONNX ops of the tensor category -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Ops that give the same elements in another shape, that repeat elements, and
// that make tensors out of nothing.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Tensor.cpp.inc"

using Elements = std::optional<SmallVector<OpFoldResult>>;

/// The static shape of a small tensor whose elements are known.
static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

FailureOr<OpFoldResult> mlir::onnx::getScalar(Operation *op,
                                              ShapeBuilder &shapes,
                                              Value operand, StringRef name) {
  FailureOr<SmallVector<OpFoldResult>> elements =
      indexElements(op, shapes, operand, name);
  if (failed(elements))
    return failure();
  if (elements->size() != 1)
    return op->emitOpError() << "expected one element in operand '" << name
                             << "', found " << elements->size();
  return elements->front();
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// Whether, with allowzero, one of the elements `asked` of a shape is 0 and
/// another -1; null where that is known not to be so.
static OpFoldResult findContradiction(ArrayRef<OpFoldResult> asked,
                                      ShapeBuilder &s) {
  auto any = [&](int64_t value) {
    OpFoldResult result = s.constant(0);
    for (OpFoldResult dim : asked)
      if (value >= 0 || !isNonNegative(dim))
        result = s.max(result, s.compare(arith::CmpIPredicate::eq, dim,
                                         s.constant(value)));
    return result;
  };
  OpFoldResult anyInferred = any(-1);
  if (isConstantIntValue(anyInferred, 0))
    return OpFoldResult();
  OpFoldResult both = s.min(any(0), anyInferred);
  return isConstantIntValue(both, 0) ? OpFoldResult() : both;
}

/// Resolves the elements of `shape` that only run time knows: each may be -1
/// or, unless zeros are allowed, 0.
static void resolveUnchecked(ReshapeDims &result, ArrayRef<OpFoldResult> data,
                             bool allowZero, ShapeBuilder &s) {
  SmallVector<OpFoldResult> isInferred;
  SmallVector<OpFoldResult> rest = result.dims;
  for (int64_t i : result.unchecked) {
    OpFoldResult &dim = result.dims[i];
    isInferred.push_back(
        s.compare(arith::CmpIPredicate::eq, dim, s.constant(-1)));
    if (!allowZero && i < static_cast<int64_t>(data.size()))
      dim = s.select(s.compare(arith::CmpIPredicate::eq, dim, s.constant(0)),
                     data[i], dim);
    rest[i] = s.select(isInferred.back(), s.constant(1), dim);
  }
  if (isInferred.size() > 1) {
    result.inferred = s.constant(0);
    for (OpFoldResult one : isInferred)
      result.inferred = s.add(result.inferred, one);
  }
  OpFoldResult quotient = s.exactQuotient(factorsOf(data), factorsOf(rest));
  for (auto [i, inferred] : llvm::zip_equal(result.unchecked, isInferred))
    result.dims[i] = s.select(inferred, quotient, result.dims[i]);
}

FailureOr<ReshapeDims> mlir::onnx::getReshapeDims(ReshapeOp op,
                                                  ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> data = dimsOf(shapes, op.getData());
  FailureOr<SmallVector<OpFoldResult>> asked =
      indexElements(op, shapes, op.getShape(), "shape");
  if (failed(asked))
    return failure();
  bool allowZero = op.getAllowzero();
  ReshapeDims result;
  if (allowZero)
    result.contradicts = findContradiction(*asked, shapes);
  if (result.contradicts && isConstantIntValue(result.contradicts, 1))
    return op.emitOpError("its shape has a 0 and a -1, of which allowzero lets "
                          "only one be");
  std::optional<int64_t> inferred;
  for (auto [i, dim] : llvm::enumerate(*asked)) {
    auto value = getConstantIntValue(dim);
    if (value && *value == 0 && !allowZero) {
      if (i >= data.size())
        return op.emitOpError() << "element " << i
                                << " of its shape copies a dim that the "
                                   "operand of rank "
                                << data.size() << " lacks";
      dim = data[i];
    } else if (value && *value == -1) {
      if (inferred)
        return op.emitOpError("more than one element of its shape is -1");
      inferred = i;
      dim = shapes.constant(1);
    } else if (value && *value < 0) {
      return op.emitOpError()
             << "element " << i << " of its shape is " << *value;
    } else if (!isNonNegative(dim)) {
      result.unchecked.push_back(i);
    }
    result.dims.push_back(dim);
  }
  if (inferred)
    result.dims[*inferred] =
        shapes.exactQuotient(factorsOf(data), factorsOf(result.dims));
  else if (!result.unchecked.empty())
    resolveUnchecked(result, data, allowZero, shapes);

  std::optional<SmallVector<int64_t>> from = getConstantIntValues(data);
  std::optional<SmallVector<int64_t>> to = getConstantIntValues(result.dims);
  if (from && to && llvm::product_of(*from) != llvm::product_of(*to))
    return op.emitOpError()
           << "cannot give " << llvm::product_of(*from)
           << " elements the shape " << describeDims(result.dims);
  return result;
}

LogicalResult ReshapeOp::inferResults(ShapeBuilder &shapes,
                                      SmallVectorImpl<ResultShape> &results) {
  FailureOr<ReshapeDims> dims = getReshapeDims(*this, shapes);
  if (failed(dims))
    return failure();
  results.push_back({elementType(getData()), std::move(dims->dims)});
  return success();
}

Elements ReshapeOp::inferElements(ShapeBuilder &shapes) {
  return shapes.elements(getData());
}

//===----------------------------------------------------------------------===//
// Flatten, Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

LogicalResult FlattenOp::inferResults(ShapeBuilder &shapes,
                                      SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getInput());
  int64_t rank = dims.size(), axis = getAxis();
  if (axis < -rank || axis > rank)
    return emitOpError() << "axis " << axis << " is outside [" << -rank << ", "
                         << rank << "]";
  if (axis < 0)
    axis += rank;
  ArrayRef<OpFoldResult> all = dims;
  results.push_back({elementType(getInput()),
                     {shapes.product(all.take_front(axis)),
                      shapes.product(all.drop_front(axis))}});
  return success();
}

Elements FlattenOp::inferElements(ShapeBuilder &shapes) {
  return shapes.elements(getInput());
}

LogicalResult SqueezeOp::inferResults(ShapeBuilder &shapes,
                                      SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getData());
  SmallVector<bool> dropped(dims.size(), false);
  if (isPresent(getAxes())) {
    FailureOr<SmallVector<int64_t>> axes =
        constantAxes(*this, shapes, getAxes(), dims.size());
    if (failed(axes))
      return failure();
    for (int64_t axis : *axes) {
      auto dim = getConstantIntValue(dims[axis]);
      if (dim && *dim != 1)
        return emitOpError()
               << "axis " << axis << " has dim " << *dim << ", expected 1";
      dropped[axis] = true;
    }
  } else {
    for (auto [i, dim] : llvm::enumerate(dims)) {
      if (!getConstantIntValue(dim))
        return emitOpError() << "without axes its rank depends on dim " << i
                             << ", which is only known at run time";
      dropped[i] = isConstantIntValue(dim, 1);
    }
  }
  ResultShape result{elementType(getData()), {}};
  for (auto [dim, drop] : llvm::zip_equal(dims, dropped))
    if (!drop)
      result.dims.push_back(dim);
  results.push_back(std::move(result));
  return success();
}

Elements SqueezeOp::inferElements(ShapeBuilder &shapes) {
  return shapes.elements(getData());
}

LogicalResult UnsqueezeOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getData());
  FailureOr<SmallVector<OpFoldResult>> given =
      indexElements(*this, shapes, getAxes(), "axes");
  if (failed(given))
    return failure();
  FailureOr<SmallVector<int64_t>> axes =
      constantAxes(*this, shapes, getAxes(), dims.size() + given->size());
  if (failed(axes))
    return failure();
  llvm::sort(*axes);
  for (int64_t axis : *axes)
    dims.insert(dims.begin() + axis, shapes.constant(1));
  results.push_back({elementType(getData()), std::move(dims)});
  return success();
}

Elements UnsqueezeOp::inferElements(ShapeBuilder &shapes) {
  return shapes.elements(getData());
}

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<int64_t>> mlir::onnx::getPermutation(TransposeOp op) {
  int64_t rank = cast<RankedTensorType>(op.getData().getType()).getRank();
  if (!op.getPerm())
    return llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(rank)));
  SmallVector<int64_t> perm(*op.getPerm());
  if (static_cast<int64_t>(perm.size()) != rank || !isPermutationVector(perm))
    return op.emitOpError() << "perm [" << ArrayRef(perm)
                            << "] does not permute " << rank << " dims";
  return perm;
}

LogicalResult TransposeOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  FailureOr<SmallVector<int64_t>> perm = getPermutation(*this);
  if (failed(perm))
    return failure();
  results.push_back(
      {elementType(getData()),
       applyPermutation(ArrayRef(dimsOf(shapes, getData())), *perm)});
  return success();
}

Elements TransposeOp::inferElements(ShapeBuilder &shapes) {
  FailureOr<SmallVector<int64_t>> perm = getPermutation(*this);
  if (failed(perm) || !getData().getType().hasStaticShape())
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(getData());
  SmallVector<int64_t> strides =
      applyPermutation(ArrayRef(computeStrides(shape)), *perm);
  return mapElements(
      shapes, getData(), applyPermutation(shape, *perm),
      [&](ArrayRef<int64_t> position) { return linearize(position, strides); });
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

LogicalResult ExpandOp::inferResults(ShapeBuilder &shapes,
                                     SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getInput());
  FailureOr<SmallVector<OpFoldResult>> asked =
      indexElements(*this, shapes, getShape(), "shape");
  if (failed(asked))
    return failure();
  for (auto [i, dim] : llvm::enumerate(*asked))
    if (auto value = getConstantIntValue(dim); value && *value < 0)
      return emitOpError() << "element " << i << " of its shape is " << *value;
  FailureOr<SmallVector<OpFoldResult>> joined =
      shapes.broadcast({ArrayRef(dims), ArrayRef(*asked)});
  if (failed(joined))
    return emitOpError() << "a tensor of shape " << describeDims(dims)
                         << " does not broadcast to " << describeDims(*asked);
  results.push_back({elementType(getInput()), std::move(*joined)});
  return success();
}

Elements ExpandOp::inferElements(ShapeBuilder &shapes) {
  auto type = dyn_cast<RankedTensorType>(getOutput().getType());
  if (!type.hasStaticShape() || !getInput().getType().hasStaticShape())
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(getInput());
  SmallVector<int64_t> strides = computeStrides(shape);
  for (auto [dim, stride] : llvm::zip_equal(shape, strides))
    stride = dim == 1 ? 0 : stride;
  return mapElements(
      shapes, getInput(), type.getShape(), [&](ArrayRef<int64_t> position) {
        return linearize(position.take_back(shape.size()), strides);
      });
}

LogicalResult TileOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = dimsOf(shapes, getInput());
  FailureOr<SmallVector<OpFoldResult>> repeats =
      indexElements(*this, shapes, getRepeats(), "repeats");
  if (failed(repeats))
    return failure();
  if (repeats->size() != dims.size())
    return emitOpError() << "expected " << dims.size() << " repeats, found "
                         << repeats->size();
  for (auto [dim, repeat] : llvm::zip_equal(dims, *repeats)) {
    if (auto value = getConstantIntValue(repeat); value && *value < 0)
      return emitOpError() << "cannot repeat " << *value << " times";
    dim = shapes.mul(repeat, dim);
  }
  results.push_back({elementType(getInput()), std::move(dims)});
  return success();
}

Elements TileOp::inferElements(ShapeBuilder &shapes) {
  auto type = dyn_cast<RankedTensorType>(getOutput().getType());
  if (!type.hasStaticShape() || !getInput().getType().hasStaticShape())
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(getInput());
  SmallVector<int64_t> strides = computeStrides(shape);
  return mapElements(
      shapes, getInput(), type.getShape(), [&](ArrayRef<int64_t> position) {
        int64_t offset = 0;
        for (auto [p, dim, stride] : llvm::zip_equal(position, shape, strides))
          offset += p % dim * stride;
        return offset;
      });
}

//===----------------------------------------------------------------------===//
// Shape, Size
//===----------------------------------------------------------------------===//

std::pair<int64_t, int64_t> ShapeOp::getRange() {
  int64_t rank = cast<RankedTensorType>(getData().getType()).getRank();
  auto clamp = [&](int64_t bound) {
    return std::clamp<int64_t>(bound < 0 ? bound + rank : bound, 0, rank);
  };
  int64_t first = clamp(getStart());
  return {first, std::max(first, clamp(getEnd().value_or(rank)))};
}

LogicalResult ShapeOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  auto [first, last] = getRange();
  results.push_back(
      {IntegerType::get(getContext(), 64), {shapes.constant(last - first)}});
  return success();
}

Elements ShapeOp::inferElements(ShapeBuilder &shapes) {
  auto [first, last] = getRange();
  return llvm::to_vector(shapes.dims(getData()).slice(first, last - first));
}

LogicalResult SizeOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  results.push_back({IntegerType::get(getContext(), 64), {}});
  return success();
}

Elements SizeOp::inferElements(ShapeBuilder &shapes) {
  return SmallVector<OpFoldResult>{shapes.product(dimsOf(shapes, getData()))};
}

//===----------------------------------------------------------------------===//
// ConstantOfShape, Range, EyeLike, Trilu
//===----------------------------------------------------------------------===//

LogicalResult
ConstantOfShapeOp::inferResults(ShapeBuilder &shapes,
                                SmallVectorImpl<ResultShape> &results) {
  if (getInput().getType().getRank() != 1)
    return emitOpError("expected a shape of rank 1, found ")
           << getInput().getType();
  if (getValue() && getValue()->getNumElements() != 1)
    return emitOpError() << "expected a value of one element, found "
                         << getValue()->getNumElements();
  FailureOr<SmallVector<OpFoldResult>> dims =
      indexElements(*this, shapes, getInput(), "input");
  if (failed(dims))
    return failure();
  for (auto [i, dim] : llvm::enumerate(*dims))
    if (auto value = getConstantIntValue(dim); value && *value < 0)
      return emitOpError() << "element " << i << " of its shape is " << *value;
  Type element = Float32Type::get(getContext());
  if (getValue())
    element = getValue()->getElementType();
  results.push_back({element, std::move(*dims)});
  return success();
}

Elements ConstantOfShapeOp::inferElements(ShapeBuilder &shapes) {
  auto value = dyn_cast_or_null<DenseIntElementsAttr>(
      getValue().value_or(ElementsAttr()));
  auto type = cast<RankedTensorType>(getOutput().getType());
  if (!value || !type.hasStaticShape())
    return std::nullopt;
  APInt element = *value.value_begin<APInt>();
  bool isSigned = value.getElementType().isSignlessInteger() &&
                  !value.getElementType().isInteger(1);
  return SmallVector<OpFoldResult>(
      type.getNumElements(),
      shapes.constant(isSigned ? element.getSExtValue()
                               : element.getZExtValue()));
}

/// The one element of a constant float operand.
static std::optional<APFloat> getConstantFloat(Value operand) {
  DenseFPElementsAttr literal;
  if (!matchPattern(operand, m_Constant(&literal)) ||
      literal.getNumElements() != 1)
    return std::nullopt;
  APFloat value = *literal.value_begin<APFloat>();
  bool exact;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &exact);
  return value;
}

/// The length of a range of run-time floats. It is 0 where the quotient is not
/// a number, and at most what a dim can be.
static OpFoldResult countSteps(ShapeBuilder &shapes,
                               ArrayRef<OpFoldResult> operands) {
  return shapes.memoize("range", operands, [&](ArrayRef<Value> v) -> Value {
    OpBuilder &b = shapes.builder();
    Location loc = shapes.location();
    Type f64 = b.getF64Type(), i64 = b.getI64Type();
    auto wide = [&](Value value) -> Value {
      return value.getType() == f64
                 ? value
                 : arith::ExtFOp::create(b, loc, f64, value).getResult();
    };
    auto constant = [&](double value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getF64FloatAttr(value));
    };
    Value span = arith::SubFOp::create(b, loc, wide(v[1]), wide(v[0]));
    Value steps = arith::DivFOp::create(b, loc, span, wide(v[2]));
    // The lowering checks a delta from data.
    Value isStill = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                          wide(v[2]), constant(0.0));
    steps = arith::SelectOp::create(b, loc, isStill, constant(0.0), steps);
    steps = arith::MaxNumFOp::create(b, loc, steps, constant(0.0));
    steps = arith::MinNumFOp::create(b, loc, steps, constant(0x1p40));
    // One more where truncation has left a part of a step.
    Value whole = arith::FPToSIOp::create(b, loc, i64, steps);
    Value back = arith::SIToFPOp::create(b, loc, f64, whole);
    Value more =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, back, steps);
    whole = arith::AddIOp::create(b, loc, whole,
                                  arith::ExtUIOp::create(b, loc, i64, more));
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), whole);
  });
}

static FailureOr<OpFoldResult> getFloatRangeLength(RangeOp op,
                                                   ShapeBuilder &shapes) {
  std::optional<APFloat> start = getConstantFloat(op.getStart());
  std::optional<APFloat> limit = getConstantFloat(op.getLimit());
  std::optional<APFloat> delta = getConstantFloat(op.getDelta());
  if (start && limit && delta) {
    double length =
        std::ceil((limit->convertToDouble() - start->convertToDouble()) /
                  delta->convertToDouble());
    // Not a number where delta is 0.
    if (!(std::abs(length) < 0x1p40))
      return op.emitOpError("has no finite length");
    return shapes.constant(std::max<int64_t>(length, 0));
  }
  SmallVector<OpFoldResult> operands;
  for (Value operand : op->getOperands()) {
    Value scalar = shapes.inputElement(operand, 0);
    if (std::optional<APFloat> known = getConstantFloat(operand)) {
      OpBuilder &b = shapes.builder();
      scalar = arith::ConstantOp::create(
          b, shapes.location(), b.getF64FloatAttr(known->convertToDouble()));
    }
    if (!scalar)
      return op.emitOpError("its float operands are neither constants nor "
                            "graph inputs of one element");
    operands.push_back(scalar);
  }
  return countSteps(shapes, operands);
}

static FailureOr<OpFoldResult> getRangeLength(RangeOp op, ShapeBuilder &s) {
  if (isa<FloatType>(elementType(op.getStart())))
    return getFloatRangeLength(op, s);
  FailureOr<OpFoldResult> start = getScalar(op, s, op.getStart(), "start");
  FailureOr<OpFoldResult> limit = getScalar(op, s, op.getLimit(), "limit");
  FailureOr<OpFoldResult> delta = getScalar(op, s, op.getDelta(), "delta");
  if (failed(start) || failed(limit) || failed(delta))
    return failure();
  if (isConstantIntValue(*delta, 0))
    return op.emitOpError("its delta is 0");
  // The lowering checks a delta from data; the division must not trap before.
  if (!getConstantIntValue(*delta))
    delta = s.select(s.compare(arith::CmpIPredicate::eq, *delta, s.constant(0)),
                     s.constant(1), *delta);
  OpFoldResult length = s.ceilDiv(s.sub(*limit, *start), *delta);
  return isNonNegative(length) ? length : s.max(length, s.constant(0));
}

LogicalResult RangeOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  FailureOr<OpFoldResult> length = getRangeLength(*this, shapes);
  if (failed(length))
    return failure();
  results.push_back({elementType(getStart()), {*length}});
  return success();
}

Elements RangeOp::inferElements(ShapeBuilder &shapes) {
  Elements start = shapes.elements(getStart());
  Elements delta = shapes.elements(getDelta());
  auto type = cast<RankedTensorType>(getOutput().getType());
  if (!start || !delta || !type.hasStaticShape())
    return std::nullopt;
  SmallVector<OpFoldResult> elements;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
    elements.push_back(shapes.add(
        start->front(), shapes.mul(delta->front(), shapes.constant(i))));
  return elements;
}

LogicalResult EyeLikeOp::inferResults(ShapeBuilder &shapes,
                                      SmallVectorImpl<ResultShape> &results) {
  if (getInput().getType().getRank() != 2)
    return emitOpError("expected a matrix, found ") << getInput().getType();
  results.push_back({elementType(getOutput()), dimsOf(shapes, getInput())});
  return success();
}

LogicalResult TriluOp::inferResults(ShapeBuilder &shapes,
                                    SmallVectorImpl<ResultShape> &results) {
  if (getInput().getType().getRank() < 2)
    return emitOpError("expected rank 2 or more, found ")
           << getInput().getType();
  return inferSameShape(*this, shapes, results);
}
