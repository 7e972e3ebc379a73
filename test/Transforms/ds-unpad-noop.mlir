// RUN: ds-opt %s --ds-unpad --split-input-file --remarks-filter-missed=ds-unpad --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: ds.row_offsets

func.func @output(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x?x8xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi64>, tensor<2xi64>) -> tensor<?x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  // expected-remark @+1 {{it is an output with rows at padding, which --padding=zero makes zeros}}
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

func.func @mean(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi64>, tensor<2xi64>) -> tensor<?x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %sum = onnx.Constant dense<1> : tensor<1xi64>
  // expected-remark @+1 {{it reads what is computed at padding}}
  %c = onnx.ReduceSum %y, %sum {keepdims = 0 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// A mask of 1 where there is padding.
func.func @inverse(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi64>, tensor<2xi64>) -> tensor<?x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  // expected-remark @+1 {{its mask does not hide keys where the input is 0}}
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// A model without masks misses nothing.
func.func @no_mask(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  %0 = ds.attention %q, %q, %q {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @scores(%q: tensor<?x2x?x4xf32>, %m: tensor<?x2x?x?xf32>) -> tensor<?x2x?x4xf32> {
  // expected-remark @+1 {{its mask is not one of keys alone}}
  %0 = ds.attention %q, %q, %q bias %m {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @two_masks(%q: tensor<?x2x?x4xf32> {ds.symbols = ["b", "", "s", ""]}, %m: tensor<?x?xi1> {ds.symbols = ["b", "s"]}, %n: tensor<?x?xi1> {ds.symbols = ["b", "s"]}) -> tensor<?x2x?x4xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %a = onnx.Unsqueeze %m, %axes : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
  %b = onnx.Unsqueeze %n, %axes : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
  %0 = ds.attention %q, %q, %q bias %a {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>) -> tensor<?x2x?x4xf32>
  // expected-remark @+1 {{its mask is not computed by element from the one input}}
  %1 = ds.attention %0, %0, %0 bias %b {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>) -> tensor<?x2x?x4xf32>
  return %1 : tensor<?x2x?x4xf32>
}

// -----

// A mask for sequences of another length.
func.func @other_dims(%q: tensor<?x2x?x4xf32> {ds.symbols = ["b", "", "s", ""]}, %m: tensor<?x?xi1> {ds.symbols = ["b", "t"]}) -> tensor<?x2x?x4xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %a = onnx.Unsqueeze %m, %axes : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
  // expected-remark @+1 {{its mask is not one of [batch, sequence]}}
  %0 = ds.attention %q, %q, %q bias %a {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// -----

// A mask of as many features as there are tokens.
func.func @features_masked(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi64>, tensor<2xi64>) -> tensor<?x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %behind = onnx.Constant dense<1> : tensor<1xi64>
  %sum = onnx.Constant dense<1> : tensor<1xi64>
  %p0 = onnx.Unsqueeze %mask, %behind : (tensor<?x?xi64>, tensor<1xi64>) -> tensor<?x1x?xi64>
  %p1 = onnx.Cast %p0 {to = f32} : (tensor<?x1x?xi64>) -> tensor<?x1x?xf32>
  // expected-remark @+1 {{it reads what is computed at padding}}
  %p2 = onnx.Mul %y, %p1 : (tensor<?x?x8xf32>, tensor<?x1x?xf32>) -> tensor<?x?x8xf32>
  %c = onnx.ReduceSum %p2, %sum {keepdims = 0 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

func.func @bytes(%q: tensor<?x2x?x4xf32> {ds.symbols = ["b", "", "s", ""]}, %m: tensor<?x?xi8> {ds.symbols = ["b", "s"]}) -> tensor<?x2x?x4xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %a = onnx.Unsqueeze %m, %axes : (tensor<?x?xi8>, tensor<2xi64>) -> tensor<?x1x1x?xi8>
  %b = onnx.Cast %a {to = i1} : (tensor<?x1x1x?xi8>) -> tensor<?x1x1x?xi1>
  // expected-remark @+1 {{its mask's element type is not supported}}
  %0 = ds.attention %q, %q, %q bias %b {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @weighted(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi1> {ds.symbols = ["b", "s"]}, %table: tensor<50x2x4xf32>, %weight: tensor<?x2xf32> {ds.symbols = ["b", ""]}) -> tensor<?x2x4xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %bias = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
  %x = onnx.Gather %table, %ids : (tensor<50x2x4xf32>, tensor<?x?xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %x {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  // expected-remark @+1 {{its heads have weights for each sequence}}
  %a = ds.attention %q, %q, %q bias %bias head_weight %weight {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xi1>, tensor<?x2xf32>) -> tensor<?x2x?x4xf32>
  %c = onnx.Gather %a, %first {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<i64>) -> tensor<?x2x4xf32>
  return %c : tensor<?x2x4xf32>
}
