//===- FlashAttention.h - Attention over blocks of keys ----------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_LINALG_FLASHATTENTION_H
#define DS_LIB_CODEGEN_LINALG_FLASHATTENTION_H

#include "ds/Codegen/Linalg/Lowering.h"

namespace mlir::ds {

/// Why `lowerToFlashAttention` does not take `op`, or null.
const char *whyNotFlash(AttentionOp op);

/// Lowers `op` without a tensor of all scores: an scf.forall over heads and
/// blocks of query rows, an scf.for over blocks of keys. Gives the results.
SmallVector<Value> lowerToFlashAttention(AttentionOp op, Lowering &lowering);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_LINALG_FLASHATTENTION_H
