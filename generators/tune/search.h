// The search for a plan's fastest schedule on one target: what is tried next, what wins, and when to stop.
//
// Strategy "model": the candidate with the least lower confidence bound of its time, which is the cost model's estimate
// corrected by what the measurements so far say of its parameters' values (learner.h). Strategy "random": any legal
// candidate, each as likely. Both take the space of space.h, and decide winners alike.
//
// A candidate that comes near the best so far runs in turn with it, several rounds; it wins only where the median of
// the rounds' ratios is outside their spread and its fastest call is the faster one, too.
#ifndef TCONV_GENERATORS_SEARCH_H
#define TCONV_GENERATORS_SEARCH_H

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tune/laboratory.h"
#include "tune/log.h"
#include "tune/space.h"

namespace tconv {

struct SearchOptions {
  std::string strategy = "model";
  double budget = 600;                 // seconds, those of earlier records included
  int patience = 120;                  // candidates in a row that change nothing, after which it stops
  std::int64_t most_code_bytes = 0;    // larger ones never win; 0: any
  std::vector<std::string> baselines;  // Halide's autoschedulers that are measured as well
  unsigned seed = 1;
  std::filesystem::path log;
  std::function<bool()> interrupted;  // asked before each candidate: true ends the search with what it has
};

struct SearchProgress {
  int tried = 0, failed = 0;
  double start_ms = 0, best_ms = 0, share_of_peak = 0, seconds_left = 0;
};

struct SearchResult {
  LogRecord start, best;  // the first choice, and the fastest
  double gain = 1;        // of the best, times as fast as the start, when they ran in turn at the end
  std::vector<LogRecord> baselines;
  int tried = 0, failed = 0;
  std::string stopped;  // why
};

// `first` are tried before others: the rules' choice, and the database's. `history` are this search's records in the
// log; what they hold is not measured again.
Result<SearchResult> search(const Plan &plan, const Halide::Target &target, const std::vector<Candidate> &first,
                            const std::vector<LogRecord> &history, const Laboratory &laboratory,
                            const SearchOptions &options, const std::function<void(const SearchProgress &)> &tell);

// Times as fast as `incumbent` as `challenger` is: the median of rounds in turn, and how far the rounds scatter.
struct Duel {
  double ratio = 0, spread = 0;
  bool faster = false;  // outside the noise, by the median and by the fastest call
};
Duel duel(const Laboratory &laboratory, const Program &incumbent, const Program &challenger);

}  // namespace tconv

#endif
