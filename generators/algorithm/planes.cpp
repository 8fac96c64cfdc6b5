// With the output o = stride * q + p: out(o) = epilogue(sum over input channels and the taps t of all phases of
// weights(first_tap + p - t * stride) * input(q + offset + t)), without the taps that lie outside the kernel; see
// geometry.h.
#include "algorithm/planes.h"

namespace tconv {

using Halide::Expr;
using Halide::RDom;

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

}  // namespace

Planes planes(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  const tconv_dims dims = typical_dims(plan);
  Planes p;
  tconv_variant own = variant;
  for (std::int32_t &count : own.phases) count = 1;
  PhaseConv &conv = p.conv = phase_parameters(plan, own);
  for (int i = 0; i < conv.rank; ++i) {
    p.strides.push_back(variant.phases[TCONV_MAX_RANK - 1 - i]);
    p.phases *= p.strides.back();
  }
  RDom r = depth_and_taps(conv);
  r.where(has_tap(p, dims, r));
  define_sum(conv, tiling);

  std::vector<Expr> sum_from = {conv.channel, conv.group}, phase, strides;
  for (int i = 0; i < conv.rank; ++i) {
    const int stride = p.strides[static_cast<std::size_t>(i)];
    sum_from.push_back(conv.position[i] / stride);
    phase.push_back(conv.position[i] % stride);
    strides.emplace_back(stride);
  }
  sum_from[0] = conv.channel * p.phases + index_of(phase, strides);
  define_output(conv, plan, own, sum_from, conv.bias(conv.channel, conv.group));
  fix_layout(conv, plan, tiling, variant);
  Halide::OutputImageParam out = conv.output.output_buffer();
  for (int i = 0; i < conv.rank; ++i) {
    const int stride = p.strides[static_cast<std::size_t>(i)];
    if (stride > 1) out.dim(2 + i).set_extent(out.dim(2 + i).extent() / stride * stride);
  }
  return p;
}

}  // namespace tconv
