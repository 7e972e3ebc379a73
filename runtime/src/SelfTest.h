//===- SelfTest.h - Proves an artifact on its target ------------*- C++ -*-===//

#ifndef DS_RUNTIME_SELFTEST_H
#define DS_RUNTIME_SELFTEST_H

#include "Module.h"

namespace ds::rt {

/// See ds_module_self_test. The member holds tensors "<entry>/in/<input>" and
/// "<entry>/out/<output>"; its metadata may set "rtol" and "atol".
Status selfTest(Module &module, ds_self_test_fn fn, void *user);

} // namespace ds::rt

#endif // DS_RUNTIME_SELFTEST_H
