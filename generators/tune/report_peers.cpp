#include "tune/report_peers.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tconv {

using Json = nlohmann::ordered_json;

namespace {

bool has_text(const Json &json, const char *name) { return json.contains(name) && json[name].is_string(); }

bool has_whole(const Json &json, const char *name) { return json.contains(name) && json[name].is_number_integer(); }

bool has_object(const Json &json, const char *name) { return json.contains(name) && json[name].is_object(); }

bool has_positive(const Json &json, const char *name) {
  return json.contains(name) && json[name].is_number() && json[name].get<double>() > 0;
}

bool has_sizes(const Json &json, const char *name) {
  if (!json.contains(name) || !json[name].is_array() || json[name].empty()) return false;
  for (const Json &size : json[name])
    if (!size.is_number_integer()) return false;
  return true;
}

std::string check_shape(const Json &shape) {
  for (const char *name : {"batch", "channels", "filters", "groups"})
    if (!has_whole(shape, name)) return fmt::format("its shape has no '{}', one number", name);
  for (const char *name : {"size", "kernel", "stride", "dilation", "crop", "out"})
    if (!has_sizes(shape, name)) return fmt::format("its shape has no '{}', one number a dimension", name);
  return "";
}

// What is wrong with a row, or nothing.
std::string check_row(const Json &row) {
  if (!has_object(row, "shape")) return "no field 'shape', an object";
  if (!has_object(row, "peers")) return "no field 'peers', an object";
  if (std::string wrong = check_shape(row["shape"]); !wrong.empty()) return wrong;
  for (const auto &[name, peer] : row["peers"].items()) {
    if (!has_text(peer, "refused") && !(has_positive(peer, "minimum_ms") && has_positive(peer, "median_ms")))
      return fmt::format("'{}' has neither 'refused' nor 'minimum_ms' and 'median_ms' above 0", name);
  }
  return "";
}

// What is wrong with the file, or nothing.
std::string check_results(const Json &results) {
  if (results.is_discarded()) return "no JSON";
  if (!results.is_object()) return "no JSON object";
  if (!has_whole(results, "threads")) return "no field 'threads', a whole number";
  for (const char *name : {"layout", "date"})
    if (!has_text(results, name)) return fmt::format("no field '{}', a text", name);
  for (const char *name : {"machine", "versions"})
    if (!has_object(results, name)) return fmt::format("no field '{}', an object", name);
  if (!has_text(results["machine"], "processor")) return "no field 'processor', a text, in 'machine'";
  if (!results.contains("rows") || !results["rows"].is_array()) return "no field 'rows', a list";
  std::size_t index = 0;
  for (const Json &row : results["rows"]) {
    if (std::string wrong = check_row(row); !wrong.empty()) return fmt::format("row {}: {}", index, wrong);
    ++index;
  }
  return "";
}

std::string sizes_field(const char *letter, const Json &sizes) {
  return fmt::format(" {}{}", letter, fmt::join(sizes.get<std::vector<std::int64_t>>(), "x"));
}

std::string size_field(const char *letter, const Json &size) {
  return fmt::format(" {}{}", letter, size.get<std::int64_t>());
}

// As key() in plan/plan.cpp writes a layer without open sizes, but for the activation: bench's layers have none.
std::string shape_key(const std::string &layout, const Json &shape) {
  std::string text = fmt::format("conv{}d_transpose {}", shape["size"].size(), layout);
  text += size_field("n", shape["batch"]) + sizes_field("i", shape["size"]);
  text += size_field("c", shape["channels"]) + size_field("o", shape["filters"]);
  if (shape["groups"] > 1) text += size_field("g", shape["groups"]);
  text += sizes_field("k", shape["kernel"]) + sizes_field("s", shape["stride"]) + sizes_field("d", shape["dilation"]);
  return text + sizes_field("crop", shape["crop"]) + sizes_field("out", shape["out"]);
}

std::string without_activation(const std::string &layer) { return layer.substr(0, layer.rfind(' ')); }

Json library(const std::string &name, const Json &peer, const Json &versions) {
  Json one = {{"name", name}};
  if (has_text(versions, name.c_str())) one["version"] = versions[name];
  for (const char *field : {"variant", "minimum_ms", "median_ms", "refused"})
    if (peer.contains(field)) one[field] = peer[field];
  return one;
}

}  // namespace

Result<PeersFile> read_peers(const std::string &path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return invalid_argument(fmt::format("'{}' is a directory", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status(StatusCode::not_found, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  PeersFile peers{path, Json::parse(file, nullptr, false)};
  if (std::string wrong = check_results(peers.results); !wrong.empty())
    return invalid_argument(fmt::format("'{}' is no results.json of ./bootstrap bench: {}", path, wrong));
  return peers;
}

std::vector<Json> peers_of(const PeersFile &file, const Search &search) {
  std::vector<Json> found;
  const Json &results = file.results;
  if (results["threads"] != search.threads) return found;
  for (const Json &row : results["rows"]) {
    if (shape_key(results["layout"], row["shape"]) != without_activation(search.layer)) continue;
    Json one = {{"file", std::filesystem::path(file.path).filename().string()},
                {"date", results["date"]},
                {"processor", results["machine"]["processor"]},
                {"libraries", Json::array()}};
    for (const auto &[name, peer] : row["peers"].items())
      one["libraries"].push_back(library(name, peer, results["versions"]));
    found.push_back(std::move(one));
  }
  return found;
}

}  // namespace tconv
