// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @elements
func.func @elements(%x: tensor<3x?xf16>, %i: tensor<2x?xi64>, %u: tensor<2x?xf16>) -> tensor<3x?xf16> {
  // CHECK-DAG: ds.check {{.*}} "a dim of its indices is {0}, of its updates {1}"
  // CHECK-DAG: ds.check {{.*}} "a dim of its indices is {0}, of its data {1}"
  // CHECK: %[[COPY:.*]] = linalg.generic
  // CHECK: scf.for %[[P:[a-z0-9]+]] = %c0 to %c2 {{.*}} iter_args(%{{.*}} = %[[COPY]])
  // CHECK: scf.for %[[Q:[a-z0-9]+]] = {{.*}} iter_args(%[[T:.*]] =
  // CHECK: %[[I:.*]] = ds.checked_index %{{.*}} in %{{.*}} wrap
  // CHECK: %[[OLD:.*]] = tensor.extract %[[T]][%[[I]], %[[Q]]]
  // CHECK: arith.extf %[[OLD]]
  // CHECK: arith.addf %{{.*}} : f32
  // CHECK: tensor.insert %{{.*}} into %[[T]][%[[I]], %[[Q]]]
  %s = onnx.ScatterElements %x, %i, %u {reduction = "add"} : (tensor<3x?xf16>, tensor<2x?xi64>, tensor<2x?xf16>) -> tensor<3x?xf16>
  return %s : tensor<3x?xf16>
}

// -----

// CHECK-LABEL: func.func @tuples
func.func @tuples(%x: tensor<4x5x6xui8>, %i: tensor<?x2xi64>, %u: tensor<?x6xui8>) -> tensor<4x5x6xui8> {
  // CHECK: ds.check {{.*}} "a dim of its updates is {1}, expected {0}"
  // CHECK: scf.for %[[P:[a-z0-9]+]] =
  // CHECK: scf.for %[[Q:[a-z0-9]+]] = {{.*}} iter_args(%[[T:.*]] =
  // CHECK: tensor.extract %{{.*}}[%[[P]], %{{.*}}]
  // CHECK: %[[I:.*]] = ds.checked_index %{{.*}} in %{{.*}} wrap
  // CHECK: tensor.extract %{{.*}}[%[[P]], %{{.*}}]
  // CHECK: %[[J:.*]] = ds.checked_index %{{.*}} in %{{.*}} wrap
  // CHECK: arith.maxui
  // CHECK: tensor.insert %{{.*}} into %[[T]][%[[I]], %[[J]], %[[Q]]]
  %s = onnx.ScatterND %x, %i, %u {reduction = "max"} : (tensor<4x5x6xui8>, tensor<?x2xi64>, tensor<?x6xui8>) -> tensor<4x5x6xui8>
  return %s : tensor<4x5x6xui8>
}
