#include "emit/code_size.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace tconv {

std::int64_t code_bytes(const std::filesystem::path &object) {
  std::ifstream file(object, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return 0;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const std::size_t at = header.e_shoff + i * sizeof(Elf64_Shdr);
    Elf64_Shdr section;
    if (at + sizeof section > bytes.size()) return 0;
    std::memcpy(&section, bytes.data() + at, sizeof section);
    if (section.sh_flags & SHF_EXECINSTR) total += static_cast<std::int64_t>(section.sh_size);
  }
  return total;
}

}  // namespace tconv
