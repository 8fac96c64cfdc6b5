// Runs a layer: checks the call's arrays, packs the weights for the kernel that serves it, gives the kernel a workspace
// of the call's own, and applies what the kernel does not compute.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "elements.h"
#include "layer_check.h"
#include "layer_state.h"
#include "message.h"
#include "tconv/run.h"
#include "tconv/threads.h"
#include "tconv/weights.h"
#include "tensor_check.h"

namespace tconv {
namespace detail {
namespace {

Status status_of(int status, const tconv_kernel &kernel, const Shape &input_shape, const Shape &output_shape) {
  if (status == TCONV_OK) return {};
  const bool too_large = status == TCONV_ERROR_TOO_LARGE || status == TCONV_ERROR_PROCESSOR;
  return {too_large ? StatusCode::unsupported : StatusCode::internal,
          fmt::format("kernel {}: {} (input {}, output {})", kernel.name, tconv_status_message(status),
                      tuple(input_shape), tuple(output_shape))};
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
  return invalid_argument(
      fmt::format("the output of {} elements overlaps the input of {}", output.size(), input.size()));
}

// All that a call takes from the layer; it stays valid when another thread changes the layer.
struct Task {
  KernelChoice choice;
  std::shared_ptr<const Packed> packed;
};

Result<Task> prepare(PackCache &cache, Result<KernelChoice> choice, const WeightValues &values,
                     const LayerConfig &config) {
  if (!choice.ok()) return choice.status();
  Result<std::shared_ptr<const Packed>> packed = cache.find_or_pack(choice.value(), values, weight_strides(config));
  if (!packed.ok()) return packed.status();
  return Task{std::move(choice).value(), std::move(packed).value()};
}

Status run_kernel(const Task &task, std::span<const float> input, const Shape &input_shape, std::size_t spatial_axis,
                  std::span<float> output, const Shape &output_shape) {
  const KernelChoice &choice = task.choice;
  const float nothing = 0;  // an empty input may come without an address
  tconv_call call = {};
  call.batch = input_shape.front();
  std::copy_n(input_shape.begin() + static_cast<std::ptrdiff_t>(spatial_axis), choice.layer.rank, call.size);
  call.input = input.empty() ? &nothing : input.data();
  call.packed = task.packed->floats.get();
  call.output = output.data();
  // Fixed here: the pool may be resized between the workspace and the run.
  call.threads = num_threads();
  call.workspace_bytes = tconv_workspace_bytes(choice.kernel, &choice.layer, &call);
  const AlignedFloats workspace = allocate_floats(call.workspace_bytes);
  if (call.workspace_bytes > 0) call.workspace = workspace.get();
  return status_of(tconv_run_kernel(choice.kernel, &choice.layer, &call), *choice.kernel, input_shape, output_shape);
}

WeightValues values_of(const Built &built) {
  return {value_of(built.kernel), built.bias ? value_of(*built.bias) : nullptr};
}

// The arrays have been checked.
Status run(LayerState &state, const Built &built, std::span<const float> input, const Shape &input_shape,
           std::span<float> output, const Shape &output_shape) {
  auto [choice, values] = [&] {
    const std::lock_guard lock(state.mutex);
    return std::pair(choose(state, input_shape), values_of(built));
  }();
  const Result<Task> task = prepare(*state.packed, std::move(choice), values, built.config);
  if (!task.ok()) return task.status();
  const Status status = run_kernel(task.value(), input, input_shape, spatial_axis(built.config), output, output_shape);
  return status.ok() ? state.definition.activation(output, output_shape) : status;
}

Result<Shape> output_shape_of(const LayerState &state, const Shape &input_shape) {
  const std::lock_guard lock(state.mutex);
  return compute_output_shape(current_config(state), input_shape);
}

Result<std::shared_ptr<const Built>> already_built(const LayerState &state) {
  const std::lock_guard lock(state.mutex);
  if (state.built) return state.built;
  return Status(StatusCode::failed_precondition,
                fmt::format("call() of {}, which is not built: call build(input_shape) first, or the layer itself",
                            quote(state.definition.config.name)));
}

// A tensor of that shape. The shape has been checked.
Tensor allocate(Shape shape) {
  const auto elements = static_cast<std::size_t>(count_elements(shape).value());
  return {std::move(shape), std::vector<float>(elements)};
}

}  // namespace

Result<Tensor> compute(LayerState &state, const Tensor &input, bool build_first) {
  Result<Shape> output_shape = output_shape_of(state, input.shape);
  if (!output_shape.ok()) return output_shape.status();
  // Before an output is allocated for a shape that the data may not have.
  Status status = check_elements_given("input", input.shape, input.data.size());
  if (!status.ok()) return status;
  const Result<std::shared_ptr<const Built>> built = build_first ? build_for(state, input.shape) : already_built(state);
  if (!built.ok()) return built.status();
  Tensor output = allocate(std::move(output_shape).value());
  status = run(state, *built.value(), input.data, input.shape, output.data, output.shape);
  if (!status.ok()) return status;
  return output;
}

Result<std::optional<float>> activity_loss(const LayerState &state, const Tensor &output) {
  const Regularizer &regularizer = state.definition.activity_regularizer;
  if (regularizer.is_none()) return std::optional<float>();
  const Result<float> loss = regularizer(output);
  if (!loss.ok()) return loss.status();
  const std::int64_t batch = output.shape.front();
  return std::optional<float>(batch == 0 ? 0.0f : loss.value() / static_cast<float>(batch));
}

}  // namespace detail

Result<Tensor> TransposedConvolution::call(const Tensor &input) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&] { return detail::compute(*state_, input, false); });
}

Status TransposedConvolution::call(std::span<const float> input, const Shape &input_shape,
                                   std::span<float> output) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Status {
    const Result<Shape> output_shape = detail::output_shape_of(*state_, input_shape);
    if (!output_shape.ok()) return output_shape.status();
    const Result<std::shared_ptr<const detail::Built>> built = detail::already_built(*state_);
    if (!built.ok()) return built.status();
    const Status status = detail::check_call(input, input_shape, output, output_shape.value());
    if (!status.ok()) return status;
    return detail::run(*state_, *built.value(), input, input_shape, output, output_shape.value());
  });
}

Result<Tensor> TransposedConvolution::convolution_op(const Tensor &input, const Tensor &kernel) const {
  if (Status error = status(); !error.ok()) return error;
  return detail::guarded([&]() -> Result<Tensor> {
    LayerConfig config = state_->definition.config;
    config.use_bias = false;
    config.activation = Activation::linear;
    Result<Shape> output_shape = tconv::compute_output_shape(config, input.shape);
    if (!output_shape.ok()) return output_shape.status();
    config.input_shape = input.shape;
    config.in_channels = input.shape[channel_axis(config)];
    Status status = check_elements_given("input", input.shape, input.data.size());
    if (status.ok()) status = check_tensor("kernel", kernel, kernel_shape(config));
    if (!status.ok()) return status;
    const Result<tconv_layer> layer = describe(config);
    if (!layer.ok()) return layer.status();
    detail::PackCache cache;
    const detail::WeightValues values = {std::make_shared<const Tensor>(kernel), nullptr};
    const Result<detail::Task> task = detail::prepare(cache, choose_kernel({}, layer.value()), values, config);
    if (!task.ok()) return task.status();
    Tensor output = detail::allocate(std::move(output_shape).value());
    status = detail::run_kernel(task.value(), input.data, input.shape, spatial_axis(config), output.data, output.shape);
    if (!status.ok()) return status;
    return output;
  });
}

}  // namespace tconv
