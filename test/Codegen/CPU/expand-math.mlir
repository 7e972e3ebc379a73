// RUN: ds-opt %s --ds-expand-math | FileCheck %s
// RUN: ds-opt %s --ds-expand-math="native-bf16" | FileCheck %s --check-prefix=NATIVE

// Nothing is left to call, on any target.
// DEFINE: %{lower} = ds-opt %s --ds-expand-math --convert-scf-to-cf \
// DEFINE:   --convert-vector-to-llvm --convert-math-to-llvm \
// DEFINE:   --convert-arith-to-llvm --convert-index-to-llvm \
// DEFINE:   --convert-func-to-llvm --convert-cf-to-llvm --convert-ub-to-llvm \
// DEFINE:   --reconcile-unrealized-casts | mlir-translate --mlir-to-llvmir
// RUN: %{lower} | llc -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 -filetype=obj | llvm-nm -u - | count 0
// RUN: %{lower} | llc -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 -filetype=obj | llvm-nm -u - | count 0
// RUN: %{lower} | llc -mtriple=aarch64-linux-gnu -filetype=obj | llvm-nm -u - | count 0

// What softmax runs: a chain of fused multiply-adds, a power of two from the
// bits of the rounded argument, no division, no branch.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
// CHECK-NOT: scf.if
// CHECK-NOT: arith.divf
// CHECK-COUNT-9: math.fma
// CHECK-NOT: math.fma
// CHECK: arith.shli {{.*}} : vector<16xi32>
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: return
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x fastmath<fast> : vector<16xf32>
  return %0 : vector<16xf32>
}

// A result must not depend on where it is computed.
// CHECK-NOT: fastmath

// CHECK-LABEL: func.func @one_dividend
// CHECK: %[[ROOT:.*]] = math.sqrt
// CHECK: arith.divf %{{.*}}, %[[ROOT]] : f64
func.func @one_dividend(%x: f64) -> f64 {
  %0 = math.rsqrt %x : f64
  return %0 : f64
}

// Instructions of every target stay.
// CHECK-LABEL: func.func @stays
// CHECK-NEXT: math.sqrt
// CHECK-NEXT: math.floor
// CHECK-NEXT: math.fma
// CHECK-NEXT: arith.maximumf
// CHECK-NEXT: return
func.func @stays(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sqrt %x : vector<8xf32>
  %1 = math.floor %0 : vector<8xf32>
  %2 = math.fma %1, %x, %x : vector<8xf32>
  %3 = arith.maximumf %2, %x : vector<8xf32>
  return %3 : vector<8xf32>
}

// Large angles take a branch; n-D vectors are asked as one.
// CHECK-LABEL: func.func @sin_2d
// CHECK: vector.shape_cast %{{.*}} : vector<2x8xi1> to vector<16xi1>
// CHECK: %[[ANY:.*]] = vector.reduction <or>
// CHECK: scf.if %[[ANY]]
func.func @sin_2d(%x: vector<2x8xf32>) -> vector<2x8xf32> {
  %0 = math.sin %x : vector<2x8xf32>
  return %0 : vector<2x8xf32>
}

// CHECK-LABEL: func.func @square
// CHECK-NEXT: arith.constant
// CHECK-NEXT: arith.mulf %arg0, %arg0
// CHECK-NEXT: return
func.func @square(%x: vector<4xf32>) -> vector<4xf32> {
  %c = arith.constant dense<2.0> : vector<4xf32>
  %0 = math.powf %x, %c : vector<4xf32>
  return %0 : vector<4xf32>
}

// pow(-0, 0.5) is +0 and pow(-inf, 0.5) is infinity; a square root differs.
// CHECK-LABEL: func.func @square_root
// CHECK: %[[SUM:.*]] = arith.addf %arg0
// CHECK: %[[ROOT:.*]] = math.sqrt %[[SUM]]
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[ROOT]]
func.func @square_root(%x: f32) -> f32 {
  %c = arith.constant 0.5 : f32
  %0 = math.powf %x, %c : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @pow(
// CHECK: arith.extf %arg0 : vector<4xf32> to vector<4xf64>
// CHECK: arith.truncf {{.*}} : vector<4xf64> to vector<4xf32>
func.func @pow(%x: vector<4xf32>, %y: vector<4xf32>) -> vector<4xf32> {
  %0 = math.powf %x, %y : vector<4xf32>
  return %0 : vector<4xf32>
}

// Half precision computes in f32 and rounds in integers.
// CHECK-LABEL: func.func @tanh_bf16
// It widens by its bits, of which no target makes a call.
// CHECK: arith.bitcast %arg0 : vector<16xbf16> to vector<16xi16>
// CHECK: arith.shli
// CHECK-NOT: arith.extf
// CHECK-NOT: arith.truncf
// CHECK: arith.trunci {{.*}} : vector<16xi32> to vector<16xi16>
// NATIVE-LABEL: func.func @tanh_bf16
// NATIVE: arith.truncf {{.*}} : vector<16xf32> to vector<16xbf16>
func.func @tanh_bf16(%x: vector<16xbf16>) -> vector<16xbf16> {
  %0 = math.tanh %x : vector<16xbf16>
  return %0 : vector<16xbf16>
}

// CHECK-LABEL: func.func @add_half
// CHECK: arith.addf {{.*}} : f16
// CHECK: arith.addf {{.*}} : f32
func.func @add_half(%x: f16, %y: bf16) -> (f16, bf16) {
  %0 = arith.addf %x, %x : f16
  %1 = arith.addf %y, %y : bf16
  return %0, %1 : f16, bf16
}

// Two roundings, f64 to f32 to f16, must act as one.
// CHECK-LABEL: func.func @narrow
// CHECK: arith.truncf %arg0 : f64 to f32
// CHECK: arith.extf
// CHECK: arith.ori
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @narrow(%x: f64) -> f16 {
  %0 = arith.truncf %x : f64 to f16
  return %0 : f16
}

// The rest, for the check that nothing is called.
// CHECK-LABEL: func.func @others
// CHECK-NOT: math.{{a?(cos|sin|tan)h?|cbrt|clampf|erfc?|exp.*|fpowi|ipowi|is.*|log.*|pow.*}} %
// CHECK-NOT: arith.remf
// CHECK: return
func.func @others(%x: vector<4xf32>, %y: f64, %i: vector<4xi32>)
    -> (vector<4xf32>, f64, vector<4xi32>, vector<4xbf16>) {
  %0 = math.acos %x : vector<4xf32>
  %1 = math.acosh %0 : vector<4xf32>
  %2 = math.asin %1 : vector<4xf32>
  %3 = math.asinh %2 : vector<4xf32>
  %4 = math.atan %3 : vector<4xf32>
  %5 = math.atan2 %4, %x : vector<4xf32>
  %6 = math.atanh %5 : vector<4xf32>
  %7 = math.cbrt %6 : vector<4xf32>
  %8 = math.clampf %7 to [%0, %1] : vector<4xf32>
  %9 = math.cos %8 : vector<4xf32>
  %10 = math.cosh %9 : vector<4xf32>
  %11 = math.erf %10 : vector<4xf32>
  %12 = math.erfc %11 : vector<4xf32>
  %13 = math.exp2 %12 : vector<4xf32>
  %14 = math.expm1 %13 : vector<4xf32>
  %15 = math.fpowi %14, %i : vector<4xf32>, vector<4xi32>
  %16 = math.log %15 : vector<4xf32>
  %17 = math.log10 %16 : vector<4xf32>
  %18 = math.log1p %17 : vector<4xf32>
  %19 = math.log2 %18 : vector<4xf32>
  %20, %21 = math.sincos %19 : vector<4xf32>
  %22 = math.sinh %20 : vector<4xf32>
  %23 = math.tan %22 : vector<4xf32>
  %24 = math.tanh %23 : vector<4xf32>
  %25 = math.round %24 : vector<4xf32>
  %26 = math.roundeven %25 : vector<4xf32>
  %27 = math.isnormal %26 : vector<4xf32>
  %28 = math.isfinite %26 : vector<4xf32>
  %29 = math.isinf %26 : vector<4xf32>
  %30 = math.isnan %26 : vector<4xf32>
  %31 = arith.andi %27, %28 : vector<4xi1>
  %32 = arith.ori %29, %30 : vector<4xi1>
  %33 = arith.andi %31, %32 : vector<4xi1>
  %34 = arith.select %33, %26, %21 : vector<4xi1>, vector<4xf32>
  %35 = arith.remf %34, %x : vector<4xf32>
  %36 = math.sin %y : f64
  %37 = math.powf %y, %36 : f64
  %38 = math.erf %37 : f64
  %39 = arith.remf %38, %y : f64
  %40 = math.ipowi %i, %i : vector<4xi32>
  %41 = arith.sitofp %40 : vector<4xi32> to vector<4xbf16>
  %42 = math.floor %41 : vector<4xbf16>
  %43 = math.fma %42, %42, %42 : vector<4xbf16>
  return %35, %39, %40, %43 : vector<4xf32>, f64, vector<4xi32>, vector<4xbf16>
}
