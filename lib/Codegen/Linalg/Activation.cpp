//===- Activation.cpp - Activation functions to linalg --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Scalars.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

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

void mlir::ds::populateActivationLowerings(LoweringRegistry &registry) {
  using namespace onnx;
  addElementwise<ReluOp>(registry, [](Scalars &s, ReluOp, Operands v) {
    return s.max(v[0], s.constant(0));
  });
  addElementwise<SigmoidOp>(registry, [](Scalars &s, SigmoidOp, Operands v) {
    return emitSigmoid(s, v[0]);
  });
  addElementwise<TanhOp>(registry, [](Scalars &s, TanhOp, Operands v) {
    return s.make<math::TanhOp>(v[0]);
  });
  addElementwise<GeluOp>(registry, emitGelu);
}
