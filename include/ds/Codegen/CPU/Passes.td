//===- Passes.td - CPU code generation ----------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_CPU_PASSES_TD
#define DS_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def BindWeights : Pass<"ds-bind-weights", "::mlir::ModuleOp"> {
  let summary = "gives weights their places in the artifact";
  let description = [{
    Adds to every entry an argument for the base of the weights and turns each
    `ds.weight` into a view at its offset. Equal references share one place;
    places are aligned to 64 bytes and follow the order of first use. The module
    attribute `ds.weights` lists what lies where, for whoever writes the
    artifact.

    ```mlir
    // before
    %w = ds.weight <"m.onnx", 0, 16, "", tensor<4xf32>> : tensor<4xf32>
    // after
    %v = memref.view %weights[%c0][] : memref<?xi8> to memref<4xf32>
    %w = bufferization.to_tensor %v restrict : memref<4xf32> to tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
                           "::mlir::memref::MemRefDialect"];
}

def EmitEntryPoints : Pass<"ds-emit-entry-points", "::mlir::ModuleOp"> {
  let summary = "wraps entries in the frame ABI and exports the code table";
  let description = [{
    After conversion to the llvm dialect: for every entry `@main` with its shape
    function, a `run` and a `shape` function over the runtime's frame, and the
    one table that the code object exports, `ds_code_table_v1`. Calls of tasks
    go through the host's `parallel_for`, reports through its `report`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def ExpandMath : Pass<"ds-expand-math"> {
  let summary = "computes math functions in plain arithmetic, without libm";
  let description = [{
    Compiled code calls nothing but memcpy, memmove and memset. This pass
    replaces every op that LLVM would lower to another call on x86-64-v3 or
    newer or AArch64: the elementary functions, powers, `arith.remf`, and
    conversions to and arithmetic in half precision. What these targets have
    instructions for (`math.sqrt`, `math.fma`, rounding to integers, …) stays.

    Operands are scalars or fixed-size vectors of f16, bf16, f32 or f64. A
    result is the same bits as a scalar and in any lane of a vector: the
    arithmetic is the same, fused multiply-adds are explicit and no fast-math
    flag is set; those of the replaced op are ignored. Half-precision functions
    are computed in f32. `docs/math-accuracy.md` lists the measured errors.

    Runs before scf is lowered: `arith.remf`, `math.ipowi` and the reduction of
    large angles are loops.

    ```mlir
    // before
    %0 = math.rsqrt %x : vector<16xf32>
    // after
    %one = arith.constant dense<1.0> : vector<16xf32>
    %root = math.sqrt %x : vector<16xf32>
    %0 = arith.divf %one, %root : vector<16xf32>
    ```
  }];
  let options = [
    Option<"nativeBF16", "native-bf16", "bool", /*default=*/"false",
           "The target converts f32 to bf16 in one instruction (AVX512-BF16, "
           "AVX-NE-CONVERT, AArch64 BF16): keep that conversion. Such "
           "instructions may flush subnormal numbers.">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandReshapes : Pass<"ds-expand-reshapes"> {
  let summary = "lowers memref.expand_shape to a view with explicit strides";
  let description = [{
    Upstream's `expand-strided-metadata` fails on a group of several dynamic
    dims, which every split of a token dim into batch and sequence is.

    ```mlir
    // before
    %e = memref.expand_shape %x [[0, 1], [2]] output_shape [%b, %s, 384]
           : memref<?x384xf32> into memref<?x?x384xf32>
    // after
    %base, %o, … = memref.extract_strided_metadata %x
    %e = memref.reinterpret_cast %base to offset: [0], sizes: [%b, %s, 384],
           strides: [%s384, 384, 1]
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::memref::MemRefDialect"];
}

def FuseElementwise : Pass<"ds-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "fuses element-wise generics into their consumers";
  let description = [{
    Upstream's fusion of element-wise ops with a rule of when it pays: the
    producer is read once and in full by the consumer, and the consumer is not
    a matrix product, whose operands the micro-kernels read many times.

    ```mlir
    // before
    %0 = linalg.generic … { arith.addf }
    %1 = linalg.generic … ins(%0) { arith.maximumf }
    // after
    %1 = linalg.generic … { arith.addf ; arith.maximumf }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect"];
}

def FuseTasks : Pass<"ds-fuse-tasks", "::mlir::func::FuncOp"> {
  let summary = "computes chains of ops together, tile by tile";
  let description = [{
    Forms groups of ops of which only the last one's result is read outside, and
    tiles the last one to a parallel loop with the others fused into it:

    - a product with a packed weight and the element-wise op that reads it
      (bias, activation, residual): tiles of the result, which are still in the
      first-level cache when the second op reads them; of a convolution, rows of
      positions by a panel of feature maps, which the second op puts in the
      order of the result;
    - a sum over windows of one channel with the zeros around the channel and
      the element-wise op that reads it: single planes;
    - reductions over the last dims with what they read and what is made of them
      (normalizations, softmax): single rows.

    No reduction is cut, so the bits stay the same. Padding that is in no group
    becomes a copy into a tensor of zeros.

    ```mlir
    // before
    %0 = ds.packed_matmul ins(%x, %w) outs(%e) -> tensor<?x384xf32>
    %1 = linalg.generic … ins(%0, %bias) { arith.addf }
    // after
    %1 = scf.forall (%i, %j) in (%m, 12) shared_outs(%o = %e) {
      %t = ds.packed_matmul ins(%x_tile, %panel) outs(%tile) -> tensor<?x32xf32>
      %u = linalg.generic … ins(%t, %bias_tile) { arith.addf }
      scf.forall.in_parallel { tensor.parallel_insert_slice %u into %o … }
    }
    ```
  }];
  let options = [
    Option<"taskRows", "task-rows", "int64_t", "48",
           "rows of a product that one task computes">,
    Option<"taskColumns", "task-columns", "int64_t", "32",
           "columns of a product that one task computes: whole panels">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def GenerateKernels : Pass<"ds-generate-kernels", "::mlir::ModuleOp"> {
  let summary = "lowers linalg on buffers to vector loops and micro-kernels";
  let description = [{
    Matrix products and convolutions become calls of register-tiled
    micro-kernels, everything else loops over vectors with a masked tail. Outer
    parallel loops become `scf.forall`, which later become tasks.

    Elements of a row up to 4 apart are picked from vectors of all that lies
    between. Elements that lie apart along the vectors' dim but together along
    another are read as squares that are transposed in registers; others that
    lie apart, and reads at indices from data, are gathers. What is read at min(index,
    last), because only a run tells whether it broadcasts, gets a version for
    each case behind one branch. Sums over windows are formed for four rows at
    once, which share what they read. A reduction starts from the value that a
    fill before it gives, and does not read it.

    ```mlir
    // before
    linalg.generic … ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) { … }
    // after
    scf.forall (%i) in (%pieces) {
      scf.for … { vector.load ; … ; vector.store }
      scf.if … { vector.maskedload ; … ; vector.maskedstore }
      ds.count_work …
    }
    ```
  }];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 elements of a vector">,
    Option<"tileRows", "tile-rows", "int64_t", "8",
           "rows of the register tile of matrix products">,
    Option<"tileLanes", "tile-lanes", "int64_t", "32",
           "columns of the register tile of matrix products">,
    Option<"dotsBF16", "dots-bf16", "bool", "false",
           "whether the target has AVX-512 dot products of pairs of bf16">,
    Option<"tilesBF16", "tiles-bf16", "bool", "false",
           "whether the target has tile registers (AMX) for bf16, and dots">,
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::amx::AMXDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::ds::DSDialect",
    "::mlir::vector::VectorDialect", "::mlir::x86vector::X86VectorDialect"];
}

def InsertCopies : Pass<"ds-insert-copies", "::mlir::ModuleOp"> {
  let summary = "makes the copies that bufferization needs, and says why";
  let description = [{
    One-shot analysis decides which ops write where their operand lies; the
    others get a copy, here, so that bufferization itself makes none. Each copy
    is a remark that names the node that writes and what stands in the way: a
    node that reads the old contents later, an input, a constant.

    ```mlir
    // before
    %1 = linalg.generic … outs(%x) …
    %2 = "reads" (%x)
    // after, with the remark "node 'A' writes a copy of its operand: node 'B' reads it later"
    %c = bufferization.alloc_tensor() copy(%x)
    %1 = linalg.generic … outs(%c) …
    %2 = "reads" (%x)
    ```
  }];
  let statistics = [Statistic<"numCopies", "num-copies", "copies made">];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def LowerChecks : Pass<"ds-lower-checks", "::mlir::ModuleOp"> {
  let summary = "lowers checks of indices from data to code that reports";
  let description = [{
    `ds.checked_index` becomes a comparison, a report through the host in the
    branch that is not taken in a legal call, and a select of an index that is
    inside. Every op is a site; the module attribute `ds.sites` lists their
    nodes and messages in order.

    ```mlir
    // before
    %s = ds.checked_index %i in %n : index
    // after
    %ok = arith.cmpi ult, %i, %n : index
    scf.if %not_ok { call @ds_report(%host, %site, …) }
    %s = arith.select %ok, %i, %c0 : index
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect"];
}

def HalvesAsIntegers : Pass<"ds-halves-as-integers"> {
  let summary = "what only moves half-precision floats, on 16-bit integers";
  let description = [{
    Where a target has no masked access or shuffle of 16-bit elements, LLVM
    takes the vector apart. Of floats it makes f32 on the way, for which it
    needs calls that compiled code does not have; integers stay what they are.

    A masked store of one lane becomes a scalar store: of elements that were
    narrowed just before, LLVM would write more bytes than the lane has.

    A bf16 that is loaded in one block and used in another would be an f32 on
    the way between them, and back again: its bits are loaded, and widened where
    it is extended or compared.

    ```mlir
    // before
    llvm.intr.masked.store %v, %p, %m : vector<8xbf16>, …
    // after
    %i = llvm.bitcast %v : vector<8xbf16> to vector<8xi16>
    llvm.intr.masked.store %i, %p, %m : vector<8xi16>, …
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def OutlineTasks : Pass<"ds-outline-tasks", "::mlir::ModuleOp"> {
  let summary = "turns parallel loops into functions over a range of tasks";
  let description = [{
    The body of every outermost `scf.forall` becomes a private function of a
    range of iterations, the worker that runs them, and what the body uses; a
    call marked `ds.tasks` with the whole range takes its place. Buffers
    allocated in the body come from the worker's scratch memory; the largest
    demand of any loop is the entry's.

    ```mlir
    // before
    scf.forall (%i) in (%n) { … %x … }
    // after
    call @main_tasks_0(%frame, %c0, %n, %c0_i32, %x) {ds.tasks}
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def PlanMemory : Pass<"ds-plan-memory", "::mlir::ModuleOp"> {
  let summary = "one arena for all buffers of a call, and the shape function";
  let description = [{
    Results become buffers that the caller gives. Buffers whose lives do not
    overlap share a place in one arena; sizes may be dynamic. Large buffers
    choose first, and a dim of which nothing is known counts as 64 then. A function
    `@<entry>_shape` computes from the inputs alone the sizes of the results
    and of the arena, and evaluates the entry's `ds.check`s. What it would need
    beyond shapes and small integer inputs is an error that names the node.

    ```mlir
    // before
    func.func @main(%x: memref<?xf32>) -> memref<?xf32>
    // after
    func.func @main(%x: memref<?xf32>, %y: memref<?xf32>,
                    %arena: memref<?xi8>, …)
    func.func @main_shape(%x: memref<?xf32>, …) -> …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::LLVM::LLVMDialect"];
}

def ResultsToArguments : Pass<"ds-results-to-arguments", "::mlir::ModuleOp"> {
  let summary = "lets the caller give the buffers of results";
  let description = [{
    Every result of an entry becomes a trailing argument. A buffer that the
    entry allocates for a result, or a reshaped view of it, is the argument from
    the start; anything else is copied at the end. The entry returns the dynamic
    sizes of its results instead, in order, for the shape function. Arguments
    for the arena, the scratch memory, its bytes per worker, and the host follow.

    A result that begins as a copy of an input, as a cache with new rows does,
    may have that input's buffer where the input is not read afterwards: the
    copy is made only where the two differ. `ds.aliases` has these pairs of
    an input and a result. A caller gives one buffer for both only where their
    shapes are equal, so what grows in every call is none of them.

    ```mlir
    // before
    func.func @main(%x: memref<?xf32>) -> memref<?xf32> {
      %y = memref.alloc(%n) : memref<?xf32>
      …
      return %y : memref<?xf32>
    }
    // after
    func.func @main(%x: memref<?xf32>, %y: memref<?xf32>,
                    %arena: memref<?xi8>, %scratch: memref<?xi8>,
                    %scratch_bytes: index, %host: !llvm.ptr) -> index {
      …
      return %n : index
    }
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def SinkReshapes : Pass<"ds-sink-reshapes", "::mlir::func::FuncOp"> {
  let summary = "moves reshapes of products past element-wise ops";
  let description = [{
    A linear layer is a product of matrices whose rows then become batch and
    sequence again. Element-wise ops that follow run on the matrix instead, so
    that they can be fused with the product, and the next layer's reshape to a
    matrix cancels out.

    ```mlir
    // before
    %1 = tensor.expand_shape %0 [[0, 1], [2]] … : tensor<?x8xf32> into tensor<?x?x8xf32>
    %2 = linalg.generic … ins(%1) : tensor<?x?x8xf32>
    // after
    %1 = linalg.generic … ins(%0) : tensor<?x8xf32>
    %2 = tensor.expand_shape %1 [[0, 1], [2]] … : tensor<?x8xf32> into tensor<?x?x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif // DS_CODEGEN_CPU_PASSES_TD
