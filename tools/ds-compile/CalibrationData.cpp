//===- CalibrationData.cpp - Reads calibration data -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "CalibrationData.h"

#include "NpyIO.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <zlib.h>

using namespace mlir::ds;
using llvm::StringRef;
using llvm::Twine;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

static llvm::Error dataError(const Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {
/// Of the ZIP format, as APPNOTE.TXT defines it.
constexpr uint32_t localSignature = 0x04034b50, centralSignature = 0x02014b50,
                   endSignature = 0x06054b50;
constexpr size_t localBytes = 30, centralBytes = 46, endBytes = 22;
constexpr uint16_t stored = 0, deflated = 8, encrypted = 1, zip64Extra = 1;

/// A member of a ZIP file. What is read has been checked against the bounds of
/// the file.
struct ZipMember {
  StringRef name;
  uint16_t flags, method;
  uint32_t crc;
  uint64_t compressed, size, header;
};

/// Members of a ZIP file that may hold anything.
class ZipFile {
public:
  explicit ZipFile(StringRef bytes) : bytes(bytes) {}

  llvm::Expected<std::vector<ZipMember>> members();
  llvm::Expected<std::string> contents(const ZipMember &member);

private:
  llvm::Error damaged() { return dataError("is damaged, or no .npz file"); }
  const char *at(uint64_t offset, uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset)
      return nullptr;
    return bytes.data() + offset;
  }
  bool readSizes(ZipMember &member, StringRef extra);

  StringRef bytes;
};
} // namespace

/// Takes 64-bit sizes from the extra field, in the order of the format, where
/// there was no room for them.
bool ZipFile::readSizes(ZipMember &member, StringRef extra) {
  while (extra.size() >= 4) {
    uint16_t id = read16le(extra.data()), size = read16le(extra.data() + 2);
    if (size > extra.size() - 4)
      return false;
    StringRef field = extra.substr(4, size);
    extra = extra.drop_front(4 + size);
    if (id != zip64Extra)
      continue;
    for (uint64_t *value : {&member.size, &member.compressed, &member.header})
      if (*value == UINT32_MAX) {
        if (field.size() < 8)
          return false;
        *value = read64le(field.data());
        field = field.drop_front(8);
      }
  }
  return true;
}

llvm::Expected<std::vector<ZipMember>> ZipFile::members() {
  // The end record is followed by a comment of any length.
  char signature[4];
  llvm::support::endian::write32le(signature, endSignature);
  size_t end = bytes.rfind(StringRef(signature, 4));
  const char *record = end == StringRef::npos ? nullptr : at(end, endBytes);
  if (!record)
    return damaged();
  std::vector<ZipMember> members;
  uint64_t offset = read32le(record + 16);
  for (unsigned i = 0, count = read16le(record + 10); i < count; ++i) {
    const char *entry = at(offset, centralBytes);
    if (!entry || read32le(entry) != centralSignature)
      return damaged();
    uint16_t nameBytes = read16le(entry + 28),
             extraBytes = read16le(entry + 30),
             commentBytes = read16le(entry + 32);
    const char *name = at(offset + centralBytes, nameBytes + extraBytes);
    if (!name)
      return damaged();
    ZipMember member{StringRef(name, nameBytes), read16le(entry + 8),
                     read16le(entry + 10),       read32le(entry + 16),
                     read32le(entry + 20),       read32le(entry + 24),
                     read32le(entry + 42)};
    if (!readSizes(member, StringRef(name + nameBytes, extraBytes)))
      return damaged();
    members.push_back(member);
    offset += centralBytes + nameBytes + extraBytes + commentBytes;
  }
  return members;
}

llvm::Expected<std::string> ZipFile::contents(const ZipMember &member) {
  const char *header = at(member.header, localBytes);
  if (!header || read32le(header) != localSignature)
    return damaged();
  uint64_t start = member.header + localBytes + read16le(header + 26) +
                   read16le(header + 28);
  const char *data = at(start, member.compressed);
  if (!data)
    return damaged();
  if (member.flags & encrypted)
    return dataError("is encrypted");
  // No byte of deflate stands for more.
  constexpr uint64_t mostExpansion = 1032;
  if (member.size / mostExpansion > member.compressed)
    return damaged();
  std::string contents;
  if (member.method == stored) {
    contents.assign(data, member.compressed);
  } else if (member.method == deflated) {
    z_stream stream = {};
    // Negative: without the header of zlib's own format.
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      return dataError("cannot be decompressed");
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(data));
    int status = Z_OK;
    for (uint64_t rest = member.compressed; status == Z_OK;) {
      // Sizes are those of the file, which may lie: nothing is reserved.
      char piece[1 << 16];
      if (stream.avail_in == 0) {
        stream.avail_in = std::min<uint64_t>(rest, 1 << 30);
        rest -= stream.avail_in;
      }
      stream.next_out = reinterpret_cast<Bytef *>(piece);
      stream.avail_out = sizeof(piece);
      status = inflate(&stream, Z_NO_FLUSH);
      contents.append(piece, sizeof(piece) - stream.avail_out);
      if (contents.size() > member.size)
        break;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END)
      return damaged();
  } else {
    return dataError("is compressed by method " + Twine(member.method) +
                     ", expected none or deflate, as numpy.savez writes");
  }
  uLong crc = crc32_z(0, reinterpret_cast<const Bytef *>(contents.data()),
                      contents.size());
  if (contents.size() != member.size || crc != member.crc)
    return damaged();
  return contents;
}

/// The arrays of a file's bytes. The error is about the file.
static llvm::Expected<CalibrationBatch> parseNpz(StringRef bytes) {
  ZipFile zip(bytes);
  auto members = zip.members();
  if (!members)
    return members.takeError();
  CalibrationBatch batch;
  for (const ZipMember &member : *members) {
    StringRef name = member.name;
    if (!name.consume_back(".npy"))
      continue;
    auto contents = zip.contents(member);
    if (!contents)
      return contents.takeError();
    try {
      ::ds::run::Tensor array = ::ds::run::parseNpy(*contents);
      batch.arrays.push_back({name.str(), array.type, std::move(array.sizes),
                              std::move(array.strides),
                              std::move(array.bytes)});
    } catch (const ::ds::Error &error) {
      return dataError("array '" + name + "': " + error.what());
    }
  }
  return batch;
}

static llvm::Expected<CalibrationBatch> readNpz(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return dataError(path + ": " + file.getError().message());
  auto batch = parseNpz((*file)->getBuffer());
  if (!batch)
    return dataError(path + ": " + llvm::toString(batch.takeError()));
  batch->source = path.str();
  return batch;
}

llvm::Expected<std::vector<CalibrationBatch>>
mlir::ds::readCalibration(StringRef path) {
  std::vector<std::string> files = {path.str()};
  if (llvm::sys::fs::is_directory(path)) {
    files.clear();
    std::error_code error;
    for (llvm::sys::fs::directory_iterator file(path, error), end;
         !error && file != end; file.increment(error))
      if (llvm::sys::path::extension(file->path()) == ".npz")
        files.push_back(file->path());
    if (error)
      return dataError(path + ": " + error.message());
    if (files.empty())
      return dataError(path + ": has no .npz file");
    llvm::sort(files);
  }
  std::vector<CalibrationBatch> batches;
  for (const std::string &file : files) {
    auto batch = readNpz(file);
    if (!batch)
      return batch.takeError();
    batches.push_back(std::move(*batch));
  }
  return batches;
}
