//===- CheckedIndex.cpp - Indices that are data ---------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/CheckedIndex.h"

using namespace mlir;
using namespace mlir::ds;

/// Whether every `tuple`-th of `indices` from `component` on is known to be in
/// [-dim, dim). A check that cannot fail would keep alive what reads the
/// indices, even where they are shape arithmetic that has folded.
static bool allInside(Lowering &l, Value indices, OpFoldResult dim,
                      int64_t component, int64_t tuple) {
  auto size = getConstantIntValue(dim);
  auto elements = l.shapes.elements(indices);
  if (!size || !elements)
    return false;
  for (size_t i = component; i < elements->size(); i += tuple) {
    auto index = getConstantIntValue((*elements)[i]);
    if (!index || *index < -*size || *index >= *size)
      return false;
  }
  return true;
}

FailureOr<CheckedIndex> CheckedIndex::create(Lowering &l, Operation *op,
                                             Value indices, OpFoldResult dim,
                                             ArrayRef<OpFoldResult> accessed,
                                             StringRef verb, int64_t component,
                                             int64_t tuple) {
  ShapeBuilder &s = l.shapes;
  if (auto known = getConstantIntValue(dim); !known || *known <= 0) {
    OpFoldResult count = s.product(accessed), zero = s.constant(0);
    OpFoldResult none = s.compare(arith::CmpIPredicate::eq, count, zero);
    OpFoldResult some = s.compare(arith::CmpIPredicate::sgt, dim, zero);
    if (failed(require(
            l, op, s.max(none, some), count, dim,
            ("cannot " + verb + " {0} elements of a dim of {1}").str())))
      return failure();
  }
  bool isInside = allInside(l, indices, dim, component, tuple);
  return CheckedIndex(s.materialize(dim), isInside);
}

Value CheckedIndex::position(OpBuilder &b, Location loc, Value raw) const {
  Value index = arith::IndexCastOp::create(b, loc, b.getIndexType(), raw);
  if (!isInside)
    return CheckedIndexOp::create(b, loc, index, bound, /*wrap=*/true);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value isNegative =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
  Value fromEnd = arith::AddIOp::create(b, loc, index, bound);
  return arith::SelectOp::create(b, loc, isNegative, fromEnd, index);
}
