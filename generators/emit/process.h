// Programs that tconvc starts: C compilers, and kernels that are run or measured.
#ifndef TCONV_GENERATORS_PROCESS_H
#define TCONV_GENERATORS_PROCESS_H

#include <string>
#include <vector>

#include "tconv/status.h"

namespace tconv {

struct ProcessResult {
  int exit_code = 0;  // 128 + the signal where one ended it
  bool timed_out = false;
  std::string output, errors;

  bool ok() const { return exit_code == 0 && !timed_out; }
  std::string failure() const;  // in words, with the first line of its standard error
};

// Runs a program with arguments, no shell between, and waits for it; several threads may do so at once. After `limit`
// seconds it is killed with all that it started; 0: no limit. It does not outlive this process.
Result<ProcessResult> run_process(const std::vector<std::string> &command, double limit = 0);

// The same, where anything but success is an error; returns its standard output.
Result<std::string> run_program(const std::vector<std::string> &command);

}  // namespace tconv

#endif
