// The headers are C headers.
#include "ds/abi.h"
#include "ds/runtime.h"

const char *versionFromC(void) { return ds_runtime_version(); }
