#include "Profile.h"

#include <algorithm>
#include <chrono>
#include <new>

using namespace ds::rt;

namespace {

/// Where the work of this thread is counted.
thread_local ds_profile_record *current = nullptr;
/// Whether this thread runs a task.
thread_local bool inTask = false;

int64_t clockNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A loop on its way. Workers write to their own record only.
struct Loop {
  ds_task_fn fn;
  void *ctx;
  int64_t origin;
  std::vector<ds_profile_record> &workers;
};

void runPiece(void *ctx, int64_t begin, int64_t end, int32_t worker) {
  Loop &loop = *static_cast<Loop *>(ctx);
  ds_profile_record &record = loop.workers[size_t(worker)];
  ds_profile_record *before = current;
  current = &record;
  inTask = true;
  int64_t started = clockNow() - loop.origin;
  loop.fn(loop.ctx, begin, end, worker);
  int64_t ended = clockNow() - loop.origin;
  current = before;
  inTask = false;
  if (record.tasks == 0)
    record.begin_ns = started;
  record.end_ns = ended;
  record.busy_ns += ended - started;
  record.tasks += end - begin;
}

} // namespace

int64_t Profile::now() const { return clockNow() - origin; }

void Profile::start() {
  records.clear();
  workers.resize(size_t(module.pool().threads()));
  loops = 0;
  origin = clockNow();
  isRunning = true;
}

const std::vector<ds_profile_record> &Profile::stop() {
  isRunning = false;
  return records;
}

/// Compiled code, which calls this, knows of no exceptions: a record for which
/// there is no memory is left out.
void Profile::keep(const ds_profile_record &record) noexcept {
  try {
    records.push_back(record);
  } catch (const std::bad_alloc &) {
    return;
  }
}

const char *Profile::nameOf(ds_task_fn fn) const {
  const ds_code_table *table = module.codeTable();
  for (uint64_t i = 0, e = module.kernelCount(); i < e; ++i)
    if (table->kernels[i].fn == fn)
      return table->kernels[i].name;
  return "";
}

void Profile::parallelFor(ds_task_fn fn, int64_t n, void *ctx) {
  // A loop within a task is a part of that.
  if (inTask)
    return module.pool().parallelFor(fn, n, ctx);
  std::fill(workers.begin(), workers.end(), ds_profile_record{});
  Loop loop{fn, ctx, origin, workers};
  module.pool().parallelFor(runPiece, n, &loop);
  ++loops;
  for (size_t worker = 0; worker < loop.workers.size(); ++worker) {
    ds_profile_record &record = loop.workers[worker];
    if (record.tasks == 0)
      continue;
    record.name = nameOf(fn);
    record.loop = loops;
    record.worker = int32_t(worker);
    keep(record);
  }
}

void Profile::count(int64_t flops, int64_t bytes) {
  if (!current)
    return;
  current->flops += flops;
  current->bytes += bytes;
}

Profile::Call::Call(Profile &profile, const char *entry) : profile(profile) {
  if (!profile.isRunning)
    return;
  record.name = entry;
  record.begin_ns = profile.now();
  current = &record;
}

Profile::Call::~Call() {
  if (current != &record)
    return;
  current = nullptr;
  record.end_ns = profile.now();
  record.busy_ns = record.end_ns - record.begin_ns;
  profile.keep(record);
}
