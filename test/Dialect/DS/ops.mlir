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
func.func @packed_matmul(%x: tensor<?x4xf32>, %w: tensor<?x4x32xf32>, %y: tensor<?x?xf32>,
                         %xm: memref<?x4xf32, strided<[?, 1], offset: ?>>,
                         %wm: memref<2x4x32xf32>, %ym: memref<?x40xf32>) {
  // CHECK: ds.packed_matmul ins(%{{.+}}, %{{.+}} : tensor<?x4xf32>, tensor<?x4x32xf32>) outs(%{{.+}} : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = ds.packed_matmul ins(%x, %w : tensor<?x4xf32>, tensor<?x4x32xf32>)
         outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  // CHECK: ds.packed_matmul ins(%{{.+}}, %{{.+}} : memref<?x4xf32, strided<[?, 1], offset: ?>>, memref<2x4x32xf32>) outs(%{{.+}} : memref<?x40xf32>){{$}}
  ds.packed_matmul ins(%xm, %wm : memref<?x4xf32, strided<[?, 1], offset: ?>>, memref<2x4x32xf32>)
    outs(%ym : memref<?x40xf32>)
  return
}
