#include "Context.h"

#include "Bind.h"
#include "FloatEnvironment.h"

using namespace ds::rt;

EntryState::EntryState(const Entry &entry)
    : givenInputs(entry.inputs.size()), givenOutputs(entry.outputs.size()),
      inputs(entry.inputs.size()), outputs(entry.outputs.size()),
      packed(entry.inputs.size()), owned(entry.outputs.size()),
      spare(entry.outputs.size()), copiesBack(entry.outputs.size()),
      symbols(entry.symbols.size()) {
  auto lay = [](const std::vector<Port> &ports, std::vector<int64_t> &sizes,
                std::vector<int64_t> &strides,
                std::vector<ds_buffer> &buffers) {
    size_t total = 0;
    for (const Port &port : ports)
      total += size_t(port.rank);
    // One more, so that even without dims there is something to point at.
    sizes.resize(total + 1);
    strides.resize(total + 1);
    size_t at = 0;
    for (size_t i = 0; i < ports.size(); ++i) {
      buffers[i].sizes = &sizes[at];
      buffers[i].strides = &strides[at];
      at += size_t(ports[i].rank);
    }
  };
  lay(entry.inputs, inputSizes, inputStrides, inputs);
  lay(entry.outputs, outputSizes, outputStrides, outputs);
}

namespace {
/// Marks a context as in use; a second thread is told instead of corrupting it.
class Use {
public:
  explicit Use(std::atomic<bool> &busy)
      : busy(busy), mine(!busy.exchange(true, std::memory_order_acquire)) {}
  ~Use() {
    if (mine)
      busy.store(false, std::memory_order_release);
  }
  Status check() const {
    if (mine)
      return {};
    return {DS_ERROR_ARGUMENT,
            "the context is in use by another thread; give each its own"};
  }

private:
  std::atomic<bool> &busy;
  bool mine;
};
} // namespace

Context::Context(Module &owner) : module(owner), profile(owner) {
  module.retain();
  host.struct_size = sizeof(host);
  host.abi_version = DS_ABI_VERSION;
  host.self = this;
  host.parallel_for = [](void *self, ds_task_fn fn, int64_t n, void *ctx) {
    Context &context = *static_cast<Context *>(self);
    if (context.profile.running())
      context.profile.parallelFor(fn, n, ctx);
    else
      context.module.pool().parallelFor(fn, n, ctx);
  };
  host.report = [](void *self, int64_t site, int64_t index, int64_t v0,
                   int64_t v1) {
    static_cast<Context *>(self)->reports.add(site, index, v0, v1);
  };
  host.alloc = [](void *, uint64_t) -> void * { return nullptr; };
  host.count = nullptr;
  host.failed = [](void *self) -> int32_t {
    return !static_cast<Context *>(self)->reports.empty();
  };
  states.reserve(module.manifest().entries.size());
  for (const Entry &entry : module.manifest().entries)
    states.emplace_back(entry);
}

Context::~Context() { module.release(); }

Status Context::begin(const char *name, Call &call) {
  const std::vector<Entry> &entries = module.manifest().entries;
  for (size_t i = 0; i < entries.size(); ++i)
    if (name ? entries[i].name == name : entries.size() == 1) {
      call.entry = &entries[i];
      call.code = module.code(i);
      call.state = &states[i];
      reports.clear();
      return {};
    }
  std::string names;
  for (const Entry &entry : entries)
    names += (names.empty() ? "'" : ", '") + entry.name + "'";
  if (!name)
    return {DS_ERROR_ARGUMENT, module.path(),
            ": has several entries, expected the name of one of ", names};
  return {DS_ERROR_ARGUMENT, module.path(), ": has no entry '", name,
          "', expected ",    names};
}

Status Context::where(const Call &call, Status status) const {
  if (status.ok())
    return status;
  return std::move(status).within(
      cat(module.path(), ": entry '", call.entry->name, "'"));
}

Status Context::outcome(const Call &call, int32_t code,
                        const char *function) const {
  if (!reports.empty())
    return {DS_ERROR_DATA, reports.text(*call.entry)};
  if (code != 0)
    return {DS_ERROR_INTERNAL,
            "the ",
            function,
            " function failed with code ",
            code,
            " and no report"};
  return {};
}

Status Context::callShape(Call &call) {
  EntryState &state = *call.state;
  ds_shape_request request = {};
  request.struct_size = sizeof(request);
  request.abi_version = DS_ABI_VERSION;
  request.inputs = state.inputs.data();
  request.threads = module.pool().threads();
  request.output_sizes = state.outputSizes.data();
  request.host = &host;
  int32_t code = call.code->shape(&request);
  DS_TRY(outcome(call, code, "shape"));
  call.arenaBytes = request.arena_bytes;
  call.scratchBytes = request.scratch_bytes;
  if (call.scratchBytes % DS_BUFFER_ALIGNMENT != 0)
    return {DS_ERROR_INTERNAL, "compiled code asks for ", call.scratchBytes,
            " bytes of scratch, expected a multiple of ", DS_BUFFER_ALIGNMENT};
  return checkOutputShapes(*call.entry, state);
}

Status Context::prepare(Call &call, const ds_tensor *in, size_t inCount) {
  DS_TRY(bindInputs(*call.entry, *call.state, in, inCount));
  return callShape(call);
}

Status Context::reserveMemory(Call &call) {
  if (!arena.reserve(call.arenaBytes))
    return {DS_ERROR_OUT_OF_MEMORY, "cannot get ", call.arenaBytes,
            " bytes for intermediate results"};
  uint64_t all, threads = uint64_t(module.pool().threads());
  if (__builtin_mul_overflow(call.scratchBytes, threads, &all) ||
      !scratch.reserve(all))
    return {DS_ERROR_OUT_OF_MEMORY,           "cannot get ", call.scratchBytes,
            " bytes of scratch for each of ", threads,       " threads"};
  return {};
}

Status Context::callRun(Call &call) {
  ds_frame frame = {};
  frame.struct_size = sizeof(frame);
  frame.abi_version = DS_ABI_VERSION;
  frame.inputs = call.state->inputs.data();
  frame.outputs = call.state->outputs.data();
  frame.weights = module.weights();
  frame.arena = arena.data();
  frame.scratch = scratch.data();
  frame.scratch_bytes = call.scratchBytes;
  frame.host = &host;
  FloatEnvironment standard;
  Profile::Call timed(profile, call.code->name);
  int32_t code = call.code->run(&frame);
  return outcome(call, code, "run");
}

Status Context::run(Call &call, const ds_tensor *in, size_t inCount,
                    ds_tensor *out, size_t outCount) {
  DS_TRY(matchOutputs(*call.entry, *call.state, out, outCount));
  DS_TRY(prepare(call, in, inCount));
  DS_TRY(bindOutputs(*call.entry, *call.state));
  DS_TRY(reserveMemory(call));
  DS_TRY(callRun(call));
  finishOutputs(*call.entry, *call.state);
  return {};
}

Status Context::memory(ds_memory &result) {
  Use use(busy);
  DS_TRY(use.check());
  result = {arena.size(), scratch.size()};
  return {};
}

Status Context::startProfile() {
  Use use(busy);
  DS_TRY(use.check());
  profile.start();
  host.count = [](void *, int64_t flops, int64_t bytes) {
    Profile::count(flops, bytes);
  };
  return {};
}

Status Context::stopProfile(const ds_profile_record **records, size_t *count) {
  Use use(busy);
  DS_TRY(use.check());
  if (!profile.running())
    return {DS_ERROR_ARGUMENT,
            "no profile is made; expected a call of ds_profile_start before"};
  const std::vector<ds_profile_record> &all = profile.stop();
  host.count = nullptr;
  *records = all.data();
  *count = all.size();
  return {};
}

Status Context::inferShapes(const char *name, const ds_tensor *in,
                            size_t inCount, ds_shape *out, size_t outCount) {
  Use use(busy);
  DS_TRY(use.check());
  Call call;
  DS_TRY(begin(name, call));
  size_t expected = call.entry->outputs.size();
  if (outCount != expected)
    return where(call, {DS_ERROR_ARGUMENT, "has ", expected,
                        " outputs, expected room for as many, not ", outCount});
  DS_TRY(where(call, prepare(call, in, inCount)));
  for (size_t i = 0; i < outCount; ++i)
    out[i] = {call.entry->outputs[i].rank, call.state->outputs[i].sizes};
  return {};
}

Status Context::invoke(const char *name, const ds_tensor *in, size_t inCount,
                       ds_tensor *out, size_t outCount) {
  Use use(busy);
  DS_TRY(use.check());
  Call call;
  DS_TRY(begin(name, call));
  return where(call, run(call, in, inCount, out, outCount));
}
