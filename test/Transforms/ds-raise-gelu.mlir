// RUN: ds-opt %s --ds-raise-gelu --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @erf_bert
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>
// CHECK-NEXT: %[[Y:.+]] = onnx.Gelu %[[X]] :
// CHECK-NEXT: return %[[Y]]
func.func @erf_bert(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = onnx.Constant dense<1.4142135381698608> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div %x, %r : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = onnx.Erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %x, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = onnx.Mul %3, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// -----

// x is itself a sum; the half is on x; the root is a factor.
// CHECK-LABEL: func.func @erf_other_order
// CHECK: %[[X:.+]] = onnx.Add
// CHECK-NEXT: onnx.Gelu %[[X]] :
func.func @erf_other_order(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %r = onnx.Constant dense<0.70710677> : tensor<1xf32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %x = onnx.Add %a, %b : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %h = onnx.Mul %half, %x : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %0 = onnx.Mul %x, %r : (tensor<?x8xf32>, tensor<1xf32>) -> tensor<?x8xf32>
  %1 = onnx.Erf %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %one, %1 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %2, %h : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %3 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @tanh_pow
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>
// CHECK-NEXT: onnx.Gelu %[[X]] {approximate = "tanh"}
func.func @tanh_pow(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %c = onnx.Constant dense<0.044715> : tensor<f32>
  %s = onnx.Constant dense<0.7978845608> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Pow %x, %three : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = onnx.Mul %0, %c : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %2 = onnx.Add %x, %1 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %2, %s : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %4 = onnx.Tanh %3 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = onnx.Add %4, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %6 = onnx.Mul %x, %half : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %7 = onnx.Mul %6, %5 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %7 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @tanh_products
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>
// CHECK-NEXT: onnx.Gelu %[[X]] {approximate = "tanh"}
func.func @tanh_products(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c = onnx.Constant dense<0.044715> : tensor<f32>
  %s = onnx.Constant dense<0.7978845608> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Mul %c, %x : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = onnx.Mul %0, %x : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add %1, %one : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul %x, %s : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %4 = onnx.Mul %3, %2 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = onnx.Tanh %4 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = onnx.Add %one, %5 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %7 = onnx.Mul %x, %6 : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %8 = onnx.Mul %half, %7 : (tensor<f32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %8 : tensor<?x8xf32>
}
