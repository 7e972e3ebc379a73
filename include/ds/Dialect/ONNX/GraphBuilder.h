//===- GraphBuilder.h - Graphs of onnx ops ----------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_GRAPHBUILDER_H
#define DS_DIALECT_ONNX_GRAPHBUILDER_H

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include <functional>

namespace mlir::onnx {

/// Writes graphs of ops, each with the result types that its shape function
/// gives: what an op that stands for many becomes.
///
/// Where an op cannot be made, the reason has been emitted, and its result and
/// all that is made from it are null; `failed` tells, so that a graph can be
/// written down without a check at each op.
class GraphBuilder {
public:
  /// Makes an op of a name and gives its first result, or emits an error.
  using CreateFn = std::function<FailureOr<Value>(
      OperationName name, ArrayRef<Value> operands,
      ArrayRef<NamedAttribute> attributes)>;

  /// Ops, of one result each, go to where the builder of `shapes` inserts, with
  /// `loc` as theirs.
  GraphBuilder(ds::ShapeBuilder &shapes, Location loc);
  GraphBuilder(ds::ShapeBuilder &shapes, Location loc, CreateFn create);

  ds::ShapeBuilder &shapes;
  OpBuilder &b;
  Location loc;

  bool failed() const { return failedAny; }
  void fail() { failedAny = true; }

  /// The first result of a new op. An absent operand is `absent()`.
  template <typename OpTy>
  Value op(ArrayRef<Value> operands, ArrayRef<NamedAttribute> attributes = {}) {
    return create(OperationName(OpTy::getOperationName(), b.getContext()),
                  operands, attributes);
  }
  Value absent();

  // Attributes.
  NamedAttribute integer(StringRef name, int64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(value));
  }
  NamedAttribute number(StringRef name, double value) {
    return b.getNamedAttr(name, b.getF32FloatAttr(value));
  }

  // Constants.
  /// A vector of i64.
  Value integers(ArrayRef<int64_t> elements);
  /// A scalar of i64.
  Value index(int64_t value);
  /// A scalar of floats, or of bools.
  Value scalar(Type element, double value);

  // The same elements in another shape.
  /// 0 copies a dim, one −1 stands for what is left.
  Value reshape(Value x, ArrayRef<int64_t> dims);
  Value transpose(Value x, ArrayRef<int64_t> permutation);
  Value unsqueeze(Value x, ArrayRef<int64_t> axes);
  /// (batch, rows, heads · size) to (batch, heads, rows, size) and back.
  Value splitHeads(Value x, int64_t heads);
  Value joinHeads(Value x);

  // Parts.
  /// Elements [begin, end) along an axis; vectors of one i64, or numbers.
  Value slice(Value x, int64_t axis, Value begin, Value end);
  Value slice(Value x, int64_t axis, int64_t begin, int64_t end);
  Value concat(ArrayRef<Value> parts, int64_t axis);

  // Shapes, as vectors of i64.
  Value shapeOf(Value x);
  /// One dim, a vector of one element; a negative axis counts from the last.
  Value dimOf(Value x, int64_t axis);
  Value expand(Value x, Value shape) { return op<ExpandOp>({x, shape}); }
  /// [0, count), where `count` is a vector of one element.
  Value range(Value count);

  Value cast(Value x, Type element);
  Value add(Value x, Value y) { return op<AddOp>({x, y}); }
  Value sub(Value x, Value y) { return op<SubOp>({x, y}); }
  Value mul(Value x, Value y) { return op<MulOp>({x, y}); }

private:
  Value create(OperationName name, ArrayRef<Value> operands,
               ArrayRef<NamedAttribute> attributes);

  CreateFn createOp;
  bool failedAny = false;
};

} // namespace mlir::onnx

#endif // DS_DIALECT_ONNX_GRAPHBUILDER_H
