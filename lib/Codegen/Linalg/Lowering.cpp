//===- Lowering.cpp - Lowering ops to linalg, one by one ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::ds;

Type Lowering::storageElement(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return element;
  unsigned width = integer.getWidth() == 1 ? 8 : integer.getWidth();
  return IntegerType::get(element.getContext(), width);
}

RankedTensorType Lowering::storageType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return type.clone(storageElement(type.getElementType()));
}

SmallVector<Value> Lowering::lowered(ValueRange sources) const {
  return llvm::map_to_vector(sources, [&](Value v) { return lowered(v); });
}

Value Lowering::empty(ArrayRef<OpFoldResult> dims, Type storageElement) {
  return tensor::EmptyOp::create(b, loc(), dims, storageElement);
}

Value Lowering::emptyResult(Operation *op) {
  Value result = op->getResult(0);
  return empty(shapes.dims(result),
               storageType(result.getType()).getElementType());
}

Value Lowering::filled(ArrayRef<OpFoldResult> dims, Value value) {
  Value init = empty(dims, value.getType());
  return linalg::FillOp::create(b, loc(), value, init).getResult(0);
}

Value Lowering::elementwise(ValueRange sources, ArrayRef<OpFoldResult> dims,
                            Type element, Body body) {
  MLIRContext *context = b.getContext();
  int64_t rank = dims.size();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  // Inputs that broadcast in a way only known at run time, by argument number.
  struct Undecided {
    Value tensor;
    SmallVector<Value> last; // per dim: dim - 1, or null where it is decided
    SmallVector<AffineExpr> exprs;
  };
  SmallVector<std::pair<size_t, Undecided>> undecided;

  for (auto [i, source] : llvm::enumerate(sources)) {
    SmallVector<OpFoldResult> sourceDims = llvm::to_vector(shapes.dims(source));
    Undecided access{lowered(source), {}, {}};
    bool decided = true;
    for (auto [j, dim] : llvm::enumerate(sourceDims)) {
      int64_t loop = rank - sourceDims.size() + j;
      bool isOne = isConstantIntValue(dim, 1);
      bool same = dim == dims[loop] || (getConstantIntValue(dim) && !isOne);
      access.exprs.push_back(isOne ? b.getAffineConstantExpr(0)
                                   : b.getAffineDimExpr(loop));
      access.last.push_back(nullptr);
      if (isOne || same)
        continue;
      decided = false;
      access.last.back() =
          shapes.materialize(shapes.sub(dim, shapes.constant(1)));
    }
    if (decided) {
      maps.push_back(AffineMap::get(rank, 0, access.exprs, context));
      inputs.push_back(access.tensor);
    } else {
      undecided.emplace_back(i, std::move(access));
    }
  }
  maps.push_back(b.getMultiDimIdentityMap(rank));

  Value init = empty(dims, element);
  auto generic = linalg::GenericOp::create(
      b, loc(), init.getType(), inputs, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
        SmallVector<Value> scalars = llvm::to_vector(args);
        for (auto &[position, access] : undecided) {
          SmallVector<Value> indices;
          for (auto [expr, last] : llvm::zip(access.exprs, access.last)) {
            Value index;
            if (auto dim = dyn_cast<AffineDimExpr>(expr))
              index =
                  linalg::IndexOp::create(nested, nestedLoc, dim.getPosition());
            else
              index = arith::ConstantIndexOp::create(nested, nestedLoc, 0);
            if (last)
              index = arith::MinSIOp::create(nested, nestedLoc, index, last);
            indices.push_back(index);
          }
          scalars.insert(scalars.begin() + position,
                         extract(nested, nestedLoc, access.tensor, indices));
        }
        linalg::YieldOp::create(nested, nestedLoc,
                                body(nested, nestedLoc, scalars));
      });
  return generic.getResult(0);
}

LogicalResult Lowering::requireEqual(Operation *op, OpFoldResult lhs,
                                     OpFoldResult rhs, StringRef message) {
  if (lhs == rhs)
    return success();
  auto l = getConstantIntValue(lhs), r = getConstantIntValue(rhs);
  if (l && r)
    return op->emitOpError(llvm::formatv(message.str().c_str(), *l, *r).str());
  Value v0 = shapes.materialize(lhs), v1 = shapes.materialize(rhs);
  Value holds =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, v1);
  CheckOp::create(b, loc(), holds, v0, v1, message);
  return success();
}

LogicalResult Lowering::requireBroadcast(Operation *op, OpFoldResult source,
                                         OpFoldResult target,
                                         StringRef message) {
  if (isConstantIntValue(source, 1))
    return success();
  // Any other constant is the target's size.
  if (getConstantIntValue(source) || source == target)
    return requireEqual(op, source, target, message);
  Value v0 = shapes.materialize(source), v1 = shapes.materialize(target);
  Value one = shapes.materialize(shapes.constant(1));
  Value isOne =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, one);
  Value same =
      arith::CmpIOp::create(b, loc(), arith::CmpIPredicate::eq, v0, v1);
  Value holds = arith::OrIOp::create(b, loc(), isOne, same);
  CheckOp::create(b, loc(), holds, v0, v1, message);
  return success();
}

Value Lowering::extract(OpBuilder &b, Location loc, Value tensor,
                        ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}
