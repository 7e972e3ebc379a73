// RUN: ds-opt %s --ds-decompose | FileCheck %s

// CHECK-LABEL: func.func @linear
// CHECK-SAME: %[[X:.+]]: tensor<?x?x4xf32>, %[[W:.+]]: tensor<4x8xf32>, %[[B:.+]]: tensor<8xf32>
// CHECK: %[[P:.+]] = linalg.generic {{.*}}"reduction"]} ins(%[[X]], %[[W]]
// CHECK: linalg.generic {{.*}} ins(%[[P]], %[[B]]
// CHECK-NOT: ds.linear
func.func @linear(%x: tensor<?x?x4xf32>, %w: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<?x?x?xf32> {
  %0 = ds.linear %x, %w, %b : (tensor<?x?x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @packed
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK-COUNT-2: arith.divui
// CHECK: tensor.extract %{{.+}} : tensor<2x2x4x16xf32>
func.func @packed(%x: tensor<?x4xf32>, %w: tensor<2x2x4x16xf32>, %y: tensor<?x40xf32>) -> tensor<?x40xf32> {
  %0 = ds.packed_matmul ins(%x, %w : tensor<?x4xf32>, tensor<2x2x4x16xf32>) outs(%y : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// The second operand only tells how far channels and taps run.
// CHECK-LABEL: func.func @packed_conv
// CHECK: linalg.fill
// CHECK: %[[WINDOW:.+]] = tensor.empty() : tensor<3x3x2xf32>
// CHECK: linalg.generic {{.*}}"reduction", "reduction", "reduction"]} ins(%{{.+}}, %[[WINDOW]]
// CHECK: tensor.extract %{{.+}} : tensor<2x1x1x18x16xf32>
// CHECK-NOT: ds.packed_conv
func.func @packed_conv(%x: tensor<?x6x11x9xf32>, %w: tensor<2x1x1x18x16xf32>, %y: tensor<?x7x4x20xf32>) -> tensor<?x7x4x20xf32> {
  %0 = ds.packed_conv kernel [3, 2] strides [1, 2] dilations [2, 1]
         ins(%x, %w : tensor<?x6x11x9xf32>, tensor<2x1x1x18x16xf32>) outs(%y : tensor<?x7x4x20xf32>) -> tensor<?x7x4x20xf32>
  return %0 : tensor<?x7x4x20xf32>
}

// Scores, masks, the largest score, weights, their sum, the weighted rows, the
// quotient.
// CHECK-LABEL: func.func @attention
// CHECK: tensor.expand_shape {{.*}} into tensor<2x2x3x5x8xf32>
// CHECK: arith.mulf
// CHECK: math.tanh
// CHECK: arith.select
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: tensor.collapse_shape {{.*}} into tensor<2x6x5x4xf32>
func.func @attention(%q: tensor<2x6x5x8xf32>, %k: tensor<2x2x7x8xf32>, %v: tensor<2x2x7x4xf32>, %m: tensor<5x7xi1>) -> tensor<2x6x5x4xf32> {
  %0 = ds.attention %q, %k, %v bias %m {scale = 0.125 : f32, softcap = 30.0 : f32}
         : (tensor<2x6x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x4xf32>, tensor<5x7xi1>) -> tensor<2x6x5x4xf32>
  return %0 : tensor<2x6x5x4xf32>
}

// The sink is where the maximum starts, and one more weight; prob_mod applies to
// quotients, so that the sum of the products is not divided.
// CHECK-LABEL: func.func @extras
// CHECK: ds.checked_index %{{.+}} in %{{.+}} : index
// CHECK: arith.cmpi slt
// CHECK: arith.select
// CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 0] [2, 2, 7, 5]
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: math.exp
// CHECK: %[[P:.+]] = arith.divf
// CHECK: %[[Q:.+]] = arith.select %{{.+}}, %{{.+}}, %[[P]]
// CHECK: arith.mulf %[[Q]], %[[Q]]
// CHECK-NOT: arith.divf
// CHECK: math.log
func.func @extras(%q: tensor<2x2x5x8xf32>, %k: tensor<2x2x7x8xf32>, %s: tensor<2xf32>, %n: tensor<2xi64>) -> (tensor<2x2x5x5xf32>, tensor<2x2x5xf32>) {
  %0, %1 = ds.attention %q, %k sink %s key_length %n prob_mod {
  ^bb0(%w: f32, %b: index, %h: index, %p: index, %j: index):
    %y = arith.mulf %w, %w : f32
    ds.yield %y : f32
  } {scale = 0.125 : f32, v_dim = 5}
    : (tensor<2x2x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2xf32>, tensor<2xi64>) -> (tensor<2x2x5x5xf32>, tensor<2x2x5xf32>)
  return %0, %1 : tensor<2x2x5x5xf32>, tensor<2x2x5xf32>
}

// Packed rows attend to those with the same first row.
// CHECK-LABEL: func.func @packed_attention
// CHECK: %[[FIRSTS:.+]] = scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[FIRSTS]], %[[FIRSTS]]
// CHECK: arith.cmpi eq
// CHECK: arith.select
func.func @packed_attention(%q: tensor<1x6x?x8xf32>, %o: tensor<?xi64>) -> tensor<1x6x?x8xf32> {
  %0 = ds.attention %q, %q, %q row_offsets %o {scale = 0.125 : f32}
         : (tensor<1x6x?x8xf32>, tensor<1x6x?x8xf32>, tensor<1x6x?x8xf32>, tensor<?xi64>) -> tensor<1x6x?x8xf32>
  return %0 : tensor<1x6x?x8xf32>
}

// CHECK-LABEL: func.func @unpacked
// CHECK: %[[POSITION:.+]] = linalg.index 1
// CHECK: %[[ROW:.+]] = arith.addi %{{.+}}, %[[POSITION]]
// CHECK: arith.minsi %[[ROW]]
// CHECK: arith.cmpi slt, %[[ROW]]
// CHECK: arith.select
func.func @unpacked(%x: tensor<1x?x8xf32>, %o: tensor<?xi64>, %m: tensor<?x?xi1>) -> tensor<?x?x8xf32> {
  %0 = ds.unpack_rows %x by %o of %m : (tensor<1x?x8xf32>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// A copy of the cache, into which one row after another goes.
// CHECK-LABEL: func.func @kv_append
// CHECK: %[[COPY:.+]] = linalg.generic {{.*}} ins(%arg0
// CHECK-COUNT-4: scf.for
// CHECK: arith.remsi
// CHECK: tensor.extract %arg1
// CHECK: tensor.insert
// CHECK-NOT: ds.kv_append
func.func @kv_append(%c: tensor<?x2x?x8xf32>, %r: tensor<?x2x?x8xf32>, %p: tensor<?xi64>) -> tensor<?x2x?x8xf32> {
  %0 = ds.kv_append %c, %r at %p circular : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?xi64>) -> tensor<?x2x?x8xf32>
  return %0 : tensor<?x2x?x8xf32>
}

// CHECK-LABEL: func.func @index_score
// CHECK: %[[PRODUCTS:.+]] = linalg.generic {{.*}} ins(%arg0, %arg1 {{.*}} outs(%{{.+}} : tensor<?x4x?x?xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[PRODUCTS]], %arg2
// CHECK: arith.maximumf
// CHECK-NOT: ds.index_score
func.func @index_score(%q: tensor<?x4x?x8xf16>, %k: tensor<?x?x8xf16>, %w: tensor<?x?x4xf16>) -> tensor<?x?x?xf32> {
  %0 = ds.index_score %q, %k, %w : (tensor<?x4x?x8xf16>, tensor<?x?x8xf16>, tensor<?x?x4xf16>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// An element's place is how many come before it.
// CHECK-LABEL: func.func @topk
// CHECK: %[[PLACES:.+]] = linalg.generic {{.*}} ins(%arg0, %arg0
// CHECK: linalg.generic {{.*}} ins(%[[PLACES]], %arg0
// CHECK: linalg.generic {{.*}} ins(%[[PLACES]], %arg0
// CHECK-NOT: ds.topk
func.func @topk(%x: tensor<3x?xf32>) -> (tensor<3x2xi64>, tensor<3x2xf32>) {
  %0, %1 = ds.topk %x {k = 2, masked} : (tensor<3x?xf32>) -> (tensor<3x2xi64>, tensor<3x2xf32>)
  return %0, %1 : tensor<3x2xi64>, tensor<3x2xf32>
}

// Keys and values of pages are gathered first; those past the length are not.
// CHECK-LABEL: func.func @pages
// CHECK-COUNT-2: tensor.extract %arg1[%{{.+}}, %{{.+}}, %{{.+}}, %{{.+}}] : tensor<?x2x16x8xf32>
// CHECK-NOT: ds.attention
func.func @pages(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x16x8xf32>, %n: tensor<?xi64>, %p: tensor<?x?xi64>) -> tensor<?x4x?x8xf32> {
  %0 = ds.attention %q, %k, %k key_length %n kv_page %p {scale = 1.0 : f32}
         : (tensor<?x4x?x8xf32>, tensor<?x2x16x8xf32>, tensor<?x2x16x8xf32>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<?x4x?x8xf32>
  return %0 : tensor<?x4x?x8xf32>
}
