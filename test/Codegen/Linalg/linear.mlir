// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// The weight is packed once for both uses, and the bias stays an op that can
// be fused.
// CHECK-LABEL: func.func @packed
// CHECK-SAME: %[[X:.+]]: tensor<?x?x4xf32>, %[[B:.+]]: tensor<40xf32>
// CHECK-DAG: %[[XM:.+]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK-DAG: %[[M:.+]] = arith.muli
// CHECK-DAG: %[[W:.+]] = ds.weight {{.*}} [#ds.transpose<[1, 0]>, #ds.pack<2 x 16>] : tensor<2x2x4x16xf32>
// CHECK-DAG: %[[INIT:.+]] = tensor.empty(%[[M]]) : tensor<?x40xf32>
// CHECK: %[[P:.+]] = ds.packed_matmul ins(%[[XM]], %[[W]] : {{.*}}) outs(%[[INIT]] : {{.*}})
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} ins(%[[P]], %[[B]]
// CHECK: arith.addf
// CHECK: tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]]
// CHECK-NOT: ds.weight
// CHECK: ds.packed_matmul ins(%{{.+}}, %[[W]]
func.func @packed(%x: tensor<?x?x4xf32>, %b: tensor<40xf32>, %v: tensor<4xf32>)
    -> (tensor<?x?x40xf32>, tensor<40xf32>) {
  %w = ds.weight <"m", 0, 640, "", tensor<40x4xf32>> [#ds.transpose<[1, 0]>] : tensor<4x40xf32>
  %0 = ds.linear %x, %w, %b : (tensor<?x?x4xf32>, tensor<4x40xf32>, tensor<40xf32>) -> tensor<?x?x40xf32>
  %1 = ds.linear %v, %w : (tensor<4xf32>, tensor<4x40xf32>) -> tensor<40xf32>
  return %0, %1 : tensor<?x?x40xf32>, tensor<40xf32>
}

// -----

// Half precision is summed in f32, to which the bias is added, and rounded
// once. Two bf16 of a column lie side by side.
// CHECK-LABEL: func.func @half
// CHECK: %[[W:.+]] = ds.weight {{.*}} [#ds.pack<2 x 16>] : tensor<1x2x5x16xf16>
// CHECK: %[[P:.+]] = ds.packed_matmul ins(%{{.+}}, %[[W]] : {{.*}}) outs({{.*}}f32>)
// CHECK: linalg.generic {{.*}} ins(%[[P]], %{{.+}} : tensor<?x8xf32>, tensor<8xf16>)
// CHECK: arith.extf
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @half(%x: tensor<?x5xf16>, %b: tensor<8xf16>) -> tensor<?x8xf16> {
  %w = ds.weight <"m", 0, 80, "", tensor<5x8xf16>> : tensor<5x8xf16>
  %0 = ds.linear %x, %w, %b : (tensor<?x5xf16>, tensor<5x8xf16>, tensor<8xf16>) -> tensor<?x8xf16>
  return %0 : tensor<?x8xf16>
}

// CHECK-LABEL: func.func @pairs
// CHECK: %[[W:.+]] = ds.weight {{.*}} [#ds.pack<2 x 16 x 2>] : tensor<1x2x3x16x2xbf16>
// CHECK: ds.packed_matmul ins(%{{.+}}, %[[W]] : tensor<?x5xbf16>, {{.*}}) outs({{.*}}f32>)
func.func @pairs(%x: tensor<?x5xbf16>) -> tensor<?x8xbf16> {
  %w = ds.weight <"m", 0, 80, "", tensor<5x8xbf16>> : tensor<5x8xbf16>
  %0 = ds.linear %x, %w : (tensor<?x5xbf16>, tensor<5x8xbf16>) -> tensor<?x8xbf16>
  return %0 : tensor<?x8xbf16>
}

// -----

// What the types leave open is checked at run time.
// CHECK-LABEL: func.func @checked
// CHECK: ds.check {{.*}} "the last dim of x is {0}, the weight's {1}"
// CHECK: ds.check {{.*}} "the bias has {0} elements, the weight {1} columns"
func.func @checked(%x: tensor<?x?xf32>, %b: tensor<?xf32>) -> tensor<?x8xf32> {
  %w = ds.weight <"m", 0, 128, "", tensor<4x8xf32>> : tensor<4x8xf32>
  %0 = ds.linear %x, %w, %b : (tensor<?x?xf32>, tensor<4x8xf32>, tensor<?xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
