//===- DSRaiseLinear.cpp - Linear layers from matrix products -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ParallelDims.h"
#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

#include "llvm/Support/FormatVariadic.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISELINEAR
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseLinear : mlir::ds::impl::DSRaiseLinearBase<DSRaiseLinear> {
  void runOnOperation() override;
};
} // namespace

static StringRef passName() { return "ds-raise-linear"; }

static LinearOp missed(Operation *op, const Twine &reason) {
  reportMissed(op, passName(), "linear layer", reason);
  return nullptr;
}

/// Why `w` cannot be the matrix of a linear layer, or an empty string.
static std::string checkMatrix(Value w) {
  RankedTensorType type = typeOf(w);
  if (!isa<FloatType>(type.getElementType()))
    return "its elements are integers";
  if (type.getRank() != 2)
    return "the weight has rank " + std::to_string(type.getRank()) +
           ", expected a matrix";
  return "";
}

/// The Add that is the only use of `product`, and its other operand, where that
/// is a vector of one element for each column.
static std::pair<onnx::AddOp, Value> findBias(Value product, int64_t columns) {
  if (!product.hasOneUse())
    return {};
  auto add = dyn_cast<onnx::AddOp>(*product.user_begin());
  if (!add || add.getLhs() == add.getRhs())
    return {};
  Value bias = add.getLhs() == product ? add.getRhs() : add.getLhs();
  if (typeOf(bias).getRank() != 1 || typeOf(bias).getDimSize(0) != columns)
    return {};
  return {add, bias};
}

/// Makes the linear layer of `product`, which takes the bias with it.
static LinearOp raise(Operation *product, Value x, Value w, Value bias) {
  OpBuilder builder(product);
  Location loc = product->getLoc();
  Value result = product->getResult(0);
  if (!bias) {
    auto [add, vector] = findBias(result, typeOf(w).getDimSize(1));
    if (add) {
      bias = vector;
      result = add.getResult();
      builder.setInsertionPoint(add);
      loc = builder.getFusedLoc({loc, add.getLoc()});
    }
  }
  auto linear = LinearOp::create(builder, loc, result.getType(), x, w, bias);
  result.replaceAllUsesWith(linear);
  return linear;
}

static LinearOp raiseMatMul(onnx::MatMulOp op) {
  // A product of two activations is no near miss.
  if (!isWeight(op.getA()) && !isWeight(op.getB()))
    return nullptr;
  if (!isWeight(op.getB()))
    return missed(op, "the weight is its left operand");
  if (isWeight(op.getA()))
    return missed(op, "both operands are constants");
  if (std::string reason = checkMatrix(op.getB()); !reason.empty())
    return missed(op, reason);
  return raise(op, op.getA(), op.getB(), nullptr);
}

static LinearOp raiseGemm(onnx::GemmOp op) {
  if (!isWeight(op.getB()))
    return missed(op, "operand B is not a constant");
  if (std::string reason = checkMatrix(op.getB()); !reason.empty())
    return missed(op, reason);
  if (op.getTransA())
    return missed(op, "operand A is transposed");
  if (!op.getAlpha().isExactlyValue(1))
    return missed(op, llvm::formatv("alpha is {0}, expected 1",
                                    op.getAlpha().convertToDouble())
                          .str());
  bool hasC = onnx::isPresent(op.getC());
  if (hasC && !op.getBeta().isExactlyValue(1))
    return missed(op, llvm::formatv("beta is {0}, expected 1",
                                    op.getBeta().convertToDouble())
                          .str());

  OpBuilder builder(op);
  Value w = op.getB();
  if (op.getTransB())
    w = createTranspose(builder, op.getLoc(), w, {1, 0});
  int64_t columns = typeOf(w).getDimSize(1);
  bool isBias = hasC && typeOf(op.getC()).getRank() == 1 &&
                typeOf(op.getC()).getDimSize(0) == columns;
  if (!hasC || isBias)
    return raise(op, op.getA(), w, isBias ? op.getC() : Value());
  // Any other C is added with broadcasting, as Gemm does.
  auto linear = LinearOp::create(builder, op.getLoc(), op.getType(), op.getA(),
                                 w, /*bias=*/nullptr);
  Value sum = onnx::AddOp::create(builder, op.getLoc(), op.getType(), linear,
                                  op.getC());
  op.getResult().replaceAllUsesWith(sum);
  return linear;
}

/// Takes a layer out of the reshapes that Gemm, which knows matrices alone,
/// makes of rows with more dims and back: passes tell sequences and positions
/// by these dims.
static void unflatten(LinearOp op, ShapeBuilder &shapes) {
  auto flat = op.getX().getDefiningOp<onnx::ReshapeOp>();
  SmallVector<Operation *> users = llvm::to_vector(op.getY().getUsers());
  if (!flat || users.empty() || !isa<onnx::ReshapeOp>(users.front()) ||
      typeOf(op.getX()).getRank() != 2)
    return;
  OpBuilder &builder = shapes.builder();
  RankedTensorType from = typeOf(flat.getData());
  RankedTensorType to = typeOf(users.front()->getResult(0));
  int64_t rows = to.getRank() - 1, columns = typeOf(op.getX()).getDimSize(1);
  // Rows stay rows where their elements do, be they those of more dims.
  if (rows < 2 || from.getRank() <= rows || columns < 1 ||
      ShapedType::isDynamicShape(from.getShape().drop_front(rows)) ||
      ShapedType::getNumElements(from.getShape().drop_front(rows)) != columns)
    return;
  auto hasRowsAgain = [&](Operation *user) {
    auto reshape = dyn_cast<onnx::ReshapeOp>(user);
    if (!reshape || reshape.getData() != op.getY() ||
        typeOf(reshape.getReshaped()).getRank() != rows + 1 ||
        typeOf(reshape.getReshaped()).getShape().back() !=
            typeOf(op.getY()).getShape().back())
      return false;
    builder.setInsertionPoint(user);
    insertShapesBefore(user, shapes);
    SmallVector<OpFoldResult> dims =
        llvm::to_vector(shapes.dims(flat.getData()).take_front(rows));
    return ArrayRef(dims) ==
           shapes.dims(reshape.getReshaped()).take_front(rows);
  };
  if (!llvm::all_of(users, hasRowsAgain))
    return;
  builder.setInsertionPoint(op);
  Value x = flat.getData();
  if (from.getRank() > rows + 1) {
    SmallVector<int64_t> shape =
        llvm::to_vector(from.getShape().take_front(rows));
    shape.push_back(columns);
    auto joined = cast<onnx::ReshapeOp>(builder.clone(*flat));
    joined.getReshaped().setType(from.clone(shape));
    keepLeadingDims(joined, rows, builder);
    x = joined.getReshaped();
  }
  Value linear =
      LinearOp::create(builder, op.getLoc(), to, x, op.getW(), op.getBias());
  for (Operation *user : users) {
    Value result = user->getResult(0);
    result.replaceAllUsesWith(withTypeOf(result, linear, builder));
  }
}

void DSRaiseLinear::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  SmallVector<Operation *> ops;
  func.walk([&](Operation *op) {
    if (isa<onnx::MatMulOp, onnx::GemmOp>(op))
      ops.push_back(op);
  });
  OpBuilder builder = OpBuilder::atBlockBegin(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  for (Operation *op : ops) {
    auto matmul = dyn_cast<onnx::MatMulOp>(op);
    LinearOp linear =
        matmul ? raiseMatMul(matmul) : raiseGemm(cast<onnx::GemmOp>(op));
    if (linear)
      unflatten(linear, shapes);
  }
  eraseDeadOps(func);
}
