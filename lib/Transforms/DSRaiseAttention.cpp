//===- DSRaiseAttention.cpp - Attention from its spellings ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISEATTENTION
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseAttention
    : mlir::ds::impl::DSRaiseAttentionBase<DSRaiseAttention> {
  void runOnOperation() override;
};

/// Matches softmax(mask(scale · q · kᵀ)) · v, from the product with v upwards.
struct AttentionMatcher {
  AttentionMatcher(onnx::MatMulOp product, onnx::SoftmaxOp softmax)
      : product(product), softmax(softmax) {}

  /// Where this fails, `reason` says why.
  LogicalResult match();
  void rewrite();

  std::string reason;

private:
  LogicalResult fail(const Twine &why) {
    reason = why.str();
    return failure();
  }
  LogicalResult matchScores(Value scores);
  LogicalResult matchMask(onnx::AddOp op, Value &scores);
  LogicalResult matchSelect(onnx::WhereOp op, Value &scores);
  LogicalResult matchKey(Value transposed);
  LogicalResult checkShapes();

  /// Takes factors that are constants of one element off `value`.
  void takeScale(Value &value);

  onnx::MatMulOp product;
  onnx::SoftmaxOp softmax;
  Value query, key, value;
  SmallVector<int64_t> keyPermutation; // from `key` to the key operand
  double scale = 1;
  Value bias;
  // A bias to make: 0 where `condition` holds, else `fill`.
  Value condition;
  Value fill;
};
} // namespace

void AttentionMatcher::takeScale(Value &value) {
  while (Operation *op = value.getDefiningOp()) {
    // A constant of a higher rank would broadcast.
    auto factorOf = [](Value constant, Value other) -> std::optional<double> {
      if (typeOf(constant).getRank() > typeOf(other).getRank())
        return std::nullopt;
      return getScalarConstant(constant);
    };
    Value other = op->getOperand(0);
    if (auto div = dyn_cast<onnx::DivOp>(op)) {
      auto divisor = factorOf(div.getRhs(), other);
      if (!divisor || *divisor == 0)
        return;
      scale /= *divisor;
    } else if (auto mul = dyn_cast<onnx::MulOp>(op)) {
      auto factor = factorOf(mul.getRhs(), other);
      if (!factor) {
        other = mul.getRhs();
        factor = factorOf(mul.getLhs(), other);
      }
      if (!factor)
        return;
      scale *= *factor;
    } else {
      return;
    }
    value = other;
  }
}

/// Whether the arithmetic of scores leads from `value` to a product.
static bool leadsToScores(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 4)
    return false;
  if (isa<onnx::MatMulOp>(op))
    return true;
  if (isa<onnx::AddOp, onnx::MulOp>(op))
    return leadsToScores(op->getOperand(0), depth + 1) ||
           leadsToScores(op->getOperand(1), depth + 1);
  if (isa<onnx::DivOp>(op))
    return leadsToScores(op->getOperand(0), depth + 1);
  return false;
}

LogicalResult AttentionMatcher::matchMask(onnx::AddOp op, Value &scores) {
  bool lhs = leadsToScores(op.getLhs()), rhs = leadsToScores(op.getRhs());
  if (!lhs && !rhs)
    return fail("no product of query and key leads to its softmax");
  if (lhs && rhs) {
    // The mask may itself come from a product: the scores are the wider one.
    rhs = typeOf(op.getRhs()).getRank() > typeOf(op.getLhs()).getRank();
    if (typeOf(op.getRhs()).getRank() == typeOf(op.getLhs()).getRank())
      return fail("both operands of its mask's addition are products");
  }
  bias = rhs ? op.getLhs() : op.getRhs();
  scores = rhs ? op.getRhs() : op.getLhs();
  return success();
}

LogicalResult AttentionMatcher::matchSelect(onnx::WhereOp op, Value &scores) {
  if (!leadsToScores(op.getX()))
    return fail("its mask selects no scores where the condition holds");
  auto constant = getScalarConstant(op.getY());
  // Scores are lost beside the least float, so selecting it is adding it. Rows
  // that are masked everywhere differ for a smaller one.
  if (!constant || *constant > -1e30)
    return fail("its mask fills with " +
                (constant ? std::to_string(*constant) : "a run-time value") +
                ", expected -inf or the least float");
  condition = op.getCondition();
  fill = op.getY();
  scores = op.getX();
  return success();
}

LogicalResult AttentionMatcher::matchScores(Value scores) {
  if (!scores.hasOneUse())
    return fail("the scores before its softmax have other uses");
  if (auto add = scores.getDefiningOp<onnx::AddOp>()) {
    if (failed(matchMask(add, scores)))
      return failure();
  } else if (auto where = scores.getDefiningOp<onnx::WhereOp>()) {
    if (failed(matchSelect(where, scores)))
      return failure();
  }
  takeScale(scores);
  Operation *op = scores.getDefiningOp();
  auto product = dyn_cast_or_null<onnx::MatMulOp>(op);
  if (!product)
    return fail(op && isa<onnx::AddOp, onnx::WhereOp>(op)
                    ? "more than one mask, or a mask before the scale"
                    : "no product of query and key leads to its softmax");
  if (!scores.hasOneUse())
    return fail("the scores before its softmax have other uses");
  query = product.getA();
  takeScale(query);
  return matchKey(product.getB());
}

LogicalResult AttentionMatcher::matchKey(Value transposed) {
  takeScale(transposed);
  int64_t rank = typeOf(transposed).getRank();
  keyPermutation = llvm::to_vector(llvm::seq<int64_t>(rank));
  key = transposed;
  if (auto transpose = transposed.getDefiningOp<onnx::TransposeOp>()) {
    key = transpose.getData();
    if (transpose.getPerm())
      keyPermutation = llvm::to_vector(*transpose.getPerm());
    else
      std::reverse(keyPermutation.begin(), keyPermutation.end());
    takeScale(key);
  }
  if (rank >= 2)
    std::swap(keyPermutation[rank - 1], keyPermutation[rank - 2]);
  return success();
}

LogicalResult AttentionMatcher::checkShapes() {
  RankedTensorType q = typeOf(query), v = typeOf(value);
  RankedTensorType k = permuteType(key.getType(), keyPermutation);
  for (auto [name, type] : {std::pair<StringRef, RankedTensorType>{"query", q},
                            {"key", k},
                            {"value", v}})
    if (type.getRank() != 4)
      return fail(name + Twine(" has rank ") + Twine(type.getRank()) +
                  ", expected 4");
  if (!isa<FloatType>(q.getElementType()))
    return fail("its elements are integers");
  for (RankedTensorType type : {q, k, v})
    if (llvm::is_contained(type.getShape(), 0))
      return fail("it has no elements");
  if (!std::isfinite(float(scale)))
    return fail("its scale is not finite");
  // MatMul would broadcast stacks, attention groups heads.
  for (int64_t dim : {0, 1})
    for (RankedTensorType type : {k, v}) {
      int64_t lhs = q.getDimSize(dim), rhs = type.getDimSize(dim);
      if (!compatibleDims(lhs, rhs) || (lhs == 1) != (rhs == 1))
        return fail("query, key and value differ in dim " + Twine(dim));
    }
  if (!compatibleDims(q.getDimSize(3), k.getDimSize(3)) ||
      !compatibleDims(k.getDimSize(2), v.getDimSize(2)))
    return fail("query, key and value do not fit together");

  Value mask = condition ? condition : bias;
  if (!mask)
    return success();
  RankedTensorType type = typeOf(mask);
  if (!condition && type.getElementType() != q.getElementType())
    return fail("its mask has another element type");
  SmallVector<int64_t> scores = {q.getDimSize(0), q.getDimSize(1),
                                 q.getDimSize(2), k.getDimSize(2)};
  if (type.getRank() > 4)
    return fail("its mask has rank " + Twine(type.getRank()));
  for (auto [found, expected] : llvm::zip_equal(
           type.getShape(), ArrayRef(scores).take_back(type.getRank())))
    if (found != 1 && !compatibleDims(found, expected))
      return fail("its mask broadcasts the scores");
  return success();
}

LogicalResult AttentionMatcher::match() {
  RankedTensorType type = typeOf(softmax.getInput());
  int64_t axis = softmax.getAxis();
  if (axis != -1 && axis != type.getRank() - 1)
    return fail("its softmax is over axis " + Twine(axis) +
                ", expected the last");
  if (!softmax->hasOneUse())
    return fail("the probabilities have other uses");
  value = product.getB();
  if (failed(matchScores(softmax.getInput())))
    return failure();
  return checkShapes();
}

void AttentionMatcher::rewrite() {
  OpBuilder builder(product);
  Location loc = softmax.getLoc();
  if (condition) {
    // Where a row is masked everywhere, a bool mask gives zeros but the least
    // float the softmax of what it is: an average.
    bias = condition;
    if (!std::isinf(*getScalarConstant(fill))) {
      Type element = typeOf(fill).getElementType();
      auto scalar = RankedTensorType::get({}, element);
      Value zero = onnx::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(scalar, builder.getFloatAttr(element, 0)));
      bias =
          onnx::WhereOp::create(builder, loc, typeOf(condition).clone(element),
                                condition, zero, fill);
    }
  }
  Value k = createTranspose(builder, loc, key, keyPermutation);
  auto attention = AttentionOp::create(
      builder, builder.getFusedLoc({loc, product.getLoc()}),
      product.getResult().getType(), query, k, value, bias, scale);
  product.getResult().replaceAllUsesWith(attention.getResult());
}

void DSRaiseAttention::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  SmallVector<AttentionMatcher> found;
  SmallVector<onnx::SoftmaxOp> ops;
  func.walk([&](onnx::SoftmaxOp op) { ops.push_back(op); });
  for (onnx::SoftmaxOp softmax : ops) {
    // A softmax that weights no rows is that of a classifier.
    auto products =
        llvm::make_filter_range(softmax->getUsers(), [&](Operation *user) {
          auto product = dyn_cast<onnx::MatMulOp>(user);
          return product && product.getA() == softmax.getResult();
        });
    if (products.empty())
      continue;
    AttentionMatcher matcher(cast<onnx::MatMulOp>(*products.begin()), softmax);
    if (succeeded(matcher.match()))
      matcher.rewrite();
    else
      reportMissed(softmax, "ds-raise-attention", "attention", matcher.reason);
  }
  eraseDeadOps(func);
}
