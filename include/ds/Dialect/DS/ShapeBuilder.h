//===- ShapeBuilder.h - Shapes as folded index values -----------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_SHAPEBUILDER_H
#define DS_DIALECT_DS_SHAPEBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>
#include <string>

namespace mlir::ds {

/// The element type and dims of a result. A dim is an IntegerAttr of type index
/// (static) or a Value of type index.
struct ResultShape {
  Type elementType;
  SmallVector<OpFoldResult> dims;
};

/// Gives the dims of values and the elements of small integer tensors as folded
/// index values, each computed once. Equal dims are the same SSA value as far
/// as the arithmetic folds and repeats, so equality of dims is `==`.
///
/// Code is inserted at the builder's insertion point, which its user advances
/// through a block in order: everything that was computed before dominates it.
/// Where the user enters the regions of an op, `insertBefore` keeps the code of
/// shapes in front of that op, so that it dominates what follows, too.
class ShapeBuilder {
public:
  /// The most elements that a tensor of shape arithmetic may have.
  static constexpr int64_t maxElements = 64;

  ShapeBuilder(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  OpBuilder &builder() { return b; }
  void setLocation(Location newLoc) { loc = newLoc; }
  Location location() const { return loc; }
  /// Puts code before `op` from now on, or where the builder inserts if null.
  /// Shapes have no side effects, and depend on nothing but what enters a
  /// function: they can be computed whether or not a region runs.
  void insertBefore(Operation *op) { before = op; }
  Operation *insertedBefore() const { return before; }

  /// The dims of a ranked tensor value.
  ArrayRef<OpFoldResult> dims(Value tensor);
  OpFoldResult dim(Value tensor, int64_t i) { return dims(tensor)[i]; }
  int64_t rank(Value tensor);

  /// Tells what the dims of `tensor` are, for function arguments and values
  /// whose op has no shape function.
  void bindDims(Value tensor, ArrayRef<OpFoldResult> dims);
  /// Where `tensor` has been converted, the value to read its dims and elements
  /// from.
  void bindStorage(Value tensor, Value storage) { storages[tensor] = storage; }
  /// Tells the elements of a small integer tensor.
  void bindElements(Value tensor, ArrayRef<OpFoldResult> elements);

  /// Forgets a tensor, which is about to be erased.
  void forget(Value tensor);

  /// The row-major elements of a static integer tensor of at most `maxElements`
  /// elements as index values, or nullopt.
  std::optional<SmallVector<OpFoldResult>> elements(Value tensor);

  /// Element `i`, in row-major order, of a run-time input of static shape, as a
  /// scalar of its storage type; null for any other tensor.
  Value inputElement(Value tensor, int64_t i);

  /// What `create` makes of `operands`, made once for each `name` and operands.
  OpFoldResult memoize(StringRef name, ArrayRef<OpFoldResult> operands,
                       function_ref<Value(ArrayRef<Value>)> create);

  // Arithmetic on index values. Signed; division rounds as its name says.
  OpFoldResult constant(int64_t value) { return b.getIndexAttr(value); }
  OpFoldResult add(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult sub(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult mul(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult floorDiv(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult ceilDiv(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult truncDiv(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult max(OpFoldResult lhs, OpFoldResult rhs);
  OpFoldResult min(OpFoldResult lhs, OpFoldResult rhs);
  /// 1 where the comparison holds, else 0.
  OpFoldResult compare(arith::CmpIPredicate predicate, OpFoldResult lhs,
                       OpFoldResult rhs);
  /// `condition` != 0 ? `onTrue` : `onFalse`.
  OpFoldResult select(OpFoldResult condition, OpFoldResult onTrue,
                      OpFoldResult onFalse);
  OpFoldResult product(ArrayRef<OpFoldResult> factors);
  /// The product of `numerator` over that of `denominator`, with common factors
  /// cancelled first: the division is exact by the caller's knowledge.
  OpFoldResult exactQuotient(ArrayRef<OpFoldResult> numerator,
                             ArrayRef<OpFoldResult> denominator);

  /// A Value of type index for `value`.
  Value materialize(OpFoldResult value);

  /// Whether `dim` is min(`whole`, c) for a constant c > 1, as a table of c
  /// rows that was cut to a sequence has: the two broadcast only where they are
  /// equal, since min(n, c) = 1 means n = 1.
  static bool isClamped(OpFoldResult dim, OpFoldResult whole);

  /// ONNX broadcasting of two dims: equal dims, or one of them 1. A pair that
  /// cannot be decided gives select(lhs == 1, rhs, lhs). Fails when both are
  /// static, differ, and neither is 1.
  FailureOr<OpFoldResult> broadcast(OpFoldResult lhs, OpFoldResult rhs);
  /// The same for whole shapes, aligned at their last dims.
  FailureOr<SmallVector<OpFoldResult>>
  broadcast(ArrayRef<ArrayRef<OpFoldResult>> shapes);

private:
  /// Creates `OpTy(lhs, rhs)` or gives the value made before for the same
  /// operands.
  template <typename OpTy> OpFoldResult binary(OpFoldResult l, OpFoldResult r);
  SmallVector<OpFoldResult> computeDims(Value tensor);
  std::optional<SmallVector<OpFoldResult>> computeElements(Value tensor);

  /// Inserts before `before`, if anything, while this lives.
  struct Place {
    explicit Place(ShapeBuilder &shapes) : guard(shapes.b) {
      if (shapes.before)
        shapes.b.setInsertionPoint(shapes.before);
    }
    OpBuilder::InsertionGuard guard;
  };

  OpBuilder &b;
  Location loc;
  Operation *before = nullptr;
  DenseMap<Value, SmallVector<OpFoldResult>> dimsOf;
  DenseMap<Value, std::optional<SmallVector<OpFoldResult>>> elementsOf;
  DenseMap<Value, Value> storages;
  std::map<std::pair<std::string, SmallVector<void *, 3>>, OpFoldResult> memo;
};

/// One symbol of `ds.symbols` is one value: binds the dims of the arguments of
/// `func` to the first argument's that names it. Gives the symbols' values.
llvm::StringMap<OpFoldResult> bindEntryDims(FunctionOpInterface func,
                                            ShapeBuilder &shapes);

/// The static type that `shape` describes.
RankedTensorType getStaticType(const ResultShape &shape);

/// Implements ReifyRankedShapedTypeOpInterface by an op's `inferResults`.
LogicalResult reifyResults(Operation *op, OpBuilder &builder,
                           SmallVectorImpl<SmallVector<OpFoldResult>> &dims);

} // namespace mlir::ds

#endif // DS_DIALECT_DS_SHAPEBUILDER_H
