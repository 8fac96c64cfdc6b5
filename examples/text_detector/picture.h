// An RGB picture: read and written as PNG, and marked with what the network found.
#ifndef PICTURE_H
#define PICTURE_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text_boxes.h"

using Colour = std::array<std::uint8_t, 3>;

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

// Nothing, when the file is no readable PNG.
std::optional<Picture> read_png(const std::string &path);
bool write_png(const std::string &path, const Picture &picture);

// Twice as wide and high, interpolated.
Picture doubled(const Picture &picture);

// Tints the inside of the box and draws its frame.
void mark(Picture &picture, const Box &box, Colour colour);

#endif
