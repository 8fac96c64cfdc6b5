// Finds the text on a scanned page with two compiled layers: up1 (batch normalisation and ReLU fused) and up2 (sigmoid
// fused), whose weights are inside the program. Checks both against ONNX Runtime's results, prints the time of each and
// writes the page with the text marked.
//
//     text_detector DATA_DIRECTORY PICTURE.png
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "picture.h"
#include "tconv/npy.h"
#include "text_boxes.h"
#include "up1.h"
#include "up2.h"

namespace {

constexpr float largest_error_allowed = 1e-4F;
constexpr float text_threshold = 0.3F;
constexpr Colour marker = {220, 20, 60};
constexpr int timed_runs = 200;

// An emitted layer, as its header gives it.
struct Layer {
  const char *name;
  std::size_t (*workspace_bytes)(int threads);
  int (*run)(const float *input, float *output, void *workspace, std::size_t workspace_bytes, int threads);
};

constexpr Layer up1 = {"up1", up1_workspace_bytes, up1_run};
constexpr Layer up2 = {"up2", up2_workspace_bytes, up2_run};

bool read(const std::string &path, tconv::Tensor &tensor) {
  tconv::Result<tconv::Tensor> result = tconv::read_npy(path);
  if (!result.ok()) {
    std::fprintf(stderr, "text_detector: %s\n", result.status().message().c_str());
    return false;
  }
  tensor = std::move(result).value();
  return true;
}

int run(const Layer &layer, const tconv::Tensor &input, tconv::Tensor &output) {
  constexpr int threads = 1;
  std::vector<char> workspace(layer.workspace_bytes(threads));
  return layer.run(input.data.data(), output.data.data(), workspace.data(), workspace.size(), threads);
}

double median_ms(const Layer &layer, const tconv::Tensor &input, tconv::Tensor &output) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = 0; i < timed_runs; ++i) {
    const Clock::time_point start = Clock::now();
    if (run(layer, input, output) != TCONV_OK) return NAN;
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + timed_runs / 2, times.end());
  return times[timed_runs / 2];
}

float largest_error(const tconv::Tensor &output, const tconv::Tensor &expected) {
  float largest = 0;
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    const float error = std::fabs(output.data[i] - expected.data[i]);
    if (!(error <= largest)) largest = error;  // a NaN counts as an error, too
  }
  return largest;
}

// Runs a layer, prints how far it is from `expected` and how long it takes.
bool check(const Layer &layer, const tconv::Tensor &input, const tconv::Tensor &expected, tconv::Tensor &output) {
  output.shape = expected.shape;
  output.data.assign(expected.data.size(), NAN);
  if (const int status = run(layer, input, output); status != TCONV_OK) {
    std::fprintf(stderr, "text_detector: %s: %s\n", layer.name, tconv_status_message(status));
    return false;
  }
  const float error = largest_error(output, expected);
  const bool right = error < largest_error_allowed;
  std::printf("%s   largest error %.1e, %s %.0e   %.3f ms on one thread (median of %d runs)\n", layer.name,
              static_cast<double>(error), right ? "below" : "NOT BELOW", static_cast<double>(largest_error_allowed),
              median_ms(layer, input, output), timed_runs);
  return right;
}

bool draw(const std::string &page_path, const tconv::Tensor &probability, const std::string &picture_path) {
  const int height = static_cast<int>(probability.shape[1]), width = static_cast<int>(probability.shape[2]);
  const std::optional<Picture> page = read_png(page_path);
  if (!page || page->width != width || page->height != height) {
    std::fprintf(stderr, "text_detector: %s is not a picture of %d x %d pixels\n", page_path.c_str(), width, height);
    return false;
  }
  const std::vector<Box> boxes = find_text(probability.data, height, width, text_threshold);
  Picture picture = doubled(*page);
  for (const Box &box : boxes)
    mark(picture, {2 * box.left, 2 * box.top, 2 * box.right + 1, 2 * box.bottom + 1}, marker);
  if (!write_png(picture_path, picture)) {
    std::fprintf(stderr, "text_detector: cannot write %s\n", picture_path.c_str());
    return false;
  }
  std::printf("%zu pieces of text found; marked in %s\n", boxes.size(), picture_path.c_str());
  return true;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: text_detector DATA_DIRECTORY PICTURE.png\n");
    return 2;
  }
  const std::string data = std::string(argv[1]) + "/";
  tconv::Tensor features, expected_up1, expected_probability, upsampled, probability;
  if (!read(data + "features.npy", features) || !read(data + "expected_up1.npy", expected_up1) ||
      !read(data + "expected_probability.npy", expected_probability))
    return 1;
  const bool up1_right = check(up1, features, expected_up1, upsampled);
  const bool up2_right = up1_right && check(up2, upsampled, expected_probability, probability);
  return up2_right && draw(data + "page.png", probability, argv[2]) ? 0 : 1;
}
