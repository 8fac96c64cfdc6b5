// Initializers by Keras' names and configs: keras.initializers.get().
#include <fmt/format.h>

#include <algorithm>

#include "keras_identifier.h"
#include "keras_objects.h"
#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

using initializers::Axes;
using initializers::Seed;

// The fields of one class' config, as arguments of its function in tconv/initializers.h.
using Read = Initializer (*)(const Fields &config);

Seed read_seed(const Fields &config) {
  const Json *const seed = config.find("seed");
  if (seed == nullptr) return std::nullopt;
  if (seed->is_number_unsigned()) return seed->get<std::uint64_t>();
  if (seed->is_object()) {
    config.fail({StatusCode::unsupported, fmt::format("{} is an object, such as a SeedGenerator: tconv takes an "
                                                      "integer or null",
                                                      config.describe("seed"))});
  } else {
    config.fail(fmt::format("{} must be null or an integer from 0 to 2^64-1, got {}", config.describe("seed"),
                            quote(seed->dump(-1, ' ', false, Json::error_handler_t::replace))));
  }
  return std::nullopt;
}

Axes read_axes(const Fields &config, const char *name) { return config.list(name, 0); }

template <Initializer (*make)()>
Initializer read_plain(const Fields &config) {
  config.allow_only({});
  return make();
}

template <Initializer (*make)(const initializers::RandomNormalArguments &)>
Initializer read_normal(const Fields &config) {
  config.allow_only({"mean", "stddev", "seed"});
  return make({config.number("mean", 0), config.number("stddev", 0.05), read_seed(config)});
}

template <Initializer (*make)(Seed, const Axes &, const Axes &)>
Initializer read_scaling(const Fields &config) {
  config.allow_only({"seed", "input_axes", "output_axes"});
  return make(read_seed(config), read_axes(config, "input_axes"), read_axes(config, "output_axes"));
}

// Keras' from_config() has no default for the value either.
Initializer read_constant(const Fields &config) {
  config.allow_only({"value"});
  if (!config.has("value")) config.fail_missing("value");
  return initializers::constant(config.number("value", 0));
}

Initializer read_identity(const Fields &config) {
  config.allow_only({"gain"});
  return initializers::identity(config.number("gain", 1));
}

Initializer read_uniform(const Fields &config) {
  config.allow_only({"minval", "maxval", "seed"});
  return initializers::random_uniform(
      {config.number("minval", -0.05), config.number("maxval", 0.05), read_seed(config)});
}

Initializer read_variance_scaling(const Fields &config) {
  config.allow_only({"scale", "mode", "distribution", "seed", "input_axes", "output_axes"});
  return initializers::variance_scaling({config.number("scale", 1), config.text("mode", "fan_in"),
                                         config.text("distribution", "truncated_normal"), read_seed(config),
                                         read_axes(config, "input_axes"), read_axes(config, "output_axes")});
}

Initializer read_orthogonal(const Fields &config) {
  config.allow_only({"gain", "seed"});
  return initializers::orthogonal(config.number("gain", 1), read_seed(config));
}

Initializer read_stft(const Fields &config) {
  config.fail({StatusCode::unsupported, "initializer 'STFT' is not supported: it makes kernels of STFTSpectrogram"});
  return {};
}

struct Name {
  std::string_view name;
  Read read;
};

// keras.src.initializers.ALL_OBJECTS_DICT, without the base class; case counts.
constexpr Name names[] = {
    {"Constant", read_constant},
    {"GlorotNormal", read_scaling<initializers::glorot_normal>},
    {"GlorotUniform", read_scaling<initializers::glorot_uniform>},
    {"HeNormal", read_scaling<initializers::he_normal>},
    {"HeUniform", read_scaling<initializers::he_uniform>},
    {"Identity", read_identity},
    {"IdentityInitializer", read_identity},
    {"LecunNormal", read_scaling<initializers::lecun_normal>},
    {"LecunUniform", read_scaling<initializers::lecun_uniform>},
    {"Ones", read_plain<initializers::ones>},
    {"Orthogonal", read_orthogonal},
    {"OrthogonalInitializer", read_orthogonal},
    {"RandomNormal", read_normal<initializers::random_normal>},
    {"RandomUniform", read_uniform},
    {"STFT", read_stft},
    {"STFTInitializer", read_stft},
    {"TruncatedNormal", read_normal<initializers::truncated_normal>},
    {"VarianceScaling", read_variance_scaling},
    {"Zeros", read_plain<initializers::zeros>},
    {"constant", read_constant},
    {"glorot_normal", read_scaling<initializers::glorot_normal>},
    {"glorot_uniform", read_scaling<initializers::glorot_uniform>},
    {"he_normal", read_scaling<initializers::he_normal>},
    {"he_uniform", read_scaling<initializers::he_uniform>},
    {"identity", read_identity},
    {"lecun_normal", read_scaling<initializers::lecun_normal>},
    {"lecun_uniform", read_scaling<initializers::lecun_uniform>},
    {"normal", read_normal<initializers::random_normal>},
    {"one", read_plain<initializers::ones>},
    {"ones", read_plain<initializers::ones>},
    {"orthogonal", read_orthogonal},
    {"random_normal", read_normal<initializers::random_normal>},
    {"random_uniform", read_uniform},
    {"stft", read_stft},
    {"truncated_normal", read_normal<initializers::truncated_normal>},
    {"uniform", read_uniform},
    {"variance_scaling", read_variance_scaling},
    {"zero", read_plain<initializers::zeros>},
    {"zeros", read_plain<initializers::zeros>},
};

Status unknown_name(const KerasIdentifier &identifier, const CustomObjects &custom) {
  if (identifier.is_function) return missing_custom_object("initializer", identifier.name);
  std::vector<std::string_view> known;
  for (const Name &entry : names) known.push_back(entry.name);
  for (const auto &[name, function] : custom.initializers) known.push_back(name);
  return unknown_identifier("initializer", identifier, known);
}

}  // namespace

Result<Initializer> read_initializer(const Json &value, const CustomObjects &custom) {
  if (value.is_null()) return Initializer();
  const Result<KerasIdentifier> read = read_identifier(value, "initializer");
  if (!read.ok()) return read.status();
  const KerasIdentifier &identifier = read.value();
  Initializer initializer;
  // The user's names come first, as in Keras.
  if (const auto function = custom.initializers.find(identifier.name); function != custom.initializers.end()) {
    initializer = Initializer(function->first, function->second);
  } else {
    const Name *const known =
        std::find_if(std::begin(names), std::end(names), [&](const Name &n) { return n.name == identifier.name; });
    if (known == std::end(names)) return unknown_name(identifier, custom);
    Status error;
    initializer = known->read({&identifier.config, fmt::format("config of {}", quote(identifier.name)), error});
    if (!error.ok()) return error;
  }
  if (Status status = initializer.status(); !status.ok()) return status;
  return initializer;
}

}  // namespace tconv
