#include "Results.h"

#include "Tensor.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace ds::run;
using OrderedJson = nlohmann::ordered_json;

bool Results::allEqual() const {
  return std::all_of(comparisons.begin(), comparisons.end(),
                     [](const ComparisonResult &r) { return r.equal(); });
}

static void writeFile(const std::string &path, const std::string &text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    fail(path + ": cannot be written: " + std::strerror(errno));
}

static OrderedJson toJson(const ComparisonResult &result) {
  const ds_comparison &c = result.comparison;
  return {{"entry", result.entry},      {"output", result.output},
          {"equal", result.equal()},    {"elements", c.elements},
          {"mismatches", c.mismatches}, {"max_abs", c.max_abs},
          {"max_rel", c.max_rel},       {"rtol", result.rtol},
          {"atol", result.atol}};
}

static OrderedJson toJson(const BenchmarkResult &result) {
  OrderedJson percentiles = OrderedJson::object();
  char key[32];
  for (auto [percent, seconds] : result.percentiles) {
    std::snprintf(key, sizeof(key), "p%g", percent);
    percentiles[key] = seconds;
  }
  return {{"calls", result.calls},
          {"mean_s", result.meanSeconds},
          {"min_s", result.minSeconds},
          {"max_s", result.maxSeconds},
          {"percentiles_s", percentiles}};
}

void ds::run::writeJson(const std::string &path, const Results &results) {
  OrderedJson json = {{"artifact", results.artifact},
                      {"status", results.status}};
  if (!results.message.empty())
    json["message"] = results.message;
  if (!results.entry.empty())
    json["entry"] = results.entry;
  if (!results.variant.empty())
    json["variant"] = results.variant;
  if (results.threads)
    json["threads"] = results.threads;
  json["load_s"] = results.loadSeconds;
  if (results.runSeconds > 0)
    json["run_s"] = results.runSeconds;
  if (const auto &memory = results.memory)
    json["memory_bytes"] = {{"arena", memory->arena},
                            {"scratch", memory->scratch}};
  for (const OutputResult &output : results.outputs)
    json["outputs"].push_back({{"name", output.name},
                               {"type", output.type},
                               {"shape", output.sizes}});
  for (const ComparisonResult &comparison : results.comparisons)
    json["comparisons"].push_back(toJson(comparison));
  if (results.benchmark.calls)
    json["benchmark"] = toJson(results.benchmark);
  // Names come from models and may hold any bytes.
  writeFile(path,
            json.dump(1, ' ', false, OrderedJson::error_handler_t::replace) +
                "\n");
}

void ds::run::writeTrace(const std::string &path, const Results &results) {
  writeFile(path, results.trace.json(results.artifact));
}

static std::string escape(const std::string &text) {
  std::string out;
  for (char c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      // XML has no way to write most control characters.
      out += uint8_t(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

void ds::run::writeJUnit(const std::string &path, const Results &results) {
  std::string cases;
  size_t failures = 0;
  for (const ComparisonResult &result : results.comparisons) {
    cases += "  <testcase classname=\"" +
             escape(results.artifact + ":" + result.entry) + "\" name=\"" +
             escape(result.output) + "\"";
    if (result.equal()) {
      cases += "/>\n";
      continue;
    }
    ++failures;
    cases += ">\n    <failure message=\"" + escape(result.difference) +
             "\"/>\n  </testcase>\n";
  }
  size_t tests = results.comparisons.size(), errors = 0;
  // A run that failed, or that compared nothing, is a case of its own.
  if (results.status == "error" || tests == 0) {
    ++tests;
    cases += "  <testcase classname=\"" + escape(results.artifact) +
             "\" name=\"run\"";
    if (results.status == "error") {
      ++errors;
      cases += ">\n    <error message=\"" + escape(results.message) +
               "\"/>\n  </testcase>\n";
    } else {
      cases += "/>\n";
    }
  }
  writeFile(path, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
                  "name=\"ds-run\" tests=\"" +
                      std::to_string(tests) + "\" failures=\"" +
                      std::to_string(failures) + "\" errors=\"" +
                      std::to_string(errors) + "\">\n" + cases +
                      "</testsuite>\n");
}

std::string ds::run::describe(const ComparisonResult &result) {
  std::string where = result.entry + ": output '" + result.output + "' ";
  if (!result.equal())
    return where + "differs: " + result.difference;
  char text[64];
  std::snprintf(text, sizeof(text), "largest difference %.3g",
                result.comparison.max_abs);
  return where + "is equal: " + std::to_string(result.comparison.elements) +
         " elements, " + text;
}
