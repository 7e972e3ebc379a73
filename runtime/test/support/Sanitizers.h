//===- Sanitizers.h - What the tests are built with -------------*- C++ -*-===//

#ifndef DS_RUNTIME_TEST_SANITIZERS_H
#define DS_RUNTIME_TEST_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__)
#define DS_TEST_ADDRESS 1
#elif defined(__SANITIZE_THREAD__)
#define DS_TEST_THREAD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DS_TEST_ADDRESS 1
#elif __has_feature(thread_sanitizer)
#define DS_TEST_THREAD 1
#endif
#endif

/// Sanitizers replace the allocator: it cannot be counted, and it ends the
/// process where the system's would return null.
#if defined(DS_TEST_ADDRESS) || defined(DS_TEST_THREAD)
#define DS_TEST_SANITIZED 1
#endif

#endif // DS_RUNTIME_TEST_SANITIZERS_H
