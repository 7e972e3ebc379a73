// RUN: ds-opt %s --split-input-file --onnx-infer-shapes | FileCheck %s

// The shape of a result is a choice where branches differ, and static where
// they agree; ops in branches get types, too.
// CHECK-LABEL: func.func @choice
// CHECK-SAME: -> (tensor<?x4xf32>, tensor<?xf32>)
func.func @choice(%c: tensor<1xi1>, %x: tensor<?x4xf32>, %y: tensor<3x4xf32>) -> (tensor<?x?xf32>, tensor<?xf32>) {
  // CHECK: onnx.If %{{.*}} : (tensor<1xi1>) -> (tensor<?x4xf32>, tensor<?xf32>)
  %0:2 = onnx.If %c : (tensor<1xi1>) -> (tensor<?x?xf32>, tensor<?xf32>) {
    // CHECK: onnx.Neg {{.*}} -> tensor<?x4xf32>
    %1 = onnx.Neg %x : (tensor<?x4xf32>) -> tensor<?x?xf32>
    %2 = onnx.Constant dense<1.0> : tensor<2xf32>
    onnx.Yield %1, %2 : tensor<?x?xf32>, tensor<2xf32>
  } else {
    // CHECK: onnx.Abs {{.*}} -> tensor<3x4xf32>
    %1 = onnx.Abs %y : (tensor<3x4xf32>) -> tensor<?x?xf32>
    %2 = onnx.Constant dense<1.0> : tensor<3xf32>
    onnx.Yield %1, %2 : tensor<?x?xf32>, tensor<3xf32>
  }
  return %0#0, %0#1 : tensor<?x?xf32>, tensor<?xf32>
}

// -----

// A condition of static dims leaves one branch, in place of a nested one, too.
// CHECK-LABEL: func.func @known
// CHECK-NOT: onnx.If
// CHECK: %[[A:.*]] = onnx.Abs
// CHECK: %[[B:.*]] = onnx.Exp %[[A]]
// CHECK: return %[[B]] : tensor<2xf32>
func.func @known(%x: tensor<2xf32>) -> tensor<?xf32> {
  %n = onnx.Size %x : (tensor<2xf32>) -> tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %c = onnx.Equal %n, %two : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %d = onnx.Greater %n, %two : (tensor<i64>, tensor<i64>) -> tensor<i1>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    %1 = onnx.If %d : (tensor<i1>) -> tensor<?xf32> {
      %2 = onnx.Neg %x : (tensor<2xf32>) -> tensor<2xf32>
      onnx.Yield %2 : tensor<2xf32>
    } else {
      %2 = onnx.Abs %x : (tensor<2xf32>) -> tensor<?xf32>
      onnx.Yield %2 : tensor<?xf32>
    }
    %3 = onnx.Exp %1 : (tensor<?xf32>) -> tensor<?xf32>
    onnx.Yield %3 : tensor<?xf32>
  } else {
    onnx.Yield %x : tensor<2xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

// What branches compute for shapes is arithmetic, which stands before them.
// CHECK-LABEL: func.func @elements
// CHECK-SAME: -> tensor<?x2xf32>
func.func @elements(%c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?x?xf32> {
  %n = onnx.Size %x : (tensor<?xf32>) -> tensor<i64>
  %0 = onnx.If %c : (tensor<i1>) -> tensor<1xi64> {
    %1 = onnx.Constant dense<3> : tensor<1xi64>
    onnx.Yield %1 : tensor<1xi64>
  } else {
    %2 = onnx.Constant dense<[1]> : tensor<1xi64>
    %1 = onnx.Reshape %n, %2 : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
    onnx.Yield %1 : tensor<1xi64>
  }
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %s = onnx.Concat %0, %two {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %r = onnx.ConstantOfShape %s : (tensor<2xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// A branch knows its own condition.
// CHECK-LABEL: func.func @again
// CHECK-SAME: -> tensor<6xf32>
func.func @again(%c: tensor<i1>, %x: tensor<6xf32>, %y: tensor<5xf32>) -> tensor<?xf32> {
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    %1 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
      onnx.Yield %x : tensor<6xf32>
    } else {
      onnx.Yield %y : tensor<5xf32>
    }
    onnx.Yield %1 : tensor<?xf32>
  } else {
    onnx.Yield %x : tensor<6xf32>
  }
  return %0 : tensor<?xf32>
}
