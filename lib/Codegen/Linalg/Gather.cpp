//===- Gather.cpp - Reading by index to linalg ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/CheckedIndex.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// The index where there is only one, known at compile time.
static std::optional<int64_t> onlyIndex(onnx::GatherOp op, Lowering &l) {
  auto type = cast<RankedTensorType>(op.getIndices().getType());
  if (!type.hasStaticShape() || type.getNumElements() != 1 ||
      !op.getIndices().getDefiningOp())
    return std::nullopt;
  auto elements = l.shapes.elements(op.getIndices());
  return elements ? getConstantIntValue(elements->front()) : std::nullopt;
}

/// One index known at compile time: a slice.
static LogicalResult gatherSlice(onnx::GatherOp op, Lowering &l, int64_t axis,
                                 int64_t index) {
  ShapeBuilder &s = l.shapes;
  Dims dims = dimsOf(l, op.getData());
  OpFoldResult position =
      index < 0 ? s.add(dims[axis], s.constant(index)) : s.constant(index);
  int64_t least = index < 0 ? -index : index + 1;
  if (failed(requireAtLeast(l, op, dims[axis], least,
                            "its constant index is outside a dim of {0}")))
    return failure();
  Dims offsets(dims.size(), s.constant(0)), sizes = dims;
  offsets[axis] = position;
  sizes[axis] = s.constant(1);
  Value slice = extractSlice(l, loweredAs(l, op.getData()), offsets, sizes);
  l.setLowered(op.getOutput(),
               reshape(l, slice, sizes, dimsOf(l, op.getOutput())));
  return success();
}

static LogicalResult lowerGather(onnx::GatherOp op, Lowering &l) {
  Dims data = dimsOf(l, op.getData()), result = dimsOf(l, op.getOutput());
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), data.size());
  int64_t indexRank = l.shapes.rank(op.getIndices());
  if (std::optional<int64_t> index = onlyIndex(op, l))
    return gatherSlice(op, l, axis, *index);

  auto index =
      CheckedIndex::create(l, op, op.getIndices(), data[axis], result, "read");
  if (failed(index))
    return failure();
  Value source = loweredAs(l, op.getData());
  AffineMap indexMap =
      AffineMap::getMultiDimIdentityMap(result.size(), l.b.getContext())
          .getSliceMap(axis, indexRank);
  l.setLowered(
      op.getOutput(),
      generate(l, result, Lowering::storageOf(op.getData()),
               loweredAs(l, op.getIndices()), indexMap, [&](const Cell &cell) {
                 SmallVector<Value> at;
                 for (int64_t i = 0; i < axis; ++i)
                   at.push_back(cell.index(i));
                 at.push_back(
                     index->position(cell.b, cell.loc, cell.inputs[0]));
                 for (int64_t i = axis + 1, e = data.size(); i < e; ++i)
                   at.push_back(cell.index(i + indexRank - 1));
                 return cell.extract(source, at);
               }));
  return success();
}

//===----------------------------------------------------------------------===//
// GatherElements, GatherND
//===----------------------------------------------------------------------===//

static LogicalResult lowerGatherElements(onnx::GatherElementsOp op,
                                         Lowering &l) {
  ShapeBuilder &s = l.shapes;
  Dims data = dimsOf(l, op.getData()), result = dimsOf(l, op.getOutput());
  int64_t rank = data.size();
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), rank);
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis &&
        failed(require(l, op,
                       s.compare(arith::CmpIPredicate::sle, result[i], data[i]),
                       result[i], data[i],
                       "a dim of its indices is {0}, of its data {1}")))
      return failure();
  auto index =
      CheckedIndex::create(l, op, op.getIndices(), data[axis], result, "read");
  if (failed(index))
    return failure();
  Value source = loweredAs(l, op.getData());
  l.setLowered(
      op.getOutput(),
      generate(l, result, Lowering::storageOf(op.getData()),
               loweredAs(l, op.getIndices()), l.b.getMultiDimIdentityMap(rank),
               [&](const Cell &cell) {
                 SmallVector<Value> at;
                 for (int64_t i = 0; i < rank; ++i)
                   at.push_back(i == axis ? index->position(cell.b, cell.loc,
                                                            cell.inputs[0])
                                          : cell.index(i));
                 return cell.extract(source, at);
               }));
  return success();
}

static LogicalResult lowerGatherND(onnx::GatherNDOp op, Lowering &l) {
  Dims data = dimsOf(l, op.getData()), indices = dimsOf(l, op.getIndices());
  Dims result = dimsOf(l, op.getOutput());
  int64_t batch = op.getBatchDims();
  int64_t tuple = *getConstantIntValue(indices.back());
  int64_t lead = indices.size() - 1;
  for (int64_t i = 0; i < batch; ++i)
    if (failed(l.requireEqual(op, data[i], indices[i],
                              "its batch dims differ: {0} and {1}")))
      return failure();
  SmallVector<CheckedIndex> components;
  for (int64_t i = 0; i < tuple; ++i) {
    auto component =
        CheckedIndex::create(l, op, op.getIndices(), data[batch + i], result,
                             "read", /*component=*/i, tuple);
    if (failed(component))
      return failure();
    components.push_back(*component);
  }
  Value source = loweredAs(l, op.getData());
  Value tuples = loweredAs(l, op.getIndices());
  l.setLowered(
      op.getOutput(),
      generate(l, result, Lowering::storageOf(op.getData()), {}, {},
               [&](const Cell &cell) {
                 SmallVector<Value> at, position;
                 for (int64_t i = 0; i < lead; ++i)
                   position.push_back(cell.index(i));
                 at.assign(position.begin(), position.begin() + batch);
                 position.push_back(Value());
                 for (int64_t i = 0; i < tuple; ++i) {
                   position.back() = cell.constant(i);
                   at.push_back(components[i].position(
                       cell.b, cell.loc, cell.extract(tuples, position)));
                 }
                 for (int64_t i = lead, e = result.size(); i < e; ++i)
                   at.push_back(cell.index(i));
                 return cell.extract(source, at);
               }));
  return success();
}

//===----------------------------------------------------------------------===//
// ReverseSequence
//===----------------------------------------------------------------------===//

static LogicalResult lowerReverseSequence(onnx::ReverseSequenceOp op,
                                          Lowering &l) {
  Dims dims = dimsOf(l, op.getInput());
  int64_t time = op.getTimeAxis(), batch = op.getBatchAxis();
  if (failed(l.requireEqual(op, dims[batch],
                            l.shapes.dim(op.getSequenceLens(), 0),
                            "has a batch of {0} but {1} lengths")))
    return failure();
  Value source = loweredAs(l, op.getInput());
  Value bound = l.shapes.materialize(dims[time]);
  AffineMap lengthMap = AffineMap::get(
      dims.size(), 0, l.b.getAffineDimExpr(batch), l.b.getContext());
  l.setLowered(
      op.getOutput(),
      generate(
          l, dims, Lowering::storageOf(op.getInput()),
          loweredAs(l, op.getSequenceLens()), lengthMap, [&](const Cell &cell) {
            OpBuilder &b = cell.b;
            Value length = arith::IndexCastOp::create(
                b, cell.loc, b.getIndexType(), cell.inputs[0]);
            Value index = cell.index(time), one = cell.constant(1);
            Value inside = arith::CmpIOp::create(
                b, cell.loc, arith::CmpIPredicate::slt, index, length);
            Value last = arith::SubIOp::create(b, cell.loc, length, one);
            Value mirrored = arith::SubIOp::create(b, cell.loc, last, index);
            Value from =
                arith::SelectOp::create(b, cell.loc, inside, mirrored, index);
            SmallVector<Value> at;
            for (int64_t i = 0, e = dims.size(); i < e; ++i)
              at.push_back(cell.index(i));
            // A length past the dim mirrors to positions past it.
            at[time] = CheckedIndexOp::create(b, cell.loc, from, bound, false);
            return cell.extract(source, at);
          }));
  return success();
}

void mlir::ds::populateGatherLowerings(LoweringRegistry &registry) {
  registry.add<onnx::GatherOp>(lowerGather);
  registry.add<onnx::GatherElementsOp>(lowerGatherElements);
  registry.add<onnx::GatherNDOp>(lowerGatherND);
  registry.add<onnx::ReverseSequenceOp>(lowerReverseSequence);
}
