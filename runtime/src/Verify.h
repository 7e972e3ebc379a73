//===- Verify.h - Checks an artifact's digests ------------------*- C++ -*-===//

#ifndef DS_RUNTIME_VERIFY_H
#define DS_RUNTIME_VERIFY_H

#include "Manifest.h"
#include "ThreadPool.h"

namespace ds::rt {

/// The digest over all bytes that no member digest covers.
Status verifyEnvelope(ByteView file, const Manifest &manifest,
                      const ZipDirectory &directory);

/// The chunk digests of all members, or of all but the weights, on all threads
/// of `pool`. Reports the first damaged chunk, whatever the thread count.
Status verifyMembers(ByteView file, const Manifest &manifest,
                     bool includeWeights, ThreadPool &pool);

/// The chunk digests of one member, of which `bytes` is a private copy.
Status verifyMember(ByteView bytes, const MemberDigests &member);

} // namespace ds::rt

#endif // DS_RUNTIME_VERIFY_H
