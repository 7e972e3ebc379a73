// RUN: ds-opt %s --load-pass-plugin=%ds_lib_dir/ds_test_plugin.so --pass-pipeline='builtin.module(func.func(count-onnx-ops))' 2>&1 | FileCheck %s

// CHECK: remark: 1 onnx ops
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
