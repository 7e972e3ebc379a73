//===- ShapeBuilder.cpp - Shapes as folded index values -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// Dims
//===----------------------------------------------------------------------===//

int64_t ShapeBuilder::rank(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getRank();
}

void ShapeBuilder::bindDims(Value tensor, ArrayRef<OpFoldResult> dims) {
  dimsOf[tensor] = llvm::to_vector(dims);
}

void ShapeBuilder::bindElements(Value tensor, ArrayRef<OpFoldResult> elements) {
  elementsOf[tensor] = llvm::to_vector(elements);
}

void ShapeBuilder::forget(Value tensor) {
  dimsOf.erase(tensor);
  elementsOf.erase(tensor);
  storages.erase(tensor);
}

ArrayRef<OpFoldResult> ShapeBuilder::dims(Value tensor) {
  auto known = dimsOf.find(tensor);
  if (known != dimsOf.end())
    return known->second;
  SmallVector<OpFoldResult> dims = computeDims(tensor);
  return dimsOf[tensor] = std::move(dims);
}

/// What tells the dims of an argument of a graph in an op; null for any other
/// value.
static Value findSourceOfDims(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto op = argument ? dyn_cast_if_present<ShapeOpInterface>(
                           argument.getOwner()->getParentOp())
                     : ShapeOpInterface();
  return op ? op.getSourceOfDims(argument) : Value();
}

SmallVector<OpFoldResult> ShapeBuilder::computeDims(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.hasStaticShape())
    return getAsIndexOpFoldResult(b.getContext(), type.getShape());
  if (Value source = findSourceOfDims(tensor))
    return llvm::to_vector(dims(source));

  if (auto op = tensor.getDefiningOp<ShapeOpInterface>()) {
    SmallVector<ResultShape> results;
    if (succeeded(op.inferResults(*this, results))) {
      for (auto [result, shape] : llvm::zip_equal(op->getResults(), results))
        dimsOf.try_emplace(result, shape.dims);
      return dimsOf[tensor];
    }
  }

  Value storage = storages.lookup(tensor);
  if (!storage)
    storage = tensor;
  Place place(*this);
  SmallVector<OpFoldResult> dims;
  for (int64_t i = 0, e = type.getRank(); i < e; ++i)
    dims.push_back(
        type.isDynamicDim(i)
            ? OpFoldResult(
                  tensor::DimOp::create(b, loc, storage, i).getResult())
            : constant(type.getDimSize(i)));
  return dims;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Whether `value` enters the function, and is not what a loop gives its body.
static bool isEntryArgument(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && isa_and_present<FunctionOpInterface>(
                         argument.getOwner()->getParentOp());
}

std::optional<SmallVector<OpFoldResult>> ShapeBuilder::elements(Value tensor) {
  auto known = elementsOf.find(tensor);
  if (known != elementsOf.end())
    return known->second;
  std::optional<SmallVector<OpFoldResult>> elements = computeElements(tensor);
  return elementsOf[tensor] = std::move(elements);
}

std::optional<SmallVector<OpFoldResult>>
ShapeBuilder::computeElements(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > maxElements ||
      !type.getElementType().isInteger())
    return std::nullopt;

  auto integer = cast<IntegerType>(type.getElementType());
  bool isUnsigned = integer.isUnsigned() || integer.getWidth() == 1;
  DenseIntElementsAttr literal;
  if (matchPattern(tensor, m_Constant(&literal))) {
    SmallVector<OpFoldResult> elements;
    for (const APInt &value : literal.getValues<APInt>())
      elements.push_back(
          constant(isUnsigned ? value.getZExtValue() : value.getSExtValue()));
    return elements;
  }

  if (Operation *op = tensor.getDefiningOp()) {
    if (auto arithmetic = dyn_cast<ElementsOpInterface>(op))
      return arithmetic.inferElements(*this);
    // An op of several results may bind their elements in its shape function.
    SmallVector<ResultShape> results;
    auto shaped = dyn_cast<ShapeOpInterface>(op);
    if (!shaped || failed(shaped.inferResults(*this, results)))
      return std::nullopt;
    auto known = elementsOf.find(tensor);
    return known == elementsOf.end() ? std::nullopt : known->second;
  }

  // A run-time value of a small integer input.
  Place place(*this);
  SmallVector<OpFoldResult> elements;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    Value scalar = inputElement(tensor, i);
    if (!scalar || !scalar.getType().isSignlessInteger())
      return std::nullopt;
    elements.push_back(
        isUnsigned
            ? arith::IndexCastUIOp::create(b, loc, b.getIndexType(), scalar)
                  .getResult()
            : arith::IndexCastOp::create(b, loc, b.getIndexType(), scalar)
                  .getResult());
  }
  return elements;
}

Value ShapeBuilder::inputElement(Value tensor, int64_t i) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || !type.hasStaticShape() || i >= type.getNumElements() ||
      !isEntryArgument(tensor))
    return nullptr;
  Value storage = storages.lookup(tensor);
  if (!storage)
    storage = tensor;
  OpFoldResult made = memoize(
      "element " + std::to_string(i), OpFoldResult(storage),
      [&](ArrayRef<Value>) -> Value {
        SmallVector<Value> indices;
        for (int64_t index : delinearize(i, computeStrides(type.getShape())))
          indices.push_back(materialize(constant(index)));
        return tensor::ExtractOp::create(b, loc, storage, indices);
      });
  return cast<Value>(made);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value ShapeBuilder::materialize(OpFoldResult value) {
  if (auto dynamic = dyn_cast<Value>(value))
    return dynamic;
  // Constants are memoized with the rest so that a dim is one value.
  OpFoldResult made = memoize("constant", value, [&](ArrayRef<Value>) -> Value {
    return arith::ConstantIndexOp::create(b, loc, *getConstantIntValue(value));
  });
  return cast<Value>(made);
}

OpFoldResult
ShapeBuilder::memoize(StringRef name, ArrayRef<OpFoldResult> operands,
                      function_ref<Value(ArrayRef<Value>)> create) {
  std::pair<std::string, SmallVector<void *, 3>> key(name.str(), {});
  for (OpFoldResult operand : operands)
    key.second.push_back(operand.getOpaqueValue());
  auto known = memo.find(key);
  if (known != memo.end())
    return known->second;
  Place place(*this);
  SmallVector<Value> values;
  if (name != "constant")
    for (OpFoldResult operand : operands)
      values.push_back(materialize(operand));
  OpFoldResult result = create(values);
  memo.emplace(std::move(key), result);
  return result;
}

template <typename OpTy>
OpFoldResult ShapeBuilder::binary(OpFoldResult l, OpFoldResult r) {
  if (OpTy::template hasTrait<OpTrait::IsCommutative>() &&
      l.getOpaqueValue() > r.getOpaqueValue() && isa<Value>(l) && isa<Value>(r))
    std::swap(l, r);
  OpFoldResult result = memoize(OpTy::getOperationName(), {l, r},
                                [&](ArrayRef<Value> v) -> Value {
                                  return b.createOrFold<OpTy>(loc, v[0], v[1]);
                                });
  return getAsOpFoldResult(cast<Value>(result));
}

/// Constants whose result does not fit stay at the end of the range, where the
/// checks of sizes find them: wrapped around, a huge shape would look small.
static std::optional<OpFoldResult>
foldSaturating(OpBuilder &b, OpFoldResult l, OpFoldResult r,
               function_ref<bool(int64_t, int64_t, int64_t &)> compute,
               function_ref<bool(int64_t, int64_t)> isNegative) {
  auto lhs = getConstantIntValue(l), rhs = getConstantIntValue(r);
  int64_t result;
  if (!lhs || !rhs)
    return std::nullopt;
  if (compute(*lhs, *rhs, result))
    result = isNegative(*lhs, *rhs) ? INT64_MIN : INT64_MAX;
  return OpFoldResult(b.getIndexAttr(result));
}

OpFoldResult ShapeBuilder::add(OpFoldResult l, OpFoldResult r) {
  if (auto known = foldSaturating(b, l, r, llvm::AddOverflow<int64_t>,
                                  [](int64_t x, int64_t) { return x < 0; }))
    return *known;
  return binary<arith::AddIOp>(l, r);
}
OpFoldResult ShapeBuilder::sub(OpFoldResult l, OpFoldResult r) {
  if (auto known = foldSaturating(b, l, r, llvm::SubOverflow<int64_t>,
                                  [](int64_t x, int64_t) { return x < 0; }))
    return *known;
  return l == r ? constant(0) : binary<arith::SubIOp>(l, r);
}
OpFoldResult ShapeBuilder::mul(OpFoldResult l, OpFoldResult r) {
  if (auto known = foldSaturating(
          b, l, r, llvm::MulOverflow<int64_t>,
          [](int64_t x, int64_t y) { return (x < 0) != (y < 0); }))
    return *known;
  return binary<arith::MulIOp>(l, r);
}
OpFoldResult ShapeBuilder::floorDiv(OpFoldResult l, OpFoldResult r) {
  return binary<arith::FloorDivSIOp>(l, r);
}
OpFoldResult ShapeBuilder::ceilDiv(OpFoldResult l, OpFoldResult r) {
  return binary<arith::CeilDivSIOp>(l, r);
}
OpFoldResult ShapeBuilder::truncDiv(OpFoldResult l, OpFoldResult r) {
  return binary<arith::DivSIOp>(l, r);
}

/// Whether `sum` is `part` plus a constant that is not negative.
static bool isAtLeast(OpFoldResult sum, OpFoldResult part) {
  auto value = dyn_cast<Value>(sum);
  auto add = value ? value.getDefiningOp<arith::AddIOp>() : nullptr;
  if (!add)
    return sum == part;
  OpFoldResult lhs = getAsOpFoldResult(add.getLhs());
  OpFoldResult rhs = getAsOpFoldResult(add.getRhs());
  if (rhs == part)
    std::swap(lhs, rhs);
  auto more = getConstantIntValue(rhs);
  return sum == part || (lhs == part && more && *more >= 0);
}

OpFoldResult ShapeBuilder::max(OpFoldResult l, OpFoldResult r) {
  if (isAtLeast(l, r))
    return l;
  return isAtLeast(r, l) ? r : binary<arith::MaxSIOp>(l, r);
}
OpFoldResult ShapeBuilder::min(OpFoldResult l, OpFoldResult r) {
  if (isAtLeast(l, r))
    return r;
  return isAtLeast(r, l) ? l : binary<arith::MinSIOp>(l, r);
}

OpFoldResult ShapeBuilder::compare(arith::CmpIPredicate predicate,
                                   OpFoldResult l, OpFoldResult r) {
  if (auto lhs = getConstantIntValue(l), rhs = getConstantIntValue(r);
      lhs && rhs)
    return constant(arith::applyCmpPredicate(predicate, APInt(64, *lhs, true),
                                             APInt(64, *rhs, true)));
  if (l == r)
    return constant(
        arith::applyCmpPredicate(predicate, APInt(64, 0), APInt(64, 0)));
  std::string name =
      "compare " + arith::stringifyCmpIPredicate(predicate).str();
  return memoize(name, {l, r}, [&](ArrayRef<Value> v) -> Value {
    Value bit = arith::CmpIOp::create(b, loc, predicate, v[0], v[1]);
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), bit);
  });
}

/// `value` where `condition` is known, which may have chosen it before.
static OpFoldResult chosenBy(OpFoldResult condition, bool holds,
                             OpFoldResult value) {
  auto dynamic = dyn_cast<Value>(value);
  auto select =
      dynamic ? dynamic.getDefiningOp<arith::SelectOp>() : arith::SelectOp();
  auto bit = select ? select.getCondition().getDefiningOp<arith::CmpIOp>()
                    : arith::CmpIOp();
  if (!bit || bit.getPredicate() != arith::CmpIPredicate::ne ||
      OpFoldResult(bit.getLhs()) != condition ||
      !isConstantIntValue(bit.getRhs(), 0))
    return value;
  return getAsOpFoldResult(holds ? select.getTrueValue()
                                 : select.getFalseValue());
}

OpFoldResult ShapeBuilder::select(OpFoldResult condition, OpFoldResult onTrue,
                                  OpFoldResult onFalse) {
  if (auto known = getConstantIntValue(condition))
    return *known ? onTrue : onFalse;
  onTrue = chosenBy(condition, true, onTrue);
  onFalse = chosenBy(condition, false, onFalse);
  if (onTrue == onFalse)
    return onTrue;
  return memoize(
      "select", {condition, onTrue, onFalse}, [&](ArrayRef<Value> v) -> Value {
        Value zero = materialize(constant(0));
        Value bit =
            arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v[0], zero);
        return arith::SelectOp::create(b, loc, bit, v[1], v[2]);
      });
}

OpFoldResult ShapeBuilder::product(ArrayRef<OpFoldResult> factors) {
  OpFoldResult result = constant(1);
  for (OpFoldResult factor : factors)
    result = mul(result, factor);
  return result;
}

OpFoldResult ShapeBuilder::exactQuotient(ArrayRef<OpFoldResult> numerator,
                                         ArrayRef<OpFoldResult> denominator) {
  int64_t constants[2] = {1, 1};
  SmallVector<OpFoldResult> symbols[2];
  auto split = [&](ArrayRef<OpFoldResult> factors, int side) {
    for (OpFoldResult factor : factors) {
      if (auto value = getConstantIntValue(factor))
        constants[side] *= *value;
      else
        symbols[side].push_back(factor);
    }
  };
  split(numerator, 0);
  split(denominator, 1);
  SmallVector<OpFoldResult> left;
  for (OpFoldResult factor : symbols[1]) {
    auto *same = llvm::find(symbols[0], factor);
    if (same != symbols[0].end())
      symbols[0].erase(same);
    else
      left.push_back(factor);
  }
  if (constants[1] != 0 && constants[0] % constants[1] == 0) {
    constants[0] /= constants[1];
    constants[1] = 1;
  }
  OpFoldResult result = mul(product(symbols[0]), constant(constants[0]));
  OpFoldResult divisor = mul(product(left), constant(constants[1]));
  if (isConstantIntValue(divisor, 1))
    return result;
  // Where a dim is zero the quotient is unknown; ONNX then has no elements.
  OpFoldResult isZero = compare(arith::CmpIPredicate::eq, divisor, constant(0));
  return select(isZero, constant(0),
                truncDiv(result, max(divisor, constant(1))));
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

bool ShapeBuilder::isClamped(OpFoldResult dim, OpFoldResult whole) {
  auto value = dyn_cast<Value>(dim);
  auto clamp = value ? value.getDefiningOp<arith::MinSIOp>() : nullptr;
  if (!clamp)
    return false;
  OpFoldResult lhs = getAsOpFoldResult(clamp.getLhs());
  OpFoldResult rhs = getAsOpFoldResult(clamp.getRhs());
  if (getConstantIntValue(lhs))
    std::swap(lhs, rhs);
  auto limit = getConstantIntValue(rhs);
  return lhs == whole && limit && *limit > 1;
}

FailureOr<OpFoldResult> ShapeBuilder::broadcast(OpFoldResult l,
                                                OpFoldResult r) {
  if (l == r || isConstantIntValue(r, 1))
    return l;
  if (isConstantIntValue(l, 1))
    return r;
  auto lhs = getConstantIntValue(l), rhs = getConstantIntValue(r);
  if (lhs && rhs)
    return failure();
  // A static dim other than 1 decides: the other is equal to it, or 1.
  if (lhs)
    return l;
  if (rhs)
    return r;
  if (isClamped(l, r))
    return r;
  if (isClamped(r, l))
    return l;
  return select(compare(arith::CmpIPredicate::eq, l, constant(1)), r, l);
}

FailureOr<SmallVector<OpFoldResult>>
ShapeBuilder::broadcast(ArrayRef<ArrayRef<OpFoldResult>> shapes) {
  size_t rank = 0;
  for (ArrayRef<OpFoldResult> shape : shapes)
    rank = std::max(rank, shape.size());
  SmallVector<OpFoldResult> result(rank, constant(1));
  for (ArrayRef<OpFoldResult> shape : shapes)
    for (auto [i, dim] : llvm::enumerate(shape)) {
      OpFoldResult &target = result[rank - shape.size() + i];
      FailureOr<OpFoldResult> joined = broadcast(target, dim);
      if (failed(joined))
        return failure();
      target = *joined;
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Upstream interfaces
//===----------------------------------------------------------------------===//

llvm::StringMap<OpFoldResult> mlir::ds::bindEntryDims(FunctionOpInterface func,
                                                      ShapeBuilder &shapes) {
  llvm::StringMap<OpFoldResult> symbols;
  // A pass may have added arguments to the block that are not the function's.
  for (unsigned i = 0, e = func.getNumArguments(); i < e; ++i) {
    BlockArgument argument = func.getArgument(i);
    auto names = func.getArgAttrOfType<ArrayAttr>(i, "ds.symbols");
    if (!names || !isa<RankedTensorType>(argument.getType()))
      continue;
    SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(argument));
    for (auto [dim, name] : llvm::zip_equal(dims, names)) {
      StringRef symbol = cast<StringAttr>(name);
      if (!symbol.empty() && !getConstantIntValue(dim))
        dim = symbols.try_emplace(symbol, dim).first->second;
    }
    shapes.bindDims(argument, dims);
  }
  return symbols;
}

RankedTensorType mlir::ds::getStaticType(const ResultShape &shape) {
  SmallVector<int64_t> sizes;
  for (OpFoldResult dim : shape.dims)
    sizes.push_back(getConstantIntValue(dim).value_or(ShapedType::kDynamic));
  return RankedTensorType::get(sizes, shape.elementType);
}

LogicalResult
mlir::ds::reifyResults(Operation *op, OpBuilder &builder,
                       SmallVectorImpl<SmallVector<OpFoldResult>> &dims) {
  ShapeBuilder shapes(builder, op->getLoc());
  SmallVector<ResultShape> results;
  if (failed(cast<ShapeOpInterface>(op).inferResults(shapes, results)))
    return failure();
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), results)) {
    // The declared type may know more than the shape function does.
    auto type = cast<RankedTensorType>(result.getType());
    for (auto [i, dim] : llvm::enumerate(shape.dims))
      if (!type.isDynamicDim(i))
        dim = builder.getIndexAttr(type.getDimSize(i));
    dims.push_back(std::move(shape.dims));
  }
  return success();
}
