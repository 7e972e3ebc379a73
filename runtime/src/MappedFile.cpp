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

/// Weights are read from end to end, and a core that reads them from memory
/// through pages of 4 KiB waits for page tables half of the time. This is only
/// advice: what the system has in its cache in small pages stays in those.
static void adviseHugePages(void *base, size_t bytes) {
#ifdef MADV_HUGEPAGE
  (void)madvise(base, bytes, MADV_HUGEPAGE);
#else
  (void)base, (void)bytes;
#endif
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
    if (base == MAP_FAILED) {
      status = systemError("cannot be mapped");
    } else {
      view = ByteView(base, uint64_t(info.st_size));
      adviseHugePages(base, size_t(info.st_size));
    }
  }
  close(fd);
  return status;
}
