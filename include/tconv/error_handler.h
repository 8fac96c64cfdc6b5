/* Replaces Halide's error handler, once in a process, by one that neither prints nor aborts: compiled functions check
 * their arguments and return a code, and that is all that is wanted of them.
 *
 * Halide keeps the handler in a plain variable. To set it at every call would be a data race between calls, and would
 * take away the handler that a program sets for itself later. So the first call sets it, and any that come meanwhile
 * wait for the one store. C99 has no atomics: these are the compilers' own. The flag is one symbol for all translation
 * units, as weak as Halide's own variables.
 */
#ifndef TCONV_ERROR_HANDLER_H
#define TCONV_ERROR_HANDLER_H

#include "HalideRuntime.h"

#ifdef _MSC_VER
#include <intrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { TCONV_HANDLER_UNSET = 0, TCONV_HANDLER_BEING_SET = 1, TCONV_HANDLER_SET = 2 };

#ifdef _WIN32
__declspec(selectany) long tconv_handler_state = TCONV_HANDLER_UNSET;
#else
extern long tconv_handler_state;
__attribute__((weak, visibility("default"))) long tconv_handler_state = TCONV_HANDLER_UNSET;
#endif

/* Stores `to` if the state is `from`; returns the state before. */
static inline long tconv_change_handler_state(long from, long to) {
#ifdef _MSC_VER
  return _InterlockedCompareExchange(&tconv_handler_state, to, from);
#else
  __atomic_compare_exchange_n(&tconv_handler_state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return from;
#endif
}

static inline int tconv_handler_is_set(void) {
#ifdef _MSC_VER
  return tconv_change_handler_state(TCONV_HANDLER_SET, TCONV_HANDLER_SET) == TCONV_HANDLER_SET;
#else
  return __atomic_load_n(&tconv_handler_state, __ATOMIC_ACQUIRE) == TCONV_HANDLER_SET;
#endif
}

static inline void tconv_quiet_error(void *context, const char *message) {
  (void)context;
  (void)message;
}

static inline void tconv_silence_errors(void) {
  if (tconv_handler_is_set()) return;
  if (tconv_change_handler_state(TCONV_HANDLER_UNSET, TCONV_HANDLER_BEING_SET) == TCONV_HANDLER_UNSET) {
    halide_set_error_handler(tconv_quiet_error);
    tconv_change_handler_state(TCONV_HANDLER_BEING_SET, TCONV_HANDLER_SET);
  }
  while (!tconv_handler_is_set()) continue;
}

#ifdef __cplusplus
}
#endif

#endif
