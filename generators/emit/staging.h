// A directory in which files are made before they move to their destination; it disappears with the object.
#ifndef TCONV_GENERATORS_STAGING_H
#define TCONV_GENERATORS_STAGING_H

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tconv/status.h"

namespace tconv {

class Staging {
 public:
  // Beside `destination`, so that moving is renaming. Missing parents of the destination are made.
  static Result<Staging> beside(const std::filesystem::path &destination);

  Staging(Staging &&other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  Staging &operator=(Staging &&) = delete;
  ~Staging();

  const std::filesystem::path &path() const { return path_; }
  Status write(const std::filesystem::path &relative, std::string_view text) const;

  // Moves the named files into the destination, replacing older ones. Existing files that are not named stay.
  Result<std::vector<std::filesystem::path>> move_to(const std::filesystem::path &destination,
                                                     const std::vector<std::filesystem::path> &relative) const;

 private:
  explicit Staging(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace tconv

#endif
