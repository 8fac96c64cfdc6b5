#include "schedule/database.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "emit/processor.h"
#include "schedule/core.h"
#include "schedule/rules.h"
#include "schedule/shipped_schedules.h"

namespace tconv {

namespace fs = std::filesystem;

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Empty where the line is a record; otherwise what is wrong with it.
std::string read_line(std::string_view line, DatabaseRecord &record) {
  const std::size_t colon = line.find(" : ");
  if (colon == std::string_view::npos) return "there is no ' : ' between what a schedule is for and the schedule";
  const std::string_view head = line.substr(0, colon);
  std::string_view rest = line.substr(colon + 3);
  const std::size_t first = head.find('|'), second = head.rfind('|');
  if (first == std::string_view::npos || first == second || head.find('|', first + 1) != second)
    return "KEY | TARGET | PROCESSOR is expected before ' : '";
  const std::size_t hash = rest.find('#');
  if (hash != std::string_view::npos) record.figures = trim(rest.substr(hash + 1));
  record.key = trim(head.substr(0, first));
  record.target = trim(head.substr(first + 1, second - first - 1));
  record.processor = trim(head.substr(second + 1));
  record.parameters = trim(rest.substr(0, hash));
  if (record.key.empty() || record.target.empty() || record.processor.empty())
    return "KEY, TARGET or PROCESSOR is empty";
  const Result<Parameters> parameters = parse_parameters(record.parameters);
  return parameters.ok() ? "" : parameters.status().message();
}

auto identity(const DatabaseRecord &record) { return std::tie(record.key, record.target, record.processor); }

Status system_error(const std::string &what, const fs::path &path) {
  return {StatusCode::io_error, fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(errno))};
}

// Held by one process at a time, until it ends or the object does.
class FileLock {
 public:
  explicit FileLock(const fs::path &path) : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    while (descriptor_ >= 0 && flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) continue;
  }
  FileLock(const FileLock &) = delete;
  FileLock &operator=(const FileLock &) = delete;
  ~FileLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  bool ok() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

// A key's words: the sizes that may differ within a family, by name, and the rest.
struct Family {
  std::string rest;
  std::map<std::string, std::vector<double>> sizes;
};

Family family_of(const std::string &key) {
  Family family;
  std::istringstream words(key);
  std::vector<std::string> all;
  for (std::string word; words >> word;) all.push_back(word);
  if (!all.empty()) all.pop_back();  // the activation, which is fused in whatever the schedule
  for (const std::string &word : all) {
    const std::size_t digit = word.find_first_of("0123456789?");
    const std::string name = word.substr(0, digit);
    if (name == "crop" || name == "out") continue;
    if (name != "n" && name != "i" && name != "c" && name != "o") {
      family.rest += word + ' ';
      continue;
    }
    std::istringstream numbers(word.substr(std::min(digit, word.size())));
    for (std::string number; std::getline(numbers, number, 'x');)
      family.sizes[name].push_back(number == "?" ? 0 : std::strtod(number.c_str(), nullptr));
  }
  return family;
}

// Octaves between the sizes, all together; negative where the families differ, or one leaves open what the other fixes.
double distance(const Family &a, const Family &b) {
  if (a.rest != b.rest || a.sizes.size() != b.sizes.size()) return -1;
  double sum = 0;
  for (const auto &[name, own] : a.sizes) {
    const auto other = b.sizes.find(name);
    if (other == b.sizes.end() || other->second.size() != own.size()) return -1;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const double x = own[i], y = other->second[i];
      if ((x == 0) != (y == 0)) return -1;
      if (x != 0) sum += std::fabs(std::log2(x / y));
    }
  }
  return sum;
}

struct Match {
  const DatabaseRecord *record;
  double distance;
};

// Records of the family for the target, nearest first, the plan's processor's first among equals. Those of processors
// with another core say nothing: weights that one reads fast hold another up.
std::vector<Match> find_matches(const Database &database, const Plan &plan, const Halide::Target &target,
                                double most_distance) {
  const Family own = family_of(key(plan));
  std::vector<Match> matches;
  for (const DatabaseRecord &record : database.records()) {
    if (record.target != target.to_string() || core_of(record.processor) != core_of(plan.processor)) continue;
    const double apart = distance(own, family_of(record.key));
    if (apart >= 0 && apart <= most_distance) matches.push_back({&record, apart});
  }
  const auto other = [&](const Match &match) { return match.record->processor != plan.processor; };
  std::stable_sort(matches.begin(), matches.end(), [&](const Match &a, const Match &b) {
    return std::make_tuple(a.distance, other(a)) < std::make_tuple(b.distance, other(b));
  });
  return matches;
}

Schedule from_parameters(const Plan &plan, const std::vector<Halide::Target> &targets, const Parameters &parameters,
                         const std::string &reason, const std::string &source) {
  Schedule schedule = schedule_of(plan, targets, parameters);
  schedule.reason = reason;
  schedule.source = source;
  return schedule;
}

// Neighbours farther than this are no better than the rules.
constexpr double most_octaves = 2;

// Nor are those that the cost model expects to be slower than its own choice, beyond what it can tell.
constexpr double most_slower = 1.02;

// The target whose records serve a plan: where the rules leave matrix units alone, that of the vectors beside them.
Halide::Target target_of_records(const Plan &plan, const std::vector<Halide::Target> &targets) {
  using Halide::Target;
  Target target = targets[0];
  if (!target.has_feature(Target::AVX512_SapphireRapids) || choose_schedule(plan, targets).tiling.bf16x3) return target;
  target.set_feature(Target::AVX512_SapphireRapids, false);
  for (const Target::Feature feature : beside_matrix_units) target.set_feature(feature, false);
  return target;
}

// Of a library: its targets share the packed weights, which are of one form.
Status check_for_all(const Plan &plan, const std::vector<Halide::Target> &targets, const Parameters &parameters) {
  const std::string refusal = parameters.tiling.bf16x3 ? refuse_bf16x3(plan, targets) : "";
  if (!refusal.empty()) return invalid_argument(fmt::format("schedule: not bf16x3: {}", refusal));
  return check_parameters(plan, targets[0], parameters);
}

std::optional<Schedule> from_database(const Database &database, const Plan &plan,
                                      const std::vector<Halide::Target> &targets) {
  std::vector<Match> matches = find_matches(database, plan, targets[0], most_octaves);
  const Halide::Target other = target_of_records(plan, targets);
  if (other != targets[0])
    for (const Match &match : find_matches(database, plan, other, most_octaves)) matches.push_back(match);
  for (const Match &match : matches) {
    const Parameters parameters = parse_parameters(match.record->parameters).value();
    if (!check_for_all(plan, targets, parameters).ok()) continue;
    const std::string measured = fmt::format("on {}: {}", match.record->processor, match.record->figures);
    if (match.distance == 0)
      return from_parameters(plan, targets, parameters, "measured " + measured,
                             fmt::format("from the database {}, this layer's record", database.name()));
    const double own = expected_cycles(plan, targets[0], parameters_of(choose_schedule(plan, targets), 0));
    if (expected_cycles(plan, targets[0], parameters) > most_slower * own) continue;
    return from_parameters(plan, targets, parameters, fmt::format("measured for {} {}", match.record->key, measured),
                           fmt::format("from the database {}, nearest sizes of this family ({:.1f} octaves away)",
                                       database.name(), match.distance));
  }
  return std::nullopt;
}

}  // namespace

std::string to_line(const DatabaseRecord &record) {
  return fmt::format("{} | {} | {} : {} # {}", record.key, record.target, record.processor, record.parameters,
                     record.figures);
}

Result<Database> Database::parse(std::string_view text, const std::string &name) {
  Database database;
  database.name_ = name;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#') continue;
    DatabaseRecord record;
    const std::string wrong = read_line(line, record);
    if (!wrong.empty()) return invalid_argument(fmt::format("{}:{}: {}", name, number, wrong));
    for (const DatabaseRecord &earlier : database.records_)
      if (identity(earlier) == identity(record))
        return invalid_argument(fmt::format("{}:{}: a second record for {} | {} | {}", name, number, record.key,
                                            record.target, record.processor));
    database.records_.push_back(std::move(record));
  }
  return database;
}

Result<Database> Database::read(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || fs::is_directory(path)) return system_error("read", path);
  text << file.rdbuf();
  return parse(text.str(), path.string());
}

const Database &Database::shipped() {
  static const Database database = parse(shipped_schedules(), "that ships with tconv").value();
  return database;
}

Status write_record(const fs::path &path, const DatabaseRecord &record) {
  const fs::path lock_path = path.string() + ".lock", beside = path.string() + ".new";
  const FileLock lock(lock_path);
  if (!lock.ok()) return system_error("lock", lock_path);
  std::vector<std::string> lines = {to_line(record)}, comments;
  if (fs::exists(path)) {
    const Result<Database> old = Database::read(path);
    if (!old.ok()) return old.status();
    for (const DatabaseRecord &one : old.value().records())
      if (identity(one) != identity(record)) lines.push_back(to_line(one));
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
      if (!line.empty() && line[0] == '#') comments.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  for (const std::string &line : comments) file << line << '\n';
  for (const std::string &line : lines) file << line << '\n';
  file.close();
  if (!file) return system_error("write", beside);
  std::error_code error;
  fs::rename(beside, path, error);
  if (error) return {StatusCode::io_error, fmt::format("cannot replace '{}': {}", path.string(), error.message())};
  return {};
}

Result<Schedule> find_schedule(const Plan &plan, const std::vector<Halide::Target> &targets,
                               const ScheduleSources &sources) {
  if (!sources.text.empty()) {
    const Result<Parameters> parameters = parse_parameters(sources.text);
    if (!parameters.ok()) return parameters.status();
    const Status legal = check_for_all(plan, targets, parameters.value());
    if (!legal.ok()) return legal;
    return from_parameters(plan, targets, parameters.value(), "as --schedule says", "given");
  }
  if (!sources.database.empty()) {
    const Result<Database> own = Database::read(sources.database);
    if (!own.ok()) return own.status();
    std::optional<Schedule> found = from_database(own.value(), plan, targets);
    if (found) return *found;
  }
  if (sources.shipped) {
    std::optional<Schedule> found = from_database(Database::shipped(), plan, targets);
    if (found) return *found;
  }
  return choose_schedule(plan, targets);
}

std::vector<Parameters> neighbours(const Database &database, const Plan &plan, const Halide::Target &target,
                                   double most_distance) {
  std::vector<Parameters> all;
  for (const Match &match : find_matches(database, plan, target, most_distance)) {
    const Parameters parameters = parse_parameters(match.record->parameters).value();
    if (check_parameters(plan, target, parameters).ok()) all.push_back(parameters);
  }
  return all;
}

std::string host_processor() {
  char name[PROCESSOR_NAME_BYTES];
  processor_name(name);
  return name;
}

}  // namespace tconv
