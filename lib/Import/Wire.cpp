//===- Wire.cpp - Protobuf's wire format ----------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Wire.h"

using namespace llvm;
using namespace mlir::ds::importer;

namespace {
/// Reads a message from front to back.
struct Cursor {
  StringRef rest;
  const char *base;

  Error error(const Twine &what) const {
    return createStringError("malformed at byte " +
                             Twine(uint64_t(rest.data() - base)) + ": " + what);
  }

  Expected<uint64_t> readVarint() {
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; ++i) {
      if (i >= rest.size())
        return error("the file ends within a number");
      uint8_t byte = rest[i];
      value |= uint64_t(byte & 0x7f) << (7 * i);
      if (byte & 0x80)
        continue;
      rest = rest.drop_front(i + 1);
      return value;
    }
    return error("a number of more than 64 bits");
  }

  Expected<StringRef> readBytes(uint64_t count) {
    if (count > rest.size())
      return error("a field needs " + Twine(count) + " bytes, " +
                   Twine(rest.size()) + " are left");
    StringRef bytes = rest.take_front(count);
    rest = rest.drop_front(count);
    return bytes;
  }
};
} // namespace

static Error readPayload(Cursor &cursor, WireField &field) {
  switch (field.type) {
  case WireType::Varint: {
    Expected<uint64_t> value = cursor.readVarint();
    if (!value)
      return value.takeError();
    field.varint = *value;
    return Error::success();
  }
  case WireType::Fixed64:
  case WireType::Fixed32: {
    Expected<StringRef> bytes =
        cursor.readBytes(field.type == WireType::Fixed64 ? 8 : 4);
    return bytes ? Error::success() : bytes.takeError();
  }
  case WireType::Bytes: {
    Expected<uint64_t> length = cursor.readVarint();
    if (!length)
      return length.takeError();
    Expected<StringRef> bytes = cursor.readBytes(*length);
    if (!bytes)
      return bytes.takeError();
    field.bytes = *bytes;
    return Error::success();
  }
  }
  return cursor.error("an unknown kind of field");
}

Error mlir::ds::importer::forEachField(
    StringRef message, const char *base,
    function_ref<Error(const WireField &)> visit) {
  Cursor cursor{message, base};
  while (!cursor.rest.empty()) {
    Cursor start = cursor;
    Expected<uint64_t> tag = cursor.readVarint();
    if (!tag)
      return tag.takeError();
    uint64_t number = *tag >> 3, type = *tag & 7;
    if (number == 0 || number >= (1u << 29))
      return start.error("field number " + Twine(number) + " does not exist");
    if (type != 0 && type != 1 && type != 2 && type != 5)
      return start.error("an unknown kind of field");
    WireField field{uint32_t(number), WireType(type), 0, {}, {}};
    if (Error error = readPayload(cursor, field))
      return error;
    field.whole = start.rest.take_front(start.rest.size() - cursor.rest.size());
    if (Error error = visit(field))
      return error;
  }
  return Error::success();
}

void mlir::ds::importer::appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(char(value | 0x80));
  out.push_back(char(value));
}

void mlir::ds::importer::appendBytes(std::string &out, uint32_t number,
                                     StringRef bytes) {
  appendVarint(out, uint64_t(number) << 3 | uint64_t(WireType::Bytes));
  appendVarint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

void mlir::ds::importer::appendVarintField(std::string &out, uint32_t number,
                                           uint64_t value) {
  appendVarint(out, uint64_t(number) << 3 | uint64_t(WireType::Varint));
  appendVarint(out, value);
}
