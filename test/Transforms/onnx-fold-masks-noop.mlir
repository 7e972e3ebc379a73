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

// -----

// 0.1 + 0.2 is 0.3 in f32, and is not in f64.
// CHECK-LABEL: func.func @rounded
// CHECK: onnx.Or
func.func @rounded(%m: tensor<?xi1>, %n: tensor<1xi64>) -> tensor<?xi1> {
  %b = onnx.Constant dense<2.000000e-01> : tensor<f32>
  %c = onnx.Constant dense<3.000000e-01> : tensor<f32>
  %a = onnx.ConstantOfShape %n {value = dense<1.000000e-01> : tensor<1xf32>} : (tensor<1xi64>) -> tensor<?xf32>
  %s = onnx.Add %a, %b : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
  %e = onnx.Equal %s, %c : (tensor<?xf32>, tensor<f32>) -> tensor<?xi1>
  %o = onnx.Or %m, %e : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return %o : tensor<?xi1>
}

// -----

// Sums of bytes wrap.
// CHECK-LABEL: func.func @wraps
// CHECK: onnx.And
func.func @wraps(%m: tensor<?xi1>, %n: tensor<1xi64>) -> tensor<?xi1> {
  %b = onnx.Constant dense<100> : tensor<i8>
  %zero = onnx.Constant dense<0> : tensor<i8>
  %a = onnx.ConstantOfShape %n {value = dense<100> : tensor<1xi8>} : (tensor<1xi64>) -> tensor<?xi8>
  %s = onnx.Add %a, %b : (tensor<?xi8>, tensor<i8>) -> tensor<?xi8>
  %e = onnx.Greater %s, %zero : (tensor<?xi8>, tensor<i8>) -> tensor<?xi1>
  %o = onnx.And %m, %e : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return %o : tensor<?xi1>
}

// -----

// These two are one number in f64.
// CHECK-LABEL: func.func @large
// CHECK: onnx.And
func.func @large(%m: tensor<?xi1>, %n: tensor<1xi64>) -> tensor<?xi1> {
  %a = onnx.Constant dense<9223372036854775807> : tensor<i64>
  %s = onnx.ConstantOfShape %n {value = dense<9223372036854775806> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<?xi64>
  %e = onnx.Equal %s, %a : (tensor<?xi64>, tensor<i64>) -> tensor<?xi1>
  %o = onnx.And %m, %e : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return %o : tensor<?xi1>
}

// -----

// A number that a byte does not hold.
// CHECK-LABEL: func.func @narrow
// CHECK: onnx.Or
func.func @narrow(%m: tensor<?xi1>, %n: tensor<1xi64>) -> tensor<?xi1> {
  %zero = onnx.Constant dense<0> : tensor<ui8>
  %a = onnx.ConstantOfShape %n {value = dense<-1> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<?xi64>
  %c = onnx.Cast %a {to = ui8} : (tensor<?xi64>) -> tensor<?xui8>
  %e = onnx.Greater %c, %zero : (tensor<?xui8>, tensor<ui8>) -> tensor<?xi1>
  %o = onnx.Or %m, %e : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>
  return %o : tensor<?xi1>
}
