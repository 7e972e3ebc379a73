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

func.func @two_masks(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xf32>, %n: tensor<?x?xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %a = onnx.Add %0, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %b = onnx.Add %a, %n : (tensor<?x2x?x?xf32>, tensor<?x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{more than one mask, or a mask before the scale}}
  %2 = onnx.Softmax %b {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

func.func @rank(%q: tensor<?x?x16xf32>, %kt: tensor<?x16x?xf32>, %v: tensor<?x?x16xf32>) -> tensor<?x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x?x16xf32>, tensor<?x16x?xf32>) -> tensor<?x?x?xf32>
  // expected-remark @+1 {{query has rank 3, expected 4}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x?x?xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  return %3 : tensor<?x?x16xf32>
}

// -----

func.func @heads(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x1x16x?xf32>, %v: tensor<?x1x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x1x16x?xf32>) -> tensor<?x2x?x?xf32>
  // expected-remark @+1 {{query, key and value differ in dim 1}}
  %2 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x1x?x16xf32>) -> tensor<?x2x?x16xf32>
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
  // expected-remark @+1 {{its mask fills with -10000.000000, expected -inf or the least float}}
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

// The remark names the node.
func.func @named(%s: tensor<?x2x?x?xf32>, %v: tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32> {
  // expected-remark @unknown {{'/encoder/Softmax' is no attention}}
  %1 = onnx.Softmax %s {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32> loc("/encoder/Softmax")
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}
