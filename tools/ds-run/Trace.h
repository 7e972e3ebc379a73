//===- Trace.h - A profiled call, for people and viewers --------*- C++ -*-===//

#ifndef DS_RUN_TRACE_H
#define DS_RUN_TRACE_H

#include "ds/runtime.h"
#include <string>
#include <vector>

namespace ds::run {

/// All loops of one name in a profiled call.
struct KernelProfile {
  std::string name;
  int64_t loops = 0;
  int64_t nanoseconds = 0; ///< From the first start of a loop to its last end.
  int64_t flops = 0, bytes = 0;

  /// 10^9 operations, or bytes, in a second.
  double gigaflops() const { return rate(flops); }
  double gigabytes() const { return rate(bytes); }

private:
  double rate(int64_t amount) const {
    return nanoseconds > 0 ? double(amount) / double(nanoseconds) : 0;
  }
};

/// One profiled call. Names and times are copied.
class Trace {
public:
  Trace() = default;
  Trace(const ds_profile_record *records, size_t count);

  bool empty() const { return records.empty(); }
  /// The kernels, those that took longest first.
  std::vector<KernelProfile> kernels() const;
  /// Trace events as Perfetto and chrome://tracing read them: a slice for each
  /// worker in each loop.
  std::string json(const std::string &artifact) const;
  /// A table of the kernels that took longest.
  std::string table() const;

private:
  struct Record : ds_profile_record {
    std::string label;
  };
  std::vector<Record> records;
};

} // namespace ds::run

#endif // DS_RUN_TRACE_H
