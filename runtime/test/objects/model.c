// A model by hand: what compiled code looks like to the runtime. Built several
// times with different macros, most of which the loader must refuse.
#include "ds/abi.h"
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

// add: y[n][4] = a[n][4] + b[n][4] + weights[4], in parallel over n, through
// the arena and each worker's scratch.

static int32_t add_shape(ds_shape_request *r) {
  r->output_sizes[0] = r->inputs[0].sizes[0];
  r->output_sizes[1] = 4;
  r->arena_bytes = (uint64_t)r->inputs[0].sizes[0] * 16;
  r->scratch_bytes = 64;
  return 0;
}

static void add_rows(void *ctx, int64_t begin, int64_t end, int32_t worker) {
  const ds_frame *f = ctx;
  const float *a = f->inputs[0].data, *b = f->inputs[1].data;
  const float *w = (const float *)f->weights;
  float *row = (float *)(f->scratch + (uint64_t)worker * f->scratch_bytes);
  float *arena = (float *)f->arena, *y = f->outputs[0].data;
  for (int64_t i = begin; i < end; ++i) {
    for (int j = 0; j < 4; ++j)
      row[j] = a[4 * i + j] + b[4 * i + j];
    memcpy(arena + 4 * i, row, 16);
    for (int j = 0; j < 4; ++j)
      y[4 * i + j] = arena[4 * i + j] + w[j];
  }
  if (f->host->count)
    f->host->count(f->host->self, 4 * (end - begin), 48 * (end - begin));
}

static int32_t add_run(const ds_frame *f) {
  f->host->parallel_for(f->host->self, add_rows, f->inputs[0].sizes[0],
                        (void *)f);
  if (f->host->count)
    f->host->count(f->host->self, 1, 0);
  return 0;
}

// lookup: y[batch][seq] = weights[4 + id], ids in [0, 4); in parallel, so that
// errors come in any order.

static int32_t lookup_shape(ds_shape_request *r) {
  r->output_sizes[0] = r->inputs[0].sizes[0];
  r->output_sizes[1] = r->inputs[0].sizes[1];
  r->arena_bytes = 0;
  r->scratch_bytes = 0;
  return 0;
}

static void lookup_some(void *ctx, int64_t begin, int64_t end, int32_t worker) {
  const ds_frame *f = ctx;
  const int64_t *ids = f->inputs[0].data;
  float *y = f->outputs[0].data;
  (void)worker;
  for (int64_t i = begin; i < end; ++i) {
    int64_t id = ids[i];
    if (id < 0 || id >= 4) {
      f->host->report(f->host->self, 1, i, id, 4);
      id = 0;
    }
    y[i] = ((const float *)f->weights)[4 + id];
  }
}

static int32_t lookup_run(const ds_frame *f) {
  const int64_t *sizes = f->inputs[0].sizes;
  f->host->parallel_for(f->host->self, lookup_some, sizes[0] * sizes[1],
                        (void *)f);
  return 0;
}

// increment: cache[m] + 1, in place where the caller gives one buffer for both;
// also returns the sum.

static int32_t increment_shape(ds_shape_request *r) {
  r->output_sizes[0] = r->inputs[0].sizes[0];
  r->arena_bytes = 0;
  r->scratch_bytes = 0;
  return 0;
}

static int32_t increment_run(const ds_frame *f) {
  float *cache = f->outputs[0].data;
  int64_t size = f->inputs[0].sizes[0];
  float sum = 0;
  if (cache != f->inputs[0].data)
    memcpy(cache, f->inputs[0].data, (size_t)size * 4);
  for (int64_t i = 0; i < size; ++i)
    sum += cache[i] += 1;
  *(float *)f->outputs[1].data = sum;
  return 0;
}

// fill: y[count] = count, where count is the value of a scalar input. Count -1
// breaks a relation; -2 and -3 are defects of compiled code.

static int32_t fill_shape(ds_shape_request *r) {
  int64_t count = *(const int64_t *)r->inputs[0].data;
  r->arena_bytes = 0;
  r->scratch_bytes = 0;
  r->output_sizes[0] = count;
  if (count == -1) {
    r->host->report(r->host->self, 0, 0, count, 0);
    return 1;
  }
  return count == -2 ? 7 : 0;
}

static int32_t fill_run(const ds_frame *f) {
  int64_t *y = f->outputs[0].data;
  for (int64_t i = 0; i < f->outputs[0].sizes[0]; ++i)
    y[i] = f->outputs[0].sizes[0];
  return 0;
}

// overrun: reads one float beyond the arena (0), scratch (1), weights (2) or
// output (3), or before them (4 to 7). For tests of sanitized code.

static int32_t overrun_shape(ds_shape_request *r) {
  r->output_sizes[0] = 3;
  r->arena_bytes = 64;
  r->scratch_bytes = 64;
  return 0;
}

static int32_t overrun_run(const ds_frame *f) {
  int64_t which = *(const int64_t *)f->inputs[0].data;
  const float *bases[] = {(const float *)f->arena, (const float *)f->scratch,
                          (const float *)f->weights, f->outputs[0].data};
  // Scratch of one thread; the test says so.
  const int64_t counts[] = {16, 16, 8, 3};
  float *y = f->outputs[0].data;
  memset(y, 0, 12);
  if (which >= 0 && which < 8)
    y[0] = *(which < 4 ? bases[which] + counts[which] : bases[which - 4] - 1);
  return 0;
}

#if defined(WITH_CONSTRUCTOR)
static volatile int constructed;
__attribute__((constructor)) static void construct(void) { constructed = 1; }
#elif defined(WITH_DESTRUCTOR)
static volatile int destructed;
__attribute__((destructor)) static void destruct(void) { destructed = 1; }
#elif defined(WITH_THREAD_LOCAL)
__thread int perThread;
#elif defined(WITH_FOREIGN_CALL)
int system(const char *command);
int escape(void) { return system("true"); }
#elif defined(WITH_IFUNC)
static int chosen(void) { return 1; }
static int (*choose(void))(void) { return chosen; }
int resolved(void) __attribute__((ifunc("choose")));
#endif

static const ds_code_entry entries[] = {
    {"add", "(f32[$0,4],f32[$0,4])->(f32[$0,4])", add_shape, add_run},
    {"lookup", "(i64[$0,$1],i64[$0,$1])->(f32[$0,$1])", lookup_shape,
     lookup_run},
    {"increment", "(f32[$0])->(f32[$0]=0,f32[])", increment_shape,
     increment_run},
    {"fill", "(i64[])->(i64[?])", fill_shape, fill_run},
    {"overrun", "(i64[])->(f32[3])", overrun_shape, overrun_run},
};

#ifndef WITH_ABI
#define WITH_ABI DS_ABI_VERSION
#endif

static const ds_code_kernel kernels[] = {{add_rows, "sum of rows"}};

#ifdef WITHOUT_KERNELS
#define TABLE_SIZE offsetof(ds_code_table, kernel_count)
#else
#define TABLE_SIZE sizeof(ds_code_table)
#endif

#ifndef WITHOUT_TABLE
__attribute__((visibility("default"))) const ds_code_table ds_code_table_v1 = {
    TABLE_SIZE, WITH_ABI, sizeof(entries) / sizeof(entries[0]), entries, 32,
    1,          kernels};
#endif
