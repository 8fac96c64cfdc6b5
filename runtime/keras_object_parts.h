// What the classes of keras_objects.h have in common: an object of whatever their constructors were given, its text,
// and the calls of a user's function. Private to runtime/.
#ifndef TCONV_RUNTIME_KERAS_OBJECT_PARTS_H
#define TCONV_RUNTIME_KERAS_OBJECT_PARTS_H

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "guarded.h"
#include "keras_identifier.h"
#include "message.h"

namespace tconv::detail {

template <typename Object>
using Made = Result<std::shared_ptr<const Object>>;

// The parts of a kind's three sorts of object that do not depend on the kind: what a constructor could not understand,
// a function of the user's, and a class of Keras'.
template <typename Object>
class InvalidObject : public Object {
 public:
  explicit InvalidObject(Status status) : status_(std::move(status)) {}
  Status status() const override { return status_; }
  Json json() const override { return nullptr; }

 private:
  Status status_;
};

template <typename Object, typename Function>
class UserObject : public Object {
 public:
  UserObject(std::string name, Function function, Json json)
      : name_(std::move(name)), function_(std::move(function)), json_(std::move(json)) {}
  Json json() const override { return json_; }

 protected:
  const std::string &name() const { return name_; }
  const Function &function() const { return function_; }

 private:
  std::string name_;
  Function function_;
  Json json_;
};

template <typename Object>
class ClassObject : public Object {
 public:
  explicit ClassObject(Json json) : json_(std::move(json)) {}
  Json json() const override { return json_; }

 private:
  Json json_;
};

// What make() gives; an `Invalid` with the Status where it fails. A constructor has nothing else to answer with.
template <typename Invalid, typename Object, typename Make>
std::shared_ptr<const Object> made_or_invalid(Make make) noexcept {
  try {
    Made<Object> made = guarded([&]() -> Made<Object> { return make(); });
    if (made.ok()) return std::move(made).value();
    return std::make_shared<const Invalid>(made.status());
  } catch (...) {
    static const Invalid no_memory(Status(StatusCode::resource_exhausted, "out of memory"));
    return {std::shared_ptr<const Object>(), &no_memory};  // shares no ownership, so it allocates nothing
  }
}

// make_json's JSON as text; "" where there is no memory for it. A name of the user's need not be UTF-8.
template <typename MakeJson>
std::string serialized(MakeJson make_json) {
  try {
    return make_json().dump(-1, ' ', false, Json::error_handler_t::replace);
  } catch (const std::exception &) {
    return {};
  }
}

template <typename Function>
Status check_function(std::string_view kind, const std::string &name, const Function &function) {
  if (name.empty()) return invalid_argument(fmt::format("the {}'s name is empty: serialize() needs one", kind));
  if (function) return {};
  return invalid_argument(fmt::format("the function of {} {} is empty", kind, quote(name)));
}

template <typename User, typename Object, typename Function>
Made<Object> make_user(std::string_view kind, std::string name, Function function, Json json) {
  Status status = check_function(kind, name, function);
  if (!status.ok()) return status;
  return std::shared_ptr<const Object>(
      std::make_shared<const User>(std::move(name), std::move(function), std::move(json)));
}

// The function of the user's that `value` names, if `functions` has it; a null pointer otherwise. It takes no config,
// so one that has entries is refused.
template <typename User, typename Object, typename Functions>
Made<Object> find_custom(std::string_view kind, const KerasIdentifier &identifier, const Json &value,
                         const Functions &functions) {
  const auto found = functions.find(identifier.name);
  if (found == functions.end()) return std::shared_ptr<const Object>();
  if (!identifier.config.empty()) {
    return Status(StatusCode::unsupported, fmt::format("{} {} has a config of {} entries, but a function in "
                                                       "custom_objects takes none",
                                                       kind, quote(identifier.name), identifier.config.size()));
  }
  Json json = value.is_object() ? value : function_json(identifier.name);
  return make_user<User, Object>(kind, identifier.name, found->second, std::move(json));
}

// What an identifier of one of Keras' `names` or of a function of the user's stands for.
template <typename User, typename Object, typename Functions, typename MakeBuiltin>
Made<Object> make_object(std::string_view kind, const Json &value, const Functions &functions,
                         std::span<const std::string_view> names, MakeBuiltin make_builtin) {
  const Result<KerasIdentifier> read = read_identifier(value, kind);
  if (!read.ok()) return read.status();
  const KerasIdentifier &identifier = read.value();
  Made<Object> custom = find_custom<User, Object>(kind, identifier, value, functions);
  if (!custom.ok() || custom.value() != nullptr) return custom;
  if (identifier.is_function) return missing_custom_object(kind, identifier.name);
  const bool known = std::find(names.begin(), names.end(), identifier.name) != names.end();
  return known ? make_builtin(identifier.name, identifier.config) : unknown_identifier(kind, identifier, names);
}

// Runs a function of the user's; what it throws becomes a Status that names it.
template <typename Call>
auto call_function(std::string_view kind, const std::string &name, Call call) -> decltype(call()) {
  constexpr std::size_t longest_reason = 300;
  try {
    return call();
  } catch (const std::bad_alloc &) {
    return Status(StatusCode::resource_exhausted, fmt::format("{} {}: out of memory", kind, quote(name)));
  } catch (const std::exception &failure) {
    return invalid_argument(fmt::format("{} {} failed: {}", kind, quote(name), quote(failure.what(), longest_reason)));
  } catch (...) {
    return invalid_argument(fmt::format("{} {} failed: it threw what is no std::exception", kind, quote(name)));
  }
}

}  // namespace tconv::detail

#endif
