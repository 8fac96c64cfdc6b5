// The logs of tuning, as `tconvc report` takes them: JSON lines, one measurement each, appended as they are made. A
// last line without its end was cut short and is left out; every other line must hold what report_log.cpp lists, or the
// log is refused with the line's number. Unknown fields are passed over: a newer tconv may write more.
#ifndef TCONV_GENERATORS_REPORT_LOG_H
#define TCONV_GENERATORS_REPORT_LOG_H

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tconv/status.h"

namespace tconv {

// All measurements of one layer for one target on one processor with so many threads, in the order of the logs.
struct Search {
  std::string layer, target, processor;
  std::int64_t threads = 0;
  std::vector<nlohmann::ordered_json> candidates;  // the fields that the page shows, checked
};

// The searches in the order of their first measurements. A search may go on in the next log.
Result<std::vector<Search>> read_logs(const std::vector<std::string> &paths);

}  // namespace tconv

#endif
