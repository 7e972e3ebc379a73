#include "Options.h"

#include <charconv>
#include <functional>
#include <map>

using namespace ds::run;

const char *ds::run::helpText() {
  return R"(Usage: ds-run MODEL.dsa [options]

Runs a compiled model, or checks, measures or describes it.

  --entry=NAME                  the entry to run; not needed if there is one
  --input=[NAME=]@FILE.npy      an input from a file
  --input=[NAME=]2x3xf32=1,2,…  an input as text: one value for all elements,
                                or one each; without values, zeros
  --output=[NAME=]@FILE.npy     writes an output to a file
  --output=[NAME=]-             prints an output; the default, for all
  --expected-output=[NAME=]@FILE.npy
                                compares an output; exit status 4 if different
  --rtol=X --atol=X             equal means |found - expected| <= atol + rtol *
                                |expected|; 1e-4 both; integers must be equal
  --self-test                   runs the test that the artifact carries
  --inspect                     prints what is in the artifact, runs nothing
  --threads=N                   threads to use; default: one per CPU
  --verify=full|code            digests to check before running; code leaves
                                the contents of the weights unchecked
  --benchmark                   measures calls of the entry; inputs not given
                                are zeros, symbolic dims 1
  --warmup=200ms                time to run before measuring
  --duration=3s                 time to measure
  --percentile=50,99            percentiles to report
  --profile=FILE                profiles one more call: writes a trace that
                                Perfetto opens, and prints a table of kernels
  --json=FILE                   writes the results as JSON
  --junit=FILE                  writes the comparisons as JUnit XML
  --help --version

Inputs and outputs without a name go by their position.
In .npy files, bfloat16 is the two-byte type '<V2', as ml_dtypes saves it.

Exit status: 0 success, 1 the artifact or an input is at fault, 2 the command
line is, 3 an internal error, 4 compared and different.
)";
}

namespace {

[[noreturn]] void usage(const std::string &message) {
  throw UsageError(message);
}

double parseReal(const std::string &flag, const std::string &text) {
  double value = 0;
  const char *end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0))
    usage(flag + " is '" + text + "', expected a number that is not negative");
  return value;
}

Binding parseBinding(const std::string &flag, const std::string &text,
                     bool isInput) {
  Binding binding;
  std::string value = text;
  // A literal has a '=' of its own, behind its type; a name has one before it.
  size_t equals = text.find('=');
  if (text[0] != '@' && equals != std::string::npos) {
    std::string head = text.substr(0, equals);
    size_t x = head.rfind('x');
    std::string type = x == std::string::npos ? head : head.substr(x + 1);
    ds_type ignored;
    bool sizesOnly =
        x == std::string::npos || head.find_first_not_of("0123456789x") > x;
    // An input may be named like a type; then a second '=' or a '@' follows.
    std::string rest = text.substr(equals + 1);
    bool isValue = rest[0] != '@' && rest.find('=') == std::string::npos;
    bool isLiteral = isInput && sizesOnly && isValue &&
                     ds_type_from_name(type.c_str(), &ignored) == DS_OK;
    if (!isLiteral) {
      binding.name = head;
      value = text.substr(equals + 1);
    }
  }
  if (value.empty())
    usage(flag + "=" + text + " has no value");
  binding.isFile = value[0] == '@';
  binding.value = binding.isFile ? value.substr(1) : value;
  if (binding.isFile && binding.value.empty())
    usage(flag + "=" + text + " has no file name after the @");
  return binding;
}

std::vector<double> parsePercentiles(const std::string &text) {
  std::vector<double> values;
  size_t begin = 0;
  while (begin <= text.size()) {
    size_t comma = std::min(text.find(',', begin), text.size());
    values.push_back(
        parseReal("--percentile", text.substr(begin, comma - begin)));
    if (values.back() > 100)
      usage("--percentile has '" + text + "', expected numbers up to 100");
    begin = comma + 1;
  }
  return values;
}

using Setter = std::function<void(const std::string &)>;

std::map<std::string, Setter> flagsWithValue(Options &o) {
  return {
      {"--entry", [&](const std::string &v) { o.entry = v; }},
      {"--input",
       [&](const std::string &v) {
         o.inputs.push_back(parseBinding("--input", v, true));
       }},
      {"--output",
       [&](const std::string &v) {
         o.outputs.push_back(parseBinding("--output", v, false));
         if (!o.outputs.back().isFile && o.outputs.back().value != "-")
           usage("--output=" + v + ", expected @FILE.npy or -");
       }},
      {"--expected-output",
       [&](const std::string &v) {
         o.expected.push_back(parseBinding("--expected-output", v, false));
         if (!o.expected.back().isFile)
           usage("--expected-output=" + v + ", expected @FILE.npy");
       }},
      {"--rtol",
       [&](const std::string &v) { o.rtol = parseReal("--rtol", v); }},
      {"--atol",
       [&](const std::string &v) { o.atol = parseReal("--atol", v); }},
      {"--threads",
       [&](const std::string &v) {
         double n = parseReal("--threads", v);
         if (n < 1 || n > 4096 || n != int(n))
           usage("--threads is '" + v + "', expected a number from 1 to 4096");
         o.threads = int(n);
       }},
      {"--verify",
       [&](const std::string &v) {
         if (v != "full" && v != "code")
           usage("--verify is '" + v + "', expected full or code");
         o.verify = v == "full" ? DS_VERIFY_FULL : DS_VERIFY_CODE;
       }},
      {"--warmup",
       [&](const std::string &v) { o.warmupSeconds = parseDuration(v); }},
      {"--duration",
       [&](const std::string &v) { o.durationSeconds = parseDuration(v); }},
      {"--percentile",
       [&](const std::string &v) { o.percentiles = parsePercentiles(v); }},
      {"--json", [&](const std::string &v) { o.jsonFile = v; }},
      {"--junit", [&](const std::string &v) { o.junitFile = v; }},
      {"--profile", [&](const std::string &v) { o.profileFile = v; }},
  };
}

std::map<std::string, bool *> plainFlags(Options &o) {
  return {{"--self-test", &o.selfTest},
          {"--inspect", &o.inspect},
          {"--benchmark", &o.benchmark},
          {"--help", &o.help},
          {"-h", &o.help},
          {"--version", &o.version}};
}

void checkTogether(const Options &o) {
  if (o.help || o.version)
    return;
  if (o.artifact.empty())
    usage("no artifact is given");
  if (int(o.selfTest) + int(o.inspect) + int(o.benchmark) > 1)
    usage("--self-test, --inspect and --benchmark exclude each other");
  bool runs = !o.selfTest && !o.inspect;
  if (!runs && (!o.inputs.empty() || !o.outputs.empty() || !o.expected.empty()))
    usage("--self-test and --inspect take no inputs and outputs");
  if (!runs && !o.profileFile.empty())
    usage("--self-test and --inspect take no --profile");
  if (o.benchmark && (!o.outputs.empty() || !o.expected.empty()))
    usage("--benchmark takes no outputs");
}

} // namespace

double ds::run::parseDuration(const std::string &text) {
  size_t digits = text.find_first_not_of("0123456789.");
  std::string number = text.substr(0, digits);
  std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  double scale = unit == "s"    ? 1
                 : unit == "ms" ? 1e-3
                 : unit == "us" ? 1e-6
                                : 0;
  if (number.empty() || scale == 0)
    usage("'" + text + "' is not a time such as 200ms or 3s");
  return parseReal("time", number) * scale;
}

Options ds::run::parseOptions(const std::vector<std::string> &arguments) {
  Options options;
  auto valued = flagsWithValue(options);
  auto plain = plainFlags(options);
  for (const std::string &argument : arguments) {
    if (argument.empty() || argument[0] != '-') {
      if (!options.artifact.empty())
        usage("two artifacts are given: '" + options.artifact + "' and '" +
              argument + "'");
      options.artifact = argument;
      continue;
    }
    size_t equals = argument.find('=');
    std::string flag = argument.substr(0, equals);
    if (auto it = plain.find(flag); it != plain.end()) {
      if (equals != std::string::npos)
        usage(flag + " takes no value");
      *it->second = true;
    } else if (auto it = valued.find(flag); it != valued.end()) {
      if (equals == std::string::npos || equals + 1 == argument.size())
        usage(flag + " needs a value: " + flag + "=…");
      it->second(argument.substr(equals + 1));
    } else {
      usage("unknown option '" + flag + "'; see ds-run --help");
    }
  }
  checkTogether(options);
  return options;
}
