// RUN: ds-opt %s --ds-unpad --split-input-file | FileCheck %s
// RUN: ds-opt %s --ds-unpad=zero-padding --split-input-file | FileCheck %s --check-prefixes=CHECK,ZERO

// All that goes by token is packed, once; the first row of a sequence is no
// padding.
// CHECK-LABEL: func.func @class_token
// CHECK: %[[OFFSETS:.+]], %[[ROWS:.+]] = ds.row_offsets %[[MASK:.+]] :
// CHECK-DAG: %[[IDS:.+]] = ds.pack_rows %arg0 by %[[ROWS]] of %[[MASK]]
// CHECK-DAG: ds.pack_rows %[[MASK]] by %[[ROWS]] of %[[MASK]]
// CHECK: %[[BIAS:.+]] = onnx.Mul {{.*}} -> tensor<1x1x1x?xf32>
// CHECK: %[[X:.+]] = onnx.Gather %{{.+}}, %[[IDS]] {{.*}} -> tensor<1x?x8xf32>
// CHECK: ds.linear %[[X]], {{.*}} -> tensor<1x?x8xf32>
// CHECK: onnx.Reshape {{.*}} -> tensor<1x?x2x4xf32>
// CHECK: ds.attention {{.*}} bias %[[BIAS]] row_offsets %[[OFFSETS]] {{.*}} -> tensor<1x2x?x4xf32>
// CHECK: %[[Y:.+]] = onnx.Add {{.*}} -> tensor<1x?x8xf32>
// CHECK-NEXT: %[[ALL:.+]] = ds.unpack_rows %[[Y]] by %[[OFFSETS]] of %[[MASK]] {{.*}} -> tensor<?x?x8xf32>
// CHECK-NEXT: onnx.Gather %[[ALL]]
func.func @class_token(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
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
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// So is what the mask makes zeros of.
// CHECK-LABEL: func.func @masked_pooling
// CHECK: ds.row_offsets
// CHECK: ds.unpack_rows
// CHECK: onnx.Mul
func.func @masked_pooling(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x8xf32> {
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
  %behind = onnx.Constant dense<-1> : tensor<1xi64>
  %sum = onnx.Constant dense<1> : tensor<1xi64>
  %p0 = onnx.Unsqueeze %mask, %behind : (tensor<?x?xi64>, tensor<1xi64>) -> tensor<?x?x1xi64>
  %p1 = onnx.Cast %p0 {to = f32} : (tensor<?x?x1xi64>) -> tensor<?x?x1xf32>
  %p2 = onnx.Mul %y, %p1 : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %c = onnx.ReduceSum %p2, %sum {keepdims = 0 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// An output has zeros at padding where that is asked for.
// CHECK-LABEL: func.func @output
// ZERO: ds.row_offsets
// ZERO: %[[ALL:.+]] = ds.unpack_rows
// ZERO-NEXT: return %[[ALL]]
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
  %y = onnx.Add %j, %x : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// The rows of the only sequence are not those of a table.
// CHECK-LABEL: func.func @one_sequence
// CHECK: ds.row_offsets
// CHECK: ds.linear {{.*}} -> tensor<1x?x8xf32>
// CHECK: ds.attention {{.*}} row_offsets
// CHECK: ds.unpack_rows
func.func @one_sequence(%ids: tensor<1x?xi64> {ds.symbols = ["", "s"]}, %mask: tensor<1x?xi64> {ds.symbols = ["", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<1x8xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %join = onnx.Constant dense<[0, 0, 8]> : tensor<3xi64>
  %first = onnx.Constant dense<0> : tensor<i64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<1x?xi64>, tensor<2xi64>) -> tensor<1x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<1x1x1x?xi64>) -> tensor<1x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<1x1x1x?xf32>) -> tensor<1x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<1x1x1x?xf32>, tensor<f32>) -> tensor<1x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<1x?xi64>) -> tensor<1x?x8xf32>
  %l = ds.linear %x, %w : (tensor<1x?x8xf32>, tensor<8x8xf32>) -> tensor<1x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<1x?x8xf32>, tensor<4xi64>) -> tensor<1x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x1x1x?xf32>) -> tensor<1x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x?x4xf32>) -> tensor<1x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<1x?x2x4xf32>, tensor<3xi64>) -> tensor<1x?x8xf32>
  %y = onnx.Add %j, %x : (tensor<1x?x8xf32>, tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %c = onnx.Gather %y, %first {axis = 1 : i64} : (tensor<1x?x8xf32>, tensor<i64>) -> tensor<1x8xf32>
  return %c : tensor<1x8xf32>
}

// -----

// Attention of other query rows reads keys and values of all sequences as they
// were, with zeros at padding, and its mask as it was: nothing is packed of
// what the mask alone decides.
// CHECK-LABEL: func.func @reader
// CHECK: %[[OFFSETS:.+]], %[[ROWS:.+]] = ds.row_offsets %arg1
// CHECK: %[[BIAS:.+]] = onnx.Mul {{.*}} -> tensor<?x1x1x?xf32>
// CHECK: %[[X:.+]] = onnx.Gather {{.*}} -> tensor<1x?x8xf32>
// CHECK: %[[ALL:.+]] = ds.unpack_rows %[[X]] by %[[OFFSETS]] {{.*}} -> tensor<?x?x8xf32>
// CHECK: ds.linear %[[X]], {{.*}} -> tensor<1x?x8xf32>
// CHECK: onnx.Transpose {{.*}} -> tensor<1x2x?x4xf32>
// CHECK: %[[HEADS:.+]] = onnx.Transpose {{.*}} -> tensor<1x?x2x4xf32>
// CHECK: %[[KEYS:.+]] = ds.unpack_rows %[[HEADS]] by %[[OFFSETS]] {{.*}} -> tensor<?x?x2x4xf32>
// CHECK: %[[K:.+]] = onnx.Transpose %[[KEYS]] {{.*}} -> tensor<?x2x?x4xf32>
// CHECK: %[[FIRST:.+]] = onnx.Gather %[[ALL]], {{.*}} -> tensor<?x1x8xf32>
// CHECK: ds.attention %{{.+}}, %[[K]], %[[K]] bias %[[BIAS]] {{.*}} -> tensor<?x2x1x4xf32>
func.func @reader(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x2x1x4xf32> {
  %axes = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %least = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %split = onnx.Constant dense<[0, 0, 2, 4]> : tensor<4xi64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %m0 = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi64>, tensor<2xi64>) -> tensor<?x1x1x?xi64>
  %m1 = onnx.Cast %m0 {to = f32} : (tensor<?x1x1x?xi64>) -> tensor<?x1x1x?xf32>
  %m2 = onnx.Sub %one, %m1 : (tensor<f32>, tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf32>
  %bias = onnx.Mul %m2, %least : (tensor<?x1x1x?xf32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %x = onnx.Gather %table, %ids : (tensor<50x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %l = ds.linear %x, %w : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
  %h = onnx.Reshape %l, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %k = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %c = onnx.Gather %x, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x8xf32>
  %r = onnx.Reshape %c, %split : (tensor<?x1x8xf32>, tensor<4xi64>) -> tensor<?x1x2x4xf32>
  %q = onnx.Transpose %r {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x1x2x4xf32>) -> tensor<?x2x1x4xf32>
  %a = ds.attention %q, %k, %k bias %bias {scale = 1.0 : f32} : (tensor<?x2x1x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x1x4xf32>
  return %a : tensor<?x2x1x4xf32>
}

// -----

// A rotation takes the rows of its positions.
// CHECK-LABEL: func.func @rotated
// CHECK: %[[OFFSETS:.+]], %[[ROWS:.+]] = ds.row_offsets %arg1
// CHECK: %[[POSITIONS:.+]] = ds.pack_rows %arg4 by %[[ROWS]] {{.*}} -> tensor<1x?xi64>
// CHECK: %[[Q:.+]] = ds.rope %{{.+}}, %arg5, %arg5 positions %[[POSITIONS]] {{.*}} -> tensor<1x2x?x4xf32>
// CHECK: ds.attention %[[Q]], %[[Q]], %[[Q]] {{.*}} row_offsets %[[OFFSETS]]
func.func @rotated(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>, %w: tensor<8x8xf32>, %positions: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %angles: tensor<64x2xf32>) -> tensor<?x8xf32> {
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
  %h = onnx.Reshape %x, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %t0 = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %q = ds.rope %t0, %angles, %angles positions %positions : (tensor<?x2x?x4xf32>, tensor<64x2xf32>, tensor<64x2xf32>, tensor<?x?xi64>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %c = onnx.Gather %j, %first {axis = 1 : i64} : (tensor<?x?x8xf32>, tensor<i64>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// Rows that stand last leave in front, and are turned back.
// CHECK-LABEL: func.func @turned
// CHECK: %[[OFFSETS:.+]], %{{.+}} = ds.row_offsets %arg1
// CHECK: %[[COLUMNS:.+]] = onnx.Transpose %{{.+}} {perm = array<i64: 2, 0, 1>} {{.*}} -> tensor<8x1x?xf32>
// CHECK: %[[ROWS:.+]] = onnx.Transpose %[[COLUMNS]] {perm = array<i64: 1, 2, 0>} {{.*}} -> tensor<1x?x8xf32>
// CHECK: %[[ALL:.+]] = ds.unpack_rows %[[ROWS]] by %[[OFFSETS]] {{.*}} -> tensor<?x?x8xf32>
// CHECK: %[[BACK:.+]] = onnx.Transpose %[[ALL]] {perm = array<i64: 2, 0, 1>} {{.*}} -> tensor<8x?x?xf32>
// CHECK: onnx.Gather %[[BACK]], %{{.+}} {axis = 2 : i64}
func.func @turned(%ids: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %mask: tensor<?x?xi64> {ds.symbols = ["b", "s"]}, %table: tensor<50x8xf32>) -> tensor<8x?xf32> {
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
  %h = onnx.Reshape %x, %split : (tensor<?x?x8xf32>, tensor<4xi64>) -> tensor<?x?x2x4xf32>
  %q = onnx.Transpose %h {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x4xf32>) -> tensor<?x2x?x4xf32>
  %a = ds.attention %q, %q, %q bias %bias {scale = 1.0 : f32} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x4xf32>
  %t = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x4xf32>) -> tensor<?x?x2x4xf32>
  %j = onnx.Reshape %t, %join : (tensor<?x?x2x4xf32>, tensor<3xi64>) -> tensor<?x?x8xf32>
  %u = onnx.Transpose %j {perm = array<i64: 2, 0, 1>} : (tensor<?x?x8xf32>) -> tensor<8x?x?xf32>
  %c = onnx.Gather %u, %first {axis = 2 : i64} : (tensor<8x?x?xf32>, tensor<i64>) -> tensor<8x?xf32>
  return %c : tensor<8x?xf32>
}
