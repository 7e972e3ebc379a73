#include "Compare.h"

#include "ElementType.h"
#include "Manifest.h"
#include "Shapes.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

using namespace ds::rt;

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

/// For integers of any kind: equality is exact, the difference is for display.
double loadNumber(ds_type type, const uint8_t *at) {
  auto as = [&](auto value) {
    std::memcpy(&value, at, sizeof(value));
    return double(value);
  };
  switch (type) {
  case DS_I8:
    return as(int8_t());
  case DS_I16:
    return as(int16_t());
  case DS_I32:
    return as(int32_t());
  case DS_I64:
    return as(int64_t());
  case DS_U16:
    return as(uint16_t());
  case DS_U32:
    return as(uint32_t());
  case DS_U64:
    return as(uint64_t());
  case DS_U8:
  case DS_BOOL:
    return *at;
  default:
    return loadFloat(type, at, 0);
  }
}

class Comparer {
public:
  Comparer(ds_type type, double rtol, double atol, ds_comparison &result)
      : type(type), rtol(rtol), atol(atol), result(result) {}

  void element(uint64_t index, const uint8_t *a, const uint8_t *e) {
    ++result.elements;
    double actual = loadNumber(type, a), expected = loadNumber(type, e);
    double difference = std::abs(actual - expected);
    bool equal;
    if (!isFloat(type)) {
      equal = std::memcmp(a, e, typeSize(type)) == 0;
    } else if (std::isnan(expected) || std::isnan(actual)) {
      equal = std::isnan(expected) && std::isnan(actual);
      difference = equal ? 0 : std::numeric_limits<double>::infinity();
    } else if (std::isinf(expected) || std::isinf(actual)) {
      equal = actual == expected;
      difference = equal ? 0 : std::numeric_limits<double>::infinity();
    } else {
      equal = difference <= atol + rtol * std::abs(expected);
    }
    result.mismatches += !equal;
    if (expected != 0 && difference != 0)
      result.max_rel =
          std::max(result.max_rel, difference / std::abs(expected));
    if (difference > result.max_abs ||
        (!equal && result.mismatches == 1 && difference >= result.max_abs)) {
      result.max_abs = difference;
      result.worst = index;
      result.worst_actual = actual;
      result.worst_expected = expected;
    }
  }

private:
  ds_type type;
  double rtol, atol;
  ds_comparison &result;
};

/// The tensor's dense bytes: its own, or a packed copy in `storage`.
const uint8_t *denseData(const ds_tensor &tensor, uint64_t bytes,
                         std::vector<uint8_t> &storage) {
  if (!tensor.strides || isDense(tensor.sizes, tensor.strides, tensor.rank))
    return static_cast<const uint8_t *>(tensor.data);
  storage.resize(bytes);
  copyTensor(storage.data(), nullptr, tensor.data, tensor.strides, tensor.sizes,
             tensor.rank, typeSize(tensor.type));
  return storage.data();
}

} // namespace

Status ds::rt::compareTensors(const ds_tensor &actual,
                              const ds_tensor &expected, double rtol,
                              double atol, ds_comparison &result) {
  result = {};
  for (const ds_tensor *tensor : {&actual, &expected})
    if (!typeName(tensor->type) || tensor->rank < 0 || tensor->rank > maxRank ||
        (tensor->rank > 0 && !tensor->sizes))
      return {DS_ERROR_ARGUMENT, "a tensor to compare is not valid"};
  if (actual.type != expected.type)
    return {DS_ERROR_ARGUMENT, "has element type ", typeName(actual.type),
            ", expected ", typeName(expected.type)};
  if (actual.rank != expected.rank ||
      !std::equal(actual.sizes, actual.sizes + actual.rank, expected.sizes))
    return {DS_ERROR_ARGUMENT, "has the shape ",
            shapeText(actual.sizes, actual.rank), ", expected ",
            shapeText(expected.sizes, expected.rank)};
  size_t size = typeSize(actual.type);
  uint64_t bytes;
  if (!denseBytes(actual.sizes, actual.rank, size, bytes) ||
      (bytes > 0 && (!actual.data || !expected.data)))
    return {DS_ERROR_ARGUMENT, "a tensor to compare has no data"};
  std::vector<uint8_t> actualCopy, expectedCopy;
  const uint8_t *a = denseData(actual, bytes, actualCopy);
  const uint8_t *e = denseData(expected, bytes, expectedCopy);
  Comparer comparer(actual.type, rtol, atol, result);
  for (uint64_t i = 0; i < bytes / size; ++i)
    comparer.element(i, a + i * size, e + i * size);
  if (result.mismatches == 0)
    return {};
  return {DS_DIFFERENT,
          result.mismatches,
          " of ",
          result.elements,
          " elements differ; the largest difference is ",
          number(result.max_abs),
          " at element ",
          result.worst,
          ": found ",
          number(result.worst_actual),
          ", expected ",
          number(result.worst_expected)};
}
