// RUN: ds-compile %s --compile-from=linalg --emit=asm --target=x86_64:sapphirerapids -o %t.s
// RUN: FileCheck %s --check-prefix=TILES --input-file=%t.s
// RUN: ds-compile %s --compile-from=linalg --emit=asm --target=x86_64:znver4 -o %t.s
// RUN: FileCheck %s --check-prefix=DOTS --input-file=%t.s

// The inner loops of products of bf16: nothing but loads and products.

// With tile registers, four chains of sums, and no sum in memory.
// TILES: {{^}}ds_matmul_1x32_{{[0-9]+}}:
// TILES: tdpbf16ps
// TILES-LABEL: {{^}}ds_matmul_32x32_{{[0-9]+}}:
// TILES: ldtilecfg
// TILES-COUNT-4: tilezero
// TILES-NOT: tilestored
// TILES: tileloadd {{.*}}, %[[LEFT:tmm[0-9]]]
// TILES: tileloadd {{.*}}, %[[RIGHT:tmm[0-9]]]
// TILES: tileloadd {{.*}}, %[[ROWS:tmm[0-9]]]
// TILES-NEXT: tdpbf16ps %[[LEFT]], %[[ROWS]], %
// TILES-NEXT: tdpbf16ps %[[RIGHT]], %[[ROWS]], %
// TILES: tileloadd
// TILES-NEXT: tdpbf16ps
// TILES-NEXT: tdpbf16ps
// TILES-NOT: tilestored
// TILES: {{j[a-z]+}} .LBB
// TILES-COUNT-4: tilestored
// TILES: tilerelease

// With dot products of pairs, 16 sums: two loads of columns, eight of rows to
// all lanes.
// DOTS-LABEL: {{^}}ds_matmul_8x32_{{[0-9]+}}:
// DOTS: {{^}}.LBB[[LOOP:[0-9_]+]]:
// DOTS-NOT: {{\(%rsp\)}}
// DOTS-COUNT-16: vdpbf16ps {{.*}}zmm
// DOTS-NOT: {{\(%rsp\)}}
// DOTS: jne .LBB[[LOOP]]
module {
  func.func @main(%x: tensor<?x4096xbf16>) -> tensor<?x64xf32> {
    %c0 = arith.constant 0 : index
    %m = tensor.dim %x, %c0 : tensor<?x4096xbf16>
    %w = ds.weight <"w", 0, 524288, "", tensor<4096x64xbf16>> [#ds.pack<2 x 16 x 2>] : tensor<2x2x2048x16x2xbf16>
    %init = tensor.empty(%m) : tensor<?x64xf32>
    %y = ds.packed_matmul ins(%x, %w : tensor<?x4096xbf16>, tensor<2x2x2048x16x2xbf16>)
           outs(%init : tensor<?x64xf32>) -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
