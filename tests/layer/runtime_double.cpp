// The part of Halide's runtime that the C driver calls, for builds without Halide: the sanitizers then see all of the
// code that runs.
#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "HalideRuntime.h"

namespace {

std::atomic<int> pool_threads{0};
// Plain, as Halide's is: ThreadSanitizer reports a driver that sets it while another thread does.
halide_error_handler_t error_handler = nullptr;

}  // namespace

extern "C" {

int halide_get_num_threads() { return pool_threads; }

int halide_set_num_threads(int threads) {
  const int hardware = static_cast<int>(std::thread::hardware_concurrency());
  return pool_threads.exchange(threads > 0 ? threads : hardware > 0 ? hardware : 1);
}

int halide_can_use_target_features(int, const std::uint64_t *) { return 1; }

halide_error_handler_t halide_set_error_handler(halide_error_handler_t handler) {
  return std::exchange(error_handler, handler);
}

int halide_do_par_for(void *context, halide_task_t task, int min, int size, std::uint8_t *closure) {
  std::atomic<int> next{min}, failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < pool_threads; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < min + size; i = next++) {
        if (const int status = task(context, i, closure); status != 0) failed = status;
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
  return failed;
}

}  // extern "C"
