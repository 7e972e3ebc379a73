//===- Isolate.cpp - Node tests in processes of their own -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "NodeTest.h"

#include "llvm/ADT/STLExtras.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ds_test;
using Clock = std::chrono::steady_clock;

namespace {
/// A test that is running; the child writes its outcome to the pipe.
struct Child {
  size_t test;
  pid_t process;
  int pipe;
  Clock::time_point deadline;
  std::string text;
};

class Runner {
public:
  Runner(const std::vector<NodeTest> &tests, const Setup &setup,
         const mlir::DialectRegistry &registry, unsigned seconds,
         std::string workFolder)
      : tests(tests), setup(setup), registry(registry), seconds(seconds),
        workFolder(std::move(workFolder)), outcomes(tests.size()) {}

  void run(unsigned jobs) {
    size_t next = 0;
    while (next < tests.size() || !children.empty()) {
      while (next < tests.size() && children.size() < jobs)
        start(next++);
      wait();
    }
  }
  std::vector<Outcome> take() { return std::move(outcomes); }

private:
  void start(size_t test);
  void wait();
  void finish(Child &child, bool timedOut);

  const std::vector<NodeTest> &tests;
  const Setup &setup;
  const mlir::DialectRegistry &registry;
  unsigned seconds;
  std::string workFolder;
  std::vector<Outcome> outcomes;
  std::vector<Child> children;
};
} // namespace

/// An outcome on its way through a pipe: the verdict's letter and the reason.
static constexpr char letters[] = {'P', 'R', 'W'};

void Runner::start(size_t test) {
  int ends[2];
  if (pipe(ends) != 0) {
    outcomes[test].reason = "cannot make a pipe";
    return;
  }
  std::fflush(nullptr);
  pid_t process = fork();
  if (process != 0) {
    close(ends[1]);
    if (process < 0) {
      close(ends[0]);
      outcomes[test].reason = "cannot start a process";
      return;
    }
    children.push_back({test, process, ends[0],
                        Clock::now() + std::chrono::seconds(seconds), ""});
    return;
  }
  close(ends[0]);
  Outcome outcome = runNodeTest(tests[test], setup, registry, workFolder);
  std::string text = letters[size_t(outcome.verdict)] + outcome.reason;
  for (llvm::StringRef rest = text; !rest.empty();) {
    ssize_t written = write(ends[1], rest.data(), rest.size());
    if (written <= 0)
      break;
    rest = rest.drop_front(written);
  }
  // Nothing of the parent's is to be flushed or destroyed here.
  _exit(0);
}

void Runner::finish(Child &child, bool timedOut) {
  if (timedOut)
    kill(child.process, SIGKILL);
  int status = 0;
  waitpid(child.process, &status, 0);
  close(child.pipe);
  Outcome &outcome = outcomes[child.test];
  if (timedOut) {
    outcome.reason = "it took more than " + std::to_string(seconds) + " s";
  } else if (WIFSIGNALED(status)) {
    outcome.reason =
        "it crashed with signal " + std::to_string(WTERMSIG(status));
  } else if (child.text.empty()) {
    outcome.reason = "it ended without a result";
  } else {
    outcome.verdict =
        Verdict(llvm::find(letters, child.text[0]) - std::begin(letters));
    outcome.reason = child.text.substr(1);
  }
}

void Runner::wait() {
  std::vector<pollfd> polls;
  for (const Child &child : children)
    polls.push_back({child.pipe, POLLIN, 0});
  poll(polls.data(), polls.size(), 1000);
  std::vector<Child> running;
  for (auto [child, polled] : llvm::zip_equal(children, polls)) {
    bool isDone = false, timedOut = Clock::now() > child.deadline;
    if (polled.revents) {
      char buffer[4096];
      ssize_t count = read(child.pipe, buffer, sizeof(buffer));
      isDone = count <= 0;
      if (count > 0)
        child.text.append(buffer, count);
    }
    if (isDone || timedOut)
      finish(child, timedOut);
    else
      running.push_back(std::move(child));
  }
  children = std::move(running);
}

std::vector<Outcome> ds_test::runIsolated(const std::vector<NodeTest> &tests,
                                          const Setup &setup,
                                          const mlir::DialectRegistry &registry,
                                          unsigned jobs, unsigned seconds) {
  std::string pattern =
      std::filesystem::temp_directory_path() / "ds-onnx-node-tests-XXXXXX";
  if (!mkdtemp(pattern.data()))
    return std::vector<Outcome>(
        tests.size(), {Verdict::Wrong, "cannot make a temporary folder"});
  Runner runner(tests, setup, registry, seconds, pattern);
  runner.run(std::max(jobs, 1u));
  std::filesystem::remove_all(pattern);
  return runner.take();
}
