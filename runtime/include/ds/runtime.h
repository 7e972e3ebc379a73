//===- runtime.h - C interface of the ds runtime ----------------*- C -*-===//
//
// Loads an artifact (.dsa), checks it and runs it. Every function that can fail
// returns a ds_status and leaves a sentence for people in ds_last_error() of
// the calling thread. No function throws or ends the process.
//
// A module is immutable and serves many contexts at once; its worker threads
// are shared by them. A context owns the buffers of a call and is used by one
// thread at a time.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_H
#define DS_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define DS_API
#else
#define DS_API __attribute__((visibility("default")))
#endif

/* In C++, any value of a caller is a value of the enum, so that one out of
 * range is refused instead of being undefined. */
#ifdef __cplusplus
#define DS_INT32 : int32_t
extern "C" {
#else
#define DS_INT32
#endif

typedef struct ds_module ds_module;
typedef struct ds_context ds_context;
typedef struct ds_entry ds_entry;

typedef enum ds_status DS_INT32 {
  DS_OK = 0,
  DS_ERROR_ARGUMENT = 1,    /* a caller's argument or tensor is at fault */
  DS_ERROR_IO = 2,          /* the file cannot be opened, read or mapped */
  DS_ERROR_ARTIFACT = 3,    /* the file is damaged or not an artifact */
  DS_ERROR_UNSUPPORTED = 4, /* another version, CPU or sanitizer is needed */
  DS_ERROR_DATA = 5,        /* compiled code rejected an input's values */
  DS_ERROR_OUT_OF_MEMORY = 6,
  DS_ERROR_INTERNAL = 7, /* a defect of the compiler or the runtime */
  DS_DIFFERENT = 8       /* the self-test ran and its results differ */
} ds_status;

typedef enum ds_type DS_INT32 {
  DS_F32 = 0,
  DS_F64 = 1,
  DS_F16 = 2,
  DS_BF16 = 3,
  DS_I8 = 4,
  DS_I16 = 5,
  DS_I32 = 6,
  DS_I64 = 7,
  DS_U8 = 8,
  DS_U16 = 9,
  DS_U32 = 10,
  DS_U64 = 11,
  DS_BOOL = 12 /* one byte, 0 or 1 */
} ds_type;

/* The name of an element type ("f32", "bool"), or null for no type. */
DS_API const char *ds_type_name(ds_type type);
/* Bytes of one element, or 0 for no type. */
DS_API size_t ds_type_size(ds_type type);
/* The type of that name. */
DS_API ds_status ds_type_from_name(const char *name, ds_type *type);

/* A tensor of the caller.
 *
 * As an input all fields but `name`, `strides` and `capacity` are required.
 * `name` null: the position in the array decides. `strides` null: dense
 * row-major; other strides (not negative) cost a copy. `capacity` 0: as many
 * bytes as sizes and strides span.
 *
 * As an output all fields may be zero. `data` null, or as an earlier call of
 * the context set it: the context's own buffer, valid until the context's next
 * call of the same entry is over (so it may be an input of that call).
 * Otherwise results are written to `data`, which holds `capacity` bytes (0: as
 * many as `sizes`, then required, span). It must not overlap another output or
 * an input, but for the input that ds_entry_alias names: where `data` is that
 * of this input, and the two have one shape, the input is updated in place.
 * With other memory, or null, the input stays as it is, which costs a copy. On
 * return every field but `name` is set; `sizes` and `strides` then point into
 * the context. */
typedef struct ds_tensor {
  const char *name;
  ds_type type;
  int32_t rank;
  const int64_t *sizes;
  const int64_t *strides; /* in elements */
  void *data;
  uint64_t capacity; /* bytes */
} ds_tensor;

typedef struct ds_shape {
  int32_t rank;
  const int64_t *sizes;
} ds_shape;

/* ---- Introspection ---- */

/* A dim of an entry's input or output: a fixed size, or -1 and a symbol (one
 * value per call wherever it occurs), or -1 and null (any value). */
typedef struct ds_dim {
  int64_t size;
  const char *symbol;
} ds_dim;

typedef struct ds_port {
  const char *name;
  ds_type type;
  int32_t rank;
  const ds_dim *dims;
} ds_port;

/* Version of the runtime library, such as "0.1.0". */
DS_API const char *ds_runtime_version(void);

/* The sentence about the calling thread's last failed call; "" if none. Valid
 * until the thread's next call that fails. */
DS_API const char *ds_last_error(void);

/* ---- Modules ---- */

typedef enum ds_verify DS_INT32 {
  DS_VERIFY_FULL = 0, /* every byte of the file */
  DS_VERIFY_CODE = 1  /* everything but the weights' contents */
} ds_verify;

typedef struct ds_load_options {
  uint32_t struct_size; /* sizeof(ds_load_options) */
  int32_t threads;      /* workers, caller included; 0: one per usable CPU */
  ds_verify verify;
  int32_t inspect_only; /* non-zero: check the file, map no code; the module
                           loads on any CPU but cannot run */
} ds_load_options;

/* Maps and checks the artifact at `path`. Code becomes executable only after
 * every check has passed. `options` may be null. The file must not be written
 * to while the module lives; replace it by renaming another over it. */
DS_API ds_status ds_module_load(const char *path,
                                const ds_load_options *options,
                                ds_module **module);
/* Gives the caller's handle back. Contexts keep the module alive. */
DS_API void ds_module_release(ds_module *module);

/* The manifest as it stands in the file (JSON, `*length` bytes, followed by
 * no terminator). */
DS_API const char *ds_module_manifest(const ds_module *module, size_t *length);
/* The code variant in use ("code/x86_64-x86-64-v4.so"); null if inspect_only.
 */
DS_API const char *ds_module_variant(const ds_module *module);
DS_API int32_t ds_module_threads(const ds_module *module);
DS_API size_t ds_module_entry_count(const ds_module *module);
/* Entry number `index`, or null beyond the last. */
DS_API const ds_entry *ds_module_entry_at(const ds_module *module,
                                          size_t index);
DS_API ds_status ds_module_entry(const ds_module *module, const char *name,
                                 const ds_entry **entry);
DS_API const char *ds_entry_name(const ds_entry *entry);
DS_API size_t ds_entry_input_count(const ds_entry *entry);
DS_API size_t ds_entry_output_count(const ds_entry *entry);
/* Input or output number `index`, or null beyond the last. */
DS_API const ds_port *ds_entry_input(const ds_entry *entry, size_t index);
DS_API const ds_port *ds_entry_output(const ds_entry *entry, size_t index);
/* The number of the input whose memory may also be output `output`'s, or -1. */
DS_API int64_t ds_entry_alias(const ds_entry *entry, size_t output);

/* ---- Contexts ---- */

typedef struct ds_context_options {
  uint32_t struct_size; /* sizeof(ds_context_options) */
} ds_context_options;

/* `options` may be null. */
DS_API ds_status ds_context_create(ds_module *module,
                                   const ds_context_options *options,
                                   ds_context **context);
DS_API void ds_context_release(ds_context *context);

/* Output shapes for these inputs. `out` has one element per output and points
 * into the context until its next call of the same entry. */
DS_API ds_status ds_infer_shapes(ds_context *context, const char *entry,
                                 const ds_tensor *in, size_t in_count,
                                 ds_shape *out, size_t out_count);

typedef struct ds_invoke_options {
  uint32_t struct_size; /* sizeof(ds_invoke_options) */
} ds_invoke_options;

/* Runs `entry` (null: the only one). All inputs are required; outputs may be
 * left out (out_count 0, or named ones only). After a failure the contents of
 * outputs are undefined. A call with the shapes of an earlier one allocates
 * nothing. */
DS_API ds_status ds_invoke(ds_context *context, const char *entry,
                           const ds_tensor *in, size_t in_count, ds_tensor *out,
                           size_t out_count, const ds_invoke_options *options);

/* Memory that a context keeps for its calls, in bytes; it grows to what the
 * largest call so far has needed. */
typedef struct ds_memory {
  uint64_t arena;   /* intermediate results */
  uint64_t scratch; /* what tasks work in, of all threads together */
} ds_memory;

DS_API ds_status ds_context_memory(ds_context *context, ds_memory *memory);

/* ---- Profiles ---- */

/* What one worker did in one parallel loop of a call, or a call as a whole.
 * Times are in nanoseconds since ds_profile_start, of a monotonic clock. */
typedef struct ds_profile_record {
  const char *name; /* the nodes of the model that the loop computes; of a call,
                       the entry. Lives as long as the module. */
  uint64_t loop;    /* counts the loops, from 1; 0: a call */
  int32_t worker;   /* who ran it; a call is worker 0's */
  int64_t begin_ns, end_ns; /* of the first and the last piece */
  int64_t busy_ns;          /* spent in tasks */
  int64_t tasks;
  int64_t flops; /* operations on floats, as docs/profiling.md counts them; of a
                    call, those outside of loops */
  int64_t bytes; /* read from and written to buffers of the call */
} ds_profile_record;

/* Calls of `context` are profiled from now on, which costs a few hundred
 * nanoseconds for each loop. What an earlier profile recorded is forgotten. */
DS_API ds_status ds_profile_start(ds_context *context);
/* Ends the profile. The records, in the order in which loops and calls ended,
 * are the context's and live until the next profile or its release. */
DS_API ds_status ds_profile_stop(ds_context *context,
                                 const ds_profile_record **records,
                                 size_t *count);

/* ---- Comparison and self-test ---- */

typedef struct ds_comparison {
  uint64_t elements;   /* compared */
  uint64_t mismatches; /* |actual - expected| > atol + rtol * |expected| */
  double max_abs;      /* largest |actual - expected| */
  double max_rel;      /* largest |actual - expected| / |expected| */
  uint64_t worst;      /* flat index of the element that sets max_abs */
  double worst_actual, worst_expected;
} ds_comparison;

/* Compares two tensors of one type and shape. Integers and booleans must be
 * equal, whatever the tolerances; NaN equals NaN. DS_OK or DS_DIFFERENT;
 * DS_ERROR_ARGUMENT when types or shapes differ. */
DS_API ds_status ds_compare(const ds_tensor *actual, const ds_tensor *expected,
                            double rtol, double atol, ds_comparison *result);

typedef struct ds_self_test_case {
  const char *entry;
  const char *output;
  double rtol, atol;
  ds_status status; /* DS_OK, DS_DIFFERENT, or why the entry did not run */
  const char *message;
  ds_comparison comparison;
} ds_self_test_case;

typedef void (*ds_self_test_fn)(void *user, const ds_self_test_case *result);

/* Runs the artifact's self-test and calls `fn` (may be null) for each output.
 * DS_OK when all agree, DS_DIFFERENT when one does not, DS_ERROR_ARGUMENT when
 * the artifact has no self-test. */
DS_API ds_status ds_module_self_test(ds_module *module, ds_self_test_fn fn,
                                     void *user);

#ifdef __cplusplus
}
#endif

#endif /* DS_RUNTIME_H */
