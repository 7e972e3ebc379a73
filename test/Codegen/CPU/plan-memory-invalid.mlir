// RUN: ds-opt %s --allow-unregistered-dialect --split-input-file --verify-diagnostics --ds-results-to-arguments --ds-plan-memory

// A size that is computed from data cannot be known before the call.
func.func @main(%x: memref<4xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %t = memref.alloc() : memref<4xi64>
  "test.use"(%x, %t) : (memref<4xf32>, memref<4xi64>) -> ()
  %v = memref.load %t[%c0] : memref<4xi64>
  // expected-error @+1 {{the shape of a result depends on computed values}}
  %n = arith.index_cast %v : i64 to index
  %y = memref.alloc(%n) : memref<?xf32>
  return %y : memref<?xf32>
}

// -----

// A number from data has a largest value, so what is left of n has not.
func.func @main(%x: memref<?xf32>) -> memref<?xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %count = "test.count"(%x) : (memref<?xf32>) -> index
  %bounded = ds.bounded %count by %n : index
  // expected-error @+1 {{the size of a buffer depends on computed values}}
  %rest = arith.subi %n, %bounded : index
  %a = memref.alloc(%rest) : memref<?xf32>
  "test.use"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
  %y = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a, %y) : (memref<?xf32>, memref<?xf32>) -> ()
  return %y : memref<?xf32>
}
