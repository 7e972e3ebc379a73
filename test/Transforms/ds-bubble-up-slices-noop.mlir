// RUN: ds-opt %s --ds-bubble-up-slices --split-input-file --remarks-filter-missed=ds-bubble-up-slices --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// All rows are an output, too.
// CHECK-LABEL: func.func @returned
// CHECK: ds.linear %arg0, {{.*}} -> tensor<?x?x8xf32>
func.func @returned(%x: tensor<?x?x8xf32>, %w: tensor<8x8xf32>) -> (tensor<?x?x8xf32>, tensor<?x8xf32>) {
  %first = onnx.Constant dense<0> : tensor<i64>
  %y = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %y, %c : tensor<?x?x8xf32>, tensor<?x8xf32>
}

// -----

// Two users read different rows.
// CHECK-LABEL: func.func @different
// CHECK: ds.linear %arg0, {{.*}} -> tensor<?x?x8xf32>
func.func @different(%x: tensor<?x?x8xf32>, %w: tensor<8x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %first = onnx.Constant dense<0> : tensor<i64>
  %last = onnx.Constant dense<-1> : tensor<i64>
  %y = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c0 = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  %c1 = onnx.Gather %y, %last {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c0, %c1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// Most rows are selected, or a number that is not known or not small where it is
// not known of how many, or columns.
// CHECK-LABEL: func.func @not_few
// CHECK: ds.linear %arg0, {{.*}} -> tensor<2x9x8xf32>
// CHECK: ds.linear %arg1, {{.*}} -> tensor<?x?x8xf32>
// CHECK: ds.linear %arg1, {{.*}} -> tensor<?x?x8xf32>
// CHECK: ds.linear %arg1, {{.*}} -> tensor<?x?x8xf32>
func.func @not_few(%x: tensor<2x9x8xf32>, %d: tensor<?x?x8xf32>, %w: tensor<8x8xf32>, %v: tensor<8x8xf32>) -> (tensor<2x5x8xf32>, tensor<?x?x8xf32>, tensor<?x?x2xf32>, tensor<?x?x8xf32>) {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %five = onnx.Constant dense<5> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %none = onnx.NoValue
  %y0 = ds.linear %x, %w : (tensor<2x9x8xf32>, tensor<8x8xf32>) -> tensor<2x9x8xf32>
  %c0 = onnx.Slice %y0, %zero, %five, %one, %none : (tensor<2x9x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x5x8xf32>
  %y1 = ds.linear %d, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c1 = onnx.Slice %y1, %one, %end, %one, %none : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x?x8xf32>
  %y2 = ds.linear %d, %v : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c2 = onnx.Slice %y2, %zero, %two, %two, %none : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x?x2xf32>
  %y3 = ds.linear %d, %v : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c3 = onnx.Slice %y3, %zero, %five, %one, %none : (tensor<?x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x?x8xf32>
  return %c0, %c1, %c2, %c3 : tensor<2x5x8xf32>, tensor<?x?x8xf32>, tensor<?x?x2xf32>, tensor<?x?x8xf32>
}

// -----

// The first row of causal attention would be taken for the last.
// CHECK-LABEL: func.func @positions
// CHECK: ds.attention {{.*}} -> tensor<2x2x9x4xf32>
func.func @positions(%q: tensor<2x2x9x4xf32>) -> tensor<2x2x4xf32> {
  %first = onnx.Constant dense<0> : tensor<i64>
  // expected-remark@below {{'ds.attention' is no attention of the rows that are read: its rows have positions, and those that are read are not the last}}
  %a = ds.attention %q, %q, %q {causal, scale = 1.0 : f32} : (tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>) -> tensor<2x2x9x4xf32>
  %c = onnx.Gather %a, %first {axis = 2 : i64} : (tensor<2x2x9x4xf32>, tensor<i64>) -> tensor<2x2x4xf32>
  return %c : tensor<2x2x4xf32>
}

// -----

// What is cheap is computed where it stands, and a dim that may be 1 may be one
// row for all.
// CHECK-LABEL: func.func @cheap
// CHECK: onnx.Tanh %arg0 {{.*}} -> tensor<?x?x8xf32>
// CHECK: ds.linear %arg0, {{.*}} -> tensor<?x?x8xf32>
func.func @cheap(%x: tensor<?x?x8xf32> {ds.symbols = ["b", "s", ""]}, %w: tensor<8x8xf32>, %z: tensor<?x?x8xf32> {ds.symbols = ["b", "t", ""]}) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %first = onnx.Constant dense<0> : tensor<i64>
  %t = onnx.Tanh %x : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %c0 = onnx.Gather %t, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  %y = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %s = onnx.Add %y, %z : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %c1 = onnx.Gather %s, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c0, %c1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// So is a first position that is given.
// CHECK-LABEL: func.func @start
// CHECK: ds.attention {{.*}} -> tensor<2x2x9x4xf32>
func.func @start(%q: tensor<2x2x9x4xf32>, %start: tensor<2xi64>) -> tensor<2x2x4xf32> {
  %last = onnx.Constant dense<-1> : tensor<i64>
  // expected-remark@below {{the position of its first row is given}}
  %a = ds.attention %q, %q, %q query_start %start {causal, scale = 1.0 : f32} : (tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>, tensor<2xi64>) -> tensor<2x2x9x4xf32>
  %c = onnx.Gather %a, %last {axis = 2 : i64} : (tensor<2x2x9x4xf32>, tensor<i64>) -> tensor<2x2x4xf32>
  return %c : tensor<2x2x4xf32>
}

// -----

// A table that is cut may be shorter than the rows, which is an error.
// CHECK-LABEL: func.func @cut
// CHECK: ds.linear %arg0, {{.*}} -> tensor<?x?x8xf32>
func.func @cut(%x: tensor<?x?x8xf32> {ds.symbols = ["b", "s", ""]}, %places: tensor<1x64x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x1x8xf32> {
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %none = onnx.NoValue
  %length = onnx.Shape %x {start = 1 : i64, end = 2 : i64} : (tensor<?x?x8xf32>) -> tensor<1xi64>
  %cut = onnx.Slice %places, %first, %length, %one, %none : (tensor<1x64x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<1x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %y = onnx.Add %l, %cut : (tensor<?x?x8xf32>, tensor<1x?x8xf32>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  return %c : tensor<?x1x8xf32>
}
