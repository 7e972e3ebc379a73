// RUN: ds-opt %s --transform-interpreter --resolve-ranked-shaped-type-result-dims --canonicalize --cse --split-input-file | FileCheck %s

// Attention goes into the loop of what reads its result.
// CHECK-LABEL: func.func @producer
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x4x?x16xf32>
// CHECK-NOT: ds.attention
// CHECK: scf.for %[[H:[^ ,]+]] =
// CHECK: scf.for %[[I:[^ ,]+]] =
// CHECK: tensor.extract_slice %[[Q]][0, %[[H]], %[[I]], 0] [3, 1, %{{.+}}, 16]
// CHECK: %[[TILE:[^ ,]+]] = ds.attention {{.*}} query_start
// CHECK: linalg.exp ins(%[[TILE]]
// CHECK-NOT: ds.attention
// CHECK: return
func.func @producer(%q: tensor<3x4x?x16xf32>, %k: tensor<3x4x?x16xf32>, %init: tensor<3x4x?x16xf32>) -> tensor<3x4x?x16xf32> {
  %0 = ds.attention %q, %k, %k {causal, scale = 0.3 : f32}
    : (tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>) -> tensor<3x4x?x16xf32>
  %1 = linalg.exp ins(%0 : tensor<3x4x?x16xf32>) outs(%init : tensor<3x4x?x16xf32>) -> tensor<3x4x?x16xf32>
  return %1 : tensor<3x4x?x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %consumer = transform.structured.match ops{["linalg.exp"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.fuse %consumer tile_sizes [0, 1, 8]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile of lse is one of all columns.
// CHECK-LABEL: func.func @containing
// CHECK-SAME: %{{.+}}: tensor<3x4x9x16xf32>, %[[V:[^ ]+]]: tensor<3x4x9x24xf32>
// CHECK: scf.forall (%[[B:[^ ,]+]], %[[H:[^ ,]+]]) in (3, 4)
// CHECK: %[[PART:[^ ,]+]] = tensor.extract_slice %[[V]][%[[B]], %[[H]], 0, 0] [1, 1, 9, 24]
// CHECK: %{{.+}}, %[[LSE:[^ ,]+]] = ds.attention %{{.+}}, %{{.+}}, %[[PART]]
// CHECK: linalg.exp ins(%[[LSE]]
// CHECK-NOT: ds.attention
// CHECK: return
func.func @containing(%q: tensor<3x4x9x16xf32>, %v: tensor<3x4x9x24xf32>, %init: tensor<3x4x9xf32>) -> tensor<3x4x9xf32> {
  %0:2 = ds.attention %q, %q, %v {scale = 0.3 : f32}
    : (tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>, tensor<3x4x9x24xf32>) -> (tensor<3x4x9x24xf32>, tensor<3x4x9xf32>)
  %1 = linalg.exp ins(%0#1 : tensor<3x4x9xf32>) outs(%init : tensor<3x4x9xf32>) -> tensor<3x4x9xf32>
  return %1 : tensor<3x4x9xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %consumer = transform.structured.match ops{["linalg.exp"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %consumer tile_sizes [1, 1]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %attention = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse_into_containing_op %attention into %loop
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// What is put in front of the query goes into attention's loop.
// CHECK-LABEL: func.func @operand
// CHECK: scf.for
// CHECK: %[[TILE:[^ ,]+]] = linalg.exp
// CHECK: ds.attention %[[TILE]]
func.func @operand(%x: tensor<3x4x9x16xf32>, %k: tensor<3x4x9x16xf32>, %init: tensor<3x4x9x16xf32>) -> tensor<3x4x9x16xf32> {
  %q = linalg.exp ins(%x : tensor<3x4x9x16xf32>) outs(%init : tensor<3x4x9x16xf32>) -> tensor<3x4x9x16xf32>
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32}
    : (tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>) -> tensor<3x4x9x16xf32>
  return %0 : tensor<3x4x9x16xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %attention = transform.structured.match ops{["ds.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.fuse %attention tile_sizes [0, 0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
