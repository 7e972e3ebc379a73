// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// Two dims of one symbol are one value: no broadcast is left to run time.
// CHECK-LABEL: func.func @same_symbol
func.func @same_symbol(%x: tensor<?xf32> {ds.symbols = ["n"]},
                       %y: tensor<?xf32> {ds.symbols = ["n"]}) -> tensor<?xf32> {
  // CHECK-NOT: tensor.extract
  // CHECK-NOT: ds.check
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>)
  // CHECK: arith.addf
  %0 = onnx.Add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// What cannot be decided is read by index, after a check that it is legal.
// CHECK-LABEL: func.func @undecided
func.func @undecided(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: %[[FITS:.*]] = arith.ori
  // CHECK: ds.check %[[FITS]], {{.*}} "a dim of {0} does not broadcast to {1}"
  // CHECK: linalg.generic
  // CHECK: arith.minsi
  // CHECK: tensor.extract
  %0 = onnx.Add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// Dims of size 1 stand still, nothing is materialized.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (0, d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @outer
func.func @outer(%x: tensor<1x4xf32>, %y: tensor<?x1xf32>) -> tensor<?x4xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[ROW]], #[[COLUMN]], {{.*}}
  %0 = onnx.Mul %x, %y : (tensor<1x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Half precision is computed in f32.
// CHECK-LABEL: func.func @half
func.func @half(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  // CHECK: %[[X:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[Y:.*]] = math.sqrt %[[X]] : f32
  // CHECK: arith.truncf %[[Y]] : f32 to bf16
  %0 = onnx.Sqrt %x : (tensor<4xbf16>) -> tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// -----

// No division traps: by zero it gives 0, by -1 the negation.
// CHECK-LABEL: func.func @int_division
// CHECK-SAME: (%{{.*}}: tensor<4xi32>, %{{.*}}: tensor<4xi32>)
func.func @int_division(%x: tensor<4xi32>, %y: tensor<4xi32>) -> tensor<4xi32> {
  // CHECK: ^bb0(%[[L:.*]]: i32, %[[R:.*]]: i32, %{{.*}}: i32):
  // CHECK: %[[ZERO:.*]] = arith.cmpi eq, %[[R]], %c0_i32
  // CHECK: %[[D0:.*]] = arith.select %[[ZERO]], %c1_i32, %[[R]]
  // CHECK: %[[MINUS:.*]] = arith.cmpi eq, %[[R]], %c-1_i32
  // CHECK: %[[D:.*]] = arith.select %[[MINUS]], %c1_i32, %[[D0]]
  // CHECK: %[[Q:.*]] = arith.divsi %[[L]], %[[D]]
  // CHECK: %[[NEG:.*]] = arith.subi %c0_i32, %[[L]]
  // CHECK: %[[Q1:.*]] = arith.select %[[MINUS]], %[[NEG]], %[[Q]]
  // CHECK: arith.select %[[ZERO]], %c0_i32, %[[Q1]]
  %0 = onnx.Div %x, %y : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// Signedness is the ONNX type's: the storage type has none.
// CHECK-LABEL: func.func @unsigned
// CHECK-SAME: tensor<4xi8>
func.func @unsigned(%x: tensor<4xui8>, %y: tensor<4xui8>) -> (tensor<4xui8>, tensor<4xui8>) {
  // CHECK: arith.divui
  // CHECK: arith.maxui
  %0 = onnx.Div %x, %y : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %1 = onnx.Max %0, %x : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0, %1 : tensor<4xui8>, tensor<4xui8>
}

// -----

// CHECK-LABEL: func.func @power
func.func @power(%x: tensor<4xf32>, %n: tensor<4xi64>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // A cube is two products.
  // CHECK: arith.mulf
  // CHECK-NEXT: arith.mulf
  // CHECK-NEXT: linalg.yield
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %0 = onnx.Pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // CHECK: math.powf %{{.*}}, %cst{{.*}} : f32
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %1 = onnx.Pow %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  // An i64 has bits that an f32 would lose.
  // CHECK: arith.sitofp %{{.*}} : i64 to f64
  // CHECK: math.powf {{.*}} : f64
  // CHECK: arith.truncf {{.*}} : f64 to f32
  %2 = onnx.Pow %x, %n : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
  return %0, %1, %2 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @clip
func.func @clip(%x: tensor<4xf32>, %high: tensor<f32>) -> tensor<4xf32> {
  // CHECK-NOT: arith.maximumf
  // CHECK: arith.minimumf
  %none = onnx.NoValue
  %0 = onnx.Clip %x, %none, %high : (tensor<4xf32>, none, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
