//===- DSRaiseNormalization.cpp - Normalizations from their spellings -----===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISENORMALIZATION
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseNormalization
    : mlir::ds::impl::DSRaiseNormalizationBase<DSRaiseNormalization> {
  void runOnOperation() override;
};

/// (x − mean(x)) / √(mean((x − mean(x))²) + ε) · scale + bias, as matched.
struct LayerNorm {
  Value x, scale, bias;
  int64_t axis;
  double epsilon;
  Value mean;   // of x, with its dims kept
  Value result; // what is replaced
};

/// x / √(mean(x²) + ε) · scale, as matched.
struct RMSNorm {
  Value x, scale;
  int64_t axis;
  double epsilon;
  Value result; // what is replaced
};

/// The mean of squares that a root is of, with ε.
struct MeanSquare {
  onnx::ReduceMeanOp mean;
  Value squared;
  double epsilon;
};
} // namespace

/// The first axis that a mean over the last axes reduces, or nullopt where it
/// does anything else.
static std::optional<int64_t> lastAxes(onnx::ReduceMeanOp op) {
  int64_t rank = typeOf(op.getData()).getRank();
  if (!op.getKeepdims() || !onnx::isPresent(op.getAxes()))
    return std::nullopt;
  auto axes = getIntConstant(op.getAxes());
  if (!axes || axes->empty())
    return std::nullopt;
  SmallVector<bool> reduced(rank, false);
  for (int64_t axis : *axes) {
    int64_t index = axis < 0 ? axis + rank : axis;
    if (index < 0 || index >= rank)
      return std::nullopt;
    reduced[index] = true;
  }
  int64_t first = llvm::find(reduced, true) - reduced.begin();
  for (int64_t i = first; i < rank; ++i)
    if (!reduced[i])
      return std::nullopt;
  return first;
}

/// Whether `value` is x − mean.
static bool isCentred(Value value, Value x, Value mean) {
  auto sub = value.getDefiningOp<onnx::SubOp>();
  return sub && sub.getLhs() == x && sub.getRhs() == mean;
}

/// What `value` is the square of, or null.
static Value getSquared(Value value) {
  if (auto mul = value.getDefiningOp<onnx::MulOp>())
    return mul.getLhs() == mul.getRhs() ? mul.getLhs() : Value();
  auto power = value.getDefiningOp<onnx::PowOp>();
  if (power && getScalarConstant(power.getExponent()) == 2.0)
    return power.getBase();
  return nullptr;
}

/// The only use of `value`, if that is an `OpTy` with a vector of the shape of
/// the normalized dims as its other operand.
template <typename OpTy>
static std::pair<OpTy, Value> takeVector(Value value, ArrayRef<int64_t> shape) {
  if (!value.hasOneUse())
    return {};
  auto user = dyn_cast<OpTy>(*value.user_begin());
  if (!user)
    return {};
  Value other = user.getLhs() == value ? user.getRhs() : user.getLhs();
  if (other == value || typeOf(other).getShape() != shape)
    return {};
  return {user, other};
}

/// Matches mean(x²) + ε.
static std::optional<MeanSquare> matchMeanSquare(Value value) {
  auto add = value.getDefiningOp<onnx::AddOp>();
  if (!add)
    return std::nullopt;
  auto epsilon = getScalarConstant(add.getRhs());
  auto mean = add.getLhs().getDefiningOp<onnx::ReduceMeanOp>();
  if (!epsilon) {
    epsilon = getScalarConstant(add.getLhs());
    mean = add.getRhs().getDefiningOp<onnx::ReduceMeanOp>();
  }
  if (!epsilon || !mean)
    return std::nullopt;
  Value squared = getSquared(mean.getData());
  if (!squared)
    return std::nullopt;
  return MeanSquare{mean, squared, *epsilon};
}

/// Whether a result has the rank of what it normalizes: constants of more dims
/// would give it more.
static bool keepsShape(Value x, Value result) {
  return typeOf(x).getRank() == typeOf(result).getRank();
}

/// Whether `value` is x minus a mean of x.
static bool isDistance(Value value) {
  auto sub = value.getDefiningOp<onnx::SubOp>();
  auto mean = sub ? sub.getRhs().getDefiningOp<onnx::ReduceMeanOp>() : nullptr;
  return mean && mean.getData() == sub.getLhs();
}

/// Matches from the square root up to its operand and down to the result, or
/// says why not.
static FailureOr<LayerNorm> matchLayerNorm(onnx::SqrtOp sqrt, MeanSquare square,
                                           std::string &reason) {
  auto fail = [&](const Twine &why) -> FailureOr<LayerNorm> {
    reason = why.str();
    return failure();
  };
  auto sub = square.squared.getDefiningOp<onnx::SubOp>();
  auto mean = sub.getRhs().getDefiningOp<onnx::ReduceMeanOp>();
  std::optional<int64_t> axis = lastAxes(mean);
  if (!axis || lastAxes(square.mean) != axis)
    return fail("mean and variance are not both over the last axes, kept");
  LayerNorm norm{sub.getLhs(),   nullptr,          nullptr, *axis,
                 square.epsilon, mean.getResult(), nullptr};

  if (!sqrt->hasOneUse())
    return fail("the standard deviation has other uses");
  Operation *user = *sqrt->user_begin();
  auto div = dyn_cast<onnx::DivOp>(user);
  if (!div || div.getRhs() != sqrt.getResult() ||
      !isCentred(div.getLhs(), norm.x, norm.mean))
    return fail("it does not divide the distance from the mean");

  ArrayRef<int64_t> shape = typeOf(norm.x).getShape().drop_front(*axis);
  if (ShapedType::isDynamicShape(shape))
    return fail("a normalized dim is dynamic");
  auto [mul, scale] = takeVector<onnx::MulOp>(div.getResult(), shape);
  if (!mul)
    return fail("no scale of the normalized shape multiplies the quotient");
  norm.scale = scale;
  norm.result = mul.getResult();
  auto [sum, bias] = takeVector<onnx::AddOp>(mul.getResult(), shape);
  if (sum) {
    norm.bias = bias;
    norm.result = sum.getResult();
  }
  if (!keepsShape(norm.x, norm.result))
    return fail("its constants broadcast what is normalized");
  return norm;
}

static void raise(LayerNorm norm) {
  Operation *last = norm.result.getDefiningOp();
  OpBuilder builder(last);
  Location loc = last->getLoc();
  Value bias = norm.bias;
  if (!bias)
    bias = onnx::NoValueOp::create(builder, loc, builder.getNoneType());
  // Statistics are computed in f32, or in f64 where x is.
  Type element = typeOf(norm.x).getElementType();
  Type statistic =
      typeOf(norm.mean).clone(element.isF64() ? element : builder.getF32Type());
  auto op = onnx::LayerNormalizationOp::create(
      builder, loc, TypeRange{norm.result.getType(), statistic, statistic},
      norm.x, norm.scale, bias, builder.getI64IntegerAttr(norm.axis),
      builder.getF32FloatAttr(norm.epsilon), builder.getI64IntegerAttr(1));
  norm.result.replaceAllUsesWith(op.getY());
}

/// The only op that uses `value`, or null.
static Operation *onlyUser(Value value) {
  return value.hasOneUse() ? *value.user_begin() : nullptr;
}

/// What `value` is cast from or to another float, or it itself.
static Value beforeCast(Value value) {
  auto cast = value.getDefiningOp<onnx::CastOp>();
  return cast && isa<FloatType>(typeOf(cast.getInput()).getElementType())
             ? cast.getInput()
             : value;
}

/// x / `root`, spelled as such or as a product with the reciprocal of `root`;
/// x · `root` where that `isInverse`. Null where it is neither.
static Value findQuotient(Value root, bool isInverse, Value x) {
  Operation *user = onlyUser(root);
  if (auto div = dyn_cast_or_null<onnx::DivOp>(user); div && !isInverse) {
    if (div.getRhs() != root)
      return nullptr;
    if (div.getLhs() == x)
      return div.getResult();
    if (getScalarConstant(div.getLhs()) != 1.0)
      return nullptr;
    return findQuotient(div.getResult(), /*isInverse=*/true, x);
  }
  if (isa_and_nonnull<onnx::ReciprocalOp>(user) && !isInverse)
    return findQuotient(user->getResult(0), /*isInverse=*/true, x);
  auto mul = dyn_cast_or_null<onnx::MulOp>(user);
  if (!mul || !isInverse)
    return nullptr;
  Value other = mul.getLhs() == root ? mul.getRhs() : mul.getLhs();
  return other == x ? mul.getResult() : Value();
}

/// Matches from √(mean(x²) + ε), or its inverse, down to the result, or says
/// why not.
static FailureOr<RMSNorm> matchRMSNorm(Value root, bool isInverse,
                                       MeanSquare square, std::string &reason) {
  auto fail = [&](const Twine &why) -> FailureOr<RMSNorm> {
    reason = why.str();
    return failure();
  };
  std::optional<int64_t> axis = lastAxes(square.mean);
  if (!axis)
    return fail("the mean of squares is not over the last axes, kept");
  Value quotient = findQuotient(root, isInverse, square.squared);
  if (!quotient)
    return fail("it does not divide what is squared, or has other uses");
  RMSNorm norm{square.squared, nullptr, *axis, square.epsilon, nullptr};
  ArrayRef<int64_t> shape = typeOf(norm.x).getShape().drop_front(*axis);
  if (ShapedType::isDynamicShape(shape))
    return fail("a normalized dim is dynamic");
  // Half precision is widened for the mean alone, which the op does, too.
  if (auto cast = dyn_cast_or_null<onnx::CastOp>(onlyUser(quotient))) {
    Value before = beforeCast(norm.x);
    if (before.getType() == cast.getType()) {
      norm.x = before;
      quotient = cast.getResult();
    }
  }
  auto [mul, scale] = takeVector<onnx::MulOp>(quotient, shape);
  if (!mul || typeOf(scale).getElementType() != typeOf(norm.x).getElementType())
    return fail("no scale of the normalized shape multiplies the quotient");
  if (!keepsShape(norm.x, mul.getResult()))
    return fail("its constants broadcast what is normalized");
  norm.scale = scale;
  norm.result = mul.getResult();
  return norm;
}

static void raise(RMSNorm norm) {
  Operation *last = norm.result.getDefiningOp();
  OpBuilder builder(last);
  auto op = onnx::RMSNormalizationOp::create(
      builder, last->getLoc(), norm.result.getType(), norm.x, norm.scale,
      builder.getI64IntegerAttr(norm.axis),
      builder.getF32FloatAttr(norm.epsilon), builder.getI64IntegerAttr(1));
  norm.result.replaceAllUsesWith(op.getY());
}

/// Raises what `root`, a square root or its inverse, is part of.
static void raiseFrom(Operation *root, bool isInverse) {
  std::optional<MeanSquare> square = matchMeanSquare(root->getOperand(0));
  if (!square)
    return;
  std::string reason;
  auto sqrt = dyn_cast<onnx::SqrtOp>(root);
  if (sqrt && isDistance(square->squared)) {
    FailureOr<LayerNorm> norm = matchLayerNorm(sqrt, *square, reason);
    if (succeeded(norm))
      return raise(*norm);
    return reportMissed(root, "ds-raise-normalization",
                        "part of a layer normalization", reason);
  }
  FailureOr<RMSNorm> norm =
      matchRMSNorm(root->getResult(0), isInverse, *square, reason);
  if (succeeded(norm))
    return raise(*norm);
  reportMissed(root, "ds-raise-normalization", "part of a normalization",
               reason);
}

void DSRaiseNormalization::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  SmallVector<std::pair<Operation *, bool>> roots;
  func.walk([&](Operation *op) {
    auto pow = dyn_cast<onnx::PowOp>(op);
    auto exponent =
        pow ? getScalarConstant(pow.getExponent()) : std::optional<double>();
    if (isa<onnx::SqrtOp>(op) || exponent == 0.5)
      roots.push_back({op, false});
    else if (exponent == -0.5)
      roots.push_back({op, true});
  });
  for (auto [root, isInverse] : roots)
    raiseFrom(root, isInverse);
  eraseDeadOps(func);
}
