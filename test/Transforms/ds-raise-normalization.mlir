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

// -----

// Llama: a product with the reciprocal.
// CHECK-LABEL: func.func @llama
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf32>, %[[G:.+]]: tensor<8xf32>
// CHECK: %[[Y:.+]] = onnx.RMSNormalization %[[X]], %[[G]] {axis = 2 : i64, epsilon = 9.99999997E-7 : f32{{.*}}} : 
// CHECK-NEXT: return %[[Y]]
func.func @llama(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %one, %1 : (tensor<f32>, tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %3 = onnx.Mul %x, %2 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %g, %3 : (tensor<8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// A quotient, the square as a product.
// CHECK-LABEL: func.func @rms_quotient
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf32>, %[[G:.+]]: tensor<8xf32>
// CHECK: %[[Y:.+]] = onnx.RMSNormalization %[[X]], %[[G]] {axis = 2 : i64, epsilon = 9.99999997E-7 : f32{{.*}}} : 
// CHECK-NEXT: return %[[Y]]
func.func @rms_quotient(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %s = onnx.Mul %x, %x : (tensor<?x5x8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %eps, %v : (tensor<f32>, tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %1 = onnx.Pow %0, %half : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %x, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// Reciprocal.
// CHECK-LABEL: func.func @rms_reciprocal
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf32>, %[[G:.+]]: tensor<8xf32>
// CHECK: %[[Y:.+]] = onnx.RMSNormalization %[[X]], %[[G]] {axis = 2 : i64, epsilon = 9.99999997E-7 : f32{{.*}}} : 
// CHECK-NEXT: return %[[Y]]
func.func @rms_reciprocal(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Reciprocal %1 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %3 = onnx.Mul %2, %x : (tensor<?x5x1xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %3, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// A power instead of the root.
// CHECK-LABEL: func.func @rms_power
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf32>, %[[G:.+]]: tensor<8xf32>
// CHECK: %[[Y:.+]] = onnx.RMSNormalization %[[X]], %[[G]] {axis = 2 : i64, epsilon = 9.99999997E-7 : f32{{.*}}} : 
// CHECK-NEXT: return %[[Y]]
func.func @rms_power(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %minus = onnx.Constant dense<-0.5> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %2 = onnx.Pow %0, %minus : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %3 = onnx.Mul %x, %2 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %3, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// Half precision, widened for the mean.
// CHECK-LABEL: func.func @rms_half
// CHECK-SAME: %[[X:.+]]: tensor<?x5x8xf16>, %[[G:.+]]: tensor<8xf16>
// CHECK: %[[Y:.+]] = onnx.RMSNormalization %[[X]], %[[G]] {{.*}} : (tensor<?x5x8xf16>, tensor<8xf16>) -> tensor<?x5x8xf16>
// CHECK-NEXT: return %[[Y]]
func.func @rms_half(%x16: tensor<?x5x8xf16>, %g: tensor<8xf16>) -> tensor<?x5x8xf16> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %x = onnx.Cast %x16 {to = f32} : (tensor<?x5x8xf16>) -> tensor<?x5x8xf32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %x, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %3 = onnx.Cast %2 {to = f16} : (tensor<?x5x8xf32>) -> tensor<?x5x8xf16>
  %y = onnx.Mul %g, %3 : (tensor<8xf16>, tensor<?x5x8xf16>) -> tensor<?x5x8xf16>
  return %y : tensor<?x5x8xf16>
}
