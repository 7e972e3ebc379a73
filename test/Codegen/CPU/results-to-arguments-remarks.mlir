// RUN: ds-opt %s --split-input-file --ds-results-to-arguments --remarks-filter-missed=ds-results-to-arguments --remark-format=emitRemark --verify-diagnostics

func.func @read_later(%x: memref<4xf32>) -> (memref<4xf32>, memref<1xf32>) attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %y = memref.alloc() : memref<4xf32>
  %z = memref.alloc() : memref<1xf32>
  // expected-remark @+1 {{result 0 cannot have the buffer of input 0: a 'memref.load' reads it later}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  %v = memref.load %x[%c0] : memref<4xf32>
  memref.store %v, %z[%c0] : memref<1xf32>
  return %y, %z : memref<4xf32>, memref<1xf32>
}

// -----

func.func @written_before(%x: memref<4xf32>) -> memref<4xf32> attributes {ds.inputs = 1 : i64} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 1.0 : f32
  %y = memref.alloc() : memref<4xf32>
  memref.store %f, %y[%c0] : memref<4xf32>
  // expected-remark @+1 {{result 0 cannot have the buffer of input 0: a 'memref.store' writes the result before}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return %y : memref<4xf32>
}

// -----

// expected-remark @+1 {{result 1 is copied: it is no buffer of the entry's own, but an input, a constant or a part of one}}
func.func @also_returned(%x: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) attributes {ds.inputs = 1 : i64} {
  %y = memref.alloc() : memref<4xf32>
  // expected-remark @+1 {{result 0 cannot have the buffer of input 0: it is a result, too}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  return %y, %x : memref<4xf32>, memref<4xf32>
}
