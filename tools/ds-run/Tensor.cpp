#include "Tensor.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

using namespace ds;
using namespace ds::run;

void run::fail(const std::string &message) {
  throw Error(DS_ERROR_ARGUMENT, message);
}

uint64_t run::countElements(const std::vector<int64_t> &sizes) {
  uint64_t count = 1;
  for (int64_t size : sizes)
    if (size == 0)
      return 0;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(count, uint64_t(size), &count) ||
        count > uint64_t(1) << 56)
      fail("the tensor has too many elements");
  return count;
}

Tensor Tensor::zeros(ds_type type, std::vector<int64_t> sizes) {
  Tensor tensor;
  tensor.type = type;
  tensor.bytes.resize(countElements(sizes) * ds_type_size(type));
  tensor.sizes = std::move(sizes);
  return tensor;
}

Tensor Tensor::copyOf(const ds_tensor &tensor) {
  Tensor copy = zeros(tensor.type, {tensor.sizes, tensor.sizes + tensor.rank});
  if (!copy.bytes.empty())
    std::memcpy(copy.bytes.data(), tensor.data, copy.bytes.size());
  return copy;
}

ds_tensor Tensor::view(const char *name) const {
  ds_tensor tensor = {};
  tensor.name = name;
  tensor.type = type;
  tensor.rank = int32_t(sizes.size());
  tensor.sizes = sizes.data();
  tensor.strides = strides.empty() ? nullptr : strides.data();
  tensor.data = const_cast<uint8_t *>(bytes.data());
  tensor.capacity = bytes.size();
  return tensor;
}

namespace {

/// Rounds to nearest, ties to even, into a format with the given number of
/// exponent and mantissa bits: f16 is (5, 10), bf16 is (8, 7).
uint16_t roundTo(double value, int exponentBits, int mantissaBits) {
  int bias = (1 << (exponentBits - 1)) - 1;
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  uint16_t infinity = uint16_t(((1 << exponentBits) - 1) << mantissaBits);
  if (std::isnan(value))
    return sign | infinity | uint16_t(1 << (mantissaBits - 1));
  double magnitude = std::abs(value);
  if (std::isinf(magnitude))
    return sign | infinity;
  if (magnitude == 0)
    return sign;
  int exponent;
  std::frexp(magnitude, &exponent);
  // The unit in the last place; subnormals share that of the smallest normal.
  int ulp = std::max(exponent - 1, 1 - bias) - mantissaBits;
  auto units = uint64_t(std::nearbyint(std::ldexp(magnitude, -ulp)));
  int biased = ulp + mantissaBits + bias;
  // Adding instead of or-ing lets a carry move on into the exponent.
  uint64_t bits = (uint64_t(biased - 1) << mantissaBits) + units;
  return sign | uint16_t(std::min<uint64_t>(bits, infinity));
}

template <typename T> T parseNumber(std::string_view text) {
  T value{};
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    fail("the value '" + std::string(text) + "' is out of range");
  if (error != std::errc() || end != text.data() + text.size())
    fail("'" + std::string(text) + "' is not a value of this type");
  return value;
}

void parseElement(ds_type type, std::string_view text, uint8_t *to) {
  auto store = [&](auto value) { std::memcpy(to, &value, sizeof(value)); };
  switch (type) {
  case DS_F32:
    return store(parseNumber<float>(text));
  case DS_F64:
    return store(parseNumber<double>(text));
  case DS_F16:
    return store(roundTo(parseNumber<double>(text), 5, 10));
  case DS_BF16:
    return store(roundTo(parseNumber<double>(text), 8, 7));
  case DS_I8:
    return store(parseNumber<int8_t>(text));
  case DS_I16:
    return store(parseNumber<int16_t>(text));
  case DS_I32:
    return store(parseNumber<int32_t>(text));
  case DS_I64:
    return store(parseNumber<int64_t>(text));
  case DS_U8:
    return store(parseNumber<uint8_t>(text));
  case DS_U16:
    return store(parseNumber<uint16_t>(text));
  case DS_U32:
    return store(parseNumber<uint32_t>(text));
  case DS_U64:
    return store(parseNumber<uint64_t>(text));
  case DS_BOOL:
    if (text != "0" && text != "1" && text != "true" && text != "false")
      fail("'" + std::string(text) + "' is not 0, 1, true or false");
    return store(uint8_t(text == "1" || text == "true"));
  }
}

/// The value of 16 bits with the given format, exactly.
double widen(uint16_t bits, int exponentBits, int mantissaBits) {
  int bias = (1 << (exponentBits - 1)) - 1;
  int exponent = (bits & 0x7fff) >> mantissaBits;
  int mantissa = bits & ((1 << mantissaBits) - 1);
  double value;
  if (exponent == (1 << exponentBits) - 1)
    value = mantissa ? std::numeric_limits<double>::quiet_NaN()
                     : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    value = std::ldexp(mantissa, 1 - bias - mantissaBits);
  else
    value = std::ldexp((1 << mantissaBits) + mantissa,
                       exponent - bias - mantissaBits);
  return bits & 0x8000 ? -value : value;
}

template <typename T> std::string print(T value) {
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, end);
}

std::string formatElement(ds_type type, const uint8_t *from) {
  auto as = [&](auto value) {
    std::memcpy(&value, from, sizeof(value));
    return value;
  };
  switch (type) {
  case DS_F32:
    return print(as(float()));
  case DS_F64:
    return print(as(double()));
  case DS_F16:
    return print(float(widen(as(uint16_t()), 5, 10)));
  case DS_BF16:
    return print(float(widen(as(uint16_t()), 8, 7)));
  case DS_I8:
    return print(int(as(int8_t())));
  case DS_I16:
    return print(as(int16_t()));
  case DS_I32:
    return print(as(int32_t()));
  case DS_I64:
    return print(as(int64_t()));
  case DS_U16:
    return print(as(uint16_t()));
  case DS_U32:
    return print(as(uint32_t()));
  case DS_U64:
    return print(as(uint64_t()));
  case DS_U8:
  case DS_BOOL:
    return print(unsigned(as(uint8_t())));
  }
  return "?";
}

} // namespace

Tensor run::parseLiteral(std::string_view text) {
  size_t equals = text.find('=');
  std::string_view shape = text.substr(0, equals);
  std::vector<int64_t> sizes;
  size_t x;
  while ((x = shape.find('x')) != std::string_view::npos) {
    sizes.push_back(parseNumber<int64_t>(shape.substr(0, x)));
    if (sizes.back() < 0)
      fail("a size is negative");
    shape.remove_prefix(x + 1);
  }
  ds_type type;
  check(ds_type_from_name(std::string(shape).c_str(), &type));
  Tensor tensor = Tensor::zeros(type, std::move(sizes));
  if (equals == std::string_view::npos)
    return tensor;

  std::string_view values = text.substr(equals + 1);
  size_t size = ds_type_size(type);
  size_t count = tensor.bytes.size() / size, given = 0;
  while (!values.empty()) {
    size_t comma = values.find(',');
    if (given < count)
      parseElement(type, values.substr(0, comma), &tensor.bytes[given * size]);
    ++given;
    if (comma == std::string_view::npos)
      break;
    values.remove_prefix(comma + 1);
    if (values.empty())
      fail("a value is missing after the last comma");
  }
  if (given == 1)
    for (size_t i = size; i < tensor.bytes.size(); ++i)
      tensor.bytes[i] = tensor.bytes[i - size];
  else if (given != count)
    fail("has " + std::to_string(given) + " values, expected " +
         std::to_string(count) + (count == 1 ? "" : " or 1"));
  return tensor;
}

std::string run::formatShape(const ds_tensor &tensor) {
  std::string text;
  for (int32_t i = 0; i < tensor.rank; ++i)
    text += std::to_string(tensor.sizes[i]) + "x";
  return text + ds_type_name(tensor.type);
}

std::string run::formatLiteral(const ds_tensor &tensor) {
  std::string text = formatShape(tensor) + "=";
  size_t size = ds_type_size(tensor.type);
  uint64_t count = countElements({tensor.sizes, tensor.sizes + tensor.rank});
  const auto *data = static_cast<const uint8_t *>(tensor.data);
  for (uint64_t i = 0; i < count; ++i) {
    if (i)
      text += ',';
    text += formatElement(tensor.type, data + i * size);
  }
  return text;
}
