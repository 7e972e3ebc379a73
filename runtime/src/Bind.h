//===- Bind.h - Checks a caller's tensors against an entry ------*- C++ -*-===//

#ifndef DS_RUNTIME_BIND_H
#define DS_RUNTIME_BIND_H

#include "Context.h"

namespace ds::rt {

/// Matches inputs by name or position, checks element types, shapes, symbols
/// and memory, and fills `state.inputs`. Strided inputs are packed.
Status bindInputs(const Entry &entry, EntryState &state, const ds_tensor *in,
                  size_t count);

/// Matches outputs by name or position. All are optional.
Status matchOutputs(const Entry &entry, EntryState &state, ds_tensor *out,
                    size_t count);

/// Checks output shapes that compiled code computed against the manifest.
Status checkOutputShapes(const Entry &entry, const EntryState &state);

/// Decides where each output lives and fills `state.outputs`.
Status bindOutputs(const Entry &entry, EntryState &state);

/// After a run: copies to strided outputs and tells the caller what is where.
void finishOutputs(const Entry &entry, EntryState &state);

} // namespace ds::rt

#endif // DS_RUNTIME_BIND_H
