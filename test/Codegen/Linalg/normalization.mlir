// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --canonicalize --split-input-file | FileCheck %s

// The variance is that of the centred values.
// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[SCALE:.*]]: tensor<8xf32>, %[[BIAS:.*]]: tensor<8xf32>)
func.func @layer_norm(%x: tensor<?x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>) {
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]] :
  // CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} ins(%[[SUM]] :
  // CHECK: arith.divf
  // CHECK: %[[SQUARES:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]], %[[MEAN]] :
  // CHECK: %[[D:.*]] = arith.subf
  // CHECK: arith.mulf %[[D]], %[[D]]
  // CHECK: %[[INVERSE:.*]] = linalg.generic {{.*}} ins(%[[SQUARES]] :
  // CHECK: math.sqrt
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[MEAN]], %[[INVERSE]], %[[SCALE]], %[[BIAS]] :
  // CHECK: tensor.expand_shape %[[MEAN]]
  %0:3 = onnx.LayerNormalization %x, %s, %b : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<?x8xf32>, tensor<?x1xf32>, tensor<?x1xf32>)
  return %0#0, %0#1 : tensor<?x8xf32>, tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func.func @rms_norm
func.func @rms_norm(%x: tensor<?x8xbf16>, %s: tensor<8xbf16>) -> tensor<?x8xbf16> {
  // CHECK: arith.extf {{.*}} : bf16 to f32
  // CHECK: linalg.generic
  // CHECK: math.sqrt {{.*}} : f32
  // CHECK: arith.truncf {{.*}} : f32 to bf16
  %0 = onnx.RMSNormalization %x, %s : (tensor<?x8xbf16>, tensor<8xbf16>) -> tensor<?x8xbf16>
  return %0 : tensor<?x8xbf16>
}

// -----

// A group is a dim of its own.
// CHECK-LABEL: func.func @group_norm
// CHECK-SAME: (%[[X:.*]]: tensor<?x6x5xf32>
func.func @group_norm(%x: tensor<?x6x5xf32>, %s: tensor<6xf32>) -> tensor<?x6x5xf32> {
  // CHECK: tensor.expand_shape %[[X]] {{\[}}[0], [1, 2], [3]] {{.*}} into tensor<?x2x3x5xf32>
  // CHECK: iterator_types = ["parallel", "parallel", "reduction", "reduction"]
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x6x5xf32>
  %0 = onnx.GroupNormalization %x, %s, %s {num_groups = 2 : i64} : (tensor<?x6x5xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<?x6x5xf32>
  return %0 : tensor<?x6x5xf32>
}

// -----

// CHECK-LABEL: func.func @channels
func.func @channels(%x: tensor<?x?x5xf32>, %s: tensor<?xf32>) -> tensor<?x?x5xf32> {
  // CHECK: ds.check {{.*}} "{0} values for {1} channels"
  // CHECK-NOT: tensor.extract
  %0 = onnx.InstanceNormalization %x, %s, %s : (tensor<?x?x5xf32>, tensor<?xf32>, tensor<?xf32>) -> tensor<?x?x5xf32>
  return %0 : tensor<?x?x5xf32>
}
