#include "Safetensors.h"
#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

std::string read(const std::string &bytes) {
  rt::SafetensorsFile file;
  return file.read({bytes.data(), bytes.size()}).text();
}

std::string withHeader(const std::string &header, size_t dataBytes) {
  uint64_t length = header.size();
  return std::string(reinterpret_cast<const char *>(&length), 8) + header +
         std::string(dataBytes, '\0');
}

TEST(Safetensors, ReadsTensors) {
  std::string bytes = safetensors({{"x", "F32", {2, 1}, bytesOf<float>({1, 2})},
                                   {"n", "I64", {}, bytesOf<int64_t>({5})}},
                                  {{"rtol", "0.5"}});
  rt::SafetensorsFile file;
  ASSERT_EQ(file.read({bytes.data(), bytes.size()}).text(), "");
  EXPECT_EQ(file.metadata.at("rtol"), "0.5");
  EXPECT_EQ(file.tensors.at("x").type, DS_F32);
  EXPECT_EQ(file.tensors.at("x").sizes, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(file.tensors.at("n").bytes.size(), 8u);
}

TEST(Safetensors, RefusesWhatDoesNotFit) {
  EXPECT_NE(read(""), "");
  EXPECT_NE(read(std::string(8, '\xff')), "");
  EXPECT_NE(read(withHeader("[]", 0)), "");
  const char *tensors[] = {
      R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})",
      R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})",
      R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})",
      R"({"dtype":"F32","shape":[1],"data_offsets":[0]})",
      R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})",
      R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})",
      R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})",
      R"({"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]})",
      R"({"shape":[1],"data_offsets":[0,4]})",
      R"({"dtype":"F32","data_offsets":[0,4]})",
      R"(3)",
  };
  for (const char *tensor : tensors)
    EXPECT_NE(read(withHeader("{\"x\":" + std::string(tensor) + "}", 4)), "")
        << tensor;
}

} // namespace
