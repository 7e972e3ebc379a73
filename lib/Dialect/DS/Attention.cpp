//===- Attention.cpp - ds.attention ---------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// Verification and shapes
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

/// C1 to C5: query, key and value fit together.
static LogicalResult verifyMainOperands(AttentionOp op) {
  for (auto [name, operand] :
       {std::pair<StringRef, Value>{"query", op.getQuery()},
        {"key", op.getKey()},
        {"value", op.getValue()}})
    if (shapeOf(operand).size() != 4)
      return op.emitOpError("C1: expected ")
             << name << " of rank 4, found " << operand.getType();
  ArrayRef<int64_t> q = shapeOf(op.getQuery()), k = shapeOf(op.getKey()),
                    v = shapeOf(op.getValue());
  auto mismatch = [&](StringRef id, StringRef dim, int64_t lhs, int64_t rhs,
                      StringRef operand) -> LogicalResult {
    if (compatibleDims(lhs, rhs))
      return success();
    return op.emitOpError() << id << ": expected " << dim << " of " << operand
                            << " to be " << lhs << ", found " << rhs;
  };
  if (failed(mismatch("C2", "dim 0", q[0], k[0], "key")) ||
      failed(mismatch("C2", "dim 0", q[0], v[0], "value")) ||
      failed(mismatch("C3", "dim 1", k[1], v[1], "value")) ||
      failed(mismatch("C3", "dim 2", k[2], v[2], "value")) ||
      failed(mismatch("C5", "dim 3", q[3], k[3], "key")))
    return failure();
  if (!ShapedType::isDynamic(q[1]) && !ShapedType::isDynamic(k[1]) &&
      (k[1] == 0 || q[1] % k[1] != 0))
    return op.emitOpError("C4: expected a multiple of ")
           << k[1] << " query heads, found " << q[1];
  return success();
}

/// C6 and C7: what applies to scores and heads.
static LogicalResult verifyExtras(AttentionOp op) {
  ArrayRef<int64_t> q = shapeOf(op.getQuery());
  SmallVector<int64_t> scores = {q[0], q[1], q[2], shapeOf(op.getKey())[2]};
  if (op.getBias()) {
    ArrayRef<int64_t> bias = shapeOf(op.getBias());
    bool fits = bias.size() <= 4;
    for (size_t i = 0; fits && i < bias.size(); ++i)
      fits =
          bias[i] == 1 || compatibleDims(bias[i], scores[4 - bias.size() + i]);
    if (!fits)
      return op.emitOpError("C6: expected bias to broadcast to ")
             << op.getQuery().getType().clone(scores) << ", found "
             << op.getBias().getType();
  }
  if (op.getHeadWeight()) {
    ArrayRef<int64_t> weight = shapeOf(op.getHeadWeight());
    ArrayRef<int64_t> expected =
        weight.size() == 1 ? ArrayRef(scores).slice(1, 1)
                           : ArrayRef(scores).take_front(weight.size());
    if (weight.empty() || weight.size() > 3 ||
        !llvm::all_of_zip(weight, expected, compatibleDims))
      return op.emitOpError("C7: expected head_weight of shape [Hq], [B, Hq] "
                            "or [B, Hq, T], found ")
             << op.getHeadWeight().getType();
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyMainOperands(*this)) || failed(verifyExtras(*this)))
    return failure();
  Type element = getQuery().getType().getElementType();
  for (Value operand : getOperands()) {
    if (operand == getRowOffsets())
      continue;
    Type found = cast<ShapedType>(operand.getType()).getElementType();
    if (found != element && !(operand == getBias() && found.isInteger(1)))
      return emitOpError("C8: expected operands of element type ")
             << element << ", found " << operand.getType();
  }
  if (getType().getElementType() != element)
    return emitOpError("C8: expected a result of element type ")
           << element << ", found " << getType();
  if (!getScale().isFinite())
    return emitOpError("C9: expected a finite scale");
  if (getSoftcap() && (!getSoftcap()->isFinite() || getSoftcap()->isZero() ||
                       getSoftcap()->isNegative()))
    return emitOpError("C9: expected a finite softcap above 0");
  if (int64_t(getLeft().value_or(0)) < 0 || int64_t(getRight().value_or(0)) < 0)
    return emitOpError("C9: expected left and right of 0 or more");
  if (getCausal() && getRight())
    return emitOpError("C9: right is given with causal, which is right = 0");
  ArrayRef<int64_t> q = shapeOf(getQuery());
  SmallVector<int64_t> expected = {q[0], q[1], q[2], shapeOf(getValue())[3]};
  if (failed(verifyCompatibleShape(expected, getType().getShape())))
    return emitOpError("C10: expected a result of type ")
           << getType().clone(expected) << ", found " << getType();
  if (!getRowOffsets())
    return success();
  if (q[0] != 1 || !compatibleDims(q[2], shapeOf(getKey())[2]))
    return emitOpError("C11: expected one packed sequence of queries and keys, "
                       "found ")
           << getQuery().getType() << " and " << getKey().getType();
  if (getBias())
    if (ArrayRef<int64_t> bias = shapeOf(getBias());
        bias.size() > 1 && bias[bias.size() - 2] != 1)
      return emitOpError("C11: expected a bias without a dim of query rows, "
                         "found ")
             << getBias().getType();
  return success();
}

LogicalResult AttentionOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getQuery()));
  dims[3] = shapes.dim(getValue(), 3);
  results.push_back({getType().getElementType(), std::move(dims)});
  return success();
}

//===----------------------------------------------------------------------===//
// Reference decomposition
//===----------------------------------------------------------------------===//

namespace {
/// Writes ds.attention by its formula, with all scores in memory. Its loops are
/// the batch, the head (or, where heads share keys, the key head and the query
/// head in its group), the query row, then the key or the element of a row.
struct AttentionDecomposition {
  AttentionDecomposition(AttentionOp op, AttentionOp::Adaptor operands,
                         OpBuilder &b, ShapeBuilder &shapes);
  Value run();

private:
  /// A tensor read for each score by (batch, head, row, key) or a part of it.
  struct Access {
    Value tensor;
    AffineMap map; // of the loops; null where the body reads by index
    SmallVector<int64_t> coordinates; // of each dim, among the four
    SmallVector<bool> isOne;          // known to be 1
    SmallVector<Value> last; // per dim: dim - 1 where it may be 1, or null
  };
  Access access(Value source, Value tensor, ArrayRef<int64_t> coordinates);
  Value read(OpBuilder &b, Location loc, const Access &access);

  Value scores();
  Value firstRows();
  Value applyMasks(Value scores);
  Value weights(Value scores);
  Value finish(Value sums, Value acc);

  /// The index of a loop in the body of a generic, 0 to 3 for batch, head, row
  /// and key.
  Value coordinate(OpBuilder &b, Location loc, int64_t which);
  /// The dims of the outer loops and one more.
  SmallVector<OpFoldResult> withInner(OpFoldResult dim) const {
    SmallVector<OpFoldResult> dims = outer;
    dims.push_back(dim);
    return dims;
  }
  /// A map of `loops` loops to the outer ones, then `inner`.
  AffineMap outerMap(int64_t loops, ArrayRef<AffineExpr> inner) const {
    SmallVector<AffineExpr> exprs;
    for (size_t i = 0; i < outer.size(); ++i)
      exprs.push_back(getAffineDimExpr(i, context));
    llvm::append_range(exprs, inner);
    return AffineMap::get(loops, 0, exprs, context);
  }
  /// A map of `loops` loops to key's or value's dims.
  AffineMap keyMap(int64_t loops, AffineExpr row, AffineExpr element) const {
    return AffineMap::get(loops, 0,
                          {getAffineDimExpr(0, context),
                           getAffineDimExpr(1, context), row, element},
                          context);
  }
  AffineExpr dim(int64_t i) const { return getAffineDimExpr(i, context); }

  AttentionOp op;
  AttentionOp::Adaptor operands;
  LinalgBuilder linalg;
  ShapeBuilder &shapes;
  MLIRContext *context;
  Type sum;                        // element type of scores and sums
  SmallVector<OpFoldResult> query; // dims of query
  SmallVector<OpFoldResult> value; // dims of value: [B, Hkv, S, Dv]
  bool grouped;                    // query heads share key heads
  OpFoldResult groupSize;
  SmallVector<OpFoldResult> outer; // dims of the outer loops
};
} // namespace

AttentionDecomposition::AttentionDecomposition(AttentionOp op,
                                               AttentionOp::Adaptor operands,
                                               OpBuilder &b,
                                               ShapeBuilder &shapes)
    : op(op), operands(operands), linalg{b, op.getLoc()}, shapes(shapes),
      context(b.getContext()), sum(getSumType(op.getType().getElementType())),
      query(llvm::to_vector(shapes.dims(op.getQuery()))),
      value(llvm::to_vector(shapes.dims(op.getValue()))),
      grouped(query[1] != value[1]) {
  outer = {query[0], value[1]};
  if (grouped) {
    groupSize = shapes.exactQuotient(query[1], value[1]);
    outer.push_back(groupSize);
  }
  outer.push_back(query[2]);
}

Value AttentionDecomposition::coordinate(OpBuilder &b, Location loc,
                                         int64_t which) {
  if (!grouped || which == 0)
    return linalg::IndexOp::create(b, loc, which);
  if (which > 1)
    return linalg::IndexOp::create(b, loc, which + 1);
  Value keyHead = linalg::IndexOp::create(b, loc, 1);
  Value member = linalg::IndexOp::create(b, loc, 2);
  Value size = getValueOrCreateConstantIndexOp(b, loc, groupSize);
  return arith::AddIOp::create(
      b, loc, arith::MulIOp::create(b, loc, keyHead, size), member);
}

AttentionDecomposition::Access
AttentionDecomposition::access(Value source, Value tensor,
                               ArrayRef<int64_t> coordinates) {
  SmallVector<OpFoldResult> full = {query[0], query[1], query[2], value[2]};
  Access access{tensor, {}, llvm::to_vector(coordinates), {}, {}};
  SmallVector<AffineExpr> exprs;
  bool direct = true;
  for (auto [dim, which] :
       llvm::zip_equal(llvm::to_vector(shapes.dims(source)), coordinates)) {
    bool isOne = isConstantIntValue(dim, 1);
    bool same = dim == full[which] || getConstantIntValue(dim);
    access.isOne.push_back(isOne);
    access.last.push_back(isOne || same ? Value()
                                        : shapes.materialize(shapes.sub(
                                              dim, shapes.constant(1))));
    direct &= isOne || (same && !(grouped && which == 1));
    exprs.push_back(isOne ? getAffineConstantExpr(0, context)
                          : this->dim(which + (grouped && which > 1)));
  }
  if (direct)
    access.map = AffineMap::get(outer.size() + 1, 0, exprs, context);
  return access;
}

Value AttentionDecomposition::read(OpBuilder &b, Location loc,
                                   const Access &access) {
  SmallVector<Value> indices;
  for (auto [which, isOne, last] :
       llvm::zip(access.coordinates, access.isOne, access.last)) {
    Value index = isOne ? arith::ConstantIndexOp::create(b, loc, 0).getResult()
                        : coordinate(b, loc, which);
    if (last)
      index = arith::MinSIOp::create(b, loc, index, last);
    indices.push_back(index);
  }
  return tensor::ExtractOp::create(b, loc, access.tensor, indices);
}

Value AttentionDecomposition::scores() {
  Value q = operands.getQuery();
  if (grouped) {
    SmallVector<OpFoldResult> dims = withInner(query[3]);
    Type type = getStaticType({op.getType().getElementType(), dims});
    q = tensor::ExpandShapeOp::create(
        linalg.b, linalg.loc, type, q,
        SmallVector<ReassociationIndices>{{0}, {1, 2}, {3}, {4}}, dims);
  }
  int64_t key = outer.size(), element = key + 1, loops = key + 2;
  return linalg.contract(q, operands.getKey(),
                         {outerMap(loops, dim(element)),
                          keyMap(loops, dim(key), dim(element)),
                          outerMap(loops, dim(key))},
                         linalg.filled(withInner(value[2]), sum, 0));
}

/// For each packed row, the first of its sequence.
Value AttentionDecomposition::firstRows() {
  OpBuilder &b = linalg.b;
  Location loc = linalg.loc;
  Value offsets = operands.getRowOffsets();
  Type i64 = b.getI64Type();
  auto index = [&](OpBuilder &b, int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto read = [&](OpBuilder &b, Value at) -> Value {
    return arith::IndexCastOp::create(
        b, loc, b.getIndexType(),
        tensor::ExtractOp::create(b, loc, offsets, at));
  };
  Value count = shapes.materialize(
      shapes.sub(shapes.dim(op.getRowOffsets(), 0), shapes.constant(1)));
  Value zero = index(b, 0), one = index(b, 1);
  auto sequences = scf::ForOp::create(b, loc, zero, count, one,
                                      linalg.empty({query[2]}, i64));
  OpBuilder outer = OpBuilder::atBlockBegin(sequences.getBody());
  Value sequence = sequences.getInductionVar();
  Value next = arith::AddIOp::create(outer, loc, sequence, one);
  Value first = read(outer, sequence);
  auto rows = scf::ForOp::create(outer, loc, first, read(outer, next), one,
                                 sequences.getRegionIterArgs());
  OpBuilder inner = OpBuilder::atBlockBegin(rows.getBody());
  Value number = arith::IndexCastOp::create(inner, loc, i64, first);
  Value filled = tensor::InsertOp::create(
      inner, loc, number, rows.getRegionIterArgs()[0], rows.getInductionVar());
  scf::YieldOp::create(inner, loc, filled);
  scf::YieldOp::create(outer, loc, rows.getResults());
  return sequences.getResult(0);
}

Value AttentionDecomposition::applyMasks(Value scores) {
  SmallVector<OpFoldResult> dims = withInner(value[2]);
  SmallVector<Value> inputs = {scores};
  SmallVector<AffineMap> maps = {
      AffineMap::getMultiDimIdentityMap(dims.size(), context)};
  std::optional<Access> bias;
  if (op.getBias()) {
    int64_t rank = shapes.rank(op.getBias());
    bias = access(op.getBias(), operands.getBias(),
                  ArrayRef<int64_t>{0, 1, 2, 3}.take_back(rank));
    if (bias->map) {
      inputs.push_back(bias->tensor);
      maps.push_back(bias->map);
    }
  }
  // Of packed sequences, the first row of the query's and of the key's.
  if (op.getRowOffsets()) {
    Value firsts = firstRows();
    int64_t key = outer.size();
    for (AffineExpr row : {dim(key - 1), dim(key)}) {
      inputs.push_back(firsts);
      maps.push_back(AffineMap::get(key + 1, 0, row));
    }
  }
  // The position of query row 0.
  Value start;
  if (op.getLeft() || op.getRightBound())
    start = shapes.materialize(shapes.sub(value[2], query[2]));

  auto body = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    auto constant = [&](double value) {
      return LinalgBuilder::constant(b, loc, sum, value);
    };
    Value s = arith::MulFOp::create(b, loc, v[0],
                                    constant(op.getScale().convertToFloat()));
    if (op.getSoftcap()) {
      Value cap = constant(op.getSoftcap()->convertToFloat());
      Value ratio = arith::DivFOp::create(b, loc, s, cap);
      Value bounded = math::TanhOp::create(b, loc, ratio);
      s = arith::MulFOp::create(b, loc, cap, bounded);
    }
    Value attends;
    auto require = [&](Value condition) {
      attends =
          attends
              ? arith::AndIOp::create(b, loc, attends, condition).getResult()
              : condition;
    };
    if (bias) {
      Value scalar = bias->map ? v[1] : read(b, loc, *bias);
      if (isa<FloatType>(scalar.getType())) {
        s = arith::AddFOp::create(b, loc, s,
                                  LinalgBuilder::extend(b, loc, sum, scalar));
      } else if (scalar.getType().isInteger(1)) {
        require(scalar);
      } else {
        Value zero =
            arith::ConstantOp::create(b, loc, b.getZeroAttr(scalar.getType()));
        require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, scalar,
                                      zero));
      }
    }
    if (op.getRowOffsets())
      require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                    v[v.size() - 3], v[v.size() - 2]));
    if (start) {
      Value position =
          arith::AddIOp::create(b, loc, coordinate(b, loc, 2), start);
      Value key = coordinate(b, loc, 3);
      auto bound = [&](int64_t distance, arith::CmpIPredicate predicate) {
        Value offset = arith::ConstantIndexOp::create(b, loc, distance);
        Value end = arith::AddIOp::create(b, loc, position, offset);
        require(arith::CmpIOp::create(b, loc, predicate, key, end));
      };
      if (op.getRightBound())
        bound(*op.getRightBound(), arith::CmpIPredicate::sle);
      if (op.getLeft())
        bound(-int64_t(*op.getLeft()), arith::CmpIPredicate::sge);
    }
    if (!attends)
      return s;
    Value masked = constant(-std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(b, loc, attends, s, masked);
  };
  return linalg.map(inputs, maps, dims, sum, body);
}

Value AttentionDecomposition::weights(Value scores) {
  double infinity = std::numeric_limits<double>::infinity();
  int64_t loops = outer.size() + 1;
  AffineMap all = AffineMap::getMultiDimIdentityMap(loops, context);
  AffineMap rows = outerMap(loops, {});
  Value largest =
      linalg.generic(scores, {all, rows}, linalg.filled(outer, sum, -infinity),
                     [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                       return arith::MaximumFOp::create(b, loc, v[1], v[0]);
                     });
  // A row without keys has no largest score: any finite number will do.
  return linalg.map(
      {scores, largest}, {all, rows}, withInner(value[2]), sum,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value none = LinalgBuilder::constant(b, loc, sum, -infinity);
        Value zero = LinalgBuilder::constant(b, loc, sum, 0);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[1], none);
        Value shift = arith::SelectOp::create(b, loc, empty, zero, v[1]);
        Value difference = arith::SubFOp::create(b, loc, v[0], shift);
        return math::ExpOp::create(b, loc, difference);
      });
}

Value AttentionDecomposition::finish(Value sums, Value acc) {
  SmallVector<OpFoldResult> dims = withInner(value[3]);
  SmallVector<Value> inputs = {acc, sums};
  int64_t loops = dims.size();
  SmallVector<AffineMap> maps = {
      AffineMap::getMultiDimIdentityMap(loops, context), outerMap(loops, {})};
  std::optional<Access> headWeight;
  if (op.getHeadWeight()) {
    int64_t rank = shapes.rank(op.getHeadWeight());
    headWeight =
        access(op.getHeadWeight(), operands.getHeadWeight(),
               rank == 1 ? ArrayRef<int64_t>{1}
                         : ArrayRef<int64_t>{0, 1, 2}.take_front(rank));
    if (headWeight->map) {
      inputs.push_back(headWeight->tensor);
      maps.push_back(headWeight->map);
    }
  }
  Type element = op.getType().getElementType();
  Value result = linalg.map(
      inputs, maps, dims, element,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value zero = LinalgBuilder::constant(b, loc, sum, 0);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[1], zero);
        Value o = arith::DivFOp::create(b, loc, v[0], v[1]);
        o = arith::SelectOp::create(b, loc, empty, zero, o);
        if (headWeight) {
          Value w = headWeight->map ? v[2] : read(b, loc, *headWeight);
          o = arith::MulFOp::create(b, loc,
                                    LinalgBuilder::extend(b, loc, sum, w), o);
        }
        if (sum != element)
          o = arith::TruncFOp::create(b, loc, element, o);
        return o;
      });
  if (!grouped)
    return result;
  return tensor::CollapseShapeOp::create(
      linalg.b, linalg.loc,
      getStaticType({element, {query[0], query[1], query[2], value[3]}}),
      result, SmallVector<ReassociationIndices>{{0}, {1, 2}, {3}, {4}});
}

Value AttentionDecomposition::run() {
  int64_t loops = outer.size() + 2;
  Value p = weights(applyMasks(scores()));
  Value sums =
      linalg.generic(p,
                     {AffineMap::getMultiDimIdentityMap(loops - 1, context),
                      outerMap(loops - 1, {})},
                     linalg.filled(outer, sum, 0),
                     [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                       return arith::AddFOp::create(b, loc, v[1], v[0]);
                     });
  AffineExpr element = dim(outer.size()), key = dim(outer.size() + 1);
  Value acc =
      linalg.contract(p, operands.getValue(),
                      {outerMap(loops, key), keyMap(loops, key, element),
                       outerMap(loops, element)},
                      linalg.filled(withInner(value[3]), sum, 0));
  return finish(sums, acc);
}

Value mlir::ds::decomposeAttention(AttentionOp op,
                                   AttentionOp::Adaptor operands, OpBuilder &b,
                                   ShapeBuilder &shapes) {
  return AttentionDecomposition(op, operands, b, shapes).run();
}

FailureOr<SmallVector<Value>> AttentionOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeAttention(*this, Adaptor(getOperands(), *this), b, shapes)};
}
