#include "ThreadPool.h"
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <set>

using namespace ds::rt;

namespace {

/// A loop that counts how often each task runs, and checks that no two pieces
/// with one worker number run at the same time.
struct Loop {
  explicit Loop(int64_t n, int threads)
      : counts(new std::atomic<int>[size_t(n)]()), n(n),
        active(new std::atomic<int>[size_t(threads)]()), threads(threads) {}

  static void task(void *ctx, int64_t begin, int64_t end, int32_t worker) {
    auto *loop = static_cast<Loop *>(ctx);
    if (worker < 0 || worker >= loop->threads) {
      loop->bad = true;
      return;
    }
    if (loop->active[size_t(worker)].fetch_add(1) != 0)
      loop->bad = true;
    for (int64_t i = begin; i < end; ++i)
      loop->counts[size_t(i)].fetch_add(1);
    loop->active[size_t(worker)].fetch_sub(1);
  }

  bool each(int times) const {
    for (int64_t i = 0; i < n; ++i)
      if (counts[size_t(i)] != times)
        return false;
    return !bad;
  }

  std::unique_ptr<std::atomic<int>[]> counts;
  int64_t n;
  std::unique_ptr<std::atomic<int>[]> active;
  int threads;
  std::atomic<bool> bad{false};
};

TEST(ThreadPool, RunsEachTaskOnce) {
  for (int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (int64_t n : {1, 2, 3, 31, 1000}) {
      Loop loop(n, threads);
      for (int times = 1; times <= 50; ++times)
        pool.parallelFor(Loop::task, n, &loop);
      EXPECT_TRUE(loop.each(50)) << threads << " " << n;
    }
  }
}

TEST(ThreadPool, RunsNothingForNoTasks) {
  ThreadPool pool(2);
  auto never = [](void *, int64_t, int64_t, int32_t) { FAIL(); };
  pool.parallelFor(never, 0, nullptr);
  pool.parallelFor(never, -5, nullptr);
}

TEST(ThreadPool, WritesAreVisibleToTheCaller) {
  ThreadPool pool(3);
  std::vector<int64_t> values(64);
  for (int round = 0; round < 500; ++round) {
    pool.parallelFor(
        [](void *ctx, int64_t begin, int64_t end, int32_t) {
          auto &values = *static_cast<std::vector<int64_t> *>(ctx);
          for (int64_t i = begin; i < end; ++i)
            values[size_t(i)] += i;
        },
        64, &values);
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(values[i], int64_t(i) * (round + 1));
  }
}

struct Nested {
  ThreadPool *pool;
  std::mutex mutex;
  std::set<std::pair<int32_t, int32_t>> workers; // Outer, inner.
  std::atomic<int> inner{0};
  thread_local static int32_t outer;
};
thread_local int32_t Nested::outer = -1;

TEST(ThreadPool, NestedLoopsRunInlineAsTheSameWorker) {
  ThreadPool pool(4);
  Nested nested;
  nested.pool = &pool;
  pool.parallelFor(
      [](void *ctx, int64_t begin, int64_t end, int32_t worker) {
        auto *nested = static_cast<Nested *>(ctx);
        Nested::outer = worker;
        for (int64_t i = begin; i < end; ++i)
          nested->pool->parallelFor(
              [](void *ctx, int64_t begin, int64_t end, int32_t worker) {
                auto *nested = static_cast<Nested *>(ctx);
                nested->inner += int(end - begin);
                std::lock_guard<std::mutex> lock(nested->mutex);
                nested->workers.insert({Nested::outer, worker});
              },
              10, nested);
      },
      100, &nested);
  EXPECT_EQ(nested.inner, 1000);
  for (auto [outer, inner] : nested.workers)
    EXPECT_EQ(outer, inner);
}

TEST(ThreadPool, ServesManyCallersAtOnce) {
  // More callers than slots, so that some loops run on their own thread.
  constexpr int callers = 24, threads = 4;
  ThreadPool pool(threads);
  std::vector<std::thread> running;
  std::atomic<int> bad{0};
  for (int c = 0; c < callers; ++c)
    running.emplace_back([&pool, &bad, c] {
      Loop loop(17 + c, threads);
      for (int times = 0; times < 200; ++times)
        pool.parallelFor(Loop::task, loop.n, &loop);
      bad += !loop.each(200);
    });
  for (std::thread &thread : running)
    thread.join();
  EXPECT_EQ(bad, 0);
}

TEST(ThreadPool, WakesWorkersThatSleep) {
  ThreadPool pool(2);
  Loop loop(8, 2);
  for (int times = 1; times <= 5; ++times) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.parallelFor(Loop::task, 8, &loop);
    EXPECT_TRUE(loop.each(times));
  }
}

TEST(ThreadPool, WaitsForSlowTasks) {
  ThreadPool pool(4);
  std::atomic<int> done{0};
  for (int round = 0; round < 5; ++round)
    pool.parallelFor(
        [](void *ctx, int64_t begin, int64_t end, int32_t) {
          std::this_thread::sleep_for(std::chrono::milliseconds(3));
          *static_cast<std::atomic<int> *>(ctx) += int(end - begin);
        },
        4, &done);
  EXPECT_EQ(done, 20);
}

TEST(ThreadPool, StartsAndStopsQuickly) {
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(3);
    if (i % 2) {
      Loop loop(5, 3);
      pool.parallelFor(Loop::task, 5, &loop);
      EXPECT_TRUE(loop.each(1));
    }
  }
}

} // namespace
