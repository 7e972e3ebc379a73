#include "Bind.h"

#include "ElementType.h"
#include "Shapes.h"
#include <algorithm>
#include <string_view>
#include <utility>

using namespace ds::rt;

namespace {

Status invalid(std::string_view kind, const Port &port, std::string_view what) {
  return {DS_ERROR_ARGUMENT, kind, " '", port.nameText, "' ", what};
}

std::string namesOf(const std::vector<Port> &ports) {
  std::string names;
  for (const Port &port : ports)
    names += (names.empty() ? "'" : ", '") + port.nameText + "'";
  return names.empty() ? "none" : names;
}

/// The port that tensor number `index` is for.
Status findPort(const char *kind, const std::vector<Port> &ports,
                const char *name, size_t index, size_t &found) {
  if (!name) {
    if (index >= ports.size())
      return {DS_ERROR_ARGUMENT,      "has ", ports.size(), " ", kind,
              "s, but more are given"};
    found = index;
    return {};
  }
  for (found = 0; found < ports.size(); ++found)
    if (ports[found].nameText == name)
      return {};
  return {DS_ERROR_ARGUMENT, "has no ",     kind, " '", name,
          "', expected ",    namesOf(ports)};
}

template <typename Tensor>
Status match(const char *kind, const std::vector<Port> &ports, Tensor *tensors,
             size_t count, std::vector<Tensor *> &given) {
  std::fill(given.begin(), given.end(), nullptr);
  for (size_t i = 0; i < count; ++i) {
    size_t index;
    DS_TRY(findPort(kind, ports, tensors[i].name, i, index));
    if (given[index])
      return invalid(kind, ports[index], "is given twice");
    given[index] = &tensors[i];
  }
  return {};
}

/// Whether `tensor` has the type, rank and fixed dims of `port`.
Status checkShape(const Port &port, const ds_tensor &tensor) {
  if (tensor.type != port.type) {
    const char *name = typeName(tensor.type);
    return invalid("input", port,
                   cat("has element type ", name ? name : "(unknown)",
                       ", expected ", typeName(port.type)));
  }
  if (tensor.rank < 0 || tensor.rank > maxRank)
    return invalid("input", port, cat("has rank ", tensor.rank));
  if (tensor.rank > 0 && !tensor.sizes)
    return invalid("input", port, "has no sizes");
  if (tensor.rank != port.rank)
    return invalid("input", port,
                   cat("has rank ", tensor.rank, " (",
                       shapeText(tensor.sizes, tensor.rank), "), expected ",
                       port.rank));
  for (int axis = 0; axis < port.rank; ++axis) {
    int64_t size = tensor.sizes[axis], expected = port.dims[axis].size;
    if (size < 0 || (expected >= 0 && size != expected))
      return invalid("input", port,
                     cat("has size ", size, " at axis ", axis, " (",
                         shapeText(tensor.sizes, tensor.rank), "), expected ",
                         expected >= 0 ? std::to_string(expected)
                                       : "a size that is not negative"));
  }
  return {};
}

Status bindSymbols(const Entry &entry, EntryState &state, size_t input) {
  const Port &port = entry.inputs[input];
  for (int axis = 0; axis < port.rank; ++axis) {
    int symbol = port.symbols[size_t(axis)];
    if (symbol < 0)
      continue;
    int64_t size = state.givenInputs[input]->sizes[axis];
    EntryState::Binding &bound = state.symbols[size_t(symbol)];
    if (bound.port < 0)
      bound = {size, int(input), axis};
    else if (bound.value != size)
      return {DS_ERROR_ARGUMENT,
              "'",
              port.dims[axis].symbol,
              "' is ",
              size,
              " in input '",
              port.nameText,
              "' (axis ",
              axis,
              ") and ",
              bound.value,
              " in input '",
              entry.inputs[size_t(bound.port)].nameText,
              "' (axis ",
              bound.axis,
              "), expected one value"};
  }
  return {};
}

/// Stands in for the data of tensors without elements.
alignas(DS_BUFFER_ALIGNMENT) uint8_t nothing[DS_BUFFER_ALIGNMENT];

/// The bytes that the caller's tensor covers, checked against its capacity.
Status checkMemory(const char *kind, const Port &port, const ds_tensor &tensor,
                   const int64_t *sizes, uint64_t dense, uint64_t &spanned) {
  spanned = dense;
  if (tensor.strides) {
    for (int axis = 0; axis < port.rank; ++axis)
      if (tensor.strides[axis] < 0)
        return invalid(kind, port,
                       cat("has the negative stride ", tensor.strides[axis],
                           " at axis ", axis));
    if (!stridedBytes(sizes, tensor.strides, port.rank, typeSize(port.type),
                      spanned))
      return invalid(kind, port, "has strides that span more than 2^63 bytes");
  }
  if (spanned > 0 && !tensor.data)
    return invalid(kind, port, "has no data");
  if (tensor.capacity != 0 && tensor.capacity < spanned)
    return invalid(
        kind, port,
        cat("has room for ", tensor.capacity, " bytes, expected ", spanned));
  return {};
}

bool isDirect(const Port &port, const ds_tensor &tensor, const int64_t *sizes) {
  bool aligned =
      reinterpret_cast<uintptr_t>(tensor.data) % typeSize(port.type) == 0;
  return aligned &&
         (!tensor.strides || isDense(sizes, tensor.strides, port.rank));
}

Status bindMemory(const Entry &entry, EntryState &state, size_t index) {
  const Port &port = entry.inputs[index];
  const ds_tensor &tensor = *state.givenInputs[index];
  ds_buffer &buffer = state.inputs[index];
  auto *sizes = const_cast<int64_t *>(buffer.sizes);
  std::copy(tensor.sizes, tensor.sizes + port.rank, sizes);
  setDenseStrides(sizes, port.rank, const_cast<int64_t *>(buffer.strides));
  uint64_t dense, spanned;
  if (!denseBytes(sizes, port.rank, typeSize(port.type), dense))
    return invalid(
        "input", port,
        cat("has more than 2^63 bytes (", shapeText(sizes, port.rank), ")"));
  DS_TRY(checkMemory("input", port, tensor, sizes, dense, spanned));
  buffer.capacity = dense;
  if (dense == 0) {
    buffer.data = nothing;
  } else if (isDirect(port, tensor, sizes)) {
    buffer.data = tensor.data;
    if (tensor.capacity != 0)
      buffer.capacity = tensor.capacity;
  } else {
    Buffer &copy = state.packed[index];
    if (!copy.reserve(dense))
      return {DS_ERROR_OUT_OF_MEMORY,
              "cannot get ",
              dense,
              " bytes for a dense copy of input '",
              port.nameText,
              "'"};
    copyTensor(copy.data(), nullptr, tensor.data, tensor.strides, sizes,
               port.rank, typeSize(port.type));
    buffer.data = copy.data();
  }
  return {};
}

bool overlap(const void *a, uint64_t aBytes, const void *b, uint64_t bBytes) {
  auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return aBytes && bBytes && (x < y ? y - x < aBytes : x - y < bBytes);
}

/// Whether the caller gives the memory of an aliased input for the output, too.
bool isShared(const EntryState &state, size_t output, int alias) {
  const ds_tensor *given = state.givenOutputs[output];
  return alias >= 0 && given && given->data &&
         given->data == state.givenInputs[size_t(alias)]->data;
}

/// Compiled code may write an output while it still reads inputs and writes
/// other outputs.
Status checkOverlap(const Entry &entry, const EntryState &state, size_t output,
                    uint64_t bytes) {
  const Port &port = entry.outputs[output];
  const void *data = state.outputs[output].data;
  int alias = entry.aliasOf(output);
  if (!isShared(state, output, alias))
    alias = -1;
  for (size_t i = 0; i < entry.inputs.size(); ++i) {
    uint64_t inputBytes;
    denseBytes(state.inputs[i].sizes, entry.inputs[i].rank,
               typeSize(entry.inputs[i].type), inputBytes);
    if (int(i) != alias &&
        overlap(data, bytes, state.inputs[i].data, inputBytes))
      return invalid("output", port,
                     cat("overlaps input '", entry.inputs[i].nameText, "'",
                         int(i) == entry.aliasOf(output)
                             ? ", and does not begin where it does"
                             : ""));
  }
  for (size_t i = 0; i < output; ++i) {
    uint64_t otherBytes;
    denseBytes(state.outputs[i].sizes, entry.outputs[i].rank,
               typeSize(entry.outputs[i].type), otherBytes);
    if (overlap(data, bytes, state.outputs[i].data, otherBytes))
      return invalid("output", port,
                     cat("overlaps output '", entry.outputs[i].nameText, "'"));
  }
  return {};
}

/// Memory of the caller. The result may have to go through a dense copy.
Status bindGiven(const Port &port, EntryState &state, size_t output,
                 uint64_t bytes, bool &direct) {
  const ds_tensor &given = *state.givenOutputs[output];
  ds_buffer &buffer = state.outputs[output];
  if (given.type != port.type) {
    const char *name = typeName(given.type);
    return invalid("output", port,
                   cat("has element type ", name ? name : "(unknown)",
                       ", expected ", typeName(port.type)));
  }
  if (!given.sizes && (given.capacity == 0 || given.strides))
    return invalid("output", port,
                   "has memory, but neither sizes nor a capacity");
  if (given.sizes &&
      (given.rank != port.rank ||
       !std::equal(given.sizes, given.sizes + port.rank, buffer.sizes)))
    return invalid("output", port,
                   cat("has the shape ",
                       given.rank >= 0 && given.rank <= maxRank
                           ? shapeText(given.sizes, given.rank)
                           : "(unknown)",
                       ", expected ", shapeText(buffer.sizes, port.rank)));
  uint64_t spanned;
  DS_TRY(checkMemory("output", port, given, buffer.sizes, bytes, spanned));
  direct = isDirect(port, given, buffer.sizes);
  if (direct) {
    buffer.data = given.data;
    buffer.capacity = given.capacity ? given.capacity : bytes;
  }
  return {};
}

/// An output that has its input's memory: compiled code sees that the two are
/// one, and leaves out the copy that it would make.
Status bindShared(const Entry &entry, EntryState &state, size_t output,
                  size_t input, uint64_t bytes) {
  const Port &port = entry.outputs[output], &source = entry.inputs[input];
  ds_buffer &buffer = state.outputs[output];
  const ds_buffer &shared = state.inputs[input];
  if (port.rank != source.rank ||
      !std::equal(buffer.sizes, buffer.sizes + port.rank, shared.sizes))
    return invalid("output", port,
                   cat("has the shape ", shapeText(buffer.sizes, port.rank),
                       ", and cannot have the memory of input '",
                       source.nameText, "', which has the shape ",
                       shapeText(shared.sizes, source.rank),
                       "; give it memory of its own"));
  bool direct = false;
  DS_TRY(bindGiven(port, state, output, bytes, direct));
  if (!direct || (bytes > 0 && shared.data != buffer.data))
    return invalid("output", port,
                   cat("has the memory of input '", source.nameText,
                       "', so both must be dense and aligned"));
  return {};
}

bool isFedBack(const Entry &entry, const EntryState &state,
               const Buffer &memory) {
  for (size_t i = 0; i < entry.inputs.size(); ++i) {
    uint64_t bytes;
    denseBytes(state.inputs[i].sizes, entry.inputs[i].rank,
               typeSize(entry.inputs[i].type), bytes);
    if (memory.overlaps(state.inputs[i].data, bytes))
      return true;
  }
  return false;
}

/// Memory of the context. An earlier result may be an input of this call: it
/// stays where it is, and the new one goes elsewhere.
Status bindOwned(const Entry &entry, EntryState &state, size_t index,
                 uint64_t bytes) {
  const Port &port = entry.outputs[index];
  Buffer &memory = state.owned[index];
  if (isFedBack(entry, state, memory)) {
    std::swap(memory, state.spare[index]);
    if (isFedBack(entry, state, memory))
      return invalid("output", port,
                     "was given as an input longer than it is valid");
  }
  if (!memory.reserve(bytes))
    return {DS_ERROR_OUT_OF_MEMORY, "cannot get ", bytes,
            " bytes for output '",  port.nameText, "'"};
  state.outputs[index].data = memory.data();
  state.outputs[index].capacity = bytes;
  return {};
}

/// Whether a tensor is what an earlier call filled in: as good as an empty one.
bool isOurs(const EntryState &state, size_t output, const ds_tensor &given) {
  return state.owned[output].startsAt(given.data) ||
         state.spare[output].startsAt(given.data);
}

/// Whether the strides of a given output can be read: its rank is the port's.
/// What is wrong with another one is said where it is bound.
bool hasRankOf(const Port &port, const ds_tensor &given) {
  return !given.strides || (given.sizes && given.rank == port.rank);
}

/// Whether the output is computed in memory of the context.
bool takesOurs(const Entry &entry, const EntryState &state, size_t output) {
  if (isShared(state, output, entry.aliasOf(output)))
    return false;
  const ds_tensor *given = state.givenOutputs[output];
  return !given || !given->data || isOurs(state, output, *given) ||
         !hasRankOf(entry.outputs[output], *given) ||
         !isDirect(entry.outputs[output], *given, state.outputs[output].sizes);
}

/// Memory of the caller may be that of an earlier result, as long as no output
/// of this call is computed there. To be called before any of it is given back.
Status checkEarlierResults(const Entry &entry, const EntryState &state,
                           size_t output) {
  const Port &port = entry.outputs[output];
  const ds_tensor *given = state.givenOutputs[output];
  uint64_t bytes;
  if (!given || !given->data || isOurs(state, output, *given) ||
      isShared(state, output, entry.aliasOf(output)) ||
      !hasRankOf(port, *given) ||
      !denseBytes(state.outputs[output].sizes, port.rank, typeSize(port.type),
                  bytes) ||
      (given->strides &&
       !stridedBytes(state.outputs[output].sizes, given->strides, port.rank,
                     typeSize(port.type), bytes)))
    return {};
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    if (takesOurs(entry, state, i) &&
        (state.owned[i].overlaps(given->data, bytes) ||
         state.spare[i].overlaps(given->data, bytes)))
      return invalid("output", port,
                     cat("overlaps the memory that output '",
                         entry.outputs[i].nameText,
                         "' has from an earlier call"));
  return {};
}

Status bindOutput(const Entry &entry, EntryState &state, size_t index) {
  const Port &port = entry.outputs[index];
  ds_buffer &buffer = state.outputs[index];
  auto *strides = const_cast<int64_t *>(buffer.strides);
  setDenseStrides(buffer.sizes, port.rank, strides);
  uint64_t bytes;
  if (!denseBytes(buffer.sizes, port.rank, typeSize(port.type), bytes))
    return invalid("output", port,
                   cat("would have more than 2^63 bytes (",
                       shapeText(buffer.sizes, port.rank), ")"));
  state.copiesBack[index] = false;
  if (int alias = entry.aliasOf(index); isShared(state, index, alias)) {
    DS_TRY(bindShared(entry, state, index, size_t(alias), bytes));
    return checkOverlap(entry, state, index, bytes);
  }
  const ds_tensor *given = state.givenOutputs[index];
  if (given && given->data && !isOurs(state, index, *given)) {
    bool direct = false;
    DS_TRY(bindGiven(port, state, index, bytes, direct));
    if (direct)
      return checkOverlap(entry, state, index, bytes);
    state.copiesBack[index] = true;
  }
  return bindOwned(entry, state, index, bytes);
}

} // namespace

Status ds::rt::bindInputs(const Entry &entry, EntryState &state,
                          const ds_tensor *in, size_t count) {
  DS_TRY(match("input", entry.inputs, in, count, state.givenInputs));
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    if (!state.givenInputs[i])
      return invalid("input", entry.inputs[i], "is missing");
  for (EntryState::Binding &symbol : state.symbols)
    symbol = {0, -1, 0};
  // All shapes first: a mistake should not cost a copy.
  for (size_t i = 0; i < entry.inputs.size(); ++i) {
    DS_TRY(checkShape(entry.inputs[i], *state.givenInputs[i]));
    DS_TRY(bindSymbols(entry, state, i));
  }
  for (size_t i = 0; i < entry.inputs.size(); ++i)
    DS_TRY(bindMemory(entry, state, i));
  return {};
}

Status ds::rt::matchOutputs(const Entry &entry, EntryState &state,
                            ds_tensor *out, size_t count) {
  return match("output", entry.outputs, out, count, state.givenOutputs);
}

Status ds::rt::checkOutputShapes(const Entry &entry, const EntryState &state) {
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    const Port &port = entry.outputs[i];
    for (int axis = 0; axis < port.rank; ++axis) {
      int64_t size = state.outputs[i].sizes[axis];
      int64_t expected = port.dims[axis].size;
      int symbol = port.symbols[size_t(axis)];
      if (symbol >= 0 && state.symbols[size_t(symbol)].port >= 0)
        expected = state.symbols[size_t(symbol)].value;
      if (size < 0 || (expected >= 0 && size != expected))
        return {DS_ERROR_INTERNAL,
                "compiled code computed size ",
                size,
                " at axis ",
                axis,
                " of output '",
                port.nameText,
                "', expected ",
                expected >= 0 ? std::to_string(expected)
                              : "a size that is not negative"};
    }
  }
  return {};
}

Status ds::rt::bindOutputs(const Entry &entry, EntryState &state) {
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    DS_TRY(checkEarlierResults(entry, state, i));
  for (size_t i = 0; i < entry.outputs.size(); ++i)
    DS_TRY(bindOutput(entry, state, i));
  return {};
}

void ds::rt::finishOutputs(const Entry &entry, EntryState &state) {
  for (size_t i = 0; i < entry.outputs.size(); ++i) {
    ds_tensor *given = state.givenOutputs[i];
    const ds_buffer &buffer = state.outputs[i];
    const Port &port = entry.outputs[i];
    if (!given)
      continue;
    if (state.copiesBack[i])
      copyTensor(given->data, given->strides, buffer.data, nullptr,
                 buffer.sizes, port.rank, typeSize(port.type));
    else
      given->data = buffer.data;
    given->type = port.type;
    given->rank = port.rank;
    given->sizes = buffer.sizes;
    if (!state.copiesBack[i] || !given->strides) {
      given->strides = buffer.strides;
      given->capacity = buffer.capacity;
    }
  }
}
