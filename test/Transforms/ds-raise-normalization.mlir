// RUN: ds-opt %s --ds-raise-normalization --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @with_bias
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf32>, %[[G:.+]]: tensor<8xf32>, %[[B:.+]]: tensor<8xf32>
// CHECK-NEXT: %[[Y:.+]], %{{.+}}, %{{.+}} = onnx.LayerNormalization %[[X]], %[[G]], %[[B]] {axis = 2 : i64, epsilon = 9.99999996E-13 : f32{{.*}}} : {{.*}} -> (tensor<?x5x8xf32>, tensor<?x5x1xf32>, tensor<?x5x1xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @with_bias(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %s = onnx.Pow %d, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %d, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %3 = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  %4 = onnx.Add %b, %3 : (tensor<8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %4 : tensor<?x5x8xf32>
}

// -----

// The square as a product, epsilon first, no bias.
// CHECK-LABEL: func.func @without_bias
// CHECK: %[[NONE:.+]] = onnx.NoValue
// CHECK-NEXT: onnx.LayerNormalization %{{.+}}, %{{.+}}, %[[NONE]]
func.func @without_bias(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %s = onnx.Mul %d, %d : (tensor<?x5x8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %eps, %v : (tensor<f32>, tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %d, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %3 = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %3 : tensor<?x5x8xf32>
}
