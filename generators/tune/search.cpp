#include "tune/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <random>
#include <unordered_map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "tune/learner.h"

namespace tconv {

namespace {

// One that is slower than the best by more than this in a single run does not run in turn with it.
constexpr double near = 1.05;

constexpr double least_gain = 1.01;

// How much doubt is worth, in deviations.
constexpr double optimism = 1.5;

// A candidate that does not run tells of its parameters as one that is so much slower, as a logarithm.
constexpr double failure_penalty = 0.7;

// The search ends when not even the most promising candidate is expected to gain so much.
constexpr double least_hope = 1.005;

std::string utc_now() { return fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))); }

class Search {
 public:
  Search(const Plan &plan, const Halide::Target &target, const std::vector<Candidate> &first,
         const Laboratory &laboratory, const SearchOptions &options,
         const std::function<void(const SearchProgress &)> &tell)
      : plan_(plan),
        target_(target),
        laboratory_(laboratory),
        options_(options),
        tell_(tell),
        space_(search_space(plan, target, laboratory.options().threads)),
        random_(options.seed) {
    for (std::size_t i = 0; i < space_.size(); ++i) number_.emplace(space_[i].text, i);
    for (const Candidate &one : first)
      if (number_.emplace(one.text, space_.size()).second) space_.push_back(one);
    std::vector<std::string> texts;
    for (const Candidate &one : space_) texts.push_back(one.text);
    tried_.resize(space_.size());
    learner_.emplace(texts);
  }

  Status recall(const std::vector<LogRecord> &history) {
    for (const LogRecord &record : history) {
      if (is_baseline(record)) continue;
      spent_ += record.seconds;
      const auto found = number_.find(record.schedule);
      if (found != number_.end()) {
        tried_[found->second] = true;
        if (record.strategy == "start") start_cycles_ = space_[found->second].cycles;
      }
      if (record.strategy == "start") result_.start = record;
      if (record.becomes_best) result_.best = record;
      count(record);
    }
    for (const LogRecord &record : history) learn(record);
    if (result_.best.schedule.empty()) return {};
    best_ = laboratory_.build(result_.best.schedule).program;
    if (best_.path.empty())
      return {StatusCode::internal,
              fmt::format("the log's best schedule cannot be built again: {}", result_.best.schedule)};
    return {};
  }

  Status run(const std::vector<Candidate> &first) {
    for (const Candidate &one : first) {
      if (tried_[number_.at(one.text)] || (interrupted() && !best_.path.empty())) continue;
      const Status status = attempt({number_.at(one.text)}, &one == &first.front() ? "start" : "database");
      if (!status.ok()) return status;
      if (&one == &first.front() && best_.path.empty())
        return {StatusCode::internal,
                fmt::format("the rules' own choice, {}, does not run: {}", one.text, last_message_)};
    }
    while (true) {
      if (spent_ >= options_.budget) result_.stopped = fmt::format("the {:.0f} s are spent", options_.budget);
      if (interrupted()) result_.stopped = "it was interrupted";
      if (unchanged_ >= options_.patience)
        result_.stopped = fmt::format("{} candidates in a row changed nothing", unchanged_);
      const std::vector<std::size_t> batch = result_.stopped.empty() ? next_batch() : std::vector<std::size_t>{};
      if (batch.empty() && result_.stopped.empty()) result_.stopped = "everything was tried";
      if (!result_.stopped.empty()) return {};
      const Status status = attempt(batch, options_.strategy);
      if (!status.ok()) return status;
    }
  }

  Status run_baselines(const std::vector<LogRecord> &history) {
    for (const std::string &name : options_.baselines) {
      if (interrupted()) return {};
      const auto old =
          std::find_if(history.begin(), history.end(), [&](const LogRecord &r) { return r.strategy == name; });
      if (old != history.end()) {
        result_.baselines.push_back(*old);
        continue;
      }
      Parameters p = plain_direct(plan_, target_);
      p.autoscheduler = name;
      // Their tails need the extents that they were made for: nothing is cut.
      p.tiling.block_bytes = std::int64_t{1} << 30;
      const Trial trial = laboratory_.try_all({to_text(p)})[0];
      LogRecord record = new_record(name, to_text(p), trial);
      const Status status = append_record(options_.log, record);
      if (!status.ok()) return status;
      result_.baselines.push_back(record);
    }
    return {};
  }

  // The best against the first choice, once more: what then turns out to be slower had won by noise.
  Result<SearchResult> finish() {
    if (result_.best.schedule != result_.start.schedule) {
      const Program start = laboratory_.build(result_.start.schedule).program;
      if (!start.path.empty()) result_.gain = duel(laboratory_, start, best_).ratio;
      if (result_.gain < 1 && fits(result_.start)) {
        result_.best = result_.start;
        result_.gain = 1;
      }
    }
    return result_;
  }

 private:
  bool interrupted() const { return options_.interrupted && options_.interrupted(); }

  // These come after the search, and take none of its time.
  bool is_baseline(const LogRecord &record) const {
    return record.schedule.find("autoscheduler=") != std::string::npos;
  }

  LogRecord new_record(const std::string &strategy, const std::string &schedule, const Trial &trial) const {
    LogRecord r;
    const tconv_dims dims = typical_dims(plan_);
    const std::int64_t batch = tconv_max(plan_.layer.batch, 1);
    const auto images = static_cast<double>(batch);
    r.layer = key(plan_);
    r.target = target_.to_string();
    r.processor = trial.processor.empty() ? result_.start.processor : trial.processor;
    r.threads = laboratory_.options().threads;
    r.flop = 2 * multiply_adds(plan_.layer, dims, batch);
    double weights = static_cast<double>(plan_.layer.in_channels * tconv_group_outputs(&plan_.layer));
    for (const tconv_dim &dim : dims.dim) weights *= static_cast<double>(dim.kernel);
    r.bytes =
        4 *
        (images * (elements(plan_.layer.in_channels, dims, false) + elements(plan_.layer.out_channels, dims, true)) +
         weights);
    r.strategy = strategy;
    r.schedule = schedule;
    r.outcome = trial.outcome;
    r.message = trial.message;
    r.minimum_ms = trial.minimum_ms;
    r.median_ms = trial.median_ms;
    r.runs = trial.runs;
    r.largest_error = trial.largest_error;
    r.code_bytes = trial.code_bytes;
    r.peak_gflops = trial.peak_gflops;
    r.bandwidth_gbs = trial.bandwidth_gbs;
    const auto found = number_.find(schedule);
    if (found != number_.end() && start_cycles_ > 0 && result_.start.minimum_ms > 0)
      r.model_ms = space_[found->second].cycles / start_cycles_ * result_.start.minimum_ms;
    r.seconds = trial.seconds;
    r.time = utc_now();
    return r;
  }

  void count(const LogRecord &record) {
    ++result_.tried;
    if (!record.measured()) ++result_.failed;
    unchanged_ = record.becomes_best ? 0 : unchanged_ + 1;
  }

  // log(measured / expected), the cost model taken to be right for the first choice.
  void learn(const LogRecord &record) {
    const auto found = number_.find(record.schedule);
    if (found == number_.end() || result_.start.minimum_ms <= 0) return;
    const double expected = space_[found->second].cycles / start_cycles_ * result_.start.minimum_ms;
    learner_->add(found->second, record.measured() ? std::log(record.minimum_ms / expected) : failure_penalty);
  }

  bool fits(const LogRecord &record) const {
    return options_.most_code_bytes == 0 || record.code_bytes <= options_.most_code_bytes;
  }

  // Whether the trial takes the best one's place, with the figures of the rounds in turn.
  void compare(const Trial &trial, LogRecord &record) {
    if (!record.measured()) return;
    if (best_.path.empty() || (!fits(result_.best) && fits(record))) {
      record.becomes_best = best_.path.empty() || fits(record);
      return;
    }
    if (!fits(record) || record.minimum_ms > near * result_.best.minimum_ms) return;
    const Duel rounds = duel(laboratory_, best_, trial.program);
    record.against_best = rounds.ratio;
    record.becomes_best = rounds.faster;
  }

  Status attempt(const std::vector<std::size_t> &batch, const std::string &strategy) {
    std::vector<std::string> schedules;
    for (const std::size_t i : batch) schedules.push_back(space_[i].text);
    const auto before = std::chrono::steady_clock::now();
    double told = 0;
    const std::vector<Trial> trials = laboratory_.try_all(schedules);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (trials[i].outcome == "unreachable") return {StatusCode::io_error, "cluster: " + trials[i].message};
      tried_[batch[i]] = true;
      if (strategy == "start") start_cycles_ = space_[batch[i]].cycles;
      LogRecord record = new_record(strategy, schedules[i], trials[i]);
      compare(trials[i], record);
      // Time as the user's clock has it, shared by what was built side by side.
      const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
      record.seconds = i + 1 == batch.size() ? elapsed - told : elapsed / static_cast<double>(batch.size());
      record.seconds = std::max(record.seconds, 0.0);
      told += record.seconds;
      spent_ += record.seconds;
      if (strategy == "start") result_.start = record;
      if (record.becomes_best) {
        result_.best = record;
        best_ = trials[i].program;
      }
      last_message_ = record.message;
      count(record);
      learn(record);
      const Status status = append_record(options_.log, record);
      if (!status.ok()) return status;
      tell_({result_.tried, result_.failed, result_.start.minimum_ms, result_.best.minimum_ms,
             result_.best.peak_gflops > 0
                 ? result_.best.flop / result_.best.minimum_ms * 1e-6 / result_.best.peak_gflops
                 : 0,
             options_.budget - spent_});
    }
    return {};
  }

  std::vector<std::size_t> next_batch() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < space_.size(); ++i)
      if (!tried_[i]) open.push_back(i);
    const std::size_t count = std::min(open.size(), static_cast<std::size_t>(laboratory_.options().jobs));
    if (options_.strategy == "random") {
      std::shuffle(open.begin(), open.end(), random_);
      open.resize(count);
      return open;
    }
    learner_->fit();
    std::vector<double> bound(space_.size());
    for (const std::size_t i : open) {
      const Learner::Estimate estimate = learner_->estimate(i);
      bound[i] = std::log(space_[i].cycles / start_cycles_) + estimate.mean - optimism * estimate.deviation;
    }
    std::partial_sort(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(count), open.end(),
                      [&](std::size_t a, std::size_t b) { return bound[a] < bound[b]; });
    open.resize(count);
    if (!open.empty() && std::exp(bound[open[0]]) * result_.start.minimum_ms * least_hope > result_.best.minimum_ms)
      result_.stopped = "no candidate is expected to be faster";
    return open;
  }

  const Plan &plan_;
  const Halide::Target &target_;
  const Laboratory &laboratory_;
  const SearchOptions &options_;
  const std::function<void(const SearchProgress &)> &tell_;
  std::vector<Candidate> space_;
  std::unordered_map<std::string, std::size_t> number_;  // in space_, by text
  std::vector<bool> tried_;
  std::optional<Learner> learner_;
  std::mt19937 random_;
  double spent_ = 0, start_cycles_ = 0;
  int unchanged_ = 0;
  std::string last_message_;
  Program best_;
  SearchResult result_;
};

}  // namespace

Duel duel(const Laboratory &laboratory, const Program &incumbent, const Program &challenger) {
  const std::vector<Round> rounds = laboratory.in_turn(incumbent, challenger);
  Duel result;
  if (rounds.size() < early_rounds) return result;
  std::vector<double> ratios, deviations;
  double own = std::numeric_limits<double>::infinity(), other = own;
  for (const Round &round : rounds) {
    ratios.push_back(round.ratio());
    other = std::min(other, round.incumbent_minimum_ms);
    own = std::min(own, round.challenger_minimum_ms);
  }
  result.ratio = median(ratios);
  for (const double ratio : ratios) deviations.push_back(std::fabs(ratio - result.ratio));
  // The median's standard error, from the median deviation of normal noise: 1.2533 * 1.4826 / sqrt(rounds).
  result.spread = 1.858 * median(deviations) / std::sqrt(static_cast<double>(rounds.size()));
  result.faster =
      rounds.size() > early_rounds && result.ratio > std::max(least_gain, 1 + 2 * result.spread) && own < other;
  return result;
}

Result<SearchResult> search(const Plan &plan, const Halide::Target &target, const std::vector<Candidate> &first,
                            const std::vector<LogRecord> &history, const Laboratory &laboratory,
                            const SearchOptions &options, const std::function<void(const SearchProgress &)> &tell) {
  Search search(plan, target, first, laboratory, options, tell);
  Status status = search.recall(history);
  if (status.ok()) status = search.run(first);
  if (status.ok()) status = search.run_baselines(history);
  if (!status.ok()) return status;
  return search.finish();
}

}  // namespace tconv
