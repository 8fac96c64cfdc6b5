// The data format of the process: what Keras' configuration file may say, and when it is read.
#include "tconv/image_data_format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/image_data_format_file.h"
#include "runtime/layer_definition.h"

namespace tconv {
namespace {

namespace fs = std::filesystem;

// A folder that lives as long as the test.
class Folder {
 public:
  Folder() {
    std::string path = fs::temp_directory_path() / "tconv_XXXXXX";
    path_ = mkdtemp(path.data());
  }
  ~Folder() { fs::remove_all(path_); }

  fs::path write(const std::string &text) const {
    std::ofstream(path() / "keras.json") << text;
    return path() / "keras.json";
  }
  fs::path path() const { return path_; }

 private:
  fs::path path_;
};

Result<DataFormat> read(const std::string &text) { return read_image_data_format(Folder().write(text)); }

// The refusal of a file with that text, from its path on.
std::string refusal(const std::string &text) {
  const Folder folder;
  const fs::path path = folder.write(text);
  const std::string message = read_image_data_format(path).status().message();
  const std::string start = "Keras' configuration '" + path.string() + "'";
  EXPECT_TRUE(message.starts_with(start)) << message;
  return message.substr(std::min(message.size(), start.size()));
}

TEST(ImageDataFormat, FileSaysIt) {
  EXPECT_EQ(read(R"({"image_data_format": "channels_first", "backend": "jax"})").value(), DataFormat::channels_first);
  EXPECT_EQ(read(R"({"image_data_format": "channels_last"})").value(), DataFormat::channels_last);
}

TEST(ImageDataFormat, ChannelsAreLastWhereNothingIsSaid) {
  EXPECT_EQ(read(R"({"floatx": "float32", "epsilon": 1e-07})").value(), DataFormat::channels_last);
  EXPECT_EQ(read_image_data_format(Folder().path() / "keras.json").value(), DataFormat::channels_last);
  EXPECT_EQ(read_image_data_format("").value(), DataFormat::channels_last);
}

TEST(ImageDataFormat, RefusalsNameThePathAndTheValue) {
  EXPECT_EQ(refusal(R"({"image_data_format": "NCHW"})"),
            ": image_data_format 'NCHW' must be 'channels_last' or 'channels_first'");
  EXPECT_EQ(refusal(R"({"image_data_format": null})"),
            ": image_data_format null must be 'channels_last' or 'channels_first'");
  EXPECT_EQ(refusal("[]"), " must be a JSON object");
  EXPECT_EQ(refusal("").substr(0, 11), ": not JSON:");
  EXPECT_EQ(refusal(R"({"backend": "jax")").substr(0, 11), ": not JSON:");
  EXPECT_EQ(refusal(std::string(2 << 20, ' ')), ": the JSON has 1048577 bytes, more than 1048576");
}

TEST(ImageDataFormat, FolderInPlaceOfTheFileIsRefused) {
  const Folder folder;
  const Status status = read_image_data_format(folder.path()).status();
  EXPECT_EQ(status.code(), StatusCode::io_error);
  EXPECT_EQ(status.message(), "Keras' configuration '" + folder.path().string() + "' cannot be read");
}

// The only test of this program that asks for the process' setting, which is read once.
TEST(ImageDataFormat, ProcessReadsItsFileOnceAndLayersNeedItToBeGood) {
  const Folder folder;
  folder.write(R"({"image_data_format": "first"})");
  ASSERT_EQ(setenv("KERAS_HOME", folder.path().c_str(), 1), 0);
  const std::string message = image_data_format().status().message();
  EXPECT_NE(message.find("image_data_format 'first' must be"), std::string::npos) << message;
  folder.write(R"({"image_data_format": "channels_first"})");
  EXPECT_EQ(image_data_format().status().message(), message);

  const std::string open = R"({"filters": 4, "kernel_size": 3})";
  const std::string said = R"({"filters": 4, "kernel_size": 3, "data_format": "channels_last"})";
  EXPECT_EQ(read_definition(open, 2, {}).status().message(), message);
  EXPECT_TRUE(read_definition(said, 2, {}).ok());

  EXPECT_EQ(set_image_data_format("first").message(),
            "image_data_format 'first' must be 'channels_last' or 'channels_first'");
  EXPECT_FALSE(image_data_format().ok());
  ASSERT_TRUE(set_image_data_format("Channels_First").ok());
  EXPECT_EQ(image_data_format().value(), DataFormat::channels_first);
  EXPECT_EQ(read_definition(open, 2, {}).value().config.data_format, DataFormat::channels_first);
  EXPECT_EQ(read_definition(said, 2, {}).value().config.data_format, DataFormat::channels_last);
}

}  // namespace
}  // namespace tconv
