// What Keras' initializers are made of. Private to runtime/.
#ifndef TCONV_RUNTIME_INITIALIZER_OBJECTS_H
#define TCONV_RUNTIME_INITIALIZER_OBJECTS_H

#include <functional>
#include <span>
#include <string_view>

#include "guarded.h"
#include "keras_objects.h"
#include "random_numbers.h"
#include "tconv/initializers.h"

namespace tconv::detail {

// Fills a tensor of a checked shape; the values are 0 before.
using Fill = std::function<Status(const Shape &shape, std::span<float> values)>;
using RandomFill = std::function<Status(RandomEngine &engine, const Shape &shape, std::span<float> values)>;

// One of Keras' classes; `class_name` is a literal. Errors: a number of the config that is no finite float32.
Result<Initializer> keras_initializer(std::string_view class_name, Json config, Fill fill);

// The same, with a seed, which goes into the config.
Result<Initializer> random_initializer(std::string_view class_name, Json config, const initializers::Seed &seed,
                                       RandomFill fill);

// An initializer whose status() is `result`'s.
Initializer invalid_initializer(const Result<Initializer> &result) noexcept;

// What every function that returns an Initializer runs in. `body` returns a Result<Initializer>, or throws.
template <typename Body>
Initializer guarded_initializer(Body body) {
  Result<Initializer> result = guarded(body);
  return result.ok() ? std::move(result).value() : invalid_initializer(result);
}

}  // namespace tconv::detail

#endif
