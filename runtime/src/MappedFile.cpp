#include "MappedFile.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ds::rt;

MappedFile::~MappedFile() {
  if (view.data())
    munmap(const_cast<uint8_t *>(view.data()), view.size());
}

static Status systemError(const char *what) {
  return {DS_ERROR_IO, what, ": ", std::strerror(errno)};
}

Status MappedFile::open(const char *path) {
  int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return systemError("cannot be opened");
  struct stat info;
  Status status;
  if (fstat(fd, &info) != 0) {
    status = systemError("cannot be read");
  } else if (!S_ISREG(info.st_mode)) {
    status = {DS_ERROR_IO, "is not a regular file"};
  } else if (info.st_size == 0) {
    status = {DS_ERROR_ARTIFACT, "is empty, expected an artifact"};
  } else {
    void *base = mmap(nullptr, size_t(info.st_size), PROT_READ, MAP_SHARED, fd,
                      /*offset=*/0);
    if (base == MAP_FAILED)
      status = systemError("cannot be mapped");
    else
      view = ByteView(base, uint64_t(info.st_size));
  }
  close(fd);
  return status;
}
