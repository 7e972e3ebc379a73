//===- Passes.h - Lowering to linalg -----------------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_PASSES_H
#define DS_CODEGEN_LINALG_PASSES_H

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::ds {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "ds/Codegen/Linalg/Passes.h.inc"

/// onnx and ds ops to linalg on tensors: the phase `linalg`.
void buildLinalgPipeline(OpPassManager &pm);
/// Registers it as `ds-linalg-pipeline`.
void registerLinalgPipeline();

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_PASSES_H
