// RUN: ds-opt %s --ds-raise-rope --split-input-file | FileCheck %s

// Llama: angles of each sequence, which the cosine and the sine scale.
// CHECK-LABEL: func.func @llama
// CHECK-SAME: %[[X:.+]]: tensor<?x2x?x8xf32> {{.*}}, %[[A:.+]]: tensor<?x?x4xf32>
// CHECK-DAG: %[[C0:.+]] = onnx.Cos %[[A]] : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
// CHECK-DAG: %[[C:.+]] = onnx.Mul %[[C0]], %{{.+}} -> tensor<?x?x4xf32>
// CHECK-DAG: %[[S:.+]] = onnx.Sin %[[A]] : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
// CHECK: %[[Y:.+]] = ds.rope %[[X]], %[[C]], %[[S]] : (tensor<?x2x?x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x2x?x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @llama(%x: tensor<?x2x?x8xf32> {ds.symbols = ["b", "", "t", ""]}, %angles: tensor<?x?x4xf32> {ds.symbols = ["b", "t", ""]}) -> tensor<?x2x?x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %scale = onnx.Constant dense<1.5> : tensor<f32>
  %a = onnx.Concat %angles, %angles {axis = -1 : i64} : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x8xf32>
  %c0 = onnx.Cos %a : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %c1 = onnx.Mul %c0, %scale : (tensor<?x?x8xf32>, tensor<f32>) -> tensor<?x?x8xf32>
  %c = onnx.Unsqueeze %c1, %one : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x?x8xf32>
  %s0 = onnx.Sin %a : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %s = onnx.Unsqueeze %s0, %one : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x?x8xf32>
  %0 = onnx.Mul %x, %c : (tensor<?x2x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  %1 = onnx.Slice %x, %zero, %four, %three, %one : (tensor<?x2x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2x?x4xf32>
  %2 = onnx.Slice %x, %four, %end, %three, %one : (tensor<?x2x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x2x?x4xf32>
  %3 = onnx.Neg %2 : (tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %4 = onnx.Concat %3, %1 {axis = -1 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x8xf32>
  %5 = onnx.Mul %4, %s : (tensor<?x2x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x2x?x8xf32>
  %6 = onnx.Add %0, %5 : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  return %6 : tensor<?x2x?x8xf32>
}

// -----

// Half precision, whose angles are f32, without a batch; the sum and the
// products the other way round.
// CHECK-LABEL: func.func @half
// CHECK-SAME: %[[X:.+]]: tensor<?x2x5x8xf16>, %[[A:.+]]: tensor<1x5x4xf32>
// CHECK: %[[C0:.+]] = onnx.Cos %[[A]]
// CHECK: %[[C1:.+]] = onnx.Cast %[[C0]] {to = f16} : (tensor<1x5x4xf32>) -> tensor<1x5x4xf16>
// CHECK: %[[C:.+]] = onnx.Squeeze %[[C1]], %{{.+}} -> tensor<5x4xf16>
// CHECK: %[[S0:.+]] = onnx.Sin %[[A]]
// CHECK: %[[S1:.+]] = onnx.Cast %[[S0]]
// CHECK: %[[S:.+]] = onnx.Squeeze %[[S1]]
// CHECK: ds.rope %[[X]], %[[C]], %[[S]]
func.func @half(%x: tensor<?x2x5x8xf16>, %angles: tensor<1x5x4xf32>) -> tensor<?x2x5x8xf16> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %back = onnx.Constant dense<-4> : tensor<1xi64>
  %end = onnx.Constant dense<8> : tensor<1xi64>
  %none = onnx.NoValue
  %a = onnx.Concat %angles, %angles {axis = 2 : i64} : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x8xf32>
  %c0 = onnx.Cos %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %c1 = onnx.Cast %c0 {to = f16} : (tensor<1x5x8xf32>) -> tensor<1x5x8xf16>
  %c = onnx.Unsqueeze %c1, %one : (tensor<1x5x8xf16>, tensor<1xi64>) -> tensor<1x1x5x8xf16>
  %s0 = onnx.Sin %a : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  %s1 = onnx.Cast %s0 {to = f16} : (tensor<1x5x8xf32>) -> tensor<1x5x8xf16>
  %s = onnx.Unsqueeze %s1, %one : (tensor<1x5x8xf16>, tensor<1xi64>) -> tensor<1x1x5x8xf16>
  %0 = onnx.Mul %c, %x : (tensor<1x1x5x8xf16>, tensor<?x2x5x8xf16>) -> tensor<?x2x5x8xf16>
  %1 = onnx.Slice %x, %zero, %back, %last, %none : (tensor<?x2x5x8xf16>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf16>
  %2 = onnx.Slice %x, %back, %end, %last, %none : (tensor<?x2x5x8xf16>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x2x5x4xf16>
  %3 = onnx.Neg %2 : (tensor<?x2x5x4xf16>) -> tensor<?x2x5x4xf16>
  %4 = onnx.Concat %3, %1 {axis = 3 : i64} : (tensor<?x2x5x4xf16>, tensor<?x2x5x4xf16>) -> tensor<?x2x5x8xf16>
  %5 = onnx.Mul %s, %4 : (tensor<1x1x5x8xf16>, tensor<?x2x5x8xf16>) -> tensor<?x2x5x8xf16>
  %6 = onnx.Add %5, %0 : (tensor<?x2x5x8xf16>, tensor<?x2x5x8xf16>) -> tensor<?x2x5x8xf16>
  return %6 : tensor<?x2x5x8xf16>
}
