// RUN: ds-opt %s --ds-raise-gelu --split-input-file --remarks-filter-missed=ds-raise-gelu --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: onnx.Gelu

// A tanh without GELU around it is nothing that was missed.
func.func @pooler(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = onnx.Tanh %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @root(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = onnx.Constant dense<1.5> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %0 = onnx.Div %x, %r : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // expected-remark @+1 {{is no part of a GELU: its operand is no value divided by the root of 2}}
  %1 = onnx.Erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// Another value is multiplied.
func.func @other(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = onnx.Constant dense<1.4142135381698608> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div %x, %r : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // expected-remark @+1 {{its result is not used in 0.5 x (1 + ...) alone}}
  %1 = onnx.Erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %y, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = onnx.Mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// -----

// The half is missing.
func.func @twice(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = onnx.Constant dense<1.4142135381698608> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %0 = onnx.Div %x, %r : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // expected-remark @+1 {{its result is not used in 0.5 x (1 + ...) alone}}
  %1 = onnx.Erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}
