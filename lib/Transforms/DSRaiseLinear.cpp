//===- DSRaiseLinear.cpp - Linear layers from matrix products -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

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

static void missed(Operation *op, const Twine &reason) {
  reportMissed(op, passName(), "linear layer", reason);
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
static void raise(Operation *product, Value x, Value w, Value bias) {
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
  Value linear = LinearOp::create(builder, loc, result.getType(), x, w, bias);
  result.replaceAllUsesWith(linear);
}

static void raiseMatMul(onnx::MatMulOp op) {
  // A product of two activations is no near miss.
  if (!isWeight(op.getA()) && !isWeight(op.getB()))
    return;
  if (!isWeight(op.getB()))
    return missed(op, "the weight is its left operand");
  if (isWeight(op.getA()))
    return missed(op, "both operands are constants");
  if (std::string reason = checkMatrix(op.getB()); !reason.empty())
    return missed(op, reason);
  raise(op, op.getA(), op.getB(), nullptr);
}

static void raiseGemm(onnx::GemmOp op) {
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
  Value linear = LinearOp::create(builder, op.getLoc(), op.getType(), op.getA(),
                                  w, /*bias=*/nullptr);
  Value sum = onnx::AddOp::create(builder, op.getLoc(), op.getType(), linear,
                                  op.getC());
  op.getResult().replaceAllUsesWith(sum);
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
  for (Operation *op : ops) {
    if (auto matmul = dyn_cast<onnx::MatMulOp>(op))
      raiseMatMul(matmul);
    else
      raiseGemm(cast<onnx::GemmOp>(op));
  }
  eraseDeadOps(func);
}
