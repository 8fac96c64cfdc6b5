// Each formula as Keras documents it; no care is taken of float32, double has digits enough.
#include "random/activation_reference.h"

#include <algorithm>
#include <cmath>

namespace tconv::test {
namespace {

double relu6(double x) { return std::min(std::max(x, 0.0), 6.0); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double elu(double x) { return x > 0 ? x : std::expm1(x); }

// Of one value in float32 arithmetic, relative to one or to the value if that is larger.
constexpr double rounding = 2e-6;

void apply_elementwise(Activation activation, Expected &expected) {
  for (std::size_t i = 0; i < expected.value.size(); ++i) {
    const double x = expected.value[i], e = expected.tolerance[i], y = activation_value(activation, x);
    const double above = std::fabs(activation_value(activation, x + e) - y);
    const double below = std::fabs(activation_value(activation, x - e) - y);
    expected.value[i] = y;
    expected.tolerance[i] = std::max(above, below) + rounding * (1 + std::fabs(y));
  }
}

void apply_to_row(bool logarithm, double *value, double *tolerance, std::size_t length) {
  const double highest = *std::max_element(value, value + length);
  const double error = *std::max_element(tolerance, tolerance + length);
  double total = 0;
  for (std::size_t i = 0; i < length; ++i) total += std::exp(value[i] - highest);
  for (std::size_t i = 0; i < length; ++i) {
    const double log_share = value[i] - highest - std::log(total);
    value[i] = logarithm ? log_share : std::exp(log_share);
    tolerance[i] = logarithm ? 2 * error + rounding * (1 + std::fabs(log_share))
                             : value[i] * std::expm1(2 * error + rounding * (1 + std::fabs(log_share))) + 1e-9;
  }
}

}  // namespace

double activation_value(Activation activation, double x) {
  switch (activation) {
    case Activation::relu: return std::max(x, 0.0);
    case Activation::relu6: return relu6(x);
    case Activation::leaky_relu: return x > 0 ? x : 0.2 * x;
    case Activation::elu:
    case Activation::celu: return elu(x);
    case Activation::selu: return 1.05070098735548049342 * (x > 0 ? x : 1.67326324235437728482 * std::expm1(x));
    case Activation::silu: return x * sigmoid(x);
    case Activation::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return std::tanh(x);
    case Activation::softplus: return softplus(x);
    case Activation::softsign: return x / (1 + std::fabs(x));
    case Activation::exponential: return std::exp(x);
    case Activation::hard_sigmoid: return relu6(x + 3) / 6;
    case Activation::hard_silu: return x * relu6(x + 3) / 6;
    case Activation::hard_tanh: return std::min(std::max(x, -1.0), 1.0);
    case Activation::hard_shrink: return std::fabs(x) > 0.5 ? x : 0;
    case Activation::soft_shrink: return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0;
    case Activation::tanh_shrink: return x - std::tanh(x);
    case Activation::squareplus: return (x + std::sqrt(x * x + 4)) / 2;
    case Activation::sparse_plus: return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4;
    case Activation::sparse_sigmoid: return std::min(std::max((x + 1) / 2, 0.0), 1.0);
    case Activation::log_sigmoid: return -softplus(-x);
    case Activation::mish: return x * std::tanh(softplus(x));
    default: return x;
  }
}

void apply_activation(Activation activation, const Problem &problem, Expected &expected) {
  const bool logarithm = activation == Activation::log_softmax;
  if (!logarithm && activation != Activation::softmax) {
    if (activation != Activation::linear) apply_elementwise(activation, expected);
    return;
  }
  const auto length = static_cast<std::size_t>(problem.channels_last ? problem.out_channels : problem.dim[2].out);
  for (std::size_t row = 0; row < expected.value.size(); row += length)
    apply_to_row(logarithm, &expected.value[row], &expected.tolerance[row], length);
}

}  // namespace tconv::test
