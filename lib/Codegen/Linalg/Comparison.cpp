//===- Comparison.cpp - Comparison, logic and bits to linalg --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Scalars.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

using Operands = ArrayRef<Value>;

template <typename OpTy, CmpFPredicate floats, CmpIPredicate ints>
static void addComparison(LoweringRegistry &registry) {
  addElementwise<OpTy>(registry, [](Scalars &s, OpTy, Operands v) {
    return s.compare(floats, ints, v[0], v[1]);
  });
}

/// `OpTy` is one op of arith on integers and bools.
template <typename OpTy, typename IntOp>
static void addBits(LoweringRegistry &registry) {
  addElementwise<OpTy>(registry, [](Scalars &s, OpTy, Operands v) {
    return s.make<IntOp>(v[0], v[1]);
  });
}

static Value emitShift(Scalars &s, onnx::BitShiftOp op, Operands v) {
  unsigned width = s.element.getIntOrFloatBitWidth();
  Value inRange = s.less(v[1], s.constant(width));
  Value amount = s.select(inRange, v[1], s.constant(0));
  Value shifted = op.getDirection() == "LEFT"
                      ? s.make<arith::ShLIOp>(v[0], amount)
                      : s.make<arith::ShRUIOp>(v[0], amount);
  return s.select(inRange, shifted, s.constant(0));
}

static Value emitIsInf(Scalars &s, onnx::IsInfOp op, Operands v) {
  Value inf = s.constant(std::numeric_limits<double>::infinity());
  if (op.getDetectPositive() && op.getDetectNegative())
    return s.equal(s.abs(v[0]), inf);
  if (op.getDetectPositive())
    return s.equal(v[0], inf);
  if (op.getDetectNegative())
    return s.equal(v[0], s.neg(inf));
  return s.constant(0, s.b.getI1Type());
}

void mlir::ds::populateComparisonLowerings(LoweringRegistry &registry) {
  using namespace onnx;
  addComparison<EqualOp, CmpFPredicate::OEQ, CmpIPredicate::eq>(registry);
  addComparison<LessOp, CmpFPredicate::OLT, CmpIPredicate::slt>(registry);
  addComparison<LessOrEqualOp, CmpFPredicate::OLE, CmpIPredicate::sle>(
      registry);
  addComparison<GreaterOp, CmpFPredicate::OGT, CmpIPredicate::sgt>(registry);
  addComparison<GreaterOrEqualOp, CmpFPredicate::OGE, CmpIPredicate::sge>(
      registry);
  addElementwise<IsNaNOp>(
      registry, [](Scalars &s, IsNaNOp, Operands v) { return s.isNaN(v[0]); });
  addElementwise<IsInfOp>(registry, emitIsInf);

  addBits<AndOp, arith::AndIOp>(registry);
  addBits<OrOp, arith::OrIOp>(registry);
  addBits<XorOp, arith::XOrIOp>(registry);
  addBits<BitwiseAndOp, arith::AndIOp>(registry);
  addBits<BitwiseOrOp, arith::OrIOp>(registry);
  addBits<BitwiseXorOp, arith::XOrIOp>(registry);
  addElementwise<BitwiseNotOp>(registry, [](Scalars &s, BitwiseNotOp,
                                            Operands v) {
    Type type = v[0].getType();
    Value ones = arith::ConstantOp::create(
        s.b, s.loc,
        s.b.getIntegerAttr(type,
                           APInt::getAllOnes(type.getIntOrFloatBitWidth())));
    return s.make<arith::XOrIOp>(v[0], ones);
  });
  addElementwise<NotOp>(registry, [](Scalars &s, NotOp, Operands v) {
    return s.make<arith::XOrIOp>(v[0], s.constant(1));
  });
  addElementwise<BitShiftOp>(registry, emitShift);
  addElementwise<WhereOp>(registry, [](Scalars &s, WhereOp, Operands v) {
    return s.select(v[0], v[1], v[2]);
  });
}
