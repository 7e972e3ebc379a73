#include "NpyIO.h"

#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

using namespace ds;
using namespace ds::run;

namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct TypeCode {
  std::string_view code;
  ds_type type;
};
// The first of a type is what is written.
constexpr TypeCode typeCodes[] = {
    {"<f4", DS_F32},  {"<f8", DS_F64},  {"<f2", DS_F16}, {"<V2", DS_BF16},
    {"|V2", DS_BF16}, {"|i1", DS_I8},   {"<i2", DS_I16}, {"<i4", DS_I32},
    {"<i8", DS_I64},  {"|u1", DS_U8},   {"<u2", DS_U16}, {"<u4", DS_U32},
    {"<u8", DS_U64},  {"|b1", DS_BOOL}, {"<i1", DS_I8},  {"<u1", DS_U8},
    {"<b1", DS_BOOL},
};

/// Reads the header: a Python dict of three known keys.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : rest(text) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr")
        descr = quoted();
      else if (key == "fortran_order")
        fortranOrder = boolean();
      else if (key == "shape")
        shape = tuple();
      else
        fail("its header has the unknown key '" + key + "'");
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!descr || !fortranOrder || !shape)
      fail("its header lacks descr, fortran_order or shape");
  }

  std::optional<std::string> descr;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<int64_t>> shape;

private:
  void skipSpace() {
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\n'))
      rest.remove_prefix(1);
  }
  bool accept(char c) {
    skipSpace();
    if (rest.empty() || rest[0] != c)
      return false;
    rest.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(std::string("its header has no '") + c + "' where expected");
  }
  bool acceptWord(std::string_view word) {
    skipSpace();
    if (rest.substr(0, word.size()) != word)
      return false;
    rest.remove_prefix(word.size());
    return true;
  }
  std::string quoted() {
    skipSpace();
    char quote = accept('"') ? '"' : '\'';
    if (quote == '\'')
      expect('\'');
    size_t end = rest.find(quote);
    if (end == std::string_view::npos)
      fail("its header has an unfinished string");
    std::string text(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    if (acceptWord("True"))
      return true;
    if (!acceptWord("False"))
      fail("its fortran_order is neither True nor False");
    return false;
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skipSpace();
      size_t digits = 0;
      int64_t size = 0;
      for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9';
           ++digits)
        if (__builtin_mul_overflow(size, int64_t(10), &size) ||
            __builtin_add_overflow(size, int64_t(rest[digits] - '0'), &size))
          fail("its shape has a size beyond 2^63");
      if (digits == 0)
        fail("its shape is not a tuple of sizes");
      rest.remove_prefix(digits);
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view rest;
};

ds_type typeFromCode(const std::string &code) {
  for (const TypeCode &known : typeCodes)
    if (known.code == code)
      return known.type;
  fail("its element type '" + code +
       "' is not supported (little-endian numbers and booleans are)");
}

[[noreturn]] void failNoNpy() { fail("is not a .npy file"); }

/// Splits a file into header text and data.
std::string_view takeHeader(std::string_view &contents) {
  if (contents.substr(0, magic.size()) != magic || contents.size() < 10)
    failNoNpy();
  int version = uint8_t(contents[6]);
  if (version < 1 || version > 3)
    fail("has .npy version " + std::to_string(version) + ", expected 1 to 3");
  uint64_t prefix = version == 1 ? 10 : 12, length = 0;
  if (contents.size() < prefix)
    fail("is truncated in its header");
  std::memcpy(&length, contents.data() + 8, prefix - 8);
  if (length > contents.size() - prefix)
    fail("is truncated in its header");
  std::string_view header = contents.substr(prefix, length);
  contents.remove_prefix(prefix + length);
  return header;
}

} // namespace

Tensor run::parseNpy(std::string_view contents) {
  HeaderParser header(takeHeader(contents));
  header.parse();
  Tensor tensor;
  tensor.type = typeFromCode(*header.descr);
  tensor.sizes = *header.shape;
  uint64_t bytes = countElements(tensor.sizes) * ds_type_size(tensor.type);
  if (contents.size() != bytes)
    fail("has " + std::to_string(contents.size()) +
         " bytes of data, expected " + std::to_string(bytes));
  tensor.bytes.assign(contents.begin(), contents.end());
  if (*header.fortranOrder && tensor.sizes.size() > 1 && bytes > 0) {
    int64_t stride = 1;
    for (int64_t size : tensor.sizes) {
      tensor.strides.push_back(stride);
      stride *= size;
    }
  }
  return tensor;
}

Tensor run::readNpy(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    fail(path + ": cannot be opened: " + std::strerror(errno));
  try {
    // Devices may have no end.
    std::string contents(magic.size(), '\0');
    if (!file.read(contents.data(), std::streamsize(contents.size())) ||
        contents != magic)
      failNoNpy();
    std::ostringstream rest;
    rest << file.rdbuf();
    if (file.bad())
      fail("cannot be read");
    return parseNpy(contents + std::move(rest).str());
  } catch (const Error &error) {
    fail(path + ": " + error.what());
  }
}

std::string run::formatNpy(const ds_tensor &tensor) {
  std::string_view code;
  for (const TypeCode &known : typeCodes)
    if (code.empty() && known.type == tensor.type)
      code = known.code;
  std::string header = "{'descr': '" + std::string(code) +
                       "', 'fortran_order': False, 'shape': (";
  for (int32_t i = 0; i < tensor.rank; ++i)
    header += (i ? ", " : "") + std::to_string(tensor.sizes[i]);
  header += tensor.rank == 1 ? ",), }" : "), }";
  // Data starts at a multiple of 64 bytes; the header ends in a newline.
  constexpr size_t prefix = 10, alignment = 64;
  size_t total =
      (prefix + header.size() + 1 + alignment - 1) / alignment * alignment;
  header.resize(total - prefix - 1, ' ');
  header += '\n';
  std::string contents(magic);
  contents += {1, 0, char(header.size() & 0xff), char(header.size() >> 8)};
  contents += header;
  uint64_t bytes = countElements({tensor.sizes, tensor.sizes + tensor.rank}) *
                   ds_type_size(tensor.type);
  if (bytes)
    contents.append(static_cast<const char *>(tensor.data), bytes);
  return contents;
}

void run::writeNpy(const std::string &path, const ds_tensor &tensor) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << formatNpy(tensor);
  file.close();
  if (!file)
    fail(path + ": cannot be written: " + std::strerror(errno));
}
