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

// -----

// What begins as a copy of an input may have its buffer: the copy is made where
// the two differ only.
// CHECK-LABEL: func.func @update
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x4xf32>, %[[Y:[a-z0-9]+]]: memref<?x4xf32>
// CHECK-SAME: ds.aliases = [array<i64: 0, 0>]
// CHECK: memref.load %[[X]]
// CHECK-DAG: %[[IN:.*]] = memref.extract_aligned_pointer_as_index %[[X]]
// CHECK-DAG: %[[OUT:.*]] = memref.extract_aligned_pointer_as_index %[[Y]]
// CHECK: %[[DIFFER:.*]] = arith.cmpi ne, %[[IN]], %[[OUT]]
// CHECK-NEXT: scf.if %[[DIFFER]] {
// CHECK-NEXT: memref.copy %[[X]]
// CHECK-NEXT: }
// CHECK: memref.store
func.func @update(%x: memref<?x4xf32>) -> memref<?x4xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  %v = memref.load %x[%c0, %c0] : memref<?x4xf32>
  %y = memref.alloc(%n) : memref<?x4xf32>
  memref.copy %x, %y : memref<?x4xf32> to memref<?x4xf32>
  memref.store %v, %y[%c0, %c0] : memref<?x4xf32>
  return %y : memref<?x4xf32>
}

// -----

// A cache that grows where it has to: none is written over what is kept, and
// where it has room already, both buffers may be one.
// CHECK-LABEL: func.func @grown
// CHECK-SAME: ds.aliases = [array<i64: 0, 0>]
// CHECK: scf.if
// CHECK-NEXT: memref.copy
func.func @grown(%x: memref<2x?xf32>, %total: index) -> memref<2x?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c1 : memref<2x?xf32>
  %missing = arith.subi %total, %n : index
  %more = arith.maxsi %missing, %c0 : index
  %m = arith.addi %n, %more : index
  %y = memref.alloc(%m) : memref<2x?xf32>
  %start = memref.subview %y[0, 0] [2, %n] [1, 1] : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1]>>
  memref.copy %x, %start : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1]>>
  return %y : memref<2x?xf32>
}

// -----

// What has more rows than the input in every call has a buffer of its own.
// CHECK-LABEL: func.func @joined
// CHECK-NOT: ds.aliases
// CHECK-NOT: scf.if
func.func @joined(%x: memref<2x?xf32>, %z: memref<2x?xf32>) -> memref<2x?xf32> attributes {ds.inputs = 2 : i64} {
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c1 : memref<2x?xf32>
  %k = memref.dim %z, %c1 : memref<2x?xf32>
  %m = arith.addi %n, %k : index
  %y = memref.alloc(%m) : memref<2x?xf32>
  %start = memref.subview %y[0, 0] [2, %n] [1, 1] : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1]>>
  memref.copy %x, %start : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1]>>
  %rest = memref.subview %y[0, %n] [2, %k] [1, 1] : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1], offset: ?>>
  memref.copy %z, %rest : memref<2x?xf32> to memref<2x?xf32, strided<[?, 1], offset: ?>>
  return %y : memref<2x?xf32>
}

// -----

// An input that is read once its copy has been written must stay as it is.
// CHECK-LABEL: func.func @read_later
// CHECK-NOT: ds.aliases
func.func @read_later(%x: memref<4xf32>) -> (memref<4xf32>, memref<1xf32>) attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1.0 : f32
  %y = memref.alloc() : memref<4xf32>
  %z = memref.alloc() : memref<1xf32>
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  memref.store %f, %y[%c0] : memref<4xf32>
  %row = memref.expand_shape %x [[0, 1]] output_shape [1, 4] : memref<4xf32> into memref<1x4xf32>
  %v = memref.load %row[%c0, %c0] : memref<1x4xf32>
  memref.store %v, %z[%c0] : memref<1xf32>
  return %y, %z : memref<4xf32>, memref<1xf32>
}

// -----

// So must one that is returned, too.
// CHECK-LABEL: func.func @also_returned
// CHECK-NOT: ds.aliases
func.func @also_returned(%x: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) attributes {ds.inputs = 1 : i64} {
  %y = memref.alloc() : memref<4xf32>
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return %y, %x : memref<4xf32>, memref<4xf32>
}

// -----

// Of two results one may have the buffer.
// CHECK-LABEL: func.func @two
// CHECK-SAME: ds.aliases = [array<i64: 0, 1>]
func.func @two(%x: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) attributes {ds.inputs = 1 : i64} {
  %y = memref.alloc() : memref<4xf32>
  %z = memref.alloc() : memref<4xf32>
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  memref.copy %x, %z : memref<4xf32> to memref<4xf32>
  return %y, %z : memref<4xf32>, memref<4xf32>
}
