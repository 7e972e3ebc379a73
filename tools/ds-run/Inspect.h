//===- Inspect.h - Prints what is in an artifact ----------------*- C++ -*-===//

#ifndef DS_RUN_INSPECT_H
#define DS_RUN_INSPECT_H

#include "ds/runtime.hpp"
#include <string>

namespace ds::run {

/// Entries, code variants, members and provenance, for people.
std::string inspect(const Module &module);

/// "name: 2xbatchx?xf32".
std::string describe(const ds_port &port);

} // namespace ds::run

#endif // DS_RUN_INSPECT_H
