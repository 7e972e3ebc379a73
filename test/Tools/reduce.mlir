// RUN: ds-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/still-has-relu" | FileCheck %s

// Only what the test asks for is left.
// CHECK-NOT: @other
// CHECK: onnx.Relu
func.func @other(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = onnx.Relu %x : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
