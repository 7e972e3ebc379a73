#include "CpuFeatures.h"

#include <algorithm>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

using namespace ds::rt;

#if defined(__x86_64__)

namespace {

enum Register { EAX, EBX, ECX, EDX };
/// State that the operating system must save for a feature to be usable.
enum OSState { None, AVX, AVX512, AMX };

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  Register reg;
  int bit;
  OSState state;
};

constexpr uint32_t extended = 0x80000001;

constexpr Feature features[] = {
    {"cx8", 1, 0, EDX, 8, None},
    {"cmov", 1, 0, EDX, 15, None},
    {"mmx", 1, 0, EDX, 23, None},
    {"fxsr", 1, 0, EDX, 24, None},
    {"sse", 1, 0, EDX, 25, None},
    {"sse2", 1, 0, EDX, 26, None},
    {"sse3", 1, 0, ECX, 0, None},
    {"pclmul", 1, 0, ECX, 1, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, AVX},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"crc32", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"aes", 1, 0, ECX, 25, None},
    {"xsave", 1, 0, ECX, 27, None},
    {"avx", 1, 0, ECX, 28, AVX},
    {"f16c", 1, 0, ECX, 29, AVX},
    {"rdrnd", 1, 0, ECX, 30, None},
    {"fsgsbase", 7, 0, EBX, 0, None},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, AVX},
    {"bmi2", 7, 0, EBX, 8, None},
    {"invpcid", 7, 0, EBX, 10, None},
    {"avx512f", 7, 0, EBX, 16, AVX512},
    {"avx512dq", 7, 0, EBX, 17, AVX512},
    {"rdseed", 7, 0, EBX, 18, None},
    {"adx", 7, 0, EBX, 19, None},
    {"avx512ifma", 7, 0, EBX, 21, AVX512},
    {"clflushopt", 7, 0, EBX, 23, None},
    {"clwb", 7, 0, EBX, 24, None},
    {"avx512cd", 7, 0, EBX, 28, AVX512},
    {"sha", 7, 0, EBX, 29, None},
    {"avx512bw", 7, 0, EBX, 30, AVX512},
    {"avx512vl", 7, 0, EBX, 31, AVX512},
    {"avx512vbmi", 7, 0, ECX, 1, AVX512},
    {"pku", 7, 0, ECX, 4, None},
    {"waitpkg", 7, 0, ECX, 5, None},
    {"avx512vbmi2", 7, 0, ECX, 6, AVX512},
    {"shstk", 7, 0, ECX, 7, None},
    {"gfni", 7, 0, ECX, 8, None},
    {"vaes", 7, 0, ECX, 9, AVX},
    {"vpclmulqdq", 7, 0, ECX, 10, AVX},
    {"avx512vnni", 7, 0, ECX, 11, AVX512},
    {"avx512bitalg", 7, 0, ECX, 12, AVX512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, AVX512},
    {"rdpid", 7, 0, ECX, 22, None},
    {"cldemote", 7, 0, ECX, 25, None},
    {"movdiri", 7, 0, ECX, 27, None},
    {"movdir64b", 7, 0, ECX, 28, None},
    {"avx512vp2intersect", 7, 0, EDX, 8, AVX512},
    {"serialize", 7, 0, EDX, 14, None},
    {"amx-bf16", 7, 0, EDX, 22, AMX},
    {"avx512fp16", 7, 0, EDX, 23, AVX512},
    {"amx-tile", 7, 0, EDX, 24, AMX},
    {"amx-int8", 7, 0, EDX, 25, AMX},
    {"sha512", 7, 1, EAX, 0, AVX},
    {"sm3", 7, 1, EAX, 1, AVX},
    {"sm4", 7, 1, EAX, 2, AVX},
    {"avxvnni", 7, 1, EAX, 4, AVX},
    {"avx512bf16", 7, 1, EAX, 5, AVX512},
    {"avxifma", 7, 1, EAX, 23, AVX},
    {"avxvnniint8", 7, 1, EDX, 4, AVX},
    {"avxneconvert", 7, 1, EDX, 5, AVX},
    {"avxvnniint16", 7, 1, EDX, 10, AVX},
    {"prefetchi", 7, 1, EDX, 14, None},
    {"xsaveopt", 13, 1, EAX, 0, None},
    {"xsavec", 13, 1, EAX, 1, None},
    {"xsaves", 13, 1, EAX, 3, None},
    {"sahf", extended, 0, ECX, 0, None},
    {"lzcnt", extended, 0, ECX, 5, None},
    {"sse4a", extended, 0, ECX, 6, None},
    {"prfchw", extended, 0, ECX, 8, None},
    {"xop", extended, 0, ECX, 11, AVX},
    {"fma4", extended, 0, ECX, 16, AVX},
    {"tbm", extended, 0, ECX, 21, None},
    {"mwaitx", extended, 0, ECX, 29, None},
    {"64bit", extended, 0, EDX, 29, None},
    {"clzero", 0x80000008, 0, EBX, 0, None},
    {"rdpru", 0x80000008, 0, EBX, 4, None},
    {"wbnoinvd", 0x80000008, 0, EBX, 9, None},
};

/// Extended control register 0: which register state the system saves.
uint64_t savedState() {
  uint32_t regs[4];
  constexpr uint32_t osxsave = 1u << 27;
  if (!__get_cpuid(1, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]) ||
      !(regs[ECX] & osxsave))
    return 0;
  uint32_t low, high;
  // The instruction rather than the intrinsic, which needs -mxsave.
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

bool isSaved(OSState state, uint64_t saved) {
  constexpr uint64_t needed[] = {/*None=*/0, /*AVX=*/0x6, /*AVX512=*/0xe6,
                                 /*AMX=*/0x60000};
  return (saved & needed[state]) == needed[state];
}

std::vector<std::string_view> detect() {
  std::vector<std::string_view> found = {"x87"};
  uint64_t saved = savedState();
  for (const Feature &feature : features) {
    uint32_t regs[4];
    if (__get_cpuid_count(feature.leaf, feature.subleaf, &regs[EAX], &regs[EBX],
                          &regs[ECX], &regs[EDX]) &&
        (regs[feature.reg] >> feature.bit & 1) && isSaved(feature.state, saved))
      found.push_back(feature.name);
  }
  return found;
}

} // namespace

/// Asks the system to keep tile registers for this process, which it does not
/// unless it is asked: they are 8 KiB for each thread.
static bool requestTiles() {
#if defined(__linux__)
  constexpr long requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

static bool isUsable(std::string_view feature) {
  if (feature.substr(0, 4) != "amx-")
    return true;
  static const bool granted = requestTiles();
  return granted;
}

const char *ds::rt::hostArch() { return "x86_64"; }

#elif defined(__aarch64__)

namespace {

struct Feature {
  std::string_view name;
  unsigned long type;
  int bit;
};

// Bits of AT_HWCAP and AT_HWCAP2 as the Linux ABI defines them.
constexpr unsigned long hwcap = 16, hwcap2 = 26;
constexpr Feature features[] = {
    {"fp-armv8", hwcap, 0},  {"neon", hwcap, 1},
    {"aes", hwcap, 3},       {"sha2", hwcap, 6},
    {"crc", hwcap, 7},       {"lse", hwcap, 8},
    {"fullfp16", hwcap, 10}, {"rdm", hwcap, 12},
    {"jsconv", hwcap, 13},   {"complxnum", hwcap, 14},
    {"rcpc", hwcap, 15},     {"ccpp", hwcap, 16},
    {"sha3", hwcap, 17},     {"sm4", hwcap, 19},
    {"dotprod", hwcap, 20},  {"sve", hwcap, 22},
    {"fp16fml", hwcap, 23},  {"dit", hwcap, 24},
    {"lse2", hwcap, 25},     {"rcpc-immo", hwcap, 26},
    {"flagm", hwcap, 27},    {"ssbs", hwcap, 28},
    {"sb", hwcap, 29},       {"pauth", hwcap, 30},
    {"ccdp", hwcap2, 0},     {"sve2", hwcap2, 1},
    {"sve-aes", hwcap2, 2},  {"sve-bitperm", hwcap2, 4},
    {"sve-sha3", hwcap2, 5}, {"sve-sm4", hwcap2, 6},
    {"altnzcv", hwcap2, 7},  {"fptoint", hwcap2, 8},
    {"i8mm", hwcap2, 13},    {"bf16", hwcap2, 14},
    {"rand", hwcap2, 16},    {"bti", hwcap2, 17},
    {"mte", hwcap2, 18},     {"wfxt", hwcap2, 31},
    {"cssc", hwcap2, 34},    {"sve2p1", hwcap2, 36},
    {"mops", hwcap2, 43},    {"faminmax", hwcap2, 50},
};

std::vector<std::string_view> detect() {
  std::vector<std::string_view> found;
  for (const Feature &feature : features)
    if (getauxval(feature.type) >> feature.bit & 1)
      found.push_back(feature.name);
  return found;
}

} // namespace

static bool isUsable(std::string_view) { return true; }
const char *ds::rt::hostArch() { return "aarch64"; }

#else

static std::vector<std::string_view> detect() { return {}; }
static bool isUsable(std::string_view) { return true; }
const char *ds::rt::hostArch() { return "unknown"; }

#endif

const std::vector<std::string_view> &ds::rt::hostFeatures() {
  static const std::vector<std::string_view> found = detect();
  return found;
}

bool ds::rt::hostHasFeature(std::string_view feature) {
  const auto &found = hostFeatures();
  return std::find(found.begin(), found.end(), feature) != found.end() &&
         isUsable(feature);
}
