//===- DSOps.cpp - Ops of the ds dialect ----------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ds;

#define GET_OP_CLASSES
#include "ds/Dialect/DS/DSOps.cpp.inc"

//===----------------------------------------------------------------------===//
// WeightOp
//===----------------------------------------------------------------------===//

SmallVector<int64_t> mlir::ds::getPackedShape(PackAttr pack,
                                              ArrayRef<int64_t> matrices) {
  int64_t panel = pack.getStrips() * pack.getColumns();
  ArrayRef<int64_t> matrix = matrices.take_back(2);
  SmallVector<int64_t> shape = llvm::to_vector(matrices.drop_back(2));
  shape.append({llvm::divideCeilSigned(matrix[1], panel), pack.getStrips(),
                llvm::divideCeilSigned(matrix[0], pack.getDepth()),
                pack.getColumns()});
  if (pack.getDepth() > 1)
    shape.push_back(pack.getDepth());
  return shape;
}

/// The shape after one step, or nullopt where the step does not fit.
static std::optional<SmallVector<int64_t>> applyStep(ArrayRef<int64_t> shape,
                                                     Attribute step) {
  using Shape = std::optional<SmallVector<int64_t>>;
  return llvm::TypeSwitch<Attribute, Shape>(step)
      .Case([&](TransposeAttr transpose) -> Shape {
        ArrayRef<int64_t> permutation = transpose.getPermutation();
        if (permutation.size() != shape.size() ||
            !isPermutationVector(permutation))
          return std::nullopt;
        return applyPermutation(shape, permutation);
      })
      .Case([&](ReshapeAttr reshape) -> Shape {
        if (ShapedType::getNumElements(reshape.getShape()) !=
            ShapedType::getNumElements(shape))
          return std::nullopt;
        return llvm::to_vector(reshape.getShape());
      })
      .Case([&](SelectAttr select) -> Shape {
        int64_t dim = select.getDim();
        if (dim < 0 || dim >= int64_t(shape.size()) ||
            llvm::any_of(
                select.getSlices(),
                [&](int64_t slice) {
                  return slice < 0 || slice >= shape[dim];
                }))
          return std::nullopt;
        SmallVector<int64_t> result = llvm::to_vector(shape);
        result[dim] = select.getSlices().size();
        return result;
      })
      .Case([&](ScaleAttr scale) -> Shape {
        int64_t dim = scale.getDim(), factors = scale.getFactors().size();
        if (dim < 0 || dim >= int64_t(shape.size()) || factors == 0 ||
            shape[dim] % factors != 0)
          return std::nullopt;
        return llvm::to_vector(shape);
      })
      .Case([&](PackAttr pack) -> Shape {
        if (shape.size() < 2 || pack.getStrips() <= 0 ||
            pack.getColumns() <= 0 || pack.getDepth() <= 0)
          return std::nullopt;
        return getPackedShape(pack, shape);
      })
      .Default([](Attribute) -> Shape { return std::nullopt; });
}

FailureOr<SmallVector<int64_t>>
mlir::ds::applyTransforms(ArrayRef<int64_t> shape, ArrayAttr transforms,
                          function_ref<InFlightDiagnostic()> emitError) {
  SmallVector<int64_t> result = llvm::to_vector(shape);
  if (!transforms)
    return result;
  for (Attribute step : transforms) {
    std::optional<SmallVector<int64_t>> next = applyStep(result, step);
    if (!next)
      return emitError() << "C1: transform " << step
                         << " does not fit a tensor of shape ["
                         << ArrayRef(result) << "]";
    result = std::move(*next);
  }
  return result;
}

LogicalResult WeightOp::verify() {
  Type element = getSource().getType().getElementType();
  if (!isa<FloatType>(element) &&
      llvm::any_of(getTransforms(), llvm::IsaPred<ScaleAttr>))
    return emitOpError("C1: #ds.scale is a step of floats, found ") << element;
  FailureOr<SmallVector<int64_t>> shape =
      applyTransforms(getSource().getType().getShape(), getTransforms(),
                      [&] { return emitOpError(); });
  if (failed(shape))
    return failure();
  auto expected =
      RankedTensorType::get(*shape, getSource().getType().getElementType());
  if (expected != getType())
    return emitOpError("C2: expected result type ")
           << expected << ", found " << getType();
  return success();
}
