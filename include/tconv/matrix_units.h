/* Matrix units that an operating system lends on request. */
#ifndef TCONV_MATRIX_UNITS_H
#define TCONV_MATRIX_UNITS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Asks for AMX's tiles, whose state Linux saves only for processes that did (arch_prctl(2), since Linux 5.16), once a
 * process: 1 where code may use them from here on, on any thread; 0 where there are none. */
static inline int tconv_allow_matrix_units(void) {
#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__)
  enum { unknown, refused, allowed };
  static int state = unknown;
  int known = __atomic_load_n(&state, __ATOMIC_RELAXED);
  if (known == unknown) {
    const long arch_prctl = 158, request_permission = 0x1023, tile_data = 18;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(arch_prctl), "D"(request_permission), "S"(tile_data)
                     : "rcx", "r11", "memory");
    known = result == 0 ? allowed : refused;
    __atomic_store_n(&state, known, __ATOMIC_RELAXED);
  }
  return known == allowed;
#else
  return 0;
#endif
}

#ifdef __cplusplus
}
#endif

#endif
