// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// The ends of sequences, their sums, and the rows by number; how many there are
// is bounded by the mask.
// CHECK-LABEL: func.func @offsets
// CHECK-SAME: %[[MASK:.+]]: tensor<?x?xi8>
// CHECK: %[[ENDS:.+]] = linalg.generic {{.*}}"reduction"]} ins(%[[MASK]]
// CHECK: arith.maxsi
// CHECK: %[[SUMS:.+]]:2 = scf.for
// CHECK: %[[LIMIT:.+]] = arith.muli
// CHECK: %[[TOTAL:.+]] = ds.bounded %[[SUMS]]#1 by %[[LIMIT]]
// CHECK: tensor.empty(%[[TOTAL]]) : tensor<?xi64>
// CHECK: scf.for
// CHECK: scf.for
func.func @offsets(%mask: tensor<?x?xi1> {ds.symbols = ["batch", "sequence"]}) -> (tensor<?xi64>, tensor<?xi64>) {
  %offsets, %rows = ds.row_offsets %mask : (tensor<?x?xi1>) -> (tensor<?xi64>, tensor<?xi64>)
  return %offsets, %rows : tensor<?xi64>, tensor<?xi64>
}

// -----

// Ids by the number of their row, a table by what is left of that in a
// sequence, which must be as long as the mask's.
// CHECK-LABEL: func.func @packed
// CHECK: tensor.collapse_shape %arg1 {{\[\[}}0, 1]] : tensor<?x?xi64> into tensor<?xi64>
// CHECK: linalg.generic
// CHECK-NOT: arith.remui
// CHECK: tensor.extract
// CHECK: ds.check {{.*}} "has sequences of {0} rows, its mask {1}"
// CHECK: linalg.generic
// CHECK: arith.remui
// CHECK: tensor.extract
func.func @packed(%mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<1x?x8xf32> {ds.symbols = ["", "t", ""]}) -> (tensor<1x?xi64>, tensor<1x?x8xf32>) {
  %offsets, %rows = ds.row_offsets %mask : (tensor<?x?xi64>) -> (tensor<?xi64>, tensor<?xi64>)
  %0 = ds.pack_rows %ids by %rows of %mask : (tensor<?x?xi64>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<1x?xi64>
  %1 = ds.pack_rows %table by %rows of %mask : (tensor<1x?x8xf32>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<1x?x8xf32>
  return %0, %1 : tensor<1x?xi64>, tensor<1x?x8xf32>
}

// -----

// A task for each sequence, head and block of the longest, which reads where
// its sequence starts.
// CHECK-LABEL: func.func @attention
// CHECK: ds.bounded
// CHECK: tensor.collapse_shape
// CHECK: %[[LONGEST:[0-9]+]] = scf.for
// CHECK: arith.maxsi
// CHECK: %[[ROWS:.+]] = arith.minsi %[[LONGEST]], %{{.+}} : index
// CHECK: %[[BLOCKS:.+]] = arith.ceildivsi %[[ROWS]]
// CHECK: %[[GROUPS:.+]] = arith.ceildivsi %[[BLOCKS]]
// CHECK: scf.forall (%[[SEQUENCE:.+]], %{{.+}}, %{{.+}}) in (%{{.+}}, 2, %[[GROUPS]])
// CHECK: tensor.extract %{{.+}}[%[[SEQUENCE]]] : tensor<?xi64>
func.func @attention(%mask: tensor<?x?xi64>, %q: tensor<?x?x2x8xf32>) -> tensor<?x?x2x8xf32> {
  %offsets, %rows = ds.row_offsets %mask : (tensor<?x?xi64>) -> (tensor<?xi64>, tensor<?xi64>)
  %0 = ds.pack_rows %q by %rows of %mask : (tensor<?x?x2x8xf32>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<1x?x2x8xf32>
  %1 = onnx.Transpose %0 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x?x2x8xf32>) -> tensor<1x2x?x8xf32>
  %2 = ds.attention %1, %1, %1 row_offsets %offsets {scale = 1.0 : f32}
         : (tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<?xi64>) -> tensor<1x2x?x8xf32>
  %3 = onnx.Transpose %2 {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x?x8xf32>) -> tensor<1x?x2x8xf32>
  %4 = ds.unpack_rows %3 by %offsets of %mask : (tensor<1x?x2x8xf32>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<?x?x2x8xf32>
  return %4 : tensor<?x?x2x8xf32>
}
