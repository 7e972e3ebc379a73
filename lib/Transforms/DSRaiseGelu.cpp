//===- DSRaiseGelu.cpp - GELU from its spellings --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

#include <map>

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISEGELU
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseGelu : mlir::ds::impl::DSRaiseGeluBase<DSRaiseGelu> {
  void runOnOperation() override;
};

/// A polynomial in x and t: coefficients by (power of x, power of t). Comparing
/// polynomials finds every spelling of a formula, in any order of operands.
using Polynomial = std::map<std::pair<int, int>, double>;

/// Reads a tree of element-wise ops as a polynomial.
struct PolynomialReader {
  Value x;             // the variable
  Value t;             // a second one, or null
  int64_t budget = 32; // ops left to look at
  static constexpr int maxDegree = 4;

  std::optional<Polynomial> read(Value value);

private:
  std::optional<Polynomial> readPower(onnx::PowOp op);
};
} // namespace

static Polynomial combine(const Polynomial &lhs, const Polynomial &rhs,
                          double sign) {
  Polynomial result = lhs;
  for (const auto &[power, coefficient] : rhs)
    result[power] += sign * coefficient;
  return result;
}

static Polynomial multiply(const Polynomial &lhs, const Polynomial &rhs) {
  Polynomial result;
  for (const auto &[l, a] : lhs)
    for (const auto &[r, b] : rhs)
      result[{l.first + r.first, l.second + r.second}] += a * b;
  return result;
}

std::optional<Polynomial> PolynomialReader::readPower(onnx::PowOp op) {
  auto exponent = getScalarConstant(op.getExponent());
  if (!exponent || (*exponent != 1 && *exponent != 2 && *exponent != 3))
    return std::nullopt;
  std::optional<Polynomial> base = read(op.getBase());
  if (!base)
    return std::nullopt;
  Polynomial result = *base;
  for (int i = 1; i < *exponent; ++i)
    result = multiply(result, *base);
  return result;
}

std::optional<Polynomial> PolynomialReader::read(Value value) {
  if (value == x)
    return Polynomial{{{1, 0}, 1.0}};
  if (t && value == t)
    return Polynomial{{{0, 1}, 1.0}};
  if (auto constant = getScalarConstant(value))
    return Polynomial{{{0, 0}, *constant}};
  Operation *op = value.getDefiningOp();
  if (!op || --budget < 0)
    return std::nullopt;
  if (auto power = dyn_cast<onnx::PowOp>(op))
    return readPower(power);
  if (!isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp>(op))
    return std::nullopt;
  std::optional<Polynomial> lhs = read(op->getOperand(0));
  if (!lhs)
    return std::nullopt;
  if (isa<onnx::DivOp>(op)) {
    auto divisor = getScalarConstant(op->getOperand(1));
    if (!divisor || *divisor == 0)
      return std::nullopt;
    return multiply(*lhs, {{{0, 0}, 1 / *divisor}});
  }
  std::optional<Polynomial> rhs = read(op->getOperand(1));
  if (!rhs)
    return std::nullopt;
  if (isa<onnx::MulOp>(op)) {
    Polynomial product = multiply(*lhs, *rhs);
    // A chain of squares would grow without bound.
    for (const auto &[power, coefficient] : product)
      if (power.first + power.second > maxDegree)
        return std::nullopt;
    return product;
  }
  return combine(*lhs, *rhs, isa<onnx::AddOp>(op) ? 1 : -1);
}

static bool matches(std::optional<Polynomial> found, const Polynomial &expected,
                    Type element) {
  if (!found)
    return false;
  for (const auto &[power, coefficient] : expected)
    if (!isClose((*found)[power], coefficient, element))
      return false;
  for (const auto &[power, coefficient] : *found)
    if (coefficient != 0 && !expected.count(power))
      return false;
  return true;
}

/// What the inner function takes in the formula of GELU.
static Polynomial innerFormula(Operation *inner) {
  if (isa<onnx::ErfOp>(inner))
    return {{{1, 0}, M_SQRT1_2}};
  double scale = std::sqrt(M_2_PI);
  return {{{1, 0}, scale}, {{3, 0}, scale * 0.044715}};
}

/// The x for which the operand of `inner` is that of GELU: one of the values
/// that its tree of arithmetic is made of.
static Value findArgument(Operation *inner) {
  Polynomial formula = innerFormula(inner);
  Type element =
      cast<ShapedType>(inner->getOperand(0).getType()).getElementType();
  SmallVector<std::pair<Value, int>> candidates = {{inner->getOperand(0), 0}};
  // The tree is small: x, its cube, their sum and the scale.
  for (size_t i = 0; i < candidates.size() && candidates.size() < 64; ++i) {
    auto [candidate, depth] = candidates[i];
    if (matches(PolynomialReader{candidate, nullptr}.read(inner->getOperand(0)),
                formula, element))
      return candidate;
    Operation *op = candidate.getDefiningOp();
    if (depth < 6 && op &&
        isa<onnx::AddOp, onnx::SubOp, onnx::MulOp, onnx::DivOp, onnx::PowOp>(
            op))
      for (Value operand : op->getOperands())
        if (!getScalarConstant(operand))
          candidates.emplace_back(operand, depth + 1);
  }
  return nullptr;
}

/// The op whose result is GELU of `x`, up from its inner function.
static Operation *findRoot(Operation *inner, Value x) {
  const Polynomial gelu = {{{1, 0}, 0.5}, {{1, 1}, 0.5}};
  Type element = cast<ShapedType>(x.getType()).getElementType();
  Value value = inner->getResult(0);
  for (int depth = 0; depth < 4 && value.hasOneUse(); ++depth) {
    Operation *user = *value.user_begin();
    if (user->getNumResults() != 1)
      return nullptr;
    value = user->getResult(0);
    if (matches(PolynomialReader{x, inner->getResult(0)}.read(value), gelu,
                element))
      return user;
  }
  return nullptr;
}

/// Whether 1 is added to the result, as no other use of these functions does.
static bool looksLikeGelu(Operation *inner) {
  return llvm::any_of(inner->getUsers(), [](Operation *user) {
    return isa<onnx::AddOp>(user) &&
           llvm::any_of(user->getOperands(), [](Value operand) {
             return getScalarConstant(operand) == 1.0;
           });
  });
}

static void raise(Operation *inner) {
  auto missed = [&](const Twine &reason) {
    if (looksLikeGelu(inner))
      reportMissed(inner, "ds-raise-gelu", "part of a GELU", reason);
  };
  bool isErf = isa<onnx::ErfOp>(inner);
  if (!isa<FloatType>(
          cast<ShapedType>(inner->getOperand(0).getType()).getElementType()))
    return missed("its elements are integers");
  Value x = findArgument(inner);
  if (!x)
    return missed(isErf ? "its operand is no value divided by the root of 2"
                        : "its operand is no sqrt(2/pi) (x + 0.044715 x^3)");
  Operation *root = findRoot(inner, x);
  if (!root)
    return missed("its result is not used in 0.5 x (1 + ...) alone");
  // Constants of a higher rank would have broadcast x.
  if (cast<ShapedType>(root->getResult(0).getType()).getRank() !=
      cast<ShapedType>(x.getType()).getRank())
    return missed("a constant of a higher rank broadcasts it");
  OpBuilder builder(root);
  Value gelu = onnx::GeluOp::create(
      builder, builder.getFusedLoc({inner->getLoc(), root->getLoc()}),
      root->getResult(0).getType(), x,
      builder.getStringAttr(isErf ? "none" : "tanh"));
  root->getResult(0).replaceAllUsesWith(gelu);
}

void DSRaiseGelu::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  SmallVector<Operation *> inner;
  func.walk([&](Operation *op) {
    if (isa<onnx::ErfOp, onnx::TanhOp>(op))
      inner.push_back(op);
  });
  for (Operation *op : inner)
    raise(op);
  eraseDeadOps(func);
}
