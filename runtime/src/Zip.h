//===- Zip.h - Reads an artifact's ZIP structure ----------------*- C++ -*-===//

#ifndef DS_RUNTIME_ZIP_H
#define DS_RUNTIME_ZIP_H

#include "ByteView.h"
#include "Status.h"
#include <string>
#include <vector>

namespace ds::rt {

struct ZipMember {
  std::string name;
  uint64_t headerOffset = 0;
  uint64_t offset = 0; ///< Of the data.
  uint64_t size = 0;

  uint64_t end() const { return offset + size; }
};

/// The members in file order: inside the file, page-aligned, not overlapping,
/// with distinct names.
struct ZipDirectory {
  std::vector<ZipMember> members;
  uint64_t digestOffset = 0; ///< Of the hex digits that end the file.

  const ZipMember *find(std::string_view name) const;
};

inline constexpr uint64_t memberAlignment = 4096;
inline constexpr uint64_t digestDigits = 64;

/// Reads the directory of `file`, which may hold anything. Only what artifacts
/// use is accepted: stored members, one disk, no encryption, the digest
/// comment.
Status readZip(ByteView file, ZipDirectory &directory);

} // namespace ds::rt

#endif // DS_RUNTIME_ZIP_H
