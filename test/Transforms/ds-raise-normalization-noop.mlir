// RUN: ds-opt %s --ds-raise-normalization --split-input-file --remarks-filter-missed=ds-raise-normalization --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: onnx.LayerNormalization

func.func @no_scale(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %s = onnx.Pow %d, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{is no part of a layer normalization: no scale of the normalized shape multiplies the quotient}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %d, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  return %2 : tensor<?x5x8xf32>
}

// -----

// Over the first axis.
func.func @first_axis(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %m = onnx.ReduceMean %x, %first : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<1x5x8xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x8xf32>, tensor<1x5x8xf32>) -> tensor<?x5x8xf32>
  %s = onnx.Pow %d, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %first : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<1x5x8xf32>
  %0 = onnx.Add %v, %eps : (tensor<1x5x8xf32>, tensor<f32>) -> tensor<1x5x8xf32>
  // expected-remark @+1 {{mean and variance are not both over the last axes, kept}}
  %1 = onnx.Sqrt %0 : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %2 = onnx.Div %d, %1 : (tensor<?x5x8xf32>, tensor<1x5x8xf32>) -> tensor<?x5x8xf32>
  %3 = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  %4 = onnx.Add %b, %3 : (tensor<8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %4 : tensor<?x5x8xf32>
}

// -----

// x itself is divided.
func.func @not_centred(%x: tensor<?x5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %s = onnx.Pow %d, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{it does not divide the distance from the mean}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %x, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %3 = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  %4 = onnx.Add %b, %3 : (tensor<8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %4 : tensor<?x5x8xf32>
}

// -----

func.func @dynamic(%x: tensor<?x5x?xf32>, %g: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?x5x?xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-12> : tensor<f32>
  %m = onnx.ReduceMean %x, %axes : (tensor<?x5x?xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %d = onnx.Sub %x, %m : (tensor<?x5x?xf32>, tensor<?x5x1xf32>) -> tensor<?x5x?xf32>
  %s = onnx.Pow %d, %two : (tensor<?x5x?xf32>, tensor<f32>) -> tensor<?x5x?xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x?xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{a normalized dim is dynamic}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %d, %1 : (tensor<?x5x?xf32>, tensor<?x5x1xf32>) -> tensor<?x5x?xf32>
  %3 = onnx.Mul %2, %g : (tensor<?x5x?xf32>, tensor<?xf32>) -> tensor<?x5x?xf32>
  %4 = onnx.Add %b, %3 : (tensor<?xf32>, tensor<?x5x?xf32>) -> tensor<?x5x?xf32>
  return %4 : tensor<?x5x?xf32>
}

// -----

// Nothing of a normalization.
func.func @root(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = onnx.Sqrt %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
