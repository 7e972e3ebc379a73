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
