// How the library's messages spell values: shapes as Keras prints tuples, names of the user's in quotes and on one
// line, and the nearest name that would have been right. Private to runtime/.
#ifndef TCONV_RUNTIME_MESSAGE_H
#define TCONV_RUNTIME_MESSAGE_H

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tconv/tensor.h"

namespace tconv {

// "(3, 3)", "(3,)". A long one is cut.
std::string tuple(const Shape &sizes);

// The same for a shape whose sizes may be open: "(None, 8)".
std::string open_tuple(const Shape &shape);

// In single quotes, cut to a length that fits a message, control characters escaped.
std::string quote(std::string_view text, std::size_t longest = 80);

// " did you mean 'strides'?" with a colon in front, or nothing when no candidate is close.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

std::string lower_case(std::string_view text);

}  // namespace tconv

#endif
