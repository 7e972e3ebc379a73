//===- Digest.h - SHA-256 ---------------------------------------*- C++ -*-===//

#ifndef DS_RUNTIME_DIGEST_H
#define DS_RUNTIME_DIGEST_H

#include "ByteView.h"
#include <string>
#include <utility>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

namespace ds::rt {

/// A streaming SHA-256. The low-level functions of libcrypto link into 30 KB,
/// the EVP interface into 4 MB.
class SHA256 {
public:
  SHA256() { SHA256_Init(&context); }
  void update(ByteView bytes) {
    SHA256_Update(&context, bytes.data(), size_t(bytes.size()));
  }
  /// Lower-case hex. Call once.
  std::string finish();

private:
  friend std::pair<std::string, std::string> sha256Pair(ByteView, ByteView);

  SHA256_CTX context;
};

inline std::string sha256(ByteView bytes) {
  SHA256 sha;
  sha.update(bytes);
  return sha.finish();
}

/// The digests of two messages. Where the CPU has instructions for SHA-256, in
/// less time than one after the other: a round waits for the one before it, and
/// the other message's rounds fill the gaps.
std::pair<std::string, std::string> sha256Pair(ByteView first, ByteView second);

} // namespace ds::rt

#endif // DS_RUNTIME_DIGEST_H
