// NumPy's .npy files of little-endian float32, the form in which kernels, biases and test values come and go. What is
// read is not trusted: every length is checked against the bytes that are there.
#ifndef TCONV_NPY_H
#define TCONV_NPY_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tconv/status.h"
#include "tconv/tensor.h"

namespace tconv {

// The most that tconv addresses, 2^31 elements, and a header.
inline constexpr std::uint64_t npy_largest_file = (std::uint64_t{1} << 33) + (std::uint64_t{1} << 17);

// The tensor of a file's bytes, format 1.0, 2.0 or 3.0. An array in Fortran order is brought into row-major order.
Result<Tensor> parse_npy(std::span<const std::byte> bytes);

// The same from a file. A file of more than max_bytes is refused unread.
Result<Tensor> read_npy(const std::string &path, std::uint64_t max_bytes = npy_largest_file);

// Writes format 1.0. The file appears under its name when it is complete; after a failure nothing new is left.
Status write_npy(const std::string &path, const Tensor &tensor);

}  // namespace tconv

#endif
