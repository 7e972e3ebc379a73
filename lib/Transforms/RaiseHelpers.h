//===- RaiseHelpers.h - What raising passes share ----------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_RAISEHELPERS_H
#define DS_LIB_TRANSFORMS_RAISEHELPERS_H

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ds {

/// The value of a float constant of one element, of any rank.
std::optional<double> getScalarConstant(Value value);

/// Whether two constants are the same number but for the rounding of `element`.
bool isClose(double value, double expected, Type element);

/// The elements of a small integer constant, or nullopt.
std::optional<SmallVector<int64_t>> getIntConstant(Value value);

/// The type of a tensor, all of which are ranked here.
inline RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Whether a value is known at compile time: a weight or a constant.
bool isWeight(Value value);

/// Emits a remark of the category `pass`: the node, what it did not become,
/// and why.
void reportMissed(Operation *op, StringRef pass, StringRef target,
                  const Twine &reason);

/// What looks for a form in the graph, and says why it is not there.
class ExplainedMatch {
public:
  /// Why the last match failed.
  std::string reason;

protected:
  LogicalResult fail(const Twine &why) {
    reason = why.str();
    return failure();
  }
};

/// An op by its node's name and its kind, for messages.
std::string describeNode(Operation *op);

/// Erases what nothing uses any more, from last to first, in branches, too.
void eraseDeadOps(func::FuncOp func);

/// Lets `shapes` compute what a rewrite of `op` asks for in the entry block,
/// where all that follows sees it, also if `op` is in a branch.
void insertShapesBefore(Operation *op, ShapeBuilder &shapes);

/// The type of `type` with its dims permuted: result dim i is `permutation[i]`.
RankedTensorType permuteType(Type type, ArrayRef<int64_t> permutation);

/// `value` with its dims permuted, a weight by a step of its transformations.
/// Itself where the permutation is the identity.
Value createTranspose(OpBuilder &builder, Location loc, Value value,
                      ArrayRef<int64_t> permutation);

/// Gives `value` the type that users of `result` were made for: the two know
/// the same dims, but not always by the same way.
Value withTypeOf(Value result, Value value, OpBuilder &builder);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_RAISEHELPERS_H
