//===- DSUnpad.cpp - Runs token-wise ops without padding ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A region grows from the attention ops: backwards to what their operands are
// computed from, forwards to what is computed from their results, through ops
// that treat the dims of sequences and of positions one by one. The ops of the
// region are made anew on packed rows; what enters it is packed, what leaves it
// is unpacked, and whether anything could tell zeros at padding from what used
// to be there decides if all of that is done at all. Attention of other query
// rows, such as the first ones alone, is outside: its keys and values leave.
//
//===----------------------------------------------------------------------===//

#include "MaskValues.h"
#include "ParallelDims.h"
#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSUNPAD
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSUnpad : mlir::ds::impl::DSUnpadBase<DSUnpad> {
  using DSUnpadBase::DSUnpadBase;
  void runOnOperation() override;
};

/// The dims of a value that number sequences and positions in them.
struct TokenDims {
  int64_t sequence, position;
  bool operator==(const TokenDims &other) const {
    return sequence == other.sequence && position == other.position;
  }
};

/// How an op of the region reads an operand.
struct Reading {
  enum Kind {
    Whole,  // as it is: its elements belong to no token
    Shared, // a row for each position, the same for all sequences
    Packed, // rows of its own
    Unknown
  } kind;
  TokenDims dims;
};

class Unpadding {
public:
  Unpadding(func::FuncOp func, bool zeroPadding)
      : func(func), zeroPadding(zeroPadding), builder(func.getContext()),
        shapes(builder, func.getLoc()) {}

  /// Whether there is attention with a mask and all can be packed; where not,
  /// remarks say why.
  bool analyse();
  void rewrite();

private:
  bool findMaskOfAll();
  bool checkAttention(AttentionOp op);
  void learnShapes();

  Reading readingOf(OpOperand &operand, TokenDims result);
  bool canPack(Operation *op, TokenDims result);
  bool add(Value value, TokenDims dims);
  bool addSources(Operation *op);
  bool addAllSources();
  bool addUsers(Value value);
  bool grow();
  bool checkLeaving(Value value);
  std::optional<TokenDims> dimsOfMask(Value value);
  bool isZeroAtPadding(Value value, TokenDims dims);
  bool ignoresPadding(OpOperand &use);

  Value pack(Value value);
  void unpack(Value from, Value to, TokenDims dims);
  void cloneOp(Operation *op);
  bool miss(Operation *op, const Twine &reason) {
    reportMissed(op, "ds-unpad", "unpadded op", reason);
    return false;
  }

  func::FuncOp func;
  bool zeroPadding;
  OpBuilder builder;
  ShapeBuilder shapes;
  Value mask;
  SmallVector<AttentionOp> attentions;
  /// Those of other query rows: they read keys and values from the region.
  SmallVector<AttentionOp> readers;
  llvm::MapVector<Value, TokenDims> tokens;
  SetVector<Operation *> region;
  /// What is computed from the result of an attention.
  SetVector<Operation *> follows;
  SmallVector<Value> work;

  Value offsets, rows;
  IRMapping packed;
};
} // namespace

//===----------------------------------------------------------------------===//
// The mask
//===----------------------------------------------------------------------===//

/// A bias broadcasts to the scores: what expands it before says nothing.
static void dropExpands(AttentionOp op) {
  while (Value bias = op.getBias()) {
    auto expand = bias.getDefiningOp<onnx::ExpandOp>();
    if (!expand ||
        typeOf(expand.getInput()).getRank() != typeOf(bias).getRank())
      return;
    op.getBiasMutable().assign(expand.getInput());
  }
}

/// The weight of a key beside one of a bias of 0 is 0 when its own is this.
static constexpr double masksOut = -1e4;

/// The dims of a value computed from the mask that are the mask's.
std::optional<TokenDims> Unpadding::dimsOfMask(Value value) {
  if (value == mask)
    return TokenDims{0, 1};
  Operation *op = value.getDefiningOp();
  std::optional<TokenDims> result;
  for (OpOperand &operand :
       op ? op->getOpOperands() : MutableArrayRef<OpOperand>()) {
    if (isa<NoneType>(operand.get().getType()) ||
        findMask(operand.get()) != mask)
      continue;
    auto dims = dimsOfMask(operand.get());
    auto parallel = getParallelDims(operand, shapes);
    if (!dims || !parallel)
      return std::nullopt;
    TokenDims own = {(*parallel)[dims->sequence], (*parallel)[dims->position]};
    if (own.sequence < 0 || own.position < 0 || (result && !(*result == own)))
      return std::nullopt;
    result = own;
  }
  return result;
}

bool Unpadding::checkAttention(AttentionOp op) {
  dropExpands(op);
  Value bias = op.getBias();
  if (!bias)
    return miss(op, "it has no mask");
  RankedTensorType type = typeOf(bias);
  ArrayRef<int64_t> shape = type.getShape();
  if (shape.size() != 4 || shape[1] != 1 || shape[2] != 1)
    return miss(op, "its mask is not one of keys alone");
  Value found = findMask(bias);
  if (!found || (mask && found != mask))
    return miss(op, "its mask is not computed by element from the one input");
  mask = found;
  // A mask that broadcasts over sequences says nothing of each.
  auto dims = dimsOfMask(bias);
  if (!dims || !(*dims == TokenDims{0, 3}) ||
      shapes.dim(mask, 0) != shapes.dim(op.getResult(), 0) ||
      shapes.dim(mask, 1) != shapes.dim(op.getKey(), 2))
    return miss(op, "its mask is not one of [batch, sequence]");
  auto kept = valueWhereMaskIs(bias, mask, 1),
       dropped = valueWhereMaskIs(bias, mask, 0);
  bool isBool = type.getElementType().isInteger(1);
  if (!kept || !dropped || (isBool ? *kept == 0 : std::abs(*kept) > 100) ||
      (isBool ? *dropped != 0 : !(*dropped <= masksOut)))
    return miss(op, "its mask does not hide keys where the input is 0");
  // Those of ds.row_offsets.
  Type number = typeOf(mask).getElementType();
  if (!number.isSignlessInteger(1) && !number.isSignlessInteger(32) &&
      !number.isSignlessInteger(64) && !number.isF32())
    return miss(op, "its mask's element type is not supported");
  if (op.getHeadWeight() && typeOf(op.getHeadWeight()).getRank() > 1)
    return miss(op, "its heads have weights for each sequence");
  // Only these run by sequence; the others form all scores of all rows.
  if (!op.getType().getElementType().isF32() ||
      typeOf(op.getKey()).isDynamicDim(3) ||
      typeOf(op.getValueOrKey()).isDynamicDim(3))
    return miss(op, "its elements are not f32, or its rows of unknown width");
  if (op.getQueryStart() || op.getKeyLength() || op.getKeyIndex() ||
      op.getKvPage() || !op.getModifiers().empty())
    return miss(op, "it has positions, pages or regions of its own");
  return true;
}

bool Unpadding::findMaskOfAll() {
  SmallVector<AttentionOp> all;
  func.walk([&](AttentionOp op) { all.push_back(op); });
  // A model without masks has no padding to leave out.
  if (llvm::none_of(all, [](AttentionOp op) { return op.getBias(); }))
    return false;
  // Rows of a graph in an op would be packed although it may not run.
  for (Operation &op : func.getBody().front())
    if (onnx::isControlFlow(&op))
      return miss(&op, "its graphs may read padded rows");
  learnShapes();
  for (AttentionOp op : all) {
    if (!checkAttention(op))
      return false;
    bool isOfAll = shapes.dim(mask, 1) == shapes.dim(op.getResult(), 2);
    (isOfAll ? attentions : readers).push_back(op);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The region
//===----------------------------------------------------------------------===//

/// Dims are values that must dominate what asks for them: all are made here, in
/// order.
void Unpadding::learnShapes() {
  Block &entry = func.getBody().front();
  builder.setInsertionPointToStart(&entry);
  bindEntryDims(func, shapes);
  for (Operation &op : llvm::make_early_inc_range(entry)) {
    builder.setInsertionPointAfter(&op);
    for (Value result : op.getResults())
      if (isa<RankedTensorType>(result.getType()))
        (void)shapes.dims(result);
  }
}

Reading Unpadding::readingOf(OpOperand &operand, TokenDims result) {
  Value value = operand.get();
  auto parallel = getParallelDims(operand, shapes);
  if (!parallel)
    return {Reading::Unknown, {}};
  auto find = [&](int64_t dim) {
    auto *found = llvm::find(*parallel, dim);
    return found == parallel->end() ? -1 : int64_t(found - parallel->begin());
  };
  TokenDims own = {find(result.sequence), find(result.position)};
  auto varies = [&](int64_t dim) {
    return dim >= 0 && typeOf(value).getDimSize(dim) != 1;
  };
  bool hasPositions = varies(own.position), hasSequences = varies(own.sequence);
  Value output = operand.getOwner()->getResult(0);
  auto isWhole = [&](int64_t dim, int64_t resultDim) {
    OpFoldResult whole = shapes.dim(output, resultDim);
    return shapes.dim(value, dim) == whole ||
           ShapeBuilder::isClamped(shapes.dim(value, dim), whole);
  };
  // Rows for the positions of the only sequence are that sequence's.
  if (hasPositions && own.sequence >= 0 &&
      typeOf(output).getDimSize(result.sequence) == 1)
    hasSequences = true;
  if (!hasSequences && !hasPositions)
    return {Reading::Whole, own};
  if (!hasPositions || !isWhole(own.position, result.position))
    return {Reading::Unknown, own};
  if (!hasSequences)
    return {own.sequence < 0 ? Reading::Unknown : Reading::Shared, own};
  if (!isWhole(own.sequence, result.sequence))
    return {Reading::Unknown, own};
  return {Reading::Packed, own};
}

/// Whether `op` gives packed rows from packed rows.
bool Unpadding::canPack(Operation *op, TokenDims result) {
  if (isa<onnx::ExpandOp>(op))
    return false;
  for (Value other : op->getResults().drop_front())
    if (!other.use_empty())
      return false;
  if (auto attention = dyn_cast<AttentionOp>(op);
      attention &&
      (!(result == TokenDims{0, 2}) || llvm::is_contained(readers, attention)))
    return false;
  // Its new shape names what is behind the dims of tokens.
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op);
      reshape && (!(result == TokenDims{0, 1}) ||
                  !canKeepLeadingDims(reshape, /*count=*/2)))
    return false;
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    return readingOf(operand, result).kind != Reading::Unknown;
  });
}

bool Unpadding::add(Value value, TokenDims dims) {
  auto [known, isNew] = tokens.insert({value, dims});
  if (!isNew)
    return known->second == dims;
  work.push_back(value);
  return true;
}

/// Adds what `op`, of the region, computes from.
bool Unpadding::addSources(Operation *op) {
  TokenDims result = tokens.lookup(op->getResult(0));
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    Reading reading = readingOf(operand, result);
    if (reading.kind == Reading::Whole)
      continue;
    if (reading.kind == Reading::Shared && !(reading.dims == TokenDims{0, 1}))
      return miss(op, "an operand for each position has another shape");
    if (reading.kind == Reading::Packed && !add(value, reading.dims))
      return miss(op, "an operand is read in two ways");
  }
  return true;
}

/// Adds what is computed from `value` by token, and from nothing new.
bool Unpadding::addUsers(Value value) {
  TokenDims dims = tokens.lookup(value);
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (region.contains(user) || user->getNumResults() == 0)
      continue;
    auto parallel = getParallelDims(use, shapes);
    if (!parallel)
      continue;
    TokenDims result = {(*parallel)[dims.sequence], (*parallel)[dims.position]};
    if (result.sequence < 0 || result.position < 0 || !canPack(user, result))
      continue;
    bool isNew = llvm::any_of(user->getOpOperands(), [&](OpOperand &operand) {
      Reading reading = readingOf(operand, result);
      return reading.kind == Reading::Shared ||
             (reading.kind == Reading::Packed &&
              !follows.contains(operand.get().getDefiningOp()) &&
              !tokens.contains(operand.get()));
    });
    if (!isNew && !add(user->getResult(0), result))
      return miss(user, "its rows are read in two ways");
  }
  return true;
}

/// Makes the ops of values that have come into the region part of it, and all
/// that they are computed from. Where that does not go by token, the region's
/// border is.
bool Unpadding::addAllSources() {
  while (!work.empty()) {
    Value value = work.pop_back_val();
    TokenDims dims = tokens.lookup(value);
    Operation *op = value.getDefiningOp();
    if (op && op->getResult(0) == value && canPack(op, dims)) {
      region.insert(op);
      if (!addSources(op))
        return false;
    } else if (!(dims == TokenDims{0, 1})) {
      return miss(op ? op : func, "its tokens cannot be told apart");
    }
  }
  return true;
}

bool Unpadding::grow() {
  for (AttentionOp op : attentions) {
    if (!canPack(op, {0, 2}))
      return miss(op, "its operands do not have a row for each token");
    getForwardSlice(op.getResult(), &follows);
    follows.insert(op);
    add(op.getResult(), {0, 2});
  }
  for (AttentionOp op : readers)
    for (Value rows : {op.getKey(), op.getValueOrKey()})
      if (!add(rows, {0, 2}))
        return miss(op, "its keys are read in two ways");
  do {
    if (!addAllSources())
      return false;
    // What has become known may let through what it did not before.
    for (Operation *op : region.getArrayRef().vec())
      if (follows.contains(op) && !addUsers(op->getResult(0)))
        return false;
  } while (!work.empty());
  return true;
}

//===----------------------------------------------------------------------===//
// What leaves the region
//===----------------------------------------------------------------------===//

/// Whether `value` holds zeros at padding as it is. A product with 0 is 0: of
/// infinities and NaN at padding, which have no meaning, more is not asked.
bool Unpadding::isZeroAtPadding(Value value, TokenDims dims) {
  auto isZero = [&](Value masked) {
    int64_t shift = typeOf(value).getRank() - typeOf(masked).getRank();
    auto own = dimsOfMask(masked);
    return own && own->sequence + shift == dims.sequence &&
           own->position + shift == dims.position &&
           valueWhereMaskIs(masked, mask, 0) == 0.0;
  };
  auto product = value.getDefiningOp<onnx::MulOp>();
  return isZero(value) ||
         (product && llvm::any_of(product->getOperands(), isZero));
}

/// Whether `use` reads no row of padding. The first row of a sequence is none.
bool Unpadding::ignoresPadding(OpOperand &use) {
  Operation *user = use.getOwner();
  if (isa<onnx::ShapeOp, onnx::SizeOp>(user))
    return true;
  // The mask hides keys at padding.
  if (isa<AttentionOp>(user))
    return llvm::is_contained(readers, user) && use.getOperandNumber() > 0;
  if (isa<onnx::MulOp>(user)) {
    Value product = user->getResult(0);
    int64_t shift = typeOf(product).getRank() - typeOf(use.get()).getRank();
    TokenDims dims = tokens.lookup(use.get());
    return isZeroAtPadding(product,
                           {dims.sequence + shift, dims.position + shift});
  }
  auto isZero = [](std::optional<SmallVector<int64_t>> numbers) {
    return numbers && numbers->size() == 1 && numbers->front() == 0;
  };
  int64_t rank = typeOf(use.get()).getRank();
  auto isOfPositions = [&](int64_t axis) {
    return (axis < 0 ? axis + rank : axis) == tokens.lookup(use.get()).position;
  };
  if (auto gather = dyn_cast<onnx::GatherOp>(user))
    return use.getOperandNumber() == 0 && isOfPositions(gather.getAxis()) &&
           isZero(getIntConstant(gather.getIndices()));
  if (auto slice = dyn_cast<onnx::SliceOp>(user)) {
    auto axes = onnx::isPresent(slice.getAxes())
                    ? getIntConstant(slice.getAxes())
                    : std::nullopt;
    auto ends = getIntConstant(slice.getEnds());
    return use.getOperandNumber() == 0 && axes && axes->size() == 1 &&
           isOfPositions(axes->front()) &&
           isZero(getIntConstant(slice.getStarts())) && ends &&
           ends->front() == 1;
  }
  return false;
}

bool Unpadding::checkLeaving(Value value) {
  // What the mask alone decides is there as it was.
  if (findMask(value) == mask)
    return true;
  bool isZero = isZeroAtPadding(value, tokens.lookup(value));
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (region.contains(user))
      continue;
    bool isReturned = isa<func::ReturnOp>(user);
    if (!isZero && !(isReturned && zeroPadding) && !ignoresPadding(use))
      return miss(isReturned ? value.getDefiningOp() : user,
                  isReturned ? "it is an output with rows at padding, which "
                               "--padding=zero makes zeros"
                             : "it reads what is computed at padding");
  }
  return true;
}

bool Unpadding::analyse() {
  if (!findMaskOfAll() || !grow())
    return false;
  return llvm::all_of(
      region, [&](Operation *op) { return checkLeaving(op->getResult(0)); });
}

//===----------------------------------------------------------------------===//
// The new ops
//===----------------------------------------------------------------------===//

static RankedTensorType packedType(Type type, TokenDims dims) {
  auto ranked = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape = llvm::to_vector(ranked.getShape());
  shape[dims.sequence] = 1;
  shape[dims.position] = ShapedType::kDynamic;
  return ranked.clone(shape);
}

Value Unpadding::pack(Value value) {
  if (Value known = packed.lookupOrNull(value))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfterValue(value.getDefiningOp() ? value : offsets);
  Value made = PackRowsOp::create(builder, value.getLoc(),
                                  packedType(value.getType(), {0, 1}), value,
                                  rows, mask);
  packed.map(value, made);
  return made;
}

void Unpadding::cloneOp(Operation *op) {
  builder.setInsertionPoint(op);
  TokenDims result = tokens.lookup(op->getResult(0));
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    if (readingOf(operand, result).kind == Reading::Whole)
      operands.push_back(operand.get());
    else
      operands.push_back(pack(operand.get()));
  }
  Operation *clone = builder.clone(*op);
  clone->setOperands(operands);
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(clone))
    keepLeadingDims(reshape, /*count=*/2, builder);
  for (Value made : clone->getResults())
    made.setType(packedType(made.getType(), result));
  if (auto attention = dyn_cast<AttentionOp>(clone))
    attention.getRowOffsetsMutable().assign(offsets);

  Value from = op->getResult(0), to = clone->getResult(0);
  packed.map(from, to);
  unpack(from, to, result);
}

/// Lets what is outside of the region read `from` from the rows of `to`.
void Unpadding::unpack(Value from, Value to, TokenDims dims) {
  if (findMask(from) == mask)
    return;
  auto leaves = [&](OpOperand &use) {
    return !region.contains(use.getOwner());
  };
  if (llvm::none_of(from.getUses(), leaves))
    return;
  SmallVector<int64_t> order = {dims.sequence, dims.position};
  for (int64_t dim = 0, rank = typeOf(from).getRank(); dim < rank; ++dim)
    if (!llvm::is_contained(order, dim))
      order.push_back(dim);
  Location loc = from.getLoc();
  Value rows = createTranspose(builder, loc, to, order);
  rows = UnpackRowsOp::create(builder, loc, permuteType(from.getType(), order),
                              rows, offsets, mask);
  rows = createTranspose(builder, loc, rows, invertPermutationVector(order));
  from.replaceUsesWithIf(rows, leaves);
}

void Unpadding::rewrite() {
  builder.setInsertionPointToStart(&func.getBody().front());
  Type numbers =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI64Type());
  auto packing = RowOffsetsOp::create(builder, mask.getLoc(),
                                      TypeRange{numbers, numbers}, mask);
  offsets = packing.getOffsets();
  rows = packing.getRows();
  for (Operation &op : llvm::make_early_inc_range(func.getBody().front()))
    if (region.contains(&op))
      cloneOp(&op);
}

void DSUnpad::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  Unpadding unpadding(func, zeroPadding);
  if (unpadding.analyse())
    unpadding.rewrite();
  eraseDeadOps(func);
}
