//===- ShapeHelpers.cpp - What shape functions of ONNX ops share ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
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

std::string mlir::onnx::describeDims(ArrayRef<OpFoldResult> dims) {
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
      diagnostic << " " << describeDims(operand);
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
           << "operand '" << name << "' of shape " << describeDims(from)
           << " does not broadcast to " << describeDims(to);
  return success();
}

FailureOr<OpFoldResult> mlir::onnx::joinDims(Operation *op, StringRef id,
                                             OpFoldResult expected,
                                             OpFoldResult found,
                                             const Twine &name) {
  auto l = getConstantIntValue(expected), r = getConstantIntValue(found);
  if (l && r && *l != *r)
    return op->emitOpError() << id << ": expected " << name << " to be " << *l
                             << ", found " << *r;
  return r ? found : expected;
}

/// The depth to which arithmetic is looked through: shape expressions are
/// shallow, and a bound keeps the cost of shared subexpressions small.
static bool isNonNegative(OpFoldResult value, unsigned depth) {
  if (auto constant = getConstantIntValue(value))
    return *constant >= 0;
  Operation *op = cast<Value>(value).getDefiningOp();
  if (!op || depth == 0)
    return false;
  auto operand = [&](unsigned i) {
    return isNonNegative(getAsOpFoldResult(op->getOperand(i)), depth - 1);
  };
  if (isa<tensor::DimOp>(op))
    return true;
  if (isa<arith::AddIOp, arith::MulIOp, arith::DivSIOp, arith::CeilDivSIOp,
          arith::FloorDivSIOp, arith::MinSIOp>(op))
    return operand(0) && operand(1);
  if (isa<arith::MaxSIOp>(op))
    return operand(0) || operand(1);
  if (isa<arith::SelectOp>(op))
    return operand(1) && operand(2);
  // A comparison: 0 or 1.
  if (isa<arith::IndexCastUIOp>(op))
    return op->getOperand(0).getType().isInteger(1);
  return false;
}

bool mlir::onnx::isNonNegative(OpFoldResult value) {
  return ::isNonNegative(value, 8);
}

SmallVector<OpFoldResult> mlir::onnx::factorsOf(ArrayRef<OpFoldResult> dims) {
  SmallVector<OpFoldResult> factors;
  SmallVector<OpFoldResult> pending(llvm::reverse(dims));
  while (!pending.empty()) {
    OpFoldResult factor = pending.pop_back_val();
    auto value = dyn_cast<Value>(factor);
    if (auto product = value ? value.getDefiningOp<arith::MulIOp>() : nullptr) {
      pending.push_back(getAsOpFoldResult(product.getRhs()));
      pending.push_back(getAsOpFoldResult(product.getLhs()));
    } else {
      factors.push_back(factor);
    }
  }
  return factors;
}

void mlir::onnx::cancelFactors(ShapeBuilder &shapes,
                               SmallVectorImpl<OpFoldResult> &lhs,
                               SmallVectorImpl<OpFoldResult> &rhs) {
  int64_t constants[2] = {1, 1};
  SmallVector<OpFoldResult> symbols[2];
  const SmallVector<OpFoldResult> sides[2] = {factorsOf(lhs), factorsOf(rhs)};
  for (auto [side, factors] : llvm::enumerate(sides))
    for (OpFoldResult factor : factors) {
      if (auto value = getConstantIntValue(factor))
        constants[side] *= *value;
      else
        symbols[side].push_back(factor);
    }
  SmallVector<OpFoldResult> left;
  for (OpFoldResult factor : symbols[1]) {
    auto *same = llvm::find(symbols[0], factor);
    if (same != symbols[0].end())
      symbols[0].erase(same);
    else
      left.push_back(factor);
  }
  if (constants[0] == constants[1])
    constants[0] = constants[1] = 1;
  lhs.assign(symbols[0].begin(), symbols[0].end());
  rhs.assign(left.begin(), left.end());
  if (constants[0] != 1)
    lhs.push_back(shapes.constant(constants[0]));
  if (constants[1] != 1)
    rhs.push_back(shapes.constant(constants[1]));
}

bool mlir::onnx::sameProduct(ShapeBuilder &shapes, ArrayRef<OpFoldResult> lhs,
                             ArrayRef<OpFoldResult> rhs) {
  SmallVector<OpFoldResult> l(lhs), r(rhs);
  cancelFactors(shapes, l, r);
  return l.empty() && r.empty();
}

FailureOr<SmallVector<OpFoldResult>>
mlir::onnx::indexElements(Operation *op, ShapeBuilder &shapes, Value operand,
                          StringRef name) {
  auto type = cast<RankedTensorType>(operand.getType());
  if (!type.hasStaticShape())
    return op->emitOpError()
           << "the length of operand '" << name
           << "' must be known at compile time, found " << type;
  if (type.getNumElements() > ShapeBuilder::maxElements)
    return op->emitOpError()
           << "operand '" << name << "' has " << type.getNumElements()
           << " elements, more than the " << ShapeBuilder::maxElements
           << " that are supported";
  std::optional<SmallVector<OpFoldResult>> elements = shapes.elements(operand);
  if (!elements)
    return op->emitOpError()
           << "operand '" << name
           << "' is neither a constant, a graph input nor computed from shapes "
              "by integer arithmetic";
  return std::move(*elements);
}

FailureOr<SmallVector<int64_t>> mlir::onnx::constantAxes(Operation *op,
                                                         ShapeBuilder &shapes,
                                                         Value axes,
                                                         int64_t rank) {
  if (!isPresent(axes))
    return llvm::to_vector(llvm::seq<int64_t>(rank));
  FailureOr<SmallVector<int64_t>> given =
      constantElements(op, shapes, axes, "axes");
  if (failed(given))
    return failure();
  for (int64_t &axis : *given) {
    FailureOr<int64_t> normalized = normalizeAxis(op, axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  SmallVector<int64_t> sorted = *given;
  llvm::sort(sorted);
  auto *twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return op->emitOpError() << "axis " << *twice << " is named twice";
  return given;
}

std::optional<SmallVector<OpFoldResult>>
mlir::onnx::mapElements(ShapeBuilder &shapes, Value data,
                        ArrayRef<int64_t> resultShape,
                        function_ref<int64_t(ArrayRef<int64_t>)> source) {
  int64_t count = ShapedType::getNumElements(resultShape);
  if (count > ShapeBuilder::maxElements)
    return std::nullopt;
  std::optional<SmallVector<OpFoldResult>> elements = shapes.elements(data);
  if (!elements)
    return std::nullopt;
  SmallVector<int64_t> strides = computeStrides(resultShape);
  SmallVector<OpFoldResult> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back((*elements)[source(delinearize(i, strides))]);
  return result;
}
