// RUN: ds-opt %s | ds-opt | FileCheck %s
// RUN: ds-opt %s --mlir-print-op-generic | ds-opt | FileCheck %s

// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<?x?x4xf32>, %v: tensor<4xf16>, %b: tensor<8xf32>,
                  %wh: tensor<4x8xf16>) {
  // CHECK: %[[W:.+]] = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.transpose<[1, 0]>] : tensor<4x8xf32>
  %w = ds.weight <"m.onnx", 16, 128, "", tensor<8x4xf32>> [#ds.transpose<[1, 0]>] : tensor<4x8xf32>
  // CHECK: ds.linear %{{.+}}, %[[W]] : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32>
  %0 = ds.linear %x, %w : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ds.linear %{{.+}}, %[[W]], %{{.+}} : (tensor<?x?x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %1 = ds.linear %x, %w, %b : (tensor<?x?x4xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  // CHECK: ds.linear %{{.+}}, %{{.+}} : (tensor<4xf16>, tensor<4x8xf16>) -> tensor<8xf16>
  %2 = ds.linear %v, %wh : (tensor<4xf16>, tensor<4x8xf16>) -> tensor<8xf16>
  return
}

// CHECK-LABEL: func.func @packed_matmul
func.func @packed_matmul(%x: tensor<?x4xf32>, %w: tensor<?x2x4x16xf32>, %y: tensor<?x?xf32>,
                         %xh: tensor<?x5xbf16>, %wh: tensor<?x2x3x16x2xbf16>,
                         %xm: memref<?x4xf32, strided<[?, 1], offset: ?>>,
                         %wm: memref<2x2x4x16xf32>, %ym: memref<?x40xf32>) {
  // CHECK: ds.packed_matmul ins(%{{.+}}, %{{.+}} : tensor<?x4xf32>, tensor<?x2x4x16xf32>) outs(%{{.+}} : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = ds.packed_matmul ins(%x, %w : tensor<?x4xf32>, tensor<?x2x4x16xf32>)
         outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: ds.packed_matmul ins(%{{.+}}, %{{.+}} : tensor<?x5xbf16>, tensor<?x2x3x16x2xbf16>) outs(%{{.+}} : tensor<?x?xf32>) -> tensor<?x?xf32>
  %p = ds.packed_matmul ins(%xh, %wh : tensor<?x5xbf16>, tensor<?x2x3x16x2xbf16>)
         outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: ds.packed_matmul ins(%{{.+}}, %{{.+}} : memref<?x4xf32, strided<[?, 1], offset: ?>>, memref<2x2x4x16xf32>) outs(%{{.+}} : memref<?x40xf32>){{$}}
  ds.packed_matmul ins(%xm, %wm : memref<?x4xf32, strided<[?, 1], offset: ?>>, memref<2x2x4x16xf32>)
    outs(%ym : memref<?x40xf32>)
  return
}

// CHECK-LABEL: func.func @packed_conv
func.func @packed_conv(%x: tensor<?x6x?x9xf32>, %w: tensor<2x1x1x18x16xf32>, %y: tensor<?x?x4x20xf32>,
                       %xm: memref<?x3x9xf32, strided<[?, ?, 1], offset: ?>>,
                       %wm: memref<1x?x2x6x16xf32>, %ym: memref<?x8x?xf32>) {
  // CHECK: ds.packed_conv kernel [3, 2] strides [1, 2] dilations [2, 1] ins(%{{.+}}, %{{.+}} : tensor<?x6x?x9xf32>, tensor<2x1x1x18x16xf32>) outs(%{{.+}} : tensor<?x?x4x20xf32>) -> tensor<?x?x4x20xf32>
  %0 = ds.packed_conv kernel [3, 2] strides [1, 2] dilations [2, 1]
         ins(%x, %w : tensor<?x6x?x9xf32>, tensor<2x1x1x18x16xf32>) outs(%y : tensor<?x?x4x20xf32>) -> tensor<?x?x4x20xf32>
  // CHECK: ds.packed_conv kernel [2] strides [1] dilations [1] ins(%{{.+}}, %{{.+}} : memref<?x3x9xf32, strided<[?, ?, 1], offset: ?>>, memref<1x?x2x6x16xf32>) outs(%{{.+}} : memref<?x8x?xf32>){{$}}
  ds.packed_conv kernel [2] strides [1] dilations [1]
    ins(%xm, %wm : memref<?x3x9xf32, strided<[?, ?, 1], offset: ?>>, memref<1x?x2x6x16xf32>) outs(%ym : memref<?x8x?xf32>)
  return
}

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<?x12x?x64xf32>, %k: tensor<?x4x?x64xf32>, %v: tensor<?x4x?x32xf32>,
                     %b: tensor<?x?xf32>, %m: tensor<?x1x1x?xi1>, %w: tensor<?x12xf32>) {
  // CHECK: ds.attention %{{.+}}, %{{.+}}, %{{.+}} {scale = 1.250000e-01 : f32} : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x32xf32>) -> tensor<?x12x?x32xf32>
  %0 = ds.attention %q, %k, %v {scale = 0.125 : f32}
         : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x32xf32>) -> tensor<?x12x?x32xf32>
  // CHECK: ds.attention {{.*}} bias %{{.+}} {left = 8 : i64, right = 0 : i64, scale = {{.*}}, softcap = 3.000000e+01 : f32}
  %1 = ds.attention %q, %k, %v bias %b {scale = 0.125 : f32, softcap = 30.0 : f32, left = 8, right = 0}
         : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x32xf32>, tensor<?x?xf32>) -> tensor<?x12x?x32xf32>
  // CHECK: ds.attention {{.*}} bias %{{.+}} head_weight %{{.+}} {causal, scale
  %2 = ds.attention %q, %k, %v bias %m head_weight %w {scale = 0.125 : f32, causal}
         : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x32xf32>, tensor<?x1x1x?xi1>, tensor<?x12xf32>) -> tensor<?x12x?x32xf32>
  return
}

// CHECK-LABEL: func.func @attention_not_rounded
func.func @attention_not_rounded(%q: tensor<2x4x5x8xbf16>) -> tensor<2x4x5x8xf32> {
  // CHECK: ds.attention {{.*}} : (tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>) -> tensor<2x4x5x8xf32>
  %0 = ds.attention %q, %q, %q {scale = 0.125 : f32} : (tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>, tensor<2x4x5x8xbf16>) -> tensor<2x4x5x8xf32>
  return %0 : tensor<2x4x5x8xf32>
}

// CHECK-LABEL: func.func @latent_attention
// CHECK-SAME: %[[SLOPES:[a-z0-9]+]]: tensor<16xf32>
func.func @latent_attention(%slopes: tensor<16xf32>, %q: tensor<?x16x?x576xbf16>, %c: tensor<?x1x?x576xbf16>, %s: tensor<16xbf16>, %n: tensor<?xi64>) {
  // CHECK: %{{.+}}, %{{.+}} = ds.attention %{{.+}}, %{{.+}} sink %{{.+}} query_start %[[N:.+]] key_length %[[N]] score_mod {
  // CHECK: ^bb0(%{{.+}}: f32, %{{.+}}: index, %[[H:.+]]: index, %{{.+}}: index, %{{.+}}: index):
  // CHECK:   tensor.extract %[[SLOPES]][%[[H]]]
  // CHECK:   ds.yield %{{.+}} : f32
  // CHECK: } mask_mod {
  // CHECK:   ds.yield %{{.+}} : i1
  // CHECK: } {scale = {{.*}}, v_dim = 512 : i64} : (
  %0, %lse = ds.attention %q, %c sink %s query_start %n key_length %n score_mod {
  ^bb0(%x: f32, %b: index, %h: index, %p: index, %j: index):
    %slope = tensor.extract %slopes[%h] : tensor<16xf32>
    %y = arith.mulf %x, %slope : f32
    ds.yield %y : f32
  } mask_mod {
  ^bb0(%b: index, %h: index, %p: index, %j: index):
    %m = arith.cmpi sle, %j, %p : index
    ds.yield %m : i1
  } {scale = 0.125 : f32, v_dim = 512}
    : (tensor<?x16x?x576xbf16>, tensor<?x1x?x576xbf16>, tensor<16xbf16>, tensor<?xi64>, tensor<?xi64>) -> (tensor<?x16x?x512xbf16>, tensor<?x16x?xf32>)
  return
}

// CHECK-LABEL: func.func @rope
func.func @rope(%x: tensor<?x8x?x64xf16>, %c: tensor<?x?x16xf16>, %t: tensor<128x32xf16>, %p: tensor<?xi32>) {
  // CHECK: ds.rope %{{.+}}, %{{.+}}, %{{.+}} : (
  %0 = ds.rope %x, %c, %c : (tensor<?x8x?x64xf16>, tensor<?x?x16xf16>, tensor<?x?x16xf16>) -> tensor<?x8x?x64xf16>
  // CHECK: ds.rope %{{.+}}, %{{.+}}, %{{.+}} positions %{{.+}} interleaved : (
  %1 = ds.rope %x, %t, %t positions %p interleaved
         : (tensor<?x8x?x64xf16>, tensor<128x32xf16>, tensor<128x32xf16>, tensor<?xi32>) -> tensor<?x8x?x64xf16>
  return
}

// CHECK-LABEL: func.func @cache
func.func @cache(%c: tensor<?x8x?x64xf16>, %r: tensor<?x8x?x64xf16>, %p: tensor<?xi64>, %b: tensor<2x1x9x4xi8>) {
  // CHECK: ds.kv_append %{{.+}}, %{{.+}} at %{{.+}} : (tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>, tensor<?xi64>) -> tensor<?x8x?x64xf16>
  %0 = ds.kv_append %c, %r at %p : (tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>, tensor<?xi64>) -> tensor<?x8x?x64xf16>
  // CHECK: ds.kv_append %{{.+}}, %{{.+}} at %{{.+}} circular : (
  %1 = ds.kv_append %c, %r at %p circular : (tensor<?x8x?x64xf16>, tensor<?x8x?x64xf16>, tensor<?xi64>) -> tensor<?x8x?x64xf16>
  // CHECK: ds.kv_append %{{.+}}, %{{.+}} : (tensor<2x1x9x4xi8>, tensor<2x1x9x4xi8>) -> tensor<2x1x9x4xi8>
  %2 = ds.kv_append %b, %b : (tensor<2x1x9x4xi8>, tensor<2x1x9x4xi8>) -> tensor<2x1x9x4xi8>
  return
}

// CHECK-LABEL: func.func @pages
func.func @pages(%q: tensor<?x8x?x64xf16>, %k: tensor<?x2x16x64xf16>, %n: tensor<?xi64>, %p: tensor<?x?xi64>) {
  // CHECK: ds.attention {{.*}} key_length %{{.+}} kv_page %{{.+}} {causal, scale
  %0 = ds.attention %q, %k, %k key_length %n kv_page %p {scale = 0.125 : f32, causal}
         : (tensor<?x8x?x64xf16>, tensor<?x2x16x64xf16>, tensor<?x2x16x64xf16>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<?x8x?x64xf16>
  return
}

// CHECK-LABEL: func.func @selection
func.func @selection(%q: tensor<?x4x?x64xbf16>, %k: tensor<?x?x64xbf16>, %w: tensor<?x?x4xbf16>, %i: tensor<3x?xi32>) {
  // CHECK: %[[SCORE:.+]] = ds.index_score %{{.+}}, %{{.+}}, %{{.+}} : (tensor<?x4x?x64xbf16>, tensor<?x?x64xbf16>, tensor<?x?x4xbf16>) -> tensor<?x?x?xf32>
  %0 = ds.index_score %q, %k, %w : (tensor<?x4x?x64xbf16>, tensor<?x?x64xbf16>, tensor<?x?x4xbf16>) -> tensor<?x?x?xf32>
  // CHECK: ds.topk %[[SCORE]] {k = 16 : i64, masked} : (tensor<?x?x?xf32>) -> tensor<?x?x16xi64>
  %1 = ds.topk %0 {k = 16, masked} : (tensor<?x?x?xf32>) -> tensor<?x?x16xi64>
  // CHECK: %{{.+}}, %{{.+}} = ds.topk %{{.+}} {k = 2 : i64, smallest} : (tensor<3x?xi32>) -> (tensor<3x2xi64>, tensor<3x2xi32>)
  %2, %3 = ds.topk %i {k = 2, smallest} : (tensor<3x?xi32>) -> (tensor<3x2xi64>, tensor<3x2xi32>)
  return
}

// CHECK-LABEL: func.func @packing
func.func @packing(%mask: tensor<?x?xi1>, %x: tensor<?x?x8xf16>, %table: tensor<1x?x8xf16>, %h: tensor<1x2x?x8xf16>, %n: index) {
  // CHECK: %[[OFFSETS:.+]], %[[ROWS:.+]] = ds.row_offsets %{{.+}} : (tensor<?x?xi1>) -> (tensor<?xi64>, tensor<?xi64>)
  %offsets, %rows = ds.row_offsets %mask : (tensor<?x?xi1>) -> (tensor<?xi64>, tensor<?xi64>)
  // CHECK: ds.pack_rows %{{.+}} by %[[ROWS]] of %{{.+}} : (tensor<?x?x8xf16>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<1x?x8xf16>
  %0 = ds.pack_rows %x by %rows of %mask : (tensor<?x?x8xf16>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<1x?x8xf16>
  // CHECK: ds.pack_rows %{{.+}} by %[[ROWS]] of
  %1 = ds.pack_rows %table by %rows of %mask : (tensor<1x?x8xf16>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<1x?x8xf16>
  // CHECK: ds.unpack_rows %{{.+}} by %[[OFFSETS]] of %{{.+}} : (tensor<1x?x8xf16>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<?x?x8xf16>
  %2 = ds.unpack_rows %0 by %offsets of %mask : (tensor<1x?x8xf16>, tensor<?xi64>, tensor<?x?xi1>) -> tensor<?x?x8xf16>
  // CHECK: ds.attention {{.*}} row_offsets %[[OFFSETS]] {scale
  %3 = ds.attention %h, %h, %h row_offsets %offsets {scale = 1.0 : f32}
         : (tensor<1x2x?x8xf16>, tensor<1x2x?x8xf16>, tensor<1x2x?x8xf16>, tensor<?xi64>) -> tensor<1x2x?x8xf16>
  // CHECK: ds.bounded %{{.+}} by %{{.+}} : index
  %4 = ds.bounded %n by %n : index
  return
}

// CHECK-LABEL: func.func @count_work
func.func @count_work(%flops: index, %bytes: index) {
  // CHECK: ds.count_work %{{.+}}, %{{.+}}
  ds.count_work %flops, %bytes
  return
}
