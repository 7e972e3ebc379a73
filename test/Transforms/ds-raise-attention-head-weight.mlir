// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// BERT: a mask of heads, on the weights.
// CHECK-LABEL: func.func @weights
// CHECK-SAME: %[[W:[^:]+]]: tensor<1x2x1x1xf32>
// CHECK: %[[H:.+]] = onnx.Squeeze %[[W]], %{{.+}} -> tensor<2xf32>
// CHECK: %[[O:.+]] = ds.attention {{.*}} head_weight %[[H]]
// CHECK-NEXT: return %[[O]]
func.func @weights(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<1x2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Mul %1, %w : (tensor<?x2x?x?xf32>, tensor<1x2x1x1xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// A factor of the result, without a batch.
// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[W:[^:]+]]: tensor<2x1x1xf32>
// CHECK: %[[H:.+]] = onnx.Squeeze %[[W]], %{{.+}} -> tensor<2xf32>
// CHECK: %[[O:.+]] = ds.attention {{.*}} head_weight %[[H]]
// CHECK-NEXT: return %[[O]]
func.func @heads(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Mul %2, %w : (tensor<?x2x?x16xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// One for each sequence.
// CHECK-LABEL: func.func @batches
// CHECK-SAME: %[[W:[^:]+]]: tensor<?x2x1x1xf32>
// CHECK: %[[H:.+]] = onnx.Squeeze %[[W]], %{{.+}} -> tensor<?x2xf32>
// CHECK: ds.attention {{.*}} head_weight %[[H]]
// CHECK-NOT: onnx.Mul
func.func @batches(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<?x2x1x1xf32> {ds.symbols = ["b", "", "", ""]}) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Mul %2, %w : (tensor<?x2x?x16xf32>, tensor<?x2x1x1xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// One for each row.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[W:[^:]+]]: tensor<?x2x?x1xf32>
// CHECK: %[[H:.+]] = onnx.Squeeze %[[W]], %{{.+}} -> tensor<?x2x?xf32>
// CHECK: ds.attention {{.*}} head_weight %[[H]]
// CHECK-NOT: onnx.Mul
func.func @rows(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<?x2x?x1xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Mul %2, %w : (tensor<?x2x?x16xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// After the heads are joined again, and known later than the result.
// CHECK-LABEL: func.func @transposed
// CHECK-SAME: %[[W:[^:]+]]: tensor<?x?x2x1xf32>
// CHECK: %[[G:.+]] = onnx.Sigmoid %[[W]]
// CHECK: %[[S:.+]] = onnx.Squeeze %[[G]], %{{.+}} -> tensor<?x?x2xf32>
// CHECK: %[[H:.+]] = onnx.Transpose %[[S]] {perm = array<i64: 0, 2, 1>}
// CHECK: %[[O:.+]] = ds.attention {{.*}} head_weight %[[H]]
// CHECK-NEXT: %[[T:.+]] = onnx.Transpose %[[O]] {perm = array<i64: 0, 2, 1, 3>}
// CHECK-NEXT: return %[[T]]
func.func @transposed(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<?x?x2x1xf32> {ds.symbols = ["b", "t", "", ""]}) -> tensor<?x?x2x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Transpose %2 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x16xf32>) -> tensor<?x?x2x16xf32>
  %gate = onnx.Sigmoid %w : (tensor<?x?x2x1xf32>) -> tensor<?x?x2x1xf32>
  %4 = onnx.Mul %gate, %3 : (tensor<?x?x2x1xf32>, tensor<?x?x2x16xf32>) -> tensor<?x?x2x16xf32>
  return %4 : tensor<?x?x2x16xf32>
}

// -----

// Of what may be a batch of 1 or not: it stays.
// CHECK-LABEL: func.func @other_batch
// CHECK: %[[O:.+]] = ds.attention %{{[^:]*}} {scale
// CHECK: onnx.Mul %[[O]]
func.func @other_batch(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<?x2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Mul %2, %w : (tensor<?x2x?x16xf32>, tensor<?x2x1x1xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// A factor of each element of a row stays.
// CHECK-LABEL: func.func @elements
// CHECK: %[[O:.+]] = ds.attention %{{[^:]*}} {scale
// CHECK: onnx.Mul %[[O]]
func.func @elements(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<2x1x16xf32>) -> tensor<?x2x?x16xf32> {
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %3 = onnx.Mul %2, %w : (tensor<?x2x?x16xf32>, tensor<2x1x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// Of an attention that is an op, known later than the result.
// CHECK-LABEL: func.func @op
// CHECK-SAME: %[[W:[^:]+]]: tensor<2x1x1xf32>
// CHECK: %[[G:.+]] = onnx.Sigmoid %[[W]]
// CHECK: %[[H:.+]] = onnx.Squeeze %[[G]], %{{.+}} -> tensor<2xf32>
// CHECK: %[[O:.+]] = ds.attention {{.*}} head_weight %[[H]]
// CHECK-NEXT: return %[[O]]
func.func @op(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.25 : f32} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %gate = onnx.Sigmoid %w : (tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %1 = onnx.Mul %gate, %0 : (tensor<2x1x1xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %1 : tensor<?x2x?x16xf32>
}

// -----

// A second weight stays.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: %[[W:[^:]+]]: tensor<2x1x1xf32>
// CHECK: %[[O:.+]] = ds.attention {{.*}} head_weight
// CHECK: onnx.Mul %[[O]], %[[W]]
func.func @twice(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32>, %v: tensor<?x2x?x16xf32>, %w: tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.25 : f32} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %1 = onnx.Mul %0, %w : (tensor<?x2x?x16xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32>
  %2 = onnx.Mul %1, %w : (tensor<?x2x?x16xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}
