//===- Intervals.cpp - What a region gives over a range of indices --------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Interval arithmetic whose ends are computed when the code runs: the positions
// of a tile are known then, and so whether a mask is empty or full there.
// Integers are taken not to overflow.
//
//===----------------------------------------------------------------------===//

#include "Intervals.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
struct IntervalEmitter {
  OpBuilder &b;
  Location loc;
  const AttentionModifier &modifier;
  DenseMap<Value, Interval> known;

  Interval of(Value value);
  Interval evaluate(Operation &op);

private:
  Interval add(Interval lhs, Interval rhs);
  Interval subtract(Interval lhs, Interval rhs);
  Interval multiply(Interval lhs, Interval rhs);
  Interval compare(arith::CmpIPredicate predicate, Interval lhs, Interval rhs);
  Interval negate(Interval condition);
  Interval select(Interval condition, Interval lhs, Interval rhs);
  Interval read(tensor::ExtractOp op);
  Interval point(Operation &op);

  template <typename OpTy> Value make(Value lhs, Value rhs) {
    return b.createOrFold<OpTy>(loc, lhs, rhs);
  }
  /// Of an op that grows, or does not change, with each of its operands.
  template <typename OpTy> Interval monotone(Interval lhs, Interval rhs) {
    return {make<OpTy>(lhs.least, rhs.least),
            make<OpTy>(lhs.largest, rhs.largest)};
  }
  Value compareValues(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, lhs, rhs);
  }
  Value notValue(Value condition) {
    Value one = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
    return make<arith::XOrIOp>(condition, one);
  }
};
} // namespace

Interval IntervalEmitter::of(Value value) {
  auto it = known.find(value);
  if (it != known.end())
    return it->second;
  // From outside: the same in all iterations, unless it is a tensor.
  if (isa<TensorType>(value.getType()))
    return {};
  Value lowered = modifier.lookup(value);
  return {lowered, lowered};
}

Interval IntervalEmitter::add(Interval lhs, Interval rhs) {
  return monotone<arith::AddIOp>(lhs, rhs);
}

Interval IntervalEmitter::subtract(Interval lhs, Interval rhs) {
  return {make<arith::SubIOp>(lhs.least, rhs.largest),
          make<arith::SubIOp>(lhs.largest, rhs.least)};
}

Interval IntervalEmitter::multiply(Interval lhs, Interval rhs) {
  Interval result;
  for (Value l : {lhs.least, lhs.largest})
    for (Value r : {rhs.least, rhs.largest}) {
      Value product = make<arith::MulIOp>(l, r);
      result.least =
          result.least ? make<arith::MinSIOp>(result.least, product) : product;
      result.largest = result.largest
                           ? make<arith::MaxSIOp>(result.largest, product)
                           : product;
    }
  return result;
}

Interval IntervalEmitter::negate(Interval condition) {
  return {notValue(condition.largest), notValue(condition.least)};
}

Interval IntervalEmitter::compare(arith::CmpIPredicate predicate, Interval lhs,
                                  Interval rhs) {
  using Predicate = arith::CmpIPredicate;
  switch (predicate) {
  case Predicate::sgt:
    return compare(Predicate::slt, rhs, lhs);
  case Predicate::sge:
    return compare(Predicate::sle, rhs, lhs);
  case Predicate::slt:
  case Predicate::sle:
    return {compareValues(predicate, lhs.largest, rhs.least),
            compareValues(predicate, lhs.least, rhs.largest)};
  case Predicate::ne:
    return negate(compare(Predicate::eq, lhs, rhs));
  case Predicate::eq: {
    auto bothHold = [&](Predicate predicate) {
      return make<arith::AndIOp>(
          compareValues(predicate, lhs.least, rhs.largest),
          compareValues(predicate, rhs.least, lhs.largest));
    };
    return {bothHold(Predicate::eq), bothHold(Predicate::sle)};
  }
  default: // unsigned ones, which nothing says of signed ends
    return {};
  }
}

Interval IntervalEmitter::select(Interval condition, Interval lhs,
                                 Interval rhs) {
  auto choose = [&](Value l, Value r, Value either) -> Value {
    Value mixed = arith::SelectOp::create(b, loc, condition.largest, either, r);
    return arith::SelectOp::create(b, loc, condition.least, l, mixed);
  };
  bool isBool = lhs.least.getType().isInteger(1);
  return {choose(lhs.least, rhs.least,
                 isBool ? make<arith::AndIOp>(lhs.least, rhs.least)
                        : make<arith::MinSIOp>(lhs.least, rhs.least)),
          choose(lhs.largest, rhs.largest,
                 isBool ? make<arith::OrIOp>(lhs.largest, rhs.largest)
                        : make<arith::MaxSIOp>(lhs.largest, rhs.largest))};
}

/// Of a read at an index that varies, the least and the largest of what lies
/// there: fewer elements than the tile has scores. The range may be wider than
/// what the region reads, so an end outside of the tensor is no error here;
/// what is read in its place, element 0, then counts too.
Interval IntervalEmitter::read(tensor::ExtractOp op) {
  Type element = op.getType();
  if (!element.isIntOrIndex())
    return {};
  SmallVector<Value> indices;
  std::optional<unsigned> varying;
  for (auto [i, operand] : llvm::enumerate(op.getIndices())) {
    Interval index = of(operand);
    if (!index.isKnown() || (!index.isPoint() && varying))
      return {};
    if (!index.isPoint())
      varying = i;
    indices.push_back(index.least);
  }
  if (!varying) {
    Value element = modifier.emitRead(b, loc, op, indices);
    return {element, element};
  }
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Interval range = of(op.getIndices()[*varying]);
  Value size = modifier.dimOf(op.getTensor(), *varying);
  Value from = make<arith::MaxSIOp>(range.least, zero);
  Value to =
      make<arith::MinSIOp>(make<arith::AddIOp>(range.largest, one), size);
  Value isInside = make<arith::AndIOp>(
      compareValues(arith::CmpIPredicate::eq, from, range.least),
      compareValues(arith::CmpIPredicate::sgt, to, range.largest));
  indices[*varying] = arith::SelectOp::create(b, loc, isInside, from, zero);
  Value first = modifier.emitRead(b, loc, op, indices);
  auto loop =
      scf::ForOp::create(b, loc, from, to, one, ValueRange{first, first});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  indices[*varying] = loop.getInductionVar();
  Value next = modifier.emitRead(b, loc, op, indices);
  Value least = loop.getRegionIterArg(0), largest = loop.getRegionIterArg(1);
  bool isBool = element.isInteger(1);
  scf::YieldOp::create(b, loc,
                       ValueRange{isBool ? make<arith::AndIOp>(least, next)
                                         : make<arith::MinSIOp>(least, next),
                                  isBool
                                      ? make<arith::OrIOp>(largest, next)
                                      : make<arith::MaxSIOp>(largest, next)});
  return {loop.getResult(0), loop.getResult(1)};
}

/// Of an op of operands that are points.
Interval IntervalEmitter::point(Operation &op) {
  IRMapping map;
  for (Value operand : op.getOperands())
    map.map(operand, of(operand).least);
  Operation *clone = b.clone(op, map);
  clone->setLoc(loc);
  return {clone->getResult(0), clone->getResult(0)};
}

Interval IntervalEmitter::evaluate(Operation &op) {
  if (op.getNumResults() != 1)
    return {};
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return read(extract);
  SmallVector<Interval> in;
  for (Value operand : op.getOperands())
    in.push_back(of(operand));
  if (!llvm::all_of(in, [](const Interval &i) { return i.isKnown(); }))
    return {};
  if (llvm::all_of(in, [](const Interval &i) { return i.isPoint(); }))
    return point(op);
  bool isBool = op.getResult(0).getType().isInteger(1);
  // Rounding down, up or to zero keeps the order for a divisor above 0.
  auto divide = [&](auto divOp) -> Interval {
    auto divisor = getConstantIntValue(in[1].least);
    if (!in[1].isPoint() || !divisor || *divisor <= 0)
      return {};
    return monotone<decltype(divOp)>(in[0], in[1]);
  };
  return llvm::TypeSwitch<Operation *, Interval>(&op)
      .Case([&](arith::AddIOp) {
        return isBool ? Interval() : add(in[0], in[1]);
      })
      .Case([&](arith::SubIOp) {
        return isBool ? Interval() : subtract(in[0], in[1]);
      })
      .Case([&](arith::MulIOp) {
        return isBool ? Interval() : multiply(in[0], in[1]);
      })
      .Case([&](arith::DivSIOp op) { return divide(op); })
      .Case([&](arith::FloorDivSIOp op) { return divide(op); })
      .Case([&](arith::CeilDivSIOp op) { return divide(op); })
      .Case([&](arith::MinSIOp) {
        return isBool ? Interval() : monotone<arith::MinSIOp>(in[0], in[1]);
      })
      .Case([&](arith::MaxSIOp) {
        return isBool ? Interval() : monotone<arith::MaxSIOp>(in[0], in[1]);
      })
      .Case([&](arith::AndIOp) {
        return isBool ? monotone<arith::AndIOp>(in[0], in[1]) : Interval();
      })
      .Case([&](arith::OrIOp) {
        return isBool ? monotone<arith::OrIOp>(in[0], in[1]) : Interval();
      })
      .Case([&](arith::XOrIOp) {
        bool negates =
            isBool && isConstantIntValue(in[1].least, 1) && in[1].isPoint();
        return negates ? negate(in[0]) : Interval();
      })
      .Case([&](arith::IndexCastOp cast) -> Interval {
        if (isBool)
          return {};
        Type type = cast.getType();
        return {b.createOrFold<arith::IndexCastOp>(loc, type, in[0].least),
                b.createOrFold<arith::IndexCastOp>(loc, type, in[0].largest)};
      })
      .Case([&](arith::ExtSIOp cast) -> Interval {
        if (in[0].least.getType().isInteger(1))
          return {};
        Type type = cast.getType();
        return {b.createOrFold<arith::ExtSIOp>(loc, type, in[0].least),
                b.createOrFold<arith::ExtSIOp>(loc, type, in[0].largest)};
      })
      .Case([&](arith::CmpIOp cmp) {
        if (in[0].least.getType().isInteger(1))
          return Interval();
        return compare(cmp.getPredicate(), in[0], in[1]);
      })
      .Case([&](arith::SelectOp) {
        return isa<FloatType>(in[1].least.getType())
                   ? Interval()
                   : select(in[0], in[1], in[2]);
      })
      .Default([](Operation *) { return Interval(); });
}

Interval mlir::ds::emitInterval(OpBuilder &b, Location loc,
                                const AttentionModifier &modifier,
                                ArrayRef<Interval> arguments) {
  Block &body = modifier.body();
  IntervalEmitter emitter{b, loc, modifier, DenseMap<Value, Interval>()};
  for (auto [argument, interval] :
       llvm::zip_equal(body.getArguments(), arguments))
    emitter.known[argument] = interval;
  for (Operation &op : body.without_terminator()) {
    Interval interval = emitter.evaluate(op);
    for (Value result : op.getResults())
      emitter.known[result] = interval;
  }
  return emitter.of(cast<YieldOp>(body.getTerminator()).getValue());
}
