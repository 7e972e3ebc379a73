// RUN: ds-opt %s --ds-raise-rope --split-input-file --remarks-filter-missed=ds-raise-rope --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// CHECK-NOT: ds.rope

// The halves of a row turn by other angles.
func.func @other_angles(%x: tensor<?x2x5x8xf32>, %z: tensor<?x2x5x8xf32>, %angles: tensor<1x5x4xf32>, %more: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %more {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %s0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x5x4xf32>) -> tensor<?x2x5x4xf32>
  %4 = onnx.Concat %3, %1 {axis = 3 : i64} : (tensor<?x2x5x4xf32>, tensor<?x2x5x4xf32>) -> tensor<?x2x5x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  // expected-remark @+1 {{is no rotary embedding: its cos is not made of angles that repeat}}
  %6 = onnx.Add %0, %5 : (tensor<?x2x5x8xf32>, tensor<?x2x5x8xf32>) -> tensor<?x2x5x8xf32>
  return %6 : tensor<?x2x5x8xf32>
}

// -----

// The sine where the cosine should be.
func.func @swapped(%x: tensor<?x2x5x8xf32>, %z: tensor<?x2x5x8xf32>, %angles: tensor<1x5x4xf32>, %more: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %s0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x5x4xf32>) -> tensor<?x2x5x4xf32>
  %4 = onnx.Concat %3, %1 {axis = 3 : i64} : (tensor<?x2x5x4xf32>, tensor<?x2x5x4xf32>) -> tensor<?x2x5x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  // expected-remark @+1 {{is no rotary embedding: its cos is not made of angles that repeat}}
  %6 = onnx.Add %0, %5 : (tensor<?x2x5x8xf32>, tensor<?x2x5x8xf32>) -> tensor<?x2x5x8xf32>
  return %6 : tensor<?x2x5x8xf32>
}

// -----

// Another tensor by the cosine.
func.func @other_x(%x: tensor<?x2x5x8xf32>, %z: tensor<?x2x5x8xf32>, %angles: tensor<1x5x4xf32>, %more: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %s0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %0 = onnx.Mul %z, %c : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x5x4xf32>) -> tensor<?x2x5x4xf32>
  %4 = onnx.Concat %3, %1 {axis = 3 : i64} : (tensor<?x2x5x4xf32>, tensor<?x2x5x4xf32>) -> tensor<?x2x5x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  // expected-remark @+1 {{is no rotary embedding: what is rotated is not multiplied by a cosine as well}}
  %6 = onnx.Add %0, %5 : (tensor<?x2x5x8xf32>, tensor<?x2x5x8xf32>) -> tensor<?x2x5x8xf32>
  return %6 : tensor<?x2x5x8xf32>
}

// -----

// The other half is negated: a rotation backwards, which is nothing that was missed.
func.func @first_negated(%x: tensor<?x2x5x8xf32>, %z: tensor<?x2x5x8xf32>, %angles: tensor<1x5x4xf32>, %more: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %s0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %3 = onnx.Neg %1 : (tensor<?x2x5x4xf32>) -> tensor<?x2x5x4xf32>
  %4 = onnx.Concat %3, %2 {axis = 3 : i64} : (tensor<?x2x5x4xf32>, tensor<?x2x5x4xf32>) -> tensor<?x2x5x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %6 = onnx.Add %0, %5 : (tensor<?x2x5x8xf32>, tensor<?x2x5x8xf32>) -> tensor<?x2x5x8xf32>
  return %6 : tensor<?x2x5x8xf32>
}

// -----

// The halves stay where they are.
func.func @not_rotated(%x: tensor<?x2x5x8xf32>, %z: tensor<?x2x5x8xf32>, %angles: tensor<1x5x4xf32>, %more: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %s0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x5x8xf32>, tensor<1xi64>) -> tensor<1x1x5x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x5x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x5x4xf32>) -> tensor<?x2x5x4xf32>
  %4 = onnx.Concat %1, %3 {axis = 3 : i64} : (tensor<?x2x5x4xf32>, tensor<?x2x5x4xf32>) -> tensor<?x2x5x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x5x8xf32>, tensor<1x1x5x8xf32>) -> tensor<?x2x5x8xf32>
  %6 = onnx.Add %0, %5 : (tensor<?x2x5x8xf32>, tensor<?x2x5x8xf32>) -> tensor<?x2x5x8xf32>
  return %6 : tensor<?x2x5x8xf32>
}

// -----

// Angles of rows that are not known to be those of x.
func.func @other_rows(%x: tensor<?x2x?x8xf32>, %z: tensor<?x2x?x8xf32>, %angles: tensor<1x?x4xf32>, %more: tensor<1x?x4xf32>) -> tensor<?x2x?x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x?x4xf32>, tensor<1x?x4xf32>) -> tensor<1x?x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %c = onnx.Unsqueeze %c0, %one : (tensor<1x?x8xf32>, tensor<1xi64>) -> tensor<1x1x?x8xf32>
  %s0 = onnx.Sin %a : (tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<1x?x8xf32>, tensor<1xi64>) -> tensor<1x1x?x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %last, %none : (tensor<?x2x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x?x4xf32>
  %2 = onnx.Slice %x, %four, %eight, %last, %none : (tensor<?x2x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x?x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %4 = onnx.Concat %3, %1 {axis = 3 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  // expected-remark @+1 {{is no rotary embedding: the angles of its cos may be of other rows than x}}
  %6 = onnx.Add %0, %5 : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %6 : tensor<?x2x?x8xf32>
}
