// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A task for each query row and part of the keys: the heads are the columns of
// a product with the keys as they lie.
// CHECK-LABEL: func.func @score
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x16x?x64xf16>, %[[K:[a-z0-9]+]]: tensor<?x?x64xf16>, %[[W:[a-z0-9]+]]: tensor<?x?x16xf16>
// CHECK: scf.forall (%[[B:.+]], %[[T:.+]], %{{.+}}) in
// CHECK: tensor.extract_slice %[[Q]][%[[B]], 0, %[[T]], 0] [1, 16, 1, 64]
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<64x16xf32>)
// CHECK: tensor.extract_slice %[[W]][%[[B]], %[[T]], 0] [1, 1, 16]
// CHECK: scf.for
// CHECK:   tensor.extract_slice %[[K]][%[[B]], %{{.+}}, 0] [1, %{{.+}}, 64]
// CHECK:   linalg.generic {{.*}}"parallel", "parallel", "reduction"]} ins({{.*}} : tensor<?x64xf16>, tensor<64x16xf32>) outs(%{{.+}} : tensor<?x16xf32>)
// CHECK:   linalg.generic {{.*}}"parallel", "reduction"]}
// CHECK:   arith.maximumf
// CHECK: tensor.parallel_insert_slice
func.func @score(%q: tensor<?x16x?x64xf16>, %k: tensor<?x?x64xf16>, %w: tensor<?x?x16xf16>) -> tensor<?x?x?xf32> {
  %0 = ds.index_score %q, %k, %w : (tensor<?x16x?x64xf16>, tensor<?x?x64xf16>, tensor<?x?x16xf16>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// A task for each row, which looks for a place only for what has one.
// CHECK-LABEL: func.func @masked
// CHECK: scf.forall (%[[R:.+]]) in (%{{.+}}) shared_outs({{.*}} -> (tensor<?x4xi64>)
// CHECK: bufferization.alloc_tensor() : tensor<4xf32>
// CHECK: linalg.fill
// CHECK: linalg.fill
// CHECK: scf.for %[[J:.+]] = {{.*}} iter_args(%{{[a-z0-9]+}} = %{{[a-z0-9_]+}}, %[[VALUES:[a-z0-9]+]] =
// CHECK:   %[[X:.+]] = tensor.extract %{{.+}}[%[[R]], %[[J]]]
// CHECK:   %[[LAST:.+]] = tensor.extract %[[VALUES]][%c3]
// CHECK:   arith.cmpf ogt, %[[X]], %[[LAST]]
// CHECK:   arith.cmpf one, %[[X]], %{{.+}}
// CHECK:   scf.while
func.func @masked(%x: tensor<?x?x?xf32>) -> tensor<?x?x4xi64> {
  %0 = ds.topk %x {k = 4, masked} : (tensor<?x?x?xf32>) -> tensor<?x?x4xi64>
  return %0 : tensor<?x?x4xi64>
}

// -----

// Integers have none that could be missing.
// CHECK-LABEL: func.func @integers
// CHECK: ds.check {{.*}} "a row has {0} integers, expected {1} or more"
// CHECK: arith.cmpi slt
func.func @integers(%x: tensor<?x?xi32>) -> tensor<?x4xi64> {
  %0 = ds.topk %x {k = 4, smallest} : (tensor<?x?xi32>) -> tensor<?x4xi64>
  return %0 : tensor<?x4xi64>
}

// -----

// The axis comes last, and k may be the caller's.
// CHECK-LABEL: func.func @onnx
// CHECK: ds.check {{.*}} "k is {0}, expected 0 to the {1} elements of the axis"
// CHECK: scf.forall
// CHECK: arith.cmpi ult
func.func @onnx(%x: tensor<3x?x5xui8>, %k: tensor<1xi64>) -> (tensor<3x?x5xui8>, tensor<3x?x5xi64>) {
  %v, %i = onnx.TopK %x, %k {axis = 1 : i64} : (tensor<3x?x5xui8>, tensor<1xi64>) -> (tensor<3x?x5xui8>, tensor<3x?x5xi64>)
  return %v, %i : tensor<3x?x5xui8>, tensor<3x?x5xi64>
}
