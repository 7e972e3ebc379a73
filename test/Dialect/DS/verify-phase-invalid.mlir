// RUN: ds-opt %s --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(ds-verify-phase{phase=linalg})"

func.func @onnx(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'onnx.Relu' op may not remain after phase 'linalg'}}
  %0 = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @ds(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>) -> tensor<?x8xf32> {
  // expected-error @+1 {{'ds.linear' op may not remain after phase 'linalg'}}
  %0 = ds.linear %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
