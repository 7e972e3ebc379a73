#include "ThreadPool.h"

#include "FloatEnvironment.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

using namespace ds::rt;

/// Keeps a worker off the CPU of the thread that it helps. The system likes to
/// wake a thread where its waker runs, even where another CPU is idle; a worker
/// there would take turns with its caller for milliseconds. Workers are not
/// bound to a CPU: all that the process may use are theirs but for moments.
class ds::rt::Placement {
public:
  explicit Placement(bool enabled)
      : enabled(enabled && sched_getaffinity(0, sizeof(home), &home) == 0) {}

  /// To be called first by the thread itself, which can be moved from then on.
  void start() {
    if (enabled)
      thread.store(pid_t(syscall(SYS_gettid)), std::memory_order_release);
  }
  /// Moves the thread, which calls this, away where `cpu` is its own.
  void leave(int cpu) {
    caller = cpu;
    if (enabled && cpu >= 0 && cpu == sched_getcpu()) {
      avoid(cpu);
      restore();
    }
  }
  /// To be called by the thread before it sleeps: it takes effect on waking up.
  void avoidCaller() {
    avoided.store(nobody, std::memory_order_relaxed);
    avoid(caller);
  }
  /// To be called by the thread when it is awake.
  void restore() {
    if (!enabled)
      return;
    avoided.store(awake, std::memory_order_relaxed);
    sched_setaffinity(0, sizeof(home), &home);
  }
  /// To be called by whoever wakes threads, from `cpu`: the caller may have
  /// moved since, to the very CPU that was left to this one.
  void avoidOnWaking(int cpu) {
    if (avoided.load(std::memory_order_relaxed) != awake)
      avoid(cpu);
  }

private:
  static constexpr int awake = -1, nobody = -2;

  void avoid(int cpu) {
    pid_t id = thread.load(std::memory_order_acquire);
    if (id == 0 || cpu < 0 || cpu >= CPU_SETSIZE ||
        avoided.load(std::memory_order_relaxed) == cpu)
      return;
    cpu_set_t others = home;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) == 0)
      return;
    avoided.store(cpu, std::memory_order_relaxed);
    sched_setaffinity(id, sizeof(others), &others);
  }

  cpu_set_t home;
  bool enabled;
  int caller = -1;
  std::atomic<pid_t> thread{0};
  std::atomic<int> avoided{awake}; ///< The CPU that is left out.
};

namespace {

constexpr uint32_t owned = 1u << 31;   // Taken by the caller of a loop.
constexpr uint32_t open = 1u << 30;    // Workers may enter.
constexpr uint32_t awaited = 1u << 29; // The owner sleeps until all have left.
constexpr uint32_t insideMask = awaited - 1;

/// How long to look for work before sleeping: longer than the gap between two
/// loops of a model, shorter than anyone would notice on a power meter.
constexpr auto spinTime = std::chrono::microseconds(50);

/// The worker that this thread is in the loop it runs; -1 outside of loops.
thread_local int32_t currentWorker = -1;

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futexWake(std::atomic<uint32_t> &word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits for `done()` a short while; tells whether it came true.
template <typename Condition> bool spinUntil(bool enabled, Condition done) {
  if (done())
    return true;
  if (!enabled)
    return false;
  auto deadline = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      pause();
      if (done())
        return true;
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

int usableCPUs() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

/// Signals of the host program are for the host program's threads.
class BlockSignals {
public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }

private:
  sigset_t before;
};

} // namespace

ThreadPool::ThreadPool(int threads) {
  int cpus = usableCPUs();
  if (threads <= 0)
    threads = cpus;
  spinning = threads <= cpus;
  BlockSignals block;
  size_t count = size_t(threads) - 1;
  workers.reserve(count);
  for (size_t i = 0; i < count; ++i)
    placements.push_back(std::make_unique<Placement>(spinning));
  for (size_t i = 0; i < count; ++i) {
    try {
      workers.emplace_back(
          [this, i] { workerMain(int32_t(i + 1), *placements[i]); });
    } catch (const std::exception &) {
      // No thread, or no memory for one: there are fewer.
      break;
    }
  }
}

ThreadPool::~ThreadPool() {
  stopping.store(true, std::memory_order_seq_cst);
  epoch.fetch_add(1, std::memory_order_seq_cst);
  futexWake(epoch, INT_MAX);
  for (std::thread &worker : workers)
    worker.join();
}

bool ThreadPool::Slot::runPieces(int32_t worker) {
  int32_t before = currentWorker;
  currentWorker = worker;
  bool any = false;
  int64_t begin = next.load(std::memory_order_relaxed);
  while (begin < n) {
    int64_t end = begin + std::max<int64_t>(1, (n - begin) / shares);
    if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed))
      continue;
    any = true;
    fn(ctx, begin, end, worker);
    begin = next.load(std::memory_order_relaxed);
  }
  currentWorker = before;
  return any;
}

void ThreadPool::parallelFor(ds_task_fn fn, int64_t n, void *ctx) {
  if (n <= 0)
    return;
  Slot *slot = nullptr;
  if (n > 1 && !workers.empty() && currentWorker < 0)
    slot = claimSlot();
  if (!slot) {
    int32_t before = currentWorker;
    currentWorker = std::max(before, 0);
    fn(ctx, 0, n, currentWorker);
    currentWorker = before;
    return;
  }
  slot->cpu = spinning ? sched_getcpu() : -1;
  slot->fn = fn;
  slot->ctx = ctx;
  slot->n = n;
  // Half of a worker's part of what is left: long runs of neighbours at first,
  // and single tasks at the end, so that no one waits for long.
  slot->shares = 2 * int64_t(threads());
  slot->next.store(0, std::memory_order_relaxed);
  slot->state.store(owned | open, std::memory_order_release);
  wakeWorkers(n - 1, slot->cpu);
  slot->runPieces(/*worker=*/0);
  close(*slot);
}

ThreadPool::Slot *ThreadPool::claimSlot() {
  for (Slot &slot : slots) {
    uint32_t expected = 0;
    if (slot.state.load(std::memory_order_relaxed) == 0 &&
        slot.state.compare_exchange_strong(expected, owned,
                                           std::memory_order_acquire))
      return &slot;
  }
  return nullptr;
}

/// Lets no further worker enter, waits until all have left, frees the slot.
void ThreadPool::close(Slot &slot) {
  slot.state.fetch_and(~open, std::memory_order_acq_rel);
  auto empty = [&] {
    return slot.state.load(std::memory_order_acquire) == owned;
  };
  if (!spinUntil(spinning, empty)) {
    uint32_t state =
        slot.state.fetch_or(awaited, std::memory_order_acq_rel) | awaited;
    while (state & insideMask) {
      futexWait(slot.state, state);
      state = slot.state.load(std::memory_order_acquire);
    }
  }
  slot.state.store(0, std::memory_order_release);
}

/// A worker that goes to sleep first counts itself, then looks at the epoch; we
/// first count the epoch up, then look for sleepers. One of the two sees the
/// other.
void ThreadPool::wakeWorkers(int64_t wanted, int cpu) {
  epoch.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) == 0)
    return;
  for (const std::unique_ptr<Placement> &placement : placements)
    placement->avoidOnWaking(cpu);
  futexWake(epoch, int(std::min<int64_t>(wanted, INT_MAX)));
}

bool ThreadPool::helpAny(int32_t worker, Placement &placement) {
  bool helped = false;
  for (size_t i = 0; i < slotCount; ++i) {
    // Different workers start at different slots, so that two loops at the
    // same time both get help.
    Slot &slot = slots[(size_t(worker) + i) % slotCount];
    uint32_t state = slot.state.load(std::memory_order_relaxed);
    while (state & open) {
      if (!slot.state.compare_exchange_weak(state, state + 1,
                                            std::memory_order_acquire))
        continue;
      placement.leave(slot.cpu);
      // A loop whose last pieces still run has nothing to claim: no help, so
      // that the worker does not come back at once.
      helped |= slot.runPieces(worker);
      uint32_t before = slot.state.fetch_sub(1, std::memory_order_acq_rel);
      // The slot may be free or reused by now; a wake-up too many is harmless.
      if ((before & awaited) && (before & insideMask) == 1)
        futexWake(slot.state, 1);
      break;
    }
  }
  return helped;
}

void ThreadPool::workerMain(int32_t worker, Placement &placement) {
  // New threads inherit the modes of whoever starts them.
  FloatEnvironment standard;
  placement.start();
  for (;;) {
    uint32_t seen = epoch.load(std::memory_order_seq_cst);
    if (stopping.load(std::memory_order_seq_cst))
      return;
    if (helpAny(worker, placement))
      continue;
    auto news = [&] { return epoch.load(std::memory_order_relaxed) != seen; };
    if (spinUntil(spinning, news))
      continue;
    placement.avoidCaller();
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    if (epoch.load(std::memory_order_seq_cst) == seen)
      futexWait(epoch, seen);
    sleepers.fetch_sub(1, std::memory_order_seq_cst);
    placement.restore();
  }
}
