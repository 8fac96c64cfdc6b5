#include "emit/staging.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <stdlib.h>

namespace tconv {

namespace fs = std::filesystem;

namespace {

Status io_error(const std::string &what, const fs::path &path, const std::string &why) {
  return {StatusCode::io_error, fmt::format("cannot {} '{}': {}", what, path.string(), why)};
}

}  // namespace

Result<Staging> Staging::beside(const fs::path &destination) {
  std::error_code error;
  const fs::path parent = fs::absolute(destination).lexically_normal();
  fs::create_directories(parent, error);
  if (error) return io_error("create the directory", destination, error.message());
  // Inside the destination: its parent may not be writable.
  std::string name = (parent / ".tconv-XXXXXX").string();
  if (!mkdtemp(name.data())) return io_error("write to the directory", destination, std::strerror(errno));
  return Staging(name);
}

Staging::~Staging() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status Staging::write(const fs::path &relative, std::string_view text) const {
  const fs::path path = path_ / relative;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return io_error("create the directory", path.parent_path(), error.message());
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return io_error("write", path, std::strerror(errno));
  return {};
}

Result<std::vector<fs::path>> Staging::move_to(const fs::path &destination,
                                               const std::vector<fs::path> &relative) const {
  std::error_code error;
  // What can be refused is refused before the first file moves.
  for (const fs::path &file : relative) {
    const fs::path to = destination / file;
    fs::create_directories(to.parent_path(), error);
    if (error) return io_error("write", to, error.message());
    if (fs::is_directory(to, error)) return io_error("write", to, "it is a directory");
  }
  std::vector<fs::path> moved;
  for (const fs::path &file : relative) {
    const fs::path to = destination / file;
    fs::rename(path_ / file, to, error);
    if (error) return io_error("write", to, error.message());
    moved.push_back(to);
  }
  return moved;
}

}  // namespace tconv
