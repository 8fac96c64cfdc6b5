// out(channel, q, p) = epilogue(sum over input channels and taps of weights * input(q + tap * step)): see geometry.h
// for why every class of phases has this form.
#include "algorithm/phase_conv.h"

#include "algorithm/activation_expr.h"

namespace tconv {

using Halide::Expr;
using Halide::RDom;
using Halide::Var;

namespace {

std::string indexed(const char *name, int i) { return name + std::to_string(i); }

// A constant where the plan fixes the value.
Expr fixed_or(std::int64_t fixed, const Expr &open) { return fixed > 0 ? Expr(static_cast<int>(fixed)) : open; }

// The step between the taps of a phase is the same for every phase that has taps.
std::int64_t fixed_step(const Plan &plan, int dim) {
  if (plan.general) return 0;
  const tconv_dims dims = typical_dims(plan);
  return dims.dim[dim].dilation / tconv_gcd(dims.dim[dim].stride, dims.dim[dim].dilation);
}

// The input at the one tap of the class, from blocks of it that are read as rows of channels.
Expr transposed_input(PhaseConv &conv, const ReadBlock &block) {
  Var column("block_channel"), row("block_position"), channels("channel_block"), positions("position_block");
  std::vector<Var> at = {column, row, conv.group, channels, positions};
  at.insert(at.end(), conv.position.begin() + 1, conv.position.end());
  std::vector<Expr> from = {channels * block.channels + column, conv.group, positions * block.positions + row};
  from.insert(from.end(), conv.position.begin() + 1, conv.position.end());
  conv.read(at) = conv.input(from);
  const Var &q = conv.position[0];
  std::vector<Expr> of = {conv.depth % block.channels, q % block.positions, conv.group, conv.depth / block.channels,
                          q / block.positions};
  of.insert(of.end(), conv.position.begin() + 1, conv.position.end());
  return conv.read(of);
}

}  // namespace

std::vector<Halide::Argument> PhaseConv::arguments() const {
  std::vector<Halide::Argument> all = {input, weights, bias};
  for (const auto &param : taps) all.emplace_back(param);
  for (const auto &param : steps) all.emplace_back(param);
  return all;
}

// Knowing them saves address arithmetic.
void fix_layout(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  const tconv_layer &layer = plan.layer;
  const std::int64_t taps = std::int64_t{variant.taps[0]} * variant.taps[1] * variant.taps[2];
  const int depth = static_cast<int>(taps * tconv_group_inputs(&layer));
  conv.weights.dim(0)
      .set_bounds(0, tiling.panel)
      .set_stride(!tiling.lane_sums ? Expr(1)
                  : depth > 0       ? Expr(depth)
                                    : Expr());
  conv.weights.dim(1).set_stride(tiling.lane_sums ? 1 : tiling.panel);
  conv.bias.dim(0).set_stride(1);
  Halide::OutputImageParam out = conv.output.output_buffer();
  for (int d = 0; d < conv.input.dimensions(); ++d) conv.input.dim(d).set_min(0);
  for (int d = 0; d < conv.weights.dimensions(); ++d) conv.weights.dim(d).set_min(0);
  for (int d = 0; d < conv.bias.dimensions(); ++d) conv.bias.dim(d).set_min(0);
  for (int d = 0; d < out.dimensions(); ++d) out.dim(d).set_min(0);
  const bool reads_last = tconv_reads_channels_last(&tiling, &layer) != 0;
  const bool writes_last = tconv_writes_channels_last(&tiling, &layer) != 0;
  conv.input.dim(0).set_stride(reads_last ? Expr(1) : Expr());
  if (!reads_last) conv.input.dim(2).set_stride(1);
  out.dim(0).set_stride(writes_last ? Expr(1) : Expr());
  if (plan.general) return;
  if (!tiling.lane_sums) conv.input.dim(0).set_bounds(0, static_cast<int>(tconv_group_inputs(&layer)));
  conv.input.dim(1).set_bounds(0, static_cast<int>(layer.groups));
  out.dim(0).set_bounds(0, static_cast<int>(tconv_row_outputs(&tiling, &layer, variant.phases[TCONV_MAX_RANK - 1])));
  out.dim(1).set_bounds(0, static_cast<int>(tconv_column_groups(&tiling, &layer)));
  const bool rows = tconv_unites_phases(&tiling) != 0;
  const int stride = rows ? 1 : static_cast<int>(typical_dims(plan).dim[TCONV_MAX_RANK - 1].stride);
  const int pixel = writes_last ? static_cast<int>(layer.out_channels) : 1;
  if (reads_last) {
    conv.input.dim(1).set_stride(static_cast<int>(tconv_group_inputs(&layer)));
    conv.input.dim(2).set_stride(static_cast<int>(layer.in_channels));
  }
  if (writes_last) out.dim(1).set_stride(static_cast<int>(tconv_column_outputs(&tiling, &layer)));
  out.dim(2).set_stride(stride * pixel);
  out.dim(2 + conv.rank).set_stride(pixel);
}

PhaseConv phase_parameters(const Plan &plan, const tconv_variant &variant) {
  PhaseConv conv;
  const int rank = conv.rank = plan.layer.rank;
  conv.input = Halide::ImageParam(Halide::Float(32), 2 + rank, "input");
  conv.weights = Halide::ImageParam(Halide::Float(32), 4, "weights");
  conv.bias = Halide::ImageParam(Halide::Float(32), 2, "bias");
  conv.inputs = plan.general ? conv.input.dim(0).extent() : Expr(static_cast<int>(tconv_group_inputs(&plan.layer)));
  for (int i = 0; i < rank; ++i) {
    const int dim = TCONV_MAX_RANK - 1 - i;
    conv.position.emplace_back(indexed("q", i));
    conv.phase.emplace_back(indexed("p", i));
    conv.taps.emplace_back(indexed("taps", i));
    conv.steps.emplace_back(indexed("step", i));
    conv.tap_count.push_back(fixed_or(variant.taps[dim], conv.taps[i]));
    conv.tap_step.push_back(fixed_or(fixed_step(plan, dim), conv.steps[i]));
    conv.phases *= variant.phases[dim];
  }
  return conv;
}

Expr index_of(const std::vector<Expr> &coordinates, const std::vector<Expr> &extents) {
  Expr index = 0;
  for (std::size_t i = coordinates.size(); i-- > 0;) index = index * extents[i] + coordinates[i];
  return index;
}

RDom depth_and_taps(PhaseConv &conv) {
  Halide::Region domain = {{0, conv.inputs}};
  for (const Expr &count : conv.tap_count) domain.emplace_back(0, count);
  RDom r(domain, "r");
  conv.depth = r[0];
  for (int i = 0; i < conv.rank; ++i) conv.tap.push_back(r[1 + i]);
  return r;
}

void define_sum(PhaseConv &conv, const tconv_tiling &tiling, const ReadBlock &read_block) {
  const bool depthwise = tiling.group_columns != 0;
  std::vector<Expr> from = {conv.depth, depthwise ? Expr(conv.column) : Expr(conv.group)};
  std::vector<Expr> sum_at = {conv.column, conv.group};
  for (int i = 0; i < conv.rank; ++i) {
    from.push_back(conv.position[i] + conv.tap[i] * conv.tap_step[i]);
    sum_at.emplace_back(conv.position[i]);
  }
  const Expr tap_index = index_of({conv.tap.begin(), conv.tap.end()}, conv.tap_count);
  const int panel = tiling.panel;
  conv.sum(sum_at) = 0.0f;
  conv.sum(sum_at) +=
      conv.weights(conv.column % panel, tap_index * conv.inputs + conv.depth, conv.column / panel, conv.group) *
      (read_block.channels > 0 ? transposed_input(conv, read_block) : conv.input(from));
}

void define_output(PhaseConv &conv, const Plan &plan, const tconv_variant &variant, const std::vector<Expr> &sum_from,
                   const Expr &bias) {
  std::vector<Var> at = {conv.channel, conv.group};
  at.insert(at.end(), conv.position.begin(), conv.position.end());
  at.insert(at.end(), conv.phase.begin(), conv.phase.end());
  const std::vector<Expr> same(at.begin(), at.end());
  conv.biased(at) = conv.sum(sum_from) + bias;
  conv.value(at) = activation_expr(conv.biased(same), static_cast<Activation>(plan.layer.activation));
  conv.output(at) = conv.value(same);
  for (int i = 0; i < conv.rank; ++i) conv.output.bound(conv.phase[i], 0, variant.phases[TCONV_MAX_RANK - 1 - i]);
}

PhaseConv phase_conv(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant,
                     const ReadBlock &read_block) {
  // A row of phases is one phase of so many more columns.
  tconv_variant own = variant;
  if (tconv_is_row_of_phases(&tiling)) own.phases[TCONV_MAX_RANK - 1] = 1;
  PhaseConv conv = phase_parameters(plan, own);
  depth_and_taps(conv);
  define_sum(conv, tiling, read_block);

  std::vector<Expr> phase_count;
  for (int i = 0; i < conv.rank; ++i) phase_count.emplace_back(own.phases[TCONV_MAX_RANK - 1 - i]);
  const Expr phase_index = index_of({conv.phase.begin(), conv.phase.end()}, phase_count);
  std::vector<Expr> sum_from = {conv.channel, conv.group};
  // A general kernel's phases are never merged.
  if (conv.phases > 1)
    sum_from[0] = conv.channel + phase_index * static_cast<int>(tconv_phase_columns(&tiling, &plan.layer));
  sum_from.insert(sum_from.end(), conv.position.begin(), conv.position.end());
  define_output(conv, plan, own, sum_from, conv.bias(conv.channel, conv.group));
  fix_layout(conv, plan, tiling, variant);
  return conv;
}

}  // namespace tconv
