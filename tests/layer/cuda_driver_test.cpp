// The CUDA driver without a device: Halide's device functions are doubled by host memory at other addresses, and the
// reference kernel reads only what was copied there. What a real device computes is tests/cuda's business.
#include "tconv/run_cuda.h"

#include <cstdlib>
#include <map>

#include "driver_case.h"

namespace {

int live_allocations = 0;
bool device_fails = false;

std::size_t bytes_of(const halide_buffer_t *buffer) {
  return static_cast<std::size_t>(buffer->dim[0].extent) * sizeof(float);
}

void *device_memory(const halide_buffer_t *buffer) {
  return reinterpret_cast<void *>(static_cast<std::uintptr_t>(buffer->device));
}

}  // namespace

extern "C" {

const struct halide_device_interface_t *halide_cuda_device_interface() { return nullptr; }

int halide_device_malloc(void *, struct halide_buffer_t *buffer, const struct halide_device_interface_t *) {
  if (device_fails) return -1;
  void *memory = std::malloc(bytes_of(buffer));
  buffer->device = reinterpret_cast<std::uintptr_t>(memory);
  ++live_allocations;
  return 0;
}

int halide_device_free(void *, struct halide_buffer_t *buffer) {
  std::free(device_memory(buffer));
  buffer->device = 0;
  --live_allocations;
  return 0;
}

int halide_copy_to_device(void *, struct halide_buffer_t *buffer, const struct halide_device_interface_t *) {
  EXPECT_TRUE(buffer->flags & halide_buffer_flag_host_dirty);
  std::memcpy(device_memory(buffer), buffer->host, bytes_of(buffer));
  return 0;
}

int halide_copy_to_host(void *, struct halide_buffer_t *buffer) {
  EXPECT_TRUE(buffer->flags & halide_buffer_flag_device_dirty);
  std::memcpy(buffer->host, device_memory(buffer), bytes_of(buffer));
  return 0;
}

int halide_cuda_wrap_device_ptr(void *, struct halide_buffer_t *buffer, uint64_t pointer) {
  buffer->device = pointer;
  return 0;
}

int halide_cuda_detach_device_ptr(void *, struct halide_buffer_t *buffer) {
  buffer->device = 0;
  return 0;
}

uintptr_t halide_cuda_get_device_ptr(void *, struct halide_buffer_t *buffer) {
  return static_cast<uintptr_t>(buffer->device);
}
}

namespace tconv::test {
namespace {

// The reference kernel, on the device's side of every buffer.
int device_phases(void **argv) {
  const int rank = static_cast<const halide_buffer_t *>(argv[0])->dimensions - 2;
  for (const int i : {0, 1, 2, 3 + 2 * rank}) {
    auto *buffer = static_cast<halide_buffer_t *>(argv[i]);
    EXPECT_EQ(buffer->host, nullptr);
    buffer->host = static_cast<std::uint8_t *>(device_memory(buffer));
  }
  return reference_phases<false>(argv);
}

struct CudaDriver : testing::Test {
  void SetUp() override {
    reference_expects_nan = false;
    reference_tile = {1, 1, 1};
    device_fails = false;
    live_allocations = 0;
  }
};

Case make_case(Random &random, int rank, bool channels_last) {
  Case c;
  c.tiling = {
      static_cast<std::int32_t>(random(1, 5)), static_cast<std::int32_t>(random(0, 1)), 0, 0, 64, {}, 0, 0, 0, 0, 0, 0};
  c.problem.batch = random(1, 3);
  c.problem.groups = random(1, 2);
  c.problem.in_channels = c.problem.groups * random(1, 3);
  c.problem.out_channels = c.problem.groups * random(1, 3);
  c.problem.channels_last = channels_last;
  c.layer.rank = rank;
  c.layer.channels_last = channels_last ? 1 : 0;
  c.layer.in_channels = c.problem.in_channels;
  c.layer.out_channels = c.problem.out_channels;
  c.layer.groups = c.problem.groups;
  c.layer.batch = TCONV_UNSET;
  for (int d = 0; d < rank; ++d) {
    const std::int64_t pad = random(-1, 2);
    c.layer.rule[d] = {TCONV_PADDING_EXPLICIT, random(1, 4), random(1, 3), random(1, 2), 0, pad,
                       random(-1, 1),          TCONV_UNSET};
    c.layer.size[d] = TCONV_UNSET;
    c.size[d] = random(2, 5);
    if (!tconv_resolve(&c.layer.rule[d], c.size[d], &c.problem.dim[static_cast<std::size_t>(3 - rank + d)]))
      c.size[d] = 0;
  }
  return c;
}

int run_on_device(const Case &c, const tconv_kernel &kernel, const std::vector<float> &input,
                  const std::vector<float> &packed, std::vector<float> &output) {
  tconv_call call = call_of(c, input, packed);
  call.output = output.data();
  call.workspace_bytes = tconv_cuda_workspace_bytes(&kernel, &c.layer, &call);
  std::vector<char> workspace(call.workspace_bytes + 1);
  call.workspace = workspace.data();
  return tconv_run_cuda(&kernel, &c.layer, &call);
}

TEST_F(CudaDriver, ComputesOnTheDeviceWhatTheDefinitionSays) {
  Random random(20);
  int compared = 0;
  for (int i = 0; i < 200; ++i) {
    Case c = make_case(random, static_cast<int>(random(1, 3)), random(0, 1) != 0);
    if (c.size[0] * c.size[1 % c.layer.rank] * c.size[c.layer.rank - 1] == 0 || c.problem.outputs() == 0) continue;
    ReferenceKernel reference(c.tiling);
    reference.phases = device_phases;
    const std::vector<float> input = random.floats(c.problem.inputs()), weights = random.floats(c.problem.weights());
    const std::vector<float> bias = random.floats(c.problem.out_channels);
    const std::vector<float> packed = pack(c, reference.kernel, weights, bias);
    std::vector<float> output(static_cast<std::size_t>(c.problem.outputs()));
    ASSERT_EQ(run_on_device(c, reference.kernel, input, packed, output), TCONV_OK) << "case " << i;
    expect_close(output, scatter(c.problem, input, weights, bias));
    ASSERT_EQ(live_allocations, 0);
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

TEST_F(CudaDriver, SaysThatThereIsNoDevice) {
  Random random(21);
  Case c = make_case(random, 2, true);
  ReferenceKernel reference(c.tiling);
  const std::vector<float> input = random.floats(c.problem.inputs()), weights = random.floats(c.problem.weights());
  const std::vector<float> packed = pack(c, reference.kernel, weights, {});
  std::vector<float> output(static_cast<std::size_t>(c.problem.outputs()));
  device_fails = true;
  EXPECT_EQ(run_on_device(c, reference.kernel, input, packed, output), TCONV_ERROR_DEVICE);
  EXPECT_EQ(live_allocations, 0);
}

}  // namespace
}  // namespace tconv::test
