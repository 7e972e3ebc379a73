//===- DSRaiseNormalization.cpp - LayerNorm from its spelling -------------===//
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

/// Matches from the square root up to its operand and down to the result, or
/// says why not. An empty reason: nothing of a normalization is there.
static FailureOr<LayerNorm> match(onnx::SqrtOp sqrt, std::string &reason) {
  auto fail = [&](const Twine &why) -> FailureOr<LayerNorm> {
    reason = why.str();
    return failure();
  };
  auto add = sqrt.getInput().getDefiningOp<onnx::AddOp>();
  if (!add)
    return failure();
  auto epsilon = getScalarConstant(add.getRhs());
  auto variance = add.getLhs().getDefiningOp<onnx::ReduceMeanOp>();
  if (!epsilon) {
    epsilon = getScalarConstant(add.getLhs());
    variance = add.getRhs().getDefiningOp<onnx::ReduceMeanOp>();
  }
  if (!epsilon || !variance)
    return failure();
  Value centred = getSquared(variance.getData());
  if (!centred)
    return failure();

  auto sub = centred.getDefiningOp<onnx::SubOp>();
  auto mean = sub ? sub.getRhs().getDefiningOp<onnx::ReduceMeanOp>() : nullptr;
  if (!mean || mean.getData() != sub.getLhs())
    return fail("what is squared is not the distance from the mean");
  std::optional<int64_t> axis = lastAxes(mean);
  if (!axis || lastAxes(variance) != axis)
    return fail("mean and variance are not both over the last axes, kept");
  LayerNorm norm{sub.getLhs(), nullptr,          nullptr, *axis,
                 *epsilon,     mean.getResult(), nullptr};

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

void DSRaiseNormalization::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  SmallVector<onnx::SqrtOp> roots;
  func.walk([&](onnx::SqrtOp op) { roots.push_back(op); });
  for (onnx::SqrtOp root : roots) {
    std::string reason;
    FailureOr<LayerNorm> norm = match(root, reason);
    if (succeeded(norm))
      raise(*norm);
    else if (!reason.empty())
      reportMissed(root, "ds-raise-normalization",
                   "part of a layer normalization", reason);
  }
  eraseDeadOps(func);
}
