//===- Normalize.cpp - Older forms of ONNX ops ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// One table of rules. Each rewrites nodes of one op, of opsets before the one
// named, to the form of the newest.
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"
#include "Types.h"

#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The first operand, which all of these ops need.
static FailureOr<Value> firstOperand(Node &node) {
  if (Value operand = node.operand(0))
    return operand;
  return node.emitError() << "input 0 is missing";
}

/// `axis` in [0, rank], or an error.
static FailureOr<int64_t> checkedAxis(Node &node, int64_t axis, int64_t rank,
                                      int64_t last) {
  if (axis < -rank || axis > last)
    return node.emitError() << "axis " << axis << " is outside [" << -rank
                            << ", " << last << "]";
  return axis < 0 ? axis + rank : axis;
}

//===----------------------------------------------------------------------===//
// Attributes that became operands
//===----------------------------------------------------------------------===//

/// A list of integers becomes operand `index`.
static void listToOperand(Node &node, Emitter &emitter, StringRef attribute,
                          unsigned index) {
  if (auto list = node.take<DenseI64ArrayAttr>(attribute))
    node.setOperand(index, emitter.constant(node.loc, list.asArrayRef()));
}

/// A float becomes operand `index`, a scalar of the first operand's type.
static LogicalResult scalarToOperand(Node &node, Emitter &emitter,
                                     StringRef attribute, unsigned index) {
  auto value = node.take<FloatAttr>(attribute);
  if (!value)
    return success();
  FailureOr<Value> input = firstOperand(node);
  if (failed(input))
    return failure();
  auto element = dyn_cast<FloatType>(tensorType(*input).getElementType());
  if (!element)
    return node.emitError()
           << "attribute '" << attribute << "' needs an input of floats";
  Attribute scalar = FloatAttr::get(element, value.getValueAsDouble());
  node.setOperand(
      index, emitter.constant(node.loc,
                              DenseElementsAttr::get(
                                  RankedTensorType::get({}, element), scalar)));
  return success();
}

static LogicalResult axesToOperand(Node &node, Emitter &emitter) {
  listToOperand(node, emitter, "axes", 1);
  return success();
}

static LogicalResult shapeToOperand(Node &node, Emitter &emitter) {
  listToOperand(node, emitter, "shape", 1);
  return success();
}

static LogicalResult splitToOperand(Node &node, Emitter &emitter) {
  listToOperand(node, emitter, "split", 1);
  return success();
}

static LogicalResult sliceToOperands(Node &node, Emitter &emitter) {
  listToOperand(node, emitter, "starts", 1);
  listToOperand(node, emitter, "ends", 2);
  listToOperand(node, emitter, "axes", 3);
  return success();
}

static LogicalResult padToOperands(Node &node, Emitter &emitter) {
  listToOperand(node, emitter, "paddings", 1); // Pad-1
  listToOperand(node, emitter, "pads", 1);
  return scalarToOperand(node, emitter, "value", 2);
}

static LogicalResult clipToOperands(Node &node, Emitter &emitter) {
  return failure(failed(scalarToOperand(node, emitter, "min", 1)) ||
                 failed(scalarToOperand(node, emitter, "max", 2)));
}

static LogicalResult countToOperand(Node &node, Emitter &emitter) {
  if (auto k = node.take<IntegerAttr>("k"))
    node.setOperand(1, emitter.constant(node.loc, {k.getInt()}));
  return success();
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// The code of an element type by its name, as Cast-1 spells it.
static std::optional<int32_t> elementTypeCode(StringRef name) {
  proto::TensorProto::DataType code;
  if (!proto::TensorProto::DataType_Parse(name.str(), &code))
    return std::nullopt;
  return code;
}

static LogicalResult castFromName(Node &node, Emitter &emitter) {
  auto name = node.take<StringAttr>("to");
  if (!name)
    return success();
  std::optional<int32_t> code = elementTypeCode(name);
  if (!code)
    return node.emitError()
           << "element type '" << name.getValue() << "' does not exist";
  node.attributes.set("to", emitter.builder().getI64IntegerAttr(*code));
  return success();
}

static LogicalResult castToType(Node &node, Emitter &emitter) {
  auto code = node.take<IntegerAttr>("to");
  if (!code)
    return node.emitError() << "attribute 'to' is missing";
  FailureOr<Type> element = convertElementType(
      code.getContext(), code.getInt(), [&] { return node.emitError(); });
  if (failed(element))
    return failure();
  node.attributes.set("to", TypeAttr::get(*element));
  return success();
}

/// The element type of what only an attribute tells, by default the operand's.
static LogicalResult dtypeToResult(Node &node, Emitter &emitter) {
  FailureOr<Value> input = firstOperand(node);
  if (failed(input))
    return failure();
  node.resultElement = tensorType(*input).getElementType();
  auto code = node.take<IntegerAttr>("dtype");
  if (!code)
    return success();
  FailureOr<Type> element = convertElementType(
      code.getContext(), code.getInt(), [&] { return node.emitError(); });
  if (failed(element))
    return failure();
  node.resultElement = *element;
  return success();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static LogicalResult constantToValue(Node &node, Emitter &emitter) {
  if (node.attributes.getAttrs().size() != 1)
    return node.emitError() << "expected one attribute, found "
                            << node.attributes.getAttrs().size();
  OpBuilder &b = emitter.builder();
  NamedAttribute given = node.attributes.getAttrs().front();
  StringRef name = given.getName();
  Attribute value = given.getValue();
  Attribute tensor;
  if (name == "value" && isa<DenseElementsAttr, WeightAttr>(value)) {
    tensor = value;
  } else if (auto scalar = dyn_cast<FloatAttr>(value);
             scalar && name == "value_float") {
    tensor = DenseElementsAttr::get(RankedTensorType::get({}, b.getF32Type()),
                                    value);
  } else if (auto scalar = dyn_cast<IntegerAttr>(value);
             scalar && name == "value_int") {
    tensor = DenseElementsAttr::get(RankedTensorType::get({}, b.getI64Type()),
                                    value);
  } else if (auto list = dyn_cast<DenseF32ArrayAttr>(value);
             list && name == "value_floats") {
    tensor = DenseElementsAttr::get(
        RankedTensorType::get({list.size()}, b.getF32Type()),
        list.asArrayRef());
  } else if (auto list = dyn_cast<DenseI64ArrayAttr>(value);
             list && name == "value_ints") {
    tensor = DenseElementsAttr::get(
        RankedTensorType::get({list.size()}, b.getI64Type()),
        list.asArrayRef());
  } else {
    return node.emitError() << "attribute '" << name << "' is not supported";
  }
  node.results.push_back(emitter.constant(node.loc, tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

/// Whether `value` is a constant whose elements are all false or zero.
static bool isConstantZero(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().isZero();
  return elements.getSplatValue<APInt>().isZero();
}

/// Dropout-1 and -6 train unless they say otherwise.
static LogicalResult dropTestFlag(Node &node, Emitter &emitter) {
  auto isTest = node.take<IntegerAttr>("is_test");
  if (!isTest || isTest.getInt() == 0)
    return node.emitError() << "training is not supported (is_test is 0)";
  return success();
}

/// Outside of training Dropout passes its operand on, and its mask is true.
static LogicalResult dropoutToIdentity(Node &node, Emitter &emitter) {
  FailureOr<Value> input = firstOperand(node);
  if (failed(input))
    return failure();
  Value ratio = node.operand(1), training = node.operand(2);
  bool isTraining = training && !isConstantZero(training);
  if (isTraining && !(ratio && isConstantZero(ratio)))
    return node.emitError()
           << "training is not supported (training_mode is not false)";
  // The mask was a tensor of the operand's type before opset 10.
  if (node.numResults > (node.opset < 10 ? 1 : 2))
    return node.emitError() << node.numResults << " outputs are not supported";
  FailureOr<Value> output = emitter.emit(node, "Identity", *input);
  if (failed(output))
    return failure();
  node.results.push_back(*output);
  if (node.numResults < 2)
    return success();

  OpBuilder &b = emitter.builder();
  NamedAttribute value = b.getNamedAttr(
      "value", DenseElementsAttr::get(RankedTensorType::get({1}, b.getI1Type()),
                                      ArrayRef(true)));
  FailureOr<Value> shape = emitter.emit(node, "Shape", *input);
  if (failed(shape))
    return failure();
  FailureOr<Value> mask = emitter.emit(node, "ConstantOfShape", *shape, value);
  if (failed(mask))
    return failure();
  node.results.push_back(*mask);
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Before opset 13 the softmax family views its operand as a matrix, cut at
/// `axis`, and works on its rows.
static LogicalResult flattenSoftmax(Node &node, Emitter &emitter) {
  FailureOr<Value> input = firstOperand(node);
  if (failed(input))
    return failure();
  OpBuilder &b = emitter.builder();
  auto given = node.take<IntegerAttr>("axis");
  int64_t rank = tensorType(*input).getRank();
  FailureOr<int64_t> axis =
      checkedAxis(node, given ? given.getInt() : 1, rank, rank - 1);
  if (failed(axis))
    return failure();
  if (*axis + 1 == rank) {
    node.attributes.set("axis", b.getI64IntegerAttr(-1));
    return success();
  }

  FailureOr<Value> shape = emitter.emit(node, "Shape", *input);
  FailureOr<Value> matrix =
      emitter.emit(node, "Flatten", *input,
                   b.getNamedAttr("axis", b.getI64IntegerAttr(*axis)));
  if (failed(shape) || failed(matrix))
    return failure();
  FailureOr<Value> rows =
      emitter.emit(node, node.opType, *matrix,
                   b.getNamedAttr("axis", b.getI64IntegerAttr(-1)));
  if (failed(rows))
    return failure();
  node.opType = "Reshape";
  node.operands = {*rows, *shape};
  // A dim of size 0 stands for itself.
  node.attributes.set("allowzero", b.getI64IntegerAttr(1));
  return success();
}

//===----------------------------------------------------------------------===//
// Broadcasting by attributes, before opset 7
//===----------------------------------------------------------------------===//

static LogicalResult broadcastByAxis(Node &node, Emitter &emitter) {
  auto broadcast = node.take<IntegerAttr>("broadcast");
  auto axis = node.take<IntegerAttr>("axis");
  if (!broadcast || broadcast.getInt() == 0 || !axis)
    return success();
  if (!node.operand(0) || !node.operand(1))
    return node.emitError() << "expected 2 inputs";
  int64_t rank = tensorType(node.operand(0)).getRank();
  int64_t otherRank = tensorType(node.operand(1)).getRank();
  FailureOr<int64_t> first =
      checkedAxis(node, axis.getInt(), rank, rank - otherRank);
  if (failed(first))
    return failure();
  // Dims of size 1 move the second operand's dims to where the axis says.
  SmallVector<int64_t> axes;
  for (int64_t i = otherRank; i < rank - *first; ++i)
    axes.push_back(i);
  if (axes.empty())
    return success();
  FailureOr<Value> aligned = emitter.emit(
      node, "Unsqueeze", {node.operand(1), emitter.constant(node.loc, axes)});
  if (failed(aligned))
    return failure();
  node.setOperand(1, *aligned);
  return success();
}

static LogicalResult dropBroadcast(Node &node, Emitter &emitter) {
  node.take<IntegerAttr>("broadcast");
  return success();
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

/// Upsample and Resize-10 scale about the origin.
static LogicalResult upsampleToResize(Node &node, Emitter &emitter) {
  FailureOr<Value> input = firstOperand(node);
  if (failed(input))
    return failure();
  OpBuilder &b = emitter.builder();
  Value scales = node.operand(1);
  if (auto list = node.take<DenseF32ArrayAttr>("scales")) {
    auto type = RankedTensorType::get({list.size()}, b.getF32Type());
    scales = emitter.constant(node.loc,
                              DenseElementsAttr::get(type, list.asArrayRef()));
  }
  if (!scales)
    return node.emitError() << "scales are missing";
  if (auto mode = dyn_cast_or_null<StringAttr>(node.attributes.get("mode"));
      mode && mode == "bilinear")
    node.attributes.set("mode", b.getStringAttr("linear"));
  node.attributes.set("coordinate_transformation_mode",
                      b.getStringAttr("asymmetric"));
  node.attributes.set("nearest_mode", b.getStringAttr("floor"));
  node.opType = "Resize";
  node.operands = {*input, Value(), scales};
  return success();
}

/// An empty roi, scales or sizes is as good as an absent one.
static LogicalResult dropEmptyOperands(Node &node, Emitter &emitter) {
  for (Value &operand : llvm::drop_begin(node.operands))
    if (operand && tensorType(operand).getShape() == ArrayRef<int64_t>{0})
      operand = Value();
  return success();
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

static LogicalResult scatterToElements(Node &node, Emitter &emitter) {
  node.opType = "ScatterElements";
  return success();
}

/// Concat-1 joins along axis 1 where it does not say which.
static LogicalResult concatAxis(Node &node, Emitter &emitter) {
  if (!node.attributes.get("axis"))
    node.attributes.set("axis", emitter.builder().getI64IntegerAttr(1));
  return success();
}

/// In-place hints of the first opsets.
static LogicalResult dropConsumedInputs(Node &node, Emitter &emitter) {
  node.attributes.erase("consumed_inputs");
  return success();
}

static LogicalResult refuseTile(Node &node, Emitter &emitter) {
  return node.emitError() << "the form before opset 6 is not supported";
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct Rule {
  StringLiteral opType; // "": any
  /// Applies to opsets in [since, before).
  int64_t since, before;
  LogicalResult (*rewrite)(Node &, Emitter &);
};
} // namespace

static constexpr int64_t newest = std::numeric_limits<int64_t>::max();

// In the order in which they apply to one node.
static constexpr Rule rules[] = {
    {"", 1, 6, dropConsumedInputs},
    {"Add", 1, 7, broadcastByAxis},
    {"And", 1, 7, broadcastByAxis},
    {"Cast", 1, 6, castFromName},
    {"Cast", 1, newest, castToType},
    {"Clip", 1, 11, clipToOperands},
    {"Concat", 1, 4, concatAxis},
    {"Constant", 1, newest, constantToValue},
    {"Div", 1, 7, broadcastByAxis},
    {"Dropout", 1, 7, dropTestFlag},
    {"Dropout", 1, newest, dropoutToIdentity},
    {"Einsum", 1, newest, composeEinsum},
    {"Equal", 1, 7, broadcastByAxis},
    {"EyeLike", 1, newest, dtypeToResult},
    {"Gemm", 1, 7, dropBroadcast},
    {"Greater", 1, 7, broadcastByAxis},
    {"Hardmax", 1, 13, flattenSoftmax},
    {"Less", 1, 7, broadcastByAxis},
    {"LogSoftmax", 1, 13, flattenSoftmax},
    {"Mul", 1, 7, broadcastByAxis},
    {"Or", 1, 7, broadcastByAxis},
    {"Pad", 1, 11, padToOperands},
    {"Pow", 1, 7, broadcastByAxis},
    {"ReduceL1", 1, 18, axesToOperand},
    {"ReduceL2", 1, 18, axesToOperand},
    {"ReduceLogSum", 1, 18, axesToOperand},
    {"ReduceLogSumExp", 1, 18, axesToOperand},
    {"ReduceMax", 1, 18, axesToOperand},
    {"ReduceMean", 1, 18, axesToOperand},
    {"ReduceMin", 1, 18, axesToOperand},
    {"ReduceProd", 1, 18, axesToOperand},
    {"ReduceSum", 1, 13, axesToOperand},
    {"ReduceSumSquare", 1, 18, axesToOperand},
    {"Reshape", 1, 5, shapeToOperand},
    {"Resize", 10, 11, upsampleToResize},
    {"Resize", 11, newest, dropEmptyOperands},
    {"Scatter", 9, 11, scatterToElements},
    {"SimplifiedLayerNormalization", 1, newest, composeSimplifiedLayerNorm},
    {"Slice", 1, 10, sliceToOperands},
    {"Softmax", 1, 13, flattenSoftmax},
    {"Split", 1, 13, splitToOperand},
    {"Squeeze", 1, 13, axesToOperand},
    {"Sub", 1, 7, broadcastByAxis},
    {"Tile", 1, 6, refuseTile},
    {"TopK", 1, 10, countToOperand},
    {"Unsqueeze", 1, 13, axesToOperand},
    {"Upsample", 7, 10, upsampleToResize},
    {"Xor", 1, 7, broadcastByAxis},
};

bool mlir::ds::importer::isReplaced(StringRef opType, StringRef domain) {
  if (domain == microsoftDomain)
    return isMicrosoftComposite(opType);
  if (domain == "ai.onnx.preview")
    return opType == "FlexAttention";
  return domain.empty() &&
         llvm::is_contained({"Dropout", "Einsum", "Scan", "Scatter",
                             "SimplifiedLayerNormalization", "Upsample"},
                            opType);
}

LogicalResult mlir::ds::importer::normalize(Node &node, Emitter &emitter) {
  if (node.domain == microsoftDomain)
    return composeMicrosoft(node, emitter);
  if (!node.domain.empty())
    return success();
  // A rule that renames the op is the last that applies to it.
  std::string opType = node.opType;
  for (const Rule &rule : rules) {
    if ((!rule.opType.empty() && rule.opType != opType) ||
        node.opset < rule.since || node.opset >= rule.before)
      continue;
    if (failed(rule.rewrite(node, emitter)))
      return failure();
    if (node.opType != opType || !node.results.empty())
      return success();
  }
  return success();
}
