// Runs a layer: checks the call's arrays, packs the weights for the kernel that serves it, and gives the kernel a
// workspace of the call's own.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/run.h"
#include "tconv/threads.h"
#include "tconv/weights.h"
#include "tensor_check.h"

namespace tconv {
namespace {

using detail::LayerState;
using detail::Packed;

// Sizes whose packed weights are kept at once, where they depend on the sizes.
constexpr std::size_t most_packed = 8;

// All that a call takes from the layer; it stays valid when another thread changes the layer.
struct Task {
  KernelChoice choice;
  std::shared_ptr<const Packed> packed;
};

Status status_of(int status, const tconv_kernel &kernel, const Shape &input_shape, const Shape &output_shape) {
  if (status == TCONV_OK) return {};
  const bool too_large = status == TCONV_ERROR_TOO_LARGE || status == TCONV_ERROR_PROCESSOR;
  return {too_large ? StatusCode::unsupported : StatusCode::internal,
          fmt::format("kernel {}: {} (input {}, output {})", kernel.name, tconv_status_message(status),
                      tuple(input_shape), tuple(output_shape))};
}

Result<std::shared_ptr<const Packed>> pack(const detail::Weights &weights, const KernelChoice &choice) {
  const std::size_t bytes = tconv_packed_bytes(choice.kernel, &choice.layer);
  if (bytes == 0) return Status(StatusCode::internal, tconv_status_message(TCONV_ERROR_LAYER));
  auto packed = std::make_shared<Packed>();
  packed->registered = choice.registered;
  std::copy_n(choice.layer.size, TCONV_MAX_RANK, packed->size.begin());
  packed->floats = detail::allocate_floats(bytes);
  const tconv_weight_strides strides = weight_strides(weights.config);
  const float *const bias = weights.bias.data.empty() ? nullptr : weights.bias.data.data();
  const int status =
      tconv_pack(choice.kernel, &choice.layer, weights.kernel.data.data(), &strides, bias, packed->floats.get());
  if (status != TCONV_OK) return Status(StatusCode::internal, tconv_status_message(status));
  return std::shared_ptr<const Packed>(std::move(packed));
}

Result<std::shared_ptr<const Packed>> find_or_pack(LayerState &state, const KernelChoice &choice) {
  for (const std::shared_ptr<const Packed> &packed : state.packed) {
    if (packed->registered == choice.registered &&
        std::equal(packed->size.begin(), packed->size.begin() + choice.layer.rank, choice.layer.size)) {
      return packed;
    }
  }
  Result<std::shared_ptr<const Packed>> packed = pack(*state.weights, choice);
  if (!packed.ok()) return packed;
  if (state.packed.size() == most_packed) state.packed.erase(state.packed.begin());
  state.packed.push_back(packed.value());
  return packed;
}

Result<Task> prepare(LayerState &state, const Shape &input_shape) {
  const std::lock_guard lock(state.mutex);
  if (Status status = detail::create_weights(state, input_shape); !status.ok()) return status;
  Result<KernelChoice> choice = detail::choose(state, input_shape);
  if (!choice.ok()) return choice.status();
  Result<std::shared_ptr<const Packed>> packed = find_or_pack(state, choice.value());
  if (!packed.ok()) return packed.status();
  return Task{std::move(choice).value(), std::move(packed).value()};
}

bool overlap(std::span<const float> input, std::span<float> output) {
  const std::less<const float *> before;
  return !input.empty() && !output.empty() && before(input.data(), output.data() + output.size()) &&
         before(output.data(), input.data() + input.size());
}

Status check_call(std::span<const float> input, const Shape &input_shape, std::span<float> output,
                  const Shape &output_shape) {
  if (Status status = check_elements_given("input", input_shape, input.size()); !status.ok()) return status;
  if (Status status = check_elements_given("output", output_shape, output.size()); !status.ok()) return status;
  if (!overlap(input, output)) return {};
  return invalid_argument("the output overlaps the input");
}

Status run(LayerState &state, std::span<const float> input, const Shape &input_shape, std::span<float> output,
           const Shape &output_shape) {
  if (Status status = check_call(input, input_shape, output, output_shape); !status.ok()) return status;
  const Result<Task> task = prepare(state, input_shape);
  if (!task.ok()) return task.status();
  const KernelChoice &choice = task.value().choice;
  const float nothing = 0;  // an empty input may come without an address
  tconv_call call = {};
  call.batch = input_shape.front();
  std::copy_n(input_shape.begin() + static_cast<std::ptrdiff_t>(spatial_axis(state.config)), choice.layer.rank,
              call.size);
  call.input = input.empty() ? &nothing : input.data();
  call.packed = task.value().packed->floats.get();
  call.output = output.data();
  call.path = choice.path;
  // Fixed here: the pool may be resized between the workspace and the run.
  call.threads = num_threads();
  call.workspace_bytes = tconv_workspace_bytes(choice.kernel, &choice.layer, &call);
  const detail::AlignedFloats workspace = detail::allocate_floats(call.workspace_bytes);
  if (call.workspace_bytes > 0) call.workspace = workspace.get();
  return status_of(tconv_run_kernel(choice.kernel, &choice.layer, &call), *choice.kernel, input_shape, output_shape);
}

}  // namespace

Status TransposedConvolution::call(std::span<const float> input, const Shape &input_shape, std::span<float> output) {
  const Result<Shape> output_shape = compute_output_shape(input_shape);
  if (!output_shape.ok()) return output_shape.status();
  return detail::guarded([&] { return run(*state_, input, input_shape, output, output_shape.value()); });
}

Result<Tensor> TransposedConvolution::call(const Tensor &input) {
  Result<Shape> output_shape = compute_output_shape(input.shape);
  if (!output_shape.ok()) return output_shape.status();
  return detail::guarded([&]() -> Result<Tensor> {
    // Before an output is allocated for a shape that the data may not have.
    const Status status = check_elements_given("input", input.shape, input.data.size());
    if (!status.ok()) return status;
    Tensor output = {std::move(output_shape).value(), {}};
    std::size_t elements = 1;
    for (const std::int64_t size : output.shape) elements *= static_cast<std::size_t>(size);
    output.data.resize(elements);
    const Status done = run(*state_, input.data, input.shape, output.data, output.shape);
    if (!done.ok()) return done;
    return output;
  });
}

}  // namespace tconv
