// Runs the fuzz target without libFuzzer: fuzz_main [iterations] [seed] [files...]. Each input is a seed, one of those
// built in or a file, with a few random edits; the same arguments make the same inputs. An abort prints the input's
// number (under a sanitizer: with abort_on_error=1), so that it can be made again.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace {

using namespace std::string_literals;

const std::array<std::string, 6> built_in = {
    R"({"class_name": "Conv2DTranspose", "config": {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
        "padding": "same", "output_padding": [1, 1], "groups": 1, "activation": "relu", "dtype": "float32"},
        "build_config": {"input_shape": [null, 8, 8, 6]}})",
    R"({"dialect": "torch", "class_name": "ConvTranspose2d", "config": {"in_channels": 6, "out_channels": 4,
        "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "groups": 1, "dilation": 1, "bias": true},
        "build_config": {"input_shape": [1, 6, 8, 8]}})",
    R"({"dialect": "onnx", "op_type": "ConvTranspose", "weight_shape": [6, 4, 3, 3], "auto_pad": "NOTSET",
        "attributes": {"strides": [2, 2], "pads": [1, 1, 1, 1], "dilations": [1, 1], "group": 1},
        "build_config": {"input_shape": [1, 6, 8, 8]}})",
    R"({"dialect": "onnx", "op_type": "ConvTranspose", "weight_shape": [6, 4, 3, 3], "output_shape": [9, 9],
        "strides": [2, 2], "build_config": {"input_shape": [1, 6, 5, 5]}})",
    R"({"dialect": "tflite", "op_type": "TRANSPOSE_CONV", "weight_shape": [4, 3, 3, 6], "config": {"padding": "SAME",
        "stride_h": 2, "stride_w": 2, "output_shape": [1, 8, 8, 4], "fused_activation_function": "RELU"},
        "build_config": {"input_shape": [1, 4, 4, 6]}})",
    "\x93NUMPY\1\0\x3a\0{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }\n01234567"s,
};

// What a blind edit would not find.
const std::array<std::string, 26> words = {"-1",
                                           "0",
                                           "1",
                                           "2147483647",
                                           "1073741824",
                                           "9223372036854775807",
                                           "18446744073709551616",
                                           "1e999",
                                           "0.5",
                                           "null",
                                           "true",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           "[1, 1]",
                                           "[null]",
                                           "\"",
                                           "\\u0000",
                                           "\xff",
                                           "{\"config\": {}}",
                                           "(0,)",
                                           "(3, 4,)",
                                           "\"groups\"",
                                           "\"padding\"",
                                           "\"strides\""};

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, std::uint64_t seed) : seeds_(std::move(seeds)), random_(seed) {}

  std::string next() {
    std::string input = seeds_[below(seeds_.size())];
    for (std::size_t edits = below(5); edits > 0; --edits) edit(input);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random_() % limit); }

  void edit(std::string &input) {
    const std::size_t at = below(input.size() + 1), length = below(input.size() - at + 1) % 40;
    switch (below(7)) {
      case 0: input.erase(at, length); break;
      case 1: input.insert(at, words[below(words.size())]); break;
      case 2: input.replace(at, length, words[below(words.size())]); break;
      case 3: input.insert(below(input.size() + 1), input.substr(at, length)); break;
      case 4: input.insert(at, std::string(below(200), "[{(9 "[below(5)])); break;
      case 5: replace_number(input, at); break;
      default:
        if (at < input.size()) input[at] = static_cast<char>(below(256));
    }
  }

  // Keeps the text well formed, so that the checks behind the parser are reached.
  void replace_number(std::string &input, std::size_t from) {
    const std::size_t start = input.find_first_of("0123456789", from);
    if (start == std::string::npos) return;
    const std::size_t end = input.find_first_not_of("0123456789", start);
    input.replace(start, end - start, words[below(6)]);
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

std::vector<std::string> read_seeds(std::span<char *const> paths) {
  std::vector<std::string> seeds(built_in.begin(), built_in.end());
  for (const char *const path : paths) {
    std::ifstream stream(path, std::ios::binary);
    if (stream) seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return seeds;
}

unsigned long long current_input = 0;

void tell_input(int) { std::fprintf(stderr, "input %llu failed\n", current_input); }

}  // namespace

int main(int argc, char **argv) {
  const std::span<char *const> arguments(argv, static_cast<std::size_t>(argc));
  const unsigned long long iterations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20000;
  const unsigned long long seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  Mutator mutator(read_seeds(arguments.subspan(std::min<std::size_t>(arguments.size(), 3))), seed);
  std::signal(SIGABRT, tell_input);
  for (; current_input < iterations; ++current_input) {
    const std::string input = mutator.next();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(input.data()), input.size());
  }
  std::printf("%llu inputs from seed %llu\n", iterations, seed);
  return 0;
}
