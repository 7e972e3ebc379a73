#include "Safetensors.h"

#include "ElementType.h"
#include "Json.h"
#include "Shapes.h"

using namespace ds::rt;

static constexpr uint64_t lengthBytes = 8;

Status ds::rt::findTensorData(ByteView file, ByteView &data) {
  uint64_t length;
  if (!file.read(0, length) || length > file.size() - lengthBytes)
    return {DS_ERROR_ARTIFACT, "has a safetensors header that does not fit"};
  data = *file.slice(lengthBytes + length, file.size() - lengthBytes - length);
  return {};
}

static Status readTensor(const Json &json, ByteView data, TensorView &tensor) {
  std::string type;
  DS_TRY(getString(json, "dtype", type));
  if (!typeFromFormatName(type, tensor.type))
    return {DS_ERROR_UNSUPPORTED, "has the element type '", type,
            "', which this runtime does not know"};
  const Json *shape, *offsets;
  DS_TRY(getArray(json, "shape", shape));
  for (const Json &size : *shape) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > INT64_MAX)
      return malformed("shape", "an array of sizes");
    tensor.sizes.push_back(size.get<int64_t>());
  }
  DS_TRY(getArray(json, "data_offsets", offsets));
  if (offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned())
    return malformed("data_offsets", "a pair of offsets");
  uint64_t begin = (*offsets)[0].get<uint64_t>();
  uint64_t end = (*offsets)[1].get<uint64_t>(), bytes;
  auto view = begin <= end ? data.slice(begin, end - begin) : std::nullopt;
  if (!view)
    return {DS_ERROR_ARTIFACT, "lies outside of the file"};
  if (!denseBytes(tensor.sizes.data(), int(tensor.sizes.size()),
                  typeSize(tensor.type), bytes) ||
      bytes != view->size())
    return {DS_ERROR_ARTIFACT, "has ", view->size(),
            " bytes, which is not what its shape says"};
  tensor.bytes = *view;
  return {};
}

Status SafetensorsFile::read(ByteView file) {
  ByteView data;
  DS_TRY(findTensorData(file, data));
  uint64_t headerBytes = file.size() - data.size() - lengthBytes;
  Json json;
  DS_TRY(parseJson(*file.slice(lengthBytes, headerBytes), json));
  for (const auto &[name, value] : json.items()) {
    if (name == "__metadata__") {
      for (const auto &[key, text] : value.items())
        if (text.is_string())
          metadata[key] = text.get_ref<const std::string &>();
      continue;
    }
    Status status = readTensor(value, data, tensors[name]);
    DS_TRY(std::move(status).within("tensor '" + name + "'"));
  }
  return {};
}
