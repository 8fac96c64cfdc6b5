// The header of a .npy file: magic, version, and a Python dict of three entries. Private to runtime/.
#ifndef TCONV_RUNTIME_NPY_HEADER_H
#define TCONV_RUNTIME_NPY_HEADER_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

// No header that NumPy writes for a plain array comes near it.
inline constexpr std::size_t npy_largest_header = std::size_t{1} << 16;

struct NpyHeader {
  Shape shape;
  std::int64_t elements = 0;  // the product of shape
  bool fortran_order = false;
  std::size_t data_offset = 0;
};

// `start` is the beginning of a file of `file_size` bytes: npy_largest_header of them, or all. The data is known to
// have the length that the shape asks for.
Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_size);

std::string npy_header(const Shape &shape);

// The product of the sizes, refused where it is over what tconv addresses.
Result<std::int64_t> npy_elements(const Shape &shape);

}  // namespace tconv

#endif
