// The spelling of values in messages; see message.h.
#include "message.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tconv {
namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_tuple = 10;

// Edits that turn one word into the other; two neighbours in the wrong order count as one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string join(const Shape &shape, bool open) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    if (i == longest_tuple) return text + fmt::format("... {} entries)", shape.size());
    text += open && shape[i] == unknown ? "None" : fmt::format("{}", shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool continues_utf8(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string tuple(const Shape &sizes) { return join(sizes, false); }

std::string open_tuple(const Shape &shape) { return join(shape, true); }

std::string quote(std::string_view text, std::size_t longest) {
  std::size_t end = std::min(text.size(), longest);
  while (end > 0 && end < text.size() && continues_utf8(text[end])) --end;
  std::string quoted = "'";
  for (const char c : text.substr(0, end)) {
    if (is_control(c)) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + (end < text.size() ? "...'" : "'");
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.size() > longest_name) return "";
  const std::string given = lower_case(name);
  std::string_view best;
  std::size_t best_distance = given.size();
  for (const std::string_view candidate : candidates) {
    const std::size_t d = distance(given, lower_case(candidate));
    if (d > std::max<std::size_t>(1, candidate.size() / 3) || d >= best_distance) continue;
    best = candidate;
    best_distance = d;
  }
  return best.empty() ? "" : fmt::format(": did you mean '{}'?", best);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char &c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace tconv
