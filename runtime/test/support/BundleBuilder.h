//===- BundleBuilder.h - Writes artifacts for tests -------------*- C++ -*-===//
//
// A second, independent writer of the format, so that the runtime is tested
// without the compiler, and with files that the compiler would never write.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_TEST_BUNDLEBUILDER_H
#define DS_RUNTIME_TEST_BUNDLEBUILDER_H

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ds::test {

using Json = nlohmann::json;

/// A file in memory, and the places in it that tests aim at.
struct Bundle {
  struct Part {
    std::string name;
    size_t header, data, size;
  };

  std::string bytes;
  std::vector<Part> parts; ///< manifest.json last.
  size_t directory = 0, end = 0, digest = 0;

  const Part &part(const std::string &name) const;
  /// Recomputes the final digest after a change outside of member data, so that
  /// the change itself is what the runtime finds.
  void seal();
};

struct BundleBuilder {
  Json manifest; ///< All but "members".
  std::vector<std::pair<std::string, std::string>> members;
  /// Changes the finished manifest just before it is written.
  std::function<void(Json &)> edit;
  size_t chunk = 1 << 20;

  Bundle build() const;
};

/// A file that is removed with its object.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &contents,
                         const std::string &suffix = ".dsa");
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  const std::string &path() const { return name; }
  void write(const std::string &contents) const;

private:
  std::string name;
};

std::string readFile(const std::string &path);

} // namespace ds::test

#endif // DS_RUNTIME_TEST_BUNDLEBUILDER_H
