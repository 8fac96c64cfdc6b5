// The transforms of the dimensions follow one another. Their matrices are those of tconv/minimal_filter.h; a row is
// picked by the point or output that the unrolled loop is at, so that nothing but its nonzero terms is left.
#include "algorithm/winograd.h"

#include "algorithm/activation_expr.h"

namespace tconv {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::ImageParam;
using Halide::select;
using Halide::Var;

namespace {

constexpr int rank = TCONV_MAX_RANK;

Vars variables(const std::string &name) { return {Var(name + "x"), Var(name + "y"), Var(name + "z")}; }

tconv_tile_grid grid_of(const Plan &plan, const tconv_tiling &tiling, int kind) {
  const tconv_dims dims = typical_dims(plan);
  return tconv_find_tile_grid(&tiling, &plan.layer, &dims, kind);
}

// Of the Halide dimension i.
const tconv_tiles &tiles_of(const tconv_tile_grid &grid, int i) { return grid.dim[TCONV_MAX_RANK - 1 - i]; }

// One dimension of both transforms: of Winograd's, or of Strassen's pairs. Of these what a tile reads is (position,
// half of the channels), and its outputs are (position, phase). Tiles of one output have their taps added up before
// (tconv/bf16x3.h).
class Transform {
 public:
  explicit Transform(const tconv_tiles &tiles)
      : paired_(tiles.paired > 1),
        outputs_(static_cast<int>(tiles.outputs * tiles.paired)),
        filter_(paired_ ? nullptr : tconv_find_interpolation(tiles.outputs, tiles.outputs == 1 ? 1 : tiles.taps)) {}

  int points() const { return paired_ ? TCONV_STRASSEN_POINTS : filter_->count; }
  int reads() const { return paired_ ? TCONV_STRASSEN_BLOCKS : filter_->count; }
  int outputs() const { return outputs_; }
  double input(int point, int read) const {
    return paired_ ? tconv_strassen_points()[point].input[read] : filter_->input[point][read];
  }
  double output(int output, int point) const {
    return paired_ ? tconv_strassen_points()[point].output[output]
                   : tconv_output_factor(filter_, output, point, outputs_);
  }

 private:
  const bool paired_;
  const int outputs_;
  const tconv_interpolation *const filter_;
};

// The sum of `count` terms, each by its factor.
template <typename Factors, typename Terms>
Expr combine(int count, Factors factors, Terms terms) {
  Expr sum;
  for (int j = 0; j < count; ++j) {
    const auto factor = static_cast<float>(factors(j));
    if (factor == 0) continue;
    const Expr magnitude = factor == 1 || factor == -1 ? terms(j) : terms(j) * std::abs(factor);
    if (!sum.defined())
      sum = factor < 0 ? -magnitude : magnitude;
    else
      sum = factor < 0 ? sum - magnitude : sum + magnitude;
  }
  return sum;
}

// The row that `index` names, of `rows`.
template <typename Row>
Expr pick(const Var &index, int rows, Row row) {
  Expr value = row(rows - 1);
  for (int i = rows - 2; i >= 0; --i) value = select(index == i, row(i), value);
  return value;
}

std::vector<Expr> arguments_of(const Var &first, const Vars &a, const std::vector<Expr> &b) {
  std::vector<Expr> all = {first};
  all.insert(all.end(), a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

std::vector<Var> variables_of(const Var &first, const Vars &a, const std::vector<Var> &b) {
  std::vector<Var> all = {first};
  all.insert(all.end(), a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

void set_mins(ImageParam &image) {
  for (int d = 0; d < image.dimensions(); ++d) image.dim(d).set_min(0);
}

}  // namespace

InputTransform input_transform(const Plan &plan, const tconv_tiling &tiling, int kind) {
  InputTransform t;
  const tconv_tile_grid grid = grid_of(plan, tiling, kind);
  const int channels = static_cast<int>(plan.layer.in_channels);
  t.channels = channels / static_cast<int>(tconv_channel_parts(&tiling, 0));
  t.window = ImageParam(Halide::Float(32), 1 + rank, "window");
  t.tile = variables("t");
  t.point = variables("p");
  t.position = variables("w");
  std::vector<Expr> from = {t.channel};
  for (int i = 0; i < rank; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const bool paired = tiles_of(grid, i).paired > 1;
    const int distance = static_cast<int>(tconv_half_distance(&tiling, &plan.layer, TCONV_MAX_RANK - 1 - i));
    const Expr position = paired ? t.position[k] / TCONV_STRASSEN_SIDE : Expr(t.position[k]);
    if (paired) from[0] += t.position[k] % TCONV_STRASSEN_SIDE * distance;
    from.push_back(t.tile[k] * static_cast<int>(tiles_of(grid, i).outputs) + position);
  }
  Func before("loaded");
  std::vector<Var> at(t.position.begin(), t.position.end());
  before(variables_of(t.channel, t.tile, at)) = t.window(from);
  for (int i = 0; i < rank; ++i) {
    const Transform transform(tiles_of(grid, i));
    std::vector<Expr> inner(at.begin(), at.end());
    at[static_cast<std::size_t>(i)] = t.point[static_cast<std::size_t>(i)];
    Func stage("input" + std::to_string(i));
    stage(variables_of(t.channel, t.tile, at)) =
        pick(t.point[static_cast<std::size_t>(i)], transform.points(), [&](int p) {
          return combine(
              transform.reads(), [&](int j) { return transform.input(p, j); },
              [&](int j) {
                inner[static_cast<std::size_t>(i)] = j;
                return before(arguments_of(t.channel, t.tile, inner));
              });
        });
    if (transform.points() > 1) t.stages.push_back(stage);
    before = stage;
  }
  std::vector<Expr> all(at.begin(), at.end());
  t.output(variables_of(t.channel, t.tile, at)) = before(arguments_of(t.channel, t.tile, all));
  Halide::OutputImageParam out = t.output.output_buffer();
  set_mins(t.window);
  for (int d = 0; d < 1 + 2 * rank; ++d) out.dim(d).set_min(0);
  t.window.dim(0).set_bounds(0, channels);
  t.window.dim(1).set_stride(channels);
  out.dim(0).set_bounds(0, t.channels);
  out.dim(1).set_stride(static_cast<int>(tconv_tile_row_floats(&tiling, &plan.layer)));
  for (int i = 0; i < rank; ++i) t.output.bound(t.point[i], 0, static_cast<int>(tiles_of(grid, i).points));
  return t;
}

TileProducts tile_products(const Plan &plan, const tconv_tiling &tiling) {
  TileProducts t;
  const int channels = static_cast<int>(tconv_tile_inputs(&tiling, &plan.layer));
  t.transformed = ImageParam(Halide::Float(32), 2 + rank, "transformed");
  t.weights = ImageParam(Halide::Float(32), 3, "weights");
  t.written = ImageParam(Halide::Float(32), 1 + 2 * rank, "written");
  t.tile = variables("t");
  const Halide::RDom r(0, channels, "r");
  t.channel = r.x;
  const std::vector<Var> at = {t.column, t.tile[0], t.tile[1], t.tile[2], t.point};
  t.sum(at) = 0.0f;
  t.sum(at) += t.weights(t.column, r, t.point) * t.transformed(r, t.tile[0], t.tile[1], t.tile[2], t.point);
  t.output(at) = t.sum(at);
  Halide::OutputImageParam out = t.output.output_buffer();
  set_mins(t.transformed);
  set_mins(t.weights);
  for (int d = 0; d < 2 + rank; ++d) out.dim(d).set_min(0);
  t.transformed.dim(0).set_bounds(0, channels);
  t.transformed.dim(1).set_stride(static_cast<int>(tconv_tile_row_floats(&tiling, &plan.layer)));
  t.weights.dim(0).set_bounds(0, tiling.panel);
  t.weights.dim(1).set_bounds(0, channels).set_stride(tiling.panel);
  t.weights.dim(2).set_stride(tiling.panel * channels);
  out.dim(0).set_bounds(0, tiling.panel);
  out.dim(1).set_stride(tiling.panel);
  return t;
}

std::vector<Halide::Argument> OutputTransform::arguments() const {
  std::vector<Halide::Argument> all = {products, bias};
  for (const auto &param : first) all.emplace_back(param);
  for (const auto &param : extent) all.emplace_back(param);
  return all;
}

OutputTransform output_transform(const Plan &plan, const tconv_tiling &tiling, int kind) {
  OutputTransform t;
  const tconv_tile_grid grid = grid_of(plan, tiling, kind);
  t.products = ImageParam(Halide::Float(32), 1 + 2 * rank, "products");
  t.bias = ImageParam(Halide::Float(32), 1, "bias");
  t.tile = variables("t");
  t.point = variables("p");
  t.inside = variables("j");
  std::vector<Var> at(t.point.begin(), t.point.end());
  Func before("multiplied");
  before(variables_of(t.column, t.tile, at)) =
      t.products(arguments_of(t.column, t.tile, {t.point[0], t.point[1], t.point[2]}));
  for (int i = 0; i < rank; ++i) {
    const Transform transform(tiles_of(grid, i));
    const int outputs = transform.outputs();
    t.outputs[static_cast<std::size_t>(i)] = outputs;
    std::vector<Expr> inner(at.begin(), at.end());
    at[static_cast<std::size_t>(i)] = t.inside[static_cast<std::size_t>(i)];
    Func stage("output" + std::to_string(i));
    stage(variables_of(t.column, t.tile, at)) = pick(t.inside[static_cast<std::size_t>(i)], outputs, [&](int j) {
      return combine(
          transform.points(), [&](int p) { return transform.output(j, p); },
          [&](int p) {
            inner[static_cast<std::size_t>(i)] = p;
            return before(arguments_of(t.column, t.tile, inner));
          });
    });
    if (transform.points() > 1) t.stages.push_back(stage);
    before = stage;
  }
  const Halide::Region insides = {{0, t.outputs[0]}, {0, t.outputs[1]}, {0, t.outputs[2]}};
  Halide::RDom r(insides, "r");
  const Activation activation = static_cast<Activation>(plan.layer.activation);
  std::vector<Var> value_at = {t.column, t.inside[0], t.inside[1], t.inside[2], t.tile[0], t.tile[1], t.tile[2]};
  std::vector<Expr> write_at(value_at.begin(), value_at.end());
  t.value(value_at) = activation_expr(
      before(arguments_of(t.column, t.tile, {t.inside[0], t.inside[1], t.inside[2]})) + t.bias(t.column), activation);
  t.output(value_at) = Halide::undef<float>();
  for (int i = 0; i < rank; ++i) {
    t.first.emplace_back("first" + std::to_string(i));
    t.extent.emplace_back("extent" + std::to_string(i));
    t.written.push_back(r[i]);
    write_at[static_cast<std::size_t>(1 + i)] = r[i];
    const Expr q = t.first.back() + t.tile[i] * t.outputs[static_cast<std::size_t>(i)] + r[i];
    r.where(q >= 0 && q < t.extent.back());
  }
  t.output(write_at) = t.value(write_at);
  Halide::OutputImageParam out = t.output.output_buffer();
  set_mins(t.products);
  for (int d = 0; d < 1 + 2 * rank; ++d) out.dim(d).set_min(0);
  t.products.dim(0).set_bounds(0, tiling.panel);
  t.products.dim(1).set_stride(tiling.panel);
  t.bias.dim(0).set_bounds(0, tiling.panel);
  if (tconv_merges_columns(&tiling) || tconv_group_outputs(&plan.layer) % tiling.panel == 0)
    out.dim(0).set_bounds(0, tiling.panel);
  for (int i = 0; i < rank; ++i) {
    t.output.bound(t.inside[i], 0, t.outputs[static_cast<std::size_t>(i)]);
    t.value.bound(t.inside[i], 0, t.outputs[static_cast<std::size_t>(i)]);
  }
  return t;
}

}  // namespace tconv
