//===- AttentionHeads.cpp - Heads and their parts of projections ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionHeads.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// Which heads
//===----------------------------------------------------------------------===//

HeadSet mlir::ds::chooseHeads(ArrayRef<double> importance, int64_t keyHeads,
                              double threshold) {
  int64_t group = importance.size() / keyHeads;
  // What is no number is not below anything, and stays.
  auto stays = [&](int64_t head) { return !(importance[head] < threshold); };
  auto comesFirst = [&](int64_t lhs, int64_t rhs) {
    return std::pair(-importance[lhs], lhs) < std::pair(-importance[rhs], rhs);
  };
  SmallVector<int64_t> all =
      llvm::to_vector(llvm::seq<int64_t>(importance.size()));
  int64_t first = *llvm::min_element(all, comesFirst);
  bool noneStays = llvm::none_of(all, stays);
  SmallVector<SmallVector<int64_t>> groups(keyHeads);
  size_t size = 0;
  for (int64_t head : all)
    if (stays(head) || (noneStays && head == first)) {
      groups[head / group].push_back(head);
      size = std::max(size, groups[head / group].size());
    }
  HeadSet kept;
  for (auto [key, members] : llvm::enumerate(groups)) {
    if (members.empty())
      continue;
    SmallVector<int64_t> others;
    for (int64_t head : ArrayRef(all).slice(key * group, group))
      if (!llvm::is_contained(members, head))
        others.push_back(head);
    llvm::sort(others, comesFirst);
    llvm::append_range(members,
                       ArrayRef(others).take_front(size - members.size()));
    llvm::sort(members);
    kept.key.push_back(key);
    llvm::append_range(kept.query, members);
  }
  return kept;
}

std::optional<SmallVector<double>>
mlir::ds::getConstantHeadWeights(AttentionOp op) {
  Value weight = op.getHeadWeight();
  SmallVector<double> weights;
  if (!weight) {
    weights.assign(op.getType().getDimSize(1), 1);
    return weights;
  }
  if (typeOf(weight).getRank() != 1)
    return std::nullopt;
  // The same numbers in another shape.
  Operation *view = weight.getDefiningOp();
  if (isa_and_nonnull<onnx::ReshapeOp, onnx::SqueezeOp>(view))
    weight = view->getOperand(0);
  DenseElementsAttr elements;
  if (!matchPattern(weight, m_Constant(&elements)))
    return std::nullopt;
  for (APFloat value : elements.getValues<APFloat>()) {
    bool loses = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    weights.push_back(value.convertToDouble());
  }
  return weights;
}

//===----------------------------------------------------------------------===//
// Ops that keep heads apart
//===----------------------------------------------------------------------===//

namespace {
/// The sizes of the dims in which heads lie. `joined` is more than heads ·
/// width where the heads of other operands are beside them.
struct HeadSizes {
  int64_t heads, width, joined;

  int64_t of(HeadDim dim) const { return dim.joined ? joined : heads; }
};

/// What the heads of an op's result are the heads of.
struct HeadSource {
  unsigned operand;
  HeadDim dim;
};
} // namespace

/// Whether the last dims of `type` are heads and their elements.
static bool endsInHeads(RankedTensorType type, HeadSizes sizes) {
  int64_t rank = type.getRank();
  return rank >= 2 && type.getDimSize(rank - 2) == sizes.heads &&
         type.getDimSize(rank - 1) == sizes.width;
}

static std::optional<HeadSource>
sourceOfReshape(onnx::ReshapeOp op, HeadDim result, HeadSizes sizes) {
  RankedTensorType from = typeOf(op.getData()), to = typeOf(op.getReshaped());
  int64_t fromLast = from.getRank() - 1, toLast = to.getRank() - 1;
  if (fromLast < 0)
    return std::nullopt;
  bool fromJoined = from.getDimSize(fromLast) == sizes.joined;
  if (!result.joined) {
    if (!endsInHeads(to, sizes) || result.dim != toLast - 1)
      return std::nullopt;
    if (endsInHeads(from, sizes))
      return HeadSource{0, {fromLast - 1, false}};
    if (fromJoined)
      return HeadSource{0, {fromLast, true}};
    return std::nullopt;
  }
  // What -1 gives is not always known. That the next linear layer takes it says
  // what it is.
  int64_t size = to.getDimSize(toLast);
  if (result.dim != toLast || !compatibleDims(size, sizes.joined))
    return std::nullopt;
  if (fromJoined)
    return HeadSource{0, {fromLast, true}};
  if (endsInHeads(from, sizes))
    return HeadSource{0, {fromLast - 1, false}};
  return std::nullopt;
}

/// Where the heads of `result`, a dim of what `op` gives, come from; nullopt
/// where `op` does not compute each of its heads from one alone.
static std::optional<HeadSource> sourceOf(Operation *op, HeadDim result,
                                          HeadSizes sizes) {
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
    return sourceOfReshape(reshape, result, sizes);
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op)) {
    int64_t last = typeOf(op->getResult(0)).getRank() - 1;
    return HeadSource{0,
                      {transpose.getPerm() ? (*transpose.getPerm())[result.dim]
                                           : last - result.dim,
                       result.joined}};
  }
  if (isa<onnx::CastOp>(op))
    return HeadSource{0, result};
  if (isa<onnx::MulOp, onnx::DivOp>(op)) {
    for (unsigned operand : {0u, isa<onnx::MulOp>(op) ? 1u : 0u})
      if (op->getOperand(operand).getType() == op->getResult(0).getType() &&
          getScalarConstant(op->getOperand(1 - operand)))
        return HeadSource{operand, result};
    return std::nullopt;
  }
  if (isa<RopeOp>(op) && !result.joined && result.dim == 1)
    return HeadSource{0, result};
  if (auto norm = dyn_cast<onnx::RMSNormalizationOp>(op)) {
    int64_t rank = typeOf(norm.getX()).getRank();
    auto axis = static_cast<int64_t>(norm.getAxis());
    if (!result.joined && result.dim < (axis < 0 ? axis + rank : axis) &&
        typeOf(norm.getScale()).getRank() < rank - result.dim)
      return HeadSource{0, result};
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Sizes in shapes
//===----------------------------------------------------------------------===//

/// Whether a constant picks position `dim` out of a vector of `count` elements,
/// or may.
static bool mayPick(std::optional<SmallVector<int64_t>> indices, int64_t dim,
                    int64_t count) {
  return !indices || llvm::any_of(*indices, [&](int64_t index) {
    return index == dim || index + count == dim;
  });
}

/// Whether what is computed from a shape may depend on dim `dim` of it.
static bool mayRead(onnx::ShapeOp op, int64_t dim) {
  auto [first, last] = op.getRange();
  if (dim < first || dim >= last)
    return false;
  int64_t position = dim - first, count = last - first;
  return llvm::any_of(op->getUsers(), [&](Operation *user) {
    if (auto gather = dyn_cast<onnx::GatherOp>(user))
      return gather.getData() != op.getShape() ||
             mayPick(getIntConstant(gather.getIndices()), position, count);
    auto slice = dyn_cast<onnx::SliceOp>(user);
    if (!slice || slice.getData() != op.getShape() ||
        (onnx::isPresent(slice.getSteps()) &&
         getIntConstant(slice.getSteps()) != SmallVector<int64_t>{1}))
      return true;
    auto begin = getIntConstant(slice.getStarts()),
         end = getIntConstant(slice.getEnds());
    if (!begin || !end || begin->size() != 1 || end->size() != 1)
      return true;
    auto clamp = [&](int64_t bound) {
      return std::clamp<int64_t>(bound < 0 ? bound + count : bound, 0, count);
    };
    return position >= clamp(begin->front()) && position < clamp(end->front());
  });
}

/// What reads `value` beside `reader` and depends on how large dim `dim` is, or
/// null.
static Operation *otherReader(Value value, Operation *reader, int64_t dim) {
  int64_t reads = 0;
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (user == reader && ++reads == 1)
      continue;
    auto shape = dyn_cast<onnx::ShapeOp>(user);
    if (!shape || mayRead(shape, dim))
      return user;
  }
  return nullptr;
}

/// The part of a concatenation of vectors that has position `dim`, and where in
/// it that is; a null value where their lengths are not known.
static std::pair<OpOperand *, int64_t> partWith(onnx::ConcatOp op,
                                                int64_t dim) {
  for (OpOperand &part : op->getOpOperands()) {
    if (!typeOf(part.get()).hasStaticShape())
      break;
    int64_t count = typeOf(part.get()).getNumElements();
    if (dim < count)
      return {&part, dim};
    dim -= count;
  }
  return {nullptr, 0};
}

/// Whether the operand of a reshape says a size by a number that can be another
/// one, or leaves it to the rest.
static bool saysSize(Value shape, int64_t dim, int64_t size) {
  if (auto sizes = getIntConstant(shape))
    return (*sizes)[dim] == size || (*sizes)[dim] == -1;
  auto concat = shape.getDefiningOp<onnx::ConcatOp>();
  if (!concat)
    return false;
  auto [part, position] = partWith(concat, dim);
  auto sizes = part ? getIntConstant(part->get()) : std::nullopt;
  return sizes && ((*sizes)[position] == size || (*sizes)[position] == -1);
}

/// The operand of a reshape with another size, where `saysSize`.
static Value withSize(OpBuilder &b, Value shape, int64_t dim, int64_t size) {
  if (auto sizes = getIntConstant(shape)) {
    if ((*sizes)[dim] == -1)
      return shape;
    (*sizes)[dim] = size;
    auto type = RankedTensorType::get({int64_t(sizes->size())}, b.getI64Type());
    return onnx::ConstantOp::create(
        b, shape.getLoc(), type, DenseElementsAttr::get<int64_t>(type, *sizes));
  }
  auto concat = shape.getDefiningOp<onnx::ConcatOp>();
  auto [part, position] = partWith(concat, dim);
  Value sized = withSize(b, part->get(), position, size);
  if (sized == part->get())
    return shape;
  Operation *other = b.clone(*concat);
  other->setOperand(part->getOperandNumber(), sized);
  return other->getResult(0);
}

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Whether the elements are known to the compiler and can be parted.
static bool isKnown(Value value) {
  return value.getDefiningOp<WeightOp>() ||
         matchPattern(value, m_Constant<DenseElementsAttr>(nullptr));
}

/// Why heads cannot leave where `reader` expects them, for messages.
static std::string strayReader(StringRef name, Operation *reader) {
  return (describeNode(reader) + " reads its " + name + ", too").str();
}

LogicalResult AttentionHeads::matchOutput() {
  RankedTensorType type = op.getType();
  if (type.isDynamicDim(1) || type.isDynamicDim(3) ||
      typeOf(op.getKey()).isDynamicDim(1))
    return fail("the number or size of its heads is not known");
  HeadSizes sizes{getHeads(), getWidth(), getHeads() * getWidth()};
  Value heads = op.getResult();
  HeadDim dim{1, false};
  while (true) {
    Operation *reader = nullptr;
    for (Operation *user : heads.getUsers())
      if (!isa<onnx::ShapeOp>(user))
        reader = user;
    if (!reader)
      return fail("its result is only read for its shape");
    if (Operation *other = otherReader(heads, reader, dim.dim))
      return fail(strayReader("result", other));
    if ((outputLinear = dyn_cast<LinearOp>(reader)))
      break;
    if (reader->getNumResults() != 1)
      return fail("no linear layer reads its heads, but " +
                  describeNode(reader));
    // The dim of the result whose heads come from here.
    Value result = reader->getResult(0);
    std::optional<HeadStep> step;
    for (int64_t to : llvm::seq(typeOf(result).getRank()))
      for (bool joined : {false, true}) {
        auto source = sourceOf(reader, {to, joined}, sizes);
        if (source && source->dim.dim == dim.dim &&
            source->dim.joined == dim.joined &&
            reader->getOperand(source->operand) == heads)
          step = {reader, source->operand, {to, joined}, 0};
      }
    if (!step)
      return fail("no linear layer reads its heads, but " +
                  describeNode(reader));
    step->size = sizes.of(step->result);
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(reader);
        reshape && !saysSize(reshape.getShape(), step->result.dim, step->size))
      return fail(describeNode(reader) + " takes a size that is computed");
    outputSteps.push_back(*step);
    dim = step->result;
    heads = result;
  }
  if (!dim.joined || outputLinear.getX() != heads ||
      dim.dim != typeOf(heads).getRank() - 1 ||
      typeOf(outputLinear.getW()).getDimSize(0) != sizes.joined)
    return fail(describeNode(outputLinear) + " does not take its heads joined");
  if (!isKnown(outputLinear.getW()))
    return fail("the weight of " + describeNode(outputLinear) +
                " is not known");
  return success();
}

/// What is beside the projections and of one head or another.
LogicalResult AttentionHeads::checkOperands() {
  auto mayHaveHeads = [](Value tensor, int64_t dimsAfter) {
    RankedTensorType type = tensor ? typeOf(tensor) : RankedTensorType();
    return type && type.getRank() > dimsAfter &&
           type.getDimSize(type.getRank() - 1 - dimsAfter) != 1;
  };
  if (!op.getValue())
    return fail("its values are parts of its keys");
  if (op.getSink())
    return fail("it has a sink for each head");
  if (op.getLse())
    return fail("its sums of scores are a result, too");
  if (!op.getModifiers().empty())
    return fail("its scores are modified by what may depend on the head");
  if (mayHaveHeads(op.getBias(), 2))
    return fail("its bias may be another one for each head");
  if (mayHaveHeads(op.getKeyIndex(), 2))
    return fail("its lists of blocks may be others for each head");
  if (!getConstantHeadWeights(op))
    return fail("its weights of heads are known only when the model runs");
  return success();
}

LogicalResult AttentionHeads::matchLinear(StringRef name, HeadInput &input,
                                          int64_t columns) {
  LinearOp linear = input.linear;
  if (!isKnown(linear.getW()) ||
      (linear.getBias() && !isKnown(linear.getBias())))
    return fail("the weight or bias of " + describeNode(linear) +
                " is not known");
  if (typeOf(linear.getW()).getDimSize(1) != columns)
    return fail(describeNode(linear) + " gives other columns than its " + name);
  return success();
}

LogicalResult AttentionHeads::matchInput(StringRef name, Value operand,
                                         HeadInput &input) {
  RankedTensorType type = typeOf(operand);
  if (type.isDynamicDim(3))
    return fail("the size of its heads is not known");
  input.heads = type.getDimSize(1);
  input.width = type.getDimSize(3);
  HeadSizes sizes{input.heads, input.width, input.heads * input.width};
  HeadDim dim{1, false};
  Operation *reader = op;
  while (true) {
    Operation *source = operand.getDefiningOp();
    if (Operation *other = otherReader(operand, reader, dim.dim))
      return fail(strayReader(name, other));
    if (!source)
      return fail("its " + name + " is an input of the graph");
    if ((input.linear = dyn_cast<LinearOp>(source)))
      break;
    reader = source;
    if (auto split = dyn_cast<onnx::SplitOp>(source)) {
      RankedTensorType whole = typeOf(split.getInput());
      int64_t last = whole.getRank() - 1;
      auto axis = static_cast<int64_t>(split.getAxis());
      if (!dim.joined || dim.dim != last || whole.isDynamicDim(last) ||
          (axis < 0 ? axis + last + 1 : axis) != last)
        return fail(describeNode(split) + " splits its " + name);
      unsigned part = cast<OpResult>(operand).getResultNumber();
      for (Value before : split.getOutputs().take_front(part))
        input.firstColumn += typeOf(before).getDimSize(last);
      input.steps.push_back({split, part, dim, sizes.joined});
      sizes.joined = whole.getDimSize(last);
      operand = split.getInput();
      continue;
    }
    auto from = sourceOf(source, dim, sizes);
    if (!from)
      return fail("no linear layer makes its " + name + ", but " +
                  describeNode(source));
    HeadStep step{source, from->operand, dim, sizes.of(dim)};
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(source);
        reshape && !saysSize(reshape.getShape(), dim.dim, step.size))
      return fail(describeNode(source) + " takes a size that is computed");
    input.steps.push_back(step);
    operand = source->getOperand(from->operand);
    dim = from->dim;
  }
  std::reverse(input.steps.begin(), input.steps.end());
  if (!dim.joined || dim.dim != typeOf(operand).getRank() - 1)
    return fail(describeNode(input.linear) + " does not give its " + name +
                " joined");
  return matchLinear(name, input, sizes.joined);
}

LogicalResult AttentionHeads::matchInputs() {
  return success(succeeded(checkOperands()) &&
                 succeeded(matchInput("query", op.getQuery(), query)) &&
                 succeeded(matchInput("key", op.getKey(), key)) &&
                 succeeded(matchInput("value", op.getValue(), value)));
}

int64_t AttentionHeads::getWeightBytes(int64_t queryHeads, int64_t keyHeads) {
  int64_t elements =
      queryHeads * getWidth() * typeOf(outputLinear.getW()).getDimSize(1);
  for (auto [input, heads] :
       {std::pair(&query, queryHeads), std::pair(&key, keyHeads),
        std::pair(&value, keyHeads)}) {
    LinearOp linear = input->linear;
    int64_t rows =
        typeOf(linear.getW()).getDimSize(0) + (linear.getBias() ? 1 : 0);
    elements += rows * heads * input->width;
  }
  return elements * llvm::divideCeil(op.getType().getElementTypeBitWidth(), 8);
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// `weight` with one more step.
static Value addStep(OpBuilder &b, WeightOp weight, Attribute step,
                     RankedTensorType type) {
  SmallVector<Attribute> steps = llvm::to_vector(weight.getTransforms());
  steps.push_back(step);
  return WeightOp::create(b, weight.getLoc(), type, weight.getSource(),
                          b.getArrayAttr(steps));
}

/// The elements of a constant.
static SmallVector<Attribute> elementsOf(Value constant) {
  DenseElementsAttr elements;
  matchPattern(constant, m_Constant(&elements));
  return llvm::to_vector(elements.getValues<Attribute>());
}

/// These slices of a dim of a weight or constant.
static Value selectSlices(OpBuilder &b, Value tensor, int64_t dim,
                          ArrayRef<int64_t> slices) {
  RankedTensorType type = typeOf(tensor);
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  shape[dim] = slices.size();
  RankedTensorType result = type.clone(shape);
  if (auto weight = tensor.getDefiningOp<WeightOp>())
    return addStep(b, weight, SelectAttr::get(b.getContext(), dim, slices),
                   result);
  SmallVector<Attribute> all = elementsOf(tensor), some;
  int64_t size =
      ShapedType::getNumElements(type.getShape().drop_front(dim + 1));
  int64_t run = size * type.getDimSize(dim);
  for (int64_t start = 0, e = all.size(); start < e; start += run)
    for (int64_t slice : slices)
      llvm::append_range(some, ArrayRef(all).slice(start + slice * size, size));
  return onnx::ConstantOp::create(b, tensor.getLoc(), result,
                                  DenseElementsAttr::get(result, some));
}

/// The rows of a weight or constant times a factor for each of as many blocks
/// of them.
static Value scaleRows(OpBuilder &b, Value tensor, ArrayRef<double> factors) {
  RankedTensorType type = typeOf(tensor);
  if (auto weight = tensor.getDefiningOp<WeightOp>())
    return addStep(
        b, weight,
        ScaleAttr::get(b.getContext(), 0, b.getDenseF64ArrayAttr(factors)),
        type);
  SmallVector<Attribute> elements = elementsOf(tensor);
  size_t part = elements.size() / factors.size();
  bool loses = false;
  for (auto [i, element] : llvm::enumerate(elements)) {
    // As a weight is scaled, rounded once.
    APFloat value = cast<FloatAttr>(element).getValue(),
            factor(factors[i / part]);
    const llvm::fltSemantics &semantics = value.getSemantics();
    for (APFloat *number : {&value, &factor})
      number->convert(APFloat::IEEEquad(), APFloat::rmNearestTiesToEven,
                      &loses);
    value.multiply(factor, APFloat::rmNearestTiesToEven);
    value.convert(semantics, APFloat::rmNearestTiesToEven, &loses);
    element = FloatAttr::get(type.getElementType(), value);
  }
  return onnx::ConstantOp::create(b, tensor.getLoc(), type,
                                  DenseElementsAttr::get(type, elements));
}

void AttentionHeads::foldWeights(ArrayRef<double> weights) {
  b.setInsertionPoint(outputLinear);
  outputLinear.getWMutable().assign(scaleRows(b, outputLinear.getW(), weights));
  op.getHeadWeightMutable().clear();
}

/// The slices that `heads` of `width` are of what starts at slice `first`.
static SmallVector<int64_t> slicesOf(ArrayRef<int64_t> heads, int64_t width,
                                     int64_t first = 0) {
  SmallVector<int64_t> slices;
  for (int64_t head : heads)
    llvm::append_range(
        slices, llvm::seq(first + head * width, first + (head + 1) * width));
  return slices;
}

static void setDim(Value value, int64_t dim, int64_t size) {
  SmallVector<int64_t> shape = llvm::to_vector(typeOf(value).getShape());
  shape[dim] = size;
  value.setType(typeOf(value).clone(shape));
}

/// Lets what reads sizes of `from` read those of `to`. They are the same.
static void moveShapes(Value from, Value to) {
  for (OpOperand &use : llvm::make_early_inc_range(from.getUses()))
    if (isa<onnx::ShapeOp>(use.getOwner()))
      use.set(to);
}

/// The step where it stands, on as many heads.
Value AttentionHeads::cloneStep(const HeadStep &step, Value operand,
                                int64_t heads, int64_t width) {
  b.setInsertionPoint(step.op);
  int64_t size = step.result.joined ? heads * width : heads;
  Operation *clone = b.clone(*step.op);
  clone->setOperand(step.operand, operand);
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(clone)) {
    b.setInsertionPoint(clone);
    reshape.getShapeMutable().assign(
        withSize(b, reshape.getShape(), step.result.dim, size));
  }
  Value result = clone->getResult(0);
  setDim(result, step.result.dim, size);
  moveShapes(step.op->getResult(0), result);
  return result;
}

Value AttentionHeads::keepInput(const HeadInput &input,
                                ArrayRef<int64_t> heads) {
  LinearOp linear = input.linear;
  b.setInsertionPoint(linear);
  SmallVector<int64_t> columns =
      slicesOf(heads, input.width, input.firstColumn);
  auto made = cast<LinearOp>(b.clone(*linear));
  b.setInsertionPoint(made);
  made.getWMutable().assign(selectSlices(b, linear.getW(), 1, columns));
  if (linear.getBias())
    made.getBiasMutable().assign(selectSlices(b, linear.getBias(), 0, columns));
  setDim(made.getY(), typeOf(made.getY()).getRank() - 1, columns.size());
  moveShapes(linear.getY(), made.getY());
  Value value = made.getY();
  for (const HeadStep &step : input.steps)
    if (isa<onnx::SplitOp>(step.op))
      // Its part is what the linear layer gives now.
      moveShapes(step.op->getResult(step.operand), value);
    else
      value = cloneStep(step, value, heads.size(), input.width);
  return value;
}

void AttentionHeads::keep(const HeadSet &heads) {
  std::optional<SmallVector<double>> weights = getConstantHeadWeights(op);
  Value q = keepInput(query, heads.query), k = keepInput(key, heads.key),
        v = keepInput(value, heads.key);
  b.setInsertionPoint(op);
  auto made = cast<AttentionOp>(b.clone(*op));
  made.getQueryMutable().assign(q);
  made.getKeyMutable().assign(k);
  made.getValueMutable().assign(v);
  int64_t count = heads.query.size();
  setDim(made.getResult(), 1, count);
  if (Value weight = op.getHeadWeight()) {
    RankedTensorType type = typeOf(weight).clone({count});
    b.setInsertionPoint(made);
    SmallVector<Attribute> elements;
    for (int64_t head : heads.query)
      elements.push_back(
          b.getFloatAttr(type.getElementType(), (*weights)[head]));
    made.getHeadWeightMutable().assign(onnx::ConstantOp::create(
        b, weight.getLoc(), type, DenseElementsAttr::get(type, elements)));
  }
  Value joined = made.getResult();
  moveShapes(op.getResult(), joined);
  for (const HeadStep &step : outputSteps)
    joined = cloneStep(step, joined, count, getWidth());
  b.setInsertionPoint(outputLinear);
  outputLinear.getWMutable().assign(selectSlices(
      b, outputLinear.getW(), 0, slicesOf(heads.query, getWidth())));
  outputLinear.getXMutable().assign(joined);
}
