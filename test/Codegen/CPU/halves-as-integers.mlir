// RUN: ds-opt %s --ds-halves-as-integers | FileCheck %s

// Masked accesses and shuffles of halves go through integers of 16 bits: LLVM
// would make calls of them where a target has no such instruction. Floats stay.
// CHECK-LABEL: llvm.func @halves
// CHECK: %[[PASS:.+]] = llvm.bitcast %{{.+}} : vector<16xbf16> to vector<16xi16>
// CHECK: %[[BITS:.+]] = llvm.intr.masked.load %{{.+}}, %{{.+}}, %[[PASS]] {alignment = 2 : i32} : {{.*}} -> vector<16xi16>
// CHECK-DAG: llvm.bitcast %[[BITS]] : vector<16xi16> to vector<16xbf16>
// CHECK-DAG: llvm.intr.masked.store {{.*}} : vector<16xi16>, vector<16xi1> into !llvm.ptr
llvm.func @halves(%from: !llvm.ptr, %to: !llvm.ptr, %mask: vector<16xi1>, %v: vector<16xbf16>) -> vector<16xbf16> {
  %r = llvm.intr.masked.load %from, %mask, %v {alignment = 2 : i32}
      : (!llvm.ptr, vector<16xi1>, vector<16xbf16>) -> vector<16xbf16>
  llvm.intr.masked.store %v, %to, %mask {alignment = 2 : i32} : vector<16xbf16>, vector<16xi1> into !llvm.ptr
  llvm.return %r : vector<16xbf16>
}

// CHECK-LABEL: llvm.func @shuffled
// CHECK: llvm.shufflevector %{{.+}}, %{{.+}} [0, 4, 1, 5] : vector<4xi16>
// CHECK: llvm.bitcast %{{.+}} : vector<4xi16> to vector<4xbf16>
llvm.func @shuffled(%a: vector<4xbf16>, %b: vector<4xbf16>) -> vector<4xbf16> {
  %r = llvm.shufflevector %a, %b [0, 4, 1, 5] : vector<4xbf16>
  llvm.return %r : vector<4xbf16>
}

// CHECK-LABEL: llvm.func @one_lane
// CHECK-NOT: masked.store
// CHECK: %[[LANE:.+]] = llvm.extractelement %{{.+}}[%{{.+}} : i64] : vector<4xi16>
// CHECK: %[[PLACE:.+]] = llvm.getelementptr %{{.+}}[2] : (!llvm.ptr) -> !llvm.ptr, i16
// CHECK: llvm.store %[[LANE]], %[[PLACE]] : i16, !llvm.ptr
// CHECK: llvm.intr.masked.store
llvm.func @one_lane(%v: vector<4xi16>, %to: !llvm.ptr) {
  %one = llvm.mlir.constant(dense<[false, false, true, false]> : vector<4xi1>) : vector<4xi1>
  %two = llvm.mlir.constant(dense<[true, true, false, false]> : vector<4xi1>) : vector<4xi1>
  llvm.intr.masked.store %v, %to, %one {alignment = 2 : i32} : vector<4xi16>, vector<4xi1> into !llvm.ptr
  llvm.intr.masked.store %v, %to, %two {alignment = 2 : i32} : vector<4xi16>, vector<4xi1> into !llvm.ptr
  llvm.return
}

// One that is used in another block than it was loaded in.
// CHECK-LABEL: llvm.func @scalars
// CHECK: %[[BITS:.+]] = llvm.load %{{.+}} {alignment = 2 : i64} : !llvm.ptr -> i16
// CHECK: llvm.fcmp "une" %{{.+}}, %{{.+}} : f32
// CHECK: ^bb1
// CHECK: llvm.zext %[[BITS]] : i16 to i32
// CHECK: %[[UPPER:.+]] = llvm.shl
// CHECK: llvm.bitcast %[[UPPER]] : i32 to f32
llvm.func @scalars(%from: !llvm.ptr, %none: bf16) -> f32 {
  %zero = llvm.mlir.constant(0.0 : f32) : f32
  %x = llvm.load %from {alignment = 2 : i64} : !llvm.ptr -> bf16
  %some = llvm.fcmp "une" %x, %none : bf16
  llvm.cond_br %some, ^bb1, ^bb2
^bb1:
  %wide = llvm.fpext %x : bf16 to f32
  llvm.return %wide : f32
^bb2:
  llvm.return %zero : f32
}

// CHECK-LABEL: llvm.func @floats
// CHECK-NOT: llvm.bitcast
// CHECK: llvm.return
llvm.func @floats(%from: !llvm.ptr, %to: !llvm.ptr, %mask: vector<16xi1>, %else: vector<16xf32>) {
  %v = llvm.intr.masked.load %from, %mask, %else {alignment = 4 : i32}
      : (!llvm.ptr, vector<16xi1>, vector<16xf32>) -> vector<16xf32>
  llvm.intr.masked.store %v, %to, %mask {alignment = 4 : i32} : vector<16xf32>, vector<16xi1> into !llvm.ptr
  llvm.return
}
