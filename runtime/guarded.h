// What every public member runs in: no exception leaves the library. Private to runtime/.
#ifndef TCONV_RUNTIME_GUARDED_H
#define TCONV_RUNTIME_GUARDED_H

#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "tconv/status.h"

namespace tconv::detail {

template <typename Body>
auto guarded(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return Status(StatusCode::resource_exhausted, "out of memory");
  } catch (const std::length_error &) {
    return Status(StatusCode::resource_exhausted, "out of memory");
  } catch (const std::exception &failure) {
    return Status(StatusCode::internal, std::string("exception: ") + failure.what());
  } catch (...) {
    return Status(StatusCode::internal, "exception");
  }
}

}  // namespace tconv::detail

#endif
