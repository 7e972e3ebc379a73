// RUN: ds-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @reshape_count(%x: tensor<2x3xf32>) -> tensor<4x2xf32> {
  %s = onnx.Constant dense<[4, 2]> : tensor<2xi64>
  // expected-error @+1 {{cannot give 6 elements the shape [4, 2]}}
  %r = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x2xf32>
  return %r : tensor<4x2xf32>
}

// -----

func.func @reshape_two_rests(%x: tensor<2x3xf32>) -> tensor<?x?xf32> {
  %s = onnx.Constant dense<[-1, -1]> : tensor<2xi64>
  // expected-error @+1 {{more than one element of its shape is -1}}
  %r = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @reshape_zero_and_rest(%x: tensor<2x0xf32>) -> tensor<?x?xf32> {
  %s = onnx.Constant dense<[0, -1]> : tensor<2xi64>
  // expected-error @+1 {{its shape has a 0 and a -1, of which allowzero lets only one be}}
  %r = onnx.Reshape %x, %s {allowzero = 1 : i64} : (tensor<2x0xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @reshape_rank(%x: tensor<2x3xf32>, %s: tensor<?xi64>) -> tensor<?x?xf32> {
  // expected-error @+1 {{the length of operand 'shape' must be known at compile time}}
  %r = onnx.Reshape %x, %s : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @squeeze_unknown(%x: tensor<?x3xf32>) -> tensor<?xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{without axes its rank depends on dim 0, which is only known at run time}}
  %r = onnx.Squeeze %x, %none : (tensor<?x3xf32>, none) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @concat(%x: tensor<2x3xf32>, %y: tensor<3x3xf32>) -> tensor<2x6xf32> {
  // expected-error @+1 {{its operands differ in dim 0: 2 and 3}}
  %r = onnx.Concat %x, %y {axis = 1 : i64} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x6xf32>
  return %r : tensor<2x6xf32>
}

// -----

func.func @slice_step(%x: tensor<4xf32>) -> tensor<?xf32> {
  %c = onnx.Constant dense<0> : tensor<1xi64>
  // expected-error @+1 {{the step of axis 0 is 0}}
  %r = onnx.Slice %x, %c, %c, %c, %c : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @split_sum(%x: tensor<4xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %s = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  // expected-error @+1 {{its sizes add up to 3 but the dim is 4}}
  %r:2 = onnx.Split %x, %s : (tensor<4xf32>, tensor<2xi64>) -> (tensor<?xf32>, tensor<?xf32>)
  return %r#0, %r#1 : tensor<?xf32>, tensor<?xf32>
}

// -----

func.func @expand(%x: tensor<3xf32>) -> tensor<?xf32> {
  %s = onnx.Constant dense<4> : tensor<1xi64>
  // expected-error @+1 {{a tensor of shape [3] does not broadcast to [4]}}
  %r = onnx.Expand %x, %s : (tensor<3xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @pad_mode(%x: tensor<3xf32>) -> tensor<?xf32> {
  %s = onnx.Constant dense<1> : tensor<2xi64>
  %none = onnx.NoValue
  // expected-error @+1 {{mode 'mirror' is none of constant, edge, reflect and wrap}}
  %r = onnx.Pad %x, %s, %none, %none {mode = "mirror"} : (tensor<3xf32>, tensor<2xi64>, none, none) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @axis(%x: tensor<3xf32>, %i: tensor<2xi64>) -> tensor<?xf32> {
  // expected-error @+1 {{axis 1 is outside [-1, 1)}}
  %r = onnx.Gather %x, %i {axis = 1 : i64} : (tensor<3xf32>, tensor<2xi64>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @range(%n: tensor<3xf32>, %i: tensor<i64>, %b: tensor<f32>, %d: tensor<f32>) -> tensor<?xf32> {
  %a = onnx.Gather %n, %i : (tensor<3xf32>, tensor<i64>) -> tensor<f32>
  // expected-error @+1 {{its float operands are neither constants nor graph inputs}}
  %r = onnx.Range %a, %b, %d : (tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

func.func @conv_channels(%x: tensor<1x3x8xf32>, %w: tensor<4x2x3xf32>) -> tensor<1x4x6xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{has 3 channels for 1 groups of 2}}
  %r = onnx.Conv %x, %w, %none : (tensor<1x3x8xf32>, tensor<4x2x3xf32>, none) -> tensor<1x4x6xf32>
  return %r : tensor<1x4x6xf32>
}

// -----

func.func @resize_antialias(%x: tensor<4xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  %s = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error @+1 {{C2: expected antialias 0, found 1}}
  %r = onnx.Resize %x, %none, %none, %s {mode = "linear", antialias = 1 : i64} : (tensor<4xf32>, none, none, tensor<1xi64>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
