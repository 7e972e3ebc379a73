// RUN: ds-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[PARTS:.+]] = affine_map<()[s0] -> (s0 ceildiv 64)>
// CHECK-DAG: #[[LEAST:.+]] = affine_map<(d0)[s0] -> (-d0 + s0, 64)>
// CHECK-DAG: #[[BACK:.+]] = affine_map<(d0)[s0] -> (-d0 - s0)>
// CHECK-DAG: #[[NUMBER:.+]] = affine_map<()[s0] -> (s0 floordiv 64)>
// CHECK-DAG: #[[PAGE:.+]] = affine_map<(d0) -> (d0 floordiv 16)>
// CHECK-DAG: #[[FIRST:.+]] = affine_map<(d0)[s0] -> (d0 * (s0 ceildiv 2))>

// Each part has a place of its own for its result, which is zeros and -inf before. Keys and positions count from the part's first.
// CHECK-LABEL: func.func @parts
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x8x?x16xf32>, %[[K:[^ ]+]]: tensor<3x4x?x16xf32>, %[[BIAS:[^ ]+]]: tensor<1x8x1x?xf32>, %[[N:[^ ]+]]: tensor<3xi64>, %[[W:[^ ]+]]: tensor<8xf32>, %[[SINK:[^ ]+]]: tensor<8xf32>
// CHECK-DAG: %[[ZERO:[^ ,]+]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[NONE:[^ ,]+]] = arith.constant 0xFF800000 : f32
// CHECK: %[[T:[^ ,]+]] = tensor.dim %[[Q]]
// CHECK: %[[S:[^ ,]+]] = tensor.dim %[[K]]
// CHECK: %[[COUNT:[^ ,]+]] = affine.apply #[[PARTS]]()[%[[S]]]
// CHECK: %[[SUMS:[^ ,]+]] = linalg.fill ins(%[[NONE]] : f32) {{.*}} -> tensor<?x3x8x?xf32>
// CHECK: %[[RESULTS:[^ ,]+]] = linalg.fill ins(%[[ZERO]] : f32) {{.*}} -> tensor<?x3x8x?x16xf32>
// CHECK: %[[LOOP:[^ ,]+]]:2 = scf.forall (%[[J:[^ ,]+]]) = (0) to (%[[S]]) step (64) shared_outs(%[[R:[^ ,]+]] = %[[RESULTS]], %[[L:[^ ,]+]] = %[[SUMS]])
// CHECK: %[[KEYS:[^ ,]+]] = affine.min #[[LEAST]](%[[J]])[%[[S]]]
// CHECK: tensor.extract_slice %[[K]][0, 0, %[[J]], 0] [3, 4, %[[KEYS]], 16]
// CHECK: tensor.extract_slice %[[BIAS]][0, 0, 0, %{{.+}}] [1, 8, 1, %{{.+}}]
// CHECK: %[[SHIFT:[^ ,]+]] = affine.apply #[[BACK]](%[[J]])[%[[T]]]
// CHECK: %[[START:[^ ,]+]] = linalg.generic {{.*}} ins(%[[N]]
// CHECK: %[[CHECKED:[^ ,]+]] = ds.checked_index
// CHECK: arith.addi %[[CHECKED]], %[[SHIFT]]
// CHECK: %[[LENGTH:[^ ,]+]] = linalg.generic {{.*}} ins(%[[N]]
// CHECK: %[[CHECKED:[^ ,]+]] = ds.checked_index
// CHECK: %[[LEFT:[^ ,]+]] = arith.subi %[[CHECKED]], %[[J]]
// CHECK: %[[SOME:[^ ,]+]] = arith.maxsi %[[LEFT]]
// CHECK: arith.minsi %[[SOME]], %[[KEYS]]
// CHECK: %[[RESULT:[^ ,]+]], %[[LSE:[^ ,]+]] = ds.attention %{{.+}}, %{{.+}}, %{{.+}} bias %{{[^ ]+}} query_start %[[START]] key_length %[[LENGTH]] mask_mod {
// CHECK: ^bb0(%{{.+}}: index, %{{.+}}: index, %[[TP:[^ ,]+]]: index, %[[TJ:[^ ,]+]]: index):
// CHECK-DAG: %[[P:[^ ,]+]] = arith.addi %[[TP]], %[[J]]
// CHECK-DAG: %[[KEY:[^ ,]+]] = arith.addi %[[TJ]], %[[J]]
// CHECK: arith.cmpi sle, %[[KEY]], %[[P]]
// CHECK: %[[PLACE:[^ ,]+]] = affine.apply #[[NUMBER]]()[%[[J]]]
// CHECK: tensor.parallel_insert_slice %[[RESULT]] into %[[R]][%[[PLACE]], 0, 0, 0, 0] [1, 3, 8, %[[T]], 16]
// CHECK: tensor.parallel_insert_slice %[[LSE]] into %[[L]][%[[PLACE]], 0, 0, 0] [1, 3, 8, %[[T]]]
// The softmax of the parts, in which the sink takes part; then the weights of heads.
// CHECK: %[[SINKS:[^ ,]+]] = linalg.generic {{.*}} ins(%[[SINK]]
// CHECK: linalg.generic {{.*}} ins(%[[LOOP]]#1 : {{.*}} outs(%[[SINKS]]
// CHECK: arith.maximumf
// CHECK: %[[SHARES:[^ ,]+]] = linalg.generic {{.*}} ins(%[[LOOP]]#1,
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[SINKS]]
// CHECK: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[SHARES]], %[[LOOP]]#0
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %{{.+}}, %[[W]]
// CHECK: arith.divf
func.func @parts(%q: tensor<3x8x?x16xf32>, %k: tensor<3x4x?x16xf32>, %bias: tensor<1x8x1x?xf32>, %n: tensor<3xi64>, %w: tensor<8xf32>, %sink: tensor<8xf32>) -> tensor<3x8x?x16xf32> {
  %0 = ds.attention %q, %k, %k bias %bias head_weight %w sink %sink key_length %n mask_mod {
  ^bb0(%b: index, %h: index, %p: index, %j: index):
    %attends = arith.cmpi sle, %j, %p : index
    ds.yield %attends : i1
  } {left = 9, scale = 0.3 : f32, parts}
    : (tensor<3x8x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<1x8x1x?xf32>, tensor<8xf32>, tensor<8xf32>, tensor<3xi64>)
      -> tensor<3x8x?x16xf32>
  return %0 : tensor<3x8x?x16xf32>
}

// What parts of half precision give is not rounded before they are merged.
// CHECK-LABEL: func.func @half
// CHECK: linalg.fill {{.*}} -> tensor<2x3x8x5xf32>
// CHECK: linalg.fill {{.*}} -> tensor<2x3x8x5x16xf32>
// CHECK: scf.forall
// CHECK: ds.attention {{.*}} -> (tensor<3x8x5x16xf32>, tensor<3x8x5xf32>)
// CHECK: arith.divf
// CHECK: arith.truncf %{{.+}} : f32 to bf16
func.func @half(%q: tensor<3x8x5x16xbf16>, %k: tensor<3x4x128x16xbf16>) -> tensor<3x8x5x16xbf16> {
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32, parts}
    : (tensor<3x8x5x16xbf16>, tensor<3x4x128x16xbf16>, tensor<3x4x128x16xbf16>) -> tensor<3x8x5x16xbf16>
  return %0 : tensor<3x8x5x16xbf16>
}

// Parts are whole pages.
// CHECK-LABEL: func.func @pages
// CHECK-SAME: %{{.+}}: tensor<3x8x5x16xf32>, %[[POOL:[^ ]+]]: tensor<?x4x16x16xf32>, %[[PAGES:[^ ]+]]: tensor<3x?xi64>
// CHECK: scf.forall (%[[J:[^ ,]+]]) =
// CHECK: tensor.extract_slice %[[POOL]][0, 0, 0, 0] [%{{.+}}, 4, 16, 16]
// CHECK: %[[AT:[^ ,]+]] = affine.apply #[[PAGE]](%[[J]])
// CHECK: tensor.extract_slice %[[PAGES]][0, %[[AT]]] [3, %{{.+}}]
func.func @pages(%q: tensor<3x8x5x16xf32>, %k: tensor<?x4x16x16xf32>, %pages: tensor<3x?xi64>) -> tensor<3x8x5x16xf32> {
  %0 = ds.attention %q, %k, %k kv_page %pages {scale = 0.3 : f32, parts}
    : (tensor<3x8x5x16xf32>, tensor<?x4x16x16xf32>, tensor<?x4x16x16xf32>, tensor<3x?xi64>) -> tensor<3x8x5x16xf32>
  return %0 : tensor<3x8x5x16xf32>
}

// A loop adds each tile to what the keys before it gave, in the first place; all other places stay empty.
// CHECK-LABEL: func.func @loop
// CHECK: linalg.fill {{.*}} -> tensor<64x3x8x5xf32>
// CHECK: linalg.fill {{.*}} -> tensor<64x3x8x5x16xf32>
// CHECK: %[[LOOP:[^ ,]+]]:2 = scf.for {{.*}} iter_args(%[[R:[^ ,]+]] = %{{.+}}, %[[L:[^ ,]+]] = %{{.+}})
// CHECK: %[[RESULT:[^ ,]+]], %[[LSE:[^ ,]+]] = ds.attention
// CHECK: %[[BEFORE:[^ ,]+]] = tensor.extract_slice %[[R]][0, 0, 0, 0, 0] [1, 3, 8, 5, 16] [1, 1, 1, 1, 1] : {{.*}} to tensor<3x8x5x16xf32>
// CHECK: %[[SUMS:[^ ,]+]] = tensor.extract_slice %[[L]][0, 0, 0, 0] [1, 3, 8, 5] [1, 1, 1, 1] : {{.*}} to tensor<3x8x5xf32>
// CHECK: %[[BOTH:[^ ,]+]] = linalg.generic {{.*}} ins(%[[SUMS]], %[[LSE]]
// CHECK: math.log
// CHECK: %[[NEXT:[^ ,]+]] = linalg.generic {{.*}} ins(%[[BEFORE]], %[[RESULT]], %[[SUMS]], %[[LSE]], %[[BOTH]]
// CHECK: tensor.insert_slice %[[NEXT]] into %[[R]][0, 0, 0, 0, 0] [1, 3, 8, 5, 16]
// CHECK: tensor.insert_slice %[[BOTH]] into %[[L]][0, 0, 0, 0] [1, 3, 8, 5]
// CHECK: linalg.generic {{.*}} ins(%[[LOOP]]#1
func.func @loop(%q: tensor<3x8x5x16xf32>, %k: tensor<3x8x100x16xf32>) -> tensor<3x8x5x16xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32, loop}
    : (tensor<3x8x5x16xf32>, tensor<3x8x100x16xf32>, tensor<3x8x100x16xf32>) -> tensor<3x8x5x16xf32>
  return %0 : tensor<3x8x5x16xf32>
}

// CHECK-LABEL: func.func @threads
// CHECK: scf.forall (%[[I:[^ ,]+]]) in (2) {{.*}} -> (tensor<2x3x8x5x16xf32>, tensor<2x3x8x5xf32>)
// CHECK: affine.apply #[[FIRST]](%[[I]])[%{{.+}}]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[I]], 0, 0, 0, 0]
func.func @threads(%q: tensor<3x8x5x16xf32>, %k: tensor<3x8x?x16xf32>) -> (tensor<3x8x5x16xf32>, tensor<3x8x5xf32>) {
  %0:2 = ds.attention %q, %k, %k {scale = 0.3 : f32, threads}
    : (tensor<3x8x5x16xf32>, tensor<3x8x?x16xf32>, tensor<3x8x?x16xf32>) -> (tensor<3x8x5x16xf32>, tensor<3x8x5xf32>)
  return %0#0, %0#1 : tensor<3x8x5x16xf32>, tensor<3x8x5xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %parts = transform.structured.match ops{["ds.attention"]} attributes{parts} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_reduction_using_forall %parts by tile_sizes = [0, 0, 0, 0, 64]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    %loop = transform.structured.match ops{["ds.attention"]} attributes{loop} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_reduction_using_for %loop by tile_sizes = [0, 0, 0, 0, 64]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    %threads = transform.structured.match ops{["ds.attention"]} attributes{threads} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_reduction_using_forall %threads by num_threads = [0, 0, 0, 0, 2]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
