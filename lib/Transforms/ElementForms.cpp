//===- ElementForms.cpp - Elements as functions of their place ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ElementForms.h"

#include "MaskValues.h"
#include "RaiseHelpers.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <variant>

using namespace mlir;
using namespace mlir::ds;

namespace {
/// The sum of the indices of an element, each times a factor, and of an offset.
struct AffineIndex {
  /// Of columns, of rows, and of the dims before them.
  SmallVector<int64_t, 4> factors;
  OpFoldResult offset;

  int64_t factor(size_t last) const {
    return last < factors.size() ? factors[last] : 0;
  }
  void setFactor(size_t last, int64_t factor) {
    factors.resize(std::max(factors.size(), last + 1), 0);
    factors[last] = factor;
  }
  bool isUniform() const {
    return llvm::all_of(factors, [](int64_t factor) { return factor == 0; });
  }
};

/// Two triangles, or one number where the diagonal is null.
using Numbers = TwoTriangles;
using ElementForm = std::variant<AffineIndex, Numbers>;

/// Describes elements by their indices, of which triangles know the row i and
/// the column j alone. Dims are counted from the last, which is 0. Every answer
/// rests on equal dims being equal values.
class PatternBuilder {
public:
  explicit PatternBuilder(ShapeBuilder &shapes) : s(shapes) {}

  std::optional<ElementForm> describe(Value tensor, int depth = 0);

private:
  using Operands = ArrayRef<double>;
  using Function = function_ref<double(Operands)>;

  std::optional<ElementForm> describeOp(Operation *op, int depth);
  std::optional<ElementForm> describeView(Value from, Value to, int depth);
  std::optional<ElementForm> describeSlice(onnx::SliceOp op, int depth);
  std::optional<ElementForm> describeTriangle(onnx::TriluOp op, int depth);
  std::optional<ElementForm> describeElementwise(Operation *op, int depth);
  std::optional<ElementForm> compare(Operation *op, AffineIndex lhs,
                                     AffineIndex rhs);
  std::optional<Numbers> combine(ArrayRef<Numbers> operands, Function function);
  bool keepsDims(Value from, Value to, const ElementForm &pattern);
  bool isLess(OpFoldResult lhs, OpFoldResult rhs);

  OpFoldResult minusOne(OpFoldResult value) {
    return s.sub(value, s.constant(1));
  }

  ShapeBuilder &s;
};
} // namespace

static Numbers oneNumber(double value) { return {nullptr, value, value}; }

/// Whether elements differ along the dim.
static bool usesDim(const ElementForm &pattern, size_t last) {
  if (auto *index = std::get_if<AffineIndex>(&pattern))
    return index->factor(last) != 0;
  return last < 2 && std::get<Numbers>(pattern).diagonal;
}

/// lhs + sign · rhs.
static AffineIndex sum(const AffineIndex &lhs, int64_t sign,
                       const AffineIndex &rhs, ShapeBuilder &s) {
  AffineIndex result{lhs.factors, sign < 0 ? s.sub(lhs.offset, rhs.offset)
                                           : s.add(lhs.offset, rhs.offset)};
  for (auto [last, factor] : llvm::enumerate(rhs.factors))
    result.setFactor(last, result.factor(last) + sign * factor);
  return result;
}

static std::optional<AffineIndex> asIndex(const ElementForm &pattern,
                                          ShapeBuilder &s) {
  if (auto *index = std::get_if<AffineIndex>(&pattern))
    return *index;
  const Numbers &numbers = std::get<Numbers>(pattern);
  if (numbers.diagonal || numbers.above != std::trunc(numbers.above) ||
      std::abs(numbers.above) > 1e9)
    return std::nullopt;
  return AffineIndex{{}, s.constant(static_cast<int64_t>(numbers.above))};
}

static std::optional<Numbers> asNumbers(const ElementForm &pattern) {
  if (auto *numbers = std::get_if<Numbers>(&pattern))
    return *numbers;
  const AffineIndex &index = std::get<AffineIndex>(pattern);
  auto value = getConstantIntValue(index.offset);
  if (!index.isUniform() || !value)
    return std::nullopt;
  return oneNumber(static_cast<double>(*value));
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// `value`, computed from elements of `element`, as such an element: rounded,
/// or nothing where it does not fit or a double does not hold it exactly. Sums,
/// differences and products in double, then rounded, are those of the type.
static std::optional<double> roundTo(Type element, double value) {
  if (auto type = dyn_cast<FloatType>(element)) {
    APFloat rounded(value);
    bool losesInfo;
    rounded.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
    return rounded.convertToDouble();
  }
  auto type = dyn_cast<IntegerType>(element);
  if (!type || value != std::trunc(value) || std::abs(value) >= 0x1p53)
    return std::nullopt;
  bool isSigned = type.getWidth() > 1 && !type.isUnsigned();
  double end = std::ldexp(1.0, type.getWidth() - (isSigned ? 1 : 0));
  if (value >= end || value < (isSigned ? -end : 0))
    return std::nullopt;
  return value;
}

/// `form` with numbers that are elements of `element`.
static std::optional<ElementForm> roundTo(Type element, ElementForm form) {
  if (auto *index = std::get_if<AffineIndex>(&form)) {
    // Far from where integers wrap, whatever a dim adds.
    auto offset = getConstantIntValue(index->offset);
    unsigned bits = std::min(element.getIntOrFloatBitWidth(), 54u);
    if (offset &&
        std::abs(static_cast<double>(*offset)) >= std::ldexp(1.0, bits - 2))
      return std::nullopt;
    return form;
  }
  Numbers &numbers = std::get<Numbers>(form);
  for (double *number : {&numbers.above, &numbers.below}) {
    std::optional<double> rounded = roundTo(element, *number);
    if (!rounded)
      return std::nullopt;
    *number = *rounded;
  }
  return form;
}

bool PatternBuilder::isLess(OpFoldResult lhs, OpFoldResult rhs) {
  auto left = getConstantIntValue(lhs), right = getConstantIntValue(rhs);
  if (left && right)
    return *left < *right;
  return left && *left < 0 && onnx::isNonNegative(rhs);
}

std::optional<Numbers> PatternBuilder::combine(ArrayRef<Numbers> operands,
                                               Function function) {
  SmallVector<OpFoldResult> diagonals;
  for (const Numbers &operand : operands)
    if (operand.diagonal && !llvm::is_contained(diagonals, operand.diagonal))
      diagonals.push_back(operand.diagonal);
  if (diagonals.size() > 2)
    return std::nullopt;
  if (diagonals.size() == 2) {
    // 0 counts as the lower of 0 and a dim: where both are 0 they are one.
    auto isLower = [&](OpFoldResult lhs, OpFoldResult rhs) {
      return isLess(lhs, rhs) ||
             (isConstantIntValue(lhs, 0) && onnx::isNonNegative(rhs));
    };
    if (!isLower(diagonals[0], diagonals[1]))
      std::swap(diagonals[0], diagonals[1]);
    if (!isLower(diagonals[0], diagonals[1]))
      return std::nullopt;
  }
  // From below all diagonals to above all of them.
  SmallVector<double> zones;
  for (size_t zone = 0; zone <= diagonals.size(); ++zone) {
    SmallVector<double> values;
    for (const Numbers &operand : operands) {
      bool isAbove = operand.diagonal &&
                     llvm::is_contained(ArrayRef(diagonals).take_front(zone),
                                        operand.diagonal);
      values.push_back(isAbove ? operand.above : operand.below);
    }
    zones.push_back(function(values));
  }
  if (llvm::all_equal(zones))
    return oneNumber(zones.front());
  if (zones.size() == 2)
    return Numbers{diagonals[0], zones[1], zones[0]};
  if (zones[0] == zones[1])
    return Numbers{diagonals[1], zones[2], zones[0]};
  if (zones[1] == zones[2])
    return Numbers{diagonals[0], zones[2], zones[0]};
  return std::nullopt;
}

std::optional<ElementForm>
PatternBuilder::compare(Operation *op, AffineIndex lhs, AffineIndex rhs) {
  bool strict = isa<onnx::GreaterOp, onnx::LessOp>(op);
  if (isa<onnx::LessOp, onnx::LessOrEqualOp>(op))
    std::swap(lhs, rhs);
  // The difference is positive, or not negative where that is not strict.
  AffineIndex difference = sum(lhs, -1, rhs, s);
  int64_t columns = difference.factor(0), rows = difference.factor(1);
  AffineIndex others = difference;
  others.setFactor(0, 0);
  others.setFactor(1, 0);
  if (columns == 1 && rows == -1 && others.isUniform()) {
    // j > i + rhs − lhs
    OpFoldResult diagonal = s.sub(rhs.offset, lhs.offset);
    return Numbers{strict ? diagonal : minusOne(diagonal), 1, 0};
  }
  if (columns == -1 && rows == 1 && others.isUniform()) {
    // j < i + lhs − rhs
    OpFoldResult diagonal = difference.offset;
    return Numbers{strict ? minusOne(diagonal) : diagonal, 0, 1};
  }
  // No index is negative.
  bool grows =
      llvm::all_of(difference.factors, [](int64_t f) { return f >= 0; });
  OpFoldResult least = strict ? minusOne(difference.offset) : difference.offset;
  if (grows && onnx::isNonNegative(least))
    return oneNumber(1);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

bool PatternBuilder::keepsDims(Value from, Value to,
                               const ElementForm &pattern) {
  // In a dim that is broadcast, an index no longer tells elements apart.
  SmallVector<OpFoldResult> source(s.dims(from)), target(s.dims(to));
  auto isSame = [&](size_t last) {
    return source.size() > last && target.size() > last &&
           source[source.size() - 1 - last] == target[target.size() - 1 - last];
  };
  return llvm::all_of(llvm::seq<size_t>(0, source.size()), [&](size_t last) {
    return !usesDim(pattern, last) || isSame(last);
  });
}

std::optional<ElementForm> PatternBuilder::describeView(Value from, Value to,
                                                        int depth) {
  std::optional<ElementForm> pattern = describe(from, depth);
  if (!pattern)
    return std::nullopt;
  // Where all dims but those of 1 stay in order, indices move with their dims.
  SmallVector<OpFoldResult> source(s.dims(from)), target(s.dims(to));
  SmallVector<int64_t> kept, places;
  for (auto [i, dim] : llvm::enumerate(source))
    if (!isConstantIntValue(dim, 1))
      kept.push_back(i);
  for (auto [i, dim] : llvm::enumerate(target))
    if (!isConstantIntValue(dim, 1))
      places.push_back(i);
  if (kept.size() != places.size())
    return std::nullopt;
  for (auto [i, place] : llvm::zip_equal(kept, places))
    if (source[i] != target[place])
      return std::nullopt;
  // The place of source dim `last` from the end: 0 is the column, 1 the row.
  auto placeOf = [&](int64_t last) -> int64_t {
    const auto *it =
        llvm::find(kept, static_cast<int64_t>(source.size()) - 1 - last);
    if (it == kept.end())
      return -1;
    return static_cast<int64_t>(target.size()) - 1 - places[it - kept.begin()];
  };
  if (auto *numbers = std::get_if<Numbers>(&*pattern)) {
    if (numbers->diagonal && (placeOf(0) != 0 || placeOf(1) != 1))
      return std::nullopt;
    return pattern;
  }
  AffineIndex &index = std::get<AffineIndex>(*pattern);
  AffineIndex moved{{}, index.offset};
  for (auto [last, factor] : llvm::enumerate(index.factors))
    // Of a dim of 1, the index is 0.
    if (int64_t place = placeOf(last); factor != 0 && place != -1)
      moved.setFactor(place, factor);
  return moved;
}

std::optional<ElementForm> PatternBuilder::describeSlice(onnx::SliceOp op,
                                                         int depth) {
  std::optional<ElementForm> pattern = describe(op.getData(), depth);
  auto starts = s.elements(op.getStarts());
  if (!pattern || !starts)
    return std::nullopt;
  int64_t rank = typeOf(op.getData()).getRank();
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(starts->size()));
  if (onnx::isPresent(op.getAxes())) {
    auto given = getIntConstant(op.getAxes());
    if (!given)
      return std::nullopt;
    axes = *given;
  }
  std::optional<SmallVector<int64_t>> steps;
  if (onnx::isPresent(op.getSteps())) {
    steps = getIntConstant(op.getSteps());
    if (!steps)
      return std::nullopt;
  }
  for (auto [i, axis] : llvm::enumerate(axes)) {
    int64_t last = rank - 1 - (axis < 0 ? axis + rank : axis);
    if (usesDim(*pattern, last) &&
        (!isConstantIntValue((*starts)[i], 0) || (steps && (*steps)[i] != 1)))
      return std::nullopt;
  }
  return pattern;
}

std::optional<ElementForm> PatternBuilder::describeTriangle(onnx::TriluOp op,
                                                            int depth) {
  std::optional<ElementForm> input = describe(op.getInput(), depth);
  std::optional<Numbers> numbers = input ? asNumbers(*input) : std::nullopt;
  if (!numbers)
    return std::nullopt;
  OpFoldResult k = s.constant(0);
  if (onnx::isPresent(op.getK())) {
    auto elements = s.elements(op.getK());
    if (!elements || elements->size() != 1)
      return std::nullopt;
    k = elements->front();
  }
  Numbers kept = op.getUpper() ? Numbers{minusOne(k), 1, 0} : Numbers{k, 0, 1};
  return combine({*numbers, kept},
                 [](Operands v) { return v[1] != 0 ? v[0] : 0; });
}

std::optional<ElementForm> PatternBuilder::describeElementwise(Operation *op,
                                                               int depth) {
  SmallVector<ElementForm> patterns;
  for (Value operand : op->getOperands()) {
    std::optional<ElementForm> pattern = describe(operand, depth);
    if (!pattern || !keepsDims(operand, op->getResult(0), *pattern))
      return std::nullopt;
    patterns.push_back(*pattern);
  }
  if (patterns.size() == 2) {
    std::optional<AffineIndex> lhs = asIndex(patterns[0], s);
    std::optional<AffineIndex> rhs = asIndex(patterns[1], s);
    bool isVaried = lhs && rhs &&
                    (std::holds_alternative<AffineIndex>(patterns[0]) ||
                     std::holds_alternative<AffineIndex>(patterns[1]));
    if (isVaried && isa<onnx::AddOp>(op))
      return sum(*lhs, 1, *rhs, s);
    if (isVaried && isa<onnx::SubOp>(op))
      return sum(*lhs, -1, *rhs, s);
    if (isVaried && isa<onnx::GreaterOp, onnx::GreaterOrEqualOp, onnx::LessOp,
                        onnx::LessOrEqualOp>(op))
      return compare(op, *lhs, *rhs);
  }
  SmallVector<Numbers> numbers;
  for (const ElementForm &pattern : patterns) {
    std::optional<Numbers> number = asNumbers(pattern);
    if (!number)
      return std::nullopt;
    numbers.push_back(*number);
  }
  using Result = double (*)(Operands);
  auto function =
      TypeSwitch<Operation *, Result>(op)
          .Case<onnx::AddOp>([](auto) -> Result {
            return [](Operands v) { return v[0] + v[1]; };
          })
          .Case<onnx::SubOp>([](auto) -> Result {
            return [](Operands v) { return v[0] - v[1]; };
          })
          .Case<onnx::MulOp>([](auto) -> Result {
            return [](Operands v) { return v[0] * v[1]; };
          })
          .Case<onnx::AndOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] != 0 && v[1] != 0); };
          })
          .Case<onnx::OrOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] != 0 || v[1] != 0); };
          })
          .Case<onnx::EqualOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] == v[1]); };
          })
          .Case<onnx::GreaterOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] > v[1]); };
          })
          .Case<onnx::LessOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] < v[1]); };
          })
          .Case<onnx::NotOp>([](auto) -> Result {
            return [](Operands v) { return double(v[0] == 0); };
          })
          .Case<onnx::NegOp>(
              [](auto) -> Result { return [](Operands v) { return -v[0]; }; })
          .Case<onnx::WhereOp>([](auto) -> Result {
            return [](Operands v) { return v[0] != 0 ? v[1] : v[2]; };
          })
          .Default([](Operation *) -> Result { return nullptr; });
  if (!function)
    return std::nullopt;
  return combine(numbers, function);
}

std::optional<ElementForm> PatternBuilder::describeOp(Operation *op,
                                                      int depth) {
  Value result = op->getResult(0);
  if (auto range = dyn_cast<onnx::RangeOp>(op)) {
    auto start = s.elements(range.getStart());
    auto delta = s.elements(range.getDelta());
    if (!start || !delta || !isConstantIntValue(delta->front(), 1))
      return std::nullopt;
    return AffineIndex{{1}, start->front()};
  }
  if (auto fill = dyn_cast<onnx::ConstantOfShapeOp>(op)) {
    auto value = dyn_cast_or_null<DenseElementsAttr>(fill.getValueAttr());
    if (!value)
      return oneNumber(0);
    if (!isa<FloatType>(value.getElementType())) {
      bool isBool = value.getElementType().isInteger(1);
      return oneNumber((*value.value_begin<APInt>()).roundToDouble(!isBool));
    }
    return oneNumber((*value.value_begin<FloatAttr>()).getValueAsDouble());
  }
  if (auto cast = dyn_cast<onnx::CastOp>(op)) {
    std::optional<ElementForm> pattern = describe(cast.getInput(), depth);
    Type element = typeOf(result).getElementType();
    // In half precision not all positions are numbers.
    if (pattern && std::holds_alternative<AffineIndex>(*pattern) &&
        element.getIntOrFloatBitWidth() >= 32)
      return pattern;
    std::optional<Numbers> numbers =
        pattern ? asNumbers(*pattern) : std::nullopt;
    if (!numbers || isa<FloatType>(element))
      return numbers;
    if (!element.isInteger(1))
      return combine(*numbers, [](Operands v) { return std::trunc(v[0]); });
    return combine(*numbers, [](Operands v) { return double(v[0] != 0); });
  }
  if (isa<onnx::ReshapeOp, onnx::UnsqueezeOp, onnx::SqueezeOp>(op))
    return describeView(op->getOperand(0), result, depth);
  if (auto expand = dyn_cast<onnx::ExpandOp>(op)) {
    std::optional<ElementForm> pattern = describe(expand.getInput(), depth);
    if (!pattern || !keepsDims(expand.getInput(), result, *pattern))
      return std::nullopt;
    return pattern;
  }
  if (auto slice = dyn_cast<onnx::SliceOp>(op))
    return describeSlice(slice, depth);
  if (auto triangle = dyn_cast<onnx::TriluOp>(op))
    return describeTriangle(triangle, depth);
  return describeElementwise(op, depth);
}

std::optional<ElementForm> PatternBuilder::describe(Value tensor, int depth) {
  if (depth > 24 || !isa<RankedTensorType>(tensor.getType()))
    return std::nullopt;
  RankedTensorType type = typeOf(tensor);
  Type element = type.getElementType();
  if (std::optional<double> number = getSplat(tensor))
    return roundTo(element, oneNumber(*number));
  if (element.isInteger() && type.hasStaticShape() &&
      type.getNumElements() == 1)
    if (auto elements = s.elements(tensor))
      return roundTo(element, AffineIndex{{}, elements->front()});
  Operation *op = tensor.getDefiningOp();
  if (!op || op->getNumResults() != 1)
    return std::nullopt;
  std::optional<ElementForm> form = describeOp(op, depth + 1);
  return form ? roundTo(element, *form) : std::nullopt;
}

std::optional<TwoTriangles> mlir::ds::findTriangles(Value tensor,
                                                    ShapeBuilder &shapes) {
  std::optional<ElementForm> pattern = PatternBuilder(shapes).describe(tensor);
  if (!pattern)
    return std::nullopt;
  std::optional<Numbers> numbers = asNumbers(*pattern);
  return numbers && numbers->diagonal ? numbers : std::nullopt;
}

std::optional<double> mlir::ds::findNumber(Value tensor, ShapeBuilder &shapes) {
  std::optional<ElementForm> pattern = PatternBuilder(shapes).describe(tensor);
  std::optional<Numbers> numbers = pattern ? asNumbers(*pattern) : std::nullopt;
  if (!numbers || numbers->diagonal)
    return std::nullopt;
  return numbers->above;
}

std::optional<int64_t> mlir::ds::findIndexedDim(Value tensor,
                                                ShapeBuilder &shapes) {
  std::optional<ElementForm> pattern = PatternBuilder(shapes).describe(tensor);
  auto *index = pattern ? std::get_if<AffineIndex>(&*pattern) : nullptr;
  if (!index || !isConstantIntValue(index->offset, 0))
    return std::nullopt;
  std::optional<int64_t> dim;
  for (auto [last, factor] : llvm::enumerate(index->factors)) {
    if (factor == 0)
      continue;
    if (dim || factor != 1)
      return std::nullopt;
    dim = last;
  }
  return dim;
}

bool mlir::ds::hidesLaterKeys(Value mask, const TwoTriangles &found,
                              OpFoldResult rows, OpFoldResult keys,
                              ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> dims(shapes.dims(mask));
  // The last query is that of the last key, and every query has a key.
  return onnx::isNonNegative(found.diagonal) &&
         shapes.add(rows, found.diagonal) == keys &&
         dims[dims.size() - 2] == rows && dims.back() == keys;
}
