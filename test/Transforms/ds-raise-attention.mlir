// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// BERT: the key is transposed along with its heads, the scores are divided, the
// mask is added.
// CHECK-LABEL: func.func @bert
// CHECK-SAME: %[[Q:.+]]: tensor<?x2x?x16xf32>, %[[K:.+]]: tensor<?x?x2x16xf32>, %[[V:.+]]: tensor<?x2x?x16xf32>, %[[M:.+]]: tensor<?x1x1x?xf32>
// CHECK-NEXT: %[[KH:.+]] = onnx.Transpose %[[K]] {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x16xf32>) -> tensor<?x2x?x16xf32>
// CHECK-NEXT: %[[O:.+]] = ds.attention %[[Q]], %[[KH]], %[[V]] bias %[[M]] {scale = 2.500000e-01 : f32}
// CHECK-NEXT: return %[[O]]
func.func @bert(%q: tensor<?x2x?x16xf32>, %k: tensor<?x?x2x16xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xf32>) -> tensor<?x2x?x16xf32> {
  %four = onnx.Constant dense<4.0> : tensor<f32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 2, 3, 1>} : (tensor<?x?x2x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Div %0, %four : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Add %1, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Softmax %2 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.MatMul %3, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %4 : tensor<?x2x?x16xf32>
}

// -----

// The scale on query and key, the second transpose on its own, no mask; query,
// key and value from one product.
// CHECK-LABEL: func.func @fused_qkv
// CHECK: %[[S:.+]]:3 = onnx.Split
// CHECK-NEXT: ds.attention %[[S]]#0, %[[S]]#1, %[[S]]#2 {scale = 2.500000e-01 : f32}
func.func @fused_qkv(%x: tensor<?x6x?x16xf32>) -> tensor<?x2x?x16xf32> {
  %none = onnx.NoValue
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %s:3 = onnx.Split %x, %none {axis = 1 : i64, num_outputs = 3 : i64} : (tensor<?x6x?x16xf32>, none) -> (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>)
  %q = onnx.Mul %s#0, %half : (tensor<?x2x?x16xf32>, tensor<f32>) -> tensor<?x2x?x16xf32>
  %kt = onnx.Transpose %s#1 {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %k = onnx.Mul %kt, %half : (tensor<?x2x16x?xf32>, tensor<f32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %k : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Softmax %0 {axis = 3 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.MatMul %1, %s#2 : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %2 : tensor<?x2x?x16xf32>
}

// -----

// Selecting against -inf is a bool mask.
// CHECK-LABEL: func.func @select_infinity
// CHECK-SAME: %[[M:[^:]+]]: tensor<?x1x1x?xi1>
// CHECK: ds.attention {{.*}} bias %[[M]] {{.*}}tensor<?x1x1x?xi1>
func.func @select_infinity(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Where %m, %0, %fill : (tensor<?x1x1x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// Against the least float it is an added one: a row that is masked everywhere
// must stay an average.
// CHECK-LABEL: func.func @select_least
// CHECK-SAME: %[[M:[^:]+]]: tensor<?x1x1x?xi1>
// CHECK-DAG: %[[LEAST:.+]] = onnx.Constant dense<-3.40282347E+38>
// CHECK-DAG: %[[ZERO:.+]] = onnx.Constant dense<0.000000e+00>
// CHECK: %[[B:.+]] = onnx.Where %[[M]], %[[ZERO]], %[[LEAST]] : {{.*}} -> tensor<?x1x1x?xf32>
// CHECK: ds.attention {{.*}} bias %[[B]]
func.func @select_least(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %m: tensor<?x1x1x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Where %m, %0, %fill : (tensor<?x1x1x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// torch's dynamo exporter transposes keys with batch and heads in one dim.
// CHECK-LABEL: func.func @joined_transpose
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x2x?x16xf32> {{.*}}, %[[K:[^:]+]]: tensor<?x2x?x16xf32>
// CHECK: ds.attention %[[Q]], %[[K]], %[[K]] {scale = 2.500000e-01 : f32}
func.func @joined_transpose(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "s", ""]}) -> tensor<?x2x?x16xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %rest = onnx.Constant dense<-1> : tensor<1xi64>
  %shape = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %none = onnx.NoValue
  %heads = onnx.Slice %shape, %zero, %two, %none, %none : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<2xi64>
  %rows = onnx.Slice %shape, %two, %three, %none, %none : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<1xi64>
  %columns = onnx.Slice %shape, %three, %four, %none, %none : (tensor<4xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<1xi64>
  %joined = onnx.Concat %rest, %rows, %columns {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %0 = onnx.Reshape %k, %joined : (tensor<?x2x?x16xf32>, tensor<3xi64>) -> tensor<?x?x16xf32>
  %1 = onnx.Transpose %0 {perm = array<i64: 0, 2, 1>} : (tensor<?x?x16xf32>) -> tensor<?x16x?xf32>
  %split = onnx.Concat %heads, %columns, %rows {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %2 = onnx.Reshape %1, %split : (tensor<?x16x?xf32>, tensor<4xi64>) -> tensor<?x2x16x?xf32>
  %3 = onnx.Mul %q, %half : (tensor<?x2x?x16xf32>, tensor<f32>) -> tensor<?x2x?x16xf32>
  %4 = onnx.Mul %2, %half : (tensor<?x2x16x?xf32>, tensor<f32>) -> tensor<?x2x16x?xf32>
  %5 = onnx.MatMul %3, %4 : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %6 = onnx.Softmax %5 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %7 = onnx.MatMul %6, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %7 : tensor<?x2x?x16xf32>
}
