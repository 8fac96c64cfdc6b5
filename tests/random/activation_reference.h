// Keras' activations in double, from the definitions in its documentation.
#ifndef TCONV_TESTS_ACTIVATION_REFERENCE_H
#define TCONV_TESTS_ACTIVATION_REFERENCE_H

#include <cstddef>
#include <vector>

#include "layer/naive_scatter.h"
#include "tconv/activation.h"

namespace tconv::test {

double activation_value(Activation activation, double x);

// Values and how far a float32 result may be from them.
struct Expected {
  std::vector<double> value, tolerance;
};

// Applies the activation to sums that are known to `tolerance` each. Softmax runs along the last axis of the output.
void apply_activation(Activation activation, const Problem &problem, Expected &expected);

}  // namespace tconv::test

#endif
