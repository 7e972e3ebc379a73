//===- ElementType.h - Element types and their numbers ----------*- C++ -*-===//

#ifndef DS_RUNTIME_ELEMENTTYPE_H
#define DS_RUNTIME_ELEMENTTYPE_H

#include "ds/runtime.h"
#include <string_view>

namespace ds::rt {

/// Name and size of a type; null for a value that is no type.
const char *typeName(ds_type type);
size_t typeSize(ds_type type);
/// By manifest name ("f32") or safetensors name ("F32").
bool typeFromName(std::string_view name, ds_type &type);
bool typeFromFormatName(std::string_view name, ds_type &type);
bool isFloat(ds_type type);

/// Element `index` of a float tensor (f32, f64, f16, bf16).
double loadFloat(ds_type type, const void *data, uint64_t index);
float halfToFloat(uint16_t bits);
float bfloatToFloat(uint16_t bits);

} // namespace ds::rt

#endif // DS_RUNTIME_ELEMENTTYPE_H
