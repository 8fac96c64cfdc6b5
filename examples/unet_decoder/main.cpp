// The decoder of a small U-Net: three transposed convolutions, each of which doubles height and width, with the
// encoder's features of the same size appended to what it gives. Builds it, runs it, saves each layer's config and
// weights into a directory, restores a second decoder from there, and ends with 0 when that one gives the same bits.
//
//     unet_decoder DIRECTORY
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tconv/layer.h"
#include "tconv/npy.h"

namespace {

using tconv::Conv2DTranspose;
using tconv::Result;
using tconv::Status;
using tconv::Tensor;

// Height, width and channels; the features of the encoder, which the layers after the first are given too.
constexpr std::array<tconv::Shape::value_type, 3> bottom = {6, 10, 64};
constexpr std::array<std::int64_t, 2> skip_channels = {32, 16};

Tensor numbers(tconv::Shape shape, std::uint64_t seed) {
  return tconv::initializers::random_normal({.stddev = 1, .seed = seed})(shape).value();
}

Tensor append_channels(const Tensor &a, const Tensor &b) {
  Tensor both = {a.shape, {}};
  both.shape.back() += b.shape.back();
  const auto of_a = static_cast<std::size_t>(a.shape.back()), of_b = static_cast<std::size_t>(b.shape.back());
  for (std::size_t pixel = 0; pixel < a.data.size() / of_a; ++pixel) {
    both.data.insert(both.data.end(), &a.data[pixel * of_a], &a.data[pixel * of_a] + of_a);
    both.data.insert(both.data.end(), &b.data[pixel * of_b], &b.data[pixel * of_b] + of_b);
  }
  return both;
}

// decoder[0] takes the bottom, each next one the layer before and the encoder's features.
Result<Tensor> run(std::vector<Conv2DTranspose> &decoder, const Tensor &input, const std::vector<Tensor> &skips) {
  Result<Tensor> x = decoder[0](input);
  for (std::size_t i = 1; i < decoder.size() && x.ok(); ++i) x = decoder[i](append_channels(x.value(), skips[i - 1]));
  return x;
}

Status save(const Conv2DTranspose &layer, const std::filesystem::path &directory) {
  const Result<std::string> config = layer.get_config();
  if (!config.ok()) return config.status();
  const Result<std::vector<Tensor>> weights = layer.get_weights();
  if (!weights.ok()) return weights.status();
  std::ofstream file(directory / (layer.name() + ".json"));
  if (!(file << config.value() << '\n').flush()) {
    return {tconv::StatusCode::io_error, "cannot write into " + directory.string()};
  }
  for (std::size_t i = 0; i < weights.value().size(); ++i) {
    const std::filesystem::path path = directory / (layer.name() + "_" + std::to_string(i) + ".npy");
    if (Status status = tconv::write_npy(path.string(), weights.value()[i]); !status.ok()) return status;
  }
  return {};
}

Result<Conv2DTranspose> restore(const std::string &name, const std::filesystem::path &directory) {
  std::ifstream file(directory / (name + ".json"));
  const std::string config{std::istreambuf_iterator<char>(file), {}};
  Result<Conv2DTranspose> layer = Conv2DTranspose::from_config(config);
  if (!layer.ok()) return layer;
  std::vector<Tensor> weights;
  for (const char *const end : {"_0.npy", "_1.npy"}) {
    Result<Tensor> array = tconv::read_npy((directory / (name + end)).string());
    if (!array.ok()) return array.status();
    weights.push_back(std::move(array).value());
  }
  if (Status status = layer.value().set_weights(weights); !status.ok()) return status;
  return layer;
}

bool failed(const Status &status) {
  if (!status.ok()) std::fprintf(stderr, "unet_decoder: %s\n", status.message().c_str());
  return !status.ok();
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: unet_decoder DIRECTORY\n");
    return 2;
  }
  const std::filesystem::path directory = argv[1];
  std::error_code cannot_make;
  std::filesystem::create_directories(directory, cannot_make);

  std::vector<Conv2DTranspose> decoder;
  decoder.emplace_back(Conv2DTranspose::Arguments{
      .filters = 32, .kernel_size = 2, .strides = 2, .activation = "relu", .kernel_initializer = "he_normal"});
  decoder.emplace_back(Conv2DTranspose::Arguments{.filters = 16,
                                                  .kernel_size = 3,
                                                  .strides = 2,
                                                  .padding = "same",
                                                  .activation = "relu",
                                                  .kernel_initializer = tconv::initializers::he_normal(7),
                                                  .kernel_regularizer = "l2"});
  decoder.emplace_back(Conv2DTranspose::Arguments{
      .filters = 1, .kernel_size = 4, .strides = 2, .padding = "same", .activation = "sigmoid", .name = "mask"});

  const Tensor input = numbers({1, bottom[0], bottom[1], bottom[2]}, 1);
  const std::vector<Tensor> skips = {numbers({1, 2 * bottom[0], 2 * bottom[1], skip_channels[0]}, 2),
                                     numbers({1, 4 * bottom[0], 4 * bottom[1], skip_channels[1]}, 3)};
  const Result<Tensor> mask = run(decoder, input, skips);
  if (failed(mask.status())) return 1;

  std::vector<Conv2DTranspose> restored;
  for (const Conv2DTranspose &layer : decoder) {
    if (failed(save(layer, directory))) return 1;
    Result<Conv2DTranspose> again = restore(layer.name(), directory);
    if (failed(again.status())) return 1;
    restored.push_back(std::move(again).value());
    std::printf("%s: %lld parameters, saved and restored\n", layer.name().c_str(),
                static_cast<long long>(layer.count_params().value()));
  }
  const Result<Tensor> again = run(restored, input, skips);
  if (failed(again.status())) return 1;
  const bool same = again.value().shape == mask.value().shape && again.value().data == mask.value().data;
  std::printf("mask of %lld x %lld, %s\n", static_cast<long long>(mask.value().shape[1]),
              static_cast<long long>(mask.value().shape[2]),
              same ? "the same from the restored decoder" : "but another from the restored decoder");
  return same ? 0 : 1;
}
