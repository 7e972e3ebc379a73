// RUN: ds-opt %s --convert-ds-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// One task for a head and a group of tiles of 32 query rows: 4 of a sequence of
// more than 512 rows, else 1. Steps of 128 keys, which all tiles take before the
// next; no tensor of all scores; both products with 32 contiguous columns.
// CHECK: #[[BLOCKS:.+]] = affine_map<()[s0] -> (s0 ceildiv 32)>
// CHECK-LABEL: func.func @flash
// CHECK-SAME: %[[Q:.+]]: tensor<?x12x?x64xf32>, %[[K:.+]]: tensor<?x12x?x64xf32>, %[[V:.+]]: tensor<?x12x?x64xf32>
// The query is scaled by scale * log2(e).
// CHECK: arith.constant 0.180336878
// CHECK: %[[N:.+]] = affine.apply #[[BLOCKS]]
// CHECK: %[[LONG:.+]] = arith.cmpi sgt, %[[N]], %c16
// CHECK: %[[SIZE:.+]] = arith.select %[[LONG]], %c4, %c1
// CHECK: %[[GROUPS:.+]] = arith.ceildivsi %[[N]], %[[SIZE]]
// CHECK: scf.forall (%[[B:.+]], %[[H:.+]], %[[I:.+]]) in (%{{.+}}, 12, %[[GROUPS]])
// CHECK-NOT: tensor<?x12x?x?xf32>
// Queries as columns; those past the last one are 0.
// CHECK:   scf.for %[[TILE:.+]] = %c0 to %[[COUNT:.+]] step %c1
// CHECK:     linalg.generic {{.*}} ins(%{{.+}} : tensor<?x64xf32>) outs(%{{.+}} : tensor<64x?xf32>)
// CHECK:     tensor.insert_slice {{.*}} into tensor<64x32xf32>
// CHECK:     tensor.insert_slice {{.*}} into tensor<4x64x32xf32>
// CHECK:   scf.for %[[J:.+]] = %{{.+}} to %{{.+}} step %c128
// CHECK:     scf.for %[[TILE:.+]] = %c0 to %[[COUNT]] step %c1
// CHECK:       tensor.extract_slice %{{.+}}[%[[TILE]], 0, 0] [1, 64, 32] {{.*}} to tensor<64x32xf32>
// CHECK:       tensor.extract_slice %{{.+}} : tensor<128x32xf32> to tensor<?x32xf32>
// CHECK:       tensor.extract_slice %[[K]][%[[B]], %[[H]], %[[J]], 0] [1, 1, %{{.+}}, 64]
// CHECK:       linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<?x64xf32>, tensor<64x32xf32>) outs({{.*}} : tensor<?x32xf32>)
// CHECK:       ds.softmax_exp2
// CHECK:       ds.softmax_exp2
// CHECK:       linalg.generic {{.*}} ins({{.*}} : tensor<?x64xf32>, tensor<?x32xf32>) outs({{.*}} : tensor<64x32xf32>)
// CHECK:   scf.for %{{.+}} = %c0 to %[[COUNT]] step %c1
// CHECK:     tensor.insert_slice {{.*}} : tensor<?x64xf32> into tensor<?x64xf32>
// CHECK:   scf.forall.in_parallel
// CHECK:     tensor.parallel_insert_slice {{.*}}[%[[B]], %[[H]], %{{.+}}, 0] [1, 1, %{{.+}}, 64]
func.func @flash(%q: tensor<?x12x?x64xf32>, %k: tensor<?x12x?x64xf32>, %v: tensor<?x12x?x64xf32>) -> tensor<?x12x?x64xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.125 : f32}
         : (tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>) -> tensor<?x12x?x64xf32>
  return %0 : tensor<?x12x?x64xf32>
}

// -----

// Causal tasks stop at their diagonal; query heads share key heads; a head of
// weight 0 runs no step.
// CHECK-LABEL: func.func @causal_grouped
// CHECK-DAG: ds.check {{.*}} "value has {0} rows, key {1}"
// There may be few rows: then parts of the keys, and their merge.
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}) in
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in
// CHECK: scf.forall (%[[B:.+]], %[[H:.+]], %{{.+}}) in
// All tiles of a group are asked for their keys first.
// CHECK:   %[[RANGE:.+]]:2 = scf.for
// CHECK:     %[[W:.+]] = tensor.extract %{{.+}}[%[[H]]] : tensor<12xf32>
// CHECK:     %[[USED:.+]] = arith.cmpf une, %[[W]]
// CHECK:     %[[UPPER:.+]] = arith.select %[[USED]], %{{.+}}, %c0 : index
// CHECK:     arith.maxsi %{{.+}}, %[[UPPER]]
// CHECK:   scf.for %{{.+}} = %[[RANGE]]#0 to %[[RANGE]]#1
// A tile that ends before the block takes no step.
// CHECK:     scf.for
// CHECK:       %[[G:.+]] = arith.divui %[[H]], %c3
// CHECK:       %[[BEFORE_END:.+]] = arith.cmpi slt, %{{.+}}, %[[END:.+]] : index
// CHECK:       %[[SOME:.+]] = arith.cmpi sgt, %{{.+}}, %c0
// CHECK:       %[[BOTH:.+]] = arith.andi %[[BEFORE_END]], %[[SOME]]
// CHECK:       %[[STEPS:.+]] = arith.select %[[BOTH]], %c1, %c0
// CHECK:       scf.for %{{.+}} = %c0 to %[[STEPS]]
// CHECK:         tensor.extract_slice %{{.+}}[%[[B]], %[[G]],
// Whether the block reaches past the diagonal.
// CHECK:     %[[MASKED:.+]] = arith.cmpi sgt
// CHECK:     %[[COUNT:.+]] = arith.select %[[MASKED]], %c1, %c0 : index
// CHECK:     scf.for %{{.+}} = %c0 to %[[COUNT]] step %c1
// CHECK:       arith.cmpi sle
// CHECK:       arith.select
func.func @causal_grouped(%q: tensor<?x12x?x64xf32>, %k: tensor<?x4x?x64xf32>, %v: tensor<?x4x?x64xf32>, %w: tensor<12xf32>) -> tensor<?x12x?x64xf32> {
  %0 = ds.attention %q, %k, %v head_weight %w {scale = 0.125 : f32, causal}
         : (tensor<?x12x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>, tensor<12xf32>) -> tensor<?x12x?x64xf32>
  return %0 : tensor<?x12x?x64xf32>
}

// -----

// A window leaves parts of its first and last block out; blocks still start and
// end at multiples of 128 keys, or the bits of a row would depend on where its
// window lies.
// CHECK-LABEL: func.func @window
// CHECK: scf.forall
// CHECK:   %[[LAST:.+]] = arith.minsi %{{.+}}, %c480 : index
// CHECK:   %[[LEAST:.+]] = arith.maxsi %{{.+}}, %c0 : index
// CHECK:   %[[SOME:.+]] = arith.cmpi slt, %[[LEAST]], %[[LAST]] : index
// CHECK:   %[[LOWER:.+]] = arith.select %[[SOME]], %[[LEAST]], %c0 : index
// CHECK:   %[[UPPER:.+]] = arith.select %[[SOME]], %[[LAST]], %c0 : index
// CHECK:   %[[PAST:.+]] = arith.remui %[[LOWER]], %c128
// CHECK:   %[[FIRST:.+]] = arith.subi %[[LOWER]], %[[PAST]]
// CHECK:   scf.for %[[BLOCK:.+]] = %[[FIRST]] to %[[UPPER]] step %c128
// CHECK:     %[[PART:.+]] = arith.remui %[[LOWER]], %c16
// CHECK:     %[[WHOLE:.+]] = arith.subi %[[LOWER]], %[[PART]]
// CHECK:     %[[KEY:.+]] = arith.maxsi %[[BLOCK]], %[[WHOLE]]
// CHECK:     %[[COUNT:.+]] = affine.min #{{.+}}(%[[KEY]], %[[BLOCK]])[%[[UPPER]]]
// CHECK:     tensor.extract_slice %{{.+}}[0, %{{.+}}, %[[KEY]], 0] [1, 1, %[[COUNT]], 64]
func.func @window(%q: tensor<1x12x480x64xf32>) -> tensor<1x12x480x64xf32> {
  %0 = ds.attention %q, %q, %q {scale = 0.125 : f32, causal, left = 200}
         : (tensor<1x12x480x64xf32>, tensor<1x12x480x64xf32>, tensor<1x12x480x64xf32>) -> tensor<1x12x480x64xf32>
  return %0 : tensor<1x12x480x64xf32>
}

// -----

// A mask of the last dim alone is read once for each key; static sizes that the
// blocks divide leave no tails.
// CHECK-LABEL: func.func @static_mask
// CHECK: scf.forall (%[[B:.+]], %{{.+}}, %{{.+}}) in (2, 12, 4)
// CHECK-NOT: affine.min
// CHECK: scf.for
// CHECK: tensor.extract %{{.+}}[%[[B]], %c0, %c0, %{{.+}}] : tensor<2x1x1x256xi8>
// CHECK: arith.select
// CHECK-NOT: affine.min
// CHECK: return
func.func @static_mask(%q: tensor<2x12x128x64xf32>, %k: tensor<2x12x256x64xf32>, %v: tensor<2x12x256x64xf32>, %m: tensor<2x1x1x256xi1>) -> tensor<2x12x128x64xf32> {
  %0 = ds.attention %q, %k, %v bias %m {scale = 0.125 : f32}
         : (tensor<2x12x128x64xf32>, tensor<2x12x256x64xf32>, tensor<2x12x256x64xf32>, tensor<2x1x1x256xi1>) -> tensor<2x12x128x64xf32>
  return %0 : tensor<2x12x128x64xf32>
}

// -----

// Half precision is read as it lies; scores and sums are f32, and the result is
// rounded once.
// CHECK-LABEL: func.func @half
// CHECK: scf.forall {{.*}} -> (tensor<?x2x?x8xf16>)
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<?x8xf16>, tensor<8x32xf32>) outs(%{{.+}} : tensor<?x32xf32>)
// CHECK: arith.truncf
func.func @half(%q: tensor<?x2x?x8xf16>) -> tensor<?x2x?x8xf16> {
  %0 = ds.attention %q, %q, %q {scale = 0.125 : f32}
         : (tensor<?x2x?x8xf16>, tensor<?x2x?x8xf16>, tensor<?x2x?x8xf16>) -> tensor<?x2x?x8xf16>
  return %0 : tensor<?x2x?x8xf16>
}

// -----

// Double precision takes the reference form.
// CHECK-LABEL: func.func @double
// CHECK-NOT: scf.forall (
// CHECK: return
func.func @double(%q: tensor<?x2x?x8xf64>) -> tensor<?x2x?x8xf64> {
  %0 = ds.attention %q, %q, %q {scale = 0.125 : f32}
         : (tensor<?x2x?x8xf64>, tensor<?x2x?x8xf64>, tensor<?x2x?x8xf64>) -> tensor<?x2x?x8xf64>
  return %0 : tensor<?x2x?x8xf64>
}

// -----

// Heads that the graph moves before rows, and back, stay where linear layers
// have them: no transposition is left.
// CHECK-LABEL: func.func @heads_after_rows
// CHECK-SAME: %[[Q:.+]]: tensor<?x?x2x8xf32>, %[[K:.+]]: tensor<?x?x2x8xf32>
// The merges of one row, and of few.
// CHECK-COUNT-2: scf.forall {{.*}} -> (tensor<?x?x2x8xf32>)
// CHECK: scf.forall (%[[B:.+]], %[[H:.+]], %{{.+}}) in {{.*}} shared_outs(%{{.+}}) -> (tensor<?x?x2x8xf32>)
// CHECK: tensor.extract_slice %[[Q]][%[[B]], %{{.+}}, %[[H]], 0] [1, %{{.+}}, 1, 8]
// CHECK: tensor.extract_slice %[[K]][%[[B]], %{{.+}}, %[[H]], 0] [1, %{{.+}}, 1, 8]
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%[[B]], %{{.+}}, %[[H]], 0] [1, %{{.+}}, 1, 8]
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @heads_after_rows(%q: tensor<?x?x2x8xf32>, %k: tensor<?x?x2x8xf32>) -> tensor<?x?x2x8xf32> {
  %0 = onnx.Transpose %q {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x8xf32>) -> tensor<?x2x?x8xf32>
  %1 = onnx.Transpose %k {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x8xf32>) -> tensor<?x2x?x8xf32>
  %2 = ds.attention %0, %1, %1 {scale = 0.125 : f32}
         : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  %3 = onnx.Transpose %2 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x8xf32>) -> tensor<?x?x2x8xf32>
  return %3 : tensor<?x?x2x8xf32>
}

// -----

// One query row: tasks are parts of 512 keys and query rows, with the two query
// heads of a key head as rows. Their maxima, sums and values are merged in the order of keys,
// the sink first.
// CHECK-LABEL: func.func @decode
// CHECK-SAME: %{{.+}}: tensor<2x8x1x64xf32>, %[[K:[a-z0-9]+]]: tensor<2x4x?x64xf32>,
// CHECK: scf.forall (%[[B:.+]], %[[G:.+]], %[[PART:.+]]) in (2, 4, %{{.+}})
// CHECK:   %[[HEAD:.+]] = arith.muli %[[G]], %c2
// CHECK:   ds.checked_index
// CHECK:   tensor.extract_slice %{{.+}}[%[[B]], %[[HEAD]], 0, 0] [1, 2, 1, 64]
// CHECK:   %[[FIRST:.+]] = arith.muli %[[PART]], %c512
// CHECK:   %[[LOWER:.+]] = arith.maxsi %[[FIRST]], %c0
// CHECK:   scf.for %{{.+}} = %[[LOWER]] to %{{.+}} step %c512
// CHECK:     tensor.extract_slice %[[K]][%[[B]], %{{.+}}, %{{.+}}, 0]
// CHECK:     linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<2x64xf32>, tensor<?x64xf32>)
// CHECK:     arith.maxnumf
// CHECK:   tensor.parallel_insert_slice {{.*}}[%[[B]], %[[G]], 0, %[[PART]], 0, 0] [1, 1, 1, 1, 2, 64]
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (2, 4)
// CHECK:   tensor.extract %{{.+}} : tensor<8xf32>
// CHECK:   math.log
// CHECK: return
func.func @decode(%q: tensor<2x8x1x64xf32>, %k: tensor<2x4x?x64xf32>, %v: tensor<2x4x?x64xf32>, %n: tensor<2xi64>, %s: tensor<8xf32>) -> (tensor<2x8x1x64xf32>, tensor<2x8x1xf32>) {
  %0, %1 = ds.attention %q, %k, %v sink %s key_length %n {scale = 0.125 : f32}
    : (tensor<2x8x1x64xf32>, tensor<2x4x?x64xf32>, tensor<2x4x?x64xf32>, tensor<8xf32>, tensor<2xi64>) -> (tensor<2x8x1x64xf32>, tensor<2x8x1xf32>)
  return %0, %1 : tensor<2x8x1x64xf32>, tensor<2x8x1xf32>
}

// -----

// Few query rows of heads with keys of their own are the rows of one tile, and
// what a row may see is masked.
// CHECK-LABEL: func.func @few_rows
// CHECK: scf.forall (%[[B:.+]], %[[H:.+]], %{{.+}}) in (2, 8, %{{.+}})
// CHECK:   tensor.extract_slice %{{.+}}[%[[B]], %[[H]], 0, 0] [1, 1, 5, 64]
// CHECK:   linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<5x64xf32>, tensor<?x64xf32>)
// CHECK:   arith.cmpi sle
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (2, 8)
// CHECK:   tensor.parallel_insert_slice {{.*}} [1, 1, 5, 64]
func.func @few_rows(%q: tensor<2x8x5x64xf32>, %k: tensor<2x8x?x64xf32>, %v: tensor<2x8x?x64xf32>) -> tensor<2x8x5x64xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.125 : f32, causal}
    : (tensor<2x8x5x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>) -> tensor<2x8x5x64xf32>
  return %0 : tensor<2x8x5x64xf32>
}

// -----

// Where their number is told by a call, up to 16 of heads that share keys are
// tasks of their own, and more are tiles of 32.
// CHECK-LABEL: func.func @any_rows
// CHECK: %[[FEW:.+]] = arith.cmpi sle, %{{.+}}, %c16
// CHECK: %[[IS_FEW:.+]] = arith.index_castui %[[FEW]]
// CHECK: %[[DECIDES:.+]] = arith.cmpi ne, %[[IS_FEW]], %c0
// CHECK: arith.select %[[DECIDES]], %c2, %c0
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}, %[[ROW:.+]]) in (%{{.+}}, 4, %{{.+}}, %{{.+}})
// CHECK:   tensor.extract_slice %{{.+}}[%{{.+}}, %{{.+}}, %[[ROW]], 0] [1, 2, 1, 64]
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}) in (%{{.+}}, 4, %{{.+}})
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}) in (%{{.+}}, 8, %{{.+}})
func.func @any_rows(%q: tensor<2x8x?x64xf32>, %k: tensor<2x4x?x64xf32>, %v: tensor<2x4x?x64xf32>) -> tensor<2x8x?x64xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.125 : f32}
    : (tensor<2x8x?x64xf32>, tensor<2x4x?x64xf32>, tensor<2x4x?x64xf32>) -> tensor<2x8x?x64xf32>
  return %0 : tensor<2x8x?x64xf32>
}

// -----

// Of heads with keys of their own, one row is alone, and up to 16 are tiles of
// four, of which the last may have fewer.
// CHECK-LABEL: func.func @any_rows_of_heads
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x8x?x64xf32>
// CHECK: %[[ONE:.+]] = arith.cmpi sle, %{{.+}}, %c1
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}, %[[ROW:.+]]) in (%{{.+}}, 8, %{{.+}}, %{{.+}})
// CHECK:   tensor.extract_slice %[[Q]][%{{.+}}, %{{.+}}, %[[ROW]], 0] [1, 1, 1, 64]
// CHECK: arith.cmpi sle, %{{.+}}, %c16
// CHECK: scf.forall (%{{.+}}, %{{.+}}, %{{.+}}, %[[NUMBER:.+]]) in (%{{.+}}, 8, %{{.+}}, %{{.+}})
// CHECK:   %[[FIRST:.+]] = arith.muli %[[NUMBER]], %c4
// CHECK:   %[[LEFT:.+]] = arith.subi %{{.+}}, %[[FIRST]]
// CHECK:   %[[COUNT:.+]] = arith.minsi %[[LEFT]], %c4
// CHECK:   tensor.extract_slice %[[Q]][%{{.+}}, %{{.+}}, %[[FIRST]], 0] [1, 1, %[[COUNT]], 64]
// CHECK:   linalg.generic {{.*}} ins(%{{.+}}, %{{.+}} : tensor<4x64xf32>, tensor<?x64xf32>)
func.func @any_rows_of_heads(%q: tensor<2x8x?x64xf32>, %k: tensor<2x8x?x64xf32>, %v: tensor<2x8x?x64xf32>) -> tensor<2x8x?x64xf32> {
  %0 = ds.attention %q, %k, %v {scale = 0.125 : f32}
    : (tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>) -> tensor<2x8x?x64xf32>
  return %0 : tensor<2x8x?x64xf32>
}

// -----

// Without a key there are no parts.
// CHECK-LABEL: func.func @no_keys
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (2, 8)
// CHECK-NOT: scf.forall (
// CHECK: return
func.func @no_keys(%q: tensor<2x8x4x64xf32>, %k: tensor<2x8x0x64xf32>) -> tensor<2x8x4x64xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.125 : f32}
    : (tensor<2x8x4x64xf32>, tensor<2x8x0x64xf32>, tensor<2x8x0x64xf32>) -> tensor<2x8x4x64xf32>
  return %0 : tensor<2x8x4x64xf32>
}

// -----

// Nor without a row.
// CHECK-LABEL: func.func @no_rows
// CHECK-NOT: arith.ceildivsi
// CHECK: return
func.func @no_rows(%q: tensor<2x8x0x64xf32>, %k: tensor<2x8x?x64xf32>) -> tensor<2x8x0x64xf32> {
  %0 = ds.attention %q, %k, %k {scale = 0.125 : f32}
    : (tensor<2x8x0x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>) -> tensor<2x8x0x64xf32>
  return %0 : tensor<2x8x0x64xf32>
}

// -----

// What mask_mod gives for the ends of a tile tells whether it is empty or full.
// The documents of its rows and keys are read for that once.
// CHECK-LABEL: func.func @documents
// CHECK: scf.forall
// CHECK:   scf.for
// The least and the largest document of rows, then of keys.
// CHECK:     %[[ROWS:.+]]:2 = scf.for
// CHECK:       arith.minsi
// CHECK:       arith.maxsi
// CHECK:     %[[KEYS:.+]]:2 = scf.for
// CHECK:     arith.cmpi sle, %[[ROWS]]#0, %[[KEYS]]#1
// CHECK:     arith.cmpi sle, %[[KEYS]]#0, %[[ROWS]]#1
// CHECK:     %[[ANY:.+]] = arith.andi
// CHECK:     %[[COUNT:.+]] = arith.select %[[ANY]], %c1, %c0 : index
// CHECK:     scf.for %{{.+}} = %c0 to %[[COUNT]] step %c1
func.func @documents(%q: tensor<2x8x64x64xf32>, %k: tensor<2x8x256x64xf32>, %d: tensor<512xi64>) -> tensor<2x8x64x64xf32> {
  %0 = ds.attention %q, %k, %k mask_mod {
  ^bb0(%b: index, %h: index, %p: index, %j: index):
    %mine = tensor.extract %d[%p] : tensor<512xi64>
    %other = tensor.extract %d[%j] : tensor<512xi64>
    %same = arith.cmpi eq, %mine, %other : i64
    ds.yield %same : i1
  } {scale = 0.125 : f32} : (tensor<2x8x64x64xf32>, tensor<2x8x256x64xf32>, tensor<2x8x256x64xf32>) -> tensor<2x8x64x64xf32>
  return %0 : tensor<2x8x64x64xf32>
}

// -----

// A block of 128 keys lies in one page.
// CHECK-LABEL: func.func @large_pages
// CHECK: ds.check {{.*}} "kv_page has batch {0}, query {1}"
// CHECK: ds.check {{.*}} "key has {0} pages, expected {1} or more"
// CHECK: scf.forall (%[[B:[a-z0-9]+]]
// CHECK:   scf.for %[[J:[a-z0-9]+]] =
// CHECK:     %[[PLACE:.+]] = arith.divui %[[J]], %c256
// CHECK:     tensor.extract %{{.+}}[%[[B]], %[[PLACE]]] : tensor<?x?xi64>
// CHECK:     %[[PAGE:.+]] = ds.checked_index %{{.+}} in %{{.+}} : index
// CHECK:     %[[ROW:.+]] = arith.remui %[[J]], %c256
// CHECK:     tensor.extract_slice %arg1[%[[PAGE]], %{{.+}}, %[[ROW]], 0] [1, 1, 128, 64]
func.func @large_pages(%q: tensor<?x8x64x64xf32>, %k: tensor<?x2x256x64xf32>, %p: tensor<?x?xi64>) -> tensor<?x8x64x64xf32> {
  %0 = ds.attention %q, %k, %k kv_page %p {scale = 0.125 : f32}
         : (tensor<?x8x64x64xf32>, tensor<?x2x256x64xf32>, tensor<?x2x256x64xf32>, tensor<?x?xi64>) -> tensor<?x8x64x64xf32>
  return %0 : tensor<?x8x64x64xf32>
}

// -----

// Smaller pages, or parts of them, are copied together.
// CHECK-LABEL: func.func @small_pages
// CHECK: scf.forall
// CHECK:   scf.for %[[J:[a-z0-9]+]] =
// CHECK:     %[[FIRST:.+]] = arith.divui %[[J]], %c16
// CHECK:     %[[LAST:.+]] = arith.ceildivui %{{.+}}, %c16
// CHECK:     scf.for %[[I:[a-z0-9]+]] = %[[FIRST]] to %[[LAST]] step %c1 iter_args(%[[BLOCK:.+]] = %{{.+}}) -> (tensor<128x64xf32>)
// CHECK:       %[[PAGE:.+]] = ds.checked_index
// CHECK:       %[[ROWS:.+]] = tensor.extract_slice %arg1[%[[PAGE]],
// CHECK:       tensor.insert_slice %[[ROWS]] into %[[BLOCK]][%{{.+}}, 0]
func.func @small_pages(%q: tensor<?x8x64x64xf32>, %k: tensor<?x2x16x64xf32>, %n: tensor<?xi64>, %p: tensor<?x?xi64>) -> tensor<?x8x64x64xf32> {
  %0 = ds.attention %q, %k, %k key_length %n kv_page %p {scale = 0.125 : f32}
         : (tensor<?x8x64x64xf32>, tensor<?x2x16x64xf32>, tensor<?x2x16x64xf32>, tensor<?xi64>, tensor<?x?xi64>) -> tensor<?x8x64x64xf32>
  return %0 : tensor<?x8x64x64xf32>
}

// -----

// Of a bias whose first element in a tile hides, the largest tells whether the
// tile counts; lanes are rows, so what is added is turned first. Where a row
// sees none but those that a number hides, all is done again.
// CHECK-LABEL: func.func @bias
// CHECK-SAME: %{{.+}}: tensor<1x2x300x64xf32>, %[[BIAS:.+]]: tensor<1x1x300x300xf32>
// CHECK: scf.forall
// CHECK:   scf.for %[[TIME:.+]] = %c0 to %c2 step %c1
// CHECK:   %[[AGAIN:.+]] = arith.cmpi eq, %[[TIME]], %c1
// CHECK:   linalg.fill
// CHECK:   %[[LIMIT:.+]] = arith.select %[[AGAIN]], %{{.+}}, %{{.+}} : f32
// CHECK:   %[[FIRST:.+]] = tensor.extract %[[BIAS]]
// CHECK:   %[[SEEN:.+]] = arith.cmpf ugt, %[[FIRST]], %[[LIMIT]] : f32
// CHECK:   %[[ADMITS:.+]] = scf.if %[[SEEN]] -> (i1)
// CHECK:     tensor.extract_slice %[[BIAS]]
// CHECK-COUNT-2: arith.maximumf
// CHECK:   arith.select %[[ADMITS]], %c1, %c0
// CHECK:   %[[TILE:.+]] = tensor.extract_slice %[[BIAS]]{{.*}} to tensor<?x?xf32>
// CHECK:   linalg.generic {{.*}} ins(%[[TILE]] : tensor<?x?xf32>) outs(%{{.+}} : tensor<?x?xf32>)
// CHECK:   arith.cmpf ole, %{{.+}}, %{{.+}} : f32
func.func @bias(%q: tensor<1x2x300x64xf32>, %b: tensor<1x1x300x300xf32>) -> tensor<1x2x300x64xf32> {
  %0 = ds.attention %q, %q, %q bias %b {scale = 0.125 : f32} : (tensor<1x2x300x64xf32>, tensor<1x2x300x64xf32>, tensor<1x2x300x64xf32>, tensor<1x1x300x300xf32>) -> tensor<1x2x300x64xf32>
  return %0 : tensor<1x2x300x64xf32>
}

// -----

// One number for all scores hides none.
// CHECK-LABEL: func.func @scalar
// CHECK: scf.forall
// CHECK-NOT: scf.if
// CHECK: return
func.func @scalar(%q: tensor<1x2x40x64xf32>, %b: tensor<f32>) -> tensor<1x2x40x64xf32> {
  %0 = ds.attention %q, %q, %q bias %b {scale = 0.125 : f32} : (tensor<1x2x40x64xf32>, tensor<1x2x40x64xf32>, tensor<1x2x40x64xf32>, tensor<f32>) -> tensor<1x2x40x64xf32>
  return %0 : tensor<1x2x40x64xf32>
}
