//===- VerifyPhase.cpp - What may remain after each phase -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_VERIFYPHASE
#include "ds/Dialect/DS/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct VerifyPhase : mlir::ds::impl::VerifyPhaseBase<VerifyPhase> {
  using VerifyPhaseBase::VerifyPhaseBase;
  void runOnOperation() override;
};

/// What may remain: whole dialects, single ops of others, values of tensor
/// type.
struct Legality {
  StringRef phase;
  ArrayRef<StringRef> dialects, ops;
  bool tensors;
};
} // namespace

static ArrayRef<Legality> legalityTable() {
  static const StringRef graph[] = {"builtin", "func", "onnx"},
                         raised[] = {"builtin", "func", "onnx", "ds"},
                         loops[] = {"affine", "arith", "builtin", "func",
                                    "linalg", "math",  "scf",     "tensor"},
                         buffers[] = {"affine", "amx",  "arith",  "builtin",
                                      "func",   "llvm", "math",   "memref",
                                      "scf",    "ub",   "vector", "x86vector"},
                         code[] = {"builtin", "llvm"},
                         weights[] = {"ds.weight"},
                         products[] = {
                             "bufferization.alloc_tensor",
                             "bufferization.materialize_in_destination",
                             "ds.bounded",
                             "ds.check",
                             "ds.checked_index",
                             "ds.packed_conv",
                             "ds.packed_matmul",
                             "ds.softmax_exp2",
                             "ds.weight"};
  static const Legality table[] = {
      {"import", graph, weights, true},  {"canonical", graph, weights, true},
      {"raise", raised, {}, true},       {"quantize", raised, {}, true},
      {"linalg", loops, products, true}, {"tile", loops, products, true},
      {"bufferize", buffers, {}, false}, {"llvm", code, {}, false},
  };
  return table;
}

void VerifyPhase::runOnOperation() {
  const auto *legal = llvm::find_if(
      legalityTable(), [&](const Legality &l) { return l.phase == phase; });
  if (legal == legalityTable().end()) {
    getOperation().emitError("unknown phase '") << phase << "'";
    return signalPassFailure();
  }
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
    StringRef name = op->getName().getStringRef();
    if (!llvm::is_contained(legal->dialects, name.split('.').first) &&
        !llvm::is_contained(legal->ops, name)) {
      op->emitOpError("may not remain after phase '") << phase << "'";
      signalPassFailure();
      return WalkResult::advance();
    }
    if (!legal->tensors && (llvm::any_of(op->getOperandTypes(), isTensor) ||
                            llvm::any_of(op->getResultTypes(), isTensor))) {
      op->emitOpError("has tensors, which may not remain after phase '")
          << phase << "'";
      signalPassFailure();
    }
    // Its regions are functions of scalars, which its verifier checks.
    return isa<AttentionOp>(op) ? WalkResult::skip() : WalkResult::advance();
  });
}

std::unique_ptr<Pass> mlir::ds::createVerifyPhase(StringRef phase) {
  return ::mlir::ds::createVerifyPhase(VerifyPhaseOptions{phase.str()});
}
