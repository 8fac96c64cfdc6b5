// Reads and writes the header of a .npy file; see npy_header.h. The dict is Python source, of which exactly what NumPy
// itself writes for a plain array is understood.
#include "npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "elements.h"
#include "message.h"

namespace tconv {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t most_dimensions = 32;

// A reader of Python literals, position by position. The first thing that is wrong is kept.
class Dict {
 public:
  explicit Dict(std::string_view text) : text_(text) {}

  bool read(NpyHeader &header) {
    if (!expect('{')) return false;
    while (!accept('}')) {
      if (!read_entry(header)) return false;
      if (accept(',')) continue;
      if (!expect('}')) return false;
      break;
    }
    skip_space();
    if (position_ != text_.size()) return fail("has text after the dict");
    for (const auto &[seen, name] :
         {std::pair{has_descr_, "descr"}, {has_order_, "fortran_order"}, {has_shape_, "shape"}}) {
      if (!seen) return fail(fmt::format("has no '{}'", name));
    }
    return true;
  }

  const Status &error() const { return error_; }

 private:
  bool read_entry(NpyHeader &header) {
    const std::optional<std::string_view> name = read_string();
    if (!name || !expect(':')) return fail("is not a dict of strings");
    if (*name == "descr" && !has_descr_) return has_descr_ = read_descr();
    if (*name == "fortran_order" && !has_order_) return has_order_ = read_bool(header.fortran_order);
    if (*name == "shape" && !has_shape_) return has_shape_ = read_shape(header.shape);
    return fail(fmt::format("has an entry {} that is unknown or given twice", quote(*name)));
  }

  bool read_descr() {
    skip_space();
    const std::string_view rest = text_.substr(position_);
    const std::optional<std::string_view> descr = read_string();
    if (descr && *descr == "<f4") return true;
    error_ = {StatusCode::unsupported,
              fmt::format("the .npy array has dtype {}: little-endian float32, '<f4', is wanted",
                          quote(descr ? *descr : rest.substr(0, 40)))};
    return false;
  }

  bool read_bool(bool &value) {
    value = accept_word("True");
    return value || accept_word("False") || fail("has a 'fortran_order' that is neither True nor False");
  }

  bool read_shape(Shape &shape) {
    if (!accept('(')) return fail("has a 'shape' that is not a tuple");
    while (!accept(')')) {
      const std::optional<std::int64_t> size = read_size();
      if (!size) return fail(fmt::format("has a bad size in 'shape', after {} entries", shape.size()));
      shape.push_back(*size);
      if (shape.size() > most_dimensions) return fail(fmt::format("has more than {} dimensions", most_dimensions));
      if (accept(',')) continue;
      // In Python (4) is no tuple.
      if (shape.size() == 1 || !accept(')')) return fail("has a 'shape' that is not a tuple");
      break;
    }
    return true;
  }

  // Decimal digits, with the L of Python 2 behind.
  std::optional<std::int64_t> read_size() {
    skip_space();
    std::int64_t value = 0;
    const std::size_t start = position_;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      const std::int64_t digit = text_[position_] - '0';
      if (value > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return std::nullopt;
      value = value * 10 + digit;
    }
    if (position_ == start) return std::nullopt;
    accept('L');
    return value;
  }

  std::optional<std::string_view> read_string() {
    skip_space();
    if (position_ >= text_.size() || (text_[position_] != '\'' && text_[position_] != '"')) return std::nullopt;
    const std::size_t end = text_.find(text_[position_], position_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return value;
  }

  void skip_space() { position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size()); }

  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  bool expect(char c) { return accept(c) || fail(fmt::format("has no '{}' at position {}", c, position_)); }

  bool fail(std::string what) {
    if (error_.ok()) error_ = invalid_argument(fmt::format("the .npy header {}", what));
    return false;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  bool has_descr_ = false, has_order_ = false, has_shape_ = false;
  Status error_;
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

Status check_data_size(const NpyHeader &header, std::uint64_t file_size) {
  const std::uint64_t found = file_size - header.data_offset;
  const std::uint64_t wanted = static_cast<std::uint64_t>(header.elements) * sizeof(float);
  if (found == wanted) return {};
  return invalid_argument(fmt::format("the .npy file is {}: shape {} takes {} bytes of data, and there are {}",
                                      found < wanted ? "truncated" : "too long", tuple(header.shape), wanted, found));
}

}  // namespace

Result<std::int64_t> npy_elements(const Shape &shape) {
  for (const std::int64_t size : shape) {
    if (size < 0) return invalid_argument(fmt::format("shape {} has a negative size", tuple(shape)));
  }
  if (shape.size() > most_dimensions) {
    return invalid_argument(fmt::format("shape {} has more than {} dimensions", tuple(shape), most_dimensions));
  }
  if (const std::optional<std::int64_t> elements = count_elements(shape)) return *elements;
  return Status(StatusCode::unsupported, fmt::format("shape {} is too large: tconv addresses at most 2^31-1 elements "
                                                     "per array",
                                                     tuple(shape)));
}

Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_size) {
  const std::string_view text(reinterpret_cast<const char *>(start.data()), start.size());
  if (!text.starts_with(magic)) return invalid_argument("not a .npy file: it does not begin with \\x93NUMPY");
  if (text.size() < 8) return invalid_argument(fmt::format("the .npy file is truncated: it has {} bytes", file_size));
  const int major = static_cast<unsigned char>(text[6]), minor = static_cast<unsigned char>(text[7]);
  if (major < 1 || major > 3 || minor != 0) {
    return Status(StatusCode::unsupported,
                  fmt::format("the .npy format is {}.{}: 1.0, 2.0 and 3.0 are known", major, minor));
  }
  const std::size_t length_size = major == 1 ? 2 : 4, header_start = 8 + length_size;
  if (text.size() < header_start) {
    return invalid_argument(fmt::format("the .npy file is truncated: it has {} bytes", file_size));
  }
  const std::uint64_t length = little_endian(text.substr(8, length_size));
  if (length > file_size - header_start) {
    return invalid_argument(fmt::format("the .npy file is truncated: a header of {} bytes, and {} bytes are there",
                                        length, file_size - header_start));
  }
  if (length > text.size() - header_start) {
    return Status(StatusCode::unsupported,
                  fmt::format("the .npy header has {} bytes, more than {}", length, npy_largest_header - header_start));
  }
  NpyHeader header;
  Dict dict(text.substr(header_start, static_cast<std::size_t>(length)));
  if (!dict.read(header)) return dict.error();
  const Result<std::int64_t> elements = npy_elements(header.shape);
  if (!elements.ok()) return elements.status();
  header.elements = elements.value();
  header.data_offset = header_start + static_cast<std::size_t>(length);
  if (Status status = check_data_size(header, file_size); !status.ok()) return status;
  return header;
}

std::string npy_header(const Shape &shape) {
  std::string sizes;
  for (std::size_t i = 0; i < shape.size(); ++i) sizes += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  if (shape.size() == 1) sizes += ",";
  std::string dict = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sizes);
  // NumPy aligns the data to 64 bytes, so that it can be mapped.
  dict.append((64 - (magic.size() + 4 + dict.size() + 1) % 64) % 64, ' ');
  dict += '\n';
  std::string header(magic);
  header += {'\1', '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

}  // namespace tconv
