// RUN: ds-compile %s --compile-from=linalg --emit=asm --target=x86_64:znver4 -o %t.s
// RUN: FileCheck %s --input-file=%t.s

// The inner loop of a convolution: a row of taps, with six loads of weights and
// ten of elements that eight windows share, and no sum in memory.
// CHECK-LABEL: {{^}}ds_matmul_8x32_{{[0-9]+}}:
// CHECK: {{^}}.LBB[[LOOP:[0-9_]+]]:
// CHECK-NOT: {{\(%rsp\)|call}}
// CHECK-COUNT-48: vfmadd{{.*}}zmm
// CHECK-NOT: {{\(%rsp\)|call|vfmadd}}
// CHECK: jne .LBB[[LOOP]]
module {
  func.func @main(%x: tensor<?x8x16x34xf32>) -> tensor<?x14x32x32xf32> {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x8x16x34xf32>
    %w = ds.weight <"w", 0, 9216, "", tensor<32x8x3x3xf32>>
           [#ds.reshape<[1, 32, 72]>, #ds.transpose<[0, 2, 1]>, #ds.pack<2 x 16>] : tensor<1x1x2x72x16xf32>
    %init = tensor.empty(%n) : tensor<?x14x32x32xf32>
    %y = ds.packed_conv kernel [3, 3] strides [1, 1] dilations [1, 1]
           ins(%x, %w : tensor<?x8x16x34xf32>, tensor<1x1x2x72x16xf32>) outs(%init : tensor<?x14x32x32xf32>) -> tensor<?x14x32x32xf32>
    return %y : tensor<?x14x32x32xf32>
  }
}
