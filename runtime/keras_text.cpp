// The order and the spacing of Keras' JSON; see keras_text.h.
#include "keras_text.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace tconv {
namespace {

using nlohmann::json;

// One order serves the get_config() of every class, because no two of them have the same fields in another order.
constexpr std::string_view order[] = {"module",
                                      "class_name",
                                      "name",
                                      "alpha",
                                      "trainable",
                                      "dtype",
                                      "min_value",
                                      "max_value",
                                      "rate",
                                      "negative_slope",
                                      "threshold",
                                      "axis",
                                      "seed",
                                      "mean",
                                      "stddev",
                                      "minval",
                                      "maxval",
                                      "scale",
                                      "factor",
                                      "mode",
                                      "distribution",
                                      "value",
                                      "gain",
                                      "input_axes",
                                      "output_axes",
                                      "l1",
                                      "l2",
                                      "config",
                                      "registered_name",
                                      "build_config",
                                      "shared_object_id"};

std::size_t place(std::string_view field) {
  return static_cast<std::size_t>(std::find(std::begin(order), std::end(order), field) - std::begin(order));
}

template <typename Values, typename Write>
std::string join(const Values &values, char open, char close, Write write) {
  std::string text(1, open);
  for (auto item = values.begin(); item != values.end(); ++item) {
    if (item != values.begin()) text += ", ";
    text += write(item);
  }
  return text + close;
}

}  // namespace

OrderedJson in_keras_order(const json &value) {
  if (value.is_array()) {
    OrderedJson list = OrderedJson::array();
    for (const json &entry : value) list.push_back(in_keras_order(entry));
    return list;
  }
  if (!value.is_object()) return value;
  std::vector<std::pair<std::size_t, std::string>> fields;
  for (const auto &item : value.items()) fields.emplace_back(place(item.key()), item.key());
  std::sort(fields.begin(), fields.end());
  OrderedJson object = OrderedJson::object();
  for (const auto &[index, field] : fields) object[field] = in_keras_order(value[field]);
  return object;
}

std::string keras_text(const OrderedJson &value) {
  constexpr int one_line = -1;
  const auto ascii = [](const OrderedJson &scalar) { return scalar.dump(one_line, ' ', true); };
  if (value.is_array()) return join(value, '[', ']', [](const auto &item) { return keras_text(*item); });
  if (!value.is_object()) return ascii(value);
  return join(value, '{', '}', [&](const auto &item) { return ascii(item.key()) + ": " + keras_text(*item); });
}

}  // namespace tconv
