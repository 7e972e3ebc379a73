#include "Compare.h"
#include "Context.h"
#include "ElementType.h"
#include "SelfTest.h"
#include <new>

using namespace ds::rt;

static thread_local std::string lastError;

void ds::rt::setLastError(const char *text) {
  try {
    lastError = text;
  } catch (...) {
    lastError.clear();
  }
}

void ds::rt::setLastError(const Status &status) {
  setLastError(status.text().c_str());
}

/// Runs what may fail or throw, and turns the outcome into a code. Only running
/// out of memory throws; nothing of it leaves through the C interface.
template <typename Function> static ds_status guard(Function &&function) {
  try {
    Status status = function();
    if (!status.ok())
      setLastError(status);
    return status.code();
  } catch (const std::bad_alloc &) {
    setLastError("out of memory");
    return DS_ERROR_OUT_OF_MEMORY;
  } catch (const std::exception &error) {
    setLastError(error.what());
    return DS_ERROR_INTERNAL;
  } catch (...) {
    setLastError("an unknown exception");
    return DS_ERROR_INTERNAL;
  }
}

static Module *unwrap(ds_module *p) { return reinterpret_cast<Module *>(p); }
static const Module *unwrap(const ds_module *p) {
  return reinterpret_cast<const Module *>(p);
}
static const Entry *unwrap(const ds_entry *p) {
  return reinterpret_cast<const Entry *>(p);
}
static const ds_entry *wrap(const Entry *p) {
  return reinterpret_cast<const ds_entry *>(p);
}
static Context *unwrap(ds_context *p) { return reinterpret_cast<Context *>(p); }

static Status required(const void *pointer, const char *what) {
  if (pointer)
    return {};
  return {DS_ERROR_ARGUMENT, what, " is null"};
}

/// Callers compiled against an older header pass shorter structs; a longer one
/// has fields that this library would ignore in silence.
template <typename Options>
static Status readOptions(const Options *given, Options &options) {
  if (!given)
    return {};
  if (given->struct_size < sizeof(uint32_t) ||
      given->struct_size > sizeof(Options))
    return {DS_ERROR_ARGUMENT, "options have struct_size ", given->struct_size,
            ", expected at most ", sizeof(Options)};
  std::memcpy(&options, given, given->struct_size);
  return {};
}

const char *ds_runtime_version(void) { return DS_RUNTIME_VERSION; }
const char *ds_last_error(void) { return lastError.c_str(); }

const char *ds_type_name(ds_type type) { return typeName(type); }
size_t ds_type_size(ds_type type) { return typeSize(type); }

ds_status ds_type_from_name(const char *name, ds_type *type) {
  return guard([&]() -> Status {
    DS_TRY(required(name, "name"));
    DS_TRY(required(type, "type"));
    if (typeFromName(name, *type))
      return {};
    return {DS_ERROR_ARGUMENT, "'", name, "' is not an element type"};
  });
}

ds_status ds_module_load(const char *path, const ds_load_options *given,
                         ds_module **module) {
  return guard([&]() -> Status {
    DS_TRY(required(path, "path"));
    DS_TRY(required(module, "module"));
    *module = nullptr;
    ds_load_options options = {};
    DS_TRY(readOptions(given, options));
    constexpr int32_t maxThreads = 4096;
    if (options.threads < 0 || options.threads > maxThreads)
      return {DS_ERROR_ARGUMENT, "threads is ", options.threads,
              ", expected 0 to ", maxThreads};
    if (options.verify != DS_VERIFY_FULL && options.verify != DS_VERIFY_CODE)
      return {DS_ERROR_ARGUMENT, "verify is ", int(options.verify),
              ", expected DS_VERIFY_FULL or DS_VERIFY_CODE"};
    Module *loaded = nullptr;
    DS_TRY(Module::load(path, options, loaded));
    *module = reinterpret_cast<ds_module *>(loaded);
    return {};
  });
}

void ds_module_release(ds_module *module) {
  if (module)
    unwrap(module)->release();
}

const char *ds_module_manifest(const ds_module *module, size_t *length) {
  std::string_view text = unwrap(module)->manifestText().text();
  if (length)
    *length = text.size();
  return text.data();
}

const char *ds_module_variant(const ds_module *module) {
  const Variant *variant = unwrap(module)->variant();
  return variant ? variant->member.c_str() : nullptr;
}

int32_t ds_module_threads(const ds_module *module) {
  return const_cast<Module *>(unwrap(module))->pool().threads();
}

size_t ds_module_entry_count(const ds_module *module) {
  return unwrap(module)->manifest().entries.size();
}

const ds_entry *ds_module_entry_at(const ds_module *module, size_t index) {
  const std::vector<Entry> &entries = unwrap(module)->manifest().entries;
  return index < entries.size() ? wrap(&entries[index]) : nullptr;
}

ds_status ds_module_entry(const ds_module *module, const char *name,
                          const ds_entry **entry) {
  return guard([&]() -> Status {
    DS_TRY(required(module, "module"));
    DS_TRY(required(name, "name"));
    DS_TRY(required(entry, "entry"));
    const Entry *found = unwrap(module)->manifest().find(name);
    *entry = wrap(found);
    if (found)
      return {};
    return {DS_ERROR_ARGUMENT, unwrap(module)->path(), ": has no entry '", name,
            "'"};
  });
}

const char *ds_entry_name(const ds_entry *entry) {
  return unwrap(entry)->name.c_str();
}
size_t ds_entry_input_count(const ds_entry *entry) {
  return unwrap(entry)->inputs.size();
}
size_t ds_entry_output_count(const ds_entry *entry) {
  return unwrap(entry)->outputs.size();
}
const ds_port *ds_entry_input(const ds_entry *entry, size_t index) {
  const std::vector<Port> &ports = unwrap(entry)->inputs;
  return index < ports.size() ? &ports[index] : nullptr;
}
const ds_port *ds_entry_output(const ds_entry *entry, size_t index) {
  const std::vector<Port> &ports = unwrap(entry)->outputs;
  return index < ports.size() ? &ports[index] : nullptr;
}
int64_t ds_entry_alias(const ds_entry *entry, size_t output) {
  return unwrap(entry)->aliasOf(output);
}

ds_status ds_context_create(ds_module *module, const ds_context_options *given,
                            ds_context **context) {
  return guard([&]() -> Status {
    DS_TRY(required(module, "module"));
    DS_TRY(required(context, "context"));
    *context = nullptr;
    ds_context_options options = {};
    DS_TRY(readOptions(given, options));
    if (!unwrap(module)->variant())
      return {DS_ERROR_ARGUMENT, unwrap(module)->path(),
              ": is loaded for inspection only and cannot run"};
    *context = reinterpret_cast<ds_context *>(new Context(*unwrap(module)));
    return {};
  });
}

void ds_context_release(ds_context *context) { delete unwrap(context); }

ds_status ds_infer_shapes(ds_context *context, const char *entry,
                          const ds_tensor *in, size_t inCount, ds_shape *out,
                          size_t outCount) {
  return guard([&]() -> Status {
    DS_TRY(required(context, "context"));
    if (inCount)
      DS_TRY(required(in, "in"));
    if (outCount)
      DS_TRY(required(out, "out"));
    return unwrap(context)->inferShapes(entry, in, inCount, out, outCount);
  });
}

ds_status ds_invoke(ds_context *context, const char *entry, const ds_tensor *in,
                    size_t inCount, ds_tensor *out, size_t outCount,
                    const ds_invoke_options *given) {
  return guard([&]() -> Status {
    DS_TRY(required(context, "context"));
    if (inCount)
      DS_TRY(required(in, "in"));
    if (outCount)
      DS_TRY(required(out, "out"));
    ds_invoke_options options = {};
    DS_TRY(readOptions(given, options));
    return unwrap(context)->invoke(entry, in, inCount, out, outCount);
  });
}

ds_status ds_context_memory(ds_context *context, ds_memory *memory) {
  return guard([&]() -> Status {
    DS_TRY(required(context, "context"));
    DS_TRY(required(memory, "memory"));
    return unwrap(context)->memory(*memory);
  });
}

ds_status ds_profile_start(ds_context *context) {
  return guard([&]() -> Status {
    DS_TRY(required(context, "context"));
    return unwrap(context)->startProfile();
  });
}

ds_status ds_profile_stop(ds_context *context,
                          const ds_profile_record **records, size_t *count) {
  return guard([&]() -> Status {
    DS_TRY(required(context, "context"));
    DS_TRY(required(records, "records"));
    DS_TRY(required(count, "count"));
    return unwrap(context)->stopProfile(records, count);
  });
}

ds_status ds_compare(const ds_tensor *actual, const ds_tensor *expected,
                     double rtol, double atol, ds_comparison *result) {
  return guard([&]() -> Status {
    DS_TRY(required(actual, "actual"));
    DS_TRY(required(expected, "expected"));
    DS_TRY(required(result, "result"));
    return compareTensors(*actual, *expected, rtol, atol, *result);
  });
}

ds_status ds_module_self_test(ds_module *module, ds_self_test_fn fn,
                              void *user) {
  return guard([&]() -> Status {
    DS_TRY(required(module, "module"));
    if (!unwrap(module)->variant())
      return {DS_ERROR_ARGUMENT, unwrap(module)->path(),
              ": is loaded for inspection only and cannot run"};
    return selfTest(*unwrap(module), fn, user);
  });
}
