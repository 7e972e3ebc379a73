//===- MadeInputs.cpp - Inputs for a model without data -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MadeInputs.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringMap.h"

#include <random>

using namespace mlir;
using namespace mlir::ds;

ds_tensor MadeInput::view() {
  ds_tensor tensor = {};
  tensor.name = port->name;
  tensor.type = port->type;
  tensor.rank = port->rank;
  tensor.sizes = sizes.data();
  tensor.data = bytes.data();
  return tensor;
}

template <typename T>
static void store(std::vector<char> &bytes, size_t index, T value) {
  std::memcpy(&bytes[index * sizeof(T)], &value, sizeof(T));
}

/// Floats in [-1, 1), by a generator whose sequence the language fixes;
/// integers of 1, which is a legal index, mask and count nearly everywhere.
static void fill(MadeInput &input, std::minstd_rand &random) {
  size_t count = 1;
  for (int64_t size : input.sizes)
    count *= size;
  std::vector<char> &bytes = input.bytes;
  bytes.resize(count * ds_type_size(input.port->type));
  for (size_t i = 0; i < count; ++i) {
    double real = double(random() % 2048) / 1024 - 1;
    switch (input.port->type) {
    case DS_F32:
      store(bytes, i, float(real));
      break;
    case DS_F64:
      store(bytes, i, real);
      break;
    case DS_F16:
    case DS_BF16: {
      llvm::APFloat half(real);
      bool loses = false;
      half.convert(input.port->type == DS_F16 ? llvm::APFloat::IEEEhalf()
                                              : llvm::APFloat::BFloat(),
                   llvm::APFloat::rmNearestTiesToEven, &loses);
      store(bytes, i, uint16_t(half.bitcastToAPInt().getZExtValue()));
      break;
    }
    default:
      // Little endian: the lowest byte holds a one of any width.
      bytes[i * ds_type_size(input.port->type)] = 1;
    }
  }
}

/// Inputs of `entry` in which the first symbol is `first`, the next one more,
/// and so on (all `first` where not `distinct`).
static std::vector<MadeInput> makeInputs(const ds_entry *entry, int64_t first,
                                         bool distinct) {
  std::minstd_rand random(1);
  llvm::StringMap<int64_t> symbols;
  std::vector<MadeInput> inputs;
  for (size_t i = 0, e = ds_entry_input_count(entry); i < e; ++i) {
    MadeInput input{ds_entry_input(entry, i), {}, {}};
    for (int32_t d = 0; d < input.port->rank; ++d) {
      const ds_dim &dim = input.port->dims[d];
      int64_t next = first + (distinct ? int64_t(symbols.size()) : 0);
      if (dim.size >= 0)
        input.sizes.push_back(dim.size);
      else if (dim.symbol)
        input.sizes.push_back(
            symbols.try_emplace(dim.symbol, next).first->second);
      else
        input.sizes.push_back(first);
    }
    fill(input, random);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

std::optional<std::vector<MadeInput>>
mlir::ds::invokeOnMadeInputs(ds_context *context, const ds_entry *entry,
                             std::vector<ds_tensor> &out) {
  for (auto [first, distinct] :
       {std::pair<int64_t, bool>{2, true}, {2, false}, {1, false}}) {
    std::vector<MadeInput> inputs = makeInputs(entry, first, distinct);
    std::vector<ds_tensor> in;
    for (MadeInput &input : inputs)
      in.push_back(input.view());
    out.assign(ds_entry_output_count(entry), {});
    if (ds_invoke(context, ds_entry_name(entry), in.data(), in.size(),
                  out.data(), out.size(), nullptr) == DS_OK)
      return inputs;
  }
  return std::nullopt;
}
