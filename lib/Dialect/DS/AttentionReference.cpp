//===- AttentionReference.cpp - ds.attention by its formula ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/AttentionModifier.h"
#include "ds/Dialect/DS/Decompositions.h"
#include "ds/Dialect/DS/KeyBlocks.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Writes ds.attention by its formula, with all scores in memory. Its loops are
/// the batch, the head (or, where heads share keys, the key head and the query
/// head in its group), the query row, then the key or the element of a row.
struct AttentionDecomposition {
  AttentionDecomposition(AttentionOp op, AttentionOp::Adaptor operands,
                         OpBuilder &b, ShapeBuilder &shapes);
  /// The whole op. `lowered` is what stands for a tensor that regions read.
  SmallVector<Value> run(function_ref<Value(Value)> lowered);
  /// The op from what it gives for parts of its keys.
  SmallVector<Value> merge(Value results, Value logSums);

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
  /// What tells the keys of a batch and the positions of its query rows.
  struct Lengths {
    std::optional<Access> queryStart, keyLength;
    Value rows, keys, bound;
  };
  /// How many keys there are, and the position of the query row.
  struct Place {
    Value length, position;
  };
  Lengths addLengths(SmallVector<Value> &inputs, SmallVector<AffineMap> &maps);
  Place emitPlace(OpBuilder &b, Location loc, const Lengths &lengths,
                  ValueRange inputs, unsigned &next);
  Value read(OpBuilder &b, Location loc, const Access &access);

  void prepare(function_ref<Value(Value)> lowered);
  Value rowsOfPages(Value source, Value pool);
  Value scores();
  Value firstRows();
  Value applyMasks(Value scores);
  Value sinks();
  Value largestScores(Value scores, AffineMap scoreMap);
  Value weights(Value scores, AffineMap scoreMap, Value largest);
  Value normalize(Value weights, Value sums);
  Value weightedRows();
  SmallVector<Value> softmax(Value scores, AffineMap scoreMap, Value rows,
                             AffineMap rowMap);
  Value finish(Value sums, Value acc);
  Value logSums(Value largest, Value sums);

  /// The scalar of an access whose input, if it is one, is `inputs[next]`.
  Value scalar(OpBuilder &b, Location loc, const Access &access,
               ValueRange inputs, unsigned &next);
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
  /// Adds an access to the inputs of a generic, where it is one of them.
  static void addInput(const Access &access, SmallVector<Value> &inputs,
                       SmallVector<AffineMap> &maps) {
    if (!access.map)
      return;
    inputs.push_back(access.tensor);
    maps.push_back(access.map);
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
  std::optional<AttentionModifier> scoreMod, maskMod, probMod;
  std::optional<KeyBlocks> keyBlocks;
  MLIRContext *context;
  Type sum;                        // element type of scores and sums
  SmallVector<OpFoldResult> query; // dims of query
  SmallVector<OpFoldResult> value; // dims of value: [B, Hkv, S, Dv]
  Value keyRows, valueRows;        // [B, Hkv, S, Dk] and [B, Hkv, S, Dv]
  bool grouped = false;            // query heads share key heads
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
      value(llvm::to_vector(shapes.dims(op.getValueOrKey()))),
      outer(ArrayRef(query).take_front(3)) {
  if (op.getVDim())
    value[3] = shapes.constant(*op.getVDim());
}

/// What the formula needs of key heads, pages, lists of keys and regions.
void AttentionDecomposition::prepare(function_ref<Value(Value)> lowered) {
  grouped = query[1] != value[1];
  keyRows = operands.getKey();
  valueRows = operands.getValue();
  if (op.getKvPage()) {
    value[0] = query[0];
    value[2] = op.getKeyRows(shapes);
    keyRows = rowsOfPages(op.getKey(), keyRows);
    if (valueRows)
      valueRows = rowsOfPages(op.getValue(), valueRows);
  }
  for (auto [region, modifier] : {std::pair{&op.getScoreMod(), &scoreMod},
                                  {&op.getMaskMod(), &maskMod},
                                  {&op.getProbMod(), &probMod}})
    if (!region->empty())
      modifier->emplace(*region, shapes, lowered);
  if (op.getKeyIndex())
    keyBlocks.emplace(op, operands.getKeyIndex(), linalg.b, shapes);
  if (!grouped)
    return;
  groupSize = shapes.exactQuotient(query[1], value[1]);
  outer = {query[0], value[1], groupSize, query[2]};
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

Value AttentionDecomposition::scalar(OpBuilder &b, Location loc,
                                     const Access &access, ValueRange inputs,
                                     unsigned &next) {
  return access.map ? inputs[next++] : read(b, loc, access);
}

AttentionDecomposition::Lengths
AttentionDecomposition::addLengths(SmallVector<Value> &inputs,
                                   SmallVector<AffineMap> &maps) {
  Lengths lengths;
  if (op.getQueryStart())
    lengths.queryStart =
        access(op.getQueryStart(), operands.getQueryStart(), {0});
  if (op.getKeyLength())
    lengths.keyLength = access(op.getKeyLength(), operands.getKeyLength(), {0});
  for (const std::optional<Access> &access :
       {lengths.queryStart, lengths.keyLength})
    if (access)
      addInput(*access, inputs, maps);
  lengths.rows = shapes.materialize(query[2]);
  lengths.keys = shapes.materialize(value[2]);
  lengths.bound = shapes.materialize(shapes.add(value[2], shapes.constant(1)));
  return lengths;
}

AttentionDecomposition::Place
AttentionDecomposition::emitPlace(OpBuilder &b, Location loc,
                                  const Lengths &lengths, ValueRange inputs,
                                  unsigned &next) {
  auto read = [&](const Access &access) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                      scalar(b, loc, access, inputs, next));
  };
  Value start, length = lengths.keys;
  if (lengths.queryStart)
    start = read(*lengths.queryStart);
  if (lengths.keyLength)
    length = CheckedIndexOp::create(b, loc, read(*lengths.keyLength),
                                    lengths.bound, /*wrap=*/false);
  if (!start)
    start = arith::SubIOp::create(b, loc, length, lengths.rows);
  return {length, arith::AddIOp::create(b, loc, coordinate(b, loc, 2), start)};
}

/// The rows of each sequence of the lowered `pool` one after another. Pages
/// past key_length are not looked at: page 0 stands for them.
Value AttentionDecomposition::rowsOfPages(Value source, Value pool) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(source));
  Value pages = shapes.materialize(dims[0]), size = shapes.materialize(dims[2]);
  Value bound = shapes.materialize(shapes.add(value[2], shapes.constant(1)));
  Type element = op.getQuery().getType().getElementType();
  return linalg.map(
      {}, {}, {value[0], dims[1], value[2], dims[3]}, element,
      [&](OpBuilder &b, Location loc, ValueRange) -> Value {
        auto readIndex = [&](Value tensor, ValueRange at) -> Value {
          return arith::IndexCastOp::create(
              b, loc, b.getIndexType(),
              tensor::ExtractOp::create(b, loc, tensor, at));
        };
        SmallVector<Value> at;
        for (int64_t dim = 0; dim < 4; ++dim)
          at.push_back(linalg::IndexOp::create(b, loc, dim));
        Value place = arith::DivUIOp::create(b, loc, at[2], size);
        Value page = readIndex(operands.getKvPage(), {at[0], place});
        if (op.getKeyLength()) {
          Value length = CheckedIndexOp::create(
              b, loc, readIndex(operands.getKeyLength(), at[0]), bound,
              /*wrap=*/false);
          Value isKey = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                              at[2], length);
          Value zero = arith::ConstantIndexOp::create(b, loc, 0);
          page = arith::SelectOp::create(b, loc, isKey, page, zero);
        }
        at[0] = CheckedIndexOp::create(b, loc, page, pages, /*wrap=*/false);
        at[2] = arith::RemUIOp::create(b, loc, at[2], size);
        return tensor::ExtractOp::create(b, loc, pool, at);
      });
}

Value AttentionDecomposition::scores() {
  Value q = operands.getQuery();
  if (grouped) {
    SmallVector<OpFoldResult> dims = withInner(query[3]);
    Type type = getStaticType({op.getQuery().getType().getElementType(), dims});
    q = tensor::ExpandShapeOp::create(
        linalg.b, linalg.loc, type, q,
        SmallVector<ReassociationIndices>{{0}, {1, 2}, {3}, {4}}, dims);
  }
  int64_t key = outer.size(), element = key + 1, loops = key + 2;
  return linalg.contract(q, keyRows,
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
    addInput(*bias, inputs, maps);
  }
  Lengths lengths = addLengths(inputs, maps);
  // Of packed sequences, the first row of the query's and of the key's.
  if (op.getRowOffsets()) {
    Value firsts = firstRows();
    int64_t key = outer.size();
    for (AffineExpr row : {dim(key - 1), dim(key)}) {
      inputs.push_back(firsts);
      maps.push_back(AffineMap::get(key + 1, 0, row));
    }
  }

  auto body = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
    auto constant = [&](double value) {
      return LinalgBuilder::constant(b, loc, sum, value);
    };
    unsigned next = 1;
    Value biasElement;
    if (bias)
      biasElement = scalar(b, loc, *bias, v, next);
    Place place = emitPlace(b, loc, lengths, v, next);
    Value key = coordinate(b, loc, 3);
    Value indices[] = {coordinate(b, loc, 0), coordinate(b, loc, 1),
                       place.position, key};
    Value attends;
    auto require = [&](Value condition) {
      attends =
          attends
              ? arith::AndIOp::create(b, loc, attends, condition).getResult()
              : condition;
    };
    Value s = arith::MulFOp::create(b, loc, v[0],
                                    constant(op.getScale().convertToDouble()));
    if (op.getSoftcap()) {
      Value cap = constant(op.getSoftcap()->convertToDouble());
      Value ratio = arith::DivFOp::create(b, loc, s, cap);
      Value bounded = math::TanhOp::create(b, loc, ratio);
      s = arith::MulFOp::create(b, loc, cap, bounded);
    }
    if (scoreMod) {
      SmallVector<Value> arguments = {s};
      llvm::append_range(arguments, indices);
      s = scoreMod->emit(b, loc, arguments);
    }
    if (biasElement) {
      if (isa<FloatType>(biasElement.getType())) {
        s = arith::AddFOp::create(
            b, loc, s, LinalgBuilder::extend(b, loc, sum, biasElement));
      } else if (biasElement.getType().isInteger(1)) {
        require(biasElement);
      } else {
        Value zero = arith::ConstantOp::create(
            b, loc, b.getZeroAttr(biasElement.getType()));
        require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                      biasElement, zero));
      }
    }
    if (op.getRowOffsets())
      require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                    v[v.size() - 3], v[v.size() - 2]));
    if (lengths.keyLength)
      require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key,
                                    place.length));
    auto bound = [&](int64_t distance, arith::CmpIPredicate predicate) {
      Value offset = arith::ConstantIndexOp::create(b, loc, distance);
      Value end = arith::AddIOp::create(b, loc, place.position, offset);
      require(arith::CmpIOp::create(b, loc, predicate, key, end));
    };
    if (op.getRightBound())
      bound(*op.getRightBound(), arith::CmpIPredicate::sle);
    if (op.getLeft())
      bound(-int64_t(*op.getLeft()), arith::CmpIPredicate::sge);
    if (maskMod)
      require(maskMod->emit(b, loc, indices));
    if (keyBlocks)
      require(keyBlocks->attends(b, loc, indices[0], indices[1],
                                 coordinate(b, loc, 2), key));
    if (!attends)
      return s;
    Value masked = constant(-std::numeric_limits<double>::infinity());
    return arith::SelectOp::create(b, loc, attends, s, masked);
  };
  return linalg.map(inputs, maps, dims, sum, body);
}

/// For each row, the sink of its head.
Value AttentionDecomposition::sinks() {
  Access sink = access(op.getSink(), operands.getSink(), {1});
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  addInput(sink, inputs, maps);
  // The map of an access has the loop over keys too.
  for (AffineMap &map : maps)
    map = AffineMap::get(outer.size(), 0, map.getResults(), context);
  return linalg.map(inputs, maps, outer, sum,
                    [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                      unsigned next = 0;
                      Value z = scalar(b, loc, sink, v, next);
                      return LinalgBuilder::extend(b, loc, sum, z);
                    });
}

Value AttentionDecomposition::largestScores(Value scores, AffineMap scoreMap) {
  double infinity = std::numeric_limits<double>::infinity();
  Value init = op.getSink() ? sinks() : linalg.filled(outer, sum, -infinity);
  return linalg.generic(scores, {scoreMap, outerMap(outer.size() + 1, {})},
                        init,
                        [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                          return arith::MaximumFOp::create(b, loc, v[1], v[0]);
                        });
}

Value mlir::ds::emitWeight(OpBuilder &b, Location loc, Value score,
                           Value largest) {
  Type type = score.getType();
  Value none = LinalgBuilder::constant(
      b, loc, type, -std::numeric_limits<double>::infinity());
  Value zero = LinalgBuilder::constant(b, loc, type, 0);
  // A row without keys has no largest score: any finite number will do.
  Value empty =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, largest, none);
  Value shift = arith::SelectOp::create(b, loc, empty, zero, largest);
  Value difference = arith::SubFOp::create(b, loc, score, shift);
  return math::ExpOp::create(b, loc, difference);
}

Value AttentionDecomposition::weights(Value scores, AffineMap scoreMap,
                                      Value largest) {
  return linalg.map(
      {scores, largest}, {scoreMap, outerMap(outer.size() + 1, {})},
      withInner(value[2]), sum, [](OpBuilder &b, Location loc, ValueRange v) {
        return emitWeight(b, loc, v[0], v[1]);
      });
}

/// prob_mod of the weights over their sums, 0 in a row without keys.
Value AttentionDecomposition::normalize(Value weights, Value sums) {
  int64_t loops = outer.size() + 1;
  SmallVector<Value> inputs = {weights, sums};
  SmallVector<AffineMap> maps = {
      AffineMap::getMultiDimIdentityMap(loops, context), outerMap(loops, {})};
  Lengths lengths = addLengths(inputs, maps);
  return linalg.map(
      inputs, maps, withInner(value[2]), sum,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        unsigned next = 2;
        Place place = emitPlace(b, loc, lengths, v, next);
        Value zero = LinalgBuilder::constant(b, loc, sum, 0);
        Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                            v[1], zero);
        Value p = arith::DivFOp::create(b, loc, v[0], v[1]);
        p = arith::SelectOp::create(b, loc, empty, zero, p);
        return probMod->emit(b, loc,
                             {p, coordinate(b, loc, 0), coordinate(b, loc, 1),
                              place.position, coordinate(b, loc, 3)});
      });
}

/// The rows that weights apply to.
Value AttentionDecomposition::weightedRows() {
  if (valueRows)
    return valueRows;
  OpFoldResult zero = shapes.constant(0), one = shapes.constant(1);
  SmallVector<OpFoldResult> zeros(4, zero), ones(4, one);
  return tensor::ExtractSliceOp::create(
      linalg.b, linalg.loc,
      getStaticType({op.getQuery().getType().getElementType(), value}), keyRows,
      zeros, value, ones);
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
        Value o = v[0];
        // With prob_mod the weights are those of the softmax already.
        if (!probMod) {
          Value zero = LinalgBuilder::constant(b, loc, sum, 0);
          Value empty = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                              v[1], zero);
          o = arith::DivFOp::create(b, loc, o, v[1]);
          o = arith::SelectOp::create(b, loc, empty, zero, o);
        }
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

Value AttentionDecomposition::logSums(Value largest, Value sums) {
  AffineMap rows = AffineMap::getMultiDimIdentityMap(outer.size(), context);
  Value lse = linalg.map({largest, sums}, {rows, rows}, outer, sum,
                         [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                           // A row without keys: log 0 + −inf is −inf.
                           Value log = math::LogOp::create(b, loc, v[1]);
                           return arith::AddFOp::create(b, loc, v[0], log);
                         });
  if (!grouped)
    return lse;
  return tensor::CollapseShapeOp::create(
      linalg.b, linalg.loc,
      getStaticType({sum, {query[0], query[1], query[2]}}), lse,
      SmallVector<ReassociationIndices>{{0}, {1, 2}, {3}});
}

/// The softmax of scores, which `scoreMap` gives for the outer loops and the
/// key, applied to rows that `rowMap` gives for the outer loops, the element
/// and the key.
SmallVector<Value> AttentionDecomposition::softmax(Value scores,
                                                   AffineMap scoreMap,
                                                   Value rows,
                                                   AffineMap rowMap) {
  int64_t loops = outer.size() + 2;
  Value largest = largestScores(scores, scoreMap);
  Value p = weights(scores, scoreMap, largest);
  auto add = [](OpBuilder &b, Location loc, ValueRange v) -> Value {
    return arith::AddFOp::create(b, loc, v[1], v[0]);
  };
  AffineMap all = AffineMap::getMultiDimIdentityMap(loops - 1, context);
  Value sums = linalg.generic(p, {all, outerMap(loops - 1, {})},
                              linalg.filled(outer, sum, 0), add);
  if (op.getSink()) {
    AffineMap each = AffineMap::getMultiDimIdentityMap(outer.size(), context);
    sums = linalg.map({sinks(), largest, sums}, {each, each, each}, outer, sum,
                      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
                        return arith::AddFOp::create(
                            b, loc, v[2], emitWeight(b, loc, v[0], v[1]));
                      });
  }
  if (probMod)
    p = normalize(p, sums);
  Value acc = linalg.contract(p, rows,
                              {outerMap(loops, dim(loops - 1)), rowMap,
                               outerMap(loops, dim(loops - 2))},
                              linalg.filled(withInner(value[3]), sum, 0));
  SmallVector<Value> results = {finish(sums, acc)};
  if (op.getLse())
    results.push_back(logSums(largest, sums));
  return results;
}

SmallVector<Value>
AttentionDecomposition::run(function_ref<Value(Value)> lowered) {
  prepare(lowered);
  int64_t loops = outer.size() + 2;
  Value masked = applyMasks(scores());
  return softmax(masked, AffineMap::getMultiDimIdentityMap(loops - 1, context),
                 weightedRows(), keyMap(loops, dim(loops - 1), dim(loops - 2)));
}

SmallVector<Value> AttentionDecomposition::merge(Value results, Value logSums) {
  value[2] = tensor::getMixedSize(linalg.b, linalg.loc, logSums, 0);
  AffineMap scores =
                AffineMap::get(4, 0, {dim(3), dim(0), dim(1), dim(2)}, context),
            rows = AffineMap::get(
                5, 0, {dim(4), dim(0), dim(1), dim(2), dim(3)}, context);
  return softmax(logSums, scores, results, rows);
}

SmallVector<Value>
mlir::ds::decomposeAttention(AttentionOp op, AttentionOp::Adaptor operands,
                             OpBuilder &b, ShapeBuilder &shapes,
                             function_ref<Value(Value)> lowered) {
  return AttentionDecomposition(op, operands, b, shapes).run(lowered);
}

SmallVector<Value> mlir::ds::mergeAttention(AttentionOp op, Value results,
                                            Value logSums, OpBuilder &b,
                                            ShapeBuilder &shapes) {
  AttentionOp::Adaptor operands(op->getOperands(), op);
  return AttentionDecomposition(op, operands, b, shapes)
      .merge(results, logSums);
}
