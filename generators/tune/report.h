// `tconvc report`: logs of tuning as one page that needs nothing else, neither files nor a network.
#ifndef TCONV_GENERATORS_REPORT_H
#define TCONV_GENERATORS_REPORT_H

#include <string>
#include <vector>

#include "tconv/status.h"

namespace tconv {

struct ReportOptions {
  std::vector<std::string> logs;
  std::vector<std::string> peers;  // files that `./bootstrap bench` wrote, for the comparison with other libraries
  std::string output;              // in a directory that exists
};

// Writes the page, or nothing; prints what it holds.
Status report(const ReportOptions &options);

}  // namespace tconv

#endif
