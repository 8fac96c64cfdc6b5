// The user's own functions by the names that a config gives them, Keras' custom_objects.
#ifndef TCONV_CUSTOM_OBJECTS_H
#define TCONV_CUSTOM_OBJECTS_H

#include <map>
#include <string>

#include "tconv/activations.h"
#include "tconv/constraints.h"
#include "tconv/initializers.h"
#include "tconv/regularizers.h"

namespace tconv {

struct CustomObjects {
  std::map<std::string, ActivationFunction::Function> activations = {};
  std::map<std::string, Initializer::Function> initializers = {};
  std::map<std::string, Regularizer::Function> regularizers = {};
  std::map<std::string, Constraint::Function> constraints = {};
};

}  // namespace tconv

#endif
