#include "ElfImage.h"

#include "ElfSymbols.h"
#include <cerrno>
#include <cstddef>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ds::rt;

/// An image larger than this is no compiled model.
static constexpr uint64_t maxSpan = uint64_t(1) << 31;
static constexpr unsigned maxSegments = 64;

static uint64_t pageSize() {
  static const uint64_t size = uint64_t(sysconf(_SC_PAGESIZE));
  return size;
}
static uint64_t pageDown(uint64_t v) { return v & ~(pageSize() - 1); }
static uint64_t pageUp(uint64_t v) { return pageDown(v + pageSize() - 1); }

static Status refused(std::string_view what) {
  return {DS_ERROR_ARTIFACT, "the code object ", what};
}

struct ElfImage::Dynamic {
  uint64_t symbols = 0, strings = 0, stringBytes = 0, symbolCount = 0;
  uint64_t hash = 0, gnuHash = 0;
  uint64_t rela = 0, relaBytes = 0, jump = 0, jumpBytes = 0;
};

ElfImage::~ElfImage() {
  if (memory)
    munmap(memory, span);
}

Status ElfImage::load(ByteView object, const std::string &arch,
                      Sanitizer sanitizer) {
  ByteView programHeaders;
  DS_TRY(readHeader(object, arch, programHeaders));
  DS_TRY(readSegments(object, programHeaders));
  DS_TRY(map(object));
  Dynamic dynamic;
  DS_TRY(readDynamic(dynamic));
  DS_TRY(countSymbols(dynamic));
  DS_TRY(checkSymbols(dynamic, sanitizer));
  DS_TRY(relocate(dynamic, dynamic.rela, dynamic.relaBytes, sanitizer));
  DS_TRY(relocate(dynamic, dynamic.jump, dynamic.jumpBytes, sanitizer));
  DS_TRY(checkTable());
  return protect();
}

Status ElfImage::readHeader(ByteView object, const std::string &arch,
                            ByteView &table) {
  Elf64_Ehdr header;
  if (!object.read(0, header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return refused("is not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_ident[EI_VERSION] != EV_CURRENT)
    return refused("is not 64-bit little-endian ELF");
  isArm = arch == "aarch64";
  uint16_t expected = isArm ? EM_AARCH64 : EM_X86_64;
  if (header.e_machine != expected)
    return refused(
        cat("is for ELF machine ", header.e_machine, ", expected ", expected));
  if (header.e_type != ET_DYN)
    return refused("is not a shared object");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum > maxSegments)
    return refused("has no valid program headers");
  auto headers =
      object.slice(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
  if (!headers)
    return refused("is truncated: its program headers do not fit");
  table = *headers;
  return {};
}

Status ElfImage::readSegments(ByteView object, ByteView programHeaders) {
  for (uint64_t at = 0; at < programHeaders.size(); at += sizeof(Elf64_Phdr)) {
    Elf64_Phdr header;
    programHeaders.read(at, header);
    switch (header.p_type) {
    case PT_LOAD:
      DS_TRY(addSegment(object, &header));
      break;
    case PT_DYNAMIC:
      dynamicAddress = header.p_vaddr;
      dynamicSize = header.p_memsz;
      break;
    case PT_GNU_RELRO:
      relroAddress = header.p_vaddr;
      relroSize = header.p_memsz;
      break;
    case PT_TLS:
      return refused("has thread-local storage, expected no state");
    case PT_INTERP:
      return refused("asks for a program interpreter");
    case PT_GNU_STACK:
      if (header.p_flags & PF_X)
        return refused("asks for an executable stack");
      break;
    default:
      break;
    }
  }
  if (segments.empty())
    return refused("has no segments");
  span = pageUp(segments.back().address + segments.back().memorySize);
  return {};
}

Status ElfImage::addSegment(ByteView object, const void *raw) {
  Elf64_Phdr header;
  std::memcpy(&header, raw, sizeof(header));
  if (header.p_filesz > header.p_memsz ||
      !object.contains(header.p_offset, header.p_filesz))
    return refused("is truncated: a segment does not fit");
  if (header.p_memsz > maxSpan || header.p_vaddr > maxSpan - header.p_memsz)
    return refused(cat("has a segment beyond ", maxSpan, " bytes"));
  Segment segment = {header.p_offset,
                     header.p_vaddr,
                     header.p_filesz,
                     header.p_memsz,
                     (header.p_flags & PF_W) != 0,
                     (header.p_flags & PF_X) != 0};
  if (segment.writable && segment.executable)
    return refused("has a segment that is writable and executable");
  if (!segments.empty()) {
    const Segment &last = segments.back();
    uint64_t lastEnd = last.address + last.memorySize;
    if (segment.address < lastEnd)
      return refused("has overlapping segments");
    // Protection is per page, and the linker may have assumed smaller ones.
    bool samePage = pageDown(segment.address) < pageUp(lastEnd);
    bool sameAccess = last.writable == segment.writable &&
                      last.executable == segment.executable;
    if (samePage && !sameAccess)
      return refused(cat("has segments that share a page of this machine, "
                         "whose pages have ",
                         pageSize(), " bytes"));
  }
  segments.push_back(segment);
  return {};
}

Status ElfImage::map(ByteView object) {
  void *base = mmap(nullptr, span, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    return {DS_ERROR_OUT_OF_MEMORY, "cannot map ", span,
            " bytes for code: ", std::strerror(errno)};
  memory = static_cast<uint8_t *>(base);
  for (const Segment &segment : segments)
    std::memcpy(memory + segment.address, object.data() + segment.offset,
                segment.fileSize);
  return {};
}

Status ElfImage::applyTag(Dynamic &d, int64_t tag, uint64_t value) {
  switch (tag) {
  case DT_SYMTAB:
    d.symbols = value;
    break;
  case DT_STRTAB:
    d.strings = value;
    break;
  case DT_STRSZ:
    d.stringBytes = value;
    break;
  case DT_HASH:
    d.hash = value;
    break;
  case DT_GNU_HASH:
    d.gnuHash = value;
    break;
  case DT_RELA:
    d.rela = value;
    break;
  case DT_RELASZ:
    d.relaBytes = value;
    break;
  case DT_JMPREL:
    d.jump = value;
    break;
  case DT_PLTRELSZ:
    d.jumpBytes = value;
    break;
  case DT_SYMENT:
    if (value != sizeof(Elf64_Sym))
      return refused("has symbols of unknown size");
    break;
  case DT_RELAENT:
    if (value != sizeof(Elf64_Rela))
      return refused("has relocations of unknown size");
    break;
  case DT_NEEDED:
    return refused("needs another library, expected none");
  case DT_INIT:
  case DT_FINI:
  case DT_INIT_ARRAY:
  case DT_FINI_ARRAY:
  case DT_PREINIT_ARRAY:
    return refused("has constructors or destructors, expected none");
  case DT_REL:
  case DT_RELR:
    return refused("has relocations of an unsupported form");
  case DT_TEXTREL:
    return refused("relocates its code, expected position-independent code");
  case DT_FLAGS:
    if (value & (DF_TEXTREL | DF_STATIC_TLS))
      return refused("relocates its code or has thread-local storage");
    break;
  default:
    break;
  }
  return {};
}

Status ElfImage::readDynamic(Dynamic &dynamic) {
  auto table = image().slice(dynamicAddress, dynamicSize);
  if (!table || dynamicSize == 0)
    return refused("has no dynamic section");
  Elf64_Dyn item;
  for (uint64_t at = 0; table->read(at, item) && item.d_tag != DT_NULL;
       at += sizeof(item))
    DS_TRY(applyTag(dynamic, item.d_tag, item.d_un.d_val));
  if (!image().contains(dynamic.strings, dynamic.stringBytes) ||
      !image().contains(dynamic.rela, dynamic.relaBytes) ||
      !image().contains(dynamic.jump, dynamic.jumpBytes))
    return refused("has dynamic tables outside of its segments");
  return {};
}

/// No header says how many symbols there are; the hash tables tell.
Status ElfImage::countSymbols(Dynamic &dynamic) {
  Status invalid = refused("has no valid symbol hash table");
  if (dynamic.hash) {
    uint32_t chains;
    if (!image().read(dynamic.hash + 4, chains))
      return invalid;
    dynamic.symbolCount = chains;
  } else {
    uint32_t buckets, firstHashed, bloomWords;
    if (!dynamic.gnuHash || !image().read(dynamic.gnuHash, buckets) ||
        !image().read(dynamic.gnuHash + 4, firstHashed) ||
        !image().read(dynamic.gnuHash + 8, bloomWords))
      return invalid;
    uint64_t bucketTable = dynamic.gnuHash + 16 + uint64_t(bloomWords) * 8;
    uint64_t chainTable = bucketTable + uint64_t(buckets) * 4;
    uint64_t last = 0;
    for (uint64_t i = 0; i < buckets; ++i) {
      uint32_t first;
      if (!image().read(bucketTable + i * 4, first))
        return invalid;
      last = std::max<uint64_t>(last, first);
    }
    dynamic.symbolCount = firstHashed;
    if (last >= firstHashed) {
      // The chain of the highest bucket ends where its lowest bit is set.
      uint32_t hash = 0;
      for (; !(hash & 1); ++last)
        if (!image().read(chainTable + (last - firstHashed) * 4, hash))
          return invalid;
      dynamic.symbolCount = last;
    }
  }
  if (!image().contains(dynamic.symbols,
                        dynamic.symbolCount * sizeof(Elf64_Sym)))
    return refused("has a symbol table outside of its segments");
  return {};
}

Status ElfImage::readSymbol(const Dynamic &dynamic, uint64_t index,
                            Symbol &symbol) {
  Elf64_Sym raw;
  if (index >= dynamic.symbolCount ||
      !image().read(dynamic.symbols + index * sizeof(raw), raw))
    return refused("refers to a symbol that is not there");
  ByteView strings = *image().slice(dynamic.strings, dynamic.stringBytes);
  if (raw.st_name >= strings.size())
    return refused("has a symbol whose name is not there");
  std::string_view rest = strings.text().substr(raw.st_name);
  size_t length = rest.find('\0');
  if (length == std::string_view::npos)
    return refused("has a symbol whose name does not end");
  symbol.name = rest.substr(0, length);
  symbol.defined = raw.st_shndx != SHN_UNDEF;
  symbol.type = ELF64_ST_TYPE(raw.st_info);
  symbol.value = raw.st_value;
  symbol.size = raw.st_size;
  return {};
}

Status ElfImage::checkSymbols(const Dynamic &dynamic, Sanitizer sanitizer) {
  // Symbol 0 is reserved.
  for (uint64_t i = 1; i < dynamic.symbolCount; ++i) {
    Symbol symbol;
    DS_TRY(readSymbol(dynamic, i, symbol));
    if (symbol.type == STT_TLS || symbol.type == STT_GNU_IFUNC)
      return refused(
          cat("has the symbol '", symbol.name, "' of an unsupported kind"));
    if (!symbol.defined) {
      uint64_t ignored;
      DS_TRY(resolveExternal(symbol.name, sanitizer, ignored));
      continue;
    }
    if (symbol.value >= span)
      return refused(
          cat("has the symbol '", symbol.name, "' outside of its segments"));
    if (symbol.name == DS_CODE_TABLE_SYMBOL)
      codeTable =
          reinterpret_cast<const ds_code_table *>(memory + symbol.value);
  }
  return {};
}

Status ElfImage::resolve(const Dynamic &dynamic, uint64_t index,
                         Sanitizer sanitizer, uint64_t &address) {
  Symbol symbol;
  DS_TRY(readSymbol(dynamic, index, symbol));
  if (!symbol.defined)
    return resolveExternal(symbol.name, sanitizer, address);
  address = reinterpret_cast<uint64_t>(memory) + symbol.value;
  return {};
}

Status ElfImage::relocate(const Dynamic &dynamic, uint64_t offset,
                          uint64_t size, Sanitizer sanitizer) {
  ByteView table = *image().slice(offset, size);
  if (size % sizeof(Elf64_Rela) != 0)
    return refused("has a relocation table of odd size");
  for (uint64_t at = 0; at < size; at += sizeof(Elf64_Rela))
    DS_TRY(
        relocateOne(dynamic, *table.slice(at, sizeof(Elf64_Rela)), sanitizer));
  return {};
}

Status ElfImage::relocateOne(const Dynamic &dynamic, ByteView record,
                             Sanitizer sanitizer) {
  Elf64_Rela rela;
  record.read(0, rela);
  uint64_t type = ELF64_R_TYPE(rela.r_info);
  if (type == 0)
    return {};
  bool relative = type == (isArm ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE);
  bool symbolic = type == (isArm ? R_AARCH64_ABS64 : R_X86_64_64);
  bool bare = type == (isArm ? R_AARCH64_GLOB_DAT : R_X86_64_GLOB_DAT) ||
              type == (isArm ? R_AARCH64_JUMP_SLOT : R_X86_64_JUMP_SLOT);
  if (!relative && !symbolic && !bare)
    return refused(cat("has a relocation of type ", type,
                       ", expected RELATIVE, GLOB_DAT, JUMP_SLOT or 64-bit "
                       "absolute"));
  uint64_t value = reinterpret_cast<uint64_t>(memory);
  if (!relative)
    DS_TRY(resolve(dynamic, ELF64_R_SYM(rela.r_info), sanitizer, value));
  // GLOB_DAT and JUMP_SLOT have an addend of zero by definition.
  if (!bare)
    value += uint64_t(rela.r_addend);
  for (const Segment &segment : segments)
    if (segment.writable && segment.memorySize >= sizeof(value) &&
        rela.r_offset >= segment.address &&
        rela.r_offset - segment.address <= segment.memorySize - sizeof(value)) {
      std::memcpy(memory + rela.r_offset, &value, sizeof(value));
      return {};
    }
  return refused("relocates bytes outside of its data");
}

Status ElfImage::protect() {
  auto set = [&](uint64_t begin, uint64_t end, int access) -> Status {
    if (begin < end && mprotect(memory + begin, end - begin, access) != 0)
      return {DS_ERROR_IO,
              "cannot set the access of code pages: ", std::strerror(errno)};
    return {};
  };
  // Gaps between segments have no business being writable.
  DS_TRY(set(0, span, PROT_READ));
  for (const Segment &segment : segments) {
    int access = PROT_READ | (segment.writable ? PROT_WRITE : 0) |
                 (segment.executable ? PROT_EXEC : 0);
    uint64_t end = segment.address + segment.memorySize;
    if (segment.executable)
      __builtin___clear_cache(
          reinterpret_cast<char *>(memory + segment.address),
          reinterpret_cast<char *>(memory + end));
    DS_TRY(set(pageDown(segment.address), pageUp(end), access));
  }
  if (!image().contains(relroAddress, relroSize))
    return refused("has a read-only range outside of its segments");
  // The range must not take code's execute permission away.
  uint64_t begin = pageDown(relroAddress),
           end = pageDown(relroAddress + relroSize);
  for (const Segment &segment : segments)
    if (segment.executable && begin < segment.address + segment.memorySize &&
        segment.address < end)
      return refused("has code in its read-only range");
  return set(begin, end, PROT_READ);
}

bool ElfImage::isReadable(const void *pointer, uint64_t size) const {
  auto address = reinterpret_cast<uint64_t>(pointer);
  auto base = reinterpret_cast<uint64_t>(memory);
  return address >= base && image().contains(address - base, size);
}

bool ElfImage::isText(const char *pointer) const {
  if (!isReadable(pointer, 1))
    return false;
  uint64_t rest =
      uint64_t(memory + span - reinterpret_cast<const uint8_t *>(pointer));
  return std::memchr(pointer, 0, rest) != nullptr;
}

bool ElfImage::isCode(const void *pointer) const {
  auto address =
      reinterpret_cast<uint64_t>(pointer) - reinterpret_cast<uint64_t>(memory);
  for (const Segment &segment : segments)
    if (segment.executable && address >= segment.address &&
        address - segment.address < segment.memorySize)
      return true;
  return false;
}

Status ElfImage::checkTable() {
  if (!codeTable)
    return refused("does not export '" DS_CODE_TABLE_SYMBOL "'");
  Status invalid = refused("has a code table that is not valid");
  auto aligned = [](const void *p) {
    return reinterpret_cast<uintptr_t>(p) % alignof(ds_code_table) == 0;
  };
  // Code compiled earlier names no kernels.
  constexpr size_t leastSize = offsetof(ds_code_table, kernel_count);
  if (!aligned(codeTable) || !isReadable(codeTable, leastSize) ||
      codeTable->struct_size < leastSize)
    return invalid;
  if (codeTable->abi_version != DS_ABI_VERSION)
    return {DS_ERROR_UNSUPPORTED, "the code object has ABI version ",
            codeTable->abi_version, ", expected ", DS_ABI_VERSION};
  uint64_t count = codeTable->entry_count;
  if (count > span || !aligned(codeTable->entries) ||
      !isReadable(codeTable->entries, count * sizeof(ds_code_entry)))
    return invalid;
  for (uint64_t i = 0; i < count; ++i) {
    const ds_code_entry &entry = codeTable->entries[i];
    if (!isText(entry.name) || !isText(entry.interface) ||
        !isCode(reinterpret_cast<const void *>(entry.shape)) ||
        !isCode(reinterpret_cast<const void *>(entry.run)))
      return invalid;
  }
  for (uint64_t i = 0, e = kernelCount(); i < e; ++i) {
    const ds_code_kernel *list = codeTable->kernels;
    if (e > span || !aligned(list) || !isReadable(list, e * sizeof(*list)) ||
        !isText(list[i].name) ||
        !isCode(reinterpret_cast<const void *>(list[i].fn)))
      return invalid;
  }
  return {};
}

uint64_t ElfImage::kernelCount() const {
  bool has = isReadable(codeTable, sizeof(ds_code_table)) &&
             codeTable->struct_size >= sizeof(ds_code_table);
  return has ? codeTable->kernel_count : 0;
}
