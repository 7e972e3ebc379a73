//===- Passes.h - Passes of the ds dialect -----------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_PASSES_H
#define DS_DIALECT_DS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::ds {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "ds/Dialect/DS/Passes.h.inc"

/// The pass that ends `phase`.
std::unique_ptr<Pass> createVerifyPhase(StringRef phase);

} // namespace mlir::ds

#endif // DS_DIALECT_DS_PASSES_H
