// With the output o = stride * q + p: out(o) = epilogue(sum over input channels and the taps t of all phases of
// weights(first_tap + p - t * stride) * input(q + offset + t)), without the taps that lie outside the kernel; see
// geometry.h.
#include "algorithm/planes.h"

#include "algorithm/activation_expr.h"

namespace tconv {

using Halide::Expr;
using Halide::RDom;
using Halide::Var;

namespace {

// Whether the column's phase has the tap. Both are constants once they are unrolled.
Expr has_tap(const Planes &p, const tconv_dims &dims, const RDom &r) {
  Expr has = Halide::cast<bool>(true), phase = p.conv.column % p.phases;
  for (int i = 0; i < p.conv.rank; ++i) {
    const tconv_dim &dim = dims.dim[TCONV_MAX_RANK - 1 - i];
    const int stride = p.strides[static_cast<std::size_t>(i)];
    const Expr tap = phase % stride + static_cast<int>(tconv_united_run(&dim).first_tap) - r[1 + i] * stride;
    has = has && tap >= 0 && tap < static_cast<int>(dim.kernel);
    phase = phase / stride;
  }
  return has;
}

void fix_planes(PhaseConv &conv, const Plan &plan, const tconv_tiling &tiling, const std::vector<int> &strides) {
  const tconv_layer &layer = plan.layer;
  Halide::OutputImageParam out = conv.output.output_buffer();
  for (int d = 0; d < conv.input.dimensions(); ++d) conv.input.dim(d).set_min(0);
  for (int d = 0; d < conv.weights.dimensions(); ++d) conv.weights.dim(d).set_min(0);
  for (int d = 0; d < conv.bias.dimensions(); ++d) conv.bias.dim(d).set_min(0);
  for (int d = 0; d < out.dimensions(); ++d) out.dim(d).set_min(0);
  conv.input.dim(0).set_bounds(0, static_cast<int>(layer.in_channels)).set_stride(Expr());
  conv.input.dim(1).set_bounds(0, 1);
  conv.input.dim(2).set_stride(1);
  conv.weights.dim(0).set_bounds(0, tiling.panel).set_stride(1);
  conv.weights.dim(1).set_stride(tiling.panel);
  conv.bias.dim(0).set_stride(1);
  out.dim(0).set_bounds(0, static_cast<int>(layer.out_channels)).set_stride(Expr());
  out.dim(1).set_bounds(0, 1);
  for (int i = 0; i < conv.rank; ++i) {
    const int stride = strides[static_cast<std::size_t>(i)];
    if (stride > 1) out.dim(2 + i).set_extent(out.dim(2 + i).extent() / stride * stride);
  }
  out.dim(2).set_stride(1);
}

}  // namespace

Planes planes(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  const tconv_dims dims = typical_dims(plan);
  Planes p;
  tconv_variant own = variant;
  for (std::int32_t &count : own.phases) count = 1;
  PhaseConv &conv = p.conv = phase_parameters(plan, own);
  Halide::Region domain = {{0, conv.inputs}};
  for (const Expr &count : conv.tap_count) domain.emplace_back(0, count);
  for (int i = 0; i < conv.rank; ++i) {
    p.strides.push_back(variant.phases[TCONV_MAX_RANK - 1 - i]);
    p.phases *= p.strides.back();
  }
  RDom r(domain, "r");
  r.where(has_tap(p, dims, r));
  conv.depth = r[0];
  std::vector<Expr> from = {r[0], conv.group}, sum_at = {conv.column, conv.group};
  for (int i = 0; i < conv.rank; ++i) {
    conv.tap.push_back(r[1 + i]);
    from.push_back(conv.position[i] + r[1 + i]);
    sum_at.emplace_back(conv.position[i]);
  }
  const Expr tap = index_of({conv.tap.begin(), conv.tap.end()}, conv.tap_count);
  conv.sum(sum_at) = 0.0f;
  conv.sum(sum_at) +=
      conv.weights(conv.column % tiling.panel, tap * conv.inputs + r[0], conv.column / tiling.panel, conv.group) *
      conv.input(from);

  std::vector<Expr> sum_from = {conv.channel, conv.group}, phase, strides;
  std::vector<Var> output_at = {conv.channel, conv.group};
  for (int i = 0; i < conv.rank; ++i) {
    const Var &out = conv.position[i];
    const int stride = p.strides[static_cast<std::size_t>(i)];
    sum_from.push_back(out / stride);
    phase.push_back(out % stride);
    strides.emplace_back(stride);
    output_at.push_back(out);
  }
  sum_from[0] = conv.channel * p.phases + index_of(phase, strides);
  output_at.insert(output_at.end(), conv.phase.begin(), conv.phase.end());
  const std::vector<Expr> same(output_at.begin(), output_at.end());
  conv.biased(output_at) = conv.sum(sum_from) + conv.bias(conv.channel, conv.group);
  conv.value(output_at) = activation_expr(conv.biased(same), static_cast<Activation>(plan.layer.activation));
  conv.output(output_at) = conv.value(same);
  for (const Var &one : conv.phase) conv.output.bound(one, 0, 1);
  fix_planes(conv, plan, tiling, p.strides);
  return p;
}

}  // namespace tconv
