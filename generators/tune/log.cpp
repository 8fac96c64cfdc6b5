#include "tune/log.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

namespace tconv {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const LogRecord &r) {
  Json json = {{"layer", r.layer},       {"target", r.target},     {"processor", r.processor}, {"threads", r.threads},
               {"strategy", r.strategy}, {"schedule", r.schedule}, {"outcome", r.outcome}};
  if (!r.message.empty()) json["message"] = r.message;
  if (r.measured()) {
    json["minimum_ms"] = r.minimum_ms;
    json["median_ms"] = r.median_ms;
    json["runs"] = r.runs;
    json["largest_error"] = r.largest_error;
    json["code_bytes"] = r.code_bytes;
  }
  if (r.peak_gflops > 0) json["peak_gflops"] = r.peak_gflops;
  if (r.bandwidth_gbs > 0) json["bandwidth_gbs"] = r.bandwidth_gbs;
  if (r.against_best > 0) json["against_best"] = r.against_best;
  if (r.becomes_best) json["becomes_best"] = true;
  if (r.model_ms > 0) json["model_ms"] = r.model_ms;
  json["flop"] = r.flop;
  json["bytes"] = r.bytes;
  json["seconds"] = r.seconds;
  json["time"] = r.time;
  return json;
}

LogRecord from_json(const nlohmann::json &json) {
  LogRecord r;
  json.at("layer").get_to(r.layer);
  json.at("target").get_to(r.target);
  json.at("processor").get_to(r.processor);
  json.at("threads").get_to(r.threads);
  json.at("strategy").get_to(r.strategy);
  json.at("schedule").get_to(r.schedule);
  json.at("outcome").get_to(r.outcome);
  r.message = json.value("message", "");
  if (r.measured()) {
    json.at("minimum_ms").get_to(r.minimum_ms);
    json.at("median_ms").get_to(r.median_ms);
    json.at("runs").get_to(r.runs);
    json.at("largest_error").get_to(r.largest_error);
    json.at("code_bytes").get_to(r.code_bytes);
  }
  r.peak_gflops = json.value("peak_gflops", 0.0);
  r.bandwidth_gbs = json.value("bandwidth_gbs", 0.0);
  r.against_best = json.value("against_best", 0.0);
  r.becomes_best = json.value("becomes_best", false);
  r.model_ms = json.value("model_ms", 0.0);
  json.at("flop").get_to(r.flop);
  json.at("bytes").get_to(r.bytes);
  json.at("seconds").get_to(r.seconds);
  json.at("time").get_to(r.time);
  return r;
}

Status system_error(const char *what, const std::filesystem::path &path) {
  return {StatusCode::io_error, fmt::format("cannot {} the log '{}': {}", what, path.string(), std::strerror(errno))};
}

// The length without a last line that has no end.
off_t whole_lines(int file) {
  off_t end = lseek(file, 0, SEEK_END);
  for (char last = 0; end > 0; --end) {
    if (pread(file, &last, 1, end - 1) != 1) return -1;
    if (last == '\n') break;
  }
  return end;
}

}  // namespace

Result<std::vector<LogRecord>> read_log(const std::filesystem::path &path) {
  std::vector<LogRecord> records;
  if (!std::filesystem::exists(path)) return records;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return system_error("read", path);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (file.eof()) break;
    try {
      records.push_back(from_json(nlohmann::json::parse(line)));
    } catch (const nlohmann::json::exception &error) {
      return invalid_argument(fmt::format("{}:{}: not a record of a search: {}", path.string(), number, error.what()));
    }
  }
  return records;
}

Status append_record(const std::filesystem::path &path, const LogRecord &record) {
  const std::string line = to_json(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return system_error("open", path);
  const off_t end = whole_lines(file);
  bool written = end >= 0 && (end == lseek(file, 0, SEEK_END) || ftruncate(file, end) == 0);
  written = written && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && fsync(file) == 0;
  const Status status = written ? Status() : system_error("write", path);
  close(file);
  return status;
}

}  // namespace tconv
