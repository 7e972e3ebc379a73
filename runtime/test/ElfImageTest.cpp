#include "ElfImage.h"
#include "CpuFeatures.h"
#include "TestModel.h"
#include <cstring>
#include <elf.h>
#include <fstream>

using namespace ds;
using namespace ds::test;

namespace {

std::string load(const std::string &object,
                 const std::string &arch = rt::hostArch(),
                 rt::Sanitizer sanitizer = rt::Sanitizer::None) {
  rt::ElfImage image;
  return image.load({object.data(), object.size()}, arch, sanitizer).text();
}

/// Calls `change` on each program header of type `type`.
template <typename Change>
std::string withHeader(std::string object, uint32_t type, Change change) {
  auto *header = reinterpret_cast<Elf64_Ehdr *>(object.data());
  auto *segments =
      reinterpret_cast<Elf64_Phdr *>(object.data() + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i)
    if (segments[i].p_type == type)
      change(segments[i]);
  return object;
}

TEST(ElfImage, LoadsATable) {
  for (const char *name : {"model", "gnuhash"}) {
    std::string object = testObject(name);
    rt::ElfImage image;
    ASSERT_EQ(image
                  .load({object.data(), object.size()}, rt::hostArch(),
                        rt::Sanitizer::None)
                  .text(),
              "");
    ASSERT_EQ(image.table()->entry_count, 5u);
    EXPECT_STREQ(image.table()->entries[0].name, "add");
  }
}

TEST(ElfImage, NothingIsWritableAndExecutable) {
  std::string object = testObject("model");
  rt::ElfImage image;
  ASSERT_TRUE(image
                  .load({object.data(), object.size()}, rt::hostArch(),
                        rt::Sanitizer::None)
                  .ok());
  auto address = reinterpret_cast<uintptr_t>(image.table());
  auto code = reinterpret_cast<uintptr_t>(image.table()->entries[0].run);
  std::ifstream maps("/proc/self/maps");
  std::string line;
  int found = 0;
  while (std::getline(maps, line)) {
    unsigned long begin, end;
    char access[5];
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) != 3)
      continue;
    if (begin <= address && address < end) {
      EXPECT_EQ(std::string(access, 3), "r--") << line;
      ++found;
    }
    if (begin <= code && code < end) {
      EXPECT_EQ(std::string(access, 3), "r-x") << line;
      ++found;
    }
  }
  EXPECT_EQ(found, 2);
}

TEST(ElfImage, RefusesCodeThatRunsAtLoad) {
  EXPECT_EQ(load(testObject("constructor")),
            "the code object has constructors or destructors, expected none");
  EXPECT_EQ(load(testObject("destructor")),
            "the code object has constructors or destructors, expected none");
  EXPECT_EQ(load(testObject("ifunc")),
            "the code object has the symbol 'resolved' of an unsupported kind");
}

TEST(ElfImage, RefusesThreadLocalStorage) {
  EXPECT_EQ(load(testObject("threadlocal")),
            "the code object has thread-local storage, expected no state");
}

TEST(ElfImage, RefusesForeignCalls) {
  EXPECT_EQ(load(testObject("foreigncall")),
            "the code object refers to the symbol 'system', expected memcpy, "
            "memmove or memset only");
}

TEST(ElfImage, RefusesOtherTables) {
  EXPECT_EQ(load(testObject("notable")),
            "the code object does not export 'ds_code_table_v1'");
  EXPECT_EQ(load(testObject("wrongabi")),
            "the code object has ABI version 99, expected 1");
}

TEST(ElfImage, RefusesOtherMachines) {
  std::string other =
      std::string(rt::hostArch()) == "aarch64" ? "x86_64" : "aarch64";
  EXPECT_NE(load(testObject("model"), other).find("is for ELF machine"),
            std::string::npos);
}

#if defined(__x86_64__) && defined(__clang__)
TEST(ElfImage, UnderstandsAArch64) {
  // Up to running it, another machine's code can be loaded anywhere.
  EXPECT_EQ(load(testObject("aarch64"), "aarch64"), "");
}
#endif

TEST(ElfImage, RefusesWritableCode) {
  EXPECT_EQ(load(withHeader(testObject("model"), PT_LOAD,
                            [](Elf64_Phdr &h) { h.p_flags |= PF_W | PF_X; })),
            "the code object has a segment that is writable and executable");
  EXPECT_EQ(load(withHeader(testObject("model"), PT_GNU_STACK,
                            [](Elf64_Phdr &h) { h.p_flags |= PF_X; })),
            "the code object asks for an executable stack");
}

TEST(ElfImage, RefusesSegmentsThatDoNotFit) {
  auto patched = [](auto change) {
    return load(withHeader(testObject("model"), PT_LOAD, change));
  };
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_filesz = UINT64_MAX; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_memsz = UINT64_MAX; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_vaddr = UINT64_MAX - 4; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_vaddr = 0; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_offset = UINT64_MAX - 4; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_memsz = h.p_filesz - 1; }), "");
  EXPECT_NE(patched([](Elf64_Phdr &h) { h.p_memsz = uint64_t(1) << 40; }), "");
}

TEST(ElfImage, RefusesHeadersThatAreNotElf) {
  std::string object = testObject("model");
  EXPECT_EQ(load(""), "the code object is not an ELF file");
  EXPECT_EQ(load("MZ" + object), "the code object is not an ELF file");
  auto patched = [&](auto change) {
    std::string broken = object;
    change(*reinterpret_cast<Elf64_Ehdr *>(broken.data()));
    return load(broken);
  };
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_ident[EI_CLASS] = 1; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_ident[EI_DATA] = 2; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_type = ET_EXEC; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_phnum = 0; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_phnum = 0xffff; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_phoff = UINT64_MAX - 8; }), "");
  EXPECT_NE(patched([](Elf64_Ehdr &h) { h.e_phentsize = 1; }), "");
}

TEST(ElfImage, RefusesTruncatedObjects) {
  std::string object = testObject("model");
  // The section headers at the end are not needed; the segments are.
  auto *header = reinterpret_cast<Elf64_Ehdr *>(object.data());
  for (size_t length : {size_t(10), size_t(63), size_t(64), size_t(200),
                        size_t(header->e_shoff / 2)})
    EXPECT_NE(load(object.substr(0, length)), "") << length;
}

/// Finds the file offset of the entry with this tag in the dynamic section.
size_t findTag(const std::string &object, int64_t tag) {
  size_t found = 0;
  withHeader(object, PT_DYNAMIC, [&](Elf64_Phdr &h) {
    for (size_t at = h.p_offset; at < h.p_offset + h.p_filesz;
         at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn item;
      std::memcpy(&item, object.data() + at, sizeof(item));
      if (item.d_tag == tag && !found)
        found = at;
    }
  });
  return found;
}

std::string withTag(int64_t old, int64_t tag, uint64_t value) {
  std::string object = testObject("model");
  size_t at = findTag(object, old);
  EXPECT_NE(at, 0u);
  Elf64_Dyn item = {tag, {value}};
  std::memcpy(object.data() + at, &item, sizeof(item));
  return load(object);
}

TEST(ElfImage, RefusesDynamicTagsThatItDoesNotServe) {
  EXPECT_EQ(withTag(DT_SYMENT, DT_NEEDED, 1),
            "the code object needs another library, expected none");
  EXPECT_EQ(withTag(DT_SYMENT, DT_INIT, 64),
            "the code object has constructors or destructors, expected none");
  EXPECT_EQ(withTag(DT_SYMENT, DT_TEXTREL, 0),
            "the code object relocates its code, expected "
            "position-independent code");
  EXPECT_EQ(withTag(DT_SYMENT, DT_RELR, 0),
            "the code object has relocations of an unsupported form");
}

TEST(ElfImage, RefusesTablesOutsideOfTheImage) {
  for (int64_t tag : {DT_STRTAB, DT_STRSZ, DT_SYMTAB, DT_RELA, DT_RELASZ,
                      DT_JMPREL, DT_PLTRELSZ, DT_HASH})
    for (uint64_t value : {UINT64_MAX, uint64_t(1) << 40, UINT64_MAX - 7})
      EXPECT_NE(withTag(tag, tag, value), "") << tag << " " << value;
}

TEST(ElfImage, RefusesOtherRelocations) {
  std::string object = testObject("model");
  size_t at = findTag(object, DT_RELA);
  Elf64_Dyn item;
  std::memcpy(&item, object.data() + at, sizeof(item));
  // Before the first writable segment addresses are file offsets.
  auto *rela = reinterpret_cast<Elf64_Rela *>(object.data() + item.d_un.d_val);
  Elf64_Rela good = *rela;
  rela->r_info = ELF64_R_INFO(0, 5); // COPY on x86-64
  EXPECT_NE(load(object).find("has a relocation of type 5"), std::string::npos)
      << load(object);
  *rela = good;
  rela->r_offset = 0;
  EXPECT_EQ(load(object),
            "the code object relocates bytes outside of its data");
  rela->r_offset = UINT64_MAX - 3;
  EXPECT_EQ(load(object),
            "the code object relocates bytes outside of its data");
}

} // namespace
