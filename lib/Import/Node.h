//===- Node.h - A node on its way to an op ----------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_NODE_H
#define DS_LIB_IMPORT_NODE_H

#include "ds/Dialect/DS/DSDialect.h"

namespace mlir::ds::importer {

/// A node whose inputs are values already. Opset rules rewrite it until it is
/// in the form of the newest opset.
struct Node {
  Node(StringRef opType, StringRef domain, int64_t opset, Location loc)
      : opType(opType), domain(domain), opset(opset), loc(loc) {}

  std::string opType;
  std::string domain;
  int64_t opset;
  Location loc;
  /// One for each input; null where it is absent.
  SmallVector<Value> operands;
  NamedAttrList attributes;
  unsigned numResults = 1;
  /// The results' element type, where the op's shape function cannot tell it.
  Type resultElement;
  /// Set by a rule that needs no op for the node itself; null for an output
  /// that is not supported.
  SmallVector<Value> results;

  /// The operand, or null where it is absent or not given.
  Value operand(unsigned i) const {
    return i < operands.size() ? operands[i] : Value();
  }
  void setOperand(unsigned i, Value value) {
    if (i >= operands.size())
      operands.resize(i + 1);
    operands[i] = value;
  }
  /// Removes the attribute and returns it; null where it is not given or not
  /// of this kind, for the op to complain about.
  template <typename AttrT> AttrT take(StringRef name) {
    auto attribute = dyn_cast_or_null<AttrT>(attributes.get(name));
    if (attribute)
      attributes.erase(name);
    return attribute;
  }
  /// Starts an error that names the op.
  InFlightDiagnostic emitError() const {
    return mlir::emitError(loc)
           << "op " << (domain.empty() ? "ai.onnx" : domain) << "." << opType
           << " (opset " << opset << "): ";
  }
};

/// Creates ops at the end of a block, each with the result types that its shape
/// function gives.
class Emitter {
public:
  Emitter(OpBuilder &builder, ShapeBuilder &shapes)
      : b(builder), shapes(shapes) {}

  /// The op that a node of this type and domain becomes.
  static OperationName opName(MLIRContext *context, StringRef opType,
                              StringRef domain);

  /// Creates the op of a node in its newest form and sets `node.results`.
  LogicalResult emit(Node &node);
  /// The only result of a new op at `like`'s location.
  FailureOr<Value> emit(const Node &like, StringRef opType,
                        ArrayRef<Value> operands,
                        ArrayRef<NamedAttribute> attributes = {});

  /// Gives an op that was made with results of no type the types that its shape
  /// function tells, or emits an error.
  LogicalResult inferTypes(Operation *op, const Node &node);

  /// A constant of dense elements, or of a weight.
  Value constant(Location loc, Attribute tensor);
  /// A constant vector of i64.
  Value constant(Location loc, ArrayRef<int64_t> elements);

  OpBuilder &builder() { return b; }
  ShapeBuilder &shapeBuilder() { return shapes; }

private:
  LogicalResult completeOperands(Node &node, OperationName name);
  LogicalResult checkAttributes(Node &node, OperationName name);

  OpBuilder &b;
  ShapeBuilder &shapes;
  Value noValue;
};

/// Whether this op always becomes others, so that it needs no op of its own.
bool isReplaced(StringRef opType, StringRef domain);

/// Rewrites `node` to the form of the newest opset, or emits an error.
LogicalResult normalize(Node &node, Emitter &emitter);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_NODE_H
