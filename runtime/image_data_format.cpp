// The data format of the process. Keras reads its file when it is imported and takes one that is not JSON for an empty
// one; here the file is read when it first matters, and what cannot be understood is an error.
#include "tconv/image_data_format.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>

#include "guarded.h"
#include "image_data_format_file.h"
#include "layer_json.h"
#include "message.h"

namespace tconv {
namespace {

namespace fs = std::filesystem;

struct Setting {
  std::mutex mutex;
  std::optional<Result<DataFormat>> format;  // nullopt: not asked yet
};

Setting &setting() {
  static Setting instance;
  return instance;
}

std::optional<DataFormat> from_name(std::string_view name) {
  if (name == "channels_last") return DataFormat::channels_last;
  if (name == "channels_first") return DataFormat::channels_first;
  return std::nullopt;
}

// Empty where neither variable is set.
fs::path configuration_file() {
  if (const char *const folder = std::getenv("KERAS_HOME")) return fs::path(folder) / "keras.json";
  if (const char *const home = std::getenv("HOME")) return fs::path(home) / ".keras" / "keras.json";
  return {};
}

// 1 MiB and a byte are enough for read_json() to see that a text is too long.
std::string read_start(std::istream &file) {
  std::string text((std::size_t{1} << 20) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Result<DataFormat> read_file(const fs::path &path) {
  const std::string where = quote(path.string(), 200);
  std::error_code failure;
  const fs::file_status found = fs::status(path, failure);
  if (path.empty() || found.type() == fs::file_type::not_found) return DataFormat::channels_last;
  std::ifstream file(path, std::ios::binary);
  const std::string text = fs::is_directory(found) ? "" : read_start(file);
  if (fs::is_directory(found) || !file.is_open() || file.bad()) {
    return Status(StatusCode::io_error, fmt::format("Keras' configuration {} cannot be read", where));
  }
  Status error;
  const Json document = read_json(text, error);
  if (!error.ok()) return invalid_argument(fmt::format("Keras' configuration {}: {}", where, error.message()));
  if (!document.is_object()) {
    return invalid_argument(fmt::format("Keras' configuration {} must be a JSON object", where));
  }
  const auto value = document.find("image_data_format");
  if (value == document.end()) return DataFormat::channels_last;
  if (value->is_string()) {
    if (const auto format = from_name(value->get_ref<const std::string &>())) return *format;
  }
  return invalid_argument(
      fmt::format("Keras' configuration {}: image_data_format {} must be 'channels_last' or 'channels_first'", where,
                  value->is_string() ? quote(value->get_ref<const std::string &>()) : value->dump().substr(0, 80)));
}

}  // namespace

Result<DataFormat> read_image_data_format(const fs::path &path) {
  return detail::guarded([&] { return read_file(path); });
}

Result<DataFormat> image_data_format() {
  return detail::guarded([]() -> Result<DataFormat> {
    Setting &process = setting();
    const std::lock_guard<std::mutex> lock(process.mutex);
    if (!process.format) process.format = read_image_data_format(configuration_file());
    return *process.format;
  });
}

Status set_image_data_format(std::string_view data_format) {
  return detail::guarded([&]() -> Status {
    const std::optional<DataFormat> format = from_name(lower_case(data_format));  // Keras takes any case here
    if (!format) {
      return invalid_argument(
          fmt::format("image_data_format {} must be 'channels_last' or 'channels_first'", quote(data_format)));
    }
    Setting &process = setting();
    const std::lock_guard<std::mutex> lock(process.mutex);
    process.format = *format;
    return {};
  });
}

}  // namespace tconv
