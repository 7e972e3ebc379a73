#include "ZipRecords.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::ds::artifact::zip;

namespace {
/// Appends little-endian integers.
struct Record {
  std::string bytes;

  Record &u16(uint64_t v) { return append(v, 2); }
  Record &u32(uint64_t v) { return append(v, 4); }
  Record &u64(uint64_t v) { return append(v, 8); }
  Record &text(llvm::StringRef s) {
    bytes.append(s.begin(), s.end());
    return *this;
  }

private:
  Record &append(uint64_t v, int count) {
    for (int i = 0; i < count; ++i, v >>= 8)
      bytes.push_back(char(v & 0xff));
    return *this;
  }
};
} // namespace

static constexpr uint64_t fixedHeaderBytes = 30;
static constexpr uint64_t max32 = 0xffffffff;
static constexpr uint64_t max16 = 0xffff;
static constexpr uint16_t utf8Names = 1 << 11;
static constexpr uint16_t midnight = 0;
static constexpr uint16_t firstOfJanuary1980 = 1 << 5 | 1;
static constexpr uint16_t extraZip64 = 0x0001;
/// The extra field by which APKs are aligned: tools skip it, and it says what
/// the bytes are for. Its content is the alignment, then zeros.
static constexpr uint16_t extraAlignment = 0xd935;
static constexpr uint64_t zip64LocalBytes = 4 + 16;
static constexpr uint64_t alignmentMinBytes = 4 + 2;

static bool needs64(const File &file) { return file.size >= max32; }

void mlir::ds::artifact::zip::placeHeader(File &file) {
  uint64_t least =
      fixedHeaderBytes + file.name.size() + zip64LocalBytes + alignmentMinBytes;
  file.headerBytes =
      llvm::alignTo(file.headerOffset + least, pageBytes) - file.headerOffset;
}

std::string mlir::ds::artifact::zip::localHeader(const File &file) {
  bool wide = needs64(file);
  uint64_t extra = file.headerBytes - fixedHeaderBytes - file.name.size();
  Record r;
  r.u32(0x04034b50).u16(wide ? 45 : 20).u16(utf8Names).u16(/*stored*/ 0);
  r.u16(midnight).u16(firstOfJanuary1980).u32(file.crc);
  r.u32(wide ? max32 : file.size).u32(wide ? max32 : file.size);
  r.u16(file.name.size()).u16(extra).text(file.name);
  if (wide) {
    r.u16(extraZip64).u16(16).u64(file.size).u64(file.size);
    extra -= zip64LocalBytes;
  }
  r.u16(extraAlignment).u16(extra - 4).u16(pageBytes);
  r.bytes.resize(file.headerBytes, '\0');
  return std::move(r.bytes);
}

static void appendCentral(Record &r, const File &file) {
  bool wideSize = needs64(file), wideOffset = file.headerOffset >= max32;
  uint64_t extra = (wideSize ? 16 : 0) + (wideOffset ? 8 : 0);
  bool wide = extra != 0;
  r.u32(0x02014b50).u16(wide ? 45 : 20).u16(wide ? 45 : 20).u16(utf8Names);
  r.u16(/*stored*/ 0).u16(midnight).u16(firstOfJanuary1980).u32(file.crc);
  r.u32(wideSize ? max32 : file.size).u32(wideSize ? max32 : file.size);
  r.u16(file.name.size()).u16(wide ? extra + 4 : 0).u16(/*comment*/ 0);
  r.u16(/*disk*/ 0).u16(/*internal attributes*/ 0);
  r.u32(/*external attributes*/ 0);
  r.u32(wideOffset ? max32 : file.headerOffset).text(file.name);
  if (!wide)
    return;
  r.u16(extraZip64).u16(extra);
  if (wideSize)
    r.u64(file.size).u64(file.size);
  if (wideOffset)
    r.u64(file.headerOffset);
}

std::string mlir::ds::artifact::zip::directory(llvm::ArrayRef<File> files,
                                               uint64_t offset,
                                               llvm::StringRef comment,
                                               uint64_t commentTotalBytes) {
  Record r;
  for (const File &file : files)
    appendCentral(r, file);
  uint64_t size = r.bytes.size(), count = files.size();
  if (offset >= max32 || size >= max32 || count >= max16) {
    uint64_t end64 = offset + size;
    r.u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0);
    r.u64(count).u64(count).u64(size).u64(offset);
    r.u32(0x07064b50).u32(0).u64(end64).u32(1);
  }
  uint64_t shortCount = std::min(count, max16);
  r.u32(0x06054b50).u16(0).u16(0).u16(shortCount).u16(shortCount);
  r.u32(std::min(size, max32)).u32(std::min(offset, max32));
  r.u16(commentTotalBytes).text(comment);
  return std::move(r.bytes);
}
