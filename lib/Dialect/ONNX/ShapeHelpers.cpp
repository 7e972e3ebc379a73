//===- ShapeHelpers.cpp - What shape functions of ONNX ops share ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::onnx;

LogicalResult mlir::onnx::detail::verifySameElementType(Operation *op) {
  Type first;
  auto check = [&](Type type, StringRef what, unsigned i) -> LogicalResult {
    auto shaped = dyn_cast<ShapedType>(type);
    if (!shaped)
      return success();
    if (!first)
      first = shaped.getElementType();
    if (first == shaped.getElementType())
      return success();
    return op->emitOpError()
           << "expected one element type, found " << first << " and, as "
           << what << " " << i << ", " << shaped.getElementType();
  };
  for (auto [i, type] : llvm::enumerate(op->getOperandTypes()))
    if (failed(check(type, "operand", i)))
      return failure();
  for (auto [i, type] : llvm::enumerate(op->getResultTypes()))
    if (failed(check(type, "result", i)))
      return failure();
  return success();
}

LogicalResult
mlir::onnx::inferSameShape(Operation *op, ShapeBuilder &shapes,
                           SmallVectorImpl<ResultShape> &results) {
  Value input = op->getOperand(0);
  results.push_back({elementType(input), llvm::to_vector(shapes.dims(input))});
  return success();
}

static std::string describe(ArrayRef<OpFoldResult> dims) {
  std::string text = "[";
  for (auto [i, dim] : llvm::enumerate(dims)) {
    auto value = getConstantIntValue(dim);
    text += (i ? ", " : "") + (value ? std::to_string(*value) : "?");
  }
  return text + "]";
}

LogicalResult mlir::onnx::inferBroadcast(Operation *op, ShapeBuilder &shapes,
                                         SmallVectorImpl<ResultShape> &results,
                                         Type element) {
  // `dims` may move what it returned before, hence the copies.
  SmallVector<SmallVector<OpFoldResult>> operands;
  for (Value operand : op->getOperands())
    if (isPresent(operand))
      operands.push_back(llvm::to_vector(shapes.dims(operand)));
  FailureOr<SmallVector<OpFoldResult>> dims = shapes.broadcast(
      llvm::to_vector(llvm::map_range(operands, [](const auto &dims) {
        return ArrayRef<OpFoldResult>(dims);
      })));
  if (failed(dims)) {
    InFlightDiagnostic diagnostic =
        op->emitOpError("the shapes of its operands do not broadcast:");
    for (const auto &operand : operands)
      diagnostic << " " << describe(operand);
    return diagnostic;
  }
  if (!element)
    element = elementType(op->getOperand(0));
  results.push_back({element, std::move(*dims)});
  return success();
}

std::optional<SmallVector<OpFoldResult>> mlir::onnx::inferElementwiseElements(
    Operation *op, ShapeBuilder &shapes,
    function_ref<OpFoldResult(ArrayRef<OpFoldResult>)> combine) {
  SmallVector<SmallVector<int64_t>> operandShapes;
  SmallVector<SmallVector<OpFoldResult>> operandElements;
  SmallVector<int64_t> resultShape;
  for (Value operand : op->getOperands()) {
    auto elements = shapes.elements(operand);
    if (!elements)
      return std::nullopt;
    operandElements.push_back(std::move(*elements));
    ArrayRef<int64_t> shape = cast<ShapedType>(operand.getType()).getShape();
    operandShapes.push_back(llvm::to_vector(shape));
    // All operands are static: elements() has seen to that.
    if (shape.size() > resultShape.size())
      resultShape.insert(resultShape.begin(), shape.size() - resultShape.size(),
                         1);
    for (auto [i, dim] : llvm::enumerate(shape)) {
      int64_t &target = resultShape[resultShape.size() - shape.size() + i];
      if (target == 1)
        target = dim;
    }
  }
  int64_t count = ShapedType::getNumElements(resultShape);
  if (count > ShapeBuilder::maxElements)
    return std::nullopt;
  SmallVector<OpFoldResult> result;
  SmallVector<int64_t> strides = computeStrides(resultShape);
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<int64_t> position = delinearize(i, strides);
    SmallVector<OpFoldResult> scalars;
    for (auto [shape, elements] : llvm::zip(operandShapes, operandElements)) {
      int64_t offset = 0;
      for (auto [dim, index] :
           llvm::zip(shape, ArrayRef(position).take_back(shape.size())))
        offset = offset * dim + (dim == 1 ? 0 : index);
      scalars.push_back(elements[offset]);
    }
    result.push_back(combine(scalars));
  }
  return result;
}

FailureOr<int64_t> mlir::onnx::normalizeAxis(Operation *op, int64_t axis,
                                             int64_t rank) {
  if (axis < -rank || axis >= rank)
    return op->emitOpError() << "axis " << axis << " is outside [" << -rank
                             << ", " << rank << ")";
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>>
mlir::onnx::constantElements(Operation *op, Value operand, StringRef name) {
  DenseIntElementsAttr literal;
  if (!matchPattern(operand, m_Constant(&literal)))
    return op->emitOpError() << "operand '" << name
                             << "' must be a constant, found a run-time value";
  SmallVector<int64_t> values;
  for (const APInt &value : literal.getValues<APInt>())
    values.push_back(value.getSExtValue());
  return values;
}

FailureOr<SmallVector<int64_t>>
mlir::onnx::constantElements(Operation *op, ShapeBuilder &shapes, Value operand,
                             StringRef name) {
  // A literal may be of more elements than shape arithmetic follows.
  if (!matchPattern(operand, m_Constant())) {
    if (auto elements = shapes.elements(operand))
      if (auto values = getConstantIntValues(*elements))
        return *values;
  }
  return constantElements(op, operand, name);
}

/// Whether shapes may be computed in a type: index arithmetic represents all of
/// its values.
static bool isShapeInteger(Type element) {
  return element.isSignlessInteger(1) || element.isSignlessInteger(32) ||
         element.isSignlessInteger(64);
}

std::optional<SmallVector<OpFoldResult>> mlir::onnx::inferShapeArithmetic(
    Operation *op, ShapeBuilder &shapes,
    function_ref<OpFoldResult(ArrayRef<OpFoldResult>)> combine) {
  auto computable = [](Value v) { return isShapeInteger(elementType(v)); };
  if (!llvm::all_of(op->getOperands(), computable) ||
      !computable(op->getResult(0)))
    return std::nullopt;
  auto elements = inferElementwiseElements(op, shapes, combine);
  if (elements && elementType(op->getResult(0)).isInteger(32))
    for (OpFoldResult &element : *elements)
      if (auto value = getConstantIntValue(element))
        element = shapes.constant(static_cast<int32_t>(*value));
  return elements;
}

LogicalResult mlir::onnx::checkBroadcastsTo(Operation *op,
                                            ArrayRef<OpFoldResult> from,
                                            ArrayRef<OpFoldResult> to,
                                            StringRef name) {
  bool fits = from.size() <= to.size();
  if (fits)
    for (auto [dim, target] : llvm::zip(from, to.take_back(from.size()))) {
      auto known = getConstantIntValue(dim),
           wanted = getConstantIntValue(target);
      fits &= !known || *known == 1 || !wanted || known == wanted;
    }
  if (!fits)
    return op->emitOpError()
           << "operand '" << name << "' of shape " << describe(from)
           << " does not broadcast to " << describe(to);
  return success();
}
