//===- abi.h - Contract between compiled code and the runtime ---*- C -*-===//
//
// A code object of an artifact exports one symbol, `ds_code_table_v1`. For each
// entry of the model the table holds a shape function and a run function. Both
// take one struct by pointer and get everything they use through it: compiled
// code calls nothing but memcpy, memmove and memset by name, reaches weights by
// offset and holds no state, so one mapping serves any number of threads.
//
// All structs start with their own size and the ABI version, so that a field
// can be added at the end without breaking code compiled earlier. A change of
// any existing field is a new version and a new symbol.
//
//===----------------------------------------------------------------------===//

#ifndef DS_ABI_H
#define DS_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DS_ABI_VERSION 1
#define DS_CODE_TABLE_SYMBOL "ds_code_table_v1"

/* Alignment in bytes of weights, arena, scratch and of outputs that the runtime
 * allocates. Tensors of the caller are aligned to their element type only. */
#define DS_BUFFER_ALIGNMENT 64

/* One tensor, dense and row-major in ABI version 1. A tensor without elements
 * has a non-null pointer that must not be read. */
typedef struct ds_buffer {
  void *data;
  const int64_t *sizes;   /* rank entries, none negative */
  const int64_t *strides; /* rank entries, in elements */
  uint64_t capacity;      /* bytes valid from data; at least those of sizes */
} ds_buffer;

/* A piece of a parallel loop: the tasks [begin, end). `worker` tells who runs
 * it; two pieces that run at the same time have different workers. */
typedef void (*ds_task_fn)(void *ctx, int64_t begin, int64_t end,
                           int32_t worker);

/* What the runtime offers to compiled code. */
typedef struct ds_host {
  uint32_t struct_size, abi_version;
  void *self; /* first argument of each function below */

  /* Runs the tasks 0 … n-1 and returns when all are done. `worker` is in
   * [0, threads), where threads is what the shape function was given. Pieces
   * are cut and ordered arbitrarily: tasks must not depend on each other. A
   * call from inside a task runs inline with the caller's worker. */
  void (*parallel_for)(void *self, ds_task_fn fn, int64_t n, void *ctx);

  /* Tells of an error. `site` indexes the entry's `sites` in the manifest, v0
   * and v1 fill the site's text, `index` orders what is at fault there: code
   * gives v0. Thread-safe; the report with the smallest (site, index) is kept,
   * so the message does not depend on scheduling. */
  void (*report)(void *self, int64_t site, int64_t index, int64_t v0,
                 int64_t v1);

  /* Reserved for outputs whose shape depends on data. Returns null. */
  void *(*alloc)(void *self, uint64_t bytes);

  /* Counts work that a task, or the run function itself, has done, for a
   * profile; null where none is made. Code reads it where struct_size says
   * that it is there. */
  void (*count)(void *self, int64_t flops, int64_t bytes);

  /* Whether anything has been reported since the call began: a loop that goes
   * on until data says otherwise asks, since that data may never come then.
   * Only the run function asks, while no parallel loop is at work. Never null;
   * code reads it where struct_size says that it is there. */
  int32_t (*failed)(void *self);
} ds_host;

/* The argument of a run function. */
typedef struct ds_frame {
  uint32_t struct_size, abi_version;
  const ds_buffer *inputs, *outputs; /* in the order of the manifest; none
                                        overlap, but an output may be the very
                                        buffer of the input it is aliased to */
  const uint8_t *weights;            /* start of the safetensors data section */
  uint8_t *arena;                    /* arena_bytes, contents undefined */
  uint8_t *scratch;       /* worker w's part is at scratch + w*scratch_bytes */
  uint64_t scratch_bytes; /* as the shape function returned it */
  void *const *slots;     /* reserved for adapters; null */
  const ds_host *host;
} ds_frame;

/* The argument of a shape function. */
typedef struct ds_shape_request {
  uint32_t struct_size, abi_version;
  const ds_buffer *inputs; /* sizes of all, and data of all: small integer
                              inputs may determine shapes */
  int64_t threads;         /* at most so many workers will run */
  int64_t *output_sizes;   /* out: the sizes of output 0, then those of output
                              1, …; ranks are in the manifest */
  uint64_t arena_bytes;    /* out */
  uint64_t scratch_bytes;  /* out: per worker, a multiple of 64 */
  const ds_host *host;     /* a relation between input shapes that does not hold
                              is reported here, and the function returns
                              non-zero */
} ds_shape_request;

typedef struct ds_code_entry {
  const char *name;
  /* What the functions take and give, which must be what the manifest says:
   * "(f32[$0,4],i64[?])->(f32[$0,4]=0)" is two inputs and an output that may
   * have the buffer of input 0. A dim is a size, a symbol by the order in which
   * the entry first names them, or ? for any value. */
  const char *interface;
  int32_t (*shape)(ds_shape_request *request); /* 0: success */
  int32_t (*run)(const ds_frame *frame);       /* 0: success */
} ds_code_entry;

/* A parallel loop of a run function, for profiles. */
typedef struct ds_code_kernel {
  ds_task_fn fn;    /* as parallel_for is given it */
  const char *name; /* of the model's nodes that it computes */
} ds_code_kernel;

/* The exported table: `const ds_code_table ds_code_table_v1`. */
typedef struct ds_code_table {
  uint32_t struct_size, abi_version;
  uint64_t entry_count;
  const ds_code_entry *entries;
  uint64_t weight_bytes; /* read from the start of ds_frame's weights */
  uint64_t kernel_count;
  const ds_code_kernel *kernels;
} ds_code_table;

#ifdef __cplusplus
}
#endif

#endif /* DS_ABI_H */
