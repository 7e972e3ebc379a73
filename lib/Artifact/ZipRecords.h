//===- ZipRecords.h - The ZIP structures of an artifact ---------*- C++ -*-===//
//
// Internal to the bundle writer. All records have fixed timestamps and no
// platform attributes, so that equal members give equal bytes.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_ARTIFACT_ZIPRECORDS_H
#define DS_LIB_ARTIFACT_ZIPRECORDS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace mlir::ds::artifact::zip {

inline constexpr uint64_t pageBytes = 4096;

struct File {
  std::string name;
  uint64_t headerOffset = 0;
  uint64_t headerBytes = 0; ///< Local header up to the data.
  uint64_t size = 0;
  uint32_t crc = 0;

  uint64_t dataOffset() const { return headerOffset + headerBytes; }
};

/// Sets `headerBytes` so that data starts at a page boundary, with room for the
/// 64-bit sizes in case the member turns out to need them.
void placeHeader(File &file);

/// The local header: exactly headerBytes bytes. The gap is an extra field, so
/// that there are no bytes that do not belong to a record.
std::string localHeader(const File &file);

/// Central directory, end records and the comment up to `comment`'s last byte.
/// `offset` is where the directory starts in the file.
std::string directory(llvm::ArrayRef<File> files, uint64_t offset,
                      llvm::StringRef comment, uint64_t commentTotalBytes);

} // namespace mlir::ds::artifact::zip

#endif // DS_LIB_ARTIFACT_ZIPRECORDS_H
