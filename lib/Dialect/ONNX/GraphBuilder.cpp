//===- GraphBuilder.cpp - Graphs of onnx ops ------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/GraphBuilder.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::onnx;
using mlir::ds::ShapeOpInterface;

/// Makes an op of one result.
static FailureOr<Value> createWithShape(ShapeBuilder &shapes, Location loc,
                                        OperationName name,
                                        ArrayRef<Value> operands,
                                        ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, name);
  state.addOperands(operands);
  state.addTypes(operands.front().getType());
  state.addAttributes(attributes);
  Operation *op = shapes.builder().create(state);
  SmallVector<ResultShape> results;
  if (failed(cast<ShapeOpInterface>(op).inferResults(shapes, results)))
    return failure();
  Value result = op->getResult(0);
  shapes.bindDims(result, results.front().dims);
  result.setType(getStaticType(results.front()));
  return result;
}

GraphBuilder::GraphBuilder(ShapeBuilder &shapes, Location loc)
    : GraphBuilder(shapes, loc,
                   [&shapes, loc](OperationName name, ArrayRef<Value> operands,
                                  ArrayRef<NamedAttribute> attributes) {
                     return createWithShape(shapes, loc, name, operands,
                                            attributes);
                   }) {}

GraphBuilder::GraphBuilder(ShapeBuilder &shapes, Location loc, CreateFn create)
    : shapes(shapes), b(shapes.builder()), loc(loc),
      createOp(std::move(create)) {}

Value GraphBuilder::create(OperationName name, ArrayRef<Value> operands,
                           ArrayRef<NamedAttribute> attributes) {
  if (failedAny || !llvm::all_of(operands, [](Value v) { return bool(v); })) {
    failedAny = true;
    return nullptr;
  }
  FailureOr<Value> result = createOp(name, operands, attributes);
  failedAny = mlir::failed(result);
  return failedAny ? Value() : *result;
}

Value GraphBuilder::absent() {
  return NoValueOp::create(b, loc, b.getNoneType());
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value GraphBuilder::integers(ArrayRef<int64_t> elements) {
  auto type = RankedTensorType::get({int64_t(elements.size())}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, elements));
}

Value GraphBuilder::index(int64_t value) {
  auto type = RankedTensorType::get({}, b.getI64Type());
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, {value}));
}

Value GraphBuilder::scalar(Type element, double value) {
  Attribute attribute = isa<FloatType>(element)
                            ? Attribute(b.getFloatAttr(element, value))
                            : b.getIntegerAttr(element, int64_t(value));
  auto type = RankedTensorType::get({}, element);
  return ConstantOp::create(b, loc, DenseElementsAttr::get(type, attribute));
}

//===----------------------------------------------------------------------===//
// The same elements in another shape
//===----------------------------------------------------------------------===//

Value GraphBuilder::reshape(Value x, ArrayRef<int64_t> dims) {
  return op<ReshapeOp>({x, integers(dims)});
}

Value GraphBuilder::transpose(Value x, ArrayRef<int64_t> permutation) {
  return op<TransposeOp>(
      {x}, {b.getNamedAttr("perm", b.getDenseI64ArrayAttr(permutation))});
}

Value GraphBuilder::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  return op<UnsqueezeOp>({x, integers(axes)});
}

Value GraphBuilder::splitHeads(Value x, int64_t heads) {
  return transpose(reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3});
}

Value GraphBuilder::joinHeads(Value x) {
  return reshape(transpose(x, {0, 2, 1, 3}), {0, 0, -1});
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

Value GraphBuilder::slice(Value x, int64_t axis, Value begin, Value end) {
  return op<SliceOp>({x, begin, end, integers({axis}), absent()});
}

Value GraphBuilder::slice(Value x, int64_t axis, int64_t begin, int64_t end) {
  return slice(x, axis, integers({begin}), integers({end}));
}

Value GraphBuilder::concat(ArrayRef<Value> parts, int64_t axis) {
  return op<ConcatOp>(parts, {integer("axis", axis)});
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Value GraphBuilder::shapeOf(Value x) { return op<ShapeOp>({x}); }

Value GraphBuilder::dimOf(Value x, int64_t axis) {
  if (x && axis < 0)
    axis += shapes.rank(x);
  return op<ShapeOp>({x}, {integer("start", axis), integer("end", axis + 1)});
}

Value GraphBuilder::range(Value count) {
  Value limit = op<SqueezeOp>({count, integers({0})});
  return op<RangeOp>({index(0), limit, index(1)});
}

Value GraphBuilder::cast(Value x, Type element) {
  if (!x || elementType(x) == element)
    return x;
  return op<CastOp>({x}, {b.getNamedAttr("to", TypeAttr::get(element))});
}
