//===- main.cpp - ds-run: runs a compiled model ---------------------------===//

#include "Benchmark.h"
#include "Inspect.h"
#include "Run.h"
#include <chrono>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>

using namespace ds::run;

namespace {

enum Exit {
  Success = 0,
  BadInput = 1,
  BadUsage = 2,
  Internal = 3,
  Differs = 4
};

/// Prints an error with control characters escaped: a name from a model must
/// not drive the terminal.
void tell(std::string_view error) {
  std::string text;
  for (char c : error) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      text += c;
      continue;
    }
    char escaped[sizeof("\\x00")];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", unsigned(c));
    text += escaped;
  }
  std::fprintf(stderr, "ds-run: %s\n", text.c_str());
}

void execute(const Options &options, Results &results) {
  ds_load_options load = {};
  load.struct_size = sizeof(load);
  load.threads = options.threads;
  load.verify = options.verify;
  load.inspect_only = options.inspect;
  auto begin = std::chrono::steady_clock::now();
  ds::Module module(options.artifact, &load);
  results.loadSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  results.threads = module.threads();
  if (options.inspect) {
    std::fputs(inspect(module).c_str(), stdout);
    return;
  }
  results.variant = module.variant();
  if (options.selfTest)
    runSelfTest(module, results);
  else if (options.benchmark)
    runBenchmark(options, module, results);
  else
    runOnce(options, module, results);
  for (const ComparisonResult &comparison : results.comparisons)
    std::printf("%s\n", describe(comparison).c_str());
  if (options.benchmark)
    std::printf("%s\n", describe(results.benchmark).c_str());
  if (!results.trace.empty())
    std::fputs(results.trace.table().c_str(), stdout);
}

Exit exitOf(const ds::Error &error) {
  return error.status() == DS_ERROR_INTERNAL ? Internal : BadInput;
}

void writeReports(const Options &options, const Results &results) {
  if (!options.jsonFile.empty())
    writeJson(options.jsonFile, results);
  if (!options.profileFile.empty() && !results.trace.empty())
    writeTrace(options.profileFile, results);
  if (!options.junitFile.empty())
    writeJUnit(options.junitFile, results);
}

Exit runTool(const Options &options) {
  Results results;
  results.artifact = options.artifact;
  Exit code = Success;
  try {
    execute(options, results);
    if (!results.allEqual()) {
      results.status = "different";
      code = Differs;
    }
  } catch (const ds::Error &error) {
    tell(error.what());
    results.status = "error";
    results.message = error.what();
    code = exitOf(error);
  }
  writeReports(options, results);
  return code;
}

} // namespace

int main(int argc, char **argv) {
  try {
    Options options = parseOptions({argv + 1, argv + argc});
    if (options.help) {
      std::fputs(helpText(), stdout);
      return Success;
    }
    if (options.version) {
      std::printf("ds-run %s\n", ds_runtime_version());
      return Success;
    }
    return runTool(options);
  } catch (const UsageError &error) {
    tell(error.what());
    return BadUsage;
  } catch (const ds::Error &error) {
    tell(error.what());
    return exitOf(error);
  } catch (const std::bad_alloc &) {
    tell("out of memory");
    return BadInput;
  } catch (const std::exception &error) {
    tell(std::string("internal error: ") + error.what());
    return Internal;
  }
}
