// The fields of a JSON object, checked for their types; see layer_json.h.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

constexpr std::size_t most_entries = 64;

const Json &no_fields() {
  static const Json empty = Json::object();
  return empty;
}

// A value as the user wrote it, for a message.
std::string spell(const Json &value) {
  if (value.is_string()) return quote(value.get_ref<const std::string &>());
  if (value.is_array()) return fmt::format("a list of {} entries", value.size());
  if (value.is_object()) return "an object";
  return value.dump();
}

// nullopt for anything but an integer of 64 bits.
std::optional<std::int64_t> as_integer(const Json &value) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > largest) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return std::nullopt;
}

}  // namespace

Fields::Fields(const Json *object, std::string where, Status &error)
    : object_(object == nullptr ? &no_fields() : object), where_(std::move(where)), error_(error) {
  if (object_->is_object()) return;
  fail(fmt::format("{} must be an object, got {}", where_.empty() ? "a layer" : where_, spell(*object_)));
  object_ = &no_fields();
}

void Fields::allow_only(const Names &names) const {
  for (const auto &item : object_->items()) {
    const std::string &name = item.key();
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    fail(fmt::format("unknown field {}{}", describe(name), did_you_mean(name, names)));
    return;
  }
}

void Fields::refuse_null(const Names &names) const {
  for (const std::string_view name : names) {
    const auto found = object_->find(std::string(name));
    if (found != object_->end() && found->is_null()) fail(fmt::format("{} must not be null", describe(name)));
  }
}

const Json *Fields::find(std::string_view name) const {
  const auto found = object_->find(std::string(name));
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Fields Fields::object(std::string_view name) const {
  const std::string where = where_.empty() ? std::string(name) : fmt::format("{}.{}", where_, name);
  return Fields(find(name), where, error_);
}

std::int64_t Fields::integer(std::string_view name, std::optional<std::int64_t> fallback) const {
  const Json *const value = find(name);
  if (value == nullptr) {
    if (!fallback) fail_missing(name);
    return fallback.value_or(0);
  }
  const std::optional<std::int64_t> number = as_integer(*value);
  if (!number) fail(fmt::format("{} must be an integer of 64 bits, got {}", describe(name), spell(*value)));
  return number.value_or(0);
}

double Fields::number(std::string_view name, double fallback) const {
  const Json *const value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_number()) return value->get<double>();
  fail(fmt::format("{} must be a number, got {}", describe(name), spell(*value)));
  return fallback;
}

bool Fields::boolean(std::string_view name, bool fallback) const {
  const Json *const value = find(name);
  if (value == nullptr) return fallback;
  if (value->is_boolean()) return value->get<bool>();
  fail(fmt::format("{} must be true or false, got {}", describe(name), spell(*value)));
  return fallback;
}

std::string Fields::text(std::string_view name, std::string_view fallback) const {
  const Json *const value = find(name);
  if (value == nullptr) return std::string(fallback);
  if (value->is_string()) return value->get<std::string>();
  fail(fmt::format("{} must be a string, got {}", describe(name), spell(*value)));
  return std::string(fallback);
}

std::optional<Shape> Fields::list(std::string_view name, std::size_t count) const {
  const Json *const value = find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<Shape> shape = integers(name, *value, false);
  if (!shape || count == 0 || shape->size() == count) return shape;
  fail(fmt::format("{} {} must have {} {}", describe(name), tuple(*shape), count, count == 1 ? "entry" : "entries"));
  return std::nullopt;
}

std::optional<Shape> Fields::sizes(std::string_view name, std::size_t count) const {
  const Json *const value = find(name);
  if (value == nullptr || value->is_array()) return list(name, count);
  const std::optional<std::int64_t> number = as_integer(*value);
  if (number) return Shape(count, *number);
  fail(fmt::format("{} must be an integer or a list of {}, got {}", describe(name), count, spell(*value)));
  return std::nullopt;
}

std::optional<Shape> Fields::open_shape(std::string_view name) const {
  const Json *const value = find(name);
  return value == nullptr ? std::nullopt : integers(name, *value, true);
}

std::optional<Shape> Fields::integers(std::string_view name, const Json &value, bool open) const {
  if (!value.is_array()) {
    fail(fmt::format("{} must be a list of integers, got {}", describe(name), spell(value)));
    return std::nullopt;
  }
  if (value.size() > most_entries) {
    fail(fmt::format("{} has {} entries, more than any layer", describe(name), value.size()));
    return std::nullopt;
  }
  Shape shape;
  for (const Json &entry : value) {
    const bool unset = open && entry.is_null();
    const std::optional<std::int64_t> number = unset ? unknown : as_integer(entry);
    if (!number || (open && !unset && *number < 0)) {
      fail(fmt::format("entry {} of {} must be {}, got {}", shape.size(), describe(name),
                       open ? "null or an integer from 0 on" : "an integer of 64 bits", spell(entry)));
      return std::nullopt;
    }
    shape.push_back(*number);
  }
  return shape;
}

void Fields::fail(Status status) const {
  if (error_.ok()) error_ = std::move(status);
}

void Fields::fail_missing(std::string_view name) const { fail(fmt::format("field {} is missing", describe(name))); }

std::string Fields::describe(std::string_view name) const {
  return where_.empty() ? quote(name) : fmt::format("{} in {}", quote(name), where_);
}

}  // namespace tconv
