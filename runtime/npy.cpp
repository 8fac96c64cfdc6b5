// Reads and writes .npy files; see npy.h. Memory is only asked for once the file's length has confirmed the header.
#include "tconv/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "message.h"
#include "npy_header.h"

namespace tconv {
namespace {

static_assert(std::endian::native == std::endian::little && sizeof(float) == 4);

struct CloseFile {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string system_message(int code) { return std::generic_category().message(code); }

// Whole: what tells two paths apart is often at their end.
std::string quote_path(const std::string &path) { return quote(path, path.size()); }

// The data is in column-major order: the first dimension has stride 1.
std::vector<float> to_row_major(const std::vector<float> &data, const Shape &shape) {
  std::vector<float> result(data.size());
  Shape index(shape.size(), 0);
  for (float &value : result) {
    std::int64_t offset = 0;
    for (std::size_t i = shape.size(); i-- > 0;) offset = offset * shape[i] + index[i];
    value = data[static_cast<std::size_t>(offset)];
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
  return result;
}

Tensor finish(const NpyHeader &header, std::vector<float> data) {
  if (header.fortran_order && header.shape.size() > 1) data = to_row_major(data, header.shape);
  return {header.shape, std::move(data)};
}

// fread() or fwrite(), which must not see the null pointer of an empty array.
template <typename Function, typename Pointer>
bool transfer(Function function, Pointer data, std::size_t count, std::FILE *file) {
  return count == 0 || function(data, sizeof(float), count, file) == count;
}

Status io_error(const char *what, const std::string &path, const std::string &why) {
  return {StatusCode::io_error, fmt::format("cannot {} {}: {}", what, quote_path(path), why)};
}

// Puts the path in front, so that the message says which of several files it is about.
Status about(const std::string &path, const Status &status) {
  return {status.code(), fmt::format("{}: {}", quote_path(path), status.message())};
}

Result<std::uint64_t> file_size(const std::string &path, std::uint64_t max_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Status(StatusCode::not_found, fmt::format("there is no file {}", quote_path(path)));
  }
  if (error) return io_error("read", path, error.message());
  if (!std::filesystem::is_regular_file(status)) return io_error("read", path, "it is not a regular file");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return io_error("read", path, error.message());
  if (size > max_bytes) {
    return invalid_argument(
        fmt::format("{} has {} bytes, more than the {} allowed", quote_path(path), size, max_bytes));
  }
  return static_cast<std::uint64_t>(size);
}

Result<Tensor> read_file(const std::string &path, std::uint64_t max_bytes) {
  const Result<std::uint64_t> size = file_size(path, max_bytes);
  if (!size.ok()) return size.status();
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return io_error("read", path, system_message(errno));

  std::vector<std::byte> start(std::min<std::uint64_t>(size.value(), npy_largest_header));
  if (std::fread(start.data(), 1, start.size(), file.get()) != start.size()) {
    return io_error("read", path, "it ended early");
  }
  const Result<NpyHeader> header = parse_npy_header(start, size.value());
  if (!header.ok()) return about(path, header.status());

  std::vector<float> data(static_cast<std::size_t>(header.value().elements));
  const bool placed = std::fseek(file.get(), static_cast<long>(header.value().data_offset), SEEK_SET) == 0;
  if (!placed || !transfer(std::fread, data.data(), data.size(), file.get())) {
    return io_error("read", path, "it ended early");
  }
  return finish(header.value(), std::move(data));
}

// Beside the file, so that the rename stays inside one file system; a name that no other writer has.
std::string temporary_name(const std::string &path) {
  static std::atomic<unsigned> counter = 0;
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return fmt::format("{}.{:x}.{}.tmp", path, now, counter.fetch_add(1));
}

Status write_all(const std::string &path, const std::string &header, const Tensor &tensor) {
  File file(std::fopen(path.c_str(), "wbx"));
  if (!file) return io_error("write", path, system_message(errno));
  const bool written = std::fwrite(header.data(), 1, header.size(), file.get()) == header.size() &&
                       transfer(std::fwrite, tensor.data.data(), tensor.data.size(), file.get()) &&
                       std::fflush(file.get()) == 0;
  const int code = errno;
  const bool closed = std::fclose(file.release()) == 0;
  if (written && closed) return {};
  return io_error("write", path, system_message(written ? errno : code));
}

Status write_file(const std::string &path, const Tensor &tensor) {
  const Result<std::int64_t> elements = npy_elements(tensor.shape);
  if (!elements.ok()) return elements.status();
  if (static_cast<std::size_t>(elements.value()) != tensor.data.size()) {
    return invalid_argument(fmt::format("a tensor of shape {} has {} elements, not {}", tuple(tensor.shape),
                                        elements.value(), tensor.data.size()));
  }
  const std::string header = npy_header(tensor.shape);
  const std::string temporary = temporary_name(path);
  Status status = write_all(temporary, header, tensor);
  std::error_code error;
  if (status.ok()) {
    std::filesystem::rename(temporary, path, error);
    if (error) status = io_error("write", path, error.message());
  }
  if (!status.ok()) std::filesystem::remove(temporary, error);
  return status;
}

// Nothing below throws anything else of its own.
template <typename Action>
auto without_exceptions(const Action &action) -> decltype(action()) {
  try {
    return action();
  } catch (const std::bad_alloc &) {
    return Status(StatusCode::resource_exhausted, "no memory for the .npy array");
  } catch (const std::exception &failure) {
    return Status(StatusCode::internal, fmt::format("the .npy file failed: {}", failure.what()));
  }
}

Result<Tensor> parse(std::span<const std::byte> bytes) {
  const Result<NpyHeader> header = parse_npy_header(bytes, bytes.size());
  if (!header.ok()) return header.status();
  std::vector<float> data(static_cast<std::size_t>(header.value().elements));
  if (!data.empty()) std::memcpy(data.data(), bytes.data() + header.value().data_offset, data.size() * sizeof(float));
  return finish(header.value(), std::move(data));
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  return without_exceptions([&] { return parse(bytes); });
}

Result<Tensor> read_npy(const std::string &path, std::uint64_t max_bytes) {
  return without_exceptions([&] { return read_file(path, max_bytes); });
}

Status write_npy(const std::string &path, const Tensor &tensor) {
  return without_exceptions([&] { return write_file(path, tensor); });
}

}  // namespace tconv
