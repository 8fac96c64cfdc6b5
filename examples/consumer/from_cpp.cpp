// Calls the same layer through tconv/layer.h, with Keras' arguments. The compiled layer is registered; it serves calls
// of the size that it was compiled for, and the library's any-size kernel serves the others. Ends with 0 when both
// agree with a plain loop and each call took the kernel that it should.
#include <cstdio>
#include <string>
#include <vector>

#include "decoder.h"
#include "naive.h"
#include "tconv/layer.h"

namespace {

tconv::Tensor numbers(tconv::Shape shape, unsigned seed) {
  std::size_t size = 1;
  for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  tconv::Tensor tensor{std::move(shape), std::vector<float>(size)};
  fill(tensor.data.data(), size, seed);
  return tensor;
}

bool failed(const tconv::Status &status) {
  if (!status.ok()) std::fprintf(stderr, "from_cpp: %s\n", status.message().c_str());
  return !status.ok();
}

// One call for an input of that size; `compiled` says whether the compiled layer should serve it.
bool check(tconv::Conv2DTranspose &layer, const std::vector<tconv::Tensor> &weights, int height, int width,
           bool compiled) {
  const tconv::Tensor x = numbers({1, height, width, IN_CHANNELS}, 3);
  const tconv::Result<tconv::Tensor> y = layer(x);
  if (failed(y.status())) return false;
  const tconv::Result<tconv::KernelInfo> info = layer.kernel_info(x.shape);
  if (failed(info.status())) return false;
  const double error = largest_error(x.data.data(), height, width, weights[0].data.data(), weights[1].data.data(),
                                     y.value().data.data());
  std::printf("from_cpp: %d x %d: largest error %.1e, by '%s' for %s (%s)\n", height, width, error,
              info.value().kernel.c_str(), info.value().target.c_str(), info.value().reason.c_str());
  return error < (compiled ? MOST_TILE_ERROR : MOST_PLAIN_ERROR) && info.value().specialised == compiled;
}

}  // namespace

int main() {
  tconv::Conv2DTranspose layer(
      {.filters = 8, .kernel_size = {3, 3}, .strides = {2, 2}, .padding = "same", .activation = "relu"});
  const std::vector<tconv::Tensor> weights = {numbers({KERNEL, KERNEL, FILTERS, IN_CHANNELS}, 1),
                                              numbers({FILTERS}, 2)};
  if (failed(layer.set_weights(weights))) return 1;
  if (failed(layer.use_kernel(decoder_kernel, decoder_layer))) return 1;
  return check(layer, weights, 20, 12, true) && check(layer, weights, 7, 5, false) ? 0 : 1;
}
