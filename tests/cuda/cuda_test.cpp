// The general CUDA kernels on a real device, against the definition. Exits with 77, which CTest shows as skipped, where
// no device can be used.
#include "tconv/run_cuda.h"

#include <cstdio>

#include "driver_case.h"
#include "tconv_conv2d_transpose_channels_first.h"
#include "tconv_conv2d_transpose_channels_last.h"
#include "tconv_conv3d_transpose_channels_first.h"
#include "tconv_conv3d_transpose_channels_last.h"

namespace tconv::test {
namespace {

const tconv_kernel &cuda_kernel(int rank, bool channels_last) {
  if (rank == 2)
    return channels_last ? tconv_conv2d_transpose_channels_last_kernels[0]
                         : tconv_conv2d_transpose_channels_first_kernels[0];
  return channels_last ? tconv_conv3d_transpose_channels_last_kernels[0]
                       : tconv_conv3d_transpose_channels_first_kernels[0];
}

// False where the random sizes leave nothing to compute.
bool random_case(Random &random, int rank, bool channels_last, Case &c) {
  c.problem.batch = random(1, 2);
  c.problem.groups = random(1, 2);
  c.problem.in_channels = c.problem.groups * random(1, 9);
  c.problem.out_channels = c.problem.groups * random(1, 40);
  c.problem.channels_last = channels_last;
  c.layer = {rank,
             channels_last ? 1 : 0,
             c.problem.in_channels,
             c.problem.out_channels,
             c.problem.groups,
             {},
             TCONV_UNSET,
             {},
             static_cast<std::int32_t>(random(0, 1))};
  for (int d = 0; d < rank; ++d) {
    c.layer.rule[d] = {TCONV_PADDING_EXPLICIT, random(1, 5),  random(1, 3), random(1, 2), 0,
                       random(-1, 2),          random(-1, 1), TCONV_UNSET};
    c.layer.size[d] = TCONV_UNSET;
    c.size[d] = random(1, 7);
    if (!tconv_resolve(&c.layer.rule[d], c.size[d], &c.problem.dim[static_cast<std::size_t>(3 - rank + d)]))
      return false;
  }
  return c.problem.outputs() > 0;
}

// The status of the call; the output is compared when it is TCONV_OK. Activation 1 is relu.
int run_case(Random &random, const Case &c, const tconv_kernel &kernel) {
  const std::vector<float> input = random.floats(c.problem.inputs()), weights = random.floats(c.problem.weights());
  const std::vector<float> bias = random.floats(c.problem.out_channels);
  const std::vector<float> packed = pack(c, kernel, weights, bias);
  tconv_call call = call_of(c, input, packed);
  std::vector<float> output(static_cast<std::size_t>(c.problem.outputs()));
  call.output = output.data();
  call.workspace_bytes = tconv_cuda_workspace_bytes(&kernel, &c.layer, &call);
  std::vector<char> workspace(call.workspace_bytes + 1);
  call.workspace = workspace.data();
  const int status = tconv_run_cuda(&kernel, &c.layer, &call);
  if (status != TCONV_OK) return status;
  std::vector<double> wanted = scatter(c.problem, input, weights, bias);
  for (double &x : wanted) x = c.layer.activation == 1 && x < 0 ? 0 : x;
  expect_close(output, wanted, 2e-5);
  return TCONV_OK;
}

TEST(Cuda, GeneralKernelsComputeTheDefinition) {
  Random random(30);
  for (int i = 0; i < 160; ++i) {
    Case c;
    const int rank = 2 + i % 2;
    const bool channels_last = i / 2 % 2 != 0;
    if (!random_case(random, rank, channels_last, c)) continue;
    ASSERT_EQ(run_case(random, c, cuda_kernel(rank, channels_last)), TCONV_OK) << "case " << i;
  }
}

bool device_is_there() {
  Random random(31);
  Case c;
  while (!random_case(random, 2, true, c)) c = Case();
  return run_case(random, c, cuda_kernel(2, true)) != TCONV_ERROR_DEVICE;
}

}  // namespace
}  // namespace tconv::test

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!tconv::test::device_is_there()) {
    std::puts("skipped: no CUDA device can be used on this machine");
    return 77;
  }
  return RUN_ALL_TESTS();
}
