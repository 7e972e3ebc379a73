#include "Trace.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace ds::run;
using OrderedJson = nlohmann::ordered_json;

/// Kernels in the table; the others are summed up.
static constexpr size_t tableRows = 20;

Trace::Trace(const ds_profile_record *begin, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    Record record;
    static_cast<ds_profile_record &>(record) = begin[i];
    record.label = begin[i].name;
    records.push_back(std::move(record));
  }
}

namespace {
/// One loop: what its workers did together.
struct LoopSum {
  int64_t begin = INT64_MAX, end = 0, flops = 0, bytes = 0;

  void add(const ds_profile_record &record) {
    begin = std::min(begin, record.begin_ns);
    end = std::max(end, record.end_ns);
    flops += record.flops;
    bytes += record.bytes;
  }
};
} // namespace

template <typename Records>
static std::map<uint64_t, LoopSum> sumLoops(const Records &records) {
  std::map<uint64_t, LoopSum> loops;
  for (const auto &record : records)
    loops[record.loop].add(record);
  return loops;
}

std::vector<KernelProfile> Trace::kernels() const {
  std::map<uint64_t, LoopSum> loops = sumLoops(records);
  std::map<std::string, KernelProfile> byName;
  std::set<uint64_t> seen;
  for (const Record &record : records) {
    if (record.loop == 0 || !seen.insert(record.loop).second)
      continue;
    const LoopSum &loop = loops[record.loop];
    KernelProfile &kernel = byName[record.label];
    kernel.name = record.label;
    ++kernel.loops;
    kernel.nanoseconds += loop.end - loop.begin;
    kernel.flops += loop.flops;
    kernel.bytes += loop.bytes;
  }
  std::vector<KernelProfile> result;
  for (auto &[name, kernel] : byName)
    result.push_back(std::move(kernel));
  std::sort(result.begin(), result.end(),
            [](const KernelProfile &a, const KernelProfile &b) {
              return std::pair(b.nanoseconds, a.name) <
                     std::pair(a.nanoseconds, b.name);
            });
  return result;
}

std::string Trace::json(const std::string &artifact) const {
  std::map<uint64_t, LoopSum> loops = sumLoops(records);
  OrderedJson events = OrderedJson::array();
  events.push_back({{"ph", "M"},
                    {"name", "process_name"},
                    {"pid", 1},
                    {"args", {{"name", artifact}}}});
  std::set<int32_t> workers;
  for (const Record &record : records)
    workers.insert(record.worker);
  for (int32_t worker : workers)
    events.push_back(
        {{"ph", "M"},
         {"name", "thread_name"},
         {"pid", 1},
         {"tid", worker},
         {"args", {{"name", "worker " + std::to_string(worker)}}}});
  for (const Record &record : records) {
    const LoopSum &loop = loops[record.loop];
    double seconds = double(loop.end - loop.begin) * 1e-9;
    OrderedJson args = {{"flops", record.flops}, {"bytes", record.bytes}};
    if (record.loop != 0) {
      args["loop"] = record.loop;
      args["tasks"] = record.tasks;
      args["busy_us"] = double(record.busy_ns) * 1e-3;
      // Of the loop, all workers together.
      args["loop_flops"] = loop.flops;
      args["loop_bytes"] = loop.bytes;
      args["GFLOP/s"] = seconds > 0 ? double(loop.flops) * 1e-9 / seconds : 0;
      args["GB/s"] = seconds > 0 ? double(loop.bytes) * 1e-9 / seconds : 0;
    }
    events.push_back({{"ph", "X"},
                      {"name", record.label},
                      {"cat", record.loop == 0 ? "call" : "kernel"},
                      {"pid", 1},
                      {"tid", record.worker},
                      {"ts", double(record.begin_ns) * 1e-3},
                      {"dur", double(record.end_ns - record.begin_ns) * 1e-3},
                      {"args", std::move(args)}});
  }
  OrderedJson trace = {{"displayTimeUnit", "ns"}, {"traceEvents", events}};
  // Names come from models and may hold any bytes.
  return trace.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) +
         "\n";
}

/// A line of the table. Control characters in names are not for a terminal.
static std::string row(const KernelProfile &kernel, double share) {
  char numbers[96];
  std::snprintf(numbers, sizeof(numbers), "%7.1f %5.1f %6lld %8.1f %7.1f  ",
                double(kernel.nanoseconds) * 1e-3,
                double(kernel.nanoseconds) * share,
                static_cast<long long>(kernel.loops), kernel.gigaflops(),
                kernel.gigabytes());
  std::string line = numbers;
  for (char c : kernel.name)
    line += uint8_t(c) < 0x20 || c == 0x7f ? '?' : c;
  return line + "\n";
}

std::string Trace::table() const {
  std::vector<KernelProfile> all = kernels();
  int64_t call = 0, inLoops = 0, loops = 0;
  for (const Record &record : records)
    if (record.loop == 0)
      call += record.end_ns - record.begin_ns;
  for (const KernelProfile &kernel : all) {
    inLoops += kernel.nanoseconds;
    loops += kernel.loops;
  }
  double share = call > 0 ? 100.0 / double(call) : 0;
  char title[96];
  std::snprintf(title, sizeof(title),
                "profile of one call: %.4g ms, %.1f %% of it in %lld loops\n",
                double(call) * 1e-6, double(inLoops) * share,
                static_cast<long long>(loops));
  std::string text = title;
  text += "     µs     %  loops  GFLOP/s    GB/s  nodes\n";
  KernelProfile rest;
  for (size_t i = 0; i < all.size(); ++i) {
    const KernelProfile &kernel = all[i];
    if (i >= tableRows && all.size() > tableRows + 1) {
      rest.nanoseconds += kernel.nanoseconds;
      rest.loops += kernel.loops;
      rest.flops += kernel.flops;
      rest.bytes += kernel.bytes;
      rest.name = std::to_string(i + 1 - tableRows) + " others";
      continue;
    }
    text += row(kernel, share);
  }
  return rest.loops ? text + row(rest, share) : text;
}
