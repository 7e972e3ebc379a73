// RUN: ds-opt %s --canonicalize | FileCheck %s

// The scale of attention, as exporters compute it from a dim.
// CHECK-LABEL: func.func @scale
// CHECK-DAG: %[[SCALE:.+]] = onnx.Constant dense<2.500000e-01> : tensor<1xf32>
// CHECK-DAG: %[[POWER:.+]] = onnx.Constant dense<1.600000e+01> : tensor<f32>
// CHECK-NEXT: return %[[SCALE]], %[[POWER]]
func.func @scale() -> (tensor<1xf32>, tensor<f32>) {
  %d = onnx.Constant dense<16> : tensor<1xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %two = onnx.Constant dense<2.0> : tensor<f64>
  %none = onnx.Constant dense<> : tensor<0xi64>
  %0 = onnx.Cast %d {to = f32} : (tensor<1xi64>) -> tensor<1xf32>
  %1 = onnx.Sqrt %0 : (tensor<1xf32>) -> tensor<1xf32>
  %2 = onnx.Div %one, %1 : (tensor<f32>, tensor<1xf32>) -> tensor<1xf32>
  %3 = onnx.Reciprocal %2 : (tensor<1xf32>) -> tensor<1xf32>
  %4 = onnx.Mul %2, %3 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %5 = onnx.Mul %4, %2 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  %zero = onnx.ConstantOfShape %none {value = dense<0.0> : tensor<1xf32>} : (tensor<0xi64>) -> tensor<f32>
  %four = onnx.Constant dense<4.0> : tensor<f32>
  %6 = onnx.Sub %four, %zero : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %7 = onnx.Add %6, %zero : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %8 = onnx.Pow %7, %two : (tensor<f32>, tensor<f64>) -> tensor<f32>
  return %5, %8 : tensor<1xf32>, tensor<f32>
}

// Results of half precision are rounded.
// CHECK-LABEL: func.func @half
// CHECK: onnx.Constant dense<3.332520e-01> : tensor<f16>
func.func @half() -> tensor<f16> {
  %one = onnx.Constant dense<1.0> : tensor<f16>
  %three = onnx.Constant dense<3.0> : tensor<f16>
  %0 = onnx.Div %one, %three : (tensor<f16>, tensor<f16>) -> tensor<f16>
  return %0 : tensor<f16>
}

// A cast to the type that is there, but not one to another type.
// CHECK-LABEL: func.func @casts
// CHECK-SAME: %[[X:.+]]: tensor<?xf32>
// CHECK-NEXT: %[[Y:.+]] = onnx.Cast %[[X]] {to = f16}
// CHECK-NEXT: return %[[X]], %[[Y]]
func.func @casts(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf16>) {
  %0 = onnx.Cast %x {to = f32} : (tensor<?xf32>) -> tensor<?xf32>
  %1 = onnx.Cast %0 {to = f16} : (tensor<?xf32>) -> tensor<?xf16>
  return %0, %1 : tensor<?xf32>, tensor<?xf16>
}

// Factors of one, unless they broadcast.
// CHECK-LABEL: func.func @ones
// CHECK-SAME: %[[X:.+]]: tensor<?xf32>
// CHECK: %[[Y:.+]] = onnx.Mul %[[X]]
// CHECK-NEXT: %[[Z:.+]] = onnx.Div %{{.+}}, %[[X]]
// CHECK-NEXT: return %[[X]], %[[Y]], %[[Z]]
func.func @ones(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<1x?xf32>, tensor<?xf32>) {
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %wide = onnx.Constant dense<1.0> : tensor<1x1xf32>
  %0 = onnx.Mul %x, %one : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  %1 = onnx.Mul %one, %0 : (tensor<f32>, tensor<?xf32>) -> tensor<?xf32>
  %2 = onnx.Div %1, %one : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  %3 = onnx.Mul %2, %wide : (tensor<?xf32>, tensor<1x1xf32>) -> tensor<1x?xf32>
  %4 = onnx.Div %one, %2 : (tensor<f32>, tensor<?xf32>) -> tensor<?xf32>
  return %2, %3, %4 : tensor<?xf32>, tensor<1x?xf32>, tensor<?xf32>
}

// What is no small constant of floats stays: integers are shape arithmetic.
// CHECK-LABEL: func.func @kept
// CHECK: onnx.Mul
// CHECK: onnx.ConstantOfShape
// CHECK: onnx.ConstantOfShape
func.func @kept(%n: tensor<1xi64>) -> (tensor<1xi64>, tensor<100xf32>, tensor<?xf32>) {
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %hundred = onnx.Constant dense<100> : tensor<1xi64>
  %0 = onnx.Mul %two, %two : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %1 = onnx.ConstantOfShape %hundred : (tensor<1xi64>) -> tensor<100xf32>
  %2 = onnx.ConstantOfShape %n : (tensor<1xi64>) -> tensor<?xf32>
  return %0, %1, %2 : tensor<1xi64>, tensor<100xf32>, tensor<?xf32>
}
