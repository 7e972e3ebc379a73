// RUN: ds-opt %s --convert-ds-to-linalg | FileCheck %s

// Weights of bool and unsigned integers are read as elements of their storage
// types.
// CHECK-LABEL: func.func @bools
// CHECK: ds.weight <"m", 0, 300, "", tensor<300xi8>> : tensor<300xi8>
// CHECK-NOT: ds.weight
func.func @bools(%x: tensor<300xi1>) -> tensor<300xi1> {
  %w = ds.weight <"m", 0, 300, "", tensor<300xi1>> : tensor<300xi1>
  %0 = onnx.And %x, %w : (tensor<300xi1>, tensor<300xi1>) -> tensor<300xi1>
  return %0 : tensor<300xi1>
}

// CHECK-LABEL: func.func @unsigned
// CHECK: ds.weight <"m", 0, 2400, "", tensor<300xi64>> : tensor<300xi64>
func.func @unsigned(%x: tensor<300xui64>) -> tensor<300xui64> {
  %w = ds.weight <"m", 0, 2400, "", tensor<300xui64>> : tensor<300xui64>
  %0 = onnx.Add %x, %w : (tensor<300xui64>, tensor<300xui64>) -> tensor<300xui64>
  return %0 : tensor<300xui64>
}
