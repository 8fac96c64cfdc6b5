// Winograd's minimal filtering (tconv/winograd.h) as three functions: the transform of the input, the products of each
// transform point, and the transform to outputs with their epilogue. One form serves every rank: missing dimensions
// have tiles of one output and one point. Channels last. Schedules work on the members.
#ifndef TCONV_GENERATORS_WINOGRAD_H
#define TCONV_GENERATORS_WINOGRAD_H

#include <array>
#include <vector>

#include <Halide.h>

#include "plan/plan.h"
#include "tconv/winograd.h"

namespace tconv {

// [0] is the innermost dimension.
using Vars = std::array<Halide::Var, TCONV_MAX_RANK>;

struct InputTransform {
  Halide::ImageParam window;  // (channel, positions...)
  Halide::Var channel{"channel"};
  int channels = 0;            // of a point
  Vars tile, point, position;  // `position`: in the window of a tile
  std::vector<Halide::Func>
      stages;  // one a dimension that has a transform: (channel, tiles..., points or positions...)
  Halide::Func output{"transformed"};
};

struct TileProducts {
  Halide::ImageParam transformed;  // (channel, tiles..., point)
  Halide::ImageParam weights;      // (column, channel, point)
  Halide::ImageParam written;      // (column, in a tile x, y, z, tile x, y, z): the outputs that come of them
  Halide::Var column{"column"}, point{"point"};
  Vars tile;
  Halide::RVar channel;
  Halide::Func sum{"sum"}, output{"products"};  // (column, tiles..., point)
};

struct OutputTransform {
  Halide::ImageParam products;  // (column, tiles..., points...)
  Halide::ImageParam bias;      // (column)
  std::vector<Halide::Param<int>> first, extent;
  Halide::Var column{"column"};
  Vars tile, point, inside;          // `inside`: output of a tile
  std::vector<Halide::Func> stages;  // one a dimension that has a transform: (column, tiles..., outputs or points...)
  Halide::Func value{"value"};       // (column, insides..., tiles...): with bias and activation
  Halide::Func output{"output"};     // those of them that the layer has
  std::array<int, TCONV_MAX_RANK> outputs{};
  std::vector<Halide::RVar> written;  // runs over `inside`

  std::vector<Halide::Argument> arguments() const;
};

// Of one kind of phases; the products are the same for all.
InputTransform input_transform(const Plan &plan, const tconv_tiling &tiling, int kind);
TileProducts tile_products(const Plan &plan, const tconv_tiling &tiling);
OutputTransform output_transform(const Plan &plan, const tconv_tiling &tiling, int kind);

}  // namespace tconv

#endif
