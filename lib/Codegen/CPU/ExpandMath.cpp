//===- ExpandMath.cpp - Math functions as arithmetic ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathFunctions.h"
#include "ds/Codegen/CPU/Passes.h"
#include "ds/Dialect/DS/DSDialect.h"

#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ds {
#define GEN_PASS_DEF_EXPANDMATH
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::lanes;

namespace {
struct ExpandMath : mlir::ds::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Computes an f32 function in f64.
template <typename Fn, typename... Args>
static Float inF64(Fn fn, Float x, Args... rest) {
  if (x.isF64())
    return fn(x, rest...);
  return fn(x.toF64(), rest.toF64()...).toF32();
}

/// x^y for the constants that exporters write, in fewer steps; null for others.
/// Equal to the general case where that rounds correctly.
static std::optional<Float> powOfConstant(Float x, Value y) {
  FloatAttr exponent;
  if (DenseElementsAttr elements; matchPattern(y, m_Constant(&elements))) {
    if (elements.isSplat())
      exponent = elements.getSplatValue<FloatAttr>();
  } else {
    matchPattern(y, m_Constant(&exponent));
  }
  if (!exponent)
    return std::nullopt;
  double value = exponent.getValueAsDouble();
  if (value == 2)
    return x * x;
  if (value == 1)
    return x;
  if (value == -1)
    return 1.0 / x;
  // pow(-0, 0.5) is 0 and pow(-inf, 0.5) is infinity.
  if (value == 0.5)
    return select(x == -x.infinity(), x.infinity(), sqrt(x + 0.0));
  return std::nullopt;
}

static Float clamp(Float x, Float low, Float high) {
  Value bounded = arith::MaximumFOp::create(*x.b, x.loc, x.v, low.v);
  return x.like(arith::MinimumFOp::create(*x.b, x.loc, bounded, high.v));
}

/// The smallest normal number.
static double smallestNormal(Float x) {
  auto type = cast<FloatType>(getElementTypeOrSelf(x.type()));
  return APFloat::getSmallestNormalized(type.getFloatSemantics())
      .convertToDouble();
}

/// The results of an op on f32 or f64 (a classification: on any float), or
/// nothing if it is left as it is.
static SmallVector<Value, 2> expand(Operation *op, OpBuilder &b) {
  auto arg = [&](unsigned i) {
    return Float(b, op->getLoc(), op->getOperand(i));
  };
  auto intArg = [&](unsigned i) {
    return Int(b, op->getLoc(), op->getOperand(i));
  };
  auto one = [](Lanes result) { return SmallVector<Value, 2>{result.v}; };
  return TypeSwitch<Operation *, SmallVector<Value, 2>>(op)
      .Case([&](math::AcosOp) { return one(inF64(acosF64, arg(0))); })
      .Case([&](math::AcoshOp) { return one(inF64(acoshF64, arg(0))); })
      .Case([&](math::AsinOp) { return one(inF64(asinF64, arg(0))); })
      .Case([&](math::AsinhOp) { return one(inF64(asinhF64, arg(0))); })
      .Case([&](math::Atan2Op) { return one(inF64(atan2F64, arg(0), arg(1))); })
      .Case([&](math::AtanOp) { return one(inF64(atanF64, arg(0))); })
      .Case([&](math::AtanhOp) { return one(inF64(atanhF64, arg(0))); })
      .Case([&](math::CbrtOp) { return one(inF64(cbrtF64, arg(0))); })
      .Case([&](math::ClampFOp) { return one(clamp(arg(0), arg(1), arg(2))); })
      .Case([&](math::CosOp) { return one(sincos(arg(0)).cos); })
      .Case([&](math::CoshOp) { return one(inF64(coshF64, arg(0))); })
      .Case([&](math::ErfOp) { return one(erf(arg(0))); })
      .Case([&](math::ErfcOp) { return one(inF64(erfcF64, arg(0))); })
      .Case([&](math::Exp2Op) { return one(exp2(arg(0))); })
      .Case([&](math::ExpM1Op) { return one(expm1(arg(0))); })
      .Case([&](math::ExpOp) { return one(exp(arg(0))); })
      .Case([&](math::FPowIOp) { return one(powi(arg(0), intArg(1))); })
      .Case([&](math::IPowIOp) { return one(powi(intArg(0), intArg(1))); })
      .Case([&](math::IsFiniteOp) {
        return one(abs(arg(0)) < arg(0).infinity());
      })
      .Case(
          [&](math::IsInfOp) { return one(abs(arg(0)) == arg(0).infinity()); })
      .Case([&](math::IsNaNOp) { return one(arg(0).isNaN()); })
      .Case([&](math::IsNormalOp) {
        Float a = abs(arg(0));
        return one((a < a.infinity()) & (a >= smallestNormal(a)));
      })
      .Case([&](math::Log10Op) { return one(log10(arg(0))); })
      .Case([&](math::Log1pOp) { return one(log1p(arg(0))); })
      .Case([&](math::Log2Op) { return one(log2(arg(0))); })
      .Case([&](math::LogOp) { return one(log(arg(0))); })
      .Case([&](math::PowFOp) {
        if (auto simple = powOfConstant(arg(0), op->getOperand(1)))
          return one(*simple);
        return one(pow(arg(0), arg(1)));
      })
      .Case([&](math::RsqrtOp) { return one(1.0 / sqrt(arg(0))); })
      .Case([&](math::SinOp) { return one(sincos(arg(0)).sin); })
      .Case([&](math::SincosOp) {
        SinCos both = sincos(arg(0));
        return SmallVector<Value, 2>{both.sin.v, both.cos.v};
      })
      .Case([&](math::SinhOp) { return one(inF64(sinhF64, arg(0))); })
      .Case([&](math::TanOp) { return one(inF64(tanF64, arg(0))); })
      .Case([&](math::TanhOp) { return one(tanh(arg(0))); })
      .Case([&](SoftmaxExp2Op) { return one(softmaxExp2(arg(0))); })
      .Case([&](arith::RemFOp) { return one(fmod(arg(0), arg(1))); })
      .Default([](Operation *) { return SmallVector<Value, 2>(); });
}

//===----------------------------------------------------------------------===//
// Half precision
//===----------------------------------------------------------------------===//

static bool isHalf(Type type) {
  return isa<Float16Type, BFloat16Type>(getElementTypeOrSelf(type));
}

/// Arithmetic that a target without it would take from its compiler's run-time
/// library. Ops on bits alone never are.
static bool needsF32(Operation *op) {
  if (op->getNumResults() == 0 || !isHalf(op->getResult(0).getType()) ||
      isa<math::AbsFOp, math::CopySignOp, arith::NegFOp>(op))
    return false;
  if (isa<math::MathDialect>(op->getDialect()) ||
      isa<arith::RemFOp, arith::MaxNumFOp, arith::MinNumFOp>(op))
    return true;
  return getElementTypeOrSelf(op->getResult(0)).isBF16() &&
         isa<arith::AddFOp, arith::DivFOp, arith::MaximumFOp, arith::MinimumFOp,
             arith::MulFOp, arith::SubFOp>(op);
}

static Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

/// Replaces an op on half-precision floats with the same op on f32.
static void computeInF32(Operation *op, OpBuilder &b) {
  auto toF32 = [&](Type type) { return withElement(type, b.getF32Type()); };
  IRMapping operands;
  for (Value operand : op->getOperands())
    if (isHalf(operand.getType()))
      operands.map(operand,
                   arith::ExtFOp::create(b, op->getLoc(),
                                         toF32(operand.getType()), operand));
  Operation *wide = b.clone(*op, operands);
  for (auto [narrow, result] :
       llvm::zip_equal(op->getResults(), wide->getResults())) {
    Type type = narrow.getType();
    if (!isHalf(type))
      continue;
    result.setType(toF32(type));
    narrow.replaceAllUsesWith(
        arith::TruncFOp::create(b, op->getLoc(), type, result));
  }
  op->erase();
}

/// Replaces a conversion from bf16 by what it does to bits. LLVM would narrow
/// comparisons of its result to comparisons of bf16, for which a target without
/// that type calls its compiler's run-time library.
static void expandFromBF16(arith::ExtFOp op, OpBuilder &b) {
  Location loc = op.getLoc();
  Lanes in(b, loc, op.getIn());
  Value bits =
      arith::BitcastOp::create(b, loc, in.with(b.getI16Type()), op.getIn());
  Int wide(b, loc,
           arith::ExtUIOp::create(b, loc, in.with(b.getI32Type()), bits));
  Float result = (wide << 16).asFloat();
  if (getElementTypeOrSelf(op.getType()).isF64())
    result = result.toF64();
  op.getResult().replaceAllUsesWith(result.v);
  op->erase();
}

/// The value of an integer converted to bf16, as an f32 that has yet to be
/// rounded.
static Float integerToF32(Operation *op, OpBuilder &b) {
  Location loc = op->getLoc();
  Int x(b, loc, op->getOperand(0));
  bool isSigned = isa<arith::SIToFPOp>(op);
  auto convert = [&](Type element) -> Float {
    Type type = x.with(element);
    if (isSigned)
      return Float(b, loc, arith::SIToFPOp::create(b, loc, type, x.v));
    return Float(b, loc, arith::UIToFPOp::create(b, loc, type, x.v));
  };
  if (x.width() <= 24)
    return convert(b.getF32Type());
  if (x.width() > 53) {
    // Bits that an f64 has no room for are gathered in the last that it has
    // room for. Where they are within its precision, nothing changes for bf16.
    Int lost = x & 0x7FF;
    Int sticky = (x | (lost + 0x7FF)) & ~uint64_t(0x7FF);
    Int high = (x + (uint64_t(1) << 53)) >> 54;
    Int highUnsigned = x >> 53;
    x = select((isSigned ? high : highUnsigned) != 0, sticky, x);
  }
  return toF32RoundOdd(convert(b.getF64Type()));
}

/// Replaces a conversion to bf16, or one to f16 from f64.
static LogicalResult expandConversion(Operation *op, OpBuilder &b,
                                      bool nativeBF16) {
  Type result = op->getResult(0).getType();
  bool toBrain = getElementTypeOrSelf(result).isBF16();
  auto finish = [&](Float x) {
    Value narrow = toBrain && !nativeBF16
                       ? toBF16(x)
                       : arith::TruncFOp::create(b, op->getLoc(), result, x.v);
    op->getResult(0).replaceAllUsesWith(narrow);
    op->erase();
    return success();
  };
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op)) {
    if (!toBrain)
      return success();
    if (getElementTypeOrSelf(op->getOperand(0)).getIntOrFloatBitWidth() > 64)
      return op->emitOpError("expected integers of at most 64 bits, found ")
             << op->getOperand(0).getType();
    return finish(integerToF32(op, b));
  }
  auto truncf = cast<arith::TruncFOp>(op);
  if (!isHalf(result))
    return success();
  Float x(b, op->getLoc(), truncf.getIn());
  bool fromF64 = x.width() == 64;
  if (!fromF64 && (!toBrain || nativeBF16))
    return success();
  if (truncf.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) !=
      arith::RoundingMode::to_nearest_even)
    return op->emitOpError("expected rounding to nearest even, found another "
                           "mode in a conversion to half precision");
  return finish(fromF64 ? toF32RoundOdd(x) : x);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Types that the functions are written for.
static bool isSupported(Operation *op, Type type) {
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (vector.isScalable() || vector.getRank() == 0)
      return false;
    type = vector.getElementType();
  }
  if (type.isIndex())
    return !isa<math::IPowIOp>(op);
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type, IntegerType>(
      type);
}

template <typename Predicate>
static SmallVector<Operation *> collect(Operation *root, Predicate predicate) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (predicate(op))
      ops.push_back(op);
  });
  return ops;
}

void ExpandMath::runOnOperation() {
  OpBuilder b(&getContext());
  auto isMath = [](Operation *op) {
    return isa_and_present<math::MathDialect>(op->getDialect()) ||
           isa<arith::RemFOp, SoftmaxExp2Op>(op);
  };
  bool failedAny = false;
  for (Operation *op : collect(getOperation(), isMath))
    for (Type type : op->getOperandTypes())
      if (!isSupported(op, type)) {
        op->emitOpError("expected scalars or fixed-size vectors of f16, bf16, "
                        "f32, f64 or integers, found ")
            << type;
        failedAny = true;
        break;
      }
  if (failedAny)
    return signalPassFailure();

  for (Operation *op : collect(getOperation(), needsF32)) {
    b.setInsertionPoint(op);
    computeInF32(op, b);
  }
  for (Operation *op : collect(getOperation(), isMath)) {
    b.setInsertionPoint(op);
    SmallVector<Value, 2> results = expand(op, b);
    if (results.empty())
      continue;
    op->replaceAllUsesWith(results);
    op->erase();
  }
  for (Operation *op : collect(getOperation(), [](Operation *op) {
         return isa<arith::TruncFOp, arith::SIToFPOp, arith::UIToFPOp>(op);
       })) {
    b.setInsertionPoint(op);
    failedAny |= failed(expandConversion(op, b, nativeBF16));
  }
  if (failedAny)
    return signalPassFailure();
  for (Operation *op : collect(getOperation(), [](Operation *op) {
         auto extf = dyn_cast<arith::ExtFOp>(op);
         return extf && getElementTypeOrSelf(extf.getIn()).isBF16();
       })) {
    b.setInsertionPoint(op);
    expandFromBF16(cast<arith::ExtFOp>(op), b);
  }
}
