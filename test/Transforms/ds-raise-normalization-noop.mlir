// RUN: ds-opt %s --ds-raise-normalization --split-input-file --remarks-filter-missed=ds-raise-normalization --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: onnx.{{.*}}Normalization

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

// -----

// Another tensor is divided.
func.func @rms_other(%x: tensor<?x5x8xf32>, %z: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{is no part of a normalization: it does not divide what is squared, or has other uses}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %z, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// By the root, not by its reciprocal.
func.func @rms_multiplied(%x: tensor<?x5x8xf32>, %z: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{it does not divide what is squared, or has other uses}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Mul %x, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// The reciprocal of the reciprocal.
func.func @rms_twice(%x: tensor<?x5x8xf32>, %z: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{it does not divide what is squared, or has other uses}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %2 = onnx.Div %one, %1 : (tensor<f32>, tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %3 = onnx.Div %x, %2 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %3, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// No scale.
func.func @rms_no_scale(%x: tensor<?x5x8xf32>, %z: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x5x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x5x1xf32>, tensor<f32>) -> tensor<?x5x1xf32>
  // expected-remark @+1 {{no scale of the normalized shape multiplies the quotient}}
  %1 = onnx.Sqrt %0 : (tensor<?x5x1xf32>) -> tensor<?x5x1xf32>
  %y = onnx.Div %x, %1 : (tensor<?x5x8xf32>, tensor<?x5x1xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// Over a dim in the middle.
func.func @rms_middle(%x: tensor<?x5x8xf32>, %z: tensor<?x5x8xf32>, %g: tensor<8xf32>) -> tensor<?x5x8xf32> {
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-6> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %s = onnx.Pow %x, %two : (tensor<?x5x8xf32>, tensor<f32>) -> tensor<?x5x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<?x5x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  %0 = onnx.Add %v, %eps : (tensor<?x1x8xf32>, tensor<f32>) -> tensor<?x1x8xf32>
  // expected-remark @+1 {{the mean of squares is not over the last axes, kept}}
  %1 = onnx.Sqrt %0 : (tensor<?x1x8xf32>) -> tensor<?x1x8xf32>
  %2 = onnx.Div %x, %1 : (tensor<?x5x8xf32>, tensor<?x1x8xf32>) -> tensor<?x5x8xf32>
  %y = onnx.Mul %2, %g : (tensor<?x5x8xf32>, tensor<8xf32>) -> tensor<?x5x8xf32>
  return %y : tensor<?x5x8xf32>
}

// -----

// An epsilon of more dims gives the result more.
func.func @wide_epsilon(%x: tensor<2x4x8xf32>, %g: tensor<8xf32>) -> tensor<1x2x4x8xf32> {
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %eps = onnx.Constant dense<1.0e-6> : tensor<1x1x1x1xf32>
  %s = onnx.Mul %x, %x : (tensor<2x4x8xf32>, tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %v = onnx.ReduceMean %s, %axes : (tensor<2x4x8xf32>, tensor<1xi64>) -> tensor<2x4x1xf32>
  %0 = onnx.Add %v, %eps : (tensor<2x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x4x1xf32>
  // expected-remark @+1 {{its constants broadcast what is normalized}}
  %1 = onnx.Sqrt %0 : (tensor<1x2x4x1xf32>) -> tensor<1x2x4x1xf32>
  %2 = onnx.Div %x, %1 : (tensor<2x4x8xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x8xf32>
  %3 = onnx.Mul %2, %g : (tensor<1x2x4x8xf32>, tensor<8xf32>) -> tensor<1x2x4x8xf32>
  return %3 : tensor<1x2x4x8xf32>
}
