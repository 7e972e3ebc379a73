//===- MappedFile.h - A file mapped read-only -------------------*- C++ -*-===//

#ifndef DS_RUNTIME_MAPPEDFILE_H
#define DS_RUNTIME_MAPPEDFILE_H

#include "ByteView.h"
#include "Status.h"

namespace ds::rt {

/// Pages are shared with other processes that map the file.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  Status open(const char *path);
  ByteView bytes() const { return view; }

private:
  ByteView view;
};

} // namespace ds::rt

#endif // DS_RUNTIME_MAPPEDFILE_H
