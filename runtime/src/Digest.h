//===- Digest.h - SHA-256 ---------------------------------------*- C++ -*-===//

#ifndef DS_RUNTIME_DIGEST_H
#define DS_RUNTIME_DIGEST_H

#include "ByteView.h"
#include <string>

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
  SHA256_CTX context;
};

inline std::string sha256(ByteView bytes) {
  SHA256 sha;
  sha.update(bytes);
  return sha.finish();
}

} // namespace ds::rt

#endif // DS_RUNTIME_DIGEST_H
