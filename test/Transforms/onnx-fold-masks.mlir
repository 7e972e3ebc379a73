// RUN: ds-opt %s --onnx-fold-masks --split-input-file | FileCheck %s

// transformers: a mask of [B, S] read at the positions of [B, 1, 1, S], where
// queries at or after 0, all of them, see it.
// CHECK-LABEL: func.func @positions
// CHECK-SAME: %[[M:[^:]+]]: tensor<?x?xi1>
// CHECK-DAG: %[[AXES:.+]] = onnx.Constant dense<[1, 2]> : tensor<2xi64>
// CHECK: %[[V:.+]] = onnx.Unsqueeze %[[M]], %[[AXES]] : {{.*}} -> tensor<?x1x1x?xi1>
// CHECK: %[[W:.+]] = onnx.Where %[[V]], {{.*}} -> tensor<?x1x1x?xf32>
// CHECK: %[[E:.+]] = onnx.Expand %[[W]], {{.*}} -> tensor<?x1x?x?xf32>
// CHECK: return %[[E]]
func.func @positions(%m: tensor<?x?xi1> {ds.symbols = ["b", "s"]}) -> tensor<?x1x?x?xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %true = onnx.Constant dense<true> : tensor<i1>
  %none = onnx.Constant dense<0.0> : tensor<f32>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %batchAxes = onnx.Constant dense<[1, 2, 3]> : tensor<3xi64>
  %rowAxes = onnx.Constant dense<[0, 1, 3]> : tensor<3xi64>
  %columnAxes = onnx.Constant dense<[0, 1, 2]> : tensor<3xi64>
  %b1 = onnx.Shape %m {start = 0 : i64, end = 1 : i64} : (tensor<?x?xi1>) -> tensor<1xi64>
  %b = onnx.Squeeze %b1, %first : (tensor<1xi64>, tensor<1xi64>) -> tensor<i64>
  %s1 = onnx.Shape %m {start = 1 : i64, end = 2 : i64} : (tensor<?x?xi1>) -> tensor<1xi64>
  %s = onnx.Squeeze %s1, %first : (tensor<1xi64>, tensor<1xi64>) -> tensor<i64>
  %batches = onnx.Range %zero, %b, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %positions = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %batch = onnx.Unsqueeze %batches, %batchAxes : (tensor<?xi64>, tensor<3xi64>) -> tensor<?x1x1x1xi64>
  %row = onnx.Unsqueeze %positions, %rowAxes : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x?x1xi64>
  %column = onnx.Unsqueeze %positions, %columnAxes : (tensor<?xi64>, tensor<3xi64>) -> tensor<1x1x1x?xi64>
  %ge = onnx.GreaterOrEqual %row, %zero : (tensor<1x1x?x1xi64>, tensor<i64>) -> tensor<1x1x?x1xi1>
  %always = onnx.And %true, %ge : (tensor<i1>, tensor<1x1x?x1xi1>) -> tensor<1x1x?x1xi1>
  %both = onnx.Max %batch, %column : (tensor<?x1x1x1xi64>, tensor<1x1x1x?xi64>) -> tensor<?x1x1x?xi64>
  %shape = onnx.Shape %both : (tensor<?x1x1x?xi64>) -> tensor<4xi64>
  %i = onnx.Expand %batch, %shape : (tensor<?x1x1x1xi64>, tensor<4xi64>) -> tensor<?x1x1x?xi64>
  %i1 = onnx.Unsqueeze %i, %last : (tensor<?x1x1x?xi64>, tensor<1xi64>) -> tensor<?x1x1x?x1xi64>
  %j = onnx.Expand %column, %shape : (tensor<1x1x1x?xi64>, tensor<4xi64>) -> tensor<?x1x1x?xi64>
  %j1 = onnx.Unsqueeze %j, %last : (tensor<?x1x1x?xi64>, tensor<1xi64>) -> tensor<?x1x1x?x1xi64>
  %ij = onnx.Concat %i1, %j1 {axis = -1 : i64} : (tensor<?x1x1x?x1xi64>, tensor<?x1x1x?x1xi64>) -> tensor<?x1x1x?x2xi64>
  %read = onnx.GatherND %m, %ij : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
  %mask = onnx.And %always, %read : (tensor<1x1x?x1xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %bias = onnx.Where %mask, %none, %least : (tensor<?x1x?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x?x?xf32>
  return %bias : tensor<?x1x?x?xf32>
}

// -----

// Dims of a result that no tuple names are broadcast.
// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: %[[M:[^:]+]]: tensor<5xf32>
// CHECK: %[[V:.+]] = onnx.Unsqueeze %[[M]], {{.*}} -> tensor<1x5xf32>
// CHECK: %[[E:.+]] = onnx.Expand %[[V]], {{.*}} -> tensor<3x5xf32>
// CHECK: return %[[E]]
func.func @broadcast(%m: tensor<5xf32>) -> tensor<3x5xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %shape = onnx.Constant dense<[3, 5, 1]> : tensor<3xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %positions = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %column = onnx.Unsqueeze %positions, %last : (tensor<5xi64>, tensor<1xi64>) -> tensor<5x1xi64>
  %i = onnx.Expand %column, %shape : (tensor<5x1xi64>, tensor<3xi64>) -> tensor<3x5x1xi64>
  %tuples = onnx.Concat %i {axis = 2 : i64} : (tensor<3x5x1xi64>) -> tensor<3x5x1xi64>
  %read = onnx.GatherND %m, %tuples : (tensor<5xf32>, tensor<3x5x1xi64>) -> tensor<3x5xf32>
  return %read : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: func.func @or
// CHECK-SAME: %[[M:[^:]+]]: tensor<?x?xi1>
// CHECK: return %[[M]]
func.func @or(%m: tensor<?x?xi1>) -> tensor<?x?xi1> {
  %false = onnx.Constant dense<false> : tensor<i1>
  %0 = onnx.Or %m, %false : (tensor<?x?xi1>, tensor<i1>) -> tensor<?x?xi1>
  return %0 : tensor<?x?xi1>
}
