// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Positions up to a dim: the length is the dim itself.
// CHECK-LABEL: func.func @positions
func.func @positions(%x: tensor<?x?xi64>) -> tensor<?xi64> {
  // CHECK: %[[S:.*]] = tensor.dim %arg0, %c1
  // CHECK-NOT: ds.check
  // CHECK: tensor.empty(%[[S]]) : tensor<?xi64>
  // CHECK: linalg.index 0
  %s = onnx.Shape %x : (tensor<?x?xi64>) -> tensor<2xi64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %zero = onnx.Constant dense<0> : tensor<i64>
  %n = onnx.Gather %s, %one : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %r = onnx.Range %zero, %n, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %r : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @range_by_data
func.func @range_by_data(%a: tensor<i32>, %b: tensor<i32>, %d: tensor<i32>) -> tensor<?xi32> {
  // CHECK: ds.check {{.*}} "its delta is {0}"
  // CHECK: ds.check {{.*}} "its range from {0} to {1} is longer than 2^63"
  // CHECK: arith.ceildivsi
  // CHECK: arith.maxsi
  %r = onnx.Range %a, %b, %d : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<?xi32>
  return %r : tensor<?xi32>
}

// -----

// CHECK-LABEL: func.func @range_of_floats
// CHECK-SAME: -> tensor<4xf16>
func.func @range_of_floats() -> tensor<?xf16> {
  // CHECK: arith.mulf %{{.*}} : f32
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %a = onnx.Constant dense<1.0> : tensor<f16>
  %b = onnx.Constant dense<2.75> : tensor<f16>
  %d = onnx.Constant dense<0.5> : tensor<f16>
  %r = onnx.Range %a, %b, %d : (tensor<f16>, tensor<f16>, tensor<f16>) -> tensor<?xf16>
  return %r : tensor<?xf16>
}

// -----

// A shape used as data.
// CHECK-LABEL: func.func @shape_as_data
func.func @shape_as_data(%x: tensor<?x4xf32>, %y: tensor<2x3xf32>) -> (tensor<2xi64>, tensor<i64>, tensor<2xi64>) {
  // CHECK-DAG: %[[Y:.*]] = arith.constant dense<[2, 3]> : tensor<2xi64>
  // CHECK: %[[X:.*]] = linalg.generic
  // CHECK: arith.select
  // CHECK: %[[N:.*]] = linalg.generic
  // CHECK: return %[[X]], %[[N]], %[[Y]]
  %0 = onnx.Shape %x : (tensor<?x4xf32>) -> tensor<2xi64>
  %1 = onnx.Size %x : (tensor<?x4xf32>) -> tensor<i64>
  %2 = onnx.Shape %y : (tensor<2x3xf32>) -> tensor<2xi64>
  return %0, %1, %2 : tensor<2xi64>, tensor<i64>, tensor<2xi64>
}

// -----

// CHECK-LABEL: func.func @constant_of_shape
func.func @constant_of_shape(%s: tensor<2xi64>) -> (tensor<?x?xui8>, tensor<3xi1>) {
  // CHECK-DAG: %[[V:.*]] = arith.constant -56 : i8
  // CHECK-DAG: %[[T:.*]] = arith.constant 1 : i8
  // CHECK-COUNT-2: ds.check {{.*}} "its shape has a dim of {0}"
  // CHECK: linalg.fill ins(%[[V]] : i8)
  // CHECK: linalg.fill ins(%[[T]] : i8)
  %0 = onnx.ConstantOfShape %s {value = dense<200> : tensor<1xui8>} : (tensor<2xi64>) -> tensor<?x?xui8>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %1 = onnx.ConstantOfShape %three {value = dense<true> : tensor<1xi1>} : (tensor<1xi64>) -> tensor<3xi1>
  return %0, %1 : tensor<?x?xui8>, tensor<3xi1>
}

// -----

// CHECK-LABEL: func.func @triangle
func.func @triangle(%x: tensor<?x?xi1>, %k: tensor<i64>) -> tensor<?x?xi1> {
  // CHECK: %[[K:.*]] = arith.index_cast %{{.*}} : i64 to index
  // CHECK: linalg.generic
  // CHECK: %[[D:.*]] = arith.subi
  // CHECK: arith.cmpi sle, %[[D]], %[[K]]
  // CHECK: arith.select %{{.*}} : i8
  %t = onnx.Trilu %x, %k {upper = 0 : i64} : (tensor<?x?xi1>, tensor<i64>) -> tensor<?x?xi1>
  return %t : tensor<?x?xi1>
}

// -----

// CHECK-LABEL: func.func @eye
func.func @eye(%x: tensor<3x4xi32>) -> tensor<3x4xf32> {
  // CHECK: arith.cmpi eq
  // CHECK: arith.select %{{.*}} : f32
  %e = onnx.EyeLike %x {k = 1 : i64} : (tensor<3x4xi32>) -> tensor<3x4xf32>
  return %e : tensor<3x4xf32>
}

// -----

// CHECK-LABEL: func.func @one_hot
// CHECK-SAME: -> tensor<?x10xf32>
func.func @one_hot(%i: tensor<?xi64>, %v: tensor<2xf32>) -> tensor<?x?xf32> {
  // CHECK: tensor.extract %arg1[%c0]
  // CHECK: tensor.extract %arg1[%c1]
  // CHECK: arith.addi %{{.*}}, %c10
  // CHECK: arith.select
  %depth = onnx.Constant dense<10> : tensor<i64>
  %o = onnx.OneHot %i, %depth, %v : (tensor<?xi64>, tensor<i64>, tensor<2xf32>) -> tensor<?x?xf32>
  return %o : tensor<?x?xf32>
}
