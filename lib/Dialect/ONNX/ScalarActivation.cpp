//===- ScalarActivation.cpp - Activation functions of scalars -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/Scalars.h"

using namespace mlir;
using namespace mlir::ds;
using Operands = ArrayRef<Value>;

/// 1 / (1 + e^-x): where e^-x overflows the quotient is 0.
static Value emitSigmoid(Scalars &s, Value x) {
  Value e = s.make<math::ExpOp>(s.neg(x));
  return s.div(s.constant(1), s.add(s.constant(1), e));
}

static Value emitGelu(Scalars &s, onnx::GeluOp op, Operands v) {
  Value x = v[0], inner;
  if (op.getApproximate() == "none") {
    inner = s.make<math::ErfOp>(s.mul(x, s.constant(0.70710678118654752440)));
  } else {
    // √(2/π)·(x + 0.044715·x³)
    Value cubed = s.mul(s.mul(x, x), x);
    Value sum = s.add(x, s.mul(cubed, s.constant(0.044715)));
    inner =
        s.make<math::TanhOp>(s.mul(sum, s.constant(0.79788456080286535588)));
  }
  return s.mul(s.mul(s.constant(0.5), x), s.add(s.constant(1), inner));
}

/// log(1 + e^x), without overflow.
static Value emitSoftplus(Scalars &s, Value x) {
  Value e = s.make<math::ExpOp>(s.neg(s.abs(x)));
  return s.add(s.max(x, s.constant(0)), s.make<math::Log1pOp>(e));
}

/// α(e^x − 1).
static Value emitScaledExpM1(Scalars &s, Value x, const APFloat &alpha) {
  return s.mul(s.constant(alpha), s.make<math::ExpM1Op>(x));
}

static Value emitClampToUnit(Scalars &s, Value x) {
  return s.max(s.constant(0), s.min(s.constant(1), x));
}

static Value emitShrink(Scalars &s, onnx::ShrinkOp op, Operands v) {
  Value x = v[0], bias = s.constant(op.getBias());
  Value lambda = s.constant(op.getLambd());
  Value above = s.select(s.less(lambda, x), s.sub(x, bias), s.constant(0));
  return s.select(s.less(x, s.neg(lambda)), s.add(x, bias), above);
}

void mlir::ds::addScalarActivations(ScalarTable &table) {
  using namespace onnx;
  table.add<ReluOp>([](Scalars &s, ReluOp, Operands v) {
    return s.max(v[0], s.constant(0));
  });
  table.add<SigmoidOp>(
      [](Scalars &s, SigmoidOp, Operands v) { return emitSigmoid(s, v[0]); });
  table.add<TanhOp>([](Scalars &s, TanhOp, Operands v) {
    return s.make<math::TanhOp>(v[0]);
  });
  table.add<GeluOp>(emitGelu);
  table.add<LeakyReluOp>([](Scalars &s, LeakyReluOp op, Operands v) {
    return s.select(s.less(v[0], s.constant(0)),
                    s.mul(s.constant(op.getAlpha()), v[0]), v[0]);
  });
  table.add<PReluOp>([](Scalars &s, PReluOp, Operands v) {
    return s.select(s.less(v[0], s.constant(0)), s.mul(v[1], v[0]), v[0]);
  });
  table.add<ThresholdedReluOp>(
      [](Scalars &s, ThresholdedReluOp op, Operands v) {
        Value below =
            s.compare(arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle,
                      v[0], s.constant(op.getAlpha()));
        return s.select(below, s.constant(0), v[0]);
      });
  table.add<EluOp>([](Scalars &s, EluOp op, Operands v) {
    return s.select(s.less(v[0], s.constant(0)),
                    emitScaledExpM1(s, v[0], op.getAlpha()), v[0]);
  });
  table.add<SeluOp>([](Scalars &s, SeluOp op, Operands v) {
    Value y = s.select(s.less(s.constant(0), v[0]), v[0],
                       emitScaledExpM1(s, v[0], op.getAlpha()));
    return s.mul(s.constant(op.getGamma()), y);
  });
  table.add<CeluOp>([](Scalars &s, CeluOp op, Operands v) {
    Value zero = s.constant(0);
    Value scaled = s.div(v[0], s.constant(op.getAlpha()));
    Value negative = emitScaledExpM1(s, scaled, op.getAlpha());
    return s.add(s.max(zero, v[0]), s.min(zero, negative));
  });
  table.add<HardSigmoidOp>([](Scalars &s, HardSigmoidOp op, Operands v) {
    Value line = s.mul(s.constant(op.getAlpha()), v[0]);
    return emitClampToUnit(s, s.add(line, s.constant(op.getBeta())));
  });
  table.add<HardSwishOp>([](Scalars &s, HardSwishOp, Operands v) {
    Value line = s.mul(s.constant(1.0 / 6.0), v[0]);
    return s.mul(v[0], emitClampToUnit(s, s.add(line, s.constant(0.5))));
  });
  table.add<SoftplusOp>(
      [](Scalars &s, SoftplusOp, Operands v) { return emitSoftplus(s, v[0]); });
  table.add<SoftsignOp>([](Scalars &s, SoftsignOp, Operands v) {
    return s.div(v[0], s.add(s.constant(1), s.abs(v[0])));
  });
  table.add<MishOp>([](Scalars &s, MishOp, Operands v) {
    return s.mul(v[0], s.make<math::TanhOp>(emitSoftplus(s, v[0])));
  });
  table.add<SwishOp>([](Scalars &s, SwishOp op, Operands v) {
    Value scaled = s.mul(s.constant(op.getAlpha()), v[0]);
    return s.mul(v[0], emitSigmoid(s, scaled));
  });
  table.add<ShrinkOp>(emitShrink);
}
