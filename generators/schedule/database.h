// The schedule database: what was measured to be fast, as text, one line a record, sorted:
//
//   KEY | TARGET | PROCESSOR : PARAMETERS # FIGURES
//
// KEY is key(plan), TARGET a Halide target, PROCESSOR a processor_name(), PARAMETERS what parameters.h reads, and
// FIGURES what was measured, with which versions, and when. Lines that begin with # and empty lines are kept out. A
// file may be edited, merged and sorted by anything that works on lines.
#ifndef TCONV_GENERATORS_DATABASE_H
#define TCONV_GENERATORS_DATABASE_H

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schedule/parameters.h"
#include "tconv/status.h"

namespace tconv {

struct DatabaseRecord {
  std::string key, target, processor, parameters, figures;
};

std::string to_line(const DatabaseRecord &record);

class Database {
 public:
  // `name` is what errors call it.
  static Result<Database> parse(std::string_view text, const std::string &name);
  static Result<Database> read(const std::filesystem::path &path);

  // What ships with tconv.
  static const Database &shipped();

  const std::string &name() const { return name_; }
  const std::vector<DatabaseRecord> &records() const { return records_; }

 private:
  std::string name_;
  std::vector<DatabaseRecord> records_;
};

// Writes the record into the file in place of one with the same key, target and processor, or as a new line; every
// other line stays. Atomic, and safe beside other processes that do the same; makes the file where there is none.
Status write_record(const std::filesystem::path &path, const DatabaseRecord &record);

// Where a schedule is looked for, in this order.
struct ScheduleSources {
  std::string text;      // given by the user
  std::string database;  // a file of the user's; empty: none
  bool shipped = true;
};

// The schedule of a plan on targets, with `reason` and `source` saying where it comes from: the text; the record of the
// same key; the record of the same family (all but sizes and activation) with the nearest sizes, where the cost model
// has nothing against it; the rules. Records of processors with another Core are passed over.
Result<Schedule> find_schedule(const Plan &plan, const std::vector<Halide::Target> &targets,
                               const ScheduleSources &sources);

// The database's parameters for other plans of the same family, nearest first, legal ones only.
std::vector<Parameters> neighbours(const Database &database, const Plan &plan, const Halide::Target &target,
                                   double most_distance);

// This processor's name.
std::string host_processor();

}  // namespace tconv

#endif
