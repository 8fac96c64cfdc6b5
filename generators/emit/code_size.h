// The bytes of machine code in an object file.
#ifndef TCONV_GENERATORS_CODE_SIZE_H
#define TCONV_GENERATORS_CODE_SIZE_H

#include <cstdint>
#include <filesystem>

namespace tconv {

// The executable sections of a 64-bit ELF object together; 0 for a format that is not ELF or a file that cannot be
// read.
std::int64_t code_bytes(const std::filesystem::path &object);

}  // namespace tconv

#endif
