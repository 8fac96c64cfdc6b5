// The headers that every emitted directory carries, held inside the compiler so that it needs no installation.
#ifndef TCONV_GENERATORS_SUPPORT_FILES_H
#define TCONV_GENERATORS_SUPPORT_FILES_H

#include <string_view>
#include <vector>

namespace tconv {

struct SupportFile {
  std::string_view path;  // relative to the emitted directory
  std::string_view text;
  bool cuda;  // only CUDA kernels need it
};

const std::vector<SupportFile> &support_files();

// C texts that become programs together with a kernel: runner.c, program.c and what program.c needs.
std::string_view runner_source();
std::string_view program_source();
std::string_view processor_source();

}  // namespace tconv

#endif
