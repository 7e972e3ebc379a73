// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --cse | FileCheck %s

// The halves are slices; the tail that is not rotated is copied; positions are
// checked against the table.
// CHECK-LABEL: func.func @half
// CHECK: ds.check {{.*}} "positions has a dim of {0}, x one of {1}"
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 48] [%{{.+}}, 8, %{{.+}}, 16] [1, 1, 1, 1]
// CHECK: tensor.extract_slice {{.*}}[0, 0, 0, 0] [%{{.+}}, 8, %{{.+}}, 24] [1, 1, 1, 1]
// CHECK: tensor.extract_slice {{.*}}[0, 0, 0, 24] [%{{.+}}, 8, %{{.+}}, 24] [1, 1, 1, 1]
// CHECK: ds.checked_index %{{.+}} in %{{.+}} : index
// CHECK: arith.subf
// CHECK: arith.addf
func.func @half(%x: tensor<?x8x?x64xf32>, %t: tensor<128x24xf32>, %p: tensor<?x?xi64>) -> tensor<?x8x?x64xf32> {
  %0 = ds.rope %x, %t, %t positions %p
         : (tensor<?x8x?x64xf32>, tensor<128x24xf32>, tensor<128x24xf32>, tensor<?x?xi64>) -> tensor<?x8x?x64xf32>
  return %0 : tensor<?x8x?x64xf32>
}

// CHECK-LABEL: func.func @interleaved
// CHECK: tensor.extract_slice {{.*}}[0, 0, 0, 0] [2, 8, 16, 32] [1, 1, 1, 2]
// CHECK: tensor.extract_slice {{.*}}[0, 0, 0, 1] [2, 8, 16, 32] [1, 1, 1, 2]
func.func @interleaved(%x: tensor<2x8x16x64xf32>, %t: tensor<16x32xf32>) -> tensor<2x8x16x64xf32> {
  %0 = ds.rope %x, %t, %t interleaved
         : (tensor<2x8x16x64xf32>, tensor<16x32xf32>, tensor<16x32xf32>) -> tensor<2x8x16x64xf32>
  return %0 : tensor<2x8x16x64xf32>
}
