#include "ElementType.h"

#include <cstring>

using namespace ds::rt;

namespace {
struct TypeInfo {
  const char *name, *formatName;
  size_t size;
};
// In the order of ds_type.
constexpr TypeInfo types[] = {
    {"f32", "F32", 4},   {"f64", "F64", 8}, {"f16", "F16", 2},
    {"bf16", "BF16", 2}, {"i8", "I8", 1},   {"i16", "I16", 2},
    {"i32", "I32", 4},   {"i64", "I64", 8}, {"u8", "U8", 1},
    {"u16", "U16", 2},   {"u32", "U32", 4}, {"u64", "U64", 8},
    {"bool", "BOOL", 1},
};
constexpr size_t typeCount = sizeof(types) / sizeof(types[0]);
static_assert(typeCount == DS_BOOL + 1);

bool isType(ds_type type) { return size_t(type) < typeCount; }

template <typename T> T load(const void *data, uint64_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + index * sizeof(T),
              sizeof(T));
  return value;
}
} // namespace

const char *ds::rt::typeName(ds_type type) {
  return isType(type) ? types[type].name : nullptr;
}

size_t ds::rt::typeSize(ds_type type) {
  return isType(type) ? types[type].size : 0;
}

bool ds::rt::typeFromName(std::string_view name, ds_type &type) {
  for (size_t i = 0; i < typeCount; ++i)
    if (name == types[i].name) {
      type = ds_type(i);
      return true;
    }
  return false;
}

bool ds::rt::typeFromFormatName(std::string_view name, ds_type &type) {
  for (size_t i = 0; i < typeCount; ++i)
    if (name == types[i].formatName) {
      type = ds_type(i);
      return true;
    }
  return false;
}

bool ds::rt::isFloat(ds_type type) {
  return type == DS_F32 || type == DS_F64 || type == DS_F16 || type == DS_BF16;
}

float ds::rt::bfloatToFloat(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

float ds::rt::halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1f, mantissa = bits & 0x3ff;
  uint32_t wide;
  if (exponent == 0) {
    // Subnormal: the value is mantissa * 2^-24, exact in a float.
    float value = float(mantissa) * 0x1p-24f;
    std::memcpy(&wide, &value, sizeof(wide));
    wide |= sign;
  } else if (exponent == 0x1f) {
    wide = sign | 0x7f800000 | mantissa << 13;
  } else {
    wide = sign | (exponent + 112) << 23 | mantissa << 13;
  }
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

double ds::rt::loadFloat(ds_type type, const void *data, uint64_t index) {
  switch (type) {
  case DS_F32:
    return load<float>(data, index);
  case DS_F64:
    return load<double>(data, index);
  case DS_F16:
    return halfToFloat(load<uint16_t>(data, index));
  case DS_BF16:
    return bfloatToFloat(load<uint16_t>(data, index));
  default:
    return 0;
  }
}
