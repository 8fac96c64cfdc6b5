// What went wrong, as a value. The library neither prints, nor throws, nor aborts, but for the std::bad_alloc of
// constructors of handles and of copies, as std::string has it: whatever can fail returns a Status,
// or a Result that holds either the value or the Status. Messages are one line and carry the numbers.
#ifndef TCONV_STATUS_H
#define TCONV_STATUS_H

#include <string>
#include <utility>
#include <variant>

namespace tconv {

enum class StatusCode {
  ok = 0,
  invalid_argument,     // the caller's values are wrong: Keras' ValueError
  failed_precondition,  // the call comes at the wrong time, such as before build(): Keras' RuntimeError
  unsupported,          // legal, but not something that tconv does
  not_found,            // a file or a name that is not there
  io_error,             // the system refused to read or write
  resource_exhausted,   // memory
  internal              // a fault of tconv's own
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::ok; }
  StatusCode code() const { return code_; }
  const std::string &message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::ok;
  std::string message_;
};

inline Status invalid_argument(std::string message) { return {StatusCode::invalid_argument, std::move(message)}; }

// A value or the reason why there is none. value() may be called only when ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Status status) : state_(std::move(status)) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status() : *std::get_if<Status>(&state_); }
  T &value() & { return *std::get_if<T>(&state_); }
  const T &value() const & { return *std::get_if<T>(&state_); }
  // By value, so that a loop over what a temporary holds is safe.
  T value() && { return std::move(*std::get_if<T>(&state_)); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace tconv

#endif
