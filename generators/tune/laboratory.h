// Where candidates are built and run: each in processes of its own, with a limit of time, so that one that crashes,
// hangs or computes something wrong costs no more than itself.
#ifndef TCONV_GENERATORS_LABORATORY_H
#define TCONV_GENERATORS_LABORATORY_H

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "emit/staging.h"
#include "tune/log.h"

namespace tconv {

struct LaboratoryOptions {
  std::vector<std::string> compile;  // arguments of `tconvc compile` that name the layer
  std::string target;
  std::string runner;   // 'COMMAND {}', for a shell; empty: the program is started by itself or by qemu
  std::string cluster;  // the address of a Dask scheduler, whose workers run the programs; empty: none
  int threads = 1;
  int jobs = 1;          // candidates built at a time
  double seconds = 0.2;  // of timed calls in one run
  double limit = 60;     // seconds that building, or running, one candidate may take
};

// A candidate's program; the files live as long as this does.
struct Program {
  std::shared_ptr<const Staging> directory;
  std::filesystem::path path;
};

// How a step ended: `outcome` and `message` as in the log, or "built", or "unreachable" where the cluster is at fault.
struct Trial {
  Program program;
  std::string outcome, message;
  double minimum_ms = 0, median_ms = 0;
  int runs = 0;
  double largest_error = 0, peak_gflops = 0, bandwidth_gbs = 0;
  std::int64_t code_bytes = 0;
  std::string processor;
  double seconds = 0;  // spent on it

  bool ok() const { return outcome == "measured"; }
};

// Times of two programs that ran one after the other.
struct Round {
  double incumbent_minimum_ms, incumbent_median_ms, challenger_minimum_ms, challenger_median_ms;

  double ratio() const { return incumbent_median_ms / challenger_median_ms; }
};
inline constexpr int most_rounds = 9, early_rounds = 3;

double median(std::vector<double> values);

class Laboratory {
 public:
  static Result<Laboratory> open(LaboratoryOptions options);

  // Builds the schedules' programs, `jobs` at a time, and measures and checks them: one after another here, all at once
  // on a cluster.
  std::vector<Trial> try_all(const std::vector<std::string> &schedules) const;

  Trial build(const std::string &schedule) const;

  // Runs two programs in turn on one machine: most_rounds times, or early_rounds where the challenger has lost by then;
  // fewer where one of them fails.
  std::vector<Round> in_turn(const Program &incumbent, const Program &challenger) const;

  const LaboratoryOptions &options() const { return options_; }

 private:
  Laboratory(LaboratoryOptions options, Staging place) : options_(std::move(options)), place_(std::move(place)) {}
  std::vector<std::string> run_command(const std::filesystem::path &program, double seconds, bool checked) const;
  void run_into(Trial &trial, double seconds, bool checked) const;
  std::vector<Round> in_turn_here(const Program &incumbent, const Program &challenger) const;
  std::vector<Round> in_turn_on_cluster(const Program &incumbent, const Program &challenger) const;

  LaboratoryOptions options_;
  Staging place_;  // what all candidates have in common
};

}  // namespace tconv

#endif
