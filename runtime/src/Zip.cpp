#include "Zip.h"

#include <algorithm>

using namespace ds::rt;

namespace {

constexpr std::string_view commentPrefix = "ds-artifact-sha256:";
constexpr uint64_t commentBytes = commentPrefix.size() + digestDigits;

constexpr uint32_t localSignature = 0x04034b50;
constexpr uint32_t centralSignature = 0x02014b50;
constexpr uint32_t endSignature = 0x06054b50;
constexpr uint32_t end64Signature = 0x06064b50;
constexpr uint32_t locatorSignature = 0x07064b50;
constexpr uint64_t localBytes = 30, centralBytes = 46, endBytes = 22,
                   end64Bytes = 56, locatorBytes = 20;
constexpr uint32_t max32 = 0xffffffff;
constexpr uint16_t max16 = 0xffff;
constexpr uint16_t extraZip64 = 0x0001;
constexpr uint16_t utf8Names = 1 << 11;

Status damaged(std::string_view what, uint64_t offset) {
  return {DS_ERROR_ARTIFACT, what, " at byte ", offset,
          "; the file is damaged or not an artifact"};
}

/// Reads fields of one record whose bounds have been checked.
class Fields {
public:
  explicit Fields(const uint8_t *at) : at(at) {}
  uint16_t u16(uint64_t offset) const { return get<uint16_t>(offset); }
  uint32_t u32(uint64_t offset) const { return get<uint32_t>(offset); }
  uint64_t u64(uint64_t offset) const { return get<uint64_t>(offset); }

private:
  template <typename T> T get(uint64_t offset) const {
    T value;
    std::memcpy(&value, at + offset, sizeof(T));
    return value;
  }
  const uint8_t *at;
};

struct End {
  uint64_t count = 0, directorySize = 0, directoryOffset = 0;
};

class Reader {
public:
  Reader(ByteView file, ZipDirectory &directory)
      : file(file), directory(directory) {}

  Status run() {
    End end;
    DS_TRY(readEnd(end));
    uint64_t at = end.directoryOffset;
    for (uint64_t i = 0; i < end.count; ++i)
      DS_TRY(readCentral(at, end.directoryOffset));
    if (at != end.directoryOffset + end.directorySize)
      return damaged("the ZIP directory does not end where it should", at);
    return checkLayout(end.directoryOffset);
  }

private:
  Status readEnd(End &end);
  Status readEnd64(uint64_t locator, End &end);
  Status readCentral(uint64_t &at, uint64_t directoryOffset);
  Status readLocal(ZipMember &member, uint64_t directoryOffset);
  Status checkLayout(uint64_t directoryOffset);

  ByteView file;
  ZipDirectory &directory;
};

Status Reader::readEnd(End &end) {
  if (file.size() < endBytes + commentBytes)
    return {DS_ERROR_ARTIFACT, "has ", file.size(),
            " bytes, expected an artifact of at least ",
            endBytes + commentBytes};
  // The comment has a fixed length, so the record has a fixed place: nothing
  // after it, nothing to search for.
  uint64_t at = file.size() - endBytes - commentBytes;
  Fields f(file.data() + at);
  std::string_view comment =
      file.slice(at + endBytes, commentPrefix.size())->text();
  if (f.u32(0) != endSignature || f.u16(20) != commentBytes ||
      comment != commentPrefix)
    return {DS_ERROR_ARTIFACT,
            "does not end in a ZIP end record with an artifact digest; the "
            "file is truncated, has been added to, or is not an artifact"};
  directory.digestOffset = file.size() - digestDigits;
  if (f.u16(4) != 0 || f.u16(6) != 0 || f.u16(8) != f.u16(10))
    return damaged("the ZIP end record speaks of several disks", at);
  end = {f.u16(10), f.u32(12), f.u32(16)};
  uint64_t directoryEnd = at;
  if (end.count == max16 || end.directorySize == max32 ||
      end.directoryOffset == max32) {
    if (at < locatorBytes + end64Bytes)
      return damaged("the ZIP64 end record is missing", at);
    DS_TRY(readEnd64(at - locatorBytes, end));
    directoryEnd = at - locatorBytes - end64Bytes;
  }
  if (!file.contains(end.directoryOffset, end.directorySize) ||
      end.directoryOffset + end.directorySize != directoryEnd)
    return damaged("the ZIP directory is not where the end record says", at);
  return {};
}

Status Reader::readEnd64(uint64_t locator, End &end) {
  uint64_t at = locator - end64Bytes;
  Fields l(file.data() + locator), f(file.data() + at);
  if (l.u32(0) != locatorSignature || l.u32(4) != 0 || l.u64(8) != at ||
      l.u32(16) != 1 || f.u32(0) != end64Signature ||
      f.u64(4) != end64Bytes - 12 || f.u32(16) != 0 || f.u32(20) != 0 ||
      f.u64(24) != f.u64(32))
    return damaged("the ZIP64 end record is not valid", at);
  end = {f.u64(32), f.u64(40), f.u64(48)};
  return {};
}

/// Finds the ZIP64 field among a record's extra fields.
Status findZip64(ByteView extra, uint64_t where, ByteView &field) {
  uint64_t at = 0;
  while (at < extra.size()) {
    uint16_t id, size;
    if (!extra.read(at, id) || !extra.read(at + 2, size) ||
        !extra.contains(at + 4, size))
      return damaged("a ZIP extra field does not fit", where);
    if (id == extraZip64)
      field = *extra.slice(at + 4, size);
    at += 4 + uint64_t(size);
  }
  return {};
}

Status Reader::readCentral(uint64_t &at, uint64_t directoryOffset) {
  if (!file.contains(at, centralBytes))
    return damaged("the ZIP directory is cut off", at);
  Fields f(file.data() + at);
  uint64_t nameBytes = f.u16(28), extraBytes = f.u16(30);
  if (f.u32(0) != centralSignature || f.u16(32) != 0 || f.u16(34) != 0 ||
      !file.contains(at + centralBytes, nameBytes + extraBytes))
    return damaged("an entry of the ZIP directory is not valid", at);
  if ((f.u16(8) & ~utf8Names) != 0 || f.u16(10) != 0)
    return damaged("a ZIP member is compressed or encrypted", at);

  ZipMember member;
  member.name = file.slice(at + centralBytes, nameBytes)->text();
  uint64_t stored = f.u32(20);
  member.size = f.u32(24);
  member.headerOffset = f.u32(42);
  ByteView wide;
  DS_TRY(findZip64(*file.slice(at + centralBytes + nameBytes, extraBytes), at,
                   wide));
  uint64_t next = 0;
  bool fits = true;
  for (uint64_t *field : {&member.size, &stored, &member.headerOffset})
    if (*field == max32) {
      fits &= wide.read(next, *field);
      next += 8;
    }
  if (!fits)
    return damaged("a ZIP member's 64-bit sizes are missing", at);
  if (stored != member.size)
    return damaged("a ZIP member's two sizes differ", at);
  DS_TRY(readLocal(member, directoryOffset));
  directory.members.push_back(std::move(member));
  at += centralBytes + nameBytes + extraBytes;
  return {};
}

Status Reader::readLocal(ZipMember &member, uint64_t directoryOffset) {
  uint64_t at = member.headerOffset;
  if (at > directoryOffset || directoryOffset - at < localBytes)
    return damaged("a ZIP member lies outside of the file", at);
  Fields f(file.data() + at);
  uint64_t nameBytes = f.u16(26), extraBytes = f.u16(28);
  if (f.u32(0) != localSignature || (f.u16(6) & ~utf8Names) != 0 ||
      f.u16(8) != 0)
    return damaged("the header of a ZIP member is not valid", at);
  member.offset = at + localBytes + nameBytes + extraBytes;
  if (member.offset > directoryOffset ||
      member.size > directoryOffset - member.offset)
    return damaged(cat("the member '", member.name, "' of ", member.size,
                       " bytes does not fit into the file"),
                   at);
  if (file.slice(at + localBytes, nameBytes)->text() != member.name)
    return damaged("a ZIP member has two names", at);
  uint64_t size = f.u32(22), stored = f.u32(18);
  if (size == max32 && stored == max32) {
    ByteView wide;
    DS_TRY(findZip64(*file.slice(at + localBytes + nameBytes, extraBytes), at,
                     wide));
    if (!wide.read(0, size) || !wide.read(8, stored))
      return damaged("a ZIP member's 64-bit sizes are missing", at);
  }
  if (size != member.size || stored != member.size)
    return damaged("a ZIP member's size differs from the directory's", at);
  if (member.offset % memberAlignment != 0)
    return damaged(cat("the member '", member.name,
                       "' does not start at a multiple of ", memberAlignment),
                   member.offset);
  return {};
}

Status Reader::checkLayout(uint64_t directoryOffset) {
  auto &members = directory.members;
  std::sort(members.begin(), members.end(),
            [](const ZipMember &a, const ZipMember &b) {
              return a.headerOffset < b.headerOffset;
            });
  for (size_t i = 0; i < members.size(); ++i) {
    uint64_t end =
        i + 1 < members.size() ? members[i + 1].headerOffset : directoryOffset;
    if (members[i].end() > end)
      return damaged(cat("the member '", members[i].name, "' overlaps"), end);
  }
  std::vector<std::string_view> names;
  for (const ZipMember &member : members)
    names.push_back(member.name);
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    return {DS_ERROR_ARTIFACT, "has two members named '", *twice, "'"};
  return {};
}

} // namespace

const ZipMember *ZipDirectory::find(std::string_view name) const {
  for (const ZipMember &member : members)
    if (member.name == name)
      return &member;
  return nullptr;
}

Status ds::rt::readZip(ByteView file, ZipDirectory &directory) {
  return Reader(file, directory).run();
}
