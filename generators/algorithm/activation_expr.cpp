// Formulas follow Keras 3's documentation of keras.activations. Those that would lose digits in their plain form are
// rearranged; each says how.
#include "algorithm/activation_expr.h"

namespace tconv {

using Halide::abs;
using Halide::clamp;
using Halide::exp;
using Halide::Expr;
using Halide::Func;
using Halide::log;
using Halide::max;
using Halide::min;
using Halide::select;
using Halide::Var;

namespace {

Expr relu6(const Expr &x) { return clamp(x, 0.0f, 6.0f); }

// Exponents are never positive, so nothing overflows.
Expr sigmoid(const Expr &x) {
  const Expr e = exp(-abs(x));
  return select(x >= 0.0f, 1.0f, e) / (1.0f + e);
}

// log(1 + e) by the series where 1 + e would lose e's digits.
Expr log1p(const Expr &e) { return select(e < 1e-3f, e * (1.0f - e * 0.5f), log(1.0f + e)); }

Expr softplus(const Expr &x) { return max(x, 0.0f) + log1p(exp(-abs(x))); }

// exp(x) - 1 for x <= 0, by its series near 0.
Expr expm1(const Expr &x) {
  const Expr series = x * (1.0f + x * (0.5f + x * (1.0f / 6 + x * (1.0f / 24 + x * (1.0f / 120)))));
  return select(x > -0.2f, series, exp(x) - 1.0f);
}

// From exp rather than the C library's tanhf, which would be called once a lane; the series serves small |x|.
Expr tanh_of(const Expr &x) {
  const Expr a = abs(x), e = exp(-2.0f * a), s = x * x;
  const Expr large = (1.0f - e) / (1.0f + e);
  const Expr small = x * (1.0f + s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315 + s * (62.0f / 2835)))));
  return select(a < 0.3f, small, select(x < 0.0f, -large, large));
}

// Abramowitz and Stegun 7.1.26: absolute error under 1.5e-7.
Expr erf_of(const Expr &x) {
  const Expr a = abs(x), t = 1.0f / (1.0f + 0.3275911f * a);
  const Expr poly =
      t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const Expr y = 1.0f - poly * exp(-a * a);
  return select(x < 0.0f, -y, y);
}

constexpr float selu_scale = 1.0507009873554804934193349852946f;
constexpr float selu_alpha = 1.6732632423543772848170429916717f;
constexpr float sqrt_half = 0.70710678118654752440f;

// The negative branch sees only x <= 0.
Expr elu(const Expr &x, float alpha) { return select(x > 0.0f, x, alpha * expm1(min(x, 0.0f))); }

Expr hard_sigmoid(const Expr &x) { return relu6(x + 3.0f) / 6.0f; }

}  // namespace

bool works_on_rows(Activation activation) {
  return activation == Activation::softmax || activation == Activation::log_softmax;
}

Expr activation_expr(const Expr &x, Activation activation) {
  switch (activation) {
    case Activation::linear:
    case Activation::softmax:
    case Activation::log_softmax: return x;
    case Activation::relu: return max(x, 0.0f);
    case Activation::relu6: return relu6(x);
    case Activation::leaky_relu: return select(x > 0.0f, x, 0.2f * x);
    case Activation::elu:
    case Activation::celu: return elu(x, 1.0f);
    case Activation::selu: return selu_scale * elu(x, selu_alpha);
    case Activation::silu: return x * sigmoid(x);
    case Activation::gelu: return 0.5f * x * (1.0f + erf_of(x * sqrt_half));
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return tanh_of(x);
    case Activation::softplus: return softplus(x);
    case Activation::softsign: return x / (1.0f + abs(x));
    case Activation::exponential: return exp(x);
    case Activation::hard_sigmoid: return hard_sigmoid(x);
    case Activation::hard_silu: return x * hard_sigmoid(x);
    case Activation::hard_tanh: return clamp(x, -1.0f, 1.0f);
    case Activation::hard_shrink: return select(abs(x) > 0.5f, x, 0.0f);
    case Activation::soft_shrink: return select(x > 0.5f, x - 0.5f, x < -0.5f, x + 0.5f, 0.0f);
    case Activation::tanh_shrink: return x - tanh_of(x);
    case Activation::squareplus: return 0.5f * (x + Halide::sqrt(x * x + 4.0f));
    case Activation::sparse_plus: return select(x <= -1.0f, 0.0f, x >= 1.0f, x, 0.25f * (x + 1.0f) * (x + 1.0f));
    case Activation::sparse_sigmoid: return clamp(0.5f * (x + 1.0f), 0.0f, 1.0f);
    case Activation::log_sigmoid: return -softplus(-x);
    case Activation::mish: return x * tanh_of(softplus(x));
  }
  return x;
}

Halide::Pipeline activate_pipeline(int rank, bool channels_last, const Halide::Target &target,
                                   std::vector<Halide::Argument> *inputs) {
  const int dimensions = 2 + 2 * rank;
  Halide::ImageParam input(Halide::Float(32), dimensions, "input");
  Halide::Param<int> kind("kind");
  std::vector<Var> at;
  for (int d = 0; d < dimensions; ++d) at.emplace_back("d" + std::to_string(d));
  Func output("output");
  const Expr x = input(at);
  Expr value = x;
  for (int k = 0; k < activation_count; ++k)
    value = select(kind == k, activation_expr(x, static_cast<Activation>(k)), value);
  output(at) = value;
  // Channels first: a phase's positions lie a stride apart.
  if (!channels_last) {
    input.dim(0).set_stride(Expr());
    output.output_buffer().dim(0).set_stride(Expr());
  }
  const Var &axis = at[channels_last ? 0 : 2];
  for (int k = 1; k < activation_count; ++k) {
    if (works_on_rows(static_cast<Activation>(k))) continue;
    output.specialize(kind == k).vectorize(axis, target.natural_vector_size<float>(),
                                           Halide::TailStrategy::GuardWithIf);
  }
  *inputs = {input, kind};
  return Halide::Pipeline(output);
}

Halide::Pipeline softmax_pipeline(const Halide::Target &target, std::vector<Halide::Argument> *inputs) {
  Halide::ImageParam input(Halide::Float(32), 2, "input");
  Halide::Param<int> logarithm("logarithm");
  Var i("i"), row("row");
  Func highest("highest"), total("total"), output("output");
  const Halide::RDom r(input.dim(0).min(), input.dim(0).extent());
  highest(row) = input(input.dim(0).min(), row);
  highest(row) = max(highest(row), input(r, row));
  total(row) = 0.0f;
  total(row) += exp(input(r, row) - highest(row));
  const Expr shifted = input(i, row) - highest(row);
  output(i, row) = select(logarithm != 0, shifted - log(total(row)), exp(shifted) / total(row));
  highest.compute_at(output, row);
  total.compute_at(output, row);
  output.vectorize(i, target.natural_vector_size<float>(), Halide::TailStrategy::GuardWithIf);
  *inputs = {input, logarithm};
  return Halide::Pipeline(output);
}

}  // namespace tconv
