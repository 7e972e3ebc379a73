//===- CausalMask.cpp - Masks of later keys, as graphs make them ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "CausalMask.h"

#include "RaiseHelpers.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <variant>

using namespace mlir;
using namespace mlir::ds;

namespace {
/// rows · i + columns · j + offset.
struct AffineIndex {
  int64_t rows = 0, columns = 0;
  OpFoldResult offset;
};

/// Two triangles, or one number where the diagonal is null.
using Numbers = TwoTriangles;
using ElementForm = std::variant<AffineIndex, Numbers>;

/// Describes elements by their row i and column j, the last two dims of a
/// tensor. Every answer rests on equal dims being equal values.
class PatternBuilder {
public:
  explicit PatternBuilder(ShapeBuilder &shapes) : s(shapes) {}

  std::optional<ElementForm> describe(Value tensor, int depth = 0);

private:
  using Operands = ArrayRef<double>;
  using Function = function_ref<double(Operands)>;

  std::optional<ElementForm> describeOp(Operation *op, int depth);
  std::optional<ElementForm> describeConstant(Value tensor);
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

static bool usesRows(const ElementForm &pattern) {
  if (auto *index = std::get_if<AffineIndex>(&pattern))
    return index->rows != 0;
  return static_cast<bool>(std::get<Numbers>(pattern).diagonal);
}

static bool usesColumns(const ElementForm &pattern) {
  if (auto *index = std::get_if<AffineIndex>(&pattern))
    return index->columns != 0;
  return static_cast<bool>(std::get<Numbers>(pattern).diagonal);
}

static std::optional<AffineIndex> asIndex(const ElementForm &pattern,
                                          ShapeBuilder &s) {
  if (auto *index = std::get_if<AffineIndex>(&pattern))
    return *index;
  const Numbers &numbers = std::get<Numbers>(pattern);
  if (numbers.diagonal || numbers.above != std::trunc(numbers.above) ||
      std::abs(numbers.above) > 1e9)
    return std::nullopt;
  return AffineIndex{0, 0, s.constant(static_cast<int64_t>(numbers.above))};
}

static std::optional<Numbers> asNumbers(const ElementForm &pattern) {
  if (auto *numbers = std::get_if<Numbers>(&pattern))
    return *numbers;
  const AffineIndex &index = std::get<AffineIndex>(pattern);
  auto value = getConstantIntValue(index.offset);
  if (index.rows || index.columns || !value)
    return std::nullopt;
  return oneNumber(static_cast<double>(*value));
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

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
  // lhs − rhs is positive, or not negative where that is not strict.
  int64_t columns = lhs.columns - rhs.columns, rows = lhs.rows - rhs.rows;
  if (columns == 1 && rows == -1) {
    // j > i + rhs − lhs
    OpFoldResult diagonal = s.sub(rhs.offset, lhs.offset);
    return Numbers{strict ? diagonal : minusOne(diagonal), 1, 0};
  }
  if (columns == -1 && rows == 1) {
    // j < i + lhs − rhs
    OpFoldResult diagonal = s.sub(lhs.offset, rhs.offset);
    return Numbers{strict ? minusOne(diagonal) : diagonal, 0, 1};
  }
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
  return (!usesColumns(pattern) || isSame(0)) &&
         (!usesRows(pattern) || isSame(1));
}

std::optional<ElementForm> PatternBuilder::describeConstant(Value tensor) {
  DenseElementsAttr constant;
  if (!matchPattern(tensor, m_Constant(&constant)) || !constant.isSplat())
    return std::nullopt;
  Type element = constant.getElementType();
  if (isa<FloatType>(element)) {
    APFloat number = constant.getSplatValue<APFloat>();
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return oneNumber(number.convertToDouble());
  }
  APInt number = constant.getSplatValue<APInt>();
  bool isUnsigned = element.isInteger(1) || element.isUnsignedInteger();
  return oneNumber(isUnsigned ? number.roundToDouble(/*isSigned=*/false)
                              : number.roundToDouble(/*isSigned=*/true));
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
  int64_t column = placeOf(0), row = placeOf(1);
  if (auto *numbers = std::get_if<Numbers>(&*pattern)) {
    if (numbers->diagonal && (column != 0 || row != 1))
      return std::nullopt;
    return pattern;
  }
  AffineIndex &index = std::get<AffineIndex>(*pattern);
  AffineIndex moved{0, 0, index.offset};
  for (auto [factor, place] :
       {std::pair<int64_t, int64_t>{index.columns, column},
        {index.rows, row}}) {
    if (factor == 0 || place == -1)
      continue;
    if (place > 1)
      return std::nullopt;
    (place == 0 ? moved.columns : moved.rows) = factor;
  }
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
    bool matters = (last == 0 && usesColumns(*pattern)) ||
                   (last == 1 && usesRows(*pattern));
    if (matters &&
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
      return AffineIndex{lhs->rows + rhs->rows, lhs->columns + rhs->columns,
                         s.add(lhs->offset, rhs->offset)};
    if (isVaried && isa<onnx::SubOp>(op))
      return AffineIndex{lhs->rows - rhs->rows, lhs->columns - rhs->columns,
                         s.sub(lhs->offset, rhs->offset)};
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
    return AffineIndex{0, 1, start->front()};
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
  if (std::optional<ElementForm> constant = describeConstant(tensor))
    return constant;
  RankedTensorType type = typeOf(tensor);
  if (type.getElementType().isInteger() && type.hasStaticShape() &&
      type.getNumElements() == 1)
    if (auto elements = s.elements(tensor))
      return AffineIndex{0, 0, elements->front()};
  Operation *op = tensor.getDefiningOp();
  if (!op || op->getNumResults() != 1)
    return std::nullopt;
  return describeOp(op, depth + 1);
}

std::optional<TwoTriangles> mlir::ds::findTriangles(Value tensor,
                                                    ShapeBuilder &shapes) {
  std::optional<ElementForm> pattern = PatternBuilder(shapes).describe(tensor);
  if (!pattern)
    return std::nullopt;
  std::optional<Numbers> numbers = asNumbers(*pattern);
  return numbers && numbers->diagonal ? numbers : std::nullopt;
}
