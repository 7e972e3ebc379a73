// RUN: ds-opt %s --ds-raise-attention --split-input-file | FileCheck %s

// Positions that are compared: keys up to the row's own.
// CHECK-LABEL: func.func @ranges
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {causal, scale
func.func @ranges(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %limit = onnx.Add %zero, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.LessOrEqual %keys, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %0, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// The other way round, filled where it holds.
// CHECK-LABEL: func.func @rows_first
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {causal, scale
func.func @rows_first(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %limit = onnx.Add %zero, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.Less %rows, %keys : (tensor<?x1xi64>, tensor<?xi64>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %fill, %0 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// torch: a lower triangle of ones.
// CHECK-LABEL: func.func @triangle
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {causal, scale
func.func @triangle(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %square = onnx.Concat %t1, %s1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %full = onnx.ConstantOfShape %square {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  %k0 = onnx.Constant dense<0> : tensor<i64>
  %triangle = onnx.Trilu %full, %k0 {upper = 0 : i64} : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  %z = onnx.Constant dense<0.0> : tensor<f32>
  %infinity = onnx.Constant dense<0xFF800000> : tensor<f32>
  %hidden = onnx.Equal %triangle, %z : (tensor<?x?xf32>, tensor<f32>) -> tensor<?x?xi1>
  %mask = onnx.Where %hidden, %infinity, %z : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Add %0, %mask : (tensor<?x2x?x?xf32>, tensor<?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// Whisper: an upper triangle of the least float times a comparison, which is
// the stronger one with a cache; one column more, which is cut off again.
// CHECK-LABEL: func.func @whisper
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {causal, scale
func.func @whisper(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %past: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "p", ""]}, %new: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %k = onnx.Concat %past, %new {axis = 2 : i64} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %ps = onnx.Shape %past : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %p = onnx.Gather %ps, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %wide = onnx.Add %s, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %wide1 = onnx.Unsqueeze %wide, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %square = onnx.Concat %t1, %wide1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %full = onnx.ConstantOfShape %square {value = dense<-3.40282347E+38> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  %triangle = onnx.Trilu %full, %one : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  %limit = onnx.Add %p, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %p, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %wide, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.Greater %keys, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %f = onnx.Cast %c {to = f32} : (tensor<?x?xi1>) -> tensor<?x?xf32>
  %product = onnx.Mul %triangle, %f : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %axes = onnx.Constant dense<[0, 1]> : tensor<2xi64>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %none = onnx.NoValue
  %four = onnx.Unsqueeze %product, %axes : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<1x1x?x?xf32>
  %mask = onnx.Slice %four, %first, %s1, %last, %none : (tensor<1x1x?x?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<1x1x?x?xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Add %0, %mask : (tensor<?x2x?x?xf32>, tensor<1x1x?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// A strict comparison hides the own key, too: no row 0 would have any.
// CHECK-LABEL: func.func @window
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} mask_mod {
func.func @window(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %limit = onnx.Add %zero, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.Less %keys, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %0, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// As many keys as are known only at run time: which diagonal it is, is not.
// CHECK-LABEL: func.func @other_keys
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} query_start %{{.+}} mask_mod {
func.func @other_keys(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "s", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %limit = onnx.Add %zero, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.LessOrEqual %keys, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %0, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// With earlier keys the triangle is that of the first keys.
// CHECK-LABEL: func.func @cached_triangle
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} bias %{{.+}} {scale
func.func @cached_triangle(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %past: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "p", ""]}, %new: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %k = onnx.Concat %past, %new {axis = 2 : i64} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  %ps = onnx.Shape %past : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %p = onnx.Gather %ps, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %square = onnx.Concat %t1, %s1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %full = onnx.ConstantOfShape %square {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  %k0 = onnx.Constant dense<0> : tensor<i64>
  %triangle = onnx.Trilu %full, %k0 {upper = 0 : i64} : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  %z = onnx.Constant dense<0.0> : tensor<f32>
  %c = onnx.Equal %triangle, %z : (tensor<?x?xf32>, tensor<f32>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %fill, %0 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// A triangle that shows the next key.
// CHECK-LABEL: func.func @one_too_many
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} bias %{{.+}} {scale
func.func @one_too_many(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %square = onnx.Concat %t1, %s1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %full = onnx.ConstantOfShape %square {value = dense<1.0> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  %k0 = onnx.Constant dense<1> : tensor<i64>
  %triangle = onnx.Trilu %full, %k0 {upper = 0 : i64} : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  %z = onnx.Constant dense<0.0> : tensor<f32>
  %c = onnx.Equal %triangle, %z : (tensor<?x?xf32>, tensor<f32>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %fill, %0 : (tensor<?x?xi1>, tensor<f32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// Earlier keys hidden, not later ones.
// CHECK-LABEL: func.func @earlier
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} mask_mod {
func.func @earlier(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %limit = onnx.Add %zero, %t : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range %zero, %limit, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %keys = onnx.Range %zero, %s, %one : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %rows = onnx.Reshape %positions, %column : (tensor<?xi64>, tensor<2xi64>) -> tensor<?x1xi64>
  %c = onnx.GreaterOrEqual %keys, %rows : (tensor<?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Where %c, %0, %fill : (tensor<?x?xi1>, tensor<?x2x?x?xf32>, tensor<f32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}

// -----

// Later keys are less likely, not hidden.
// CHECK-LABEL: func.func @small
// CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} bias %{{.+}} {scale
func.func @small(%q: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}, %k: tensor<?x2x?x16xf32> {ds.symbols = ["b", "", "t", ""]}) -> tensor<?x2x?x16xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %column = onnx.Constant dense<[-1, 1]> : tensor<2xi64>
  %least = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %qs = onnx.Shape %q : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %t = onnx.Gather %qs, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %t1 = onnx.Unsqueeze %t, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %ks = onnx.Shape %k : (tensor<?x2x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather %ks, %two {axis = 0 : i64} : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %s1 = onnx.Unsqueeze %s, %first : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %square = onnx.Concat %t1, %s1 {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %full = onnx.ConstantOfShape %square {value = dense<-1.0e4> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  %k0 = onnx.Constant dense<1> : tensor<i64>
  %triangle = onnx.Trilu %full, %k0 {upper = 1 : i64} : (tensor<?x?xf32>, tensor<i64>) -> tensor<?x?xf32>
  %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x16xf32>) -> tensor<?x2x16x?xf32>
  %0 = onnx.MatMul %q, %kt : (tensor<?x2x?x16xf32>, tensor<?x2x16x?xf32>) -> tensor<?x2x?x?xf32>
  %m = onnx.Add %0, %triangle : (tensor<?x2x?x?xf32>, tensor<?x?xf32>) -> tensor<?x2x?x?xf32>
  %w = onnx.Softmax %m {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = onnx.MatMul %w, %k : (tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  return %o : tensor<?x2x?x16xf32>
}
