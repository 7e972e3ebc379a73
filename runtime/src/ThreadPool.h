//===- ThreadPool.h - Worker threads of a module ----------------*- C++ -*-===//
//
// Parallel loops of a few microseconds, dispatched from any number of threads
// at once. Each loop takes a slot; idle workers join any open slot and claim
// pieces from an atomic counter, large ones first: what a worker claims is a
// part of what is left. A loop that finds no free slot, comes from
// inside another loop, or has one task runs on its own thread: that is slower,
// never different.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_THREADPOOL_H
#define DS_RUNTIME_THREADPOOL_H

#include "ds/abi.h"
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace ds::rt {

class Placement;

class ThreadPool {
public:
  /// `threads` counts the caller of a loop, so one less is started; fewer if
  /// the system refuses. 0 means one per CPU that the process may use.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Workers are numbered [0, threads()); the caller of a loop is 0 in it.
  int threads() const { return int(workers.size()) + 1; }

  /// Runs `fn` over the tasks [0, n) and returns when all are done.
  void parallelFor(ds_task_fn fn, int64_t n, void *ctx);

private:
  /// The state word of a slot: flags and the number of workers inside. A slot
  /// is free at 0. Its fields may be read only by its owner and by a worker
  /// that has entered while it was open.
  struct alignas(64) Slot {
    std::atomic<uint32_t> state{0};
    ds_task_fn fn = nullptr;
    void *ctx = nullptr;
    int64_t n = 0, shares = 1;
    int cpu = -1; ///< Where the owner runs.
    alignas(64) std::atomic<int64_t> next{0};

    /// Claims and runs pieces; tells whether there was one.
    bool runPieces(int32_t worker);
  };

  static constexpr size_t slotCount = 16;

  Slot *claimSlot();
  void close(Slot &slot);
  void wakeWorkers(int64_t wanted, int cpu);
  void workerMain(int32_t worker, Placement &placement);
  bool helpAny(int32_t worker, Placement &placement);

  std::array<Slot, slotCount> slots;
  alignas(64) std::atomic<uint32_t> epoch{0}; ///< Counts opened slots.
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  bool spinning = true; ///< Off when threads outnumber CPUs.
  std::vector<std::unique_ptr<Placement>> placements; ///< Of the workers.
  std::vector<std::thread> workers;
};

} // namespace ds::rt

#endif // DS_RUNTIME_THREADPOOL_H
