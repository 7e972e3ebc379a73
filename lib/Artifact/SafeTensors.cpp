#include "ds/Artifact/SafeTensors.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::ds::artifact;
namespace json = llvm::json;

static llvm::StringRef formatType(llvm::StringRef type) {
  return llvm::StringSwitch<llvm::StringRef>(type)
      .Case("f32", "F32")
      .Case("f64", "F64")
      .Case("f16", "F16")
      .Case("bf16", "BF16")
      .Case("i8", "I8")
      .Case("i16", "I16")
      .Case("i32", "I32")
      .Case("i64", "I64")
      .Case("u8", "U8")
      .Case("u16", "U16")
      .Case("u32", "U32")
      .Case("u64", "U64")
      .Case("bool", "BOOL")
      .Default("");
}

uint64_t SafeTensorsWriter::add(llvm::StringRef name, llvm::StringRef type,
                                llvm::ArrayRef<int64_t> shape, uint64_t bytes,
                                DataWriter write) {
  uint64_t begin = llvm::alignTo(end, alignment);
  if (begin != end)
    tensors.push_back({"__pad." + std::to_string(padCount++),
                       "u8",
                       {int64_t(begin - end)},
                       end,
                       begin,
                       nullptr});
  end = begin + bytes;
  tensors.push_back(
      {name.str(), type.str(), shape.vec(), begin, end, std::move(write)});
  return begin;
}

void SafeTensorsWriter::addMetadata(llvm::StringRef key,
                                    llvm::StringRef value) {
  metadata.emplace_back(key.str(), value.str());
}

llvm::Expected<std::string> SafeTensorsWriter::header() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  json::OStream j(os);
  std::string unknown;
  j.object([&] {
    if (!metadata.empty())
      j.attributeObject("__metadata__", [&] {
        for (const auto &[key, value] : metadata)
          j.attribute(json::fixUTF8(key), json::fixUTF8(value));
      });
    for (const Tensor &tensor : tensors)
      j.attributeObject(json::fixUTF8(tensor.name), [&] {
        llvm::StringRef type = formatType(tensor.type);
        if (type.empty())
          unknown = tensor.type;
        j.attribute("dtype", type);
        j.attributeArray("shape", [&] {
          for (int64_t size : tensor.shape)
            j.value(size);
        });
        j.attributeArray("data_offsets", [&] {
          j.value(int64_t(tensor.begin));
          j.value(int64_t(tensor.end));
        });
      });
  });
  if (!unknown.empty())
    return llvm::createStringError("unknown element type '%s'",
                                   unknown.c_str());
  // Trailing spaces are part of the format; they bring the data to a boundary.
  text.resize(llvm::alignTo(8 + text.size(), alignment) - 8, ' ');
  return text;
}

llvm::Error SafeTensorsWriter::write(llvm::raw_ostream &os) const {
  llvm::Expected<std::string> text = header();
  if (!text)
    return text.takeError();
  char length[8];
  llvm::support::endian::write64le(length, text->size());
  os.write(length, sizeof(length));
  os << *text;
  for (const Tensor &tensor : tensors) {
    uint64_t size = tensor.end - tensor.begin, start = os.tell();
    if (!tensor.write)
      os.write_zeros(size);
    else if (llvm::Error error = tensor.write(os))
      return error;
    if (os.tell() - start != size)
      return llvm::createStringError(
          "tensor '%s' has %llu bytes, expected %llu", tensor.name.c_str(),
          (unsigned long long)(os.tell() - start), (unsigned long long)size);
  }
  return llvm::Error::success();
}
