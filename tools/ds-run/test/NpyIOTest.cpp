#include "NpyIO.h"
#include "TestModel.h"
#include <gmock/gmock.h>

using namespace ds;
using namespace ds::run;
using testing::HasSubstr;

namespace {

/// A file as NumPy writes it.
std::string npy(const std::string &header, const std::string &data,
                int version = 1) {
  std::string text = header + "\n";
  std::string out = "\x93NUMPY";
  out += {char(version), 0};
  for (size_t i = 0; i < (version == 1 ? 2u : 4u); ++i)
    out += char(text.size() >> (8 * i) & 0xff);
  return out + text + data;
}

std::string messageOf(const std::string &contents) {
  try {
    parseNpy(contents);
  } catch (const Error &error) {
    EXPECT_EQ(error.status(), DS_ERROR_ARGUMENT);
    return error.what();
  }
  return "";
}

TEST(NpyIO, ReadsNumPysOwnHeaders) {
  for (int version : {1, 2, 3}) {
    Tensor tensor = parseNpy(npy("{'descr': '<f4', 'fortran_order': False, "
                                 "'shape': (2, 3), }            ",
                                 std::string(24, '\1'), version));
    EXPECT_EQ(tensor.type, DS_F32);
    EXPECT_EQ(tensor.sizes, (std::vector<int64_t>{2, 3}));
    EXPECT_TRUE(tensor.strides.empty());
    EXPECT_EQ(tensor.bytes.size(), 24u);
  }
  Tensor vector = parseNpy(npy("{'descr': '|b1', 'fortran_order': False, "
                               "'shape': (3,), }",
                               "\1\1\1"));
  EXPECT_EQ(vector.type, DS_BOOL);
  EXPECT_EQ(vector.sizes, std::vector<int64_t>{3});
  Tensor scalar = parseNpy(npy("{\"shape\":(),\"fortran_order\":False,"
                               "\"descr\":\"<i8\"}",
                               std::string(8, '\0')));
  EXPECT_TRUE(scalar.sizes.empty());
}

TEST(NpyIO, ReadsFortranOrderAsStrides) {
  Tensor tensor = parseNpy(npy("{'descr': '<f8', 'fortran_order': True, "
                               "'shape': (2, 3, 4), }",
                               std::string(192, '\0')));
  EXPECT_EQ(tensor.strides, (std::vector<int64_t>{1, 2, 6}));
}

TEST(NpyIO, RoundTripsEveryType) {
  for (int type = DS_F32; type <= DS_BOOL; ++type) {
    Tensor tensor = Tensor::zeros(ds_type(type), {2, 3});
    for (size_t i = 0; i < tensor.bytes.size(); ++i)
      tensor.bytes[i] = type == DS_BOOL ? i % 2 : uint8_t(7 * i);
    std::string contents = formatNpy(tensor.view(nullptr));
    size_t data = contents.size() - tensor.bytes.size();
    EXPECT_EQ(data % 64, 0u);
    EXPECT_EQ(contents[data - 1], '\n');
    Tensor back = parseNpy(contents);
    EXPECT_EQ(back.type, tensor.type);
    EXPECT_EQ(back.sizes, tensor.sizes);
    EXPECT_EQ(back.bytes, tensor.bytes);
  }
}

TEST(NpyIO, WritesBfloat16AsMlDtypesDoes) {
  Tensor tensor = Tensor::zeros(DS_BF16, {1});
  EXPECT_THAT(formatNpy(tensor.view(nullptr)), HasSubstr("'descr': '<V2'"));
  for (const char *code : {"<V2", "|V2"})
    EXPECT_EQ(parseNpy(npy(std::string("{'descr': '") + code +
                               "', 'fortran_order': False, 'shape': (1,)}",
                           "\1\2"))
                  .type,
              DS_BF16);
}

TEST(NpyIO, RefusesOtherContents) {
  EXPECT_EQ(messageOf(""), "is not a .npy file");
  EXPECT_EQ(messageOf("PK and so on and on"), "is not a .npy file");
  EXPECT_EQ(messageOf(npy("{}", "", 9)), "has .npy version 9, expected 1 to 3");
  EXPECT_EQ(messageOf(npy("{'descr': '>f4', 'fortran_order': False, "
                          "'shape': (1,), }",
                          "abcd")),
            "its element type '>f4' is not supported (little-endian numbers "
            "and booleans are)");
  EXPECT_EQ(messageOf(npy("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (2,), }",
                          "abcd")),
            "has 4 bytes of data, expected 8");
  EXPECT_THAT(messageOf(npy("{'descr': '|O', 'fortran_order': False, "
                            "'shape': (), }",
                            "")),
              HasSubstr("'|O' is not supported"));
  EXPECT_THAT(messageOf(npy("{'descr': [('a', '<f4')], 'shape': ()}", "")),
              HasSubstr("header"));
}

TEST(NpyIO, RefusesEveryTruncation) {
  Tensor tensor = Tensor::zeros(DS_F32, {2, 3});
  std::string contents = formatNpy(tensor.view(nullptr));
  for (size_t length = 0; length < contents.size(); ++length)
    EXPECT_NE(messageOf(contents.substr(0, length)), "") << length;
  EXPECT_NE(messageOf(contents + "x"), "");
}

TEST(NpyIO, RefusesHostileShapes) {
  for (const char *shape :
       {"(99999999999999999999,)", "(4611686018427387904, 4)",
        "(4294967296, 4294967296)", "(-1,)", "(1 2)", "(1,,)", "1", "(x,)"}) {
    std::string header = std::string("{'descr': '<f4', 'fortran_order': False, "
                                     "'shape': ") +
                         shape + ", }";
    EXPECT_NE(messageOf(npy(header, "")), "") << shape;
  }
}

TEST(NpyIO, SurvivesRandomHeaders) {
  Tensor tensor = Tensor::zeros(DS_F32, {2, 3});
  const std::string contents = formatNpy(tensor.view(nullptr));
  unsigned state = 1;
  for (int i = 0; i < 5000; ++i) {
    std::string broken = contents;
    for (int changes = 0; changes < 3; ++changes) {
      state = state * 1664525 + 1013904223;
      broken[(state >> 8) % 80] = char(state >> 24);
    }
    messageOf(broken);
  }
}

TEST(NpyIO, NamesTheFile) {
  test::TemporaryFile file("x", ".npy");
  try {
    readNpy(file.path());
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.what(), file.path() + ": is not a .npy file");
  }
  EXPECT_THROW(readNpy("/nonexistent/x.npy"), Error);
  EXPECT_THROW(
      writeNpy("/nonexistent/x.npy", Tensor::zeros(DS_F32, {1}).view(nullptr)),
      Error);
}

} // namespace
