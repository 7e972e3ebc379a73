// RUN: ds-opt %s --ds-raise-linear --split-input-file --remarks-filter-missed=ds-raise-linear --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: ds.linear

// Two activations: not a linear layer, and nobody would expect one.
func.func @activations(%x: tensor<?x4xf32>, %y: tensor<4x2xf32>) -> tensor<?x2xf32> {
  %0 = onnx.MatMul %x, %y : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @left(%x: tensor<2x?xf32>) -> tensor<4x?xf32> {
  %w = ds.weight <"m", 0, 32, "", tensor<4x2xf32>> : tensor<4x2xf32>
  // expected-remark @+1 {{is no linear layer: the weight is its left operand}}
  %0 = onnx.MatMul %w, %x : (tensor<4x2xf32>, tensor<2x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

func.func @stack(%x: tensor<3x?x4xf32>) -> tensor<3x?x2xf32> {
  %w = ds.weight <"m", 0, 96, "", tensor<3x4x2xf32>> : tensor<3x4x2xf32>
  // expected-remark @+1 {{the weight has rank 3, expected a matrix}}
  %0 = onnx.MatMul %x, %w : (tensor<3x?x4xf32>, tensor<3x4x2xf32>) -> tensor<3x?x2xf32>
  return %0 : tensor<3x?x2xf32>
}

// -----

func.func @integers(%x: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %w = onnx.Constant dense<1> : tensor<2x2xi32>
  // expected-remark @+1 {{its elements are integers}}
  %0 = onnx.MatMul %x, %w : (tensor<?x2xi32>, tensor<2x2xi32>) -> tensor<?x2xi32>
  return %0 : tensor<?x2xi32>
}

// -----

func.func @alpha(%x: tensor<?x4xf32>, %b: tensor<2xf32>) -> tensor<?x2xf32> {
  %w = ds.weight <"m", 0, 32, "", tensor<4x2xf32>> : tensor<4x2xf32>
  // expected-remark @+1 {{alpha is 0.50, expected 1}}
  %0 = onnx.Gemm %x, %w, %b {alpha = 0.5 : f32} : (tensor<?x4xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

func.func @transposed(%x: tensor<4x?xf32>, %b: tensor<2xf32>) -> tensor<?x2xf32> {
  %w = ds.weight <"m", 0, 32, "", tensor<4x2xf32>> : tensor<4x2xf32>
  // expected-remark @+1 {{operand A is transposed}}
  %0 = onnx.Gemm %x, %w, %b {transA = 1 : i64} : (tensor<4x?xf32>, tensor<4x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
