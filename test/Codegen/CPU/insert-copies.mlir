// RUN: ds-opt %s --split-input-file --ds-insert-copies --remarks-filter-missed=ds-insert-copies \
// RUN:   --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @read_later
// CHECK: bufferization.alloc_tensor() copy(%{{.+}})
func.func private @read(tensor<4xf32>)
func.func @read_later(%n: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %x = linalg.fill ins(%n : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // expected-remark @+1 {{a 'linalg.generic' writes a copy of its operand: a 'func.call' reads it later}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : tensor<4xf32>) {
  ^bb0(%v: f32):
    %s = arith.addf %v, %v : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  func.call @read(%x) : (tensor<4xf32>) -> ()
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @input
// CHECK: bufferization.alloc_tensor() copy(%{{.+}})
func.func @input(%x: tensor<4xf32> {bufferization.writable = false}) -> tensor<4xf32> {
  // expected-remark @+1 {{writes a copy of its operand: it is an input, which is never written}}
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : tensor<4xf32>) {
  ^bb0(%v: f32):
    %s = arith.addf %v, %v : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// In place: no copy, no remark.
// CHECK-LABEL: func.func @in_place
// CHECK-NOT: copy(
func.func @in_place(%n: f32) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %x = linalg.fill ins(%n : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : tensor<4xf32>) {
  ^bb0(%v: f32):
    %s = arith.addf %v, %v : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
