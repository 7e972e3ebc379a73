#include "ElfSymbols.h"

#include <cstring>
#include <dlfcn.h>
#include <string>

using namespace ds::rt;

// Weak, so that a program linked statically, which has no dlsym, links; it then
// runs everything but sanitized artifacts.
extern "C" void *dlsym(void *, const char *) noexcept __attribute__((weak));

static void *findInProcess(const std::string &name) {
  return dlsym ? dlsym(RTLD_DEFAULT, name.c_str()) : nullptr;
}

Status ds::rt::resolveExternal(std::string_view name, Sanitizer sanitizer,
                               uint64_t &address) {
  void *found = nullptr;
  std::string_view prefix = sanitizer == Sanitizer::Address  ? "__asan_"
                            : sanitizer == Sanitizer::Thread ? "__tsan_"
                                                             : "";
  if (name == "memcpy")
    found = reinterpret_cast<void *>(&std::memcpy);
  else if (name == "memmove")
    found = reinterpret_cast<void *>(&std::memmove);
  else if (name == "memset")
    found = reinterpret_cast<void *>(&std::memset);
  else if (!prefix.empty() && name.substr(0, prefix.size()) == prefix)
    found = findInProcess(std::string(name));
  if (!found)
    return {DS_ERROR_ARTIFACT, "the code object refers to the symbol '", name,
            "', expected memcpy, memmove or memset only"};
  address = reinterpret_cast<uint64_t>(found);
  return {};
}

bool ds::rt::sanitizerFromName(std::string_view name, Sanitizer &sanitizer) {
  if (name == "none")
    sanitizer = Sanitizer::None;
  else if (name == "address")
    sanitizer = Sanitizer::Address;
  else if (name == "thread")
    sanitizer = Sanitizer::Thread;
  else
    return false;
  return true;
}

Status ds::rt::checkSanitizer(Sanitizer sanitizer) {
  if (sanitizer == Sanitizer::None)
    return {};
  bool address = sanitizer == Sanitizer::Address;
  if (findInProcess(address ? "__asan_init" : "__tsan_init"))
    return {};
  const char *name = address ? "address" : "thread";
  return {DS_ERROR_UNSUPPORTED, "is compiled with --sanitize=", name,
          ", which runs only in a program built with -fsanitize=", name};
}
