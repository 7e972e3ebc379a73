//===- ShapeHelpers.h - What shape functions of ONNX ops share ---*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_SHAPEHELPERS_H
#define DS_DIALECT_ONNX_SHAPEHELPERS_H

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "llvm/ADT/SmallBitVector.h"

namespace mlir::onnx {

using ds::ResultShape;
using ds::ShapeBuilder;

/// The element type of a tensor value.
inline Type elementType(Value tensor) {
  return cast<ShapedType>(tensor.getType()).getElementType();
}

/// One result of operand 0's shape and element type.
LogicalResult inferSameShape(Operation *op, ShapeBuilder &shapes,
                             SmallVectorImpl<ResultShape> &results);

/// One result of the broadcast shape of all operands. Its element type is
/// `element`, or operand 0's when that is null.
LogicalResult inferBroadcast(Operation *op, ShapeBuilder &shapes,
                             SmallVectorImpl<ResultShape> &results,
                             Type element = nullptr);

/// The elements of an element-wise integer op from those of its operands, which
/// broadcast: `combine` gives one result element from one of each operand.
std::optional<SmallVector<OpFoldResult>> inferElementwiseElements(
    Operation *op, ShapeBuilder &shapes,
    function_ref<OpFoldResult(ArrayRef<OpFoldResult>)> combine);

/// `axis` in [0, rank), or an error on the op that names it.
FailureOr<int64_t> normalizeAxis(Operation *op, int64_t axis, int64_t rank);

/// The elements of a small integer operand, all of which must be known at
/// compile time, or an error on the op that names the operand.
FailureOr<SmallVector<int64_t>> constantElements(Operation *op, Value operand,
                                                 StringRef name);

/// The dims of a tensor, in a copy that further questions to `shapes` leave
/// alone.
inline SmallVector<OpFoldResult> dimsOf(ShapeBuilder &shapes, Value tensor) {
  return llvm::to_vector(shapes.dims(tensor));
}

/// "[2, ?, 3]".
std::string describeDims(ArrayRef<OpFoldResult> dims);

/// Whether `value` cannot be negative whatever the shapes and data are: a dim,
/// or arithmetic on such values. What is read from data can be anything.
bool isNonNegative(OpFoldResult value);

/// The factors of a product of dims, products among them taken apart.
SmallVector<OpFoldResult> factorsOf(ArrayRef<OpFoldResult> dims);

/// Removes the factors that two products share, and gives them in terms of
/// `factorsOf` with at most one constant each (none where it is 1).
void cancelFactors(ShapeBuilder &shapes, SmallVectorImpl<OpFoldResult> &lhs,
                   SmallVectorImpl<OpFoldResult> &rhs);

/// Whether two products of dims are known to be equal.
bool sameProduct(ShapeBuilder &shapes, ArrayRef<OpFoldResult> lhs,
                 ArrayRef<OpFoldResult> rhs);

/// The elements of a small integer operand as index values, or an error on the
/// op that names the operand.
FailureOr<SmallVector<OpFoldResult>> indexElements(Operation *op,
                                                   ShapeBuilder &shapes,
                                                   Value operand,
                                                   StringRef name);

/// The same, of an operand that shape arithmetic may have computed.
FailureOr<SmallVector<int64_t>> constantElements(Operation *op,
                                                 ShapeBuilder &shapes,
                                                 Value operand, StringRef name);

/// inferElementwiseElements for the integer types that shapes are computed in:
/// signless ones of 32 and 64 bits, and bool. Constants wrap as their type
/// does; run-time values are taken to be in its range.
std::optional<SmallVector<OpFoldResult>> inferShapeArithmetic(
    Operation *op, ShapeBuilder &shapes,
    function_ref<OpFoldResult(ArrayRef<OpFoldResult>)> combine);

/// Fails with an error on the op where an operand is known not to broadcast to
/// a shape that it may not widen.
LogicalResult checkBroadcastsTo(Operation *op, ArrayRef<OpFoldResult> from,
                                ArrayRef<OpFoldResult> to, StringRef name);

/// Two dims that must be equal, one of which an error calls `name`: the one
/// that says more, or an error on the op, of the constraint `id`.
FailureOr<OpFoldResult> joinDims(Operation *op, StringRef id,
                                 OpFoldResult expected, OpFoldResult found,
                                 const Twine &name);

/// Which dims of the data a reduction op reduces, or an error on the op.
FailureOr<llvm::SmallBitVector> reducedDims(Operation *op, ReductionArgs args,
                                            ShapeBuilder &shapes);
LogicalResult inferReduction(Operation *op, ReductionArgs args,
                             ShapeBuilder &shapes,
                             SmallVectorImpl<ResultShape> &results);
/// The elements of a reduction's result where the op is a sum, product, maximum
/// or minimum of integers.
std::optional<SmallVector<OpFoldResult>>
inferReducedElements(Operation *op, ReductionArgs args, ShapeBuilder &shapes);
/// The shape of an i64 result for which operand 0 is reduced along one axis.
LogicalResult inferArgReduction(Operation *op, int64_t axis, bool keepDims,
                                ShapeBuilder &shapes,
                                SmallVectorImpl<ResultShape> &results);

/// The axes that an operand or, where it is absent, all `rank` axes name:
/// normalized, known at compile time, none twice.
FailureOr<SmallVector<int64_t>>
constantAxes(Operation *op, ShapeBuilder &shapes, Value axes, int64_t rank);

/// The elements of a small result that takes each of its elements from `data`:
/// `source` gives the row-major offset in `data` of a result position.
std::optional<SmallVector<OpFoldResult>>
mapElements(ShapeBuilder &shapes, Value data, ArrayRef<int64_t> resultShape,
            function_ref<int64_t(ArrayRef<int64_t>)> source);

} // namespace mlir::onnx

#endif // DS_DIALECT_ONNX_SHAPEHELPERS_H
