// RUN: ds-opt %s --ds-bubble-up-slices --split-input-file | FileCheck %s

// A classifier reads the first token: of the layer, keys and values are of all.
// CHECK-LABEL: func.func @first_token
// CHECK: %[[K:.+]] = ds.linear %arg0, %arg2 {{.*}} -> tensor<?x?x8xf32>
// CHECK: %[[KEYS:.+]] = onnx.Transpose {{.*}} -> tensor<?x2x?x4xf32>
// CHECK: %[[FIRST:.+]] = onnx.Constant dense<0> : tensor<1xi64>
// CHECK: %[[ROW:.+]] = onnx.Gather %arg0, %[[FIRST]] {axis = 1 : i64} {{.*}} -> tensor<?x1x8xf32>
// CHECK: %[[Q:.+]] = ds.linear %[[ROW]], %arg1 {{.*}} -> tensor<?x1x8xf32>
// CHECK: onnx.Reshape %[[Q]], {{.*}} -> tensor<?x1x2x4xf32>
// CHECK: %[[QUERY:.+]] = onnx.Transpose {{.*}} -> tensor<?x2x1x4xf32>
// CHECK: %[[A:.+]] = ds.attention %[[QUERY]], %[[KEYS]], %[[KEYS]] bias %arg3 {{.*}} -> tensor<?x2x1x4xf32>
// CHECK: %[[T:.+]] = onnx.Transpose %[[A]] {{.*}} -> tensor<?x1x2x4xf32>
// CHECK: %[[J:.+]] = onnx.Reshape %[[T]], {{.*}} -> tensor<?x1x8xf32>
// CHECK: %[[S:.+]] = onnx.Add %[[J]], %[[ROW]] {{.*}} -> tensor<?x1x8xf32>
// CHECK: %[[C:.+]] = onnx.Gather %[[S]], %{{.+}} {axis = 1 : i64} {{.*}} -> tensor<?x8xf32>
// CHECK: return %[[C]]
func.func @first_token(%x: tensor<?x?x8xf32> {ds.symbols = ["b", "s", ""]}, %wq: tensor<8x8xf32>, %wk: tensor<8x8xf32>, %bias: tensor<?x1x1x?xf32> {ds.symbols = ["b", "", "", "s"]}) -> tensor<?x8xf32> {
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %q0 = ds.linear %x, %wq : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %q1 = onnx.Reshape %q0, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %k0 = ds.linear %x, %wk : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %k1 = onnx.Reshape %k0, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %k, %k bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// The last rows keep their positions; biases and weights of rows, and tables
// of a rotation, are selected from, too.
// CHECK-LABEL: func.func @last_rows
// CHECK-DAG: %[[START:.+]] = onnx.Constant dense<-3> : tensor<1xi64>
// CHECK-DAG: %[[END:.+]] = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
// CHECK-DAG: %[[X:.+]] = onnx.Slice %arg0, %[[START]], %[[END]], {{.*}} -> tensor<2x2x3x4xf32>
// CHECK-DAG: %[[COS:.+]] = onnx.Slice %arg2, {{.*}} -> tensor<3x2xf32>
// CHECK: %[[Q:.+]] = ds.rope %[[X]], %[[COS]], %{{.+}} : {{.*}} -> tensor<2x2x3x4xf32>
// CHECK: %[[BIAS:.+]] = onnx.Slice %arg4, {{.*}} -> tensor<2x1x3x9xf32>
// CHECK: %[[WEIGHT:.+]] = onnx.Slice %arg5, {{.*}} -> tensor<2x2x3xf32>
// CHECK: %[[A:.+]] = ds.attention %[[Q]], %arg1, %arg1 bias %[[BIAS]] head_weight %[[WEIGHT]] {causal, {{.*}} -> tensor<2x2x3x4xf32>
// CHECK: return %[[A]]
func.func @last_rows(%x: tensor<2x2x9x4xf32>, %k: tensor<2x2x9x4xf32>, %cos: tensor<9x2xf32>, %sin: tensor<9x2xf32>, %bias: tensor<2x1x9x9xf32>, %weight: tensor<2x2x9xf32>) -> tensor<2x2x3x4xf32> {
  %start = onnx.Constant dense<-3> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.Constant dense<2> : tensor<1xi64>
  %none = onnx.NoValue
  %q = ds.rope %x, %cos, %sin : (tensor<2x2x9x4xf32>, tensor<9x2xf32>, tensor<9x2xf32>) -> tensor<2x2x9x4xf32>
  %a = ds.attention %q, %k, %k bias %bias head_weight %weight {causal, scale = 1.0 : f32} : (tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>, tensor<2x2x9x4xf32>, tensor<2x1x9x9xf32>, tensor<2x2x9xf32>) -> tensor<2x2x9x4xf32>
  %c = onnx.Slice %a, %start, %end, %axis, %none : (tensor<2x2x9x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x2x3x4xf32>
  return %c : tensor<2x2x3x4xf32>
}

// -----

// Two selections of different rows, each of values that nothing else reads.
// CHECK-LABEL: func.func @two
// CHECK-DAG: %[[ZERO:.+]] = onnx.Constant dense<0> : tensor<1xi64>
// CHECK-DAG: %[[ONE:.+]] = onnx.Constant dense<-1> : tensor<1xi64>
// CHECK-DAG: %[[FIRST:.+]] = onnx.Gather %arg0, %[[ZERO]] {{.*}} -> tensor<?x1x8xf32>
// CHECK-DAG: %[[LAST:.+]] = onnx.Gather %arg0, %[[ONE]] {{.*}} -> tensor<?x1x8xf32>
// CHECK-DAG: ds.linear %[[FIRST]], %arg1
// CHECK-DAG: ds.linear %[[LAST]], %arg2
func.func @two(%x: tensor<?x?x8xf32> {ds.symbols = ["b", "s", ""]}, %w0: tensor<8x8xf32>, %w1: tensor<8x8xf32>) -> (tensor<?x8xf32>, tensor<?x1x8xf32>) {
  %first = onnx.Constant dense<0> : tensor<i64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %y0 = ds.linear %x, %w0 : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %y1 = ds.linear %x, %w1 : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c0 = onnx.Gather %y0, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  %c1 = onnx.Gather %y1, %last {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  return %c0, %c1 : tensor<?x8xf32>, tensor<?x1x8xf32>
}

// -----

// A scale with rows is selected from, and one of columns is not. Half is few
// enough, and a sequence of a batch is a row, too.
// CHECK-LABEL: func.func @norm
// CHECK: %[[LIST:.+]] = onnx.Constant dense<[3, 0]>
// CHECK: %[[X:.+]] = onnx.Gather %arg0, %[[LIST]] : {{.*}} -> tensor<2x9x8xf32>
// CHECK: %[[Y:.+]] = ds.linear %[[X]], {{.*}} -> tensor<2x9x8xf32>
// CHECK: %[[SCALE:.+]] = onnx.Gather %arg2, {{.*}} -> tensor<2x9x8xf32>
// CHECK: onnx.LayerNormalization %[[Y]], %[[SCALE]], %arg3 {{.*}} -> (tensor<2x9x8xf32>
func.func @norm(%x: tensor<4x9x8xf32>, %w: tensor<8x8xf32>, %scale: tensor<4x9x8xf32>, %bias: tensor<8xf32>) -> tensor<2x9x8xf32> {
  %list = onnx.Constant dense<[3, 0]> : tensor<2xi64>
  %l = ds.linear %x, %w : (tensor<4x9x8xf32>, tensor<8x8xf32>) -> tensor<4x9x8xf32>
  %y, %m, %d = onnx.LayerNormalization %l, %scale, %bias : (tensor<4x9x8xf32>, tensor<4x9x8xf32>, tensor<8xf32>) -> (tensor<4x9x8xf32>, tensor<4x9x1xf32>, tensor<4x9x1xf32>)
  %c = onnx.Gather %y, %list : (tensor<4x9x8xf32>, tensor<2xi64>) -> tensor<2x9x8xf32>
  return %c : tensor<2x9x8xf32>
}

// -----

// One value may be operands of which one is read whole.
// CHECK-LABEL: func.func @same
// CHECK: %[[Q:.+]] = onnx.Gather %arg0, {{.*}} -> tensor<1x1x1x4xf32>
// CHECK: ds.attention %[[Q]], %arg0, %arg0 bias %[[Q]]
func.func @same(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x1x4xf32> {
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %a = ds.attention %x, %x, %x bias %x {scale = 1.0 : f32} : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %c = onnx.Gather %a, %first {axis = 2 : i64} : (tensor<1x1x4x4xf32>, tensor<1xi64>) -> tensor<1x1x1x4xf32>
  return %c : tensor<1x1x1x4xf32>
}

// -----

// An index outside of a table stays an error, also where nothing reads its row.
// CHECK-LABEL: func.func @embedding
// CHECK: %[[X:.+]] = onnx.Gather %arg2, %arg0 {{.*}} -> tensor<?x?x8xf32>
// CHECK: %[[ROW:.+]] = onnx.Gather %[[X]], %{{.+}} {axis = 1 : i64} {{.*}} -> tensor<?x1x8xf32>
// CHECK: ds.linear %[[ROW]], {{.*}} -> tensor<?x1x8xf32>
func.func @embedding(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %w: tensor<8x8xf32>, %table: tensor<50x8xf32>) -> tensor<?x1x8xf32> {
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %y = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  return %c : tensor<?x1x8xf32>
}
