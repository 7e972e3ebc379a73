//===- Lowering.h - Lowering ops to linalg, one by one -----------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_LOWERING_H
#define DS_CODEGEN_LINALG_LOWERING_H

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::ds {

/// What a lowering function works with. Source values are the onnx and ds
/// values being lowered; lowered values are tensors of storage types.
///
/// Code is inserted at the end of what was lowered so far, which dominates the
/// code of all later ops.
class Lowering {
public:
  Lowering(OpBuilder &builder, Location loc) : b(builder), shapes(b, loc) {}

  OpBuilder &b;
  /// Dims and small integer elements of source values.
  ShapeBuilder shapes;

  Location loc() const { return shapes.location(); }

  /// The storage type of an ONNX element type: signless integers, i8 for bool.
  static Type storageElement(Type element);
  static RankedTensorType storageType(Type tensor);
  /// The storage type of the elements of a source value.
  static Type storageOf(Value source) {
    return storageElement(getElementTypeOrSelf(source));
  }

  /// The lowered tensor of a source value.
  Value lowered(Value source) const { return map.lookup(source); }
  SmallVector<Value> lowered(ValueRange sources) const;
  void setLowered(Value source, Value lowered) { map.map(source, lowered); }

  /// An uninitialised tensor. Static dims give a static type.
  Value empty(ArrayRef<OpFoldResult> dims, Type storageElement);
  /// One for the only result of `op`, of its storage type.
  Value emptyResult(Operation *op);
  /// A tensor of these dims that holds `value` everywhere.
  Value filled(ArrayRef<OpFoldResult> dims, Value value);

  /// Body of a generic: the scalars of inputs, then of outputs; gives what to
  /// yield.
  using Body =
      function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)>;

  /// An all-parallel linalg.generic over `dims`, to which the lowered `inputs`
  /// broadcast. `sources` holds the source values of the inputs, whose dims
  /// decide the broadcast; one that can only be decided at run time reads that
  /// input at index min(i, dim - 1), after a ds.check that it is legal. Result
  /// elements have type `element`.
  Value elementwise(ValueRange sources, ArrayRef<OpFoldResult> dims,
                    Type element, Body body);

  /// States that two dims are equal. Nothing where they are known to be; an
  /// error on `op` where they are known to differ. `message` names both as {0}
  /// and {1}.
  LogicalResult requireEqual(Operation *op, OpFoldResult lhs, OpFoldResult rhs,
                             StringRef message);

  /// States that `source`, a dim of an operand that broadcasts, is 1 or equal
  /// to `target`, in the same way.
  LogicalResult requireBroadcast(Operation *op, OpFoldResult source,
                                 OpFoldResult target, StringRef message);
  /// A reference to `source`'s elements by index in the body of a generic.
  static Value extract(OpBuilder &b, Location loc, Value tensor,
                       ValueRange indices);

private:
  IRMapping map;
};

/// Lowers one op: creates its code and calls `setLowered` for its results, or
/// emits an error on the op that says what is not supported, and fails.
using LoweringFn = std::function<LogicalResult(Operation *, Lowering &)>;

/// The lowering functions by op name.
class LoweringRegistry {
public:
  template <typename OpTy> void add(LogicalResult (*lower)(OpTy, Lowering &)) {
    functions[OpTy::getOperationName()] = [lower](Operation *op, Lowering &l) {
      return lower(cast<OpTy>(op), l);
    };
  }
  void add(StringRef opName, LoweringFn lower) {
    functions[opName] = std::move(lower);
  }
  /// The same function for several ops.
  template <typename... OpTys> void addAll(LoweringFn lower) {
    ((functions[OpTys::getOperationName()] = lower), ...);
  }
  const LoweringFn *lookup(Operation *op) const {
    auto it = functions.find(op->getName().getStringRef());
    return it == functions.end() ? nullptr : &it->second;
  }

private:
  llvm::StringMap<LoweringFn> functions;
};

// One function for each file of lowerings.
void populateAttentionLowerings(LoweringRegistry &registry);
void populateCacheLowerings(LoweringRegistry &registry);
void populateCastLowerings(LoweringRegistry &registry);
void populateConvLowerings(LoweringRegistry &registry);
void populateCumSumLowerings(LoweringRegistry &registry);
void populateElementwiseLowerings(LoweringRegistry &registry);
void populateGatherLowerings(LoweringRegistry &registry);
void populateGenerateLowerings(LoweringRegistry &registry);
void populateLinearLowerings(LoweringRegistry &registry);
void populateMatMulLowerings(LoweringRegistry &registry);
void populateNormalizationLowerings(LoweringRegistry &registry);
void populatePackingLowerings(LoweringRegistry &registry);
void populatePartsLowerings(LoweringRegistry &registry);
void populateReductionLowerings(LoweringRegistry &registry);
void populateReshapeLowerings(LoweringRegistry &registry);
void populateResizeLowerings(LoweringRegistry &registry);
void populateRopeLowerings(LoweringRegistry &registry);
void populateScatterLowerings(LoweringRegistry &registry);
void populateSelectionLowerings(LoweringRegistry &registry);
void populateSoftmaxLowerings(LoweringRegistry &registry);

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_LOWERING_H
