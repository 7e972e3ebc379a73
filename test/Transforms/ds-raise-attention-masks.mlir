// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// Several masks do to zeros what they did to scores, from the first to the last.
// CHECK-LABEL: func.func @several
// CHECK-SAME: %[[C:[^:]+]]: tensor<?x?xi1>, %[[M:[^:]+]]: tensor<?x1x1x?xf32>, %[[N:[^:]+]]: tensor<2x1x1xf32>
// CHECK: %[[A:.+]] = onnx.Where %[[C]], %{{.+}}, %{{.+}} : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
// CHECK: %[[B:.+]] = onnx.Add %[[A]], %[[M]] : {{.*}} -> tensor<?x1x?x?xf32>
// CHECK: %[[NEG:.+]] = onnx.Neg %[[N]]
// CHECK: %[[S:.+]] = onnx.Add %[[B]], %[[NEG]] : {{.*}} -> tensor<?x2x?x?xf32>
// CHECK: ds.attention {{.*}} bias %[[S]]
func.func @several(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x?xi1>, %m: tensor<?x1x1x?xf32>, %n: tensor<2x1x1xf32>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Where %c, %0, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Add %1, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Sub %2, %n : (tensor<?x2x?x?xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.Softmax %3 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %5 = onnx.MatMul %4, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %5 : tensor<?x2x?x16xf32>
}

// -----

// A mask that is added before another selects stays inside of the selection: a
// row that both mask keeps its average.
// CHECK-LABEL: func.func @select_last
// CHECK-SAME: %[[C:[^:]+]]: tensor<?x?xi1>, %[[M:[^:]+]]: tensor<?x1x1x?xf32>
// CHECK: %[[B:.+]] = onnx.Where %[[C]], %[[M]], %{{.+}} : (tensor<?x?xi1>, tensor<?x1x1x?xf32>, tensor<f32>)
// CHECK: ds.attention {{.*}} bias %[[B]]
func.func @select_last(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x?xi1>, %m: tensor<?x1x1x?xf32>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Add %0, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Where %c, %1, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Softmax %2 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.MatMul %3, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %4 : tensor<?x2x?x16xf32>
}

// -----

// DistilBERT: filled where the condition holds, which is expanded to the scores.
// CHECK-LABEL: func.func @fill_where
// CHECK-SAME: %[[C:[^:]+]]: tensor<?x1x1x?xi1>
// CHECK: %[[ZERO:.+]] = onnx.Constant dense<0.0
// CHECK-NEXT: %[[LEAST:.+]] = onnx.Constant dense<-3.4
// CHECK-NEXT: %[[B:.+]] = onnx.Where %[[C]], %[[LEAST]], %[[ZERO]] : {{.*}} -> tensor<?x1x1x?xf32>
// CHECK: ds.attention {{.*}} bias %[[B]]
func.func @fill_where(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x1x1x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %shape = onnx.Shape %0 : (tensor<?x2x?x?xf32>) -> tensor<4xi64>
  %e = onnx.Expand %c, %shape : (tensor<?x1x1x?xi1>, tensor<4xi64>) -> tensor<?x2x?x?xi1>
  %1 = onnx.Where %e, %fill, %0 : (tensor<?x2x?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}

// -----

// With infinity it is a bool mask, whatever the element type of the scores, and
// the guard against rows without keys is what attention does.
// CHECK-LABEL: func.func @infinity_where
// CHECK-SAME: %[[C:[^:]+]]: tensor<?x?xi1>
// CHECK: %[[N:.+]] = onnx.Not %[[C]]
// CHECK: %[[O:.+]] = ds.attention {{.*}} bias %[[N]] {{.*}} -> tensor<?x2x?x16xf16>
// CHECK-NEXT: return %[[O]]
func.func @infinity_where(%q: tensor<?x2x?x16xf16>, %kt: tensor<?x2x16x?xf16>, %v: tensor<?x2x?x16xf16>, %c: tensor<?x?xi1>) -> tensor<?x2x?x16xf16> {
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf16>, tensor<?x2x16x?xf16>) -> tensor<?x2x?x?xf16>
  %1 = onnx.Cast %0 {to = f32} : (tensor<?x2x?x?xf16>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Where %c, %fill, %1 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Softmax %2 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.IsNaN %3 : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xi1>
  %5 = onnx.Where %4, %zero, %3 : (tensor<?x2x?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %6 = onnx.Cast %5 {to = f16} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf16>
  %7 = onnx.MatMul %6, %v : (tensor<?x2x?x?xf16>, tensor<?x2x?x16xf16>) -> tensor<?x2x?x16xf16>
  return %7 : tensor<?x2x?x16xf16>
}

// -----

// torch: a bool mask as one that is added, and another; both are bool again.
// CHECK-LABEL: func.func @infinity_added
// CHECK-SAME: %[[C:[^:]+]]: tensor<?x1x1x?xi1>, %[[D:[^:]+]]: tensor<?x?xi1>
// CHECK: %[[N:.+]] = onnx.Not %[[D]]
// CHECK: %[[A:.+]] = onnx.And %[[C]], %[[N]] : {{.*}} -> tensor<?x1x?x?xi1>
// CHECK: ds.attention {{.*}} bias %[[A]]
func.func @infinity_added(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x1x1x?xi1>, %d: tensor<?x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %m = onnx.Where %c, %zero, %fill : (tensor<?x1x1x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Add %0, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Where %d, %fill, %1 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.Softmax %2 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %4 = onnx.MatMul %3, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %4 : tensor<?x2x?x16xf32>
}

// -----

// An added least float stays added.
// CHECK-LABEL: func.func @least_added
// CHECK: %[[M:.+]] = onnx.Where
// CHECK: ds.attention {{.*}} bias %[[M]]
func.func @least_added(%q: tensor<?x2x?x16xf32>, %kt: tensor<?x2x16x?xf32>, %v: tensor<?x2x?x16xf32>, %c: tensor<?x1x1x?xi1>) -> tensor<?x2x?x16xf32> {
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %m = onnx.Where %c, %zero, %fill : (tensor<?x1x1x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x1x1x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Add %0, %m : (tensor<?x2x?x?xf32>, tensor<?x1x1x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Softmax %1 {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul %2, %v : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %3 : tensor<?x2x?x16xf32>
}
