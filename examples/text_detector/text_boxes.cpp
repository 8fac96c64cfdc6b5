#include "text_boxes.h"

#include <algorithm>
#include <cmath>

namespace {

// A region with a shorter side is noise.
constexpr int shortest_side = 3;

// The network is trained to mark text lines that were shrunk; each region grows by this share of area / perimeter.
constexpr double growth = 1.5;

struct Region {
  Box box;
  int area = 0;
};

// The region around (x, y); its pixels become false in `text`.
Region take_region(std::vector<bool> &text, int height, int width, int x, int y) {
  Region region{{x, y, x, y}};
  std::vector<int> waiting = {y * width + x};
  text[static_cast<std::size_t>(waiting.front())] = false;
  const auto visit = [&](int px, int py) {
    const int at = py * width + px;
    if (px < 0 || px >= width || py < 0 || py >= height || !text[static_cast<std::size_t>(at)]) return;
    text[static_cast<std::size_t>(at)] = false;
    waiting.push_back(at);
  };
  while (!waiting.empty()) {
    const int px = waiting.back() % width, py = waiting.back() / width;
    waiting.pop_back();
    Box &box = region.box;
    box = {std::min(box.left, px), std::min(box.top, py), std::max(box.right, px), std::max(box.bottom, py)};
    ++region.area;
    visit(px - 1, py);
    visit(px + 1, py);
    visit(px, py - 1);
    visit(px, py + 1);
  }
  return region;
}

Box grown(const Region &region, int height, int width) {
  const Box &box = region.box;
  const int perimeter = 2 * (box.right - box.left + 1 + box.bottom - box.top + 1);
  const int by = static_cast<int>(std::lround(growth * region.area / perimeter));
  return {std::max(box.left - by, 0), std::max(box.top - by, 0), std::min(box.right + by, width - 1),
          std::min(box.bottom + by, height - 1)};
}

}  // namespace

std::vector<Box> find_text(const std::vector<float> &map, int height, int width, float threshold) {
  std::vector<bool> text(map.size());
  std::transform(map.begin(), map.end(), text.begin(), [=](float probability) { return probability > threshold; });
  std::vector<Box> boxes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int at = y * width + x;
      if (!text[static_cast<std::size_t>(at)]) continue;
      const Region region = take_region(text, height, width, x, y);
      const Box &box = region.box;
      if (std::min(box.right - box.left, box.bottom - box.top) + 1 >= shortest_side)
        boxes.push_back(grown(region, height, width));
    }
  }
  return boxes;
}
