// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// What was raised already leaves the repetition of key heads, and the part of
// its mask that hides later keys, to ds.attention.
// CHECK-LABEL: func.func @grouped_and_causal
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x4x?x8xf32> {{.*}}, %[[K:[^:]+]]: tensor<?x2x?x8xf32> {{.*}}, %[[M:[^:]+]]: tensor<?x1x1x?xi1>
// CHECK: ds.attention %[[Q]], %[[K]], %[[K]] bias %[[M]] {causal, scale
func.func @grouped_and_causal(%q: tensor<?x4x?x8xf32> {ds.symbols = ["b", "", "s", ""]}, %k: tensor<?x2x?x8xf32> {ds.symbols = ["b", "", "s", ""]}, %m: tensor<?x1x1x?xi1> {ds.symbols = ["b", "", "", "s"]}) -> tensor<?x4x?x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %none = onnx.Constant dense<[]> : tensor<0xi64>
  %two1 = onnx.Constant dense<2> : tensor<1xi64>
  %b1 = onnx.Shape %k {start = 0 : i64, end = 1 : i64} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %s1 = onnx.Shape %k {start = 2 : i64, end = 3 : i64} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %d1 = onnx.Shape %k {start = 3 : i64, end = 4 : i64} : (tensor<?x2x?x8xf32>) -> tensor<1xi64>
  %s = onnx.Reshape %s1, %none : (tensor<1xi64>, tensor<0xi64>) -> tensor<i64>
  %p = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %p, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %earlier = onnx.LessOrEqual %p, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %and = onnx.And %earlier, %m : (tensor<?x?xi1>, tensor<?x1x1x?xi1>) -> tensor<?x1x?x?xi1>
  %one1 = onnx.Constant dense<1> : tensor<1xi64>
  %maskShape = onnx.Concat %b1, %one1, %s1, %s1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %mask = onnx.Expand %and, %maskShape : (tensor<?x1x?x?xi1>, tensor<4xi64>) -> tensor<?x1x?x?xi1>
  %single = onnx.Unsqueeze %k, %two1 : (tensor<?x2x?x8xf32>, tensor<1xi64>) -> tensor<?x2x1x?x8xf32>
  %many = onnx.Concat %b1, %two1, %two1, %s1, %d1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<5xi64>
  %expanded = onnx.Expand %single, %many : (tensor<?x2x1x?x8xf32>, tensor<5xi64>) -> tensor<?x2x2x?x8xf32>
  %four1 = onnx.Constant dense<4> : tensor<1xi64>
  %joined = onnx.Concat %b1, %four1, %s1, %d1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %repeated = onnx.Reshape %expanded, %joined : (tensor<?x2x2x?x8xf32>, tensor<4xi64>) -> tensor<?x4x?x8xf32>
  %0 = ds.attention %q, %repeated, %repeated bias %mask {scale = 0.5 : f32} : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x1x?x?xi1>) -> tensor<?x4x?x8xf32>
  return %0 : tensor<?x4x?x8xf32>
}

// -----

// Nothing else is in the mask.
// CHECK-LABEL: func.func @causal
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {causal, scale
func.func @causal(%q: tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %p = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %rows = onnx.Reshape %p, %column : (tensor<5xi64>, tensor<2xi64>) -> tensor<5x1xi64>
  %mask = onnx.LessOrEqual %p, %rows : (tensor<5xi64>, tensor<5x1xi64>) -> tensor<5x5xi1>
  %0 = ds.attention %q, %q, %q bias %mask {scale = 0.5 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<5x5xi1>) -> tensor<2x4x5x8xf32>
  return %0 : tensor<2x4x5x8xf32>
}

// -----

// Of one added number, a row that sees padding alone would be an average over
// fewer keys, so it stays whole; and so does a mask of earlier keys.
// CHECK-LABEL: func.func @added
// CHECK: ds.attention {{.*}} bias %{{.+}} {scale
func.func @added(%q: tensor<2x4x5x8xf32>, %m: tensor<2x1x1x5xi1>) -> tensor<2x4x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %none = onnx.Constant dense<0.0> : tensor<f32>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %p = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %rows = onnx.Reshape %p, %column : (tensor<5xi64>, tensor<2xi64>) -> tensor<5x1xi64>
  %earlier = onnx.LessOrEqual %p, %rows : (tensor<5xi64>, tensor<5x1xi64>) -> tensor<5x5xi1>
  %and = onnx.And %earlier, %m : (tensor<5x5xi1>, tensor<2x1x1x5xi1>) -> tensor<2x1x5x5xi1>
  %mask = onnx.Where %and, %none, %least : (tensor<2x1x5x5xi1>, tensor<f32>, tensor<f32>) -> tensor<2x1x5x5xf32>
  %0 = ds.attention %q, %q, %q bias %mask {scale = 0.5 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x1x5x5xf32>) -> tensor<2x4x5x8xf32>
  return %0 : tensor<2x4x5x8xf32>
}

// -----

// CHECK-LABEL: func.func @later
// CHECK: ds.attention {{.*}} bias %{{.+}} {scale
func.func @later(%q: tensor<2x4x5x8xf32>) -> tensor<2x4x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %five = onnx.Constant dense<5> : tensor<i64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %p = onnx.Range %zero, %five, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<5xi64>
  %rows = onnx.Reshape %p, %column : (tensor<5xi64>, tensor<2xi64>) -> tensor<5x1xi64>
  %mask = onnx.GreaterOrEqual %p, %rows : (tensor<5xi64>, tensor<5x1xi64>) -> tensor<5x5xi1>
  %0 = ds.attention %q, %q, %q bias %mask {scale = 0.5 : f32} : (tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<2x4x5x8xf32>, tensor<5x5xi1>) -> tensor<2x4x5x8xf32>
  return %0 : tensor<2x4x5x8xf32>
}

// -----

// Lists of blocks are of each key head there is.
// CHECK-LABEL: func.func @listed
// CHECK: %[[R:.+]] = onnx.Reshape
// CHECK: ds.attention %{{.+}}, %[[R]], %[[R]] key_index
func.func @listed(%q: tensor<1x8x9x16xf32>, %k: tensor<1x2x9x16xf32>, %lists: tensor<1x4x9x2xi64>) -> tensor<1x8x9x16xf32> {
  %axes = onnx.Constant dense<2> : tensor<1xi64>
  %parts = onnx.Constant dense<[1, 2, 2, 9, 16]> : tensor<5xi64>
  %heads = onnx.Constant dense<[1, 4, 9, 16]> : tensor<4xi64>
  %u = onnx.Unsqueeze %k, %axes : (tensor<1x2x9x16xf32>, tensor<1xi64>) -> tensor<1x2x1x9x16xf32>
  %e = onnx.Expand %u, %parts : (tensor<1x2x1x9x16xf32>, tensor<5xi64>) -> tensor<1x2x2x9x16xf32>
  %r = onnx.Reshape %e, %heads : (tensor<1x2x2x9x16xf32>, tensor<4xi64>) -> tensor<1x4x9x16xf32>
  %0 = ds.attention %q, %r, %r key_index %lists {key_block = 3, scale = 0.3 : f32}
    : (tensor<1x8x9x16xf32>, tensor<1x4x9x16xf32>, tensor<1x4x9x16xf32>, tensor<1x4x9x2xi64>) -> tensor<1x8x9x16xf32>
  return %0 : tensor<1x8x9x16xf32>
}
