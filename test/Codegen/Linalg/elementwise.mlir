// RUN: ds-opt %s --convert-ds-to-linalg | FileCheck %s

// Two dims of one symbol are one value: no broadcast is left to run time.
// CHECK-LABEL: func.func @same_symbol
func.func @same_symbol(%x: tensor<?xf32> {ds.symbols = ["n"]},
                       %y: tensor<?xf32> {ds.symbols = ["n"]}) -> tensor<?xf32> {
  // CHECK-NOT: tensor.extract
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>)
  // CHECK: arith.addf
  %0 = onnx.Add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func @undecided
func.func @undecided(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: arith.minsi
  // CHECK: tensor.extract
  %0 = onnx.Add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
