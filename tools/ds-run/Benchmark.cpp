#include "Benchmark.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>

using namespace ds::run;
using Clock = std::chrono::steady_clock;

double ds::run::percentileOf(const std::vector<double> &sorted,
                             double percent) {
  auto rank = size_t(std::ceil(percent / 100 * double(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

BenchmarkResult ds::run::measure(const std::function<void()> &call,
                                 double warmupSeconds, double durationSeconds,
                                 const std::vector<double> &percentiles) {
  auto run = [&](double seconds, auto &&record) {
    Clock::time_point begin = Clock::now(), last = begin;
    do {
      call();
      Clock::time_point now = Clock::now();
      record(std::chrono::duration<double>(now - last).count());
      last = now;
    } while (std::chrono::duration<double>(last - begin).count() < seconds);
  };
  run(warmupSeconds, [](double) {});
  std::vector<double> times;
  run(durationSeconds, [&](double seconds) { times.push_back(seconds); });

  std::sort(times.begin(), times.end());
  BenchmarkResult result;
  result.calls = times.size();
  result.meanSeconds =
      std::accumulate(times.begin(), times.end(), 0.0) / double(times.size());
  result.minSeconds = times.front();
  result.maxSeconds = times.back();
  for (double percent : percentiles)
    result.percentiles.emplace_back(percent, percentileOf(times, percent));
  return result;
}

std::string ds::run::describe(const BenchmarkResult &result) {
  char text[96];
  std::snprintf(text, sizeof(text), "%llu calls, mean %.4g ms, min %.4g ms",
                (unsigned long long)result.calls, result.meanSeconds * 1e3,
                result.minSeconds * 1e3);
  std::string line = text;
  for (auto [percent, seconds] : result.percentiles) {
    std::snprintf(text, sizeof(text), ", p%g %.4g ms", percent, seconds * 1e3);
    line += text;
  }
  return line;
}
