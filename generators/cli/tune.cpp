// tconvc tune.
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/verbs.h"
#include "emit/program.h"
#include "emit/targets.h"
#include "schedule/database.h"
#include "tune/search.h"
#include "version.h"

namespace tconv {

namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string &path) { return fs::absolute(path).string(); }

// The words that make `tconvc compile` read the same layer.
std::vector<std::string> layer_arguments(const LayerOptions &layer, const std::string &path) {
  std::vector<std::string> words = {absolute(path)};
  if (!layer.activation.empty()) words.insert(words.end(), {"--activation", layer.activation});
  if (layer.exact) words.emplace_back("--exact");
  return words;
}

double gflops(const LogRecord &record) { return record.flop / record.minimum_ms * 1e-6; }

std::string figures(const SearchResult &result) {
  const LogRecord &best = result.best;
  std::string text = fmt::format("{:.4f} ms, {:.1f} GFLOP/s", best.minimum_ms, gflops(best));
  if (best.peak_gflops > 0) text += fmt::format(", {:.0f} % of the peak", 100 * gflops(best) / best.peak_gflops);
  return text + fmt::format(", {} thread{}, {:.2f} times the rules' choice; tconv {}, Halide {}; {}", best.threads,
                            best.threads == 1 ? "" : "s", result.gain, version, halide_version,
                            best.time.substr(0, best.time.find('T')));
}

volatile std::sig_atomic_t interrupted = 0;

// The first signal ends the search with what it has found; a second one ends the program.
void finish_when_interrupted() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

// On a terminal one line that is written anew, else a line for each change of the best.
class Progress {
 public:
  void operator()(const SearchProgress &p) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    if (!terminal && p.best_ms == best_) return;
    best_ = p.best_ms;
    const int left = p.seconds_left > 0 ? static_cast<int>(p.seconds_left) : 0;
    fmt::print(
        stderr,
        "{}{} tried, {} without figures; best {:.4f} ms, {:.2f} times the first, {:.0f} % of the peak; {}:{:02} left{}",
        terminal ? "\r\033[K" : "", p.tried, p.failed, p.best_ms, p.start_ms / p.best_ms, 100 * p.share_of_peak,
        left / 60, left % 60, terminal ? "" : "\n");
    std::fflush(stderr);
    written_ = terminal;
  }
  void end() const {
    if (written_) fmt::print(stderr, "\n");
  }

 private:
  double best_ = 0;
  bool written_ = false;
};

std::vector<Candidate> first_candidates(const Plan &plan, const Halide::Target &target, const fs::path &database) {
  std::vector<Candidate> first = {untuned(plan, target)};
  constexpr double octaves = 4;
  constexpr std::size_t most = 4;
  std::vector<Parameters> known;
  if (fs::exists(database)) {
    const Result<Database> own = Database::read(database);
    if (own.ok()) known = neighbours(own.value(), plan, target, octaves);
  }
  const std::vector<Parameters> shipped = neighbours(Database::shipped(), plan, target, octaves);
  known.insert(known.end(), shipped.begin(), shipped.end());
  for (const Parameters &parameters : known) {
    Candidate one = make_candidate(plan, target, parameters);
    const auto same = [&](const Candidate &other) { return other.text == one.text; };
    if (first.size() < most + 1 && std::none_of(first.begin(), first.end(), same)) first.push_back(std::move(one));
  }
  return first;
}

void print_result(const SearchResult &result, const std::string &strategy) {
  fmt::print("{:<14} {:>10} {:>9} {:>7}  {}\n", "", "ms", "GFLOP/s", "times", "schedule");
  const auto row = [&](const std::string &name, const LogRecord &r, double times) {
    if (r.measured())
      fmt::print("{:<14} {:>10.4f} {:>9.1f} {:>7.2f}  {}\n", name, r.minimum_ms, gflops(r), times, r.schedule);
    else
      fmt::print("{:<14} {:>10} {:>9} {:>7}  {}: {}\n", name, "-", "-", "-", r.outcome, r.message);
  };
  row("rules", result.start, 1);
  row(strategy, result.best, result.gain);
  for (const LogRecord &one : result.baselines)
    row(one.strategy, one, one.measured() ? result.start.minimum_ms / one.minimum_ms : 0);
  fmt::print("{} candidates, {} of them without figures; ended because {}\n", result.tried, result.failed,
             result.stopped);
}

Status tune_layer(const TuneOptions &options, const std::string &path, const Halide::Target &target) {
  LayerOptions layer_options = options.layer;
  layer_options.layer = path;
  const Result<LoadedLayer> loaded = load_layer(layer_options);
  if (!loaded.ok()) return loaded.status();
  const Plan &plan = loaded.value().plan;
  for (int d = 0; d < plan.layer.rank; ++d)
    if (plan.layer.size[d] == TCONV_UNSET)
      return invalid_argument(fmt::format("{}: tune needs every spatial size of input_shape given", path));

  const Result<std::vector<LogRecord>> log = read_log(options.log);
  if (!log.ok()) return log.status();
  std::vector<LogRecord> history;
  for (const LogRecord &record : log.value()) {
    const bool other_strategy = (record.strategy == "random") != (options.strategy == "random") &&
                                (record.strategy == "random" || record.strategy == "model");
    if (record.layer == key(plan) && record.target == target.to_string() && record.threads == options.threads &&
        !other_strategy)
      history.push_back(record);
  }
  fmt::print("{}\n{}, {} thread{}{}\n", key(plan), target.to_string(), options.threads, options.threads == 1 ? "" : "s",
             history.empty() ? "" : fmt::format("; going on after {} records of {}", history.size(), options.log));

  LaboratoryOptions laboratory;
  laboratory.compile = layer_arguments(layer_options, path);
  laboratory.target = target.to_string();
  laboratory.runner = options.runner;
  laboratory.cluster = options.cluster;
  laboratory.threads = options.threads;
  laboratory.jobs = options.jobs;
  laboratory.limit = options.limit;
  SearchOptions how;
  how.strategy = options.strategy;
  how.budget = options.budget;
  how.most_code_bytes = static_cast<std::int64_t>(options.most_code_kb * 1024);
  if (options.baselines) how.baselines = {"adams2019", "li2018", "mullapudi2016"};
  how.log = options.log;
  how.interrupted = [] { return interrupted != 0; };
  Progress progress;
  const Result<Laboratory> opened = Laboratory::open(laboratory);
  if (!opened.ok()) return opened.status();
  const Result<SearchResult> found = search(plan, target, first_candidates(plan, target, options.database), history,
                                            opened.value(), how, std::ref(progress));
  progress.end();
  if (!found.ok()) return found.status();
  print_result(found.value(), options.strategy);
  const LogRecord &best = found.value().best;
  if (how.most_code_bytes > 0 && best.code_bytes > how.most_code_bytes)
    return {StatusCode::not_found, fmt::format("no schedule with at most {} KB of code was found: {} has {} bytes",
                                               options.most_code_kb, best.schedule, best.code_bytes)};
  return write_record(options.database,
                      {best.layer, best.target, best.processor, best.schedule, figures(found.value())});
}

Status check_options(const TuneOptions &options, const Halide::Target &target) {
  if (target.has_feature(Halide::Target::CUDA))
    return {StatusCode::unsupported, "tune does not search for CUDA kernels: they have the rules' schedule"};
  if (!options.runner.empty() && options.runner.find("{}") == std::string::npos)
    return invalid_argument(fmt::format("--runner '{}' has no {{}} for the program", options.runner));
  if (!options.runner.empty() && !options.cluster.empty())
    return invalid_argument("--runner and --cluster exclude each other");
  if (options.runner.empty() && options.cluster.empty()) return starter(target).status();
  return {};
}

}  // namespace

Status tune(const TuneOptions &options) {
  const Result<std::vector<Halide::Target>> targets = check_targets({options.target});
  if (!targets.ok()) return targets.status();
  Status status = check_options(options, targets.value()[0]);
  if (fs::exists(options.database) && status.ok()) status = Database::read(options.database).status();
  finish_when_interrupted();
  for (const std::string &layer : options.layers) {
    if (!status.ok()) return status;
    if (interrupted != 0)
      return {StatusCode::failed_precondition, fmt::format("interrupted before {} was tuned", layer)};
    status = tune_layer(options, layer, targets.value()[0]);
  }
  return status;
}

}  // namespace tconv
