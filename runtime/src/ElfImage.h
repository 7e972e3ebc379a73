//===- ElfImage.h - Loads a code object -------------------------*- C++ -*-===//
//
// A loader for the little that compiled models use: ELF64 shared objects with
// plain segments, four kinds of relocation and a short list of undefined
// symbols. Anything else is refused by a sentence, so that loading an artifact
// never runs code: no constructors, no resolvers, no other libraries.
//
// The object is copied into private pages instead of being mapped from the
// file. It is a few megabytes at most, and this way what runs is what was
// checked, whatever happens to the file later, on any page size.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_ELFIMAGE_H
#define DS_RUNTIME_ELFIMAGE_H

#include "ByteView.h"
#include "Status.h"
#include "ds/abi.h"
#include <string>
#include <vector>

namespace ds::rt {

enum class Sanitizer { None, Address, Thread };

class ElfImage {
public:
  ElfImage() = default;
  ElfImage(const ElfImage &) = delete;
  ElfImage &operator=(const ElfImage &) = delete;
  ~ElfImage();

  /// Loads `object`, which must be for `arch` ("x86_64" or "aarch64"), resolves
  /// it and makes its code executable. Code instrumented for `sanitizer` may
  /// call that sanitizer's runtime, which must be in this process.
  Status load(ByteView object, const std::string &arch, Sanitizer sanitizer);

  /// The checked table of entries: all pointers lead into the image, functions
  /// into its code.
  const ds_code_table *table() const { return codeTable; }
  /// The number of kernels that the table names.
  uint64_t kernelCount() const;

private:
  struct Segment {
    uint64_t offset, address, fileSize, memorySize;
    bool writable, executable;
  };
  struct Dynamic;
  struct Symbol {
    std::string_view name;
    bool defined = false;
    uint8_t type = 0;
    uint64_t value = 0, size = 0;
  };

  Status readHeader(ByteView object, const std::string &arch, ByteView &table);
  Status readSegments(ByteView object, ByteView programHeaders);
  Status addSegment(ByteView object, const void *header);
  Status map(ByteView object);
  Status readDynamic(Dynamic &dynamic);
  Status applyTag(Dynamic &dynamic, int64_t tag, uint64_t value);
  Status countSymbols(Dynamic &dynamic);
  Status readSymbol(const Dynamic &dynamic, uint64_t index, Symbol &symbol);
  Status checkSymbols(const Dynamic &dynamic, Sanitizer sanitizer);
  Status relocate(const Dynamic &dynamic, uint64_t offset, uint64_t size,
                  Sanitizer sanitizer);
  Status relocateOne(const Dynamic &dynamic, ByteView record,
                     Sanitizer sanitizer);
  Status resolve(const Dynamic &dynamic, uint64_t index, Sanitizer sanitizer,
                 uint64_t &address);
  Status protect();
  Status checkTable();
  bool isReadable(const void *pointer, uint64_t size) const;
  bool isText(const char *pointer) const;
  bool isCode(const void *pointer) const;

  ByteView image() const { return {memory, span}; }

  uint8_t *memory = nullptr;
  uint64_t span = 0;
  bool isArm = false;
  std::vector<Segment> segments;
  uint64_t dynamicAddress = 0, dynamicSize = 0;
  uint64_t relroAddress = 0, relroSize = 0;
  const ds_code_table *codeTable = nullptr;
};

} // namespace ds::rt

#endif // DS_RUNTIME_ELFIMAGE_H
