//===- ElfSymbols.h - What compiled code may call by name -------*- C++ -*-===//

#ifndef DS_RUNTIME_ELFSYMBOLS_H
#define DS_RUNTIME_ELFSYMBOLS_H

#include "ElfImage.h"

namespace ds::rt {

/// The address of an undefined symbol of a code object, if it is on the
/// allow-list.
Status resolveExternal(std::string_view name, Sanitizer sanitizer,
                       uint64_t &address);

/// "none", "address" or "thread", and whether that sanitizer's runtime is in
/// this process.
bool sanitizerFromName(std::string_view name, Sanitizer &sanitizer);
Status checkSanitizer(Sanitizer sanitizer);

} // namespace ds::rt

#endif // DS_RUNTIME_ELFSYMBOLS_H
