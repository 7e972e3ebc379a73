// RUN: ds-opt %s --split-input-file --allow-unregistered-dialect --ds-results-to-arguments --ds-plan-memory --cse | FileCheck %s

// Two buffers whose lives do not overlap share a place; the third does not.
// CHECK-LABEL: func.func private @main_shape
// CHECK: %[[N:.*]] = memref.dim
// CHECK: memref.store
// CHECK: return
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[ARENA:[^ :]*]]: memref<?xi8>, %{{[^ :]*}}: memref<?xi8>, %{{[^ :]*}}: index, %{{[^ :]*}}: !llvm.ptr
// CHECK: %[[C0:.*]] = arith.constant 0 : index
// CHECK: %[[FIRST:.*]] = memref.view %{{.*}}[%[[C0]]]
// CHECK: %[[SECOND:.*]] = memref.view %{{.*}}[%[[BYTES:.*]]][
// CHECK: "test.use"(%[[SECOND]], %[[FIRST]])
// CHECK-NOT: memref.alloc
func.func @main(%x: memref<?xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %a = memref.alloc(%n) : memref<?xf32>
  "test.use"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
  %b = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a, %b) : (memref<?xf32>, memref<?xf32>) -> ()
  %c = memref.alloc(%n) : memref<?xf32>
  "test.use"(%b, %c) : (memref<?xf32>, memref<?xf32>) -> ()
  %y = memref.alloc(%n) : memref<?xf32>
  "test.use"(%c, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  return %y : memref<?xf32>
}

// -----

// A buffer whose size is data has the place that the bound of the data needs,
// and its own size in the view.
// CHECK-LABEL: func.func private @main_shape
// CHECK: %[[LIMIT:.*]] = memref.dim
// CHECK: arith.muli %[[LIMIT]], %{{.*}} : index
// CHECK-NOT: "test.count"
// CHECK: return
// CHECK-LABEL: func.func @main
// CHECK: %[[COUNT:.*]] = "test.count"
// CHECK: %[[ROWS:.*]] = arith.muli %[[COUNT]], %{{.*}} : index
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[ROWS]]]
// CHECK-NOT: ds.bounded
func.func @main(%x: memref<?xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %count = "test.count"(%x) : (memref<?xf32>) -> index
  %bounded = ds.bounded %count by %n : index
  %size = arith.muli %bounded, %c3 : index
  %a = memref.alloc(%size) : memref<?xf32>
  "test.use"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
  %y = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  return %y : memref<?xf32>
}
