// Members beyond 4 GB, in a sparse file: the records are real, the data is a
// hole.

#include "ZipRecords.h"
#include "MappedFile.h"
#include "Zip.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace mlir::ds::artifact;

namespace {

class SparseFile {
public:
  SparseFile()
      : path(testing::TempDir() + "ds-zip-" + std::to_string(getpid())),
        fd(open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600)) {}
  ~SparseFile() {
    close(fd);
    unlink(path.c_str());
  }
  void write(uint64_t offset, const std::string &bytes) {
    ASSERT_EQ(pwrite(fd, bytes.data(), bytes.size(), off_t(offset)),
              ssize_t(bytes.size()));
  }
  std::string path;

private:
  int fd;
};

TEST(ZipRecords, ReachBeyondFourGigabytes) {
  constexpr uint64_t big = (uint64_t(5) << 30) + 3;
  SparseFile sparse;
  std::vector<zip::File> files;
  uint64_t at = 0;
  for (auto [name, size] : {std::pair<const char *, uint64_t>{"small", 10},
                            {"big", big},
                            {"behind", 7}}) {
    zip::File file;
    file.name = name;
    file.headerOffset = at;
    zip::placeHeader(file);
    file.size = size;
    EXPECT_EQ(file.dataOffset() % 4096, 0u);
    std::string header = zip::localHeader(file);
    EXPECT_EQ(header.size(), file.headerBytes);
    sparse.write(at, header);
    files.push_back(file);
    at = file.dataOffset() + size;
  }
  std::string prefix = "ds-artifact-sha256:";
  std::string end = zip::directory(files, at, prefix, prefix.size() + 64);
  sparse.write(at, end + std::string(64, '0'));

  ds::rt::MappedFile mapped;
  ASSERT_EQ(mapped.open(sparse.path.c_str()).text(), "");
  ds::rt::ZipDirectory directory;
  ASSERT_EQ(ds::rt::readZip(mapped.bytes(), directory).text(), "");
  ASSERT_EQ(directory.members.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(directory.members[i].name, files[i].name);
    EXPECT_EQ(directory.members[i].offset, files[i].dataOffset());
    EXPECT_EQ(directory.members[i].size, files[i].size);
  }
}

TEST(ZipRecords, HeadersFitNamesOfAnyLength) {
  // Around the lengths where the header grows by a page.
  for (size_t length = 1; length <= 1024; ++length) {
    zip::File file;
    file.name = std::string(length, 'n');
    file.headerOffset = 3000 + length * 5;
    zip::placeHeader(file);
    EXPECT_EQ(file.dataOffset() % 4096, 0u);
    EXPECT_EQ(zip::localHeader(file).size(), file.headerBytes);
    file.size = uint64_t(1) << 33;
    EXPECT_EQ(zip::localHeader(file).size(), file.headerBytes);
  }
}

} // namespace
