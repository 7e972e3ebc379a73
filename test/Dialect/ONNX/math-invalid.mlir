// RUN: ds-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @broadcast(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{the shapes of its operands do not broadcast: [2] [3]}}
  %0 = onnx.Add %x, %y : (tensor<2xf32>, tensor<3xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @elements(%x: tensor<2xf32>, %y: tensor<2xf64>) -> tensor<2xf32> {
  // expected-error @+1 {{expected one element type, found 'f32' and, as operand 1, 'f64'}}
  %0 = onnx.Mul %x, %y : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @pow(%x: tensor<2xi32>, %y: tensor<2xui64>) -> tensor<2xi32> {
  // expected-error @+1 {{C1: an integer base with an exponent of type ui64 is not supported}}
  %0 = onnx.Pow %x, %y : (tensor<2xi32>, tensor<2xui64>) -> tensor<2xi32>
  return %0 : tensor<2xi32>
}

// -----

func.func @clip(%x: tensor<2xf32>, %low: tensor<2xf32>) -> tensor<?xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C1: expected operand 'min' to be a scalar, found 'tensor<2xf32>'}}
  %0 = onnx.Clip %x, %low, %none : (tensor<2xf32>, tensor<2xf32>, none) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @contracted(%x: tensor<2x3xf32>, %y: tensor<4x2xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{the contracted dims differ: 3 and 4}}
  %0 = onnx.MatMul %x, %y : (tensor<2x3xf32>, tensor<4x2xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @gemm_rank(%x: tensor<3xf32>, %y: tensor<3x2xf32>) -> tensor<?x?xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C1: expected A and B of rank 2 and C of at most 2}}
  %0 = onnx.Gemm %x, %y, %none : (tensor<3xf32>, tensor<3x2xf32>, none) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @gemm_alpha(%x: tensor<1x3xi32>, %y: tensor<3x2xi32>) -> tensor<?x?xi32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: integer operands need integer alpha and beta}}
  %0 = onnx.Gemm %x, %y, %none {alpha = 0.5 : f32} : (tensor<1x3xi32>, tensor<3x2xi32>, none) -> tensor<?x?xi32>
  return %0 : tensor<?x?xi32>
}

// -----

func.func @gemm_bias(%x: tensor<1x3xf32>, %y: tensor<3x2xf32>, %c: tensor<4x2xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{operand 'c' of shape [4, 2] does not broadcast to [1, 2]}}
  %0 = onnx.Gemm %x, %y, %c : (tensor<1x3xf32>, tensor<3x2xf32>, tensor<4x2xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @shift(%x: tensor<2xui8>) -> tensor<2xui8> {
  // expected-error @+1 {{C1: expected direction "LEFT" or "RIGHT", found "UP"}}
  %0 = onnx.BitShift %x, %x {direction = "UP"} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return %0 : tensor<2xui8>
}

// -----

func.func @where(%c: tensor<2xi1>, %x: tensor<2xf32>, %y: tensor<2xi32>) -> tensor<2xf32> {
  // expected-error @+1 {{expected one element type of x, y and the result, found 'f32', 'i32' and 'f32'}}
  %0 = onnx.Where %c, %x, %y : (tensor<2xi1>, tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @axes(%x: tensor<2xf32>, %axes: tensor<1xi64>) -> tensor<?xf32> {
  // expected-error @+1 {{operand 'axes' must be a constant, found a run-time value}}
  %0 = onnx.ReduceSum %x, %axes : (tensor<2xf32>, tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @axis(%x: tensor<2xf32>) -> tensor<?xi64> {
  // expected-error @+1 {{axis 1 is outside [-1, 1)}}
  %0 = onnx.ArgMax %x {axis = 1 : i64} : (tensor<2xf32>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

func.func @no_elements(%x: tensor<2x0xf32>) -> tensor<?x?xi64> {
  // expected-error @+1 {{C1: axis -1 has no elements}}
  %0 = onnx.ArgMax %x {axis = -1 : i64} : (tensor<2x0xf32>) -> tensor<?x?xi64>
  return %0 : tensor<?x?xi64>
}

// -----

func.func @top_axis(%x: tensor<2xf32>, %k: tensor<1xi64>) -> (tensor<?xf32>, tensor<?xi64>) {
  // expected-error @+1 {{axis 1}}
  %0:2 = onnx.TopK %x, %k {axis = 1 : i64} : (tensor<2xf32>, tensor<1xi64>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xi64>
}

// -----

func.func @top_too_many(%x: tensor<2xf32>) -> (tensor<?xf32>, tensor<?xi64>) {
  %k = onnx.Constant dense<3> : tensor<1xi64>
  // expected-error @+1 {{C2: expected k from 0 to the elements of the axis in 'tensor<2xf32>', found 3}}
  %0:2 = onnx.TopK %x, %k : (tensor<2xf32>, tensor<1xi64>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xi64>
}

// -----

func.func @top_two(%x: tensor<2xf32>, %k: tensor<2xi64>) -> (tensor<?xf32>, tensor<?xi64>) {
  // expected-error @+1 {{C2: expected k of one element, found 'tensor<2xi64>'}}
  %0:2 = onnx.TopK %x, %k : (tensor<2xf32>, tensor<2xi64>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xi64>
}

// -----

func.func @gelu(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{C1: expected approximate "none" or "tanh", found "sigmoid"}}
  %0 = onnx.Gelu %x {approximate = "sigmoid"} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @slope(%x: tensor<2xf32>, %s: tensor<2x2xf32>) -> tensor<?xf32> {
  // expected-error @+1 {{operand 'slope' of shape [2, 2] does not broadcast to [2]}}
  %0 = onnx.PRelu %x, %s : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @stash(%x: tensor<2x4xf32>, %s: tensor<4xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{expected stash_type 1 (f32), found 10}}
  %0 = onnx.RMSNormalization %x, %s {stash_type = 10 : i64} : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @scale(%x: tensor<2x4xf32>, %s: tensor<4xf16>) -> tensor<?x?xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C3: expected scale and bias of element type 'f32'}}
  %0:3 = onnx.LayerNormalization %x, %s, %none : (tensor<2x4xf32>, tensor<4xf16>, none) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
  return %0#0 : tensor<?x?xf32>
}

// -----

func.func @channels(%x: tensor<2x4xf32>, %s: tensor<3xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{C1: expected one value per channel of 'tensor<2x4xf32>', found 'tensor<3xf32>'}}
  %0 = onnx.InstanceNormalization %x, %s, %s : (tensor<2x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @groups(%x: tensor<2x4xf32>, %s: tensor<4xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{C2: 4 channels do not form 3 groups}}
  %0 = onnx.GroupNormalization %x, %s, %s {num_groups = 3 : i64} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @training(%x: tensor<2x4xf32>, %s: tensor<4xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{C2: training is not supported}}
  %0 = onnx.BatchNormalization %x, %s, %s, %s, %s {training_mode = 1 : i64} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Bytes wrap, which index arithmetic does not follow.
func.func @bytes(%x: tensor<1xi8>) -> tensor<?xi8> {
  %a = onnx.Constant dense<200> : tensor<1xui8>
  %sum = onnx.Add %a, %a : (tensor<1xui8>, tensor<1xui8>) -> tensor<1xui8>
  %shape = onnx.Cast %sum {to = i64} : (tensor<1xui8>) -> tensor<1xi64>
  // expected-error @+1 {{operand 'shape' is neither a constant, a graph input nor computed from shapes by integer arithmetic}}
  %0 = onnx.Expand %x, %shape : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  return %0 : tensor<?xi8>
}
