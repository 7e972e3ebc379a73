#include "Tensor.h"
#include <gmock/gmock.h>

using namespace ds;
using namespace ds::run;
using testing::HasSubstr;

namespace {

std::string roundTrip(const std::string &text) {
  Tensor tensor = parseLiteral(text);
  return formatLiteral(tensor.view(nullptr));
}

std::string messageOf(const std::string &text) {
  try {
    parseLiteral(text);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(Literal, RoundTrips) {
  for (const char *text :
       {"2x3xf32=1,2,3,4,5.5,-6e-05", "f64=0.1", "2xi64=9223372036854775807,-1",
        "1xu64=18446744073709551615", "3xi8=-128,0,127", "2xbool=0,1",
        "4xf16=1,-2,6.1035156e-05,65504", "2xbf16=1,-0.5", "2xf32=inf,-inf",
        "0x3xf32="})
    EXPECT_EQ(roundTrip(text), text);
  EXPECT_EQ(roundTrip("1xf32=nan"), "1xf32=nan");
  EXPECT_EQ(roundTrip("2xbool=true,false"), "2xbool=1,0");
}

TEST(Literal, RepeatsOneValue) {
  EXPECT_EQ(roundTrip("2x2xf32=7"), "2x2xf32=7,7,7,7");
  EXPECT_EQ(roundTrip("2xi32"), "2xi32=0,0");
  EXPECT_EQ(roundTrip("0xi32=5"), "0xi32=");
}

TEST(Literal, RoundsToNearestEven) {
  auto bits = [](const char *text) {
    Tensor tensor = parseLiteral(text);
    return tensor.bytes[0] | tensor.bytes[1] << 8;
  };
  EXPECT_EQ(bits("f16=1.00048828125"), 0x3c00); // Half way: to even.
  EXPECT_EQ(bits("f16=1.00146484375"), 0x3c02); // Half way: to even.
  EXPECT_EQ(bits("f16=65519"), 0x7bff);
  EXPECT_EQ(bits("f16=65520"), 0x7c00);             // Overflows.
  EXPECT_EQ(bits("f16=5.9604644775390625e-08"), 1); // Smallest subnormal.
  EXPECT_EQ(bits("f16=2e-08"), 0);
  EXPECT_EQ(bits("f16=-0.0"), 0x8000);
  EXPECT_EQ(bits("f16=6.103515625e-05"), 0x0400); // Smallest normal.
  EXPECT_EQ(bits("bf16=1.00390625"), 0x3f80);     // Half way: to even.
  EXPECT_EQ(bits("bf16=1.01171875"), 0x3f82);
  EXPECT_EQ(bits("bf16=3.4e38"), 0x7f80);
  EXPECT_EQ(bits("bf16=1e-40"), 0x0001);
}

TEST(Literal, RefusesWhatDoesNotFit) {
  EXPECT_EQ(messageOf("2xf32=1,2,3"), "has 3 values, expected 2 or 1");
  EXPECT_EQ(messageOf("3xf32=1,2"), "has 2 values, expected 3 or 1");
  EXPECT_EQ(messageOf("f32=1,2"), "has 2 values, expected 1");
  EXPECT_EQ(messageOf("2xf32=1,"), "a value is missing after the last comma");
  EXPECT_EQ(messageOf("2xf33=1"), "'f33' is not an element type");
  EXPECT_EQ(messageOf("f32=x"), "'x' is not a value of this type");
  EXPECT_EQ(messageOf("i8=128"), "the value '128' is out of range");
  EXPECT_EQ(messageOf("i32=1.5"), "'1.5' is not a value of this type");
  EXPECT_EQ(messageOf("bool=2"), "'2' is not 0, 1, true or false");
  EXPECT_EQ(messageOf("-2xf32"), "a size is negative");
  EXPECT_THAT(messageOf("4294967296x4294967296xf32"), HasSubstr("too many"));
  EXPECT_NE(messageOf(""), "");
  EXPECT_NE(messageOf("x"), "");
}

} // namespace
