// RUN: ds-opt %s --split-input-file --ds-raise-attention | FileCheck %s

// A softcap is a function of one score; the scale stays beside it.
// CHECK-LABEL: func.func @softcap
// CHECK: ds.attention %arg0, %arg1, %arg2 score_mod {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// CHECK: %[[D:.*]] = arith.divf %[[S]], %{{.*}} : f32
// CHECK: %[[T:.*]] = math.tanh %[[D]] : f32
// CHECK: %[[M:.*]] = arith.mulf %[[T]], %{{.*}} : f32
// CHECK: ds.yield %[[M]] : f32
// CHECK: scale = 5.000000e-01
// CHECK-NOT: onnx.Softmax
func.func @softcap(%q: tensor<?x2x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %cap = onnx.Constant dense<20.0> : tensor<f32>
  %qs = onnx.Mul %q, %half : (tensor<?x2x?x8xf32>, tensor<f32>) -> tensor<?x2x?x8xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x8xf32>) -> tensor<?x2x8x?xf32>
  %s = onnx.MatMul %qs, %kt : (tensor<?x2x?x8xf32>, tensor<?x2x8x?xf32>) -> tensor<?x2x?x?xf32>
  %d = onnx.Div %s, %cap : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %t = onnx.Tanh %d : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Mul %t, %cap : (tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %p = onnx.Softmax %m : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %y = onnx.MatMul %p, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}

// -----

// Keys of other documents are hidden by what is read at the positions of a row
// and a key; no tensor of all scores is made.
// CHECK-LABEL: func.func @documents
// CHECK-NOT: onnx.Equal
// CHECK: ds.attention %arg0, %arg1, %arg2 mask_mod {
// CHECK-NEXT: ^bb0(%[[B:.*]]: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK: %[[R:.*]] = tensor.extract %{{.*}}[%[[B]], %{{.*}}, %[[I]], %{{.*}}] : tensor<2x1x6x1xi64>
// CHECK: %[[C:.*]] = tensor.extract %{{.*}}[%[[B]], %{{.*}}, %{{.*}}, %[[J]]] : tensor<2x1x1x6xi64>
// CHECK: %[[E:.*]] = arith.cmpi eq, %[[R]], %[[C]] : i64
// CHECK: ds.yield %[[E]] : i1
func.func @documents(%q: tensor<2x2x6x8xf32>, %k: tensor<2x2x6x8xf32>, %v: tensor<2x2x6x8xf32>, %rows: tensor<2x1x6x1xi64>, %keys: tensor<2x1x1x6xi64>) -> tensor<2x2x6x8xf32> {
  %inf = onnx.Constant dense<0xFF800000> : tensor<f32>
  %same = onnx.Equal %rows, %keys : (tensor<2x1x6x1xi64>, tensor<2x1x1x6xi64>) -> tensor<2x1x6x6xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<2x2x6x8xf32>) -> tensor<2x2x8x6xf32>
  %s = onnx.MatMul %q, %kt : (tensor<2x2x6x8xf32>, tensor<2x2x8x6xf32>) -> tensor<2x2x6x6xf32>
  %m = onnx.Where %same, %s, %inf : (tensor<2x1x6x6xi1>, tensor<2x2x6x6xf32>, tensor<f32>) -> tensor<2x2x6x6xf32>
  %p = onnx.Softmax %m : (tensor<2x2x6x6xf32>) -> tensor<2x2x6x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<2x2x6x6xf32>, tensor<2x2x6x8xf32>) -> tensor<2x2x6x8xf32>
  return %y : tensor<2x2x6x8xf32>
}

// -----

// A bias of distance is arithmetic on positions (ALiBi). Rows count from 0 on,
// whatever the number of keys.
// CHECK-LABEL: func.func @alibi
// CHECK: %[[START:.*]] = onnx.Expand
// CHECK: ds.attention %arg0, %arg1, %arg2 query_start %[[START]] score_mod {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[H:.*]]: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK: tensor.extract %arg3[%[[H]], %{{.*}}, %{{.*}}] : tensor<2x1x1xf32>
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.addf %[[S]], %{{.*}} : f32
func.func @alibi(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %slopes: tensor<2x1x1xf32>) -> tensor<1x2x4x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %four = onnx.Constant dense<4> : tensor<i64>
  %six = onnx.Constant dense<6> : tensor<i64>
  %axis = onnx.Constant dense<1> : tensor<1xi64>
  %i = onnx.Range %zero, %four, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<4xi64>
  %j = onnx.Range %zero, %six, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<6xi64>
  %row = onnx.Unsqueeze %i, %axis : (tensor<4xi64>, tensor<1xi64>) -> tensor<4x1xi64>
  %d = onnx.Sub %j, %row : (tensor<6xi64>, tensor<4x1xi64>) -> tensor<4x6xi64>
  %f = onnx.Cast %d {to = f32} : (tensor<4x6xi64>) -> tensor<4x6xf32>
  %bias = onnx.Mul %slopes, %f : (tensor<2x1x1xf32>, tensor<4x6xf32>) -> tensor<2x4x6xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x6x8xf32>) -> tensor<1x2x8x6xf32>
  %s = onnx.MatMul %q, %kt : (tensor<1x2x4x8xf32>, tensor<1x2x8x6xf32>) -> tensor<1x2x4x6xf32>
  %m = onnx.Add %s, %bias : (tensor<1x2x4x6xf32>, tensor<2x4x6xf32>) -> tensor<1x2x4x6xf32>
  %p = onnx.Softmax %m : (tensor<1x2x4x6xf32>) -> tensor<1x2x4x6xf32>
  %y = onnx.MatMul %p, %v : (tensor<1x2x4x6xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

// What multiplies weights by more than a number for each row is a prob_mod.
// CHECK-LABEL: func.func @weights
// CHECK: ds.attention %arg0, %arg1, %arg2 prob_mod {
// CHECK: arith.mulf %[[W:.*]], %[[W]] : f32
func.func @weights(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x4x8xf32>) -> tensor<1x2x8x4xf32>
  %s = onnx.MatMul %q, %kt : (tensor<1x2x4x8xf32>, tensor<1x2x8x4xf32>) -> tensor<1x2x4x4xf32>
  %p = onnx.Softmax %s : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %w = onnx.Mul %p, %p : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = onnx.MatMul %w, %v : (tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

// A sum over scores is no function of one of them.
// CHECK-LABEL: func.func @sum
// CHECK-NOT: ds.attention
func.func @sum(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %axis = onnx.Constant dense<3> : tensor<i64>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x2x4x8xf32>) -> tensor<1x2x8x4xf32>
  %s = onnx.MatMul %q, %kt : (tensor<1x2x4x8xf32>, tensor<1x2x8x4xf32>) -> tensor<1x2x4x4xf32>
  %c = onnx.CumSum %s, %axis : (tensor<1x2x4x4xf32>, tensor<i64>) -> tensor<1x2x4x4xf32>
  %p = onnx.Softmax %c : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = onnx.MatMul %p, %v : (tensor<1x2x4x4xf32>, tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}
