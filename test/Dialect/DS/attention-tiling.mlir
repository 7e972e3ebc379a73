// RUN: ds-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[HALF:.+]] = affine_map<(d0) -> (d0 floordiv 2)>
// CHECK-DAG: #[[FROM_LENGTH:.+]] = affine_map<(d0)[s0] -> (d0 - s0)>
// CHECK-DAG: #[[LEAST:.+]] = affine_map<(d0)[s0] -> (-d0 + s0, 5)>
// CHECK-DAG: #[[OFFSET:.+]] = affine_map<(d0)[s0] -> (s0 - 1, d0)>
// CHECK-DAG: #[[SIZE:.+]] = affine_map<(d0)[s0] -> (-d0 + 3, 2, s0)>

// Rows count from where the first of them is: n - T, then the tile's offset.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x4x?x16xf32>, %[[K:[^ ]+]]: tensor<3x4x?x16xf32>, %[[V:[^ ]+]]: tensor<3x4x?x24xf32>, %[[LENGTH:[^ ]+]]: tensor<3xi64>
// CHECK: %[[T:[^ ,]+]] = tensor.dim %[[Q]]
// CHECK: scf.for %[[I:[^ ,]+]] = %{{.+}} to %[[T]]
// CHECK: %[[ROWS:[^ ,]+]] = affine.min #[[LEAST]](%[[I]])[%[[T]]]
// CHECK: %[[PART:[^ ,]+]] = tensor.extract_slice %[[Q]][0, 0, %[[I]], 0] [3, 4, %[[ROWS]], 16]
// CHECK: %[[SHIFT:[^ ,]+]] = affine.apply #[[FROM_LENGTH]](%[[I]])[%[[T]]]
// CHECK: %[[START:[^ ,]+]] = linalg.generic {{.*}} ins(%[[LENGTH]]
// CHECK: %[[N:[^ ,]+]] = ds.checked_index
// CHECK: arith.addi %[[N]], %[[SHIFT]]
// CHECK: ds.attention %[[PART]], %{{.+}}, %{{.+}} query_start %[[START]] key_length %[[LENGTH]] {
func.func @rows(%q: tensor<3x4x?x16xf32>, %k: tensor<3x4x?x16xf32>, %v: tensor<3x4x?x24xf32>, %n: tensor<3xi64>) -> tensor<3x4x?x24xf32> {
  %0 = ds.attention %q, %k, %v key_length %n {causal, scale = 0.3 : f32, rows}
    : (tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3x4x?x24xf32>, tensor<3xi64>) -> tensor<3x4x?x24xf32>
  return %0 : tensor<3x4x?x24xf32>
}

// A given start moves by the offset alone.
// CHECK-LABEL: func.func @rows_from
// CHECK-SAME: %[[START:[^ ]+]]: tensor<3xi64>
// CHECK: scf.for %[[I:[^ ,]+]] =
// CHECK: linalg.generic {{.*}} ins(%[[START]]
// CHECK-NOT: ds.checked_index
// CHECK: arith.addi %{{.+}}, %[[I]]
func.func @rows_from(%q: tensor<3x4x?x16xf32>, %k: tensor<3x4x?x16xf32>, %start: tensor<3xi64>) -> tensor<3x4x?x16xf32> {
  %0 = ds.attention %q, %k, %k query_start %start {left = 3, scale = 0.3 : f32, rows}
    : (tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3xi64>) -> tensor<3x4x?x16xf32>
  return %0 : tensor<3x4x?x16xf32>
}

// Without positions there is nothing to move.
// CHECK-LABEL: func.func @rows_of_all
// CHECK: scf.for
// CHECK-NOT: query_start
// CHECK: ds.attention
func.func @rows_of_all(%q: tensor<3x4x?x16xf32>, %k: tensor<3x4x?x16xf32>) -> tensor<3x4x?x16xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32, rows}
    : (tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>, tensor<3x4x?x16xf32>) -> tensor<3x4x?x16xf32>
  return %0 : tensor<3x4x?x16xf32>
}

// Tiles of two groups of two, with what belongs to heads and batches. A dim of a bias that may be 1 has one element for all
// tiles.
// CHECK-LABEL: func.func @heads
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x8x9x16xf32>, %[[K:[^ ]+]]: tensor<3x4x7x16xf32>, %[[BIAS:[^ ]+]]: tensor<?x1x9x7xf32>, %[[WEIGHT:[^ ]+]]: tensor<3x8x9xf32>, %[[SINK:[^ ]+]]: tensor<8xf32>
// CHECK: scf.for %[[B:[^ ,]+]] =
// CHECK: scf.for %[[H:[^ ,]+]] =
// CHECK: %[[BS:[^ ,]+]] = affine.min
// CHECK: %[[G:[^ ,]+]] = affine.apply #[[HALF]](%[[H]])
// CHECK: tensor.extract_slice %[[K]][%[[B]], %[[G]], 0, 0] [%[[BS]], 2, 7, 16]
// CHECK: tensor.extract_slice %[[Q]][%[[B]], %[[H]], 0, 0] [%[[BS]], 4, 9, 16]
// CHECK: %[[ONE:[^ ,]+]] = tensor.dim %[[BIAS]]
// CHECK: %[[FROM:[^ ,]+]] = affine.min #[[OFFSET]](%[[B]])[%[[ONE]]]
// CHECK: %[[MOST:[^ ,]+]] = affine.min #[[SIZE]](%[[B]])[%[[ONE]]]
// CHECK: tensor.extract_slice %[[BIAS]][%[[FROM]], 0, 0, 0] [%[[MOST]], 1, 9, 7]
// CHECK: tensor.extract_slice %[[WEIGHT]][%[[B]], %[[H]], 0] [%[[BS]], 4, 9]
// CHECK: tensor.extract_slice %[[SINK]][%[[H]]] [4]
// CHECK: ds.attention {{.*}} : (tensor<?x4x9x16xf32>, tensor<?x2x7x16xf32>, tensor<?x2x7x16xf32>, tensor<?x1x9x7xf32>, tensor<?x4x9xf32>, tensor<4xf32>) -> tensor<?x4x9x16xf32>
func.func @heads(%q: tensor<3x8x9x16xf32>, %k: tensor<3x4x7x16xf32>, %bias: tensor<?x1x9x7xf32>, %w: tensor<3x8x9xf32>, %sink: tensor<8xf32>) -> tensor<3x8x9x16xf32> {
  %0 = ds.attention %q, %k, %k bias %bias head_weight %w sink %sink {scale = 0.3 : f32, heads}
    : (tensor<3x8x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x16xf32>, tensor<?x1x9x7xf32>, tensor<3x8x9xf32>, tensor<8xf32>)
      -> tensor<3x8x9x16xf32>
  return %0 : tensor<3x8x9x16xf32>
}

// A group of eight is two tiles, which share its key head.
// CHECK-LABEL: func.func @heads_of_group
// CHECK: scf.for %{{.+}} =
// CHECK: scf.for %[[H:[^ ,]+]] =
// CHECK: %[[G:[^ ,]+]] = affine.apply #{{.+}}(%[[H]])
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, %[[G]], 0, 0] [%{{.+}}, 1, 7, 16]
func.func @heads_of_group(%q: tensor<3x16x9x16xf32>, %k: tensor<3x2x7x16xf32>) -> tensor<3x16x9x16xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32, heads}
    : (tensor<3x16x9x16xf32>, tensor<3x2x7x16xf32>, tensor<3x2x7x16xf32>) -> tensor<3x16x9x16xf32>
  return %0 : tensor<3x16x9x16xf32>
}

// The last tile, of two heads, is a whole group, too.
// CHECK-LABEL: func.func @heads_at_end
// CHECK: scf.for %{{.+}} =
// CHECK: scf.for %[[H:[^ ,]+]] =
// CHECK: %[[HS:[^ ,]+]] = affine.min #{{.+}}(%[[H]])
// CHECK: %[[G:[^ ,]+]] = affine.apply #[[HALF]](%[[H]])
// CHECK: %[[GS:[^ ,]+]] = affine.apply #[[HALF]](%[[HS]])
// CHECK: tensor.extract_slice %{{.+}}[%{{.+}}, %[[G]], 0, 0] [%{{.+}}, %[[GS]], 7, 16]
func.func @heads_at_end(%q: tensor<3x6x9x16xf32>, %k: tensor<3x3x7x16xf32>) -> tensor<3x6x9x16xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.3 : f32, heads}
    : (tensor<3x6x9x16xf32>, tensor<3x3x7x16xf32>, tensor<3x3x7x16xf32>) -> tensor<3x6x9x16xf32>
  return %0 : tensor<3x6x9x16xf32>
}

// Pools of pages are no batch's.
// CHECK-LABEL: func.func @pages
// CHECK-SAME: %{{.+}}: tensor<3x1x9x16xf32>, %[[POOL:[^ ]+]]: tensor<?x1x8x16xf32>, %[[PAGES:[^ ]+]]: tensor<3x5xi64>
// CHECK: scf.for %[[B:[^ ,]+]] =
// CHECK: tensor.extract_slice %[[POOL]][0, 0, 0, 0] [%{{.+}}, 1, 8, 16]
// CHECK: tensor.extract_slice %[[PAGES]][%[[B]], 0] [%{{.+}}, 5]
func.func @pages(%q: tensor<3x1x9x16xf32>, %k: tensor<?x1x8x16xf32>, %pages: tensor<3x5xi64>) -> tensor<3x1x9x16xf32> {
  %0 = ds.attention %q, %k, %k kv_page %pages {scale = 0.3 : f32, heads}
    : (tensor<3x1x9x16xf32>, tensor<?x1x8x16xf32>, tensor<?x1x8x16xf32>, tensor<3x5xi64>) -> tensor<3x1x9x16xf32>
  return %0 : tensor<3x1x9x16xf32>
}

// Regions count batches and heads of the op; positions are those of the op as they are.
// CHECK-LABEL: func.func @regions
// CHECK: scf.for %[[B:[^ ,]+]] =
// CHECK: scf.for %[[H:[^ ,]+]] =
// CHECK: score_mod {
// CHECK-NEXT: ^bb0(%[[S:[^ ,]+]]: f32, %[[TB:[^ ,]+]]: index, %[[TH:[^ ,]+]]: index, %[[P:[^ ,]+]]: index, %[[J:[^ ,]+]]: index):
// CHECK-NEXT: %[[BATCH:[^ ,]+]] = arith.addi %[[TB]], %[[B]] : index
// CHECK-NEXT: %[[HEAD:[^ ,]+]] = arith.addi %[[TH]], %[[H]] : index
// CHECK-NEXT: tensor.extract %{{.+}}[%[[BATCH]], %[[HEAD]]] : tensor<3x4xf32>
// CHECK-NEXT: arith.subi %[[J]], %[[P]]
func.func @regions(%q: tensor<3x4x9x16xf32>, %slopes: tensor<3x4xf32>) -> tensor<3x4x9x16xf32> {
  %0 = ds.attention %q, %q, %q score_mod {
  ^bb0(%s: f32, %b: index, %h: index, %p: index, %j: index):
    %slope = tensor.extract %slopes[%b, %h] : tensor<3x4xf32>
    %distance = arith.subi %j, %p : index
    %integer = arith.index_cast %distance : index to i64
    %float = arith.sitofp %integer : i64 to f32
    %bias = arith.mulf %slope, %float : f32
    %sum = arith.addf %s, %bias : f32
    ds.yield %sum : f32
  } {scale = 0.3 : f32, one_head} : (tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>) -> tensor<3x4x9x16xf32>
  return %0 : tensor<3x4x9x16xf32>
}

// CHECK-LABEL: func.func @columns
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x4x9x16xf32>, %[[K:[^ ]+]]: tensor<3x4x7x16xf32>, %[[V:[^ ]+]]: tensor<3x4x7x24xf32>
// CHECK: scf.for %[[D:[^ ,]+]] =
// CHECK: %[[PART:[^ ,]+]] = tensor.extract_slice %[[V]][0, 0, 0, %[[D]]] [3, 4, 7, 8]
// CHECK: ds.attention %[[Q]], %[[K]], %[[PART]] {
func.func @columns(%q: tensor<3x4x9x16xf32>, %k: tensor<3x4x7x16xf32>, %v: tensor<3x4x7x24xf32>) -> tensor<3x4x9x24xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.3 : f32, columns}
    : (tensor<3x4x9x16xf32>, tensor<3x4x7x16xf32>, tensor<3x4x7x24xf32>) -> tensor<3x4x9x24xf32>
  return %0 : tensor<3x4x9x24xf32>
}

// Columns of a key that is its own value become a value.
// CHECK-LABEL: func.func @columns_of_key
// CHECK-SAME: %[[Q:[^ ]+]]: tensor<3x4x9x33xf32>, %[[K:[^ ]+]]: tensor<3x1x7x33xf32>
// CHECK: scf.for %[[D:[^ ,]+]] =
// CHECK: %[[PART:[^ ,]+]] = tensor.extract_slice %[[K]][0, 0, 0, %[[D]]] [3, 1, 7, 8]
// CHECK: ds.attention %[[Q]], %[[K]], %[[PART]] {
// CHECK-NOT: v_dim
func.func @columns_of_key(%q: tensor<3x4x9x33xf32>, %k: tensor<3x1x7x33xf32>) -> tensor<3x4x9x24xf32> {
  %0 = ds.attention %q, %k {scale = 0.3 : f32, v_dim = 24, columns}
    : (tensor<3x4x9x33xf32>, tensor<3x1x7x33xf32>) -> tensor<3x4x9x24xf32>
  return %0 : tensor<3x4x9x24xf32>
}

// Blocks of rows that have a list each stay whole, but for the last one.
// CHECK-LABEL: func.func @lists
// CHECK-SAME: %[[LISTS:[^ ]+]]: tensor<1x4x3x2xi64>
// CHECK: scf.for %[[I:[^ ,]+]] =
// CHECK: %[[ROWS:[^ ,]+]] = affine.min
// CHECK: %[[AT:[^ ,]+]] = affine.apply #{{.+}}(%[[I]])
// CHECK: %[[COUNT:[^ ,]+]] = affine.apply #{{.+}}(%[[ROWS]])
// CHECK: tensor.extract_slice %[[LISTS]][0, 0, %[[AT]], 0] [1, 4, %[[COUNT]], 2]
// CHECK: key_block = 3 : i64{{.*}}query_block = 4
func.func @lists(%q: tensor<3x4x9x16xf32>, %lists: tensor<1x4x3x2xi64>) -> tensor<3x4x9x16xf32> {
  %0 = ds.attention %q, %q, %q key_index %lists {key_block = 3, query_block = 4, scale = 0.3 : f32, blocks}
    : (tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>, tensor<3x4x9x16xf32>, tensor<1x4x3x2xi64>) -> tensor<3x4x9x16xf32>
  return %0 : tensor<3x4x9x16xf32>
}

// Heads of packed rows, with their lse.
// CHECK-LABEL: func.func @packed
// CHECK-SAME: %{{.+}}: tensor<1x4x?x16xf32>, %[[OFFSETS:[^ ]+]]: tensor<?xi64>
// CHECK: scf.for %[[H:[^ ,]+]] = %{{.+}} iter_args(%[[R:[^ ,]+]] = %{{.+}}, %[[L:[^ ,]+]] = %{{.+}})
// CHECK: %[[RESULT:[^ ,]+]], %[[LSE:[^ ,]+]] = ds.attention {{.*}} row_offsets %[[OFFSETS]] {{.*}} -> (tensor<1x1x?x16xf32>, tensor<1x1x?xf32>)
// CHECK: tensor.insert_slice %[[RESULT]] into %[[R]][0, %[[H]], 0, 0]
// CHECK: tensor.insert_slice %[[LSE]] into %[[L]][0, %[[H]], 0]
func.func @packed(%q: tensor<1x4x?x16xf32>, %offsets: tensor<?xi64>) -> (tensor<1x4x?x16xf32>, tensor<1x4x?xf32>) {
  %0:2 = ds.attention %q, %q, %q row_offsets %offsets {causal, scale = 0.3 : f32, packed_head}
    : (tensor<1x4x?x16xf32>, tensor<1x4x?x16xf32>, tensor<1x4x?x16xf32>, tensor<?xi64>) -> (tensor<1x4x?x16xf32>, tensor<1x4x?xf32>)
  return %0#0, %0#1 : tensor<1x4x?x16xf32>, tensor<1x4x?xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %rows = transform.structured.match ops{["ds.attention"]} attributes{rows} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %rows tile_sizes [0, 0, 5] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %heads = transform.structured.match ops{["ds.attention"]} attributes{heads} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %heads tile_sizes [2, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %head = transform.structured.match ops{["ds.attention"]} attributes{one_head} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %head tile_sizes [1, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %columns = transform.structured.match ops{["ds.attention"]} attributes{columns} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %columns tile_sizes [0, 0, 0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %blocks = transform.structured.match ops{["ds.attention"]} attributes{blocks} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %blocks tile_sizes [0, 0, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %packed = transform.structured.match ops{["ds.attention"]} attributes{packed_head} in %root : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %packed tile_sizes [1, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
