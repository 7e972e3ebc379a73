//===- Reports.h - Errors that compiled code tells of -----------*- C++ -*-===//

#ifndef DS_RUNTIME_REPORTS_H
#define DS_RUNTIME_REPORTS_H

#include "Manifest.h"
#include <mutex>

namespace ds::rt {

/// Keeps the report with the smallest (site, index), so that what the user
/// reads does not depend on which worker came first.
class Reports {
public:
  void clear() { any = false; }
  void add(int64_t site, int64_t index, int64_t v0, int64_t v1);
  bool empty() const { return !any; }

  /// The sentence about the kept report: the node, then the site's text with
  /// {0}, {1} and {index} filled in.
  std::string text(const Entry &entry) const;

private:
  std::mutex mutex;
  bool any = false;
  int64_t site = 0, index = 0, values[2] = {};
};

} // namespace ds::rt

#endif // DS_RUNTIME_REPORTS_H
