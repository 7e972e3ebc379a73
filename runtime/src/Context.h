//===- Context.h - The buffers of calls -------------------------*- C++ -*-===//

#ifndef DS_RUNTIME_CONTEXT_H
#define DS_RUNTIME_CONTEXT_H

#include "Buffer.h"
#include "Module.h"
#include "Profile.h"
#include "Reports.h"
#include <atomic>
#include <vector>

namespace ds::rt {

/// What one entry needs for a call, allocated once. Sizes and strides of all
/// tensors lie in two flat arrays each; buffers point into them.
struct EntryState {
  explicit EntryState(const Entry &entry);

  std::vector<const ds_tensor *> givenInputs;
  std::vector<ds_tensor *> givenOutputs; ///< Null: not asked for.
  std::vector<ds_buffer> inputs, outputs;
  std::vector<int64_t> inputSizes, inputStrides, outputSizes, outputStrides;
  std::vector<Buffer> packed; ///< Per input: the copy of a strided one.
  /// Per output: the context's own memory, and memory to use instead when a
  /// caller feeds that back as an input.
  std::vector<Buffer> owned, spare;
  std::vector<bool> copiesBack; ///< Per output: to a strided one of the caller.
  struct Binding {
    int64_t value;
    int port, axis;
  };
  std::vector<Binding> symbols; ///< Port -1: unbound.
};

/// Used by one thread at a time.
class Context {
public:
  explicit Context(Module &module);
  ~Context();

  Status inferShapes(const char *entry, const ds_tensor *in, size_t inCount,
                     ds_shape *out, size_t outCount);
  Status invoke(const char *entry, const ds_tensor *in, size_t inCount,
                ds_tensor *out, size_t outCount);

  Status memory(ds_memory &result);
  Status startProfile();
  Status stopProfile(const ds_profile_record **records, size_t *count);

private:
  struct Call {
    const Entry *entry = nullptr;
    const ds_code_entry *code = nullptr;
    EntryState *state = nullptr;
    uint64_t arenaBytes = 0, scratchBytes = 0;
  };

  Status begin(const char *name, Call &call);
  Status where(const Call &call, Status status) const;
  Status prepare(Call &call, const ds_tensor *in, size_t inCount);
  Status run(Call &call, const ds_tensor *in, size_t inCount, ds_tensor *out,
             size_t outCount);
  Status callShape(Call &call);
  Status reserveMemory(Call &call);
  Status callRun(Call &call);
  Status outcome(const Call &call, int32_t code, const char *function) const;

  Module &module;
  ds_host host;
  Reports reports;
  Profile profile;
  Buffer arena, scratch;
  std::vector<EntryState> states;
  std::atomic<bool> busy{false};
};

} // namespace ds::rt

#endif // DS_RUNTIME_CONTEXT_H
