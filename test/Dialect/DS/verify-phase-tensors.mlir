// RUN: not ds-opt %s --ds-verify-phase="phase=bufferize" 2>&1 | FileCheck %s
// RUN: not ds-opt %s --ds-verify-phase="phase=llvm" 2>&1 | FileCheck %s --check-prefix=LLVM
// RUN: not ds-opt %s --ds-verify-phase="phase=nothing" 2>&1 | FileCheck %s --check-prefix=PHASE

// CHECK: 'arith.negf' op has tensors, which may not remain after phase 'bufferize'
// LLVM: 'arith.negf' op may not remain after phase 'llvm'
// PHASE: unknown phase 'nothing'
func.func @f(%x: tensor<4xf32>) {
  %0 = arith.negf %x : tensor<4xf32>
  return
}
