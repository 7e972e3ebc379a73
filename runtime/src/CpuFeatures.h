//===- CpuFeatures.h - What this machine can execute ------------*- C++ -*-===//

#ifndef DS_RUNTIME_CPUFEATURES_H
#define DS_RUNTIME_CPUFEATURES_H

#include <string>
#include <string_view>
#include <vector>

namespace ds::rt {

/// "x86_64", "aarch64", or "unknown".
const char *hostArch();

/// LLVM names of the features that the CPU has and the operating system
/// enables.
const std::vector<std::string_view> &hostFeatures();

/// Whether code that needs `feature` runs here. A name that the runtime has
/// never heard of does not.
bool hostHasFeature(std::string_view feature);

} // namespace ds::rt

#endif // DS_RUNTIME_CPUFEATURES_H
