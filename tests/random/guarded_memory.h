// Memory between two pages that may not be touched. Compiled kernels are not instrumented by the sanitizers; an array
// that ends, or begins, where such a page does makes every access beyond it a fault.
#ifndef TCONV_TESTS_GUARDED_MEMORY_H
#define TCONV_TESTS_GUARDED_MEMORY_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace tconv::test {

enum class Against { end, begin };

class GuardedMemory {
 public:
  GuardedMemory() = default;
  GuardedMemory(const GuardedMemory &) = delete;
  GuardedMemory &operator=(const GuardedMemory &) = delete;
  ~GuardedMemory() { release(); }

  // Bytes that lie against one of the guards; what was taken before is gone.
  void *take(std::size_t bytes, Against side) {
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t wanted = (bytes + page - 1) / page * page;
    if (wanted > size_) grow(wanted, page);
    return side == Against::end ? memory_ + page + size_ - bytes : memory_ + page;
  }

 private:
  void grow(std::size_t size, std::size_t page) {
    release();
    void *const all = mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(static_cast<char *>(all) + page, size, PROT_READ | PROT_WRITE) != 0) {
      std::perror("mmap");
      std::exit(1);
    }
    memory_ = static_cast<char *>(all);
    size_ = size;
    mapped_ = size + 2 * page;
  }

  void release() {
    if (mapped_ > 0) munmap(memory_, mapped_);
  }

  char *memory_ = nullptr;
  std::size_t size_ = 0, mapped_ = 0;
};

}  // namespace tconv::test

#endif
