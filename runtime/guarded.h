// Exceptions, of the standard library's, as a Status. Private to runtime/.
#ifndef TCONV_RUNTIME_GUARDED_H
#define TCONV_RUNTIME_GUARDED_H

#include <new>
#include <stdexcept>

#include "tconv/status.h"

namespace tconv::detail {

// What every public function runs in: no exception leaves the library.
template <typename Body>
auto guarded(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return Status(StatusCode::resource_exhausted, "out of memory");
  } catch (const std::length_error &) {
    return Status(StatusCode::resource_exhausted, "out of memory");
  } catch (...) {
    return Status(StatusCode::internal, "exception");
  }
}

}  // namespace tconv::detail

#endif
