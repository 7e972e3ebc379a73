// RUN: ds-opt %s --onnx-infer-shapes | FileCheck %s

// Arithmetic on small integer tensors is evaluated: it decides static shapes.

// CHECK-LABEL: func.func @arithmetic
// CHECK-SAME: -> (tensor<7xi8>, tensor<1xi8>, tensor<12xi8>, tensor<3xi8>, tensor<2xi8>, tensor<5xi8>, tensor<6xi8>)
func.func @arithmetic() -> (tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>) {
  %x = onnx.Constant dense<0> : tensor<1xi8>
  %a = onnx.Constant dense<4> : tensor<1xi64>
  %b = onnx.Constant dense<3> : tensor<1xi64>
  %m7 = onnx.Constant dense<-7> : tensor<1xi64>
  %m2 = onnx.Constant dense<-2> : tensor<1xi64>
  %add = onnx.Add %a, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %sub = onnx.Sub %a, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %mul = onnx.Mul %a, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // -7 / -2 truncates to 3; -7 mod 3 is 2.
  %div = onnx.Div %m7, %m2 : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %mod = onnx.Mod %m7, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %neg = onnx.Neg %m2 : (tensor<1xi64>) -> tensor<1xi64>
  %max = onnx.Max %neg, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %sum = onnx.Add %neg, %max : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %abs = onnx.Abs %m7 : (tensor<1xi64>) -> tensor<1xi64>
  %min = onnx.Min %a, %abs, %b : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %double = onnx.Add %min, %b : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %0 = onnx.Expand %x, %add : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %1 = onnx.Expand %x, %sub : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %2 = onnx.Expand %x, %mul : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %3 = onnx.Expand %x, %div : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %4 = onnx.Expand %x, %mod : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %5 = onnx.Expand %x, %sum : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %6 = onnx.Expand %x, %double : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  return %0, %1, %2, %3, %4, %5, %6 : tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>, tensor<?xi8>
}

// The spelling of a -1 in Expand's shape: where it is -1, take 1.
// CHECK-LABEL: func.func @where
// CHECK-SAME: -> tensor<1x5xi8>
func.func @where(%x: tensor<1x5xi8>) -> tensor<?x?xi8> {
  %shape = onnx.Constant dense<[-1, 5]> : tensor<2xi64>
  %minus = onnx.Constant dense<-1> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %cond = onnx.Equal %shape, %minus : (tensor<2xi64>, tensor<i64>) -> tensor<2xi1>
  %not = onnx.Not %cond : (tensor<2xi1>) -> tensor<2xi1>
  %s = onnx.Where %not, %shape, %one : (tensor<2xi1>, tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %0 = onnx.Expand %x, %s : (tensor<1x5xi8>, tensor<2xi64>) -> tensor<?x?xi8>
  return %0 : tensor<?x?xi8>
}

// CHECK-LABEL: func.func @cast_and_reduce
// CHECK-SAME: -> (tensor<24xf32>, tensor<4xi8>, tensor<1xi8>)
func.func @cast_and_reduce(%x: tensor<2x3x4xf32>) -> (tensor<?xf32>, tensor<?xi8>, tensor<?xi8>) {
  %zero = onnx.Constant dense<0> : tensor<1xi8>
  %none = onnx.NoValue
  %shape = onnx.Shape %x : (tensor<2x3x4xf32>) -> tensor<3xi64>
  %narrow = onnx.Cast %shape {to = i32} : (tensor<3xi64>) -> tensor<3xi32>
  %size = onnx.ReduceProd %narrow, %none : (tensor<3xi32>, none) -> tensor<1xi32>
  %wide = onnx.CastLike %size, %shape : (tensor<1xi32>, tensor<3xi64>) -> tensor<1xi64>
  %0 = onnx.Reshape %x, %wide : (tensor<2x3x4xf32>, tensor<1xi64>) -> tensor<?xf32>
  %max = onnx.ReduceMax %shape, %none : (tensor<3xi64>, none) -> tensor<1xi64>
  %1 = onnx.Expand %zero, %max : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  // As an i32, 2^32 + 1 is 1.
  %big = onnx.Constant dense<4294967297> : tensor<1xi64>
  %low = onnx.Cast %big {to = i32} : (tensor<1xi64>) -> tensor<1xi32>
  %again = onnx.Cast %low {to = i64} : (tensor<1xi32>) -> tensor<1xi64>
  %2 = onnx.Expand %zero, %again : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  return %0, %1, %2 : tensor<?xf32>, tensor<?xi8>, tensor<?xi8>
}

// Sizes that are known become constants.
// CHECK-LABEL: func.func @known
// CHECK-SAME: %[[X:.+]]: tensor<?x2x8xf32>
// CHECK-NEXT: %[[SHAPE:.+]] = onnx.Shape %[[X]]
// CHECK-NEXT: %[[D:.+]] = onnx.Constant dense<8> : tensor<i64>
// CHECK-NEXT: %[[HEADS:.+]] = onnx.Constant dense<[2, 16]> : tensor<2xi32>
// CHECK-NEXT: return %[[D]], %[[HEADS]], %[[SHAPE]]
func.func @known(%x: tensor<?x2x8xf32>) -> (tensor<i64>, tensor<2xi32>, tensor<3xi64>) {
  %two = onnx.Constant dense<2> : tensor<i64>
  %pair = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %factors = onnx.Constant dense<[1, 2]> : tensor<2xi32>
  %shape = onnx.Shape %x : (tensor<?x2x8xf32>) -> tensor<3xi64>
  %0 = onnx.Gather %shape, %two {axis = 0 : i64} : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %1 = onnx.Gather %shape, %pair {axis = 0 : i64} : (tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  %2 = onnx.Cast %1 {to = i32} : (tensor<2xi64>) -> tensor<2xi32>
  %3 = onnx.Mul %2, %factors : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  return %0, %3, %shape : tensor<i64>, tensor<2xi32>, tensor<3xi64>
}

// A table that is longer than is asked for is cut to that: as many elements in
// as many rows are one column.
// CHECK-LABEL: func.func @cut
// CHECK-SAME: -> tensor<?x1xi8>
func.func @cut(%x: tensor<?x3xi8>) -> tensor<?x?xi8> {
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %five = onnx.Constant dense<5> : tensor<1xi64>
  %rest = onnx.Constant dense<-1> : tensor<1xi64>
  %none = onnx.NoValue
  %shape = onnx.Shape %x : (tensor<?x3xi8>) -> tensor<2xi64>
  %n = onnx.Slice %shape, %first, %one, %none, %none : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<1xi64>
  %more = onnx.Add %n, %five : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %long = onnx.ConstantOfShape %more {value = dense<0> : tensor<1xi8>} : (tensor<1xi64>) -> tensor<?xi8>
  %short = onnx.Slice %long, %first, %n, %none, %none : (tensor<?xi8>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<?xi8>
  %rows = onnx.Concat %n, %rest {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %y = onnx.Reshape %short, %rows : (tensor<?xi8>, tensor<2xi64>) -> tensor<?x?xi8>
  return %y : tensor<?x?xi8>
}

// A size is never -1, which exporters make sure of.
// CHECK-LABEL: func.func @never_negative
// CHECK-SAME: -> tensor<?x1xi8>
func.func @never_negative(%x: tensor<?x3xi8>) -> tensor<?x?xi8> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %minus = onnx.Constant dense<-1> : tensor<1xi64>
  %byte = onnx.Constant dense<0> : tensor<1xi8>
  %shape = onnx.Shape %x : (tensor<?x3xi8>) -> tensor<2xi64>
  %n = onnx.Gather %shape, %zero {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  %is = onnx.Equal %minus, %n : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi1>
  %size = onnx.Where %is, %one, %n : (tensor<1xi1>, tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %e = onnx.Expand %byte, %size : (tensor<1xi8>, tensor<1xi64>) -> tensor<?xi8>
  %rows = onnx.Concat %n, %minus {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %y = onnx.Reshape %e, %rows : (tensor<?xi8>, tensor<2xi64>) -> tensor<?x?xi8>
  return %y : tensor<?x?xi8>
}
