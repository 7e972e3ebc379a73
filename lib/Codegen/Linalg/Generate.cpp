//===- Generate.cpp - Tensors computed from shapes and indices ------------===//
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
// Shape, Size
//===----------------------------------------------------------------------===//

/// A tensor of index values, where a shape is used as data after all.
static Value tensorOf(Lowering &l, ArrayRef<OpFoldResult> elements,
                      RankedTensorType type) {
  if (std::optional<SmallVector<int64_t>> known =
          getConstantIntValues(elements))
    return arith::ConstantOp::create(
        l.b, l.loc(), DenseElementsAttr::get(type, ArrayRef(*known)));
  Type element = type.getElementType();
  SmallVector<Value> values;
  for (OpFoldResult value : elements)
    values.push_back(arith::IndexCastOp::create(l.b, l.loc(), element,
                                                l.shapes.materialize(value)));
  Dims dims;
  for (int64_t size : type.getShape())
    dims.push_back(l.shapes.constant(size));
  return generate(l, dims, element, {}, {}, [&](const Cell &cell) {
    Value result = values.back();
    for (int64_t i = values.size() - 2; i >= 0; --i) {
      Value here =
          arith::CmpIOp::create(cell.b, cell.loc, arith::CmpIPredicate::eq,
                                cell.index(0), cell.constant(i));
      result =
          arith::SelectOp::create(cell.b, cell.loc, here, values[i], result);
    }
    return result;
  });
}

static LogicalResult lowerElements(Operation *op, Lowering &l) {
  Value result = op->getResult(0);
  SmallVector<OpFoldResult> elements =
      *cast<ElementsOpInterface>(op).inferElements(l.shapes);
  SmallVector<int64_t> shape;
  if (isa<onnx::ShapeOp>(op))
    shape.push_back(elements.size());
  l.setLowered(result, tensorOf(l, elements,
                                RankedTensorType::get(
                                    shape, Lowering::storageOf(result))));
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOfShape, Range, EyeLike
//===----------------------------------------------------------------------===//

static LogicalResult lowerConstantOfShape(onnx::ConstantOfShapeOp op,
                                          Lowering &l) {
  Dims dims = dimsOf(l, op.getOutput());
  for (OpFoldResult dim : dims)
    if (failed(requireAtLeast(l, op, dim, 0, "its shape has a dim of {0}")))
      return failure();
  Type storage = Lowering::storageOf(op.getOutput());
  TypedAttr value = l.b.getZeroAttr(storage);
  if (op.getValue()) {
    Attribute element = *op.getValue()->value_begin<Attribute>();
    if (auto integer = dyn_cast<IntegerAttr>(element))
      value = IntegerAttr::get(storage, integer.getValue().zextOrTrunc(
                                            storage.getIntOrFloatBitWidth()));
    else
      value = cast<FloatAttr>(element);
  }
  Value scalar = arith::ConstantOp::create(l.b, l.loc(), value);
  l.setLowered(op.getOutput(), l.filled(dims, scalar));
  return success();
}

/// The one element of a lowered tensor, as a scalar.
static Value onlyElement(Lowering &l, Value source) {
  Value zero = l.shapes.materialize(l.shapes.constant(0));
  SmallVector<Value> indices(l.shapes.rank(source), zero);
  return Lowering::extract(l.b, l.loc(), l.lowered(source), indices);
}

static LogicalResult lowerRange(onnx::RangeOp op, Lowering &l) {
  Type element = Lowering::storageOf(op.getOutput());
  if (isa<IntegerType>(element)) {
    ShapeBuilder &s = l.shapes;
    auto scalar = [&](Value operand, StringRef name) {
      return onnx::getScalar(op, s, operand, name);
    };
    FailureOr<OpFoldResult> start = scalar(op.getStart(), "start"),
                            limit = scalar(op.getLimit(), "limit"),
                            delta = scalar(op.getDelta(), "delta");
    OpFoldResult zero = s.constant(0);
    if (failed(start) || failed(limit) || failed(delta) ||
        failed(require(l, op, s.compare(arith::CmpIPredicate::ne, *delta, zero),
                       *delta, zero, "its delta is {0}")))
      return failure();
    // The distance of two numbers may take one bit more than they have.
    OpFoldResult grows = s.compare(arith::CmpIPredicate::sge, *limit, *start);
    OpFoldResult isUp =
        s.compare(arith::CmpIPredicate::sge, s.sub(*limit, *start), zero);
    if (failed(require(l, op, s.compare(arith::CmpIPredicate::eq, grows, isUp),
                       *start, *limit,
                       "its range from {0} to {1} is longer than 2^63")))
      return failure();
  }
  // Half-precision positions are exact in f32 only.
  Type compute = element;
  if (element.isF16() || element.isBF16())
    compute = l.b.getF32Type();
  Value start = onlyElement(l, op.getStart());
  Value delta = onlyElement(l, op.getDelta());
  if (compute != element) {
    start = arith::ExtFOp::create(l.b, l.loc(), compute, start);
    delta = arith::ExtFOp::create(l.b, l.loc(), compute, delta);
  }
  if (isa<FloatType>(compute)) {
    Value none =
        arith::ConstantOp::create(l.b, l.loc(), l.b.getFloatAttr(compute, 0.0));
    Value moves = arith::CmpFOp::create(l.b, l.loc(), arith::CmpFPredicate::UNE,
                                        delta, none);
    Value zero = l.shapes.materialize(l.shapes.constant(0));
    CheckOp::create(l.b, l.loc(), moves, zero, zero, "its delta is {0}");
  }
  l.setLowered(
      op.getOutput(),
      generate(l, dimsOf(l, op.getOutput()), element, {}, {},
               [&](const Cell &cell) -> Value {
                 OpBuilder &b = cell.b;
                 Location loc = cell.loc;
                 bool isFloat = isa<FloatType>(element);
                 Type integer = isFloat ? b.getI64Type() : element;
                 Value i =
                     arith::IndexCastOp::create(b, loc, integer, cell.index(0));
                 if (!isFloat) {
                   Value moved = arith::MulIOp::create(b, loc, i, delta);
                   return arith::AddIOp::create(b, loc, start, moved);
                 }
                 i = arith::SIToFPOp::create(b, loc, compute, i);
                 Value moved = arith::MulFOp::create(b, loc, i, delta);
                 Value value = arith::AddFOp::create(b, loc, start, moved);
                 if (compute != element)
                   value = arith::TruncFOp::create(b, loc, element, value);
                 return value;
               }));
  return success();
}

/// 1 of a storage type.
static Value one(const Cell &cell, Type type) {
  TypedAttr value = cell.b.getIntegerAttr(
      isa<IntegerType>(type) ? type : cell.b.getI32Type(), 1);
  if (isa<FloatType>(type))
    value = cell.b.getFloatAttr(type, 1.0);
  return arith::ConstantOp::create(cell.b, cell.loc, value);
}

static LogicalResult lowerEyeLike(onnx::EyeLikeOp op, Lowering &l) {
  Type element = Lowering::storageOf(op.getOutput());
  l.setLowered(
      op.getOutput(),
      generate(l, dimsOf(l, op.getOutput()), element, {}, {},
               [&](const Cell &cell) -> Value {
                 Value diagonal = arith::AddIOp::create(
                     cell.b, cell.loc, cell.index(0), cell.constant(op.getK()));
                 Value on = arith::CmpIOp::create(cell.b, cell.loc,
                                                  arith::CmpIPredicate::eq,
                                                  cell.index(1), diagonal);
                 Value zero = arith::ConstantOp::create(
                     cell.b, cell.loc, cell.b.getZeroAttr(element));
                 return arith::SelectOp::create(cell.b, cell.loc, on,
                                                one(cell, element), zero);
               }));
  return success();
}

//===----------------------------------------------------------------------===//
// Trilu, OneHot
//===----------------------------------------------------------------------===//

static LogicalResult lowerTrilu(onnx::TriluOp op, Lowering &l) {
  Dims dims = dimsOf(l, op.getOutput());
  int64_t rank = dims.size();
  Type element = Lowering::storageOf(op.getOutput());
  Value k;
  if (onnx::isPresent(op.getK()))
    k = arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(),
                                   onlyElement(l, op.getK()));
  else
    k = l.shapes.materialize(l.shapes.constant(0));
  auto predicate =
      op.getUpper() ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
  l.setLowered(
      op.getOutput(),
      generate(
          l, dims, element, loweredAs(l, op.getInput()),
          l.b.getMultiDimIdentityMap(rank), [&](const Cell &cell) -> Value {
            Value diagonal = arith::SubIOp::create(
                cell.b, cell.loc, cell.index(rank - 1), cell.index(rank - 2));
            Value kept =
                arith::CmpIOp::create(cell.b, cell.loc, predicate, diagonal, k);
            Value zero = arith::ConstantOp::create(cell.b, cell.loc,
                                                   cell.b.getZeroAttr(element));
            return arith::SelectOp::create(cell.b, cell.loc, kept,
                                           cell.inputs[0], zero);
          }));
  return success();
}

static LogicalResult lowerOneHot(onnx::OneHotOp op, Lowering &l) {
  Dims dims = dimsOf(l, op.getOutput());
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), dims.size());
  if (failed(requireAtLeast(l, op, dims[axis], 0, "its depth is {0}")) ||
      failed(l.requireEqual(op, l.shapes.dim(op.getValues(), 0),
                            l.shapes.constant(2),
                            "has {0} values, expected {1}")))
    return failure();
  Value values = loweredAs(l, op.getValues());
  Value zero = l.shapes.materialize(l.shapes.constant(0));
  Value first = l.shapes.materialize(l.shapes.constant(1));
  Value off = Lowering::extract(l.b, l.loc(), values, zero);
  Value on = Lowering::extract(l.b, l.loc(), values, first);
  Value depth = l.shapes.materialize(dims[axis]);
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0, e = dims.size(); i < e; ++i)
    if (i != axis)
      exprs.push_back(l.b.getAffineDimExpr(i));
  bool isUnsigned = elementType(op.getIndices()).isUnsignedInteger();
  l.setLowered(
      op.getOutput(),
      generate(
          l, dims, Lowering::storageOf(op.getOutput()),
          loweredAs(l, op.getIndices()),
          AffineMap::get(dims.size(), 0, exprs, l.b.getContext()),
          [&](const Cell &cell) -> Value {
            OpBuilder &b = cell.b;
            Location loc = cell.loc;
            Value raw = cell.inputs[0];
            if (isa<FloatType>(raw.getType()))
              raw = arith::FPToSIOp::create(b, loc, b.getI64Type(), raw);
            Value index =
                isUnsigned
                    ? arith::IndexCastUIOp::create(b, loc, b.getIndexType(),
                                                   raw)
                          .getResult()
                    : arith::IndexCastOp::create(b, loc, b.getIndexType(), raw)
                          .getResult();
            Value fromEnd = arith::AddIOp::create(b, loc, index, depth);
            Value negative = arith::CmpIOp::create(
                b, loc, arith::CmpIPredicate::slt, index, cell.constant(0));
            index = arith::SelectOp::create(b, loc, negative, fromEnd, index);
            Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                               index, cell.index(axis));
            return arith::SelectOp::create(b, loc, here, on, off);
          }));
  return success();
}

void mlir::ds::populateGenerateLowerings(LoweringRegistry &registry) {
  registry.addAll<onnx::ShapeOp, onnx::SizeOp>(lowerElements);
  registry.add<onnx::ConstantOfShapeOp>(lowerConstantOfShape);
  registry.add<onnx::RangeOp>(lowerRange);
  registry.add<onnx::EyeLikeOp>(lowerEyeLike);
  registry.add<onnx::TriluOp>(lowerTrilu);
  registry.add<onnx::OneHotOp>(lowerOneHot);
}
