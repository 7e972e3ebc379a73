//===- HalvesAsIntegers.cpp - Halves that only move, as integers ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::ds {
#define GEN_PASS_DEF_HALVESASINTEGERS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct HalvesAsIntegers
    : mlir::ds::impl::HalvesAsIntegersBase<HalvesAsIntegers> {
  void runOnOperation() override;
};
} // namespace

/// The vector of integers with the bits of a vector of halves; null for any
/// other type.
static VectorType asIntegers(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector ||
      !(vector.getElementType().isBF16() || vector.getElementType().isF16()))
    return nullptr;
  return vector.clone(IntegerType::get(type.getContext(), 16));
}

static LogicalResult loadIntegers(LLVM::MaskedLoadOp op, PatternRewriter &b) {
  VectorType integers = asIntegers(op.getType());
  if (!integers)
    return b.notifyMatchFailure(op, "not a vector of halves");
  Location loc = op.getLoc();
  Value passThru = op.getPassThru();
  if (passThru)
    passThru = LLVM::BitcastOp::create(b, loc, integers, passThru);
  Value loaded =
      LLVM::MaskedLoadOp::create(b, loc, integers, op.getData(), op.getMask(),
                                 passThru, op.getAlignment());
  b.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), loaded);
  return success();
}

static LogicalResult storeIntegers(LLVM::MaskedStoreOp op, PatternRewriter &b) {
  VectorType integers = asIntegers(op.getValue().getType());
  if (!integers)
    return b.notifyMatchFailure(op, "not a vector of halves");
  Value bits = LLVM::BitcastOp::create(b, op.getLoc(), integers, op.getValue());
  b.replaceOpWithNewOp<LLVM::MaskedStoreOp>(op, bits, op.getData(),
                                            op.getMask(), op.getAlignment());
  return success();
}

/// The only lane that a constant mask lets through.
static std::optional<int64_t> getOnlyLane(Value mask) {
  DenseElementsAttr constant;
  if (!matchPattern(mask, m_Constant(&constant)))
    return std::nullopt;
  std::optional<int64_t> only;
  for (auto [lane, isSet] : llvm::enumerate(constant.getValues<bool>())) {
    if (isSet && only)
      return std::nullopt;
    if (isSet)
      only = lane;
  }
  return only;
}

/// Where it narrows what it stores, LLVM 22 writes as many bytes for a single
/// lane as the lane had before: those of its neighbour too, which another task
/// may have written.
static LogicalResult storeScalar(LLVM::MaskedStoreOp op, PatternRewriter &b) {
  std::optional<int64_t> lane = getOnlyLane(op.getMask());
  if (!lane)
    return b.notifyMatchFailure(op, "not a store of one lane");
  Location loc = op.getLoc();
  Type element = getElementTypeOrSelf(op.getValue().getType());
  Value index =
      LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getIndexAttr(*lane));
  Value scalar = LLVM::ExtractElementOp::create(b, loc, op.getValue(), index);
  Value place =
      LLVM::GEPOp::create(b, loc, op.getData().getType(), element, op.getData(),
                          ArrayRef<LLVM::GEPArg>{int32_t(*lane)});
  b.replaceOpWithNewOp<LLVM::StoreOp>(op, scalar, place,
                                      *lane == 0 ? op.getAlignment() : 0);
  return success();
}

static LogicalResult shuffleIntegers(LLVM::ShuffleVectorOp op,
                                     PatternRewriter &b) {
  VectorType integers = asIntegers(op.getV1().getType());
  if (!integers)
    return b.notifyMatchFailure(op, "not vectors of halves");
  Location loc = op.getLoc();
  Value lhs = LLVM::BitcastOp::create(b, loc, integers, op.getV1());
  Value rhs = LLVM::BitcastOp::create(b, loc, integers, op.getV2());
  Value shuffled =
      LLVM::ShuffleVectorOp::create(b, loc, lhs, rhs, op.getMask());
  b.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), shuffled);
  return success();
}

static LogicalResult loadScalar(LLVM::LoadOp op, PatternRewriter &b) {
  if (!op.getType().isBF16())
    return b.notifyMatchFailure(op, "not a bf16");
  auto bits = cast<LLVM::LoadOp>(b.clone(*op));
  bits.getResult().setType(b.getI16Type());
  b.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), bits);
  return success();
}

static LogicalResult extendScalar(LLVM::FPExtOp op, PatternRewriter &b) {
  if (!op.getArg().getType().isBF16() || !op.getType().isF32())
    return b.notifyMatchFailure(op, "does not extend a bf16 to f32");
  Location loc = op.getLoc();
  Value bits = LLVM::BitcastOp::create(b, loc, b.getI16Type(), op.getArg());
  Value wide = LLVM::ZExtOp::create(b, loc, b.getI32Type(), bits);
  Value half = LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(16));
  Value upper = LLVM::ShlOp::create(b, loc, wide, half);
  b.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), upper);
  return success();
}

static LogicalResult compareScalars(LLVM::FCmpOp op, PatternRewriter &b) {
  if (!op.getLhs().getType().isBF16())
    return b.notifyMatchFailure(op, "not of bf16");
  auto extend = [&](Value value) -> Value {
    return LLVM::FPExtOp::create(b, op.getLoc(), b.getF32Type(), value);
  };
  Value lhs = extend(op.getLhs()), rhs = extend(op.getRhs());
  b.replaceOpWithNewOp<LLVM::FCmpOp>(op, op.getPredicate(), lhs, rhs,
                                     op.getFastmathFlags());
  return success();
}

void HalvesAsIntegers::runOnOperation() {
  RewritePatternSet patterns(&getContext());
  patterns.add(loadIntegers);
  patterns.add(storeIntegers);
  patterns.add(storeScalar);
  patterns.add(shuffleIntegers);
  patterns.add(loadScalar);
  patterns.add(extendScalar);
  patterns.add(compareScalars);
  if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
    signalPassFailure();
}
