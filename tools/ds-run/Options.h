//===- Options.h - The command line of ds-run -------------------*- C++ -*-===//

#ifndef DS_RUN_OPTIONS_H
#define DS_RUN_OPTIONS_H

#include "ds/runtime.h"
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace ds::run {

/// The command line is at fault: exit status 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The value of --input, --output or --expected-output: "[NAME=]VALUE".
struct Binding {
  std::string name; ///< Empty: by position.
  std::string value;
  bool isFile = false; ///< The value is a path, given as "@path".
};

struct Options {
  std::string artifact;
  std::string entry;
  std::vector<Binding> inputs, outputs, expected;
  double rtol = 1e-4, atol = 1e-4;
  bool selfTest = false, inspect = false, benchmark = false, help = false,
       version = false;
  int threads = 0;
  ds_verify verify = DS_VERIFY_FULL;
  double warmupSeconds = 0.2, durationSeconds = 3;
  std::vector<double> percentiles = {50, 99};
  std::string jsonFile, junitFile, profileFile;
};

/// Throws UsageError.
Options parseOptions(const std::vector<std::string> &arguments);

/// "200ms", "3s", "1.5s", "50us".
double parseDuration(const std::string &text);

const char *helpText();

} // namespace ds::run

#endif // DS_RUN_OPTIONS_H
