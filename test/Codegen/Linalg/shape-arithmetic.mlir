// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// How exporters spell expand(-1, n): a mask of the sizes that are -1.
// CHECK-LABEL: func.func @expand_with_mask
// CHECK-SAME: -> tensor<?x3xf32>
func.func @expand_with_mask(%x: tensor<?x1xf32>, %y: tensor<?x3xf32>) -> tensor<?x?xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %arg0, %c0
  // CHECK-NOT: i64
  // CHECK: tensor.empty(%[[N]]) : tensor<?x3xf32>
  // CHECK-NEXT: linalg.generic
  // CHECK-NOT: linalg.generic
  // CHECK: return
  %s = onnx.Shape %y {start = 1 : i64} : (tensor<?x3xf32>) -> tensor<1xi64>
  %keep = onnx.Constant dense<-1> : tensor<1xi64>
  %sizes = onnx.Concat %keep, %s {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %rank = onnx.Shape %sizes : (tensor<2xi64>) -> tensor<1xi64>
  %ones = onnx.ConstantOfShape %rank {value = dense<1> : tensor<1xi64>} : (tensor<1xi64>) -> tensor<2xi64>
  %minus = onnx.Constant dense<-1> : tensor<i64>
  %marks = onnx.Mul %ones, %minus : (tensor<2xi64>, tensor<i64>) -> tensor<2xi64>
  %mask = onnx.Equal %sizes, %marks : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi1>
  %to = onnx.Where %mask, %ones, %sizes : (tensor<2xi1>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %e = onnx.Expand %x, %to : (tensor<?x1xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %e : tensor<?x?xf32>
}

// -----

// A table of positions, cut to the sequence: its sum with the sequence is not
// left to run time, beyond the check that the table is long enough.
// CHECK-LABEL: func.func @positions
// CHECK-SAME: -> tensor<?x?x4xf32>
func.func @positions(%x: tensor<?x?x4xf32>, %table: tensor<1x512x4xf32>) -> tensor<?x?x?xf32> {
  // CHECK-DAG: %[[S:.*]] = tensor.dim %arg0, %c1
  // CHECK-DAG: %[[CUT:.*]] = arith.minsi %[[S]], %c512
  // CHECK: tensor.extract_slice %arg1[0, 0, 0] [1, %[[CUT]], 4]
  // CHECK: ds.check %{{.*}}, %[[CUT]], %[[S]]
  // CHECK: linalg.generic
  // CHECK-NOT: tensor.extract %
  // CHECK: return
  %s = onnx.Shape %x : (tensor<?x?x4xf32>) -> tensor<3xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %n = onnx.Gather %s, %one : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %none = onnx.NoValue
  %p = onnx.Slice %table, %zero, %n, %one, %none : (tensor<1x512x4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x?x?xf32>
  %sum = onnx.Add %x, %p : (tensor<?x?x4xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %sum : tensor<?x?x?xf32>
}

// -----

// Integers all the way: a scatter into a shape, tiled and sliced backwards.
// CHECK-LABEL: func.func @movements
// CHECK-SAME: -> tensor<7x?xf32>
func.func @movements(%x: tensor<?x7xf32>) -> tensor<?x?xf32> {
  // CHECK-NOT: i64
  // CHECK: tensor.collapse_shape
  // CHECK: return
  %s = onnx.Shape %x : (tensor<?x7xf32>) -> tensor<2xi64>
  %none = onnx.NoValue
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %first = onnx.Constant dense<-9223372036854775808> : tensor<1xi64>
  %back = onnx.Slice %s, %last, %first, %none, %last : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, none, tensor<1xi64>) -> tensor<2xi64>
  %twice = onnx.Constant dense<2> : tensor<1xi64>
  %tiled = onnx.Tile %back, %twice : (tensor<2xi64>, tensor<1xi64>) -> tensor<4xi64>
  %at = onnx.Constant dense<[[3, 1]]> : tensor<1x2xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %row = onnx.Unsqueeze %tiled, %zero : (tensor<4xi64>, tensor<1xi64>) -> tensor<1x4xi64>
  %new = onnx.Constant dense<[[5, -1]]> : tensor<1x2xi64>
  // 7, -1, 7, 5
  %set = onnx.ScatterElements %row, %at, %new {axis = 1 : i64} : (tensor<1x4xi64>, tensor<1x2xi64>, tensor<1x2xi64>) -> tensor<1x4xi64>
  %col = onnx.Transpose %set : (tensor<1x4xi64>) -> tensor<4x1xi64>
  %pick = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %two = onnx.Gather %col, %pick : (tensor<4x1xi64>, tensor<2xi64>) -> tensor<2x1xi64>
  %to = onnx.Squeeze %two, %last : (tensor<2x1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %r = onnx.Reshape %x, %to : (tensor<?x7xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}
