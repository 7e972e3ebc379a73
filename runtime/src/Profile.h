//===- Profile.h - Where the time of calls goes -----------------*- C++ -*-===//

#ifndef DS_RUNTIME_PROFILE_H
#define DS_RUNTIME_PROFILE_H

#include "Module.h"
#include "ds/runtime.h"
#include <vector>

namespace ds::rt {

/// Records the parallel loops of a context's calls while it runs: for each
/// worker that took part one record, and one for the call itself.
///
/// Tasks count their work into a place of their thread, so that counting needs
/// no lock; the thread that starts a loop collects it when all have left.
class Profile {
public:
  explicit Profile(Module &module) : module(module) {}

  bool running() const { return isRunning; }
  void start();
  const std::vector<ds_profile_record> &stop();

  /// Runs a loop of the call at work, and records it.
  void parallelFor(ds_task_fn fn, int64_t n, void *ctx);
  /// Adds to the work of the task that the calling thread runs, or of the call
  /// at work outside of tasks.
  static void count(int64_t flops, int64_t bytes);

  /// The time of a call, from construction to destruction.
  class Call {
  public:
    /// Does nothing where `profile` does not run.
    Call(Profile &profile, const char *entry);
    ~Call();
    Call(const Call &) = delete;
    Call &operator=(const Call &) = delete;

  private:
    Profile &profile;
    ds_profile_record record = {};
  };

private:
  int64_t now() const;
  void keep(const ds_profile_record &record) noexcept;
  const char *nameOf(ds_task_fn fn) const;

  Module &module;
  bool isRunning = false;
  int64_t origin = 0;
  uint64_t loops = 0;
  std::vector<ds_profile_record> records;
  std::vector<ds_profile_record> workers; ///< Of the loop at work.
};

} // namespace ds::rt

#endif // DS_RUNTIME_PROFILE_H
