// RUN: ds-opt %s --ds-raise-attention --split-input-file --remarks-filter-missed=ds-raise-attention --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: ds.attention

// A classifier's softmax is nothing that was missed.
func.func @classifier(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = onnx.Softmax %x {axis = -1 : i64} : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

func.func @axis(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{is no attention: its softmax is over axis 2, expected the last}}
  %2 = onnx.Softmax %0 {axis = 2 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

func.func @probabilities(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>) -> (tensor<?x2x?x16xf32>, tensor<?x2x?x?xf32>) {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{the probabilities have other uses}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3, %2 : tensor<?x2x?x16xf32>, tensor<?x2x?x?xf32>
}

// -----

func.func @scores(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>) -> (tensor<?x2x?x16xf32>, tensor<?x2x?x?xf32>) {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{the scores before its softmax have other uses}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3, %0 : tensor<?x2x?x16xf32>, tensor<?x2x?x?xf32>
}

// -----

func.func @mask_before_scale(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xf32>) -> tensor<?x2x?x16xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %a = onnx.Add %0, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32> loc("/mask/Add")
  %b = onnx.Mul %a, %half : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{is no attention: '/mask/Add' (Add) masks before the scale}}
  %2 = onnx.Softmax %b {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

func.func @rank(%q: tensor<?x?x16xf32>, %kt: tensor<?x16x?xf32>, %v: tensor<?x?x16xf32>) -> tensor<?x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x?x16xf32>, tensor<?x16x?xf32>) -> tensor<?x?x?xf32>
  // expected-remark @+1 {{heads are one dim with the batch in its result, and return does not split them}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x?x?xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %3 : tensor<?x?x16xf32>
}

// -----

// Grouped heads for the keys alone.
func.func @heads(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x1x16x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x1x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{key has 1 heads, value 2}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

func.func @key_heads(%q: tensor<?x1x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x1x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{query, key and value differ in dim 1}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// MatMul broadcasts the batch of the keys, attention does not.
func.func @batch(%q: tensor<?x2x?x16xf32>, %kt: tensor<1x2x16x?xf32>, %v: tensor<1x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<1x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{query, key and value differ in dim 0}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<1x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

func.func @wide_mask(%q: tensor<1x2x?x16xf32>, %kt: tensor<1x2x16x?xf32>, %v: tensor<1x2x?x16xf32>, %m: tensor<8x1x1x?xf32>) -> tensor<8x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<1x2x?x16xf32>, tensor<1x2x16x?xf32>) -> tensor<1x2x?x?xf32>
  %a = onnx.Add %0, %m : (tensor<1x2x?x?xf32>, tensor<8x1x1x?xf32>) -> tensor<8x2x?x?xf32>
  // expected-remark @+1 {{its mask broadcasts the scores}}
  %2 = onnx.Softmax %a {axis = -1 : i64} : (tensor<8x2x?x?xf32>) -> tensor<8x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<8x2x?x?xf32>, tensor<1x2x?x16xf32>) -> tensor<8x2x?x16xf32>
  return %3 : tensor<8x2x?x16xf32>
}

// -----

func.func @select_small(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-1.0e4> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Where %m, %0, %fill : (tensor<?x1x1x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{Where fills with -10000.000000, expected -inf or the least float}}
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// No product of query and key.
func.func @pooling(%s: tensor<?x2x?x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.Relu %s : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{no product of query and key leads to its softmax}}
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}

// -----

// The least f32 is no f16.
func.func @wide_fill(%q: tensor<?x2x?x16xf16>, %kt: tensor<?x2x16x?xf16>, %v: tensor<?x2x?x16xf16>, %c: tensor<?x?xi1>) -> tensor<?x2x?x16xf16> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf16>, tensor<?x2x16x?xf16>) -> tensor<?x2x?x?xf16>
  %1 = onnx.Cast %0 {to = f32} : (tensor<?x2x?x?xf16>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Where %c, %1, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{its mask has another element type than its query}}
  %3 = onnx.Softmax %2 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.Cast %3 {to = f16} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf16>
  %5 = onnx.MatMul %4, %v : (tensor<?x2x?x?xf16>, tensor<?x2x?x16xf16>) -> tensor<?x2x?x16xf16>
  return %5 : tensor<?x2x?x16xf16>
}

// -----

// Zeros instead of anything but what is no number.
func.func @other_guard(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x?xi1>) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{'/guard/Where' (Where) changes its weights}}
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Where %c, %zero, %1 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32> loc("/guard/Where")
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// A factor of each weight, as of each key, is none of heads.
func.func @key_weights(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<2x1x?xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{'/decay/Mul' (Mul) multiplies the weights by something else than one number for each head}}
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Mul %1, %w : (tensor<?x2x?x?xf32>, tensor<2x1x?xf32>) -> tensor<?x2x?x?xf32> loc("/decay/Mul")
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// Rows of all heads in one dim, whose masks are not split by head.
func.func @joined_mask(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x8x16xf32>, %m: tensor<4x8x8xf32>) -> tensor<2x2x8x16xf32> {
  %split = onnx.Constant dense<[2, 2, 8, 16]> : tensor<4xi64>
  %0 = onnx.MatMul %q, %kt : (tensor<4x8x16xf32>, tensor<4x16x8xf32>) -> tensor<4x8x8xf32>
  %1 = onnx.Add %0, %m : (tensor<4x8x8xf32>, tensor<4x8x8xf32>) -> tensor<4x8x8xf32> loc("/mask/Add")
  // expected-remark @+1 {{the mask of '/mask/Add' (Add) is of batch and heads in one dim}}
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %3 = onnx.MatMul %2, %v : (tensor<4x8x8xf32>, tensor<4x8x16xf32>) -> tensor<4x8x16xf32>
  %4 = onnx.Reshape %3, %split : (tensor<4x8x16xf32>, tensor<4xi64>) -> tensor<2x2x8x16xf32>
  return %4 : tensor<2x2x8x16xf32>
}

// -----

// Scores that are laid out anew.
func.func @reshaped_scores(%q: tensor<4x8x16xf32>, %kt: tensor<4x16x8xf32>, %v: tensor<4x4x16xf32>) -> tensor<2x2x16x16xf32> {
  %other = onnx.Constant dense<[4, 16, 4]> : tensor<3xi64>
  %split = onnx.Constant dense<[2, 2, 16, 16]> : tensor<4xi64>
  %0 = onnx.MatMul %q, %kt : (tensor<4x8x16xf32>, tensor<4x16x8xf32>) -> tensor<4x8x8xf32>
  %1 = onnx.Reshape %0, %other : (tensor<4x8x8xf32>, tensor<3xi64>) -> tensor<4x16x4xf32>
  // expected-remark @+1 {{heads are split differently in its query and its result}}
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<4x16x4xf32>) -> tensor<4x16x4xf32>
  %3 = onnx.MatMul %2, %v : (tensor<4x16x4xf32>, tensor<4x4x16xf32>) -> tensor<4x16x16xf32>
  %4 = onnx.Reshape %3, %split : (tensor<4x16x16xf32>, tensor<4xi64>) -> tensor<2x2x16x16xf32>
  return %4 : tensor<2x2x16x16xf32>
}

// -----

// The remark names the node.
func.func @named(%s: tensor<?x2x?x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  // expected-remark @unknown {{'/encoder/Softmax' is no attention}}
  %1 = onnx.Softmax %s {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32> loc("/encoder/Softmax")
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}
