// RUN: ds-opt %s --onnx-fold-masks --split-input-file | FileCheck %s

// Positions that are transposed, of another length, or not from 0 read other
// elements than those at their place.
// CHECK-LABEL: func.func @transposed
// CHECK: onnx.GatherND
func.func @transposed(%m: tensor<5x5xf32>) -> tensor<5x5xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %shape = onnx.Constant dense<[5, 5, 1]> : tensor<3xi64>
  %rowAxes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %columnAxes = onnx.Constant dense<[0, 2]> : tensor<2xi64>
  %p = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %row = onnx.Unsqueeze %p, %rowAxes : (tensor<5xi64>, tensor<2xi64>) -> tensor<5x1x1xi64>
  %column = onnx.Unsqueeze %p, %columnAxes : (tensor<5xi64>, tensor<2xi64>) -> tensor<1x5x1xi64>
  %i = onnx.Expand %row, %shape : (tensor<5x1x1xi64>, tensor<3xi64>) -> tensor<5x5x1xi64>
  %j = onnx.Expand %column, %shape : (tensor<1x5x1xi64>, tensor<3xi64>) -> tensor<5x5x1xi64>
  %ji = onnx.Concat %j, %i {axis = 2 : i64} : (tensor<5x5x1xi64>, tensor<5x5x1xi64>) -> tensor<5x5x2xi64>
  %read = onnx.GatherND %m, %ji : (tensor<5x5xf32>, tensor<5x5x2xi64>) -> tensor<5x5xf32>
  return %read : tensor<5x5xf32>
}

// -----

// CHECK-LABEL: func.func @shorter
// CHECK: onnx.GatherND
func.func @shorter(%m: tensor<?xf32>) -> tensor<5xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %p = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %i = onnx.Unsqueeze %p, %last : (tensor<5xi64>, tensor<1xi64>) -> tensor<5x1xi64>
  %tuples = onnx.Concat %i {axis = 1 : i64} : (tensor<5x1xi64>) -> tensor<5x1xi64>
  %read = onnx.GatherND %m, %tuples : (tensor<?xf32>, tensor<5x1xi64>) -> tensor<5xf32>
  return %read : tensor<5xf32>
}

// -----

// CHECK-LABEL: func.func @later
// CHECK: onnx.GatherND
func.func @later(%m: tensor<5xf32>) -> tensor<5xf32> {
  %one = onnx.Constant dense<1> : tensor<i64>
  %six = onnx.Constant dense<6> : tensor<i64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %p = onnx.Range %one, %six, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %i = onnx.Unsqueeze %p, %last : (tensor<5xi64>, tensor<1xi64>) -> tensor<5x1xi64>
  %tuples = onnx.Concat %i {axis = 1 : i64} : (tensor<5x1xi64>) -> tensor<5x1xi64>
  %read = onnx.GatherND %m, %tuples : (tensor<5xf32>, tensor<5x1xi64>) -> tensor<5xf32>
  return %read : tensor<5xf32>
}

// -----

// Position 0 is not greater than 0.
// CHECK-LABEL: func.func @strict
// CHECK: onnx.And
func.func @strict(%m: tensor<?xi1> {ds.symbols = ["s"]}) -> tensor<?xi1> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %s1 = onnx.Shape %m : (tensor<?xi1>) -> tensor<1xi64>
  %s = onnx.Squeeze %s1, %first : (tensor<1xi64>, tensor<1xi64>) -> tensor<i64>
  %p = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %c = onnx.Greater %p, %zero : (tensor<?xi64>, tensor<i64>) -> tensor<?xi1>
  %0 = onnx.And %c, %m : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return %0 : tensor<?xi1>
}
