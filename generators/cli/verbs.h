// The verbs of tconvc. Each takes its options as plain data, returns a Status, and prints only when it succeeds.
#ifndef TCONV_GENERATORS_VERBS_H
#define TCONV_GENERATORS_VERBS_H

#include <string>
#include <vector>

#include "cli/layer_input.h"
#include "tconv/status.h"
#include "tune/report.h"

namespace tconv {

struct CompileOptions {
  LayerOptions layer;
  ScheduleOptions schedule;
  std::vector<std::string> targets;
  std::string output;
  std::vector<std::string> emit = {"static", "header"};
  std::string runtime_object;
};
Status compile(const CompileOptions &options);

// Any-size kernels of one rank and layout, as the library is built with them.
struct GeneralOptions {
  int rank = 2;
  std::string data_format = "channels_last";
  std::vector<std::string> targets;
  std::string output;
};
Status compile_general(const GeneralOptions &options);

struct RunOptions {
  LayerOptions layer;
  ScheduleOptions schedule;
  std::string input, output;
  std::string target = "host";
  int threads = 1;
  bool general = false;
};
Status run(const RunOptions &options);

struct BenchOptions {
  LayerOptions layer;
  ScheduleOptions schedule;
  std::string target = "host";
  int threads = 1;
  bool general = false;
  bool json = false;
  double seconds = 1.0;
};
Status bench(const BenchOptions &options);

struct TuneOptions {
  LayerOptions layer;  // what all layers have in common
  std::vector<std::string> layers;
  std::string target = "host";
  std::string database = "schedules.txt";
  std::string log = "tune.log";
  std::string strategy = "model";
  std::string runner, cluster;
  double budget = 600;  // seconds a layer
  double limit = 60;    // seconds a step of one candidate
  double most_code_kb = 0;
  int threads = 1;
  int jobs = 1;
  bool baselines = true;
};
Status tune(const TuneOptions &options);

struct ExplainOptions {
  LayerOptions layer;
  ScheduleOptions schedule;
  std::vector<std::string> targets = {"host"};
};
Status explain(const ExplainOptions &options);

Status list_targets();

}  // namespace tconv

#endif
