// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Out of range and NaN are defined: the bounds are applied before conversion.
// CHECK-LABEL: func.func @float_to_int
func.func @float_to_int(%x: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xui8>, tensor<4xi32>) {
  // CHECK-DAG: %[[LOW8:.*]] = arith.constant -1.280000e+02 : f32
  // CHECK-DAG: %[[HIGH8:.*]] = arith.constant 1.270000e+02 : f32
  // CHECK-DAG: %[[HIGHU8:.*]] = arith.constant 2.550000e+02 : f32
  // CHECK-DAG: %[[BELOW31:.*]] = arith.constant 2.14748352E+9 : f32
  // CHECK: %[[ORD:.*]] = arith.cmpf ord, %[[X:.*]], %[[X]]
  // CHECK: %[[N:.*]] = arith.select %[[ORD]], %[[X]], %[[LOW8]]
  // CHECK: %[[L:.*]] = arith.maxnumf %[[N]], %[[LOW8]]
  // CHECK: %[[C:.*]] = arith.minnumf %[[L]], %[[HIGH8]]
  // CHECK: %[[R:.*]] = arith.fptosi %[[C]] : f32 to i8
  // CHECK-NEXT: linalg.yield %[[R]]
  %0 = onnx.Cast %x {to = i8} : (tensor<4xf32>) -> tensor<4xi8>
  // CHECK: arith.minnumf %{{.*}}, %[[HIGHU8]]
  // CHECK: arith.fptoui {{.*}} : f32 to i8
  %1 = onnx.Cast %x {to = ui8} : (tensor<4xf32>) -> tensor<4xui8>
  // The greatest i32 is no f32: above the last one in range, it is chosen.
  // CHECK: arith.minnumf %{{.*}}, %[[BELOW31]]
  // CHECK: %[[R32:.*]] = arith.fptosi {{.*}} : f32 to i32
  // CHECK: %[[ABOVE:.*]] = arith.cmpf ogt, %{{.*}}, %[[BELOW31]]
  // CHECK: arith.select %[[ABOVE]], %c2147483647_i32, %[[R32]]
  %2 = onnx.Cast %x {to = i32} : (tensor<4xf32>) -> tensor<4xi32>
  return %0, %1, %2 : tensor<4xi8>, tensor<4xui8>, tensor<4xi32>
}

// -----

// CHECK-LABEL: func.func @bool
// CHECK-SAME: -> (tensor<4xi8>, tensor<4xf32>)
func.func @bool(%x: tensor<4xf32>) -> (tensor<4xi1>, tensor<4xf32>) {
  // A NaN is true.
  // CHECK: %[[B:.*]] = arith.cmpf une
  // CHECK: arith.extui %[[B]] : i1 to i8
  %0 = onnx.Cast %x {to = i1} : (tensor<4xf32>) -> tensor<4xi1>
  // CHECK: %[[T:.*]] = arith.cmpi ne, %{{.*}}, %c0_i8
  // CHECK: arith.uitofp %[[T]] : i1 to f32
  %1 = onnx.Cast %0 {to = f32} : (tensor<4xi1>) -> tensor<4xf32>
  return %0, %1 : tensor<4xi1>, tensor<4xf32>
}

// -----

// No rounding on the way.
// CHECK-LABEL: func.func @half
func.func @half(%x: tensor<4xf64>, %n: tensor<4xi32>) -> (tensor<4xf16>, tensor<4xbf16>, tensor<4xbf16>) {
  // CHECK: arith.truncf {{.*}} : f64 to f16
  %0 = onnx.Cast %x {to = f16} : (tensor<4xf64>) -> tensor<4xf16>
  // CHECK: arith.extf {{.*}} : f16 to f32
  // CHECK-NEXT: arith.truncf {{.*}} : f32 to bf16
  %1 = onnx.Cast %0 {to = bf16} : (tensor<4xf16>) -> tensor<4xbf16>
  // CHECK: arith.sitofp {{.*}} : i32 to bf16
  %2 = onnx.Cast %n {to = bf16} : (tensor<4xi32>) -> tensor<4xbf16>
  return %0, %1, %2 : tensor<4xf16>, tensor<4xbf16>, tensor<4xbf16>
}

// -----

// CHECK-LABEL: func.func @ints
func.func @ints(%x: tensor<4xui8>, %y: tensor<4xi8>) -> (tensor<4xi32>, tensor<4xi32>, tensor<4xui8>) {
  // CHECK: arith.extui {{.*}} : i8 to i32
  %0 = onnx.Cast %x {to = i32} : (tensor<4xui8>) -> tensor<4xi32>
  // CHECK: arith.extsi {{.*}} : i8 to i32
  %1 = onnx.Cast %y {to = i32} : (tensor<4xi8>) -> tensor<4xi32>
  // Signedness is not stored: nothing to do.
  // CHECK-NOT: linalg.generic
  %2 = onnx.CastLike %y, %x : (tensor<4xi8>, tensor<4xui8>) -> tensor<4xui8>
  return %0, %1, %2 : tensor<4xi32>, tensor<4xi32>, tensor<4xui8>
}
