//===- Conv.cpp - Convolutions to linalg ----------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A convolution of f32 with a constant weight is a ds.packed_conv. Of the
// others, those whose windows do not overlap, as in the patch embedding of a
// vision transformer, or are single elements, are matrix products of reshaped
// operands. The rest is one generic that reads the padded operand at position *
// stride + tap * dilation. No operand is copied window by window.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/ImageShapes.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::ConvWindow;

namespace {
/// The operands of a Conv, lowered, with their dims.
struct Conv {
  Lowering &l;
  onnx::ConvOp op;
  SmallVector<ConvWindow> windows;
  Dims x, w;
  Type element; // of operands and result
  Type sum;     // of products' sums: f32 for half precision

  int64_t spatial() const { return windows.size(); }
  OpFoldResult images() const { return x[0]; }
  OpFoldResult maps() const { return w[0]; }

  /// The sums over the reduction loops, the last `reductions` of the generic.
  Value contract(ValueRange inputs, ArrayRef<OpFoldResult> dims,
                 ArrayRef<AffineExpr> lhs, ArrayRef<AffineExpr> rhs,
                 int64_t reductions);
  /// Adds the bias along dim `axis` and rounds to the element type. `order`
  /// gives the dims of the sums, if they are in another order.
  Value finish(Value sums, ArrayRef<OpFoldResult> dims, int64_t axis,
               ArrayRef<int64_t> order = {});
  /// The operand amid its zeros.
  Value pad();

  bool isPacked();
  bool isDepthwise();
  bool isPatches();
  bool isPointwise();
  Value lowerPacked();
  Value lowerPatches();
  Value lowerPointwise();
  Value lowerDepthwise();
  Value lowerWindows();
};
} // namespace

Value Conv::contract(ValueRange inputs, ArrayRef<OpFoldResult> dims,
                     ArrayRef<AffineExpr> lhs, ArrayRef<AffineExpr> rhs,
                     int64_t reductions) {
  OpBuilder &b = l.b;
  int64_t loops = dims.size() + reductions;
  SmallVector<utils::IteratorType> iterators(dims.size(),
                                             utils::IteratorType::parallel);
  iterators.append(reductions, utils::IteratorType::reduction);
  AffineMap result = AffineMap::getMultiDimIdentityMap(loops, b.getContext())
                         .getMajorSubMap(dims.size());
  Value zero = arith::ConstantOp::create(b, l.loc(), b.getZeroAttr(sum));
  Value init = l.filled(dims, zero);
  return linalg::GenericOp::create(
             b, l.loc(), init.getType(), inputs, init,
             ArrayRef{AffineMap::get(loops, 0, lhs, b.getContext()),
                      AffineMap::get(loops, 0, rhs, b.getContext()), result},
             iterators,
             [&](OpBuilder &nested, Location loc, ValueRange v) {
               Value lhs = v[0], rhs = v[1];
               if (sum != element) {
                 lhs = arith::ExtFOp::create(nested, loc, sum, lhs);
                 rhs = arith::ExtFOp::create(nested, loc, sum, rhs);
               }
               Value product = arith::MulFOp::create(nested, loc, lhs, rhs);
               Value next = arith::AddFOp::create(nested, loc, v[2], product);
               linalg::YieldOp::create(nested, loc, next);
             })
      .getResult(0);
}

Value Conv::finish(Value sums, ArrayRef<OpFoldResult> dims, int64_t axis,
                   ArrayRef<int64_t> order) {
  bool hasBias = onnx::isPresent(op.getB());
  if (!hasBias && sum == element && order.empty())
    return sums;
  SmallVector<Value> inputs{sums};
  SmallVector<AffineMap> maps{
      order.empty() ? l.b.getMultiDimIdentityMap(dims.size())
                    : AffineMap::getPermutationMap(order, l.b.getContext())};
  if (hasBias) {
    inputs.push_back(castTo(l, l.lowered(op.getB()), w[0]));
    maps.push_back(AffineMap::get(dims.size(), 0, l.b.getAffineDimExpr(axis),
                                  l.b.getContext()));
  }
  return generate(
      l, dims, element, inputs, maps, [&](const Cell &cell) -> Value {
        Value value = cell.inputs[0];
        if (hasBias) {
          Value bias = cell.inputs[1];
          if (sum != element)
            bias = arith::ExtFOp::create(cell.b, cell.loc, sum, bias);
          value = arith::AddFOp::create(cell.b, cell.loc, value, bias);
        }
        if (sum != element)
          value = arith::TruncFOp::create(cell.b, cell.loc, element, value);
        return value;
      });
}

Value Conv::pad() {
  Value input = castTo(l, l.lowered(op.getX()), x);
  Dims low(2, l.shapes.constant(0)), high = low, padded{x[0], x[1]};
  for (auto [i, window] : llvm::enumerate(windows)) {
    low.push_back(window.before);
    high.push_back(window.after);
    padded.push_back(
        l.shapes.add(l.shapes.add(x[2 + i], window.before), window.after));
  }
  if (padded == x)
    return input;
  Value zero =
      arith::ConstantOp::create(l.b, l.loc(), l.b.getZeroAttr(element));
  return tensor::PadOp::create(l.b, l.loc(), getStaticType({element, padded}),
                               input, low, high, zero);
}

//===----------------------------------------------------------------------===//
// Products with packed weights
//===----------------------------------------------------------------------===//

/// With fewer feature maps to a group, most columns of a strip would be empty,
/// and positions make better vectors.
static constexpr int64_t leastMaps = 12;

bool Conv::isPacked() {
  auto weight = l.lowered(op.getW()).getDefiningOp<WeightOp>();
  std::optional<int64_t> all = getConstantIntValue(maps());
  return weight && element.isF32() && weight.getType().getNumElements() != 0 &&
         all && *all / op.getGroup() >= leastMaps;
}

/// Columns of the product are feature maps, its rows positions.
Value Conv::lowerPacked() {
  ShapeBuilder &s = l.shapes;
  OpFoldResult groups = s.constant(op.getGroup());
  OpFoldResult each = s.constant(*getConstantIntValue(maps()) / op.getGroup());
  OpFoldResult depth = s.product(ArrayRef(w).drop_front());
  Value weight = reshape(l, l.lowered(op.getW()), w, {groups, each, depth});
  weight = transpose(l, weight, {groups, each, depth}, {0, 2, 1});
  // A group of a few feature maps takes one strip.
  int64_t strips = *getConstantIntValue(each) > 16 ? 2 : 1;
  weight = packWeight(l, weight.getDefiningOp<WeightOp>(), strips);

  SmallVector<int64_t> kernel, strides, dilations;
  Dims result = dimsOf(l, op.getY()), dims{result[0]};
  SmallVector<int64_t> order{0};
  for (auto [i, window] : llvm::enumerate(windows)) {
    kernel.push_back(*getConstantIntValue(window.kernel));
    strides.push_back(window.stride);
    dilations.push_back(window.dilation);
    dims.push_back(result[2 + i]);
    order.push_back(2 + i);
  }
  dims.push_back(result[1]);
  order.push_back(1);
  Value sums =
      PackedConvOp::create(l.b, l.loc(), pad(), weight, l.empty(dims, sum),
                           kernel, strides, dilations)
          ->getResult(0);
  return finish(sums, result, 1, order);
}

//===----------------------------------------------------------------------===//
// Windows that do not overlap
//===----------------------------------------------------------------------===//

bool Conv::isPatches() {
  return op.getGroup() == 1 &&
         llvm::all_of(windows, [](const ConvWindow &window) {
           return isConstantIntValue(window.kernel, window.stride) &&
                  window.dilation == 1 &&
                  isConstantIntValue(window.before, 0) &&
                  isConstantIntValue(window.after, 0);
         });
}

/// Rows of the product are patches, its columns feature maps.
Value Conv::lowerPatches() {
  ShapeBuilder &s = l.shapes;
  // Elements past the last whole window take no part.
  Dims covered{x[0], x[1]}, blocks{x[0], x[1]}, patches{x[0]}, taps{x[1]};
  SmallVector<int64_t> permutation{0};
  for (auto [i, window] : llvm::enumerate(windows)) {
    covered.push_back(s.mul(window.size, window.kernel));
    llvm::append_range(blocks, Dims{window.size, window.kernel});
    patches.push_back(window.size);
    taps.push_back(window.kernel);
    permutation.push_back(2 + 2 * i);
  }
  permutation.push_back(1);
  for (int64_t i = 0; i < spatial(); ++i)
    permutation.push_back(3 + 2 * i);

  Value input = castTo(l, l.lowered(op.getX()), x);
  if (covered != x)
    input = extractSlice(l, input, Dims(x.size(), s.constant(0)), covered);
  input = reshape(l, input, covered, blocks);
  input = transpose(l, input, blocks, permutation);
  Dims inputDims = patches;
  llvm::append_range(inputDims, taps);
  OpFoldResult rows = s.product(ArrayRef(patches).drop_front());
  OpFoldResult depth = s.product(taps);
  input = reshape(l, input, inputDims, {images(), rows, depth});

  Value weight =
      reshape(l, castTo(l, l.lowered(op.getW()), w), w, {maps(), depth});
  AffineExpr b, p, n, k;
  bindDims(l.b.getContext(), b, p, n, k);
  SmallVector<AffineExpr> weightExprs{n, k};
  if (weight.getDefiningOp<WeightOp>()) {
    // The form of a matrix product's weight.
    weight = transpose(l, weight, {maps(), depth}, {1, 0});
    weightExprs = {k, n};
  }
  Dims dims{images(), rows, maps()};
  Value product = finish(
      contract({input, weight}, dims, {b, p, k}, weightExprs, 1), dims, 2);
  product = transpose(l, product, dims, {0, 2, 1});
  return reshape(l, product, {images(), maps(), rows}, dimsOf(l, op.getY()));
}

bool Conv::isPointwise() {
  return isPatches() && llvm::all_of(windows, [](const ConvWindow &window) {
           return window.stride == 1;
         });
}

/// Rows of the product are feature maps, its columns positions.
Value Conv::lowerPointwise() {
  OpFoldResult columns = l.shapes.product(ArrayRef(x).drop_front(2));
  Value input = reshape(l, castTo(l, l.lowered(op.getX()), x), x,
                        {images(), x[1], columns});
  Value weight =
      reshape(l, castTo(l, l.lowered(op.getW()), w), w, {maps(), w[1]});
  AffineExpr b, m, p, k;
  bindDims(l.b.getContext(), b, m, p, k);
  Dims dims{images(), maps(), columns};
  Value product =
      finish(contract({weight, input}, dims, {m, k}, {b, k, p}, 1), dims, 1);
  return reshape(l, product, dims, dimsOf(l, op.getY()));
}

//===----------------------------------------------------------------------===//
// A channel for each feature map
//===----------------------------------------------------------------------===//

bool Conv::isDepthwise() {
  return isConstantIntValue(w[1], 1) &&
         isConstantIntValue(maps(), op.getGroup());
}

/// Loops over image, channel, positions, and for the sum over taps.
Value Conv::lowerDepthwise() {
  Dims result = dimsOf(l, op.getY()), weightDims{w[0]};
  int64_t outer = result.size();
  auto loop = [&](int64_t i) { return l.b.getAffineDimExpr(i); };
  SmallVector<AffineExpr> inputExprs{loop(0), loop(1)}, weightExprs{loop(1)};
  for (auto [i, window] : llvm::enumerate(windows)) {
    AffineExpr position = loop(2 + i), tap = loop(outer + i);
    inputExprs.push_back(position * window.stride + tap * window.dilation);
    weightExprs.push_back(tap);
    weightDims.push_back(window.kernel);
  }
  Value weight = reshape(l, castTo(l, l.lowered(op.getW()), w), w, weightDims);
  return finish(
      contract({pad(), weight}, result, inputExprs, weightExprs, spatial()),
      result, 1);
}

//===----------------------------------------------------------------------===//
// Windows in general
//===----------------------------------------------------------------------===//

/// Loops over image, group where there are several, feature map, positions,
/// and for the sum over channel and taps.
Value Conv::lowerWindows() {
  ShapeBuilder &s = l.shapes;
  OpBuilder &b = l.b;
  Dims result = dimsOf(l, op.getY()), padded = x;
  for (auto [i, window] : llvm::enumerate(windows))
    padded[2 + i] = s.add(s.add(x[2 + i], window.before), window.after);
  Value input = pad();
  Value weight = castTo(l, l.lowered(op.getW()), w);

  Dims dims = result, inputDims = padded, weightDims = w;
  bool grouped = op.getGroup() != 1;
  if (grouped) {
    OpFoldResult group = s.constant(op.getGroup());
    OpFoldResult each = s.exactQuotient(onnx::factorsOf(maps()), group);
    inputDims[1] = w[1];
    inputDims.insert(inputDims.begin() + 1, group);
    weightDims[0] = each;
    weightDims.insert(weightDims.begin(), group);
    dims[1] = each;
    dims.insert(dims.begin() + 1, group);
    input = reshape(l, input, padded, inputDims);
    weight = reshape(l, weight, w, weightDims);
  }

  auto loop = [&](int64_t i) { return b.getAffineDimExpr(i); };
  int64_t outer = dims.size(), map = 1 + grouped;
  SmallVector<AffineExpr> inputExprs{loop(0)}, weightExprs;
  if (grouped) {
    inputExprs.push_back(loop(1));
    weightExprs.push_back(loop(1));
  }
  inputExprs.push_back(loop(outer));
  llvm::append_range(weightExprs, ArrayRef{loop(map), loop(outer)});
  for (auto [i, window] : llvm::enumerate(windows)) {
    AffineExpr position = loop(map + 1 + i), tap = loop(outer + 1 + i);
    inputExprs.push_back(position * window.stride + tap * window.dilation);
    weightExprs.push_back(tap);
  }
  Value sums =
      contract({input, weight}, dims, inputExprs, weightExprs, 1 + spatial());
  sums = reshape(l, sums, dims, result);
  return finish(sums, result, 1);
}

/// What must hold at run time; dims that must be equal become the better known
/// of the two.
static LogicalResult checkConv(Conv &conv) {
  Lowering &l = conv.l;
  onnx::ConvOp op = conv.op;
  OpFoldResult group = l.shapes.constant(op.getGroup());
  OpFoldResult channels = l.shapes.mul(group, conv.w[1]);
  if (failed(l.requireEqual(op, conv.x[1], channels,
                            "has {0} channels, its weight asks for {1}")))
    return failure();
  if (auto known = getConstantIntValue(conv.x[1]);
      known && !getConstantIntValue(channels))
    conv.w[1] = l.shapes.constant(*known / op.getGroup());
  conv.x[1] = l.shapes.mul(group, conv.w[1]);
  if (op.getGroup() != 1) {
    OpFoldResult each =
        l.shapes.exactQuotient(onnx::factorsOf(conv.maps()), group);
    if (failed(l.requireEqual(op, conv.maps(), l.shapes.mul(group, each),
                              "whole groups make up {1} of {0} maps")))
      return failure();
    conv.w[0] = l.shapes.mul(group, each);
  }
  if (onnx::isPresent(op.getB()) &&
      failed(l.requireEqual(op, l.shapes.dim(op.getB(), 0), conv.maps(),
                            "has {0} biases for {1} feature maps")))
    return failure();
  for (auto [i, window] : llvm::enumerate(conv.windows)) {
    if (failed(requireAtLeast(l, op, window.size, 0,
                              "its kernel is larger than a dim by {0}")))
      return failure();
    if (!op.getKernelShape())
      continue;
    OpFoldResult kernel = l.shapes.constant((*op.getKernelShape())[i]);
    if (failed(l.requireEqual(op, window.kernel, kernel,
                              "has a kernel of {0}, its kernel_shape is {1}")))
      return failure();
    window.kernel = conv.w[2 + i] = kernel;
  }
  return success();
}

static LogicalResult lowerConv(onnx::ConvOp op, Lowering &l) {
  FailureOr<SmallVector<ConvWindow>> windows =
      onnx::getConvWindows(op, l.shapes);
  if (failed(windows))
    return failure();
  Type element = onnx::elementType(op.getX());
  Type sum = element;
  if (element.isF16() || element.isBF16())
    sum = l.b.getF32Type();
  Conv conv{l,
            op,
            std::move(*windows),
            dimsOf(l, op.getX()),
            dimsOf(l, op.getW()),
            element,
            sum};
  if (failed(checkConv(conv)))
    return failure();
  Value result = conv.isPacked()      ? conv.lowerPacked()
                 : conv.isPointwise() ? conv.lowerPointwise()
                 : conv.isPatches()   ? conv.lowerPatches()
                 : conv.isDepthwise() ? conv.lowerDepthwise()
                                      : conv.lowerWindows();
  l.setLowered(op.getY(), castTo(l, result, dimsOf(l, op.getY())));
  return success();
}

void mlir::ds::populateConvLowerings(LoweringRegistry &registry) {
  registry.add<onnx::ConvOp>(lowerConv);
}
