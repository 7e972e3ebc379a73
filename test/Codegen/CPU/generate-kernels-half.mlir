// RUN: ds-opt %s --ds-generate-kernels="dots-bf16=true" --canonicalize | FileCheck %s --check-prefixes=CHECK,DOTS
// RUN: ds-opt %s --ds-generate-kernels --canonicalize | FileCheck %s --check-prefixes=CHECK,SPLIT

// Pairs of bf16 that an instruction multiplies are taken as they lie. Where
// there is none, rows are widened once for all columns of a panel, and the
// halves of a pair are told apart in registers.
// CHECK-LABEL: func.func @pairs
// DOTS-NOT:  memref.alloc
// DOTS:      call @[[PAIRS:ds_matmul_8x32_[0-9]+]](%{{.+}}) : (memref<8x?xbf16, {{.*}}>, memref<2x?x32xbf16,
// SPLIT:     memref.alloc() : memref<48x64xf32>
// SPLIT:     arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// SPLIT:     call @[[PAIRS:ds_matmul_8x32_[0-9]+]](%{{.+}}) : (memref<8x?xf32, {{.*}}>, memref<2x?x32xbf16,
func.func @pairs(%a: memref<?x64xbf16>, %b: memref<2x2x32x16x2xbf16>, %c: memref<?x64xf32>) {
  ds.packed_matmul ins(%a, %b : memref<?x64xbf16>, memref<2x2x32x16x2xbf16>)
    outs(%c : memref<?x64xf32>)
  return
}

// The last element of a row that has no second is completed by a zero.
// CHECK-LABEL: func.func @odd
// DOTS:  %[[ROWS:.+]] = memref.alloc() : memref<48x6xbf16>
// SPLIT: %[[ROWS:.+]] = memref.alloc() : memref<48x6xf32>
// CHECK: memref.subview %[[ROWS]][0, 5] [%{{.+}}, 1]
// CHECK: call @ds_matmul_8x32
func.func @odd(%a: memref<?x5xbf16>, %b: memref<1x2x3x16x2xbf16>, %c: memref<?x32xf32>) {
  ds.packed_matmul ins(%a, %b : memref<?x5xbf16>, memref<1x2x3x16x2xbf16>)
    outs(%c : memref<?x32xf32>)
  return
}

// Products of two activations widen blocks of both. The block of a matrix that
// is read transposed keeps its order.
// CHECK-LABEL: func.func @activations
// CHECK-DAG: memref.alloc() : memref<100x48xf32>
// CHECK-DAG: memref.alloc() : memref<100x32xf32>
// CHECK:     call @ds_matmul_8x32_{{[0-9]+}}(%{{.+}}) : (memref<8x?xf32,
func.func @activations(%a: memref<100x?xf16>, %b: memref<100x64xf16>, %c: memref<?x64xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<100x?xf16>, memref<100x64xf16>) outs(%c : memref<?x64xf32>) {
  ^bb0(%x: f16, %y: f16, %sum: f32):
    %0 = arith.extf %x : f16 to f32
    %1 = arith.extf %y : f16 to f32
    %2 = arith.mulf %0, %1 : f32
    %3 = arith.addf %sum, %2 : f32
    linalg.yield %3 : f32
  }
  return
}

// CHECK: func.func private @[[PAIRS]]
// CHECK: scf.for
// DOTS-COUNT-2:  vector.load {{.*}} vector<32xbf16>
// DOTS-COUNT-16: x86vector.avx512.dot {{.*}} : vector<32xbf16> -> vector<16xf32>
// SPLIT-COUNT-2: vector.load {{.*}} vector<32xbf16>
// SPLIT:         arith.shli
// SPLIT-COUNT-16: math.fma
// SPLIT:         arith.andi
// SPLIT-COUNT-16: math.fma
// CHECK: scf.yield
