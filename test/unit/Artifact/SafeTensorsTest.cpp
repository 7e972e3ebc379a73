#include "ds/Artifact/SafeTensors.h"
#include "Safetensors.h"
#include <gmock/gmock.h>

using namespace mlir::ds::artifact;

namespace {

SafeTensorsWriter::DataWriter bytes(std::string text) {
  return [text](llvm::raw_ostream &os) {
    os << text;
    return llvm::Error::success();
  };
}

std::string contentsOf(const SafeTensorsWriter &writer) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (llvm::Error error = writer.write(os)) {
    ADD_FAILURE() << llvm::toString(std::move(error));
    return "";
  }
  return text;
}

TEST(SafeTensorsWriter, AlignsTensorsWithPadding) {
  SafeTensorsWriter writer;
  EXPECT_TRUE(writer.empty());
  EXPECT_EQ(writer.add("a", "u8", {5}, 5, bytes("hello")), 0u);
  EXPECT_EQ(writer.add("b", "f16", {2, 1}, 4, bytes("worl")), 64u);
  EXPECT_EQ(writer.add("c", "f32", {16}, 64, bytes(std::string(64, 'c'))),
            128u);
  EXPECT_EQ(writer.add("d", "bool", {}, 1, bytes("d")), 192u);
  EXPECT_EQ(writer.dataBytes(), 193u);
  writer.addMetadata("rtol", "1e-5");

  std::string text = contentsOf(writer);
  ds::rt::ByteView file(text.data(), text.size()), data;
  ASSERT_TRUE(ds::rt::findTensorData(file, data).ok());
  EXPECT_EQ((data.data() - file.data()) % 64, 0);
  EXPECT_EQ(data.size(), 193u);

  ds::rt::SafetensorsFile read;
  ASSERT_EQ(read.read(file).text(), "");
  EXPECT_EQ(read.metadata.at("rtol"), "1e-5");
  EXPECT_EQ(read.tensors.at("b").sizes, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(read.tensors.at("b").type, DS_F16);
  EXPECT_EQ(read.tensors.at("b").bytes.text(), "worl");
  // No holes: the tensors and the padding cover all bytes.
  uint64_t covered = 0;
  for (const auto &[name, tensor] : read.tensors)
    covered += tensor.bytes.size();
  EXPECT_EQ(covered, data.size());
  EXPECT_EQ(read.tensors.at("__pad.0").bytes.size(), 59u);
}

TEST(SafeTensorsWriter, WritesEmptyFilesAndTensors) {
  SafeTensorsWriter writer;
  std::string empty = contentsOf(writer);
  ds::rt::SafetensorsFile file;
  EXPECT_EQ(file.read({empty.data(), empty.size()}).text(), "");
  writer.add("e", "f32", {0, 3}, 0, bytes(""));
  writer.add("f", "f32", {1}, 4, bytes("1234"));
  std::string text = contentsOf(writer);
  EXPECT_EQ(file.read({text.data(), text.size()}).text(), "");
  EXPECT_EQ(file.tensors.at("e").bytes.size(), 0u);
}

TEST(SafeTensorsWriter, TellsOfWrongSizesAndTypes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  SafeTensorsWriter shortOne;
  shortOne.add("x", "f32", {2}, 8, bytes("123"));
  EXPECT_EQ(llvm::toString(shortOne.write(os)),
            "tensor 'x' has 3 bytes, expected 8");
  SafeTensorsWriter unknown;
  unknown.add("x", "f31", {1}, 4, bytes("1234"));
  EXPECT_EQ(llvm::toString(unknown.write(os)), "unknown element type 'f31'");
  SafeTensorsWriter failing;
  failing.add("x", "f32", {1}, 4, [](llvm::raw_ostream &) {
    return llvm::createStringError("cannot read");
  });
  EXPECT_EQ(llvm::toString(failing.write(os)), "cannot read");
}

} // namespace
