//===- ElementWriter.cpp - One element of a tensor as scalars -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ElementWriter.h"
#include "AttentionMatcher.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;
using onnx::isPresent;

ElementWriter::ElementWriter(Block &region, Location loc, ShapeBuilder &shapes,
                             Value scores, Value score, ValueRange place,
                             Operation *end)
    : b(loc.getContext()), loc(loc), shapes(shapes), scores(scores),
      score(score), place(place) {
  b.setInsertionPointToEnd(&region);
  // Where something else reads scores, what follows may be the whole model.
  constexpr size_t maxFollowers = 512;
  SmallVector<Value> work{scores};
  while (!work.empty() && followers.size() < maxFollowers)
    for (Operation *user : work.pop_back_val().getUsers())
      if (user != end && !isa<onnx::ShapeOp, onnx::SizeOp>(user) &&
          followers.insert(user))
        llvm::append_range(work, user->getResults());
}

Operation *ElementWriter::findOtherReader() const {
  for (Operation *op : followers)
    if (!written.contains(op))
      return op;
  return nullptr;
}

Value ElementWriter::writeAtPlace(Value tensor) {
  std::optional<SmallVector<Value>> indices = broadcast(tensor, scores, place);
  if (!indices) {
    if (reason.empty())
      reason = "a mask may broadcast or not";
    return nullptr;
  }
  return write(tensor, *indices);
}

bool ElementWriter::Less::operator()(const Key &lhs, const Key &rhs) const {
  auto pointer = [](Value value) { return value.getAsOpaquePointer(); };
  if (lhs.first != rhs.first)
    return pointer(lhs.first) < pointer(rhs.first);
  return std::lexicographical_compare(
      lhs.second.begin(), lhs.second.end(), rhs.second.begin(),
      rhs.second.end(),
      [&](Value l, Value r) { return pointer(l) < pointer(r); });
}

Value ElementWriter::fail(Operation *op, const Twine &why) {
  if (reason.empty())
    reason = (describeNode(op) + " " + why).str();
  return nullptr;
}

Value ElementWriter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

//===----------------------------------------------------------------------===//
// What is read, and what is computed
//===----------------------------------------------------------------------===//

/// Ops that cost about as much as reading their result would.
static bool isCheap(Operation *op) {
  return isa<onnx::AbsOp, onnx::AddOp, onnx::AndOp, onnx::CastOp, onnx::ClipOp,
             onnx::DivOp, onnx::EqualOp, onnx::FloorOp, onnx::GreaterOp,
             onnx::GreaterOrEqualOp, onnx::LessOp, onnx::LessOrEqualOp,
             onnx::MaxOp, onnx::MinOp, onnx::ModOp, onnx::MulOp, onnx::NegOp,
             onnx::NotOp, onnx::OrOp, onnx::SubOp, onnx::WhereOp, onnx::XorOp>(
      op);
}

static bool isView(Operation *op) {
  return isa<onnx::ExpandOp, onnx::IdentityOp, onnx::ReshapeOp, onnx::SqueezeOp,
             onnx::TransposeOp, onnx::UnsqueezeOp>(op);
}

bool ElementWriter::isPositional(Value tensor, unsigned depth) {
  constexpr unsigned maxDepth = 16;
  auto [entry, isNew] = positional.try_emplace(tensor, false);
  if (!isNew)
    return entry->second;
  Operation *op = tensor.getDefiningOp();
  if (!op || depth > maxDepth)
    return false;
  auto isOperandPositional = [&](Value operand) {
    return isPresent(operand) && isPositional(operand, depth + 1);
  };
  bool result = false;
  if (auto range = dyn_cast<onnx::RangeOp>(op)) {
    result = true;
  } else if (isView(op)) {
    result = isOperandPositional(op->getOperand(0));
  } else if (auto gather = dyn_cast<onnx::GatherOp>(op)) {
    result = isOperandPositional(gather.getIndices());
  } else if (isa<onnx::TriluOp>(op)) {
    result = true;
  } else if (isCheap(op)) {
    SmallVector<OpFoldResult> dims(shapes.dims(tensor));
    bool grows = llvm::all_of(op->getOperands(), [&](Value operand) {
      return !isPresent(operand) || shapes.dims(operand) != ArrayRef(dims);
    });
    result = grows || llvm::any_of(op->getOperands(), isOperandPositional);
  }
  return positional[tensor] = result;
}

/// An element in memory. Unsigned elements have another type there.
Value ElementWriter::read(Value tensor, ArrayRef<Value> indices) {
  Type element = elementType(tensor);
  if (element.isUnsignedInteger()) {
    if (reason.empty())
      reason = "unsigned integers are read";
    return nullptr;
  }
  Value stored = tensor::ExtractOp::create(b, loc, tensor, indices);
  return Scalars(b, loc, element).load(stored, element);
}

/// The element that all of a constant is, or null.
Value ElementWriter::constant(Value tensor) {
  DenseElementsAttr elements;
  if (auto fill = tensor.getDefiningOp<onnx::ConstantOfShapeOp>())
    elements = dyn_cast_or_null<DenseElementsAttr>(fill.getValueAttr());
  else
    matchPattern(tensor, m_Constant(&elements));
  if (!elements || !elements.isSplat() ||
      elements.getElementType().isUnsignedInteger())
    return nullptr;
  Type type = Scalars::computeType(elements.getElementType());
  if (isa<FloatType>(type)) {
    APFloat value = elements.getSplatValue<APFloat>();
    bool loses;
    value.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &loses);
    return arith::ConstantOp::create(b, loc, FloatAttr::get(type, value));
  }
  return arith::ConstantOp::create(
      b, loc, IntegerAttr::get(type, elements.getSplatValue<APInt>()));
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

/// Indices into `from`, which broadcasts to `to`; nullopt where it may do so or
/// not.
std::optional<SmallVector<Value>>
ElementWriter::broadcast(Value from, Value to, ArrayRef<Value> indices) {
  SmallVector<OpFoldResult> source(shapes.dims(from)), target(shapes.dims(to));
  SmallVector<Value> result;
  for (auto [i, dim] : llvm::enumerate(source)) {
    size_t at = target.size() - source.size() + i;
    if (dim == target[at])
      result.push_back(indices[at]);
    else if (isConstantIntValue(dim, 1))
      result.push_back(index(0));
    else if (getConstantIntValue(dim))
      // Another constant than 1 is the target's, whatever that is called.
      result.push_back(indices[at]);
    else
      return std::nullopt;
  }
  return result;
}

/// Of a view that keeps all dims but those of 1 in their order.
Value ElementWriter::writeView(Value from, Value to, ArrayRef<Value> indices) {
  SmallVector<OpFoldResult> source(shapes.dims(from)), target(shapes.dims(to));
  SmallVector<Value> inner;
  size_t next = 0;
  auto skipOnes = [&] {
    while (next < target.size() && isConstantIntValue(target[next], 1))
      ++next;
  };
  for (OpFoldResult dim : source) {
    if (isConstantIntValue(dim, 1)) {
      inner.push_back(index(0));
      continue;
    }
    skipOnes();
    if (next == target.size() || target[next] != dim)
      return fail(to.getDefiningOp(), "moves elements between dims");
    inner.push_back(indices[next++]);
  }
  skipOnes();
  if (next != target.size())
    return fail(to.getDefiningOp(), "moves elements between dims");
  return write(from, inner);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value ElementWriter::writeElementwise(Operation *op, ArrayRef<Value> indices) {
  Value result = op->getResult(0);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isPresent(operand)) {
      operands.push_back(nullptr);
      continue;
    }
    std::optional<SmallVector<Value>> inner =
        broadcast(operand, result, indices);
    if (!inner)
      return fail(op, "has an operand that may broadcast or not");
    Value element = write(operand, *inner);
    if (!element)
      return nullptr;
    operands.push_back(element);
  }
  Scalars s(b, loc, elementType(op->getOperand(0)));
  if (isa<onnx::CastOp, onnx::CastLikeOp>(op)) {
    Type to = elementType(result);
    if (to.isUnsignedInteger() || s.element.isUnsignedInteger())
      return fail(op, "converts unsigned integers");
    Value converted = convertScalar(s, operands[0], s.element, to);
    // What was left in another type than half precision is computed in.
    Type type = Scalars::computeType(to);
    return convertScalar(s, converted, converted.getType(), type);
  }
  return (*getScalarTable().lookup(op))(s, op, operands);
}

Value ElementWriter::writeRange(Operation *op, Value at) {
  auto range = cast<onnx::RangeOp>(op);
  Type element = elementType(range.getStart());
  Value start = write(range.getStart(), {}),
        delta = write(range.getDelta(), {});
  if (!start || !delta)
    return nullptr;
  Scalars s(b, loc, element);
  Type i64 = b.getI64Type();
  Value steps = arith::IndexCastOp::create(b, loc, i64, at);
  steps = convertScalar(s, steps, i64, element);
  if (!matchPattern(delta, m_One()))
    steps = s.mul(steps, delta);
  return matchPattern(start, m_Zero()) ? steps : s.add(start, steps);
}

Value ElementWriter::writeGather(Operation *op, ArrayRef<Value> indices) {
  auto gather = cast<onnx::GatherOp>(op);
  int64_t rank = shapes.rank(gather.getData());
  int64_t between = shapes.rank(gather.getIndices());
  int64_t axis = gather.getAxis() < 0 ? gather.getAxis() + rank
                                      : int64_t(gather.getAxis());
  Value number = write(gather.getIndices(), indices.slice(axis, between));
  if (!number)
    return nullptr;
  Value at = arith::IndexCastOp::create(b, loc, b.getIndexType(), number);
  // Negative ones count from the end.
  auto size = getConstantIntValue(shapes.dim(gather.getData(), axis));
  if (!size)
    return fail(op, "reads a dim of unknown size");
  Value isNegative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at, index(0));
  Value fromEnd = arith::AddIOp::create(b, loc, at, index(*size));
  at = arith::SelectOp::create(b, loc, isNegative, fromEnd, at);
  SmallVector<Value> inner(indices.take_front(axis));
  inner.push_back(at);
  llvm::append_range(inner, indices.drop_front(axis + between));
  return write(gather.getData(), inner);
}

Value ElementWriter::writeTriangle(Operation *op, ArrayRef<Value> indices) {
  auto triangle = cast<onnx::TriluOp>(op);
  Value element = write(triangle.getInput(), indices);
  if (!element)
    return nullptr;
  Type i64 = b.getI64Type();
  Value shift =
      isPresent(triangle.getK())
          ? write(triangle.getK(),
                  SmallVector<Value>(shapes.rank(triangle.getK()), index(0)))
          : arith::ConstantIntOp::create(b, loc, 0, 64).getResult();
  if (!shift)
    return nullptr;
  auto toInteger = [&](Value at) {
    return arith::IndexCastOp::create(b, loc, i64, at);
  };
  Value row = toInteger(indices[indices.size() - 2]);
  Value column = toInteger(indices.back());
  Value diagonal = arith::AddIOp::create(b, loc, row, shift);
  Value keeps =
      arith::CmpIOp::create(b, loc,
                            triangle.getUpper() ? arith::CmpIPredicate::sge
                                                : arith::CmpIPredicate::sle,
                            column, diagonal);
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(element.getType()));
  return arith::SelectOp::create(b, loc, keeps, element, zero);
}

Value ElementWriter::writeAnew(Value tensor, ArrayRef<Value> indices) {
  if (tensor == scores) {
    if (!llvm::equal(indices, place))
      return fail(scores.getDefiningOp(),
                  "gives scores that are read at other places than their own");
    return score;
  }
  if (Value number = constant(tensor))
    return number;
  bool isScore = dependsOnScores(tensor);
  if (!isScore && !isPositional(tensor))
    return read(tensor, indices);
  Operation *op = tensor.getDefiningOp();
  if (isScore)
    written.insert(op);
  if (isa<onnx::IdentityOp>(op))
    return write(op->getOperand(0), indices);
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op)) {
    FailureOr<SmallVector<int64_t>> permutation =
        onnx::getPermutation(transpose);
    if (failed(permutation))
      return nullptr;
    return write(
        transpose.getData(),
        applyPermutation(indices, invertPermutationVector(*permutation)));
  }
  if (isa<onnx::ExpandOp>(op)) {
    auto inner = broadcast(op->getOperand(0), tensor, indices);
    return inner ? write(op->getOperand(0), *inner)
                 : fail(op, "may broadcast its operand or not");
  }
  if (isa<onnx::ReshapeOp, onnx::SqueezeOp, onnx::UnsqueezeOp>(op))
    return writeView(op->getOperand(0), tensor, indices);
  if (isa<onnx::RangeOp>(op))
    return writeRange(op, indices.front());
  if (isa<onnx::GatherOp>(op) && !dependsOnScores(op->getOperand(0)))
    return writeGather(op, indices);
  if (isa<onnx::TriluOp>(op))
    return writeTriangle(op, indices);
  if (isa<onnx::CastOp, onnx::CastLikeOp>(op) || getScalarTable().lookup(op))
    return writeElementwise(op, indices);
  return fail(op, "is no function of one score");
}

Value ElementWriter::write(Value tensor, ArrayRef<Value> indices) {
  constexpr size_t maxElements = 256;
  if (known.size() > maxElements) {
    if (reason.empty())
      reason = "it is made of more than " + std::to_string(maxElements) +
               " elements";
    return nullptr;
  }
  Key key(tensor, llvm::to_vector(indices));
  if (auto it = known.find(key); it != known.end())
    return it->second;
  Value element = writeAnew(tensor, indices);
  // Where a view of positions cannot be followed, its tensor can be read.
  if (!element && !dependsOnScores(tensor)) {
    reason.clear();
    element = read(tensor, indices);
  }
  return known[key] = element;
}
