// The log of a search: one JSON object a line, appended as each candidate is measured, so that a search that was killed
// goes on where it was. `tconvc report` reads it too.
#ifndef TCONV_GENERATORS_TUNE_LOG_H
#define TCONV_GENERATORS_TUNE_LOG_H

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tconv/status.h"

namespace tconv {

struct LogRecord {
  // What was searched: equal for all records of one search.
  std::string layer, target, processor;  // processor: empty until a program has told it
  int threads = 1;
  double flop = 0, bytes = 0;  // of one call: useful operations, and arrays and packed weights moved once

  std::string strategy;  // "start", "database", "model", "random", or an autoscheduler's name
  std::string schedule;  // to_text(Parameters)
  std::string outcome;   // "measured", "failed", "crashed", "timed_out" or "wrong"
  std::string message;   // why not measured

  // Measured only.
  double minimum_ms = 0, median_ms = 0;
  int runs = 0;
  double largest_error = 0;
  std::int64_t code_bytes = 0;
  double peak_gflops = 0, bandwidth_gbs = 0;  // the machine's, measured by the same program
  double against_best = 0;                    // times as fast as the incumbent when they ran in turn; 0: they did not
  bool becomes_best = false;                  // and so took its place

  double model_ms = 0;  // what the cost model expected; 0: it has nothing to say
  double seconds = 0;   // spent on this candidate
  std::string time;     // UTC, when it ended

  bool measured() const { return outcome == "measured"; }
};

// All records of a file that need not be there. A last line that was cut short counts as not written; any other line
// that is no record is an error with file and line.
Result<std::vector<LogRecord>> read_log(const std::filesystem::path &path);

// Appends one record, after removing what a killed writer left of a line, and waits until it is on the disk.
Status append_record(const std::filesystem::path &path, const LogRecord &record);

}  // namespace tconv

#endif
