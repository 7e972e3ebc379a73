// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @concat
// CHECK-SAME: -> tensor<?x?xf32>
func.func @concat(%x: tensor<?x4xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK-DAG: %[[N:.*]] = tensor.dim %arg0, %c0
  // CHECK-DAG: %[[M:.*]] = tensor.dim %arg1, %c1
  // CHECK-DAG: ds.check {{.*}} "its operands differ in a dim: {0} and {1}"
  // CHECK-DAG: tensor.insert_slice %arg0 into %{{.*}}[0, 0] [%[[N]], 4] [1, 1]
  // CHECK: tensor.insert_slice %arg1 into %{{.*}}[0, 4] [%[[N]], %[[M]]] [1, 1]
  %c = onnx.Concat %x, %y {axis = -1 : i64} : (tensor<?x4xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %c : tensor<?x?xf32>
}

// -----

// Bounds past the end are the end; a forward slice is a view.
// CHECK-LABEL: func.func @slice
// CHECK-SAME: -> tensor<?x3xf32>
func.func @slice(%x: tensor<?x8xf32>) -> tensor<?x?xf32> {
  // CHECK: tensor.extract_slice %arg0[%{{.*}}, 1] [%{{.*}}, 3] [1, 2] : tensor<?x8xf32> to tensor<?x3xf32>
  %starts = onnx.Constant dense<[-2, 1]> : tensor<2xi64>
  %ends = onnx.Constant dense<[9223372036854775807, -1]> : tensor<2xi64>
  %axes = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %steps = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %s = onnx.Slice %x, %starts, %ends, %axes, %steps : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}

// -----

// The whole of a dim is the operand itself.
// CHECK-LABEL: func.func @slice_whole
func.func @slice_whole(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: return %arg0
  %starts = onnx.Constant dense<0> : tensor<1xi64>
  %ends = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %none = onnx.NoValue
  %s = onnx.Slice %x, %starts, %ends, %none, %none : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, none, none) -> tensor<?x8xf32>
  return %s : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @slice_backwards
// CHECK-SAME: -> tensor<8xf32>
func.func @slice_backwards(%x: tensor<8xf32>) -> tensor<?xf32> {
  // CHECK: linalg.generic
  // CHECK: linalg.index 0
  // CHECK: %[[I:.*]] = arith.subi %c7
  // CHECK: tensor.extract %arg0[%[[I]]]
  %starts = onnx.Constant dense<-1> : tensor<1xi64>
  %ends = onnx.Constant dense<-9223372036854775808> : tensor<1xi64>
  %none = onnx.NoValue
  %steps = onnx.Constant dense<-1> : tensor<1xi64>
  %s = onnx.Slice %x, %starts, %ends, %none, %steps : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, none, tensor<1xi64>) -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// -----

// A step that only run time knows may not be 0, whichever way it goes.
// CHECK-LABEL: func.func @slice_by_data
func.func @slice_by_data(%x: tensor<?xf32>, %start: tensor<1xi64>, %end: tensor<1xi64>, %step: tensor<1xi64>) -> tensor<?xf32> {
  // CHECK: arith.ceildivsi
  // CHECK: ds.check {{.*}} "a step is {0}"
  // CHECK: linalg.generic
  // CHECK: tensor.extract
  %none = onnx.NoValue
  %s = onnx.Slice %x, %start, %end, %none, %step : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, none, tensor<1xi64>) -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// -----

// The last part is what is left.
// CHECK-LABEL: func.func @split_uneven
// CHECK-SAME: -> (tensor<3x?xf32>, tensor<3x?xf32>, tensor<1x?xf32>)
func.func @split_uneven(%x: tensor<7x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  // CHECK: tensor.extract_slice %arg0[0, 0] [3, %{{.*}}]
  // CHECK: tensor.extract_slice %arg0[3, 0] [3, %{{.*}}]
  // CHECK: tensor.extract_slice %arg0[6, 0] [1, %{{.*}}]
  %none = onnx.NoValue
  %0:3 = onnx.Split %x, %none {num_outputs = 3 : i64} : (tensor<7x?xf32>, none) -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>)
  return %0#0, %0#1, %0#2 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @split_by_data
func.func @split_by_data(%x: tensor<?xf32>, %sizes: tensor<2xi64>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK-COUNT-2: ds.check {{.*}} "cannot cut a part of size {0}"
  // CHECK: ds.check {{.*}} "its sizes add up to {0} but the dim is {1}"
  // CHECK-COUNT-2: tensor.extract_slice
  %0:2 = onnx.Split %x, %sizes : (tensor<?xf32>, tensor<2xi64>) -> (tensor<?xf32>, tensor<?xf32>)
  return %0#0, %0#1 : tensor<?xf32>, tensor<?xf32>
}

// -----

// The parts of a shape are shapes.
// CHECK-LABEL: func.func @split_of_shape
// CHECK-SAME: -> tensor<?x8xf32>
func.func @split_of_shape(%x: tensor<?x8xf32>, %y: tensor<?xf32> {ds.symbols = ["y"]}) -> tensor<?x?xf32> {
  %s = onnx.Shape %x : (tensor<?x8xf32>) -> tensor<2xi64>
  %none = onnx.NoValue
  %0:2 = onnx.Split %s, %none {num_outputs = 2 : i64} : (tensor<2xi64>, none) -> (tensor<1xi64>, tensor<1xi64>)
  %any = onnx.Constant dense<-1> : tensor<1xi64>
  %to = onnx.Concat %any, %0#1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x8xf32>
  %r = onnx.Reshape %y, %to : (tensor<?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// Removing before and adding after: a part of the operand in a fill.
// CHECK-LABEL: func.func @pad_constant
// CHECK-SAME: -> tensor<?x5xf32>
func.func @pad_constant(%x: tensor<?x4xf32>) -> tensor<?x?xf32> {
  // CHECK: %[[X:.*]] = tensor.extract_slice %arg0[0, 1] [%[[N:.*]], 3] [1, 1]
  // CHECK: %[[F:.*]] = linalg.fill
  // CHECK: tensor.insert_slice %[[X]] into %[[F]][1, 0] [%[[N]], 3] [1, 1]
  %pads = onnx.Constant dense<[1, -1, 0, 2]> : tensor<4xi64>
  %none = onnx.NoValue
  %p = onnx.Pad %x, %pads, %none, %none : (tensor<?x4xf32>, tensor<4xi64>, none, none) -> tensor<?x?xf32>
  return %p : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: func.func @pad_reflect
// CHECK-SAME: -> tensor<8xf32>
func.func @pad_reflect(%x: tensor<4xf32>) -> tensor<?xf32> {
  // CHECK: linalg.generic
  // CHECK: arith.remsi
  // CHECK: tensor.extract %arg0
  %pads = onnx.Constant dense<[2, 2]> : tensor<2xi64>
  %none = onnx.NoValue
  %p = onnx.Pad %x, %pads, %none, %none {mode = "reflect"} : (tensor<4xf32>, tensor<2xi64>, none, none) -> tensor<?xf32>
  return %p : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @pad_edge_by_data
func.func @pad_edge_by_data(%x: tensor<?xf32>, %pads: tensor<2xi64>) -> tensor<?xf32> {
  // CHECK: ds.check {{.*}} "its pads leave a dim with {0} elements"
  // CHECK: ds.check {{.*}} "cannot repeat the elements of a dim of {0}"
  // CHECK: ds.check {{.*}} "a pad is {0}, which only mode constant supports"
  // CHECK: ds.check {{.*}} "a pad is {0}, which only mode constant supports"
  // CHECK: tensor.extract %arg0
  %none = onnx.NoValue
  %p = onnx.Pad %x, %pads, %none, %none {mode = "edge"} : (tensor<?xf32>, tensor<2xi64>, none, none) -> tensor<?xf32>
  return %p : tensor<?xf32>
}
