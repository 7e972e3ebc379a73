// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// A task for each batch writes all of its rows in one piece, into the cache
// itself.
// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: tensor<?x4x?x8xf16>, %[[ROWS:[a-z0-9]+]]: tensor<?x4x?x8xf16>, %[[AT:[a-z0-9]+]]: tensor<?xi64>
// CHECK-DAG: ds.check {{.*}} "rows has a dim of {0}, cache one of {1}"
// CHECK-DAG: ds.check {{.*}} "{0} rows do not fit into a cache of {1}"
// CHECK-DAG: ds.check {{.*}} "positions has batch {0}, cache {1}"
// CHECK: scf.forall (%[[B:.+]]) in (%{{.+}}) shared_outs(%[[OUT:.+]] = %[[CACHE]])
// CHECK:   tensor.extract %[[AT]][%[[B]]]
// CHECK:   %[[FIRST:.+]] = ds.checked_index %{{.+}} in %{{.+}} : index
// CHECK:   %[[PART:.+]] = tensor.extract_slice %[[ROWS]][%[[B]], 0, 0, 0] [1, 4, %{{.+}}, 8]
// CHECK:   tensor.parallel_insert_slice %[[PART]] into %[[OUT]][%[[B]], 0, %[[FIRST]], 0] [1, 4, %{{.+}}, 8]
func.func @linear(%cache: tensor<?x4x?x8xf16>, %rows: tensor<?x4x?x8xf16>, %at: tensor<?xi64>) -> tensor<?x4x?x8xf16> {
  %0 = ds.kv_append %cache, %rows at %at : (tensor<?x4x?x8xf16>, tensor<?x4x?x8xf16>, tensor<?xi64>) -> tensor<?x4x?x8xf16>
  return %0 : tensor<?x4x?x8xf16>
}

// -----

// Up to the end, then from the start; nothing is outside.
// CHECK-LABEL: func.func @circular
// CHECK-NOT: ds.checked_index
// CHECK: arith.remsi
// CHECK: %[[BEFORE:.+]] = arith.minsi
// CHECK: %[[AFTER:.+]] = arith.subi %{{.+}}, %[[BEFORE]]
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, 0, 0, 0] [1, 4, %[[BEFORE]], 8]
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, 0, %[[BEFORE]], 0] [1, 4, %[[AFTER]], 8]
// CHECK-COUNT-2: tensor.parallel_insert_slice
func.func @circular(%cache: tensor<2x4x9x8xf32>, %rows: tensor<2x4x3x8xf32>, %at: tensor<2xi64>) -> tensor<2x4x9x8xf32> {
  %0 = ds.kv_append %cache, %rows at %at circular : (tensor<2x4x9x8xf32>, tensor<2x4x3x8xf32>, tensor<2xi64>) -> tensor<2x4x9x8xf32>
  return %0 : tensor<2x4x9x8xf32>
}

// -----

// CHECK-LABEL: func.func @start
// CHECK-NOT: tensor.extract %
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%{{.+}}, 0, 0, 0] [1, 4, 3, 8]
func.func @start(%cache: tensor<2x4x9x8xi8>, %rows: tensor<2x4x3x8xi8>) -> tensor<2x4x9x8xi8> {
  %0 = ds.kv_append %cache, %rows : (tensor<2x4x9x8xi8>, tensor<2x4x3x8xi8>) -> tensor<2x4x9x8xi8>
  return %0 : tensor<2x4x9x8xi8>
}
