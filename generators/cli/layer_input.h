// What the verbs have in common: a layer read from its JSON and arrays, turned into a plan.
#ifndef TCONV_GENERATORS_LAYER_INPUT_H
#define TCONV_GENERATORS_LAYER_INPUT_H

#include <optional>
#include <string>
#include <vector>

#include "emit/emit.h"
#include "tconv/layer_config.h"

namespace tconv {

// The options that name a layer.
struct LayerOptions {
  std::string layer;
  std::string kernel, bias, batch_norm, activation, name;
  double epsilon = 1e-3;  // Keras' default
  bool exact = false;     // no Winograd
  std::string processor;  // that the layer is compiled for; empty: this machine's
};

// Where the verbs that compile a layer take its schedule from.
struct ScheduleOptions {
  std::string schedule;  // a line of parameters
  std::string database;  // a file of records, before what ships with tconv
  bool rules = false;    // no record at all
};

struct LoadedLayer {
  LayerConfig config;
  Plan plan;
  tconv_weight_strides weight_strides{};
  std::optional<Weights> weights;  // checked, batch normalisation folded in
};

// Reads and checks everything; nothing is written.
Result<LoadedLayer> load_layer(const LayerOptions &options);

Result<Schedule> find_schedule(const Plan &plan, const std::vector<Halide::Target> &targets,
                               const ScheduleOptions &options);

}  // namespace tconv

#endif
