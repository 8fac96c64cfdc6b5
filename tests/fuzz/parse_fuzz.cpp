// The fuzz target for all text and bytes that tconv reads and did not write: layers in JSON, and .npy files. Built with
// clang's -fsanitize=fuzzer, or with fuzz_main.cpp and any compiler. What is accepted must also hold together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>

#include "tconv/layer_config.h"
#include "tconv/npy.h"

namespace {

using namespace tconv;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_message(const Status &status) {
  require(status.ok() == status.message().empty());
  require(status.message().find('\n') == std::string::npos);
}

// A layer that was accepted is valid, has its channels, and an output for its input.
void check_layer(const Result<LayerConfig> &result) {
  check_message(result.status());
  if (!result.ok()) return;
  const LayerConfig &config = result.value();
  require(validate(config).ok());
  require(kernel_shape(config).size() == static_cast<std::size_t>(config.rank) + 2);
  for (int dim = 0; dim < config.rank; ++dim) {
    const tconv_rule dim_rule = rule(config, dim);
    require(tconv_rule_is_valid(&dim_rule));
  }
  if (config.input_shape) require(compute_output_shape(config, *config.input_shape).ok());
}

void check_array(const Result<Tensor> &result) {
  check_message(result.status());
  if (!result.ok()) return;
  std::size_t elements = 1;
  for (const std::int64_t size : result.value().shape) elements *= static_cast<std::size_t>(size);
  require(elements == result.value().data.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  check_layer(parse_layer(text));
  check_layer(parse_layer(text, Shape{6, 4, 3, 3}));
  check_array(parse_npy(std::as_bytes(std::span(data, size))));
  return 0;
}
