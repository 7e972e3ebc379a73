// RUN: ds-opt %s --split-input-file --ds-results-to-arguments | FileCheck %s

// The allocation of a result is the caller's buffer from the start.
// CHECK-LABEL: func.func @own
// CHECK-SAME: %{{.*}}: memref<?xf32>, %[[Y:.*]]: memref<?xf32>, %{{.*}}: memref<?xi8>
// CHECK-NOT: memref.alloc
// CHECK: memref.reinterpret_cast %[[Y]]
// CHECK-NOT: memref.copy
func.func @own(%x: memref<?xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %y = memref.alloc(%n) : memref<?xf32>
  return %y : memref<?xf32>
}

// -----

// A value that is returned twice is computed once and copied.
// CHECK-LABEL: func.func @twice
// CHECK: %[[VIEW:.*]] = memref.reinterpret_cast
// CHECK: memref.copy %[[VIEW]], %{{.*}}
func.func @twice() -> (memref<4xf32>, memref<4xf32>) attributes {ds.inputs = 0 : i64} {
  %y = memref.alloc() : memref<4xf32>
  return %y, %y : memref<4xf32>, memref<4xf32>
}

// -----

// The sizes of the second one come from the inputs, too.
// CHECK-LABEL: func.func @twice_dynamic
// CHECK: %[[N:.*]] = memref.dim %{{.*}}, %{{.*}} : memref<?xf32>
// CHECK: memref.copy
// CHECK-NOT: memref.dim
// CHECK: return %[[N]], %[[N]]
func.func @twice_dynamic(%x: memref<?xf32>) -> (memref<?xf32>, memref<?xf32>) attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %y = memref.alloc(%n) : memref<?xf32>
  return %y, %y : memref<?xf32>, memref<?xf32>
}

// -----

// An input that is returned as it is is copied.
// CHECK-LABEL: func.func @input
// CHECK: memref.copy %{{.*}}, %{{.*}} : memref<4xf32> to memref<4xf32>
func.func @input(%x: memref<4xf32>) -> memref<4xf32> attributes {ds.inputs = 1 : i64} {
  return %x : memref<4xf32>
}
