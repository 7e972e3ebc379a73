// RUN: ds-opt %s --split-input-file --allow-unregistered-dialect --ds-results-to-arguments --ds-plan-memory --cse | FileCheck %s

// Buffers of the two branches share a place, and so do those of one branch that
// are not in use together. Of a branch that is not taken, no bytes are asked for.
// CHECK-LABEL: func.func private @main_shape
// CHECK: arith.xori
// CHECK: arith.select
// CHECK-LABEL: func.func @main
// CHECK: %[[BIT:.*]] = arith.cmpi ne
// CHECK: %[[C0:.*]] = arith.constant 0 : index
// CHECK: arith.select %[[BIT]], %{{.*}}, %[[C0]] : index
// CHECK: %[[ELSE:.*]] = arith.xori %[[BIT]]
// CHECK: arith.select %[[ELSE]], %{{.*}}, %[[C0]] : index
// CHECK: scf.if %[[BIT]]
// CHECK: %[[A:.*]] = memref.view %{{.*}}[%[[C0]]]
// CHECK: "test.use"(%{{.*}}, %[[A]])
// CHECK: %[[B:.*]] = memref.view %{{.*}}[%[[SECOND:.*]]][
// CHECK: "test.use"(%[[A]], %[[B]])
// CHECK: "test.use"(%[[B]], %[[A]])
// CHECK: } else {
// CHECK: memref.view %{{.*}}[%[[SECOND]]]
// CHECK-NOT: memref.alloc
func.func @main(%x: memref<?xf32>, %flag: memref<i8>) -> memref<?xf32> attributes {ds.inputs = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c0_i8 = arith.constant 0 : i8
  %c9 = arith.constant 9 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %byte = memref.load %flag[] : memref<i8>
  %bit = arith.cmpi ne, %byte, %c0_i8 : i8
  %less = arith.subi %n, %c9 : index
  %y = memref.alloc(%n) : memref<?xf32>
  scf.if %bit {
    %a = memref.alloc(%n) : memref<?xf32>
    "test.use"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
    %b = memref.alloc(%n) : memref<?xf32>
    "test.use"(%a, %b) : (memref<?xf32>, memref<?xf32>) -> ()
    %c = memref.alloc(%n) : memref<?xf32>
    "test.use"(%b, %c) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.use"(%c, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  } else {
    %a = memref.alloc(%less) : memref<?xf32>
    "test.use"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.use"(%a, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  }
  return %y : memref<?xf32>
}

// -----

// A check counts where its branch is taken.
// CHECK-LABEL: func.func private @main_shape
// CHECK: %[[HOLDS:.*]] = arith.cmpi eq
// CHECK: %[[BROKEN:.*]] = arith.xori %[[HOLDS]]
// CHECK: arith.andi %[[BROKEN]], %{{.*}} : i1
// CHECK-LABEL: func.func @main
// CHECK-NOT: ds.check
func.func @main(%x: memref<?xf32>, %flag: memref<i8>) -> memref<?xf32> attributes {ds.inputs = 2 : i64} {
  %c0 = arith.constant 0 : index
  %c0_i8 = arith.constant 0 : i8
  %c4 = arith.constant 4 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %byte = memref.load %flag[] : memref<i8>
  %bit = arith.cmpi ne, %byte, %c0_i8 : i8
  %y = memref.alloc(%n) : memref<?xf32>
  scf.if %bit {
    %holds = arith.cmpi eq, %n, %c4 : index
    ds.check %holds, %n, %c4 "{0} is not {1}"
    "test.use"(%x, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  }
  return %y : memref<?xf32>
}

// -----

// Where data decides on the branch, what is behind a check runs if it holds,
// and its failure is told when it is known.
// CHECK-LABEL: func.func private @main_shape
// CHECK-NOT: scf.if
// CHECK-LABEL: func.func @main
// CHECK: scf.if %{{.*}} {
// CHECK: "test.before"
// CHECK: %[[HOLDS:.*]] = arith.cmpi eq
// CHECK: scf.if %[[HOLDS]] {
// CHECK: "test.use"
// CHECK: } else {
// CHECK: call @ds_report
func.func @main(%x: memref<?xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %bit = "test.flag"(%x) : (memref<?xf32>) -> i1
  %y = memref.alloc(%n) : memref<?xf32>
  scf.if %bit {
    "test.before"() : () -> ()
    %holds = arith.cmpi eq, %n, %c4 : index
    ds.check %holds, %n, %c4 "{0} is not {1}"
    "test.use"(%x, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  }
  return %y : memref<?xf32>
}
