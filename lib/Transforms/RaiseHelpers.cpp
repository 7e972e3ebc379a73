//===- RaiseHelpers.cpp - What raising passes share -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::ds;

std::optional<double> mlir::ds::getScalarConstant(Value value) {
  DenseFPElementsAttr literal;
  if (!matchPattern(value, m_Constant(&literal)) ||
      literal.getNumElements() != 1)
    return std::nullopt;
  APFloat number = *literal.value_begin<APFloat>();
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return number.convertToDouble();
}

bool mlir::ds::isClose(double value, double expected, Type element) {
  // Exporters round to the element type, and some write few digits.
  double tolerance = element.isF16() || element.isBF16() ? 4e-3 : 2e-6;
  return std::abs(value - expected) <= tolerance * std::abs(expected);
}

std::optional<SmallVector<int64_t>> mlir::ds::getIntConstant(Value value) {
  DenseIntElementsAttr literal;
  if (!matchPattern(value, m_Constant(&literal)))
    return std::nullopt;
  SmallVector<int64_t> elements;
  for (const APInt &element : literal.getValues<APInt>())
    elements.push_back(element.getSExtValue());
  return elements;
}

bool mlir::ds::isWeight(Value value) {
  return value.getDefiningOp<WeightOp>() ||
         value.getDefiningOp<onnx::ConstantOp>();
}

void mlir::ds::reportMissed(Operation *op, StringRef pass, StringRef target,
                            const Twine &reason) {
  auto remark = remark::missed(op->getLoc(),
                               remark::RemarkOpts::name(target).category(pass));
  if (!remark)
    return;
  StringRef node = getNodeName(op->getLoc());
  remark << ("'" + (node.empty() ? op->getName().getStringRef() : node) +
             "' is no " + target + ": " + reason)
                .str();
}

std::string mlir::ds::describeNode(Operation *op) {
  StringRef name = getNodeName(op->getLoc());
  StringRef kind = op->getName().stripDialect();
  return name.empty() ? kind.str() : ("'" + name + "' (" + kind + ")").str();
}

/// An op in a graph of control flow may be the last to use one in front of it,
/// so these graphs are searched when they are come to from their end.
static void eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isOpTriviallyDead(&op)) {
      op.erase();
      continue;
    }
    if (onnx::isControlFlow(&op))
      for (Region &region : llvm::reverse(op.getRegions()))
        eraseDeadOps(region.front());
  }
}

void mlir::ds::eraseDeadOps(func::FuncOp func) {
  ::eraseDeadOps(func.getBody().front());
}

void mlir::ds::insertShapesBefore(Operation *op, ShapeBuilder &shapes) {
  Block &entry = op->getParentOfType<func::FuncOp>().getBody().front();
  shapes.insertBefore(entry.findAncestorOpInBlock(*op));
}

RankedTensorType mlir::ds::permuteType(Type type,
                                       ArrayRef<int64_t> permutation) {
  auto tensor = cast<RankedTensorType>(type);
  return tensor.clone(applyPermutation(tensor.getShape(), permutation));
}

Value mlir::ds::withTypeOf(Value result, Value value, OpBuilder &builder) {
  if (value.getType() == result.getType())
    return value;
  return onnx::IdentityOp::create(builder, result.getLoc(), result.getType(),
                                  value);
}

Value mlir::ds::createTranspose(OpBuilder &builder, Location loc, Value value,
                                ArrayRef<int64_t> permutation) {
  if (isIdentityPermutation(permutation))
    return value;
  RankedTensorType type = permuteType(value.getType(), permutation);
  if (auto weight = value.getDefiningOp<WeightOp>()) {
    SmallVector<Attribute> steps = llvm::to_vector(weight.getTransforms());
    steps.push_back(TransposeAttr::get(builder.getContext(), permutation));
    return WeightOp::create(builder, weight.getLoc(), type, weight.getSource(),
                            builder.getArrayAttr(steps));
  }
  return onnx::TransposeOp::create(builder, loc, type, value,
                                   builder.getDenseI64ArrayAttr(permutation));
}
