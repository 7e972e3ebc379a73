//===- ShapeReads.cpp - From where graphs read shapes ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ShapeReads.h"

#include "RaiseHelpers.h"
#include "ds/Dialect/DS/ShapeBuilder.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Makes vectors of sizes out of arguments and numbers.
class ArgumentShapes {
public:
  ArgumentShapes(func::FuncOp func, ShapeBuilder &shapes) {
    for (BlockArgument argument : func.getArguments()) {
      if (!isa<RankedTensorType>(argument.getType()))
        continue;
      for (auto [i, dim] : llvm::enumerate(shapes.dims(argument)))
        if (auto value = dyn_cast<Value>(dim))
          origins.try_emplace(value, argument, i);
    }
  }

  /// `dims` as a vector, or null where one is none of an argument.
  Value create(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> dims) {
    SmallVector<Value> parts;
    for (OpFoldResult dim : dims) {
      Value part = create(b, loc, dim);
      if (!part)
        return nullptr;
      parts.push_back(part);
    }
    if (parts.size() == 1)
      return parts.front();
    auto type = RankedTensorType::get({int64_t(dims.size())}, b.getI64Type());
    return onnx::ConcatOp::create(b, loc, type, parts, /*axis=*/0);
  }

private:
  Value create(OpBuilder &b, Location loc, OpFoldResult dim) {
    auto type = RankedTensorType::get({1}, b.getI64Type());
    if (std::optional<int64_t> size = getConstantIntValue(dim))
      return onnx::ConstantOp::create(b, loc, type,
                                      DenseElementsAttr::get(type, *size));
    auto origin = origins.find(cast<Value>(dim));
    if (origin == origins.end())
      return nullptr;
    auto [argument, i] = origin->second;
    return onnx::ShapeOp::create(b, loc, type, argument, /*start=*/i,
                                 /*end=*/b.getI64IntegerAttr(i + 1));
  }

  llvm::DenseMap<Value, std::pair<BlockArgument, int64_t>> origins;
};
} // namespace

void mlir::ds::readShapesOfArguments(func::FuncOp func) {
  OpBuilder b(func.getContext());
  b.setInsertionPointToStart(&func.getBody().front());
  ShapeBuilder shapes(b, func.getLoc());
  bindEntryDims(func, shapes);
  ArgumentShapes arguments(func, shapes);
  SmallVector<onnx::ShapeOp> reads(func.getOps<onnx::ShapeOp>());
  for (onnx::ShapeOp read : reads) {
    auto [first, last] = read.getRange();
    if (isa<BlockArgument>(read.getData()) || first >= last)
      continue;
    b.setInsertionPoint(read);
    ArrayRef<OpFoldResult> dims = shapes.dims(read.getData());
    Value made =
        arguments.create(b, read.getLoc(), dims.slice(first, last - first));
    if (made && made.getType() == read.getType())
      read.getShape().replaceAllUsesWith(made);
  }
  eraseDeadOps(func);
}
