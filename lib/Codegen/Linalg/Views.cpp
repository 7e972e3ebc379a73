//===- Views.cpp - Reshapes, slices and index spaces ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::ds;

static bool isOne(OpFoldResult dim) { return isConstantIntValue(dim, 1); }

static bool hasZero(ArrayRef<OpFoldResult> dims) {
  return llvm::any_of(
      dims, [](OpFoldResult dim) { return isConstantIntValue(dim, 0); });
}

static RankedTensorType typeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

Dims mlir::ds::dimsOf(Lowering &l, Value source) {
  return llvm::to_vector(l.shapes.dims(source));
}

Value mlir::ds::castTo(Lowering &l, Value tensor, ArrayRef<OpFoldResult> dims) {
  RankedTensorType type =
      getStaticType({typeOf(tensor).getElementType(), Dims(dims)});
  if (type == tensor.getType())
    return tensor;
  return tensor::CastOp::create(l.b, l.loc(), type, tensor);
}

Value mlir::ds::loweredAs(Lowering &l, Value source) {
  Dims dims = dimsOf(l, source);
  return castTo(l, l.lowered(source), dims);
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// A weight with one more step of transformation, of the given shape.
static Value transformWeight(Lowering &l, WeightOp weight, Attribute step,
                             ArrayRef<int64_t> shape) {
  SmallVector<Attribute> steps(weight.getTransforms().getAsRange<Attribute>());
  steps.push_back(step);
  return WeightOp::create(l.b, l.loc(), weight.getType().clone(shape),
                          weight.getSource(), l.b.getArrayAttr(steps));
}

/// For all code variants alike, a strip is 16 floats, which is a cache line, so
/// that kernels of any width read whole lines; two strips are what the widest
/// register tile takes at once.
static constexpr int64_t stripWidth = 16;

Value mlir::ds::packWeight(Lowering &l, WeightOp weight, int64_t strips) {
  RankedTensorType type = weight.getType();
  // Instructions multiply pairs of bf16; a pair is easily taken apart.
  int64_t depth = type.getElementType().isBF16() ? 2 : 1;
  auto pack = PackAttr::get(l.b.getContext(), strips, stripWidth, depth);
  return transformWeight(l, weight, pack,
                         getPackedShape(pack, type.getShape()));
}

namespace {
/// Ranges of dims, [first, last), with the same product on both sides.
struct Group {
  size_t fromFirst, fromLast, toFirst, toLast;
};
} // namespace

/// Whether all factors of `lhs` are among those of `rhs`.
static bool divides(ShapeBuilder &shapes, ArrayRef<OpFoldResult> lhs,
                    ArrayRef<OpFoldResult> rhs) {
  SmallVector<OpFoldResult> l(lhs), r(rhs);
  onnx::cancelFactors(shapes, l, r);
  if (l.empty())
    return true;
  auto divisor = getConstantIntValue(l.front());
  if (l.size() != 1 || !divisor || *divisor == 0)
    return false;
  auto dividend =
      r.empty() ? std::optional<int64_t>(1) : getConstantIntValue(r.back());
  return dividend && *dividend % *divisor == 0;
}

/// The finest grouping of dims that is known to keep the elements in place;
/// one group of everything where none is.
static SmallVector<Group> groupDims(ShapeBuilder &shapes,
                                    ArrayRef<OpFoldResult> from,
                                    ArrayRef<OpFoldResult> to) {
  SmallVector<Group> whole{{0, from.size(), 0, to.size()}};
  SmallVector<Group> groups;
  size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    size_t first = i++, toFirst = j++;
    auto lhs = [&] { return from.slice(first, i - first); };
    auto rhs = [&] { return to.slice(toFirst, j - toFirst); };
    while (!onnx::sameProduct(shapes, lhs(), rhs())) {
      bool moreFrom = divides(shapes, lhs(), rhs());
      bool moreTo = divides(shapes, rhs(), lhs());
      // Where neither divides the other, both sides need more dims.
      if (!moreFrom && !moreTo)
        moreFrom = moreTo = true;
      moreFrom &= i < from.size();
      moreTo &= j < to.size();
      if (!moreFrom && !moreTo)
        return whole;
      i += moreFrom;
      j += moreTo;
    }
    groups.push_back({first, i, toFirst, j});
  }
  if (groups.empty())
    return whole;
  // What is left are dims of 1.
  if (!onnx::sameProduct(shapes, from.drop_front(i), to.drop_front(j)))
    return whole;
  groups.back().fromLast = from.size();
  groups.back().toLast = to.size();
  return groups;
}

static Value reshapeByGroups(Lowering &l, Value tensor,
                             ArrayRef<OpFoldResult> from,
                             ArrayRef<OpFoldResult> to) {
  SmallVector<ReassociationIndices> collapse, expand;
  // The dims between the two steps. One is dynamic where a dim that it expands
  // to is, even if its value was known before.
  Dims between;
  for (const Group &g : groupDims(l.shapes, from, to)) {
    collapse.push_back(
        llvm::to_vector<2>(llvm::seq<int64_t>(g.fromFirst, g.fromLast)));
    expand.push_back(
        llvm::to_vector<2>(llvm::seq<int64_t>(g.toFirst, g.toLast)));
    between.push_back(
        l.shapes.product(to.slice(g.toFirst, g.toLast - g.toFirst)));
  }
  if (from.size() != between.size())
    tensor = tensor::CollapseShapeOp::create(l.b, l.loc(), tensor, collapse);
  tensor = castTo(l, tensor, between);
  if (to.size() == between.size())
    return tensor;
  RankedTensorType type =
      getStaticType({typeOf(tensor).getElementType(), Dims(to)});
  return tensor::ExpandShapeOp::create(l.b, l.loc(), type, tensor, expand, to);
}

/// Between a scalar and a tensor all of whose dims are 1, statically or not.
static Value reshapeScalar(Lowering &l, Value tensor,
                           ArrayRef<OpFoldResult> from,
                           ArrayRef<OpFoldResult> to) {
  SmallVector<ReassociationIndices> none;
  if (to.empty()) {
    Dims ones(from.size(), l.shapes.constant(1));
    return tensor::CollapseShapeOp::create(l.b, l.loc(),
                                           castTo(l, tensor, ones), none);
  }
  Dims ones(to.size(), l.shapes.constant(1));
  RankedTensorType type =
      getStaticType({typeOf(tensor).getElementType(), ones});
  Value expanded =
      tensor::ExpandShapeOp::create(l.b, l.loc(), type, tensor, none, ones);
  return castTo(l, expanded, to);
}

Value mlir::ds::reshape(Lowering &l, Value tensor, ArrayRef<OpFoldResult> from,
                        ArrayRef<OpFoldResult> to) {
  tensor = castTo(l, tensor, from);
  if (from == to)
    return tensor;
  if (hasZero(from) || hasZero(to))
    return l.empty(to, typeOf(tensor).getElementType());
  if (auto weight = tensor.getDefiningOp<WeightOp>())
    if (std::optional<SmallVector<int64_t>> shape = getConstantIntValues(to))
      return transformWeight(
          l, weight, ReshapeAttr::get(l.b.getContext(), *shape), *shape);
  if (from.empty() || to.empty())
    return reshapeScalar(l, tensor, from, to);
  return reshapeByGroups(l, tensor, from, to);
}

namespace {
/// What a tensor is a transposition of: result dim i is source dim
/// permutation[i].
struct Transposition {
  Value source;
  SmallVector<int64_t> permutation;
};
} // namespace

static std::optional<Transposition> matchTransposition(Value tensor) {
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic.getNumDpsInits() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops())
    return std::nullopt;
  AffineMap read =
      generic.getMatchingIndexingMap(generic.getDpsInputOperand(0));
  AffineMap written =
      generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  Value yielded = generic.getBody()->getTerminator()->getOperand(0);
  if (!read.isPermutation() || !written.isIdentity() ||
      yielded != generic.getBody()->getArgument(0))
    return std::nullopt;
  SmallVector<int64_t> loops;
  for (AffineExpr expr : read.getResults())
    loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  return Transposition{generic.getDpsInputOperand(0)->get(),
                       invertPermutationVector(loops)};
}

Value mlir::ds::transpose(Lowering &l, Value tensor,
                          ArrayRef<OpFoldResult> dims,
                          ArrayRef<int64_t> permutation) {
  tensor = castTo(l, tensor, dims);
  Dims result = applyPermutation(dims, permutation);
  SmallVector<int64_t> moving;
  for (int64_t dim : permutation)
    if (!isOne(dims[dim]))
      moving.push_back(dim);
  if (llvm::is_sorted(moving))
    return reshape(l, tensor, dims, result);
  if (auto before = matchTransposition(tensor))
    return transpose(
        l, before->source,
        applyPermutation(dims, invertPermutationVector(before->permutation)),
        applyPermutation(ArrayRef(before->permutation), permutation));
  if (auto weight = tensor.getDefiningOp<WeightOp>())
    return transformWeight(l, weight,
                           TransposeAttr::get(l.b.getContext(), permutation),
                           *getConstantIntValues(result));
  // Operand dim permutation[i] runs with loop i.
  AffineMap map = AffineMap::getPermutationMap(
      invertPermutationVector(permutation), l.b.getContext());
  return generate(l, result, typeOf(tensor).getElementType(), tensor, map,
                  [](const Cell &cell) { return cell.inputs[0]; });
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

Value mlir::ds::extractSlice(Lowering &l, Value tensor,
                             ArrayRef<OpFoldResult> offsets,
                             ArrayRef<OpFoldResult> sizes,
                             ArrayRef<OpFoldResult> strides) {
  // An empty slice may start past the end, which the op does not allow. Of a
  // size that only run time knows it is 0 there.
  bool startsPastEnd = llvm::any_of(
      llvm::zip_equal(offsets, typeOf(tensor).getShape()), [](auto pair) {
        auto [offset, dim] = pair;
        auto start = getConstantIntValue(offset);
        return start && !ShapedType::isDynamic(dim) && *start >= dim;
      });
  if (hasZero(sizes) || startsPastEnd)
    return l.empty(sizes, typeOf(tensor).getElementType());
  Dims ones(sizes.size(), l.shapes.constant(1));
  return tensor::ExtractSliceOp::create(l.b, l.loc(), tensor, offsets, sizes,
                                        strides.empty() ? ones : strides);
}

Value mlir::ds::insertSlice(Lowering &l, Value source, Value destination,
                            ArrayRef<OpFoldResult> offsets,
                            ArrayRef<OpFoldResult> sizes) {
  if (hasZero(sizes))
    return destination;
  Dims ones(sizes.size(), l.shapes.constant(1));
  return tensor::InsertSliceOp::create(l.b, l.loc(), castTo(l, source, sizes),
                                       destination, offsets, sizes, ones);
}

//===----------------------------------------------------------------------===//
// Index spaces
//===----------------------------------------------------------------------===//

Value Cell::index(int64_t i) const {
  return linalg::IndexOp::create(b, loc, i);
}

Value Cell::constant(int64_t value) const {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value Cell::extract(Value tensor, ValueRange indices) const {
  return Lowering::extract(b, loc, tensor, indices);
}

Value mlir::ds::generate(Lowering &l, ArrayRef<OpFoldResult> dims, Type element,
                         ValueRange inputs, ArrayRef<AffineMap> maps,
                         function_ref<Value(const Cell &)> body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(l.b.getMultiDimIdentityMap(dims.size()));
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  Value init = l.empty(dims, element);
  return linalg::GenericOp::create(
             l.b, l.loc(), init.getType(), inputs, init, allMaps, iterators,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               Value value = body(Cell{b, loc, args.drop_back()});
               linalg::YieldOp::create(b, loc, value);
             })
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult mlir::ds::require(Lowering &l, Operation *op, OpFoldResult holds,
                                OpFoldResult v0, OpFoldResult v1,
                                StringRef message) {
  if (auto known = getConstantIntValue(holds)) {
    if (*known)
      return success();
    auto text = [](OpFoldResult value) {
      auto known = getConstantIntValue(value);
      return known ? std::to_string(*known) : std::string("?");
    };
    return op->emitOpError(
        llvm::formatv(false, message.str().c_str(), text(v0), text(v1)).str());
  }
  // A comparison is a bit already.
  auto comparison = cast<Value>(holds).getDefiningOp<arith::IndexCastUIOp>();
  Value bit = comparison ? comparison.getIn() : Value();
  if (!bit || !bit.getType().isInteger(1))
    bit = arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::ne,
                                cast<Value>(holds),
                                l.shapes.materialize(l.shapes.constant(0)));
  CheckOp::create(l.b, l.loc(), bit, l.shapes.materialize(v0),
                  l.shapes.materialize(v1), message);
  return success();
}

LogicalResult mlir::ds::requireAtLeast(Lowering &l, Operation *op,
                                       OpFoldResult value, int64_t least,
                                       StringRef message) {
  if (least <= 0 && onnx::isNonNegative(value))
    return success();
  OpFoldResult bound = l.shapes.constant(least);
  return require(l, op,
                 l.shapes.compare(arith::CmpIPredicate::sge, value, bound),
                 value, bound, message);
}
