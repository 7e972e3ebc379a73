// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Separate generics with the rows as outer loops, for tiling to fuse.
// CHECK-LABEL: func.func @softmax
// CHECK-SAME: (%[[X:.*]]: tensor<?x?xf16>)
func.func @softmax(%x: tensor<?x?xf16>) -> tensor<?x?xf16> {
  // CHECK: %[[MAX:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]] : tensor<?x?xf16>) outs(%{{.*}} : tensor<?xf32>)
  // CHECK: arith.maximumf
  // CHECK: %[[EXP:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[MAX]] :
  // CHECK: arith.subf
  // CHECK-NEXT: math.exp
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[EXP]] :
  // CHECK: arith.addf
  // CHECK: %[[INVERSE:.*]] = linalg.generic {{.*}} ins(%[[SUM]] :
  // CHECK: arith.divf
  // CHECK: linalg.generic {{.*}} ins(%[[EXP]], %[[INVERSE]] :
  // CHECK: %[[Y:.*]] = arith.mulf
  // CHECK: arith.truncf %[[Y]] : f32 to f16
  %0 = onnx.Softmax %x : (tensor<?x?xf16>) -> tensor<?x?xf16>
  return %0 : tensor<?x?xf16>
}

// -----

// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: func.func @log_softmax
func.func @log_softmax(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[IN]],
  // CHECK: arith.maximumf
  // CHECK: arith.subf
  // CHECK: math.exp
  // CHECK: math.log
  // CHECK: arith.subf
  %0 = onnx.LogSoftmax %x {axis = 0 : i64} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
