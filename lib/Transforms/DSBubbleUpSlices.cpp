//===- DSBubbleUpSlices.cpp - Computes the rows that are read -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// From what selects rows, a region grows backwards through ops that treat these
// rows one by one and whose result nothing else reads. Its ops are made anew
// for the selected rows, and what enters it is selected from.
//
//===----------------------------------------------------------------------===//

#include "ParallelDims.h"
#include "RaiseHelpers.h"
#include "ShapeReads.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSBUBBLEUPSLICES
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSBubbleUpSlices
    : mlir::ds::impl::DSBubbleUpSlicesBase<DSBubbleUpSlices> {
  void runOnOperation() override;
};

/// What selects few rows of its first operand along one dim, by constants.
struct Selection {
  Operation *op; // onnx.Gather or onnx.Slice
  int64_t dim;
  /// The selected rows as a type has them.
  int64_t size;
  /// Whether they are the last ones, all of them.
  bool areLast;
};

class Bubbling {
public:
  Bubbling(Selection selection, ShapeBuilder &shapes)
      : selection(selection), shapes(shapes), builder(selection.op) {}

  /// Whether there is anything to win.
  bool analyse();
  void rewrite();

private:
  std::optional<int64_t> selectedDim(OpOperand &operand, int64_t resultDim);
  bool canSelect(Operation *op, int64_t dim);
  std::optional<int64_t> dimThatUsersRead(Value value);

  RankedTensorType selectedType(Type type, int64_t dim);
  Value select(Value value, int64_t dim);
  void cloneOp(Operation *op, int64_t dim);

  Selection selection;
  ShapeBuilder &shapes;
  OpBuilder builder;
  /// With the dim of the first result of which rows are selected; users first.
  llvm::MapVector<Operation *, int64_t> region;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> selected;
};
} // namespace

//===----------------------------------------------------------------------===//
// What selects
//===----------------------------------------------------------------------===//

/// The most rows that are few of any number of them. Attention gives as few
/// rows the same bits, be there more or less: how long a text is padded is not
/// to change them.
static constexpr int64_t mostOfUnknown = 4;

/// Whether `size` rows of `whole` are so few that to select them costs less
/// than to compute all.
static bool isFew(int64_t size, int64_t whole) {
  return ShapedType::isDynamic(whole) ? size <= mostOfUnknown
                                      : 2 * size <= whole;
}

/// The dim of an axis, or nullopt where there is no such, which is an error
/// elsewhere (`onnx::normalizeAxis`) and none here.
static std::optional<int64_t> dimOfAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

static std::optional<Selection> matchGather(onnx::GatherOp op) {
  RankedTensorType type = typeOf(op.getData());
  auto indices = getIntConstant(op.getIndices());
  auto dim = dimOfAxis(op.getAxis(), type.getRank());
  if (!indices || indices->empty() || !dim ||
      typeOf(op.getIndices()).getRank() > 1)
    return std::nullopt;
  int64_t size = indices->size(), whole = type.getDimSize(*dim);
  if (!isFew(size, whole))
    return std::nullopt;
  bool isLast =
      size == 1 && (indices->front() == -1 || indices->front() == whole - 1);
  return Selection{op, *dim, size, isLast};
}

static std::optional<Selection> matchSlice(onnx::SliceOp op) {
  auto single = [](Value value) -> std::optional<int64_t> {
    auto numbers = onnx::isPresent(value) ? getIntConstant(value)
                                          : SmallVector<int64_t>{1};
    return numbers && numbers->size() == 1
               ? std::optional<int64_t>(numbers->front())
               : std::nullopt;
  };
  auto start = single(op.getStarts()), end = single(op.getEnds());
  if (!start || !end || !onnx::isPresent(op.getAxes()) ||
      single(op.getSteps()) != 1)
    return std::nullopt;
  RankedTensorType type = typeOf(op.getData());
  std::optional<int64_t> dim = single(op.getAxes());
  if (dim)
    dim = dimOfAxis(*dim, type.getRank());
  if (!dim)
    return std::nullopt;
  int64_t whole = type.getDimSize(*dim);
  constexpr int64_t far = std::numeric_limits<int32_t>::max();
  int64_t first = std::clamp(*start, -far, far),
          behind = std::clamp(*end, -far, far);
  bool areLast = behind == far;
  if (!ShapedType::isDynamic(whole)) {
    auto place = [&](int64_t bound) {
      return std::clamp<int64_t>(bound < 0 ? bound + whole : bound, 0, whole);
    };
    first = place(first);
    behind = place(behind);
    areLast = behind == whole;
  } else if (areLast && first < 0) {
    behind = 0; // both count from the end now
  } else if ((first < 0) != (behind < 0)) {
    return std::nullopt; // as far apart as the dim is long
  }
  if (first >= behind || !isFew(behind - first, whole))
    return std::nullopt;
  return Selection{op, *dim, typeOf(op.getOutput()).getDimSize(*dim), areLast};
}

static std::optional<Selection> matchSelection(Operation *op) {
  // What selects from vectors is arithmetic of shapes.
  if (!isa<onnx::GatherOp, onnx::SliceOp>(op) ||
      typeOf(op->getOperand(0)).getRank() < 2)
    return std::nullopt;
  if (auto gather = dyn_cast<onnx::GatherOp>(op))
    return matchGather(gather);
  if (auto slice = dyn_cast<onnx::SliceOp>(op))
    return matchSlice(slice);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The region
//===----------------------------------------------------------------------===//

/// Rows of queries are selected, with theirs of a bias and of weights.
static int64_t selectedDimOfAttention(AttentionOp op, OpOperand &operand) {
  int64_t rank = typeOf(operand.get()).getRank();
  if (operand.getOperandNumber() == 0)
    return 2;
  if (isOperandOf(operand, op.getBiasMutable()))
    return rank - 2;
  bool isOfRows = rank == 3 && isOperandOf(operand, op.getHeadWeightMutable());
  return isOfRows ? 2 : -1;
}

/// The dim of `operand` whose rows those of the first result's `resultDim` are
/// computed from; -1 where that is all of it, nullopt where it is not known.
std::optional<int64_t> Bubbling::selectedDim(OpOperand &operand,
                                             int64_t resultDim) {
  Value value = operand.get();
  if (isa<NoneType>(value.getType()))
    return -1;
  int64_t dim;
  if (auto attention = dyn_cast<AttentionOp>(operand.getOwner())) {
    dim = selectedDimOfAttention(attention, operand);
  } else {
    auto parallel = getParallelDims(operand, shapes);
    if (!parallel)
      return std::nullopt;
    auto *found = llvm::find(*parallel, resultDim);
    dim = found == parallel->end() ? -1 : found - parallel->begin();
  }
  if (dim < 0 || typeOf(value).getDimSize(dim) == 1)
    return -1;
  OpFoldResult own = shapes.dim(value, dim);
  OpFoldResult whole = shapes.dim(operand.getOwner()->getResult(0), resultDim);
  // A dim of another size may be 1, for all rows, or an error.
  if (own != whole)
    return std::nullopt;
  return dim;
}

/// Why attention gives a row something else where other rows are not there, or
/// nothing. Positions count from the last row, which must stay the last.
static StringRef whyRowsDepend(AttentionOp op, bool areLast) {
  if (op.getRowOffsets())
    return "its sequences are packed";
  if (op.getKeyIndex())
    return "its lists of keys are for blocks of rows";
  if (op.getQueryStart())
    return "the position of its first row is given";
  bool hasPositions = op.getCausal() || op.getLeft() || op.getRight() ||
                      !op.getModifiers().empty();
  if (hasPositions && !areLast)
    return "its rows have positions, and those that are read are not the last";
  return "";
}

bool Bubbling::canSelect(Operation *op, int64_t dim) {
  // An Expand says by an operand how many rows there are.
  if (isa<onnx::ExpandOp>(op))
    return false;
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op);
      reshape && !canKeepLeadingDims(reshape, dim + 1))
    return false;
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    if (dim != 2)
      return false;
    StringRef reason = whyRowsDepend(attention, selection.areLast);
    if (!reason.empty()) {
      reportMissed(op, "ds-bubble-up-slices",
                   "attention of the rows that are read", reason);
      return false;
    }
  }
  bool isReached = false;
  for (OpOperand &operand : op->getOpOperands()) {
    std::optional<int64_t> own = selectedDim(operand, dim);
    if (!own)
      return false;
    // An index outside of a table is an error, also where nothing reads it.
    if (*own >= 0 && isa<onnx::GatherOp>(op) && operand.getOperandNumber() == 1)
      return false;
    isReached |= *own >= 0;
  }
  return isReached;
}

/// The dim of which all that uses `value` reads the selected rows alone.
std::optional<int64_t> Bubbling::dimThatUsersRead(Value value) {
  std::optional<int64_t> result;
  for (OpOperand &use : value.getUses()) {
    std::optional<int64_t> dim;
    if (use.getOwner() == selection.op && use.getOperandNumber() == 0)
      dim = selection.dim;
    else if (auto *user = region.find(use.getOwner()); user != region.end())
      dim = selectedDim(use, user->second);
    if (!dim || *dim < 0 || (result && *result != *dim))
      return std::nullopt;
    result = dim;
  }
  return result;
}

bool Bubbling::analyse() {
  Block *block = selection.op->getBlock();
  SmallPtrSet<Operation *, 8> sources;
  auto addSource = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (op && op->getBlock() == block)
      sources.insert(op);
  };
  addSource(selection.op->getOperand(0));
  // What uses a value comes behind it: one walk sees all users first.
  bool isWorthwhile = false;
  for (Operation *op = selection.op; !sources.empty();) {
    op = op->getPrevNode();
    if (!sources.erase(op) ||
        llvm::any_of(op->getResults().drop_front(),
                     [](Value other) { return !other.use_empty(); }))
      continue;
    std::optional<int64_t> dim = dimThatUsersRead(op->getResult(0));
    if (!dim || !canSelect(op, *dim))
      continue;
    region.insert({op, *dim});
    isWorthwhile |= isa<LinearOp, AttentionOp>(op);
    for (OpOperand &operand : op->getOpOperands())
      if (*selectedDim(operand, *dim) >= 0)
        addSource(operand.get());
  }
  return isWorthwhile;
}

//===----------------------------------------------------------------------===//
// The new ops
//===----------------------------------------------------------------------===//

RankedTensorType Bubbling::selectedType(Type type, int64_t dim) {
  auto ranked = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape = llvm::to_vector(ranked.getShape());
  shape[dim] = selection.size;
  return ranked.clone(shape);
}

/// The selected rows of `value`, computed for them or taken out.
Value Bubbling::select(Value value, int64_t dim) {
  Value &made = selected[{value, dim}];
  if (made)
    return made;
  Location loc = selection.op->getLoc();
  RankedTensorType type = selectedType(value.getType(), dim);
  if (auto gather = dyn_cast<onnx::GatherOp>(selection.op)) {
    Value list = onnx::ConstantOp::create(
        builder, loc,
        builder.getI64TensorAttr(*getIntConstant(gather.getIndices())));
    made = onnx::GatherOp::create(builder, loc, type, value, list, dim);
  } else {
    auto slice = cast<onnx::SliceOp>(selection.op);
    Value axis =
        onnx::ConstantOp::create(builder, loc, builder.getI64TensorAttr({dim}));
    made = onnx::SliceOp::create(builder, loc, type, value, slice.getStarts(),
                                 slice.getEnds(), axis, slice.getSteps());
  }
  return made;
}

void Bubbling::cloneOp(Operation *op, int64_t dim) {
  SmallVector<Value> operands;
  for (OpOperand &operand : op->getOpOperands()) {
    int64_t own = *selectedDim(operand, dim);
    operands.push_back(own < 0 ? operand.get() : select(operand.get(), own));
  }
  Operation *clone = builder.clone(*op);
  clone->setOperands(operands);
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(clone))
    keepLeadingDims(reshape, dim + 1, builder);
  for (Value made : clone->getResults())
    made.setType(selectedType(made.getType(), dim));
  selected[{op->getResult(0), dim}] = clone->getResult(0);
}

void Bubbling::rewrite() {
  builder.setInsertionPoint(selection.op);
  for (auto [op, dim] : llvm::reverse(region))
    cloneOp(op, dim);
  Value from = selection.op->getResult(0);
  Value rows = select(selection.op->getOperand(0), selection.dim);
  // An index without a dim leaves none.
  if (typeOf(rows).getRank() != typeOf(from).getRank()) {
    auto type = RankedTensorType::get({}, builder.getI64Type());
    Value first = onnx::ConstantOp::create(
        builder, from.getLoc(), DenseElementsAttr::get(type, int64_t(0)));
    rows = onnx::GatherOp::create(builder, from.getLoc(), from.getType(), rows,
                                  first, selection.dim);
  }
  from.replaceAllUsesWith(withTypeOf(from, rows, builder));
}

void DSBubbleUpSlices::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  Block &entry = func.getBody().front();
  if (llvm::none_of(entry, [](Operation &op) { return matchSelection(&op); }))
    return;
  // What reads a shape reads no rows.
  readShapesOfArguments(func);
  SmallVector<Selection> selections;
  for (Operation &op : entry)
    if (auto selection = matchSelection(&op))
      selections.push_back(*selection);

  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  for (const Selection &selection : selections) {
    builder.setInsertionPoint(selection.op);
    Bubbling bubbling(selection, shapes);
    if (bubbling.analyse())
      bubbling.rewrite();
  }
  eraseDeadOps(func);
}
