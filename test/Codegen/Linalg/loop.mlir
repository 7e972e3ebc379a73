// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --split-input-file | FileCheck %s
// RUN: ds-opt %s --onnx-infer-shapes --convert-ds-to-linalg --split-input-file \
// RUN:   --ds-tile-pipeline --ds-bufferize-pipeline | FileCheck %s --check-prefix=BUFFERS

// What is carried lies in tensors that are made in front of the loop, and so
// does what is collected. Shapes and inputs tell how often it runs.
// CHECK-LABEL: func.func @counted
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4xf32>, %[[N:[a-z0-9]+]]: tensor<1xi64>
// CHECK: %[[ELEMENT:.*]] = tensor.extract %[[N]]
// CHECK: %[[TRIPS:.*]] = arith.maxsi
// CHECK: %[[INIT:.*]] = bufferization.alloc_tensor(%{{.*}}) : tensor<?x4xf32>
// CHECK: %[[BEGIN:.*]] = bufferization.materialize_in_destination %[[X]] in %[[INIT]]
// CHECK: %[[ALL:.*]] = bufferization.alloc_tensor(%[[TRIPS]], %{{.*}}) : tensor<?x?x4xf32>
// CHECK: %[[R:.*]]:3 = scf.while (%[[I:.*]] = %c0{{.*}}, %{{.*}} = %[[BEGIN]], %{{.*}} = %[[ALL]])
// CHECK: %[[LESS:.*]] = arith.cmpi slt, %[[I]], %[[TRIPS]]
// CHECK: scf.condition(%[[LESS]])
// CHECK: ^bb0(%[[J:.*]]: index, %[[STATE:.*]]: tensor<?x4xf32>, %[[ROWS:.*]]: tensor<?x?x4xf32>):
// CHECK: %[[NEXT:.*]] = linalg.generic {{.*}} ins(%[[STATE]]
// CHECK: math.tanh
// CHECK: %[[INSERTED:.*]] = tensor.insert_slice %[[STATE]] into %[[ROWS]][%[[J]], 0, 0]
// CHECK: %[[WRITTEN:.*]] = linalg.copy ins(%[[NEXT]] : {{.*}}) outs(%[[STATE]] : {{.*}})
// CHECK: scf.yield %{{.*}}, %[[WRITTEN]], %[[INSERTED]]
// CHECK: return %[[R]]#1, %[[R]]#2

// The loop carries the number only, and the results are the caller's buffers.
// BUFFERS-LABEL: func.func @counted
// BUFFERS-NOT: memref.alloc
// BUFFERS: scf.while (%{{.*}} = %{{.*}}) : (index) -> index {
func.func @counted(%x: tensor<?x4xf32>, %n: tensor<1xi64>) -> (tensor<?x4xf32>, tensor<?x?x4xf32>) {
  %none = onnx.NoValue
  %0:2 = onnx.Loop %n, %none, %x : (tensor<1xi64>, none, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x?x4xf32>) {
  ^bb0(%i: tensor<i64>, %state: tensor<?x4xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    %1 = onnx.Tanh %state : (tensor<?x4xf32>) -> tensor<?x4xf32>
    onnx.Yield %go, %1, %state : tensor<i1>, tensor<?x4xf32>, tensor<?x4xf32>
  }
  return %0#0, %0#1 : tensor<?x4xf32>, tensor<?x?x4xf32>
}

// -----

// Values that change places are copied before one is written over.
// CHECK-LABEL: func.func @swap
// CHECK: tensor.extract %{{.*}}[] : tensor<i8>
// CHECK: ^bb0(%{{.*}}: index, %[[GO:.*]]: tensor<i8>, %[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>):
// CHECK-DAG: %[[COPY_A:.*]] = bufferization.alloc_tensor() copy(%[[A]])
// CHECK-DAG: %[[COPY_B:.*]] = bufferization.alloc_tensor() copy(%[[B]])
// CHECK-DAG: %[[TO_A:.*]] = linalg.copy ins(%[[COPY_B]] : {{.*}}) outs(%[[A]] : {{.*}})
// CHECK-DAG: %[[TO_B:.*]] = linalg.copy ins(%[[COPY_A]] : {{.*}}) outs(%[[B]] : {{.*}})
// CHECK: scf.yield %{{.*}}, %{{.*}}, %[[TO_A]], %[[TO_B]]
// BUFFERS-LABEL: func.func @swap
// BUFFERS: scf.while (%{{.*}} = %{{.*}}) : (index) -> index {
func.func @swap(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: tensor<i64>) -> (tensor<4xf32>, tensor<4xf32>) {
  %none = onnx.NoValue
  %0:2 = onnx.Loop %n, %none, %x, %y : (tensor<i64>, none, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<4xf32>, %b: tensor<4xf32>):
    %axes = onnx.NoValue
    %sum = onnx.ReduceSum %a, %axes {keepdims = 0 : i64} : (tensor<4xf32>, none) -> tensor<f32>
    %zero = onnx.Constant dense<0.0> : tensor<f32>
    %go = onnx.Greater %sum, %zero : (tensor<f32>, tensor<f32>) -> tensor<i1>
    onnx.Yield %go, %b, %a : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %0#0, %0#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Dims that are not proven to stay are checked, in front of the loop.
// CHECK-LABEL: func.func @stays
// CHECK: ds.check {{.*}} "an iteration gives a dim of {0}, expected {1} as before it"
// BUFFERS-LABEL: func.func {{.*}}@stays_shape
// BUFFERS: arith.cmpi eq
func.func @stays(%x: tensor<?xf32>, %y: tensor<?xf32>, %n: tensor<i64>) -> tensor<?xf32> {
  %none = onnx.NoValue
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<?xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    %1 = onnx.Neg %y : (tensor<?xf32>) -> tensor<?xf32>
    onnx.Yield %go, %1 : tensor<i1>, tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}
