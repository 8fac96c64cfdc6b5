// .npy files: what NumPy itself wrote is read, what tconv writes is what NumPy would have written, and files that are
// cut, padded or lie about their sizes are refused with the numbers.
#include "tconv/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace tconv {
namespace {

namespace fs = std::filesystem;

// A file of format `major`.0 with this dict, without NumPy's padding.
std::string file(int major, const std::string &dict, const std::vector<float> &data) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) bytes += static_cast<char>(dict.size() >> (8 * i) & 0xff);
  bytes += dict;
  const std::size_t start = bytes.size();
  bytes.resize(start + data.size() * sizeof(float));
  if (!data.empty()) std::memcpy(&bytes[start], data.data(), data.size() * sizeof(float));
  return bytes;
}

std::string dict(const std::string &shape, const std::string &order = "False", const std::string &descr = "'<f4'") {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

Result<Tensor> parse(const std::string &bytes) { return parse_npy(std::as_bytes(std::span(bytes))); }

std::string refusal(const std::string &bytes) { return parse(bytes).status().message(); }

Tensor tensor(const std::string &bytes) {
  const Result<Tensor> result = parse(bytes);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? result.value() : Tensor();
}

class NpyFile : public testing::Test {
 protected:
  NpyFile() {
    const testing::TestInfo &test = *testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("tconv_npy_") + test.name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~NpyFile() override { fs::remove_all(folder_); }

  std::string path(const char *name) const { return (folder_ / name).string(); }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {})); }
  static std::string contents(const std::string &name) {
    std::ifstream stream(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path folder_;
};

TEST(Npy, ReadsEveryFormatVersion) {
  for (const int major : {1, 2, 3}) {
    const Tensor t = tensor(file(major, dict("(2, 3)"), {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(t.shape, (Shape{2, 3})) << major;
    EXPECT_EQ(t.data, (std::vector<float>{1, 2, 3, 4, 5, 6})) << major;
  }
}

TEST(Npy, BringsFortranOrderIntoRowMajorOrder) {
  // NumPy: np.asfortranarray(np.arange(6).reshape(2, 3)) writes 0 3 1 4 2 5.
  EXPECT_EQ(tensor(file(1, dict("(2, 3)", "True"), {0, 3, 1, 4, 2, 5})).data, (std::vector<float>{0, 1, 2, 3, 4, 5}));
  // And arange(12).reshape(2, 3, 2).
  EXPECT_EQ(tensor(file(1, dict("(2, 3, 2)", "True"), {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11})).data,
            (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(tensor(file(1, dict("(3,)", "True"), {1, 2, 3})).data, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(tensor(file(1, dict("(2, 0)", "True"), {})).shape, (Shape{2, 0}));
}

TEST(Npy, ScalarsAndEmptyArraysAreArrays) {
  const Tensor scalar = tensor(file(1, dict("()"), {7}));
  EXPECT_EQ(scalar.shape, Shape());
  EXPECT_EQ(scalar.data, (std::vector<float>{7}));
  const Tensor empty = tensor(file(1, dict("(0, 9223372036854775807)"), {}));
  EXPECT_EQ(empty.shape, (Shape{0, std::numeric_limits<std::int64_t>::max()}));
  EXPECT_TRUE(empty.data.empty());
}

TEST(Npy, DictMayBeSpeltInOtherWays) {
  EXPECT_EQ(tensor(file(1, R"({"shape":(2L,1L),"fortran_order":False,"descr":"<f4"})", {1, 2})).shape, (Shape{2, 1}));
  EXPECT_EQ(tensor(file(1, "{ 'shape' : ( 2 , ) , 'fortran_order' : False , 'descr' : '<f4' }   \n", {1, 2})).shape,
            (Shape{2}));
}

TEST(Npy, OtherDtypesAreNamed) {
  EXPECT_EQ(refusal(file(1, dict("(1,)", "False", "'>f4'"), {1})),
            "the .npy array has dtype '>f4': little-endian float32, '<f4', is wanted");
  EXPECT_EQ(refusal(file(1, dict("(1,)", "False", "'<f8'"), {1, 1})),
            "the .npy array has dtype '<f8': little-endian float32, '<f4', is wanted");
  EXPECT_EQ(refusal(file(1, dict("(1,)", "False", "[('x', '<f4')]"), {1})),
            "the .npy array has dtype '[('x', '<f4')], 'fortran_order': False, ': little-endian float32, '<f4', is "
            "wanted");
  EXPECT_EQ(parse(file(1, dict("(1,)", "False", "'>f4'"), {1})).status().code(), StatusCode::unsupported);
}

TEST(Npy, CutAndPaddedFilesAreRefused) {
  const std::string good = file(1, dict("(2, 3)"), {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(refusal(good.substr(0, good.size() - 1)),
            "the .npy file is truncated: shape (2, 3) takes 24 bytes of data, and there are 23");
  EXPECT_EQ(refusal(good + "x"), "the .npy file is too long: shape (2, 3) takes 24 bytes of data, and there are 25");
  EXPECT_EQ(refusal(good.substr(0, 20)), "the .npy file is truncated: a header of 60 bytes, and 10 bytes are there");
  EXPECT_EQ(refusal(good.substr(0, 9)), "the .npy file is truncated: it has 9 bytes");
  EXPECT_EQ(refusal(good.substr(0, 7)), "the .npy file is truncated: it has 7 bytes");
  EXPECT_EQ(refusal("PK\3\4"), "not a .npy file: it does not begin with \\x93NUMPY");
  EXPECT_EQ(refusal(""), "not a .npy file: it does not begin with \\x93NUMPY");
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse(good.substr(0, size)).ok()) << size;
}

TEST(Npy, HostileNumbersAreRefused) {
  EXPECT_EQ(refusal("\x93NUMPY" + std::string("\4\0\0\0", 4)), "the .npy format is 4.0: 1.0, 2.0 and 3.0 are known");
  EXPECT_EQ(refusal("\x93NUMPY" + std::string("\2\0\xff\xff\xff\xff", 6)),
            "the .npy file is truncated: a header of 4294967295 bytes, and 0 bytes are there");
  EXPECT_EQ(refusal(file(1, dict("(-1,)"), {})), "the .npy header has a bad size in 'shape', after 0 entries");
  EXPECT_EQ(refusal(file(1, dict("(2, 9223372036854775808)"), {})),
            "the .npy header has a bad size in 'shape', after 1 entries");
  EXPECT_EQ(refusal(file(1, dict("(4294967296, 4294967296)"), {})),
            "shape (4294967296, 4294967296) is too large: tconv addresses at most 2^31-1 elements per array");
  EXPECT_EQ(refusal(file(1, dict("(536870911,)"), {})),
            "the .npy file is truncated: shape (536870911,) takes 2147483644 bytes of data, and there are 0");
  std::string ones = "(";
  for (int i = 0; i < 33; ++i) ones += "1,";
  EXPECT_EQ(refusal(file(1, dict(ones + ")"), {1})), "the .npy header has more than 32 dimensions");
}

TEST(Npy, HeadersThatAreNoDictOfAnArrayAreRefused) {
  const struct {
    const char *dict, *message;
  } cases[] = {
      {"", "the .npy header has no '{' at position 0"},
      {"[1]", "the .npy header has no '{' at position 0"},
      {"{'descr': '<f4'", "the .npy header has no '}' at position 15"},
      {"{1: 2}", "the .npy header is not a dict of strings"},
      {"{'descr': '<f4'}", "the .npy header has no 'fortran_order'"},
      {"{'descr': '<f4', 'fortran_order': False}", "the .npy header has no 'shape'"},
      {"{'fortran_order': False, 'shape': (1,)}", "the .npy header has no 'descr'"},
      {"{'descr': '<f4', 'descr': '<f4'}", "the .npy header has an entry 'descr' that is unknown or given twice"},
      {"{'colour': 1}", "the .npy header has an entry 'colour' that is unknown or given twice"},
      {"{'fortran_order': 1}", "the .npy header has a 'fortran_order' that is neither True nor False"},
      {"{'shape': 3}", "the .npy header has a 'shape' that is not a tuple"},
      {"{'shape': (3)}", "the .npy header has a 'shape' that is not a tuple"},
      {"{'shape': (3 4)}", "the .npy header has a 'shape' that is not a tuple"},
      {"{'shape': (3,, 4)}", "the .npy header has a bad size in 'shape', after 1 entries"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "the .npy header has text after the dict"},
  };
  for (const auto &c : cases) EXPECT_EQ(refusal(file(1, c.dict, {1})), c.message) << c.dict;
}

TEST_F(NpyFile, WritesWhatNumPyWrites) {
  const Tensor t = {{2, 3}, {1, 2, 3, 4, 5, -0.5f}};
  ASSERT_EQ(write_npy(path("a.npy"), t).message(), "");
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header += std::string(118 - header.size() - 1, ' ') + "\n";
  EXPECT_EQ(contents(path("a.npy")), file(1, header, t.data));
  EXPECT_EQ(files(), 1u);
}

TEST_F(NpyFile, ComesBackAsItWas) {
  const std::vector<Tensor> tensors = {{{2, 1, 3}, {1, 2, 3, 4, 5, 6}},
                                       {{}, {std::numeric_limits<float>::denorm_min()}},
                                       {{4}, {1, 2, 3, std::numeric_limits<float>::infinity()}},
                                       {{3, 0, 2}, {}}};
  for (const Tensor &t : tensors) {
    ASSERT_EQ(write_npy(path("b.npy"), t).message(), "");
    const Result<Tensor> back = read_npy(path("b.npy"));
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(back.value().shape, t.shape);
    EXPECT_EQ(back.value().data, t.data);
  }
}

TEST_F(NpyFile, RefusedWritesLeaveNothingAndKeepTheOldFile) {
  ASSERT_TRUE(write_npy(path("c.npy"), {{1}, {1}}).ok());
  EXPECT_EQ(write_npy(path("c.npy"), {{2, 3}, {1}}).message(), "a tensor of shape (2, 3) has 6 elements, not 1");
  EXPECT_EQ(write_npy(path("c.npy"), {{-2}, {1}}).message(), "shape (-2,) has a negative size");
  EXPECT_EQ(write_npy(path("c.npy"), {Shape(33, 1), {1}}).message().substr(0, 8), "shape (1");
  EXPECT_EQ(read_npy(path("c.npy")).value().data, (std::vector<float>{1}));
  fs::create_directory(path("folder.npy"));
  const Status status = write_npy(path("folder.npy"), {{1}, {1}});
  EXPECT_EQ(status.code(), StatusCode::io_error);
  EXPECT_EQ(files(), 2u);
  EXPECT_EQ(write_npy(path("none/d.npy"), {{1}, {1}}).code(), StatusCode::io_error);
}

TEST_F(NpyFile, UnreadableFilesAreNamed) {
  const std::string deep = path(std::string(200, 'n').c_str());
  EXPECT_EQ(read_npy(deep).status().message(), "there is no file '" + deep + "'");
  EXPECT_EQ(read_npy(path("none.npy")).status().code(), StatusCode::not_found);
  EXPECT_EQ(read_npy(path("none.npy")).status().message(), "there is no file '" + path("none.npy") + "'");
  EXPECT_EQ(read_npy(folder_.string()).status().code(), StatusCode::io_error);
  ASSERT_TRUE(write_npy(path("e.npy"), {{4}, {1, 2, 3, 4}}).ok());
  EXPECT_TRUE(read_npy(path("e.npy"), 144).ok());
  EXPECT_EQ(read_npy(path("e.npy"), 143).status().message(),
            "'" + path("e.npy") + "' has 144 bytes, more than the 143 allowed");
  std::ofstream(path("f.npy")) << "hello, world";
  EXPECT_EQ(read_npy(path("f.npy")).status().message(),
            "'" + path("f.npy") + "': not a .npy file: it does not begin with \\x93NUMPY");
}

TEST_F(NpyFile, HeaderBeyondTheLimitIsRefused) {
  const std::string long_dict = dict("(1,)") + std::string(70000, ' ');
  std::ofstream(path("g.npy"), std::ios::binary) << file(2, long_dict, {1});
  EXPECT_EQ(read_npy(path("g.npy")).status().message(),
            "'" + path("g.npy") + "': the .npy header has 70058 bytes, more than 65524");
}

}  // namespace
}  // namespace tconv
