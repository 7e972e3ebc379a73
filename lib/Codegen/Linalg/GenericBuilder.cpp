//===- GenericBuilder.cpp - linalg.generic with ONNX broadcasting ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::ds;

GenericBuilder::GenericBuilder(Lowering &l, ArrayRef<OpFoldResult> loops,
                               unsigned reductions)
    : l(l), loops(loops), reductions(reductions) {}

void GenericBuilder::checkFits(OpFoldResult dim, OpFoldResult loop) {
  auto equal = [&](Value lhs, Value rhs) {
    return arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::eq, lhs,
                                 rhs);
  };
  Value v0 = l.shapes.materialize(dim), v1 = l.shapes.materialize(loop);
  Value one = l.shapes.materialize(l.shapes.constant(1));
  Value holds =
      arith::OrIOp::create(l.b, l.loc(), equal(v0, v1), equal(v0, one));
  CheckOp::create(l.b, l.loc(), holds, v0, v1,
                  "a dim of {0} does not broadcast to {1}");
}

GenericBuilder &GenericBuilder::add(Value tensor, ArrayRef<OpFoldResult> dims,
                                    ArrayRef<int64_t> over) {
  Access access;
  SmallVector<AffineExpr> exprs;
  bool decided = true;
  for (auto [dim, loop] : llvm::zip_equal(dims, over)) {
    bool isOne = isConstantIntValue(dim, 1);
    access.over.push_back(isOne ? -1 : loop);
    access.last.push_back(nullptr);
    exprs.push_back(isOne ? l.b.getAffineConstantExpr(0)
                          : l.b.getAffineDimExpr(loop));
    if (isOne || dim == loops[loop])
      continue;
    checkFits(dim, loops[loop]);
    // A constant other than 1 fits only if it is equal.
    if (getConstantIntValue(dim) || ShapeBuilder::isClamped(dim, loops[loop]))
      continue;
    decided = false;
    access.last.back() =
        l.shapes.materialize(l.shapes.sub(dim, l.shapes.constant(1)));
  }
  if (decided) {
    inputs.push_back(tensor);
    maps.push_back(AffineMap::get(loops.size(), 0, exprs, l.b.getContext()));
  } else {
    access.extractFrom = tensor;
  }
  accesses.push_back(std::move(access));
  return *this;
}

GenericBuilder &GenericBuilder::addBroadcast(Value source) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(source));
  return add(l.lowered(source), dims,
             llvm::to_vector(
                 llvm::seq<int64_t>(loops.size() - dims.size(), loops.size())));
}

Value GenericBuilder::read(OpBuilder &b, Location loc, const Access &access) {
  SmallVector<Value> indices;
  for (auto [loop, last] : llvm::zip_equal(access.over, access.last)) {
    Value index;
    if (loop < 0)
      index = arith::ConstantIndexOp::create(b, loc, 0);
    else
      index = linalg::IndexOp::create(b, loc, loop);
    if (last)
      index = arith::MinSIOp::create(b, loc, index, last);
    indices.push_back(index);
  }
  return Lowering::extract(b, loc, access.extractFrom, indices);
}

void GenericBuilder::boundReductions() {
  SmallVector<OpFoldResult> unbound;
  SmallVector<AffineExpr> exprs;
  for (unsigned i = loops.size() - reductions; i < loops.size(); ++i)
    if (llvm::none_of(maps,
                      [&](AffineMap map) { return map.isFunctionOfDim(i); })) {
      unbound.push_back(loops[i]);
      exprs.push_back(l.b.getAffineDimExpr(i));
    }
  if (unbound.empty())
    return;
  inputs.push_back(l.empty(unbound, l.b.getI8Type()));
  maps.push_back(AffineMap::get(loops.size(), 0, exprs, l.b.getContext()));
}

SmallVector<Value> GenericBuilder::build(ValueRange inits,
                                         Lowering::Body body) {
  unsigned parallel = loops.size() - reductions;
  SmallVector<utils::IteratorType> iterators(loops.size(),
                                             utils::IteratorType::parallel);
  for (unsigned i = parallel; i < loops.size(); ++i)
    iterators[i] = utils::IteratorType::reduction;
  boundReductions();
  SmallVector<AffineExpr> kept;
  for (unsigned i = 0; i < parallel; ++i)
    kept.push_back(l.b.getAffineDimExpr(i));
  SmallVector<AffineMap> allMaps = maps;
  allMaps.append(inits.size(),
                 AffineMap::get(loops.size(), 0, kept, l.b.getContext()));
  auto generic = linalg::GenericOp::create(
      l.b, l.loc(), inits.getTypes(), inputs, inits, allMaps, iterators,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        SmallVector<Value> scalars;
        auto next = args.begin();
        for (const Access &access : accesses)
          scalars.push_back(access.extractFrom ? read(b, loc, access)
                                               : *next++);
        llvm::append_range(scalars, args.take_back(inits.size()));
        linalg::YieldOp::create(b, loc, body(b, loc, scalars));
      });
  return SmallVector<Value>(generic.getResults());
}

Value GenericBuilder::map(Type element, Lowering::Body body) {
  return build(l.empty(loops, element), body).front();
}

Value GenericBuilder::reduce(TypedAttr identity, Lowering::Body body) {
  Value init = arith::ConstantOp::create(l.b, l.loc(), identity);
  auto kept = ArrayRef(loops).drop_back(reductions);
  return build(l.filled(kept, init), body).front();
}
