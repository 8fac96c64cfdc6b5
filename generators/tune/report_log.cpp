#include "tune/report_log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tconv {

using Json = nlohmann::ordered_json;

namespace {

enum class Kind { text, positive, at_least_zero, whole, flag };
enum class Needed { always, measured, not_measured, no };

struct Field {
  const char *name;
  Kind kind;
  Needed needed;
};

constexpr Field search_fields[] = {
    {"layer", Kind::text, Needed::always},
    {"target", Kind::text, Needed::always},
    {"processor", Kind::text, Needed::always},
    {"threads", Kind::whole, Needed::always},
};

constexpr Field candidate_fields[] = {
    {"strategy", Kind::text, Needed::always},         {"schedule", Kind::text, Needed::always},
    {"outcome", Kind::text, Needed::always},          {"message", Kind::text, Needed::not_measured},
    {"minimum_ms", Kind::positive, Needed::measured}, {"median_ms", Kind::positive, Needed::measured},
    {"runs", Kind::whole, Needed::measured},          {"largest_error", Kind::at_least_zero, Needed::measured},
    {"code_bytes", Kind::whole, Needed::measured},    {"against_best", Kind::positive, Needed::no},
    {"becomes_best", Kind::flag, Needed::no},         {"model_ms", Kind::positive, Needed::no},
    {"flop", Kind::positive, Needed::always},         {"bytes", Kind::positive, Needed::always},
    {"peak_gflops", Kind::positive, Needed::no},      {"bandwidth_gbs", Kind::positive, Needed::no},
    {"seconds", Kind::at_least_zero, Needed::always}, {"time", Kind::text, Needed::always},
};

constexpr std::array<const char *, 5> outcomes = {"measured", "failed", "crashed", "timed_out", "wrong"};

bool is_kind(const Json &value, Kind kind) {
  const bool finite = value.is_number() && std::isfinite(value.get<double>());
  switch (kind) {
    case Kind::text: return value.is_string();
    case Kind::positive: return finite && value.get<double>() > 0;
    case Kind::at_least_zero: return finite && value.get<double>() >= 0;
    case Kind::whole:
      return finite && value.get<double>() >= 0 && value.get<double>() <= 9007199254740992.0 &&
             std::floor(value.get<double>()) == value.get<double>();
    case Kind::flag: return value.is_boolean();
  }
  return false;
}

const char *kind_name(Kind kind) {
  switch (kind) {
    case Kind::text: return "a text";
    case Kind::positive: return "a number above 0";
    case Kind::at_least_zero: return "a number of at least 0";
    case Kind::whole: return "a whole number of at least 0";
    case Kind::flag: return "true or false";
  }
  return "";
}

std::string shortened(const std::string &text) { return text.size() <= 60 ? text : text.substr(0, 57) + "..."; }

// A value as JSON, so that no line break of a log comes into a message.
std::string shown(const Json &value) { return shortened(value.dump(-1, ' ', true)); }

Status check_field(const Json &line, const Field &field, bool measured) {
  const auto found = line.find(field.name);
  if (found == line.end()) {
    const bool needed =
        field.needed == Needed::always || field.needed == (measured ? Needed::measured : Needed::not_measured);
    if (!needed) return {};
    return invalid_argument(fmt::format("no field '{}'{}", field.name,
                                        field.needed == Needed::measured ? ", which a measured candidate has" : ""));
  }
  if (is_kind(*found, field.kind)) return {};
  return invalid_argument(fmt::format("field '{}' is {}, not {}", field.name, shown(*found), kind_name(field.kind)));
}

bool is_outcome(const Json &value) {
  return std::any_of(outcomes.begin(), outcomes.end(), [&](const char *name) { return value == name; });
}

Status check_line(const Json &line) {
  if (!line.is_object()) return invalid_argument("no JSON object");
  const auto outcome = line.find("outcome");
  // First, since what else a line must have follows from it.
  if (outcome != line.end() && !is_outcome(*outcome))
    return invalid_argument(
        fmt::format("field 'outcome' is {}, not one of {}", shown(*outcome), fmt::join(outcomes, ", ")));
  const bool measured = outcome != line.end() && *outcome == "measured";
  for (const Field &field : search_fields)
    if (Status status = check_field(line, field, measured); !status.ok()) return status;
  for (const Field &field : candidate_fields)
    if (Status status = check_field(line, field, measured); !status.ok()) return status;
  return {};
}

void add(const Json &line, std::vector<Search> &searches) {
  Search read;
  read.layer = line["layer"];
  read.target = line["target"];
  read.processor = line["processor"];
  read.threads = static_cast<std::int64_t>(line["threads"].get<double>());
  const auto key = [](const Search &s) { return std::tie(s.layer, s.target, s.processor, s.threads); };
  auto search = std::find_if(searches.begin(), searches.end(), [&](const Search &s) { return key(s) == key(read); });
  if (search == searches.end()) search = searches.insert(searches.end(), std::move(read));
  Json candidate;
  for (const Field &field : candidate_fields)
    if (line.contains(field.name)) candidate[field.name] = line[field.name];
  search->candidates.push_back(std::move(candidate));
}

Status read_log(const std::string &path, std::vector<Search> &searches) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return invalid_argument(fmt::format("'{}' is a directory", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return {StatusCode::not_found, fmt::format("cannot read '{}': {}", path, std::strerror(errno))};
  std::string text;
  std::size_t number = 0, measurements = 0;
  while (std::getline(file, text)) {
    ++number;
    const Json line = Json::parse(text, nullptr, false);
    if (line.is_discarded() && file.eof()) break;
    const Status status = line.is_discarded() ? invalid_argument("no JSON") : check_line(line);
    if (!status.ok()) return invalid_argument(fmt::format("'{}' line {}: {}", path, number, status.message()));
    add(line, searches);
    ++measurements;
  }
  if (file.bad()) return {StatusCode::io_error, fmt::format("cannot read '{}': {}", path, std::strerror(errno))};
  if (measurements == 0) return invalid_argument(fmt::format("'{}' holds no measurement ({} lines)", path, number));
  return {};
}

}  // namespace

Result<std::vector<Search>> read_logs(const std::vector<std::string> &paths) {
  std::vector<Search> searches;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::error_code error;
      // Its candidates would count twice.
      if (std::filesystem::equivalent(paths[i], paths[j], error))
        return invalid_argument(fmt::format("'{}' and '{}' are one log", paths[j], paths[i]));
    }
    if (Status status = read_log(paths[i], searches); !status.ok()) return status;
  }
  return searches;
}

}  // namespace tconv
