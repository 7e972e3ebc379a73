#include "Verify.h"

#include "Digest.h"
#include <algorithm>
#include <atomic>

using namespace ds::rt;

namespace {

struct Chunk {
  const MemberDigests *member;
  uint64_t index;
  ByteView bytes;
};

/// Chunk `index` of a member whose bytes are `data`. Its bounds hold, since the
/// number of digests fits the size.
ByteView chunkOf(ByteView data, const MemberDigests &member, uint64_t index) {
  uint64_t begin = index * member.chunk;
  return *data.slice(begin, std::min(member.chunk, member.size - begin));
}

Status checkChunk(const Chunk &chunk) {
  std::string found = sha256(chunk.bytes);
  const std::string &expected = chunk.member->sha256[chunk.index];
  if (found == expected)
    return {};
  uint64_t at = chunk.member->offset + chunk.index * chunk.member->chunk;
  return {DS_ERROR_ARTIFACT,
          "the member '",
          chunk.member->name,
          "' is damaged between bytes ",
          at,
          " and ",
          at + chunk.bytes.size(),
          ": its digest is ",
          found,
          ", expected ",
          expected};
}

struct Job {
  const std::vector<Chunk> &chunks;
  std::atomic<size_t> firstBad;

  const std::string &expected(size_t index) const {
    return chunks[index].member->sha256[chunks[index].index];
  }

  /// Checks chunks 2 · pair and, if there is one, the next.
  void checkPair(size_t pair) {
    size_t first = 2 * pair, second = first + 1;
    if (second == chunks.size()) {
      if (sha256(chunks[first].bytes) != expected(first))
        recordBad(first);
      return;
    }
    auto found = sha256Pair(chunks[first].bytes, chunks[second].bytes);
    if (found.first != expected(first))
      recordBad(first);
    else if (found.second != expected(second))
      recordBad(second);
  }

  void recordBad(size_t index) {
    size_t seen = firstBad.load(std::memory_order_relaxed);
    while (index < seen && !firstBad.compare_exchange_weak(
                               seen, index, std::memory_order_relaxed))
      ;
  }
};

} // namespace

Status ds::rt::verifyEnvelope(ByteView file, const Manifest &manifest,
                              const ZipDirectory &directory) {
  SHA256 sha;
  uint64_t at = 0;
  // Members are in file order, inside the file and do not overlap.
  for (const ZipMember &member : directory.members) {
    bool covered = std::any_of(
        manifest.members.begin(), manifest.members.end(),
        [&](const MemberDigests &m) { return m.name == member.name; });
    if (!covered)
      continue;
    sha.update(*file.slice(at, member.offset - at));
    at = member.end();
  }
  sha.update(*file.slice(at, directory.digestOffset - at));
  std::string found = sha.finish();
  std::string_view expected =
      file.slice(directory.digestOffset, digestDigits)->text();
  if (found != expected)
    return {DS_ERROR_ARTIFACT,
            "the file is damaged: the digest of its structure is ", found,
            ", expected ", expected};
  return {};
}

Status ds::rt::verifyMembers(ByteView file, const Manifest &manifest,
                             bool includeWeights, ThreadPool &pool) {
  std::vector<Chunk> chunks;
  for (const MemberDigests &member : manifest.members) {
    bool skipped = !includeWeights && member.name == manifest.weightsMember &&
                   !manifest.isCode(member.name);
    if (skipped)
      continue;
    ByteView data = *file.slice(member.offset, member.size);
    for (uint64_t i = 0; i < member.sha256.size(); ++i)
      chunks.push_back({&member, i, chunkOf(data, member, i)});
  }
  Job job{chunks, {chunks.size()}};
  pool.parallelFor(
      [](void *ctx, int64_t begin, int64_t end, int32_t) {
        for (int64_t i = begin; i < end; ++i)
          static_cast<Job *>(ctx)->checkPair(size_t(i));
      },
      int64_t((chunks.size() + 1) / 2), &job);
  size_t bad = job.firstBad.load();
  return bad < chunks.size() ? checkChunk(chunks[bad]) : Status();
}

Status ds::rt::verifyMember(ByteView bytes, const MemberDigests &member) {
  for (uint64_t i = 0; i < member.sha256.size(); ++i)
    DS_TRY(checkChunk({&member, i, chunkOf(bytes, member, i)}));
  return {};
}
