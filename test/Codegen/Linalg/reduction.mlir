// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Kept dims are the outer loops, wherever they stand.
// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2) -> (d0, d2, d1)>
// CHECK-LABEL: func.func @middle
// CHECK-SAME: -> tensor<?x1x4xf32>
func.func @middle(%x: tensor<?x3x4xf32>) -> tensor<?x1x4xf32> {
  // CHECK: %[[S:.*]] = linalg.generic {indexing_maps = [#[[IN]], #{{.*}}], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%[[S]] :
  // CHECK: arith.divf
  // CHECK: tensor.expand_shape %[[M]]
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %0 = onnx.ReduceMean %x, %axes : (tensor<?x3x4xf32>, tensor<1xi64>) -> tensor<?x1x4xf32>
  return %0 : tensor<?x1x4xf32>
}

// -----

// A sum of nothing starts from 0, a maximum from -inf, an integer minimum from
// the greatest integer of its type.
// CHECK-LABEL: func.func @identities
func.func @identities(%x: tensor<4xf16>, %y: tensor<4xui8>, %z: tensor<4xi1>) -> (tensor<f16>, tensor<ui8>, tensor<i1>) {
  %none = onnx.NoValue
  // CHECK-DAG: %[[INF:.*]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[U8:.*]] = arith.constant -1 : i8
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i8
  // CHECK: linalg.fill ins(%[[INF]] : f32)
  // CHECK: arith.maximumf {{.*}} : f32
  %0 = onnx.ReduceMax %x, %none {keepdims = 0 : i64} : (tensor<4xf16>, none) -> tensor<f16>
  // CHECK: linalg.fill ins(%[[U8]] : i8)
  // CHECK: arith.minui
  %1 = onnx.ReduceMin %y, %none {keepdims = 0 : i64} : (tensor<4xui8>, none) -> tensor<ui8>
  // CHECK: linalg.fill ins(%[[ZERO]] : i8)
  // CHECK: arith.maxui {{.*}} : i8
  %2 = onnx.ReduceMax %z, %none {keepdims = 0 : i64} : (tensor<4xi1>, none) -> tensor<i1>
  return %0, %1, %2 : tensor<f16>, tensor<ui8>, tensor<i1>
}

// -----

// Integers have no square root: it is taken in f64.
// CHECK-LABEL: func.func @int_norm
func.func @int_norm(%x: tensor<4xi32>) -> tensor<i32> {
  // CHECK: arith.sitofp {{.*}} : i32 to f64
  // CHECK: math.sqrt {{.*}} : f64
  // CHECK: arith.fptosi {{.*}} : f64 to i32
  %none = onnx.NoValue
  %0 = onnx.ReduceL2 %x, %none {keepdims = 0 : i64} : (tensor<4xi32>, none) -> tensor<i32>
  return %0 : tensor<i32>
}

// -----

// The maximum is taken off first, unless it is infinite.
// CHECK-LABEL: func.func @log_sum_exp
func.func @log_sum_exp(%x: tensor<?x4xf32>) -> tensor<?xf32> {
  // CHECK: arith.maximumf
  // CHECK: %[[FINITE:.*]] = arith.cmpf olt
  // CHECK: arith.select %[[FINITE]]
  // CHECK: arith.subf
  // CHECK: math.exp
  // CHECK: arith.addf
  // CHECK: math.log
  // CHECK: arith.addf
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %0 = onnx.ReduceLogSumExp %x, %axes {keepdims = 0 : i64} : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// Two reductions: the value, and the least index of an element that is it.
// CHECK-LABEL: func.func @arg_max
func.func @arg_max(%x: tensor<?x?xf32>) -> tensor<?xi64> {
  // CHECK: ds.check {{.*}} "the axis has {0} elements"
  // CHECK: arith.maximumf
  // CHECK: arith.cmpf oeq
  // CHECK: arith.cmpf uno
  // CHECK: arith.minsi
  %0 = onnx.ArgMax %x {axis = 1 : i64, keepdims = 0 : i64} : (tensor<?x?xf32>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @arg_min_last
func.func @arg_min_last(%x: tensor<2x4xui8>) -> tensor<2xi64> {
  // CHECK: arith.minui
  // CHECK: arith.cmpi eq
  // CHECK: arith.maxsi
  %0 = onnx.ArgMin %x {axis = 1 : i64, keepdims = 0 : i64, select_last_index = 1 : i64} : (tensor<2x4xui8>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

// CHECK-LABEL: func.func @cumulative
func.func @cumulative(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK-DAG: %[[FROM:.*]] = linalg.index 2
  // CHECK-DAG: %[[TO:.*]] = linalg.index 1
  // CHECK: arith.cmpi sle, %[[FROM]], %[[TO]]
  %axis = onnx.Constant dense<-1> : tensor<i64>
  %0 = onnx.CumSum %x, %axis : (tensor<?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
