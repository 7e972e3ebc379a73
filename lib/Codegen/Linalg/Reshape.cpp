//===- Reshape.cpp - Other shapes and orders of elements to linalg --------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;

//===----------------------------------------------------------------------===//
// Reshape, Flatten, Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

/// States that a shape read from data has as many elements as its operand. Its
/// dims are at least 0. The product stops growing past `count`, so that one
/// which overflows cannot pass for another.
static LogicalResult requireCountFromData(Lowering &l, Operation *op,
                                          ArrayRef<OpFoldResult> from,
                                          ArrayRef<OpFoldResult> to) {
  ShapeBuilder &s = l.shapes;
  OpFoldResult count = s.product(from);
  OpFoldResult beyond = s.add(count, s.constant(1));
  OpFoldResult product = s.constant(1);
  for (OpFoldResult dim : to)
    product = s.min(s.mul(product, s.min(dim, beyond)), beyond);
  return l.requireEqual(op, count, product,
                        "cannot give {0} elements a shape of {1} or more");
}

static LogicalResult lowerReshape(onnx::ReshapeOp op, Lowering &l) {
  Dims from = dimsOf(l, op.getData());
  FailureOr<onnx::ReshapeDims> asked = onnx::getReshapeDims(op, l.shapes);
  if (failed(asked))
    return failure();
  // The dims of the result are the asked ones, or known better.
  Dims to = dimsOf(l, op.getReshaped());
  for (int64_t i : asked->unchecked)
    if (failed(requireAtLeast(l, op, asked->dims[i], 0,
                              "its shape has a dim of {0}")))
      return failure();
  ShapeBuilder &s = l.shapes;
  OpFoldResult one = s.constant(1);
  if (asked->inferred &&
      failed(require(l, op,
                     s.compare(arith::CmpIPredicate::sle, asked->inferred, one),
                     asked->inferred, one, "{0} dims of its shape are -1")))
    return failure();
  if (asked->contradicts &&
      failed(l.requireEqual(op, asked->contradicts, s.constant(0),
                            "its shape has a 0 and a -1, of which allowzero "
                            "lets only one be")))
    return failure();
  // All dims count: where one that both have is 0, the others may differ.
  if (!asked->unchecked.empty()) {
    if (failed(requireCountFromData(l, op, from, asked->dims)))
      return failure();
  } else if (!onnx::sameProduct(s, from, asked->dims) &&
             failed(l.requireEqual(
                 op, s.product(from), s.product(asked->dims),
                 "its operand has {0} elements, its shape {1}"))) {
    return failure();
  }
  l.setLowered(op.getReshaped(), reshape(l, l.lowered(op.getData()), from, to));
  return success();
}

/// Ops whose shape function alone makes the number of elements right.
static LogicalResult lowerByShape(Operation *op, Lowering &l) {
  Value source = op->getOperand(0);
  l.setLowered(op->getResult(0),
               reshape(l, l.lowered(source), dimsOf(l, source),
                       dimsOf(l, op->getResult(0))));
  return success();
}

static LogicalResult lowerSqueeze(onnx::SqueezeOp op, Lowering &l) {
  Dims dims = dimsOf(l, op.getData());
  if (onnx::isPresent(op.getAxes())) {
    FailureOr<SmallVector<int64_t>> axes =
        onnx::constantAxes(op, l.shapes, op.getAxes(), dims.size());
    if (failed(axes))
      return failure();
    for (int64_t axis : *axes) {
      if (failed(l.requireEqual(op, dims[axis], l.shapes.constant(1),
                                "a dim to drop is {0}, expected {1}")))
        return failure();
      dims[axis] = l.shapes.constant(1);
    }
  }
  l.setLowered(op.getSqueezed(), reshape(l, l.lowered(op.getData()), dims,
                                         dimsOf(l, op.getSqueezed())));
  return success();
}

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

static LogicalResult lowerTranspose(onnx::TransposeOp op, Lowering &l) {
  FailureOr<SmallVector<int64_t>> permutation = onnx::getPermutation(op);
  if (failed(permutation))
    return failure();
  l.setLowered(op.getTransposed(),
               transpose(l, l.lowered(op.getData()), dimsOf(l, op.getData()),
                         *permutation));
  return success();
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

/// States that a dim that is expanded to `asked` is 1, or that `asked` is 1 or
/// the dim itself.
static LogicalResult requireExpandable(Lowering &l, Operation *op,
                                       OpFoldResult dim, OpFoldResult asked) {
  ShapeBuilder &s = l.shapes;
  if (failed(requireAtLeast(l, op, asked, 0, "its shape has a dim of {0}")))
    return failure();
  if (isConstantIntValue(dim, 1) || isConstantIntValue(asked, 1))
    return success();
  auto equal = [&](OpFoldResult lhs, OpFoldResult rhs) {
    return s.compare(arith::CmpIPredicate::eq, lhs, rhs);
  };
  OpFoldResult one = s.constant(1);
  OpFoldResult holds =
      s.max(s.max(equal(dim, one), equal(asked, one)), equal(dim, asked));
  return require(l, op, holds, dim, asked,
                 "a dim of {0} cannot be expanded to {1}");
}

static LogicalResult lowerExpand(onnx::ExpandOp op, Lowering &l) {
  Dims from = dimsOf(l, op.getInput()), to = dimsOf(l, op.getOutput());
  FailureOr<SmallVector<OpFoldResult>> asked =
      onnx::indexElements(op, l.shapes, op.getShape(), "shape");
  if (failed(asked))
    return failure();
  // Elements of the shape before the operand's first dim expand nothing.
  for (auto [i, dim] : llvm::enumerate(llvm::reverse(*asked))) {
    OpFoldResult own =
        i < from.size() ? from[from.size() - 1 - i] : l.shapes.constant(1);
    if (failed(requireExpandable(l, op, own, dim)))
      return failure();
  }
  if (from == to) {
    l.setLowered(op.getOutput(), loweredAs(l, op.getInput()));
    return success();
  }
  Type element = Lowering::storageElement(elementType(op.getInput()));
  l.setLowered(op.getOutput(),
               l.elementwise(op.getInput(), to, element,
                             [](OpBuilder &, Location, ValueRange scalars) {
                               return SmallVector<Value>{scalars[0]};
                             }));
  return success();
}

/// States that a dim can be repeated as often: at least not at all, and not so
/// often that the product wraps.
static LogicalResult requireRepeatable(Lowering &l, Operation *op,
                                       OpFoldResult dim, OpFoldResult repeat) {
  ShapeBuilder &s = l.shapes;
  if (failed(requireAtLeast(l, op, repeat, 0, "cannot repeat {0} times")))
    return failure();
  // No dim has more than 2^47 elements.
  if (auto known = getConstantIntValue(repeat); known && *known < 0xFFFF)
    return success();
  OpFoldResult most =
      s.truncDiv(s.constant(int64_t(1) << 48), s.max(dim, s.constant(1)));
  return require(l, op, s.compare(arith::CmpIPredicate::sle, repeat, most),
                 repeat, dim, "cannot repeat {0} times a dim of {1}");
}

/// Each repeated dim becomes two, the repetition outside, over which a generic
/// copies; the result is a view of that.
static LogicalResult lowerTile(onnx::TileOp op, Lowering &l) {
  Dims from = dimsOf(l, op.getInput());
  FailureOr<SmallVector<OpFoldResult>> repeats =
      onnx::indexElements(op, l.shapes, op.getRepeats(), "repeats");
  if (failed(repeats))
    return failure();
  Dims loops;
  SmallVector<AffineExpr> exprs;
  for (auto [dim, repeat] : llvm::zip_equal(from, *repeats)) {
    if (failed(requireRepeatable(l, op, dim, repeat)))
      return failure();
    if (!isConstantIntValue(repeat, 1))
      loops.push_back(repeat);
    if (isConstantIntValue(dim, 1)) {
      // One loop is enough for a dim of 1, and a repetition was made above.
      if (isConstantIntValue(repeat, 1))
        loops.push_back(dim);
      exprs.push_back(l.b.getAffineConstantExpr(0));
      continue;
    }
    exprs.push_back(l.b.getAffineDimExpr(loops.size()));
    loops.push_back(dim);
  }
  Dims to = dimsOf(l, op.getOutput());
  Value input = loweredAs(l, op.getInput());
  if (loops != from) {
    AffineMap map = AffineMap::get(loops.size(), 0, exprs, l.b.getContext());
    Type element = Lowering::storageElement(elementType(op.getInput()));
    input = generate(l, loops, element, input, map,
                     [](const Cell &cell) { return cell.inputs[0]; });
  }
  l.setLowered(op.getOutput(), reshape(l, input, loops, to));
  return success();
}

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

/// Reshapes to six dims, permutes them, and reshapes to the result.
static void lowerThroughBlocks(Lowering &l, Operation *op,
                               ArrayRef<OpFoldResult> blocks,
                               ArrayRef<int64_t> permutation) {
  Value source = op->getOperand(0), result = op->getResult(0);
  Value split = reshape(l, l.lowered(source), dimsOf(l, source), blocks);
  Value moved = transpose(l, split, blocks, permutation);
  Dims movedDims = llvm::map_to_vector(
      permutation, [&](int64_t dim) { return blocks[dim]; });
  l.setLowered(result, reshape(l, moved, movedDims, dimsOf(l, result)));
}

static LogicalResult lowerDepthToSpace(onnx::DepthToSpaceOp op, Lowering &l) {
  Dims from = dimsOf(l, op.getInput()), to = dimsOf(l, op.getOutput());
  OpFoldResult block = l.shapes.constant(op.getBlocksize());
  if (failed(l.requireEqual(op, from[1],
                            l.shapes.product({to[1], block, block}),
                            "whole blocks make up {1} of {0} channels")))
    return failure();
  if (op.getMode() == "DCR")
    lowerThroughBlocks(l, op, {from[0], block, block, to[1], from[2], from[3]},
                       {0, 3, 4, 1, 5, 2});
  else
    lowerThroughBlocks(l, op, {from[0], to[1], block, block, from[2], from[3]},
                       {0, 1, 4, 2, 5, 3});
  return success();
}

static LogicalResult lowerSpaceToDepth(onnx::SpaceToDepthOp op, Lowering &l) {
  Dims from = dimsOf(l, op.getInput()), to = dimsOf(l, op.getOutput());
  OpFoldResult block = l.shapes.constant(op.getBlocksize());
  for (int64_t i : {2, 3})
    if (failed(l.requireEqual(op, from[i], l.shapes.mul(to[i], block),
                              "whole blocks make up {1} of a dim of {0}")))
      return failure();
  lowerThroughBlocks(l, op, {from[0], from[1], to[2], block, to[3], block},
                     {0, 3, 5, 1, 2, 4});
  return success();
}

void mlir::ds::populateReshapeLowerings(LoweringRegistry &registry) {
  registry.add<onnx::ReshapeOp>(lowerReshape);
  registry.addAll<onnx::FlattenOp, onnx::UnsqueezeOp>(lowerByShape);
  registry.add<onnx::SqueezeOp>(lowerSqueeze);
  registry.add<onnx::TransposeOp>(lowerTranspose);
  registry.add<onnx::ExpandOp>(lowerExpand);
  registry.add<onnx::TileOp>(lowerTile);
  registry.add<onnx::DepthToSpaceOp>(lowerDepthToSpace);
  registry.add<onnx::SpaceToDepthOp>(lowerSpaceToDepth);
}
