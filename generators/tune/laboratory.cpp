#include "tune/laboratory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "emit/process.h"
#include "emit/program.h"
#include "emit/targets.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string quoted(const std::string &text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string replace_all(std::string text, const std::string &what, const std::string &with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

// On a cluster a program waits for a worker, and starts anew where one dies: the limit is kept there.
double run_limit(const LaboratoryOptions &options) {
  return options.cluster.empty() ? options.limit : 600 + 10 * options.limit;
}

// Rounds are many, so each is short.
double duel_seconds(const LaboratoryOptions &options) { return options.seconds / 4; }

// The script lies beside the compiler, in the build tree and where it is installed.
std::vector<std::string> cluster_command(const LaboratoryOptions &options) {
  const char *python = std::getenv("TCONV_PYTHON");
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  return {python == nullptr ? "python3" : python, (prefix / "share/tconv/cluster_run.py").string(), "--limit",
          fmt::format("{}", options.limit), options.cluster};
}

// The last line that is a JSON object: a runner may print before it.
nlohmann::json last_object(const std::string &output) {
  std::size_t end = output.size();
  while (end > 0) {
    const std::size_t start = output.rfind('\n', end - 1);
    const std::size_t from = start == std::string::npos ? 0 : start + 1;
    nlohmann::json json = nlohmann::json::parse(output.substr(from, end - from), nullptr, false);
    if (json.is_object()) return json;
    if (start == std::string::npos) break;
    end = start;
  }
  return {};
}

// A program that runs elsewhere ends the connection with its own exit code, or with 128 and its signal.
std::string outcome_of(const ProcessResult &result) {
  // cluster_run.py's, and ssh's.
  constexpr int no_cluster = 75, timed_out_elsewhere = 124, no_connection = 255;
  if (result.exit_code == no_cluster) return "unreachable";
  if (result.timed_out || result.exit_code == timed_out_elsewhere) return "timed_out";
  if (result.exit_code == no_connection) return "failed";
  return result.exit_code > 128 ? "crashed" : "failed";
}

void read_figures(const nlohmann::json &json, Trial &trial) {
  trial.minimum_ms = json.value("minimum_ms", 0.0);
  trial.median_ms = json.value("median_ms", 0.0);
  trial.runs = json.value("runs", 0);
  trial.largest_error = json.value("largest_error", 0.0);
  trial.peak_gflops = json.value("peak_gflops", 0.0);
  trial.bandwidth_gbs = json.value("bandwidth_gbs", 0.0);
  trial.code_bytes = json.value("code_bytes", std::int64_t{0});
  trial.processor = json.value("processor", "");
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Result<Laboratory> Laboratory::open(LaboratoryOptions options) {
  Result<Staging> place = Staging::beside(fs::temp_directory_path());
  if (!place.ok()) return place.status();
  return Laboratory(std::move(options), std::move(place).value());
}

Trial Laboratory::build(const std::string &schedule) const {
  const Stopwatch watch;
  Trial trial;
  trial.outcome = "failed";
  Result<Staging> directory = Staging::beside(fs::temp_directory_path());
  if (!directory.ok()) {
    trial.message = directory.status().message();
    return trial;
  }
  trial.program.directory = std::make_shared<const Staging>(std::move(directory).value());
  const fs::path &place = trial.program.directory->path();
  std::error_code error;
  std::vector<std::string> command = {fs::read_symlink("/proc/self/exe", error).string(), "compile"};
  command.insert(command.end(), options_.compile.begin(), options_.compile.end());
  command.insert(command.end(),
                 {"--target", options_.target, "--schedule", schedule, "--emit", "program", "--name", "candidate",
                  "--runtime-object", (place_.path() / "runtime.o").string(), "-o", place.string()});
  const Result<ProcessResult> compiled = run_process(command, options_.limit);
  trial.seconds = watch.seconds();
  if (!compiled.ok()) {
    trial.message = compiled.status().message();
  } else if (!compiled.value().ok()) {
    trial.outcome = outcome_of(compiled.value());
    trial.message = "compiling: " + compiled.value().failure();
  } else {
    trial.outcome = "built";
    trial.program.path = place / "candidate_program";
  }
  return trial;
}

std::vector<std::string> Laboratory::run_command(const fs::path &program, double seconds, bool checked) const {
  const std::string arguments = fmt::format("{} {}{}", options_.threads, seconds, checked ? "" : " 0");
  if (!options_.cluster.empty()) {
    std::vector<std::string> command = cluster_command(options_);
    command.insert(command.end(), {program.string(), std::to_string(options_.threads), fmt::format("{}", seconds)});
    return command;
  }
  if (!options_.runner.empty())
    return {"/bin/sh", "-c", replace_all(options_.runner, "{}", quoted(program.string())) + " " + arguments};
  const Result<std::vector<Halide::Target>> targets = check_targets({options_.target});
  const Result<std::vector<std::string>> start =
      targets.ok() ? starter(targets.value()[0]) : Result<std::vector<std::string>>(targets.status());
  std::vector<std::string> command = start.ok() ? start.value() : std::vector<std::string>{};
  command.insert(command.end(), {program.string(), std::to_string(options_.threads), fmt::format("{}", seconds)});
  if (!checked) command.emplace_back("0");
  return command;
}

void Laboratory::run_into(Trial &trial, double seconds, bool checked) const {
  const Stopwatch watch;
  const Result<ProcessResult> ran = run_process(run_command(trial.program.path, seconds, checked), run_limit(options_));
  trial.seconds += watch.seconds();
  trial.outcome = "failed";
  if (!ran.ok()) {
    trial.message = ran.status().message();
    return;
  }
  const nlohmann::json json = last_object(ran.value().output);
  const bool figures = !ran.value().timed_out && json.is_object() && json.contains("minimum_ms");
  if (figures) read_figures(json, trial);
  if (figures && !json.value("correct", true)) {
    trial.outcome = "wrong";
    trial.message = fmt::format("an output is wrong by {:.3g}", trial.largest_error);
  } else if (!ran.value().ok()) {
    trial.outcome = outcome_of(ran.value());
    trial.message = "running: " + ran.value().failure();
  } else if (!figures || !(trial.minimum_ms > 0)) {
    trial.message = "running: it printed no figures";
  } else {
    trial.outcome = "measured";
  }
}

std::vector<Round> Laboratory::in_turn(const Program &incumbent, const Program &challenger) const {
  return options_.cluster.empty() ? in_turn_here(incumbent, challenger) : in_turn_on_cluster(incumbent, challenger);
}

std::vector<Round> Laboratory::in_turn_here(const Program &incumbent, const Program &challenger) const {
  std::vector<Round> rounds;
  std::vector<double> ratios;
  while (rounds.size() < most_rounds) {
    // Who goes first changes, in case the machine slows down within a round.
    Trial trials[2];
    const bool swapped = rounds.size() % 2 == 1;
    for (const bool second : {false, true}) {
      Trial &one = trials[second != swapped ? 1 : 0];
      one.program = second != swapped ? challenger : incumbent;
      run_into(one, duel_seconds(options_), false);
      if (!one.ok()) return {};
    }
    rounds.push_back({trials[0].minimum_ms, trials[0].median_ms, trials[1].minimum_ms, trials[1].median_ms});
    ratios.push_back(rounds.back().ratio());
    if (rounds.size() == early_rounds && median(ratios) < 1) break;
  }
  return rounds;
}

std::vector<Round> Laboratory::in_turn_on_cluster(const Program &incumbent, const Program &challenger) const {
  std::vector<std::string> command = cluster_command(options_);
  command.insert(command.end(),
                 {"--duel", std::to_string(most_rounds), incumbent.path.string(), challenger.path.string(),
                  std::to_string(options_.threads), fmt::format("{}", duel_seconds(options_))});
  const Result<ProcessResult> ran = run_process(command, 2 * most_rounds * run_limit(options_));
  if (!ran.ok() || !ran.value().ok()) return {};
  const nlohmann::json json = last_object(ran.value().output);
  std::vector<Round> rounds;
  try {
    const nlohmann::json &old = json.at("incumbent"), &young = json.at("challenger");
    for (std::size_t i = 0; i < std::min(old.size(), young.size()); ++i)
      rounds.push_back({old[i].at(0), old[i].at(1), young[i].at(0), young[i].at(1)});
  } catch (const nlohmann::json::exception &) {
    return {};
  }
  return rounds;
}

std::vector<Trial> Laboratory::try_all(const std::vector<std::string> &schedules) const {
  std::vector<Trial> trials(schedules.size());
  std::atomic<std::size_t> next = 0;
  const auto build_some = [&](bool and_run) {
    for (std::size_t i = next++; i < schedules.size(); i = next++) {
      trials[i] = build(schedules[i]);
      if (and_run && trials[i].outcome == "built") run_into(trials[i], options_.seconds, true);
    }
  };
  const bool elsewhere = !options_.cluster.empty();
  std::vector<std::thread> threads;
  for (int i = 1; i < options_.jobs; ++i) threads.emplace_back(build_some, elsewhere);
  build_some(elsewhere);
  for (std::thread &thread : threads) thread.join();
  for (Trial &trial : trials)
    if (trial.outcome == "built") run_into(trial, options_.seconds, true);
  return trials;
}

}  // namespace tconv
