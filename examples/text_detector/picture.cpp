#include "picture.h"

#include <algorithm>
#include <cmath>

#include <png.h>

namespace {

constexpr int frame = 2;       // pixels
constexpr double tint = 0.18;  // the share of the colour inside the box

std::uint8_t *pixel(Picture &picture, int x, int y) {
  return &picture.rgb[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                           static_cast<std::size_t>(x))];
}

png_image empty_image() {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.format = PNG_FORMAT_RGB;
  return image;
}

// The value at a position between the pixels' centres; the edge is continued.
double sample(const Picture &picture, double x, double y, std::size_t channel) {
  const int left = static_cast<int>(std::floor(x)), top = static_cast<int>(std::floor(y));
  const auto at = [&](int px, int py) {
    px = std::clamp(px, 0, picture.width - 1);
    py = std::clamp(py, 0, picture.height - 1);
    return static_cast<double>(picture.rgb[3 * static_cast<std::size_t>(py * picture.width + px) + channel]);
  };
  const double right_share = x - left, low_share = y - top;
  const double high = at(left, top) * (1 - right_share) + at(left + 1, top) * right_share;
  const double low = at(left, top + 1) * (1 - right_share) + at(left + 1, top + 1) * right_share;
  return high * (1 - low_share) + low * low_share;
}

}  // namespace

std::optional<Picture> read_png(const std::string &path) {
  png_image image = empty_image();
  if (!png_image_begin_read_from_file(&image, path.c_str())) return std::nullopt;
  image.format = PNG_FORMAT_RGB;
  Picture picture{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  if (!png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr)) return std::nullopt;
  return picture;
}

bool write_png(const std::string &path, const Picture &picture) {
  png_image image = empty_image();
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  return png_image_write_to_file(&image, path.c_str(), 0, picture.rgb.data(), 0, nullptr) != 0;
}

Picture doubled(const Picture &picture) {
  Picture large{2 * picture.width, 2 * picture.height, {}};
  large.rgb.resize(4 * picture.rgb.size());
  for (int y = 0; y < large.height; ++y)
    for (int x = 0; x < large.width; ++x)
      for (std::size_t channel = 0; channel < 3; ++channel)
        pixel(large, x, y)[channel] =
            static_cast<std::uint8_t>(std::lround(sample(picture, (x - 0.5) / 2, (y - 0.5) / 2, channel)));
  return large;
}

void mark(Picture &picture, const Box &box, Colour colour) {
  for (int y = box.top; y <= box.bottom; ++y) {
    for (int x = box.left; x <= box.right; ++x) {
      const int depth = std::min({x - box.left, box.right - x, y - box.top, box.bottom - y});
      const double share = depth < frame ? 1 : tint;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        std::uint8_t &value = pixel(picture, x, y)[channel];
        value = static_cast<std::uint8_t>(std::lround(value * (1 - share) + colour[channel] * share));
      }
    }
  }
}
