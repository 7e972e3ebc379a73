//===- ScalarComparison.cpp - Comparison, logic and bits of scalars -----===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/Scalars.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

using Operands = ArrayRef<Value>;

template <typename OpTy, CmpFPredicate floats, CmpIPredicate ints>
static void addComparison(ScalarTable &table) {
  table.add<OpTy>([](Scalars &s, OpTy, Operands v) {
    return s.compare(floats, ints, v[0], v[1]);
  });
}

/// `OpTy` is one op of arith on integers and bools.
template <typename OpTy, typename IntOp>
static void addBits(ScalarTable &table) {
  table.add<OpTy>(
      [](Scalars &s, OpTy, Operands v) { return s.make<IntOp>(v[0], v[1]); });
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

void mlir::ds::addScalarComparisons(ScalarTable &table) {
  using namespace onnx;
  addComparison<EqualOp, CmpFPredicate::OEQ, CmpIPredicate::eq>(table);
  addComparison<LessOp, CmpFPredicate::OLT, CmpIPredicate::slt>(table);
  addComparison<LessOrEqualOp, CmpFPredicate::OLE, CmpIPredicate::sle>(table);
  addComparison<GreaterOp, CmpFPredicate::OGT, CmpIPredicate::sgt>(table);
  addComparison<GreaterOrEqualOp, CmpFPredicate::OGE, CmpIPredicate::sge>(
      table);
  table.add<IsNaNOp>(
      [](Scalars &s, IsNaNOp, Operands v) { return s.isNaN(v[0]); });
  table.add<IsInfOp>(emitIsInf);

  addBits<AndOp, arith::AndIOp>(table);
  addBits<OrOp, arith::OrIOp>(table);
  addBits<XorOp, arith::XOrIOp>(table);
  addBits<BitwiseAndOp, arith::AndIOp>(table);
  addBits<BitwiseOrOp, arith::OrIOp>(table);
  addBits<BitwiseXorOp, arith::XOrIOp>(table);
  table.add<BitwiseNotOp>([](Scalars &s, BitwiseNotOp, Operands v) {
    Type type = v[0].getType();
    Value ones = arith::ConstantOp::create(
        s.b, s.loc,
        s.b.getIntegerAttr(type,
                           APInt::getAllOnes(type.getIntOrFloatBitWidth())));
    return s.make<arith::XOrIOp>(v[0], ones);
  });
  table.add<NotOp>([](Scalars &s, NotOp, Operands v) {
    return s.make<arith::XOrIOp>(v[0], s.constant(1));
  });
  table.add<BitShiftOp>(emitShift);
  table.add<WhereOp>([](Scalars &s, WhereOp, Operands v) {
    return s.select(v[0], v[1], v[2]);
  });
}
