// RUN: ds-opt %s --ds-generate-kernels --canonicalize --cse --split-input-file | FileCheck %s

// A loop of its own counts its work once, in its first task: two operations for
// each of 3 x 64 x 32 products, and the bytes of all three operands.
// CHECK-LABEL: func.func @product
// CHECK-DAG: %[[FLOPS:.+]] = arith.constant 12288 : index
// CHECK-DAG: %[[BYTES:.+]] = arith.constant 9344 : index
// CHECK: scf.forall (%[[I:.+]]) in (2)
// CHECK:   %[[FIRST:.+]] = arith.cmpi eq, %[[I]], %c0
// CHECK:   scf.if %[[FIRST]] {
// CHECK-NEXT: ds.count_work %[[FLOPS]], %[[BYTES]]
func.func @product(%a: memref<3x32xf32>, %b: memref<2x2x32x16xf32>, %c: memref<3x64xf32>) {
  ds.packed_matmul ins(%a, %b : memref<3x32xf32>, memref<2x2x32x16xf32>)
    outs(%c : memref<3x64xf32>)
  return
}

// -----

// A task counts what it does: of two ops one sum, without the bytes of what the
// task has made for itself. A multiply-add is two operations, a comparison, a
// selection and a conversion are none.
// CHECK-LABEL: func.func @task
// CHECK-DAG: %[[FLOPS:.+]] = arith.constant 32 : index
// CHECK-DAG: %[[BYTES:.+]] = arith.constant 64 : index
// CHECK: scf.forall
// CHECK-NOT: ds.count_work
// CHECK: ds.count_work %[[FLOPS]], %[[BYTES]]
// CHECK-NOT: ds.count_work
func.func @task(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  scf.forall (%i) in (4) {
    %row = memref.subview %x[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %out = memref.subview %y[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %own = memref.alloc() : memref<8xf32>
    linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%row : memref<8xf32, strided<[1], offset: ?>>) outs(%own : memref<8xf32>) {
    ^bb0(%a: f32, %b: f32):
      %0 = math.fma %a, %a, %a : f32
      %1 = arith.cmpf ogt, %0, %a : f32
      %2 = arith.select %1, %0, %a : f32
      linalg.yield %2 : f32
    }
    linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
        ins(%own : memref<8xf32>) outs(%out : memref<8xf32, strided<[1], offset: ?>>) {
    ^bb0(%a: f32, %b: f32):
      %0 = math.exp %a : f32
      %1 = arith.negf %0 : f32
      linalg.yield %1 : f32
    }
  }
  return
}

// -----

// What is too small for tasks counts for the entry; elements at indices from
// data are read, too.
// CHECK-LABEL: func.func @gather
// CHECK-DAG: %[[FLOPS:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[BYTES:.+]] = arith.constant 128 : index
// CHECK-NOT: scf.forall
// CHECK: ds.count_work %[[FLOPS]], %[[BYTES]]
func.func @gather(%table: memref<100xf32>, %at: memref<8xi64>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%at : memref<8xi64>) outs(%y : memref<8xf32>) {
  ^bb0(%i: i64, %b: f32):
    %0 = arith.index_cast %i : i64 to index
    %1 = memref.load %table[%0] : memref<100xf32>
    linalg.yield %1 : f32
  }
  return
}
