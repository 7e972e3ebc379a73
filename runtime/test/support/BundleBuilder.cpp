#include "BundleBuilder.h"

#include "Digest.h"
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

using namespace ds::test;

static std::string digestOf(const std::string &bytes) {
  return ds::rt::sha256({bytes.data(), bytes.size()});
}

namespace {
struct Writer {
  std::string &out;

  void number(uint64_t value, int count) {
    for (int i = 0; i < count; ++i)
      out += char(value >> (8 * i) & 0xff);
  }
  void numbers(std::initializer_list<std::pair<uint64_t, int>> values) {
    for (auto [value, count] : values)
      number(value, count);
  }
};
} // namespace

/// Gaps between members are plain zeros here, where the compiler's writer uses
/// extra fields; the format allows both.
static void addMember(Bundle &bundle, const std::string &name,
                      const std::string &data) {
  std::string &out = bundle.bytes;
  size_t header = out.size();
  size_t fixed = 30 + name.size();
  size_t start = (header + fixed + 4095) / 4096 * 4096;
  out.resize(start - fixed, '\0');
  bundle.parts.push_back({name, out.size(), start, data.size()});
  // Checksums are of no interest to the runtime; digests are.
  Writer{out}.numbers({{0x04034b50, 4},
                       {20, 2},
                       {0, 2},
                       {0, 2},
                       {0, 2},
                       {33, 2},
                       {0, 4},
                       {data.size(), 4},
                       {data.size(), 4},
                       {name.size(), 2},
                       {0, 2}});
  out += name + data;
}

Bundle BundleBuilder::build() const {
  Bundle bundle;
  Json full = manifest;
  full["members"] = Json::array();
  for (const auto &[name, data] : members) {
    addMember(bundle, name, data);
    Json digests = Json::array();
    for (size_t at = 0; at < data.size(); at += chunk)
      digests.push_back(digestOf(data.substr(at, chunk)));
    full["members"].push_back({{"name", name},
                               {"offset", bundle.parts.back().data},
                               {"size", data.size()},
                               {"chunk", chunk},
                               {"sha256", digests}});
  }
  if (edit)
    edit(full);
  addMember(bundle, "manifest.json", full.dump(1));

  std::string &out = bundle.bytes;
  Writer writer{out};
  bundle.directory = out.size();
  for (const Bundle::Part &part : bundle.parts) {
    writer.numbers({{0x02014b50, 4},
                    {20, 2},
                    {20, 2},
                    {0, 2},
                    {0, 2},
                    {0, 2},
                    {33, 2},
                    {0, 4},
                    {part.size, 4},
                    {part.size, 4},
                    {part.name.size(), 2},
                    {0, 2},
                    {0, 2},
                    {0, 2},
                    {0, 2},
                    {0, 4},
                    {part.header, 4}});
    out += part.name;
  }
  bundle.end = out.size();
  writer.numbers({{0x06054b50, 4},
                  {0, 4},
                  {bundle.parts.size(), 2},
                  {bundle.parts.size(), 2},
                  {bundle.end - bundle.directory, 4},
                  {bundle.directory, 4},
                  {83, 2}});
  out += "ds-artifact-sha256:";
  bundle.digest = out.size();
  out.resize(out.size() + 64);
  bundle.seal();
  return bundle;
}

void Bundle::seal() {
  std::string covered;
  size_t at = 0;
  for (const Part &part : parts) {
    if (part.name == "manifest.json")
      continue;
    covered += bytes.substr(at, part.data - at);
    at = part.data + part.size;
  }
  covered += bytes.substr(at, digest - at);
  bytes.replace(digest, 64, digestOf(covered));
}

const Bundle::Part &Bundle::part(const std::string &name) const {
  for (const Part &part : parts)
    if (part.name == name)
      return part;
  ADD_FAILURE() << "no part " << name;
  return parts.front();
}

TemporaryFile::TemporaryFile(const std::string &contents,
                             const std::string &suffix) {
  static int count = 0;
  name = testing::TempDir() + "ds-test-" + std::to_string(getpid()) + "-" +
         std::to_string(count++) + suffix;
  write(contents);
}

TemporaryFile::~TemporaryFile() { std::remove(name.c_str()); }

void TemporaryFile::write(const std::string &contents) const {
  // A new file each time: an earlier one may still be mapped.
  std::remove(name.c_str());
  std::ofstream file(name, std::ios::binary);
  file << contents;
  file.close();
  ASSERT_TRUE(file) << name;
}

std::string ds::test::readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}
