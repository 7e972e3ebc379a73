#include "ds/Artifact/Bundle.h"
#include "ZipRecords.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/FileSystem.h"

// The low-level functions stream and stay small when linked statically.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

using namespace mlir::ds::artifact;

namespace {

constexpr llvm::StringLiteral manifestName = "manifest.json";
constexpr llvm::StringLiteral commentPrefix = "ds-artifact-sha256:";

class SHA256 {
public:
  SHA256() { SHA256_Init(&context); }
  void update(llvm::StringRef bytes) {
    SHA256_Update(&context, bytes.data(), bytes.size());
  }
  /// The digest in lower-case hex. The object starts anew afterwards.
  std::string finish() {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, &context);
    SHA256_Init(&context);
    return llvm::toHex(digest, /*LowerCase=*/true);
  }

private:
  SHA256_CTX context;
};

/// Passes a member's bytes on to the file and digests them on the way.
class MemberStream : public llvm::raw_ostream {
public:
  explicit MemberStream(llvm::raw_ostream &file) : file(file) {
    SetBufferSize(chunkBytes);
  }
  ~MemberStream() override { flush(); }

  uint64_t bytes() const { return written; }
  uint32_t crc() const { return crcValue; }
  /// The digests of all chunks. Call once, at the end.
  std::vector<std::string> finish() {
    flush();
    if (inChunk)
      digests.push_back(sha.finish());
    return std::move(digests);
  }

private:
  void write_impl(const char *data, size_t size) override {
    file.write(data, size);
    written += size;
    llvm::ArrayRef<uint8_t> raw(reinterpret_cast<const uint8_t *>(data), size);
    crcValue = llvm::crc32(crcValue, raw);
    llvm::StringRef rest(data, size);
    while (!rest.empty()) {
      llvm::StringRef part = rest.take_front(chunkBytes - inChunk);
      sha.update(part);
      inChunk += part.size();
      rest = rest.drop_front(part.size());
      if (inChunk == chunkBytes) {
        digests.push_back(sha.finish());
        inChunk = 0;
      }
    }
  }
  uint64_t current_pos() const override { return written; }

  llvm::raw_ostream &file;
  SHA256 sha;
  std::vector<std::string> digests;
  uint64_t written = 0, inChunk = 0;
  uint32_t crcValue = 0;
};

/// Writes the records of one artifact in order. What lies outside of member
/// data is collected, since the last digest covers it.
class BundleWriter {
public:
  explicit BundleWriter(llvm::raw_fd_ostream &os) : os(os) {}

  llvm::Error addMember(const Member &member) {
    zip::File file = open(member.name);
    MemberStream stream(os);
    if (llvm::Error error = member.write(stream))
      return error;
    std::vector<std::string> digests = stream.finish();
    file.size = stream.bytes();
    file.crc = stream.crc();
    close(file);
    records.push_back(
        {member.name, file.dataOffset(), file.size, std::move(digests)});
    return llvm::Error::success();
  }

  void finish(const Manifest &manifest) {
    std::string text;
    llvm::raw_string_ostream textStream(text);
    writeManifest(manifest, records, textStream);

    zip::File file = open(manifestName.str());
    os << text;
    file.size = text.size();
    file.crc = llvm::crc32(llvm::arrayRefFromStringRef(text));
    close(file);
    envelope.update(text);

    std::string end =
        zip::directory(files, os.tell(), commentPrefix,
                       commentPrefix.size() + size_t(2) * SHA256_DIGEST_LENGTH);
    envelope.update(end);
    os << end << envelope.finish();
  }

private:
  /// Leaves room for the header, whose checksum is known only later.
  zip::File open(std::string name) {
    zip::File file;
    file.name = std::move(name);
    file.headerOffset = os.tell();
    zip::placeHeader(file);
    os.write_zeros(file.headerBytes);
    return file;
  }

  void close(const zip::File &file) {
    std::string header = zip::localHeader(file);
    os.pwrite(header.data(), header.size(), file.headerOffset);
    envelope.update(header);
    files.push_back(file);
  }

  llvm::raw_fd_ostream &os;
  SHA256 envelope;
  std::vector<zip::File> files;
  std::vector<MemberRecord> records;
};

} // namespace

Member Member::fromBytes(std::string name, llvm::StringRef bytes) {
  return {std::move(name), [bytes](llvm::raw_ostream &os) {
            os << bytes;
            return llvm::Error::success();
          }};
}

static llvm::Error checkNames(const Manifest &manifest,
                              const std::vector<Member> &members) {
  llvm::StringSet<> names;
  names.insert(manifestName);
  for (const Member &member : members) {
    if (member.name.empty() || member.name.size() > 1024)
      return llvm::createStringError("a member's name has %zu bytes, expected "
                                     "1 to 1024",
                                     member.name.size());
    if (!names.insert(member.name).second)
      return llvm::createStringError("two members are named '%s'",
                                     member.name.c_str());
  }
  auto check = [&](const std::string &name) -> llvm::Error {
    if (name.empty() || names.contains(name))
      return llvm::Error::success();
    return llvm::createStringError(
        "the manifest refers to the member '%s', which is not there",
        name.c_str());
  };
  for (const Variant &variant : manifest.variants)
    if (llvm::Error error = check(variant.member))
      return error;
  if (llvm::Error error = check(manifest.weightsMember))
    return error;
  return check(manifest.selfTestMember);
}

/// How much is written at once: Linux caches a file in pages as large as the
/// pieces in which it was written, and weights that are mapped in small pages
/// come from memory at half of its speed.
constexpr size_t writeBytes = size_t(2) << 20;

static llvm::Error writeContents(llvm::raw_fd_ostream &os,
                                 const Manifest &manifest,
                                 const std::vector<Member> &members) {
  BundleWriter writer(os);
  for (const Member &member : members) {
    if (llvm::Error error = writer.addMember(member))
      return error;
    // A full disk shows here, not after the last gigabyte.
    if (os.has_error())
      return llvm::errorCodeToError(os.error());
  }
  writer.finish(manifest);
  os.flush();
  return os.has_error() ? llvm::errorCodeToError(os.error())
                        : llvm::Error::success();
}

llvm::Error
mlir::ds::artifact::writeBundle(llvm::StringRef path, const Manifest &manifest,
                                const std::vector<Member> &members) {
  auto withPath = [&](llvm::Error error) {
    return llvm::createStringError(path + ": " +
                                   llvm::toString(std::move(error)));
  };
  if (llvm::Error error = checkNames(manifest, members))
    return withPath(std::move(error));
  // Renaming over a device or a pipe would replace it.
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) &&
      !llvm::sys::fs::is_regular_file(status))
    return llvm::createStringError(path + ": is not a regular file");

  auto temporary = llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!temporary)
    return withPath(temporary.takeError());
  llvm::Error error = [&] {
    llvm::raw_fd_ostream os(temporary->FD, /*shouldClose=*/false);
    os.SetBufferSize(writeBytes);
    llvm::Error error = writeContents(os, manifest, members);
    // The stream's destructor ends the process if an error was not looked at.
    os.flush();
    os.clear_error();
    return error;
  }();
  if (!error)
    error = temporary->keep(path);
  if (!error)
    return llvm::Error::success();
  return withPath(llvm::joinErrors(std::move(error), temporary->discard()));
}
