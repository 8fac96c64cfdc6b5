// The database: errors name file and line, writers lose nothing of each other's, and lookups say where they found it.
#include "schedule/database.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tune/plans.h"

namespace tconv::test {
namespace {

using testing::HasSubstr;

const Halide::Target avx2("x86-64-linux-avx2-fma-f16c"), sse("x86-64-linux-sse41");
constexpr const char *parameters = "direct panel=16 columns=16 lanes=8 tile=1x1x6 block=65536";

class Directory {
 public:
  Directory() : path_(std::filesystem::temp_directory_path() / ("tconv-database-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory &) = delete;
  Directory &operator=(const Directory &) = delete;
  std::filesystem::path file(const char *name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

DatabaseRecord record_for(const Plan &plan, const std::string &text, const std::string &processor = "amd-1-1") {
  return {key(plan), avx2.to_string(), processor, text, "1.00 ms"};
}

Database database_of(const std::vector<DatabaseRecord> &records) {
  std::string text;
  for (const DatabaseRecord &record : records) text += to_line(record) + "\n";
  return Database::parse(text, "mine").value();
}

std::string parse_error(const std::string &text) { return Database::parse(text, "mine.txt").status().message(); }

TEST(Database, ALineIsReadAsItIsWritten) {
  const DatabaseRecord record = record_for(some_plans()[0], parameters);
  const Database read = Database::parse("# a comment\n\n" + to_line(record) + "\n", "mine").value();
  ASSERT_EQ(read.records().size(), 1u);
  const DatabaseRecord &got = read.records()[0];
  EXPECT_EQ(got.key, record.key);
  EXPECT_EQ(got.target, record.target);
  EXPECT_EQ(got.processor, record.processor);
  EXPECT_EQ(got.parameters, record.parameters);
  EXPECT_EQ(got.figures, record.figures);
}

TEST(Database, BadLinesAreNamed) {
  const std::string good = to_line(record_for(some_plans()[0], parameters)) + "\n";
  EXPECT_THAT(parse_error(good + "nonsense\n"), HasSubstr("mine.txt:2: "));
  EXPECT_THAT(parse_error("#\n\nk | t : direct panel=1\n"), HasSubstr("mine.txt:3: KEY | TARGET | PROCESSOR"));
  EXPECT_THAT(parse_error("k | t | p | q : direct panel=1\n"), HasSubstr("mine.txt:1: KEY | TARGET | PROCESSOR"));
  EXPECT_THAT(parse_error("k |  | p : direct panel=1\n"), HasSubstr("mine.txt:1: KEY, TARGET or PROCESSOR is empty"));
  EXPECT_THAT(parse_error("k | t | p : direct panel=no # 1 ms\n"), HasSubstr("mine.txt:1: schedule: 'panel=no'"));
  EXPECT_THAT(parse_error(good + good), HasSubstr("mine.txt:2: a second record"));
}

TEST(Database, WhatShipsIsLegal) {
  for (const DatabaseRecord &record : Database::shipped().records()) {
    EXPECT_FALSE(record.figures.empty()) << to_line(record);
    EXPECT_TRUE(parse_parameters(record.parameters).ok()) << to_line(record);
  }
}

TEST(Database, AWriterKeepsAllOtherLinesSorted) {
  const Directory directory;
  const std::filesystem::path path = directory.file("schedules.txt");
  std::ofstream(path) << "# kept\n";
  const std::vector<Plan> plans = some_plans();
  for (std::size_t i = plans.size(); i-- > 0;) ASSERT_TRUE(write_record(path, record_for(plans[i], parameters)).ok());
  const std::string changed = "direct panel=8 columns=8 lanes=8 tile=1x1x6 block=65536";
  ASSERT_TRUE(write_record(path, record_for(plans[3], changed)).ok());
  ASSERT_TRUE(write_record(path, record_for(plans[3], parameters, "intel-6-1")).ok());
  const Database read = Database::read(path).value();
  ASSERT_EQ(read.records().size(), plans.size() + 1);
  int changes = 0;
  for (const DatabaseRecord &record : read.records()) changes += record.parameters == changed ? 1 : 0;
  EXPECT_EQ(changes, 1);
  std::ifstream file(path);
  std::string first, line, before;
  std::getline(file, first);
  EXPECT_EQ(first, "# kept");
  while (std::getline(file, line)) {
    EXPECT_LT(before, line);
    before = line;
  }
}

TEST(Database, ABadFileIsNotRewritten) {
  const Directory directory;
  const std::filesystem::path path = directory.file("schedules.txt");
  std::ofstream(path) << "nonsense\n";
  EXPECT_THAT(write_record(path, record_for(some_plans()[0], parameters)).message(), HasSubstr("schedules.txt:1: "));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "nonsense\n");
}

TEST(Database, WritersInSeveralProcessesLoseNothing) {
  const Directory directory;
  const std::filesystem::path path = directory.file("schedules.txt");
  constexpr int processes = 6, records = 25;
  for (int p = 0; p < processes; ++p)
    if (fork() == 0) {
      bool ok = true;
      for (int i = 0; i < records; ++i) {
        Plan plan = make_plan({2, true, 8 + i, 16, 16 + p, 1, 4, 2});
        ok = ok && write_record(path, record_for(plan, parameters)).ok();
      }
      _exit(ok ? 0 : 1);
    }
  for (int p = 0; p < processes; ++p) {
    int status = 0;
    ASSERT_GT(wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(Database::read(path).value().records().size(), static_cast<std::size_t>(processes * records));
}

// find_schedule() with a file of these records and nothing else.
Schedule find(Plan plan, const std::vector<DatabaseRecord> &records, const Halide::Target &target = avx2,
              const std::string &processor = "amd-1-1") {
  const Directory directory;
  const std::filesystem::path path = directory.file("schedules.txt");
  std::ofstream file(path);
  for (const DatabaseRecord &record : records) file << to_line(record) << "\n";
  file.close();
  ScheduleSources sources;
  sources.database = path.string();
  plan.processor = processor;
  sources.shipped = false;
  return find_schedule(plan, {target}, sources).value();
}

TEST(Database, ThisLayersRecordComesFirst) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2}), larger = make_plan({2, true, 17, 64, 64, 1, 4, 2});
  const std::string other = "direct panel=16 columns=16 lanes=8 tile=1x1x5 block=65536";
  const Schedule found = find(plan, {record_for(larger, other), record_for(plan, parameters)});
  EXPECT_EQ(to_text(parameters_of(found, 0)), parameters);
  EXPECT_THAT(found.source, HasSubstr("this layer's record"));
  EXPECT_THAT(found.reason, HasSubstr("1.00 ms"));
}

TEST(Database, AnotherActivationIsTheSameLayer) {
  Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  const DatabaseRecord record = record_for(plan, parameters);
  plan.layer.activation = 1;
  EXPECT_THAT(find(plan, {record}).source, HasSubstr("this layer's record"));
}

TEST(Database, ThisProcessorsRecordIsPreferred) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  const std::string other = "direct panel=16 columns=16 lanes=8 tile=1x1x5 block=65536";
  const std::vector<DatabaseRecord> records = {record_for(plan, other, "amd-9-9"), record_for(plan, parameters)};
  EXPECT_EQ(to_text(parameters_of(find(plan, records), 0)), parameters);
  EXPECT_EQ(to_text(parameters_of(find(plan, records, avx2, "amd-9-9"), 0)), other);
  EXPECT_THAT(find(plan, records, avx2, "amd-3-3").source, HasSubstr("this layer's record"));
}

TEST(Database, RecordsOfOtherCoresArePassedOver) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2}), near = make_plan({2, true, 20, 64, 64, 1, 4, 2});
  EXPECT_THAT(find(plan, {record_for(plan, parameters)}, avx2, "intel-6-1").source, HasSubstr("from the rules"));
  EXPECT_THAT(find(near, {record_for(plan, parameters)}, avx2, "intel-6-1").source, HasSubstr("from the rules"));
  EXPECT_THAT(find(plan, {record_for(plan, parameters, "intel-6-2")}, avx2, "intel-6-1").source,
              HasSubstr("this layer's record"));
  Plan elsewhere = near;
  elsewhere.processor = "intel-6-1";
  const Database database = database_of({record_for(plan, parameters)});
  EXPECT_TRUE(neighbours(database, elsewhere, avx2, 4).empty());
  EXPECT_EQ(neighbours(database, near, avx2, 4).size(), 1u);
}

TEST(Database, TheNearestOfTheFamilyComesNext) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  // The rules' own choice for the neighbour, so that the cost model has nothing against it.
  const Plan near = make_plan({2, true, 20, 64, 64, 1, 4, 2}), far = make_plan({2, true, 16, 64, 128, 1, 4, 2});
  const std::string chosen = to_text(parameters_of(choose_schedule(plan, {avx2}), 0));
  const Schedule found = find(plan, {record_for(far, parameters), record_for(near, chosen)});
  EXPECT_EQ(to_text(parameters_of(found, 0)), chosen);
  EXPECT_THAT(found.source, HasSubstr("nearest sizes of this family"));
  EXPECT_THAT(found.reason, HasSubstr(key(near)));
}

TEST(Database, OtherwiseTheRulesDecide) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  const std::string slow = "direct panel=8 columns=8 lanes=8 tile=1x1x1 block=65536";
  const std::vector<DatabaseRecord> no_help = {
      record_for(make_plan({2, true, 16, 64, 64, 1, 5, 2}), parameters),     // another family
      record_for(make_plan({2, false, 16, 64, 64, 1, 4, 2}), parameters),    // another layout
      record_for(make_plan({2, true, 128, 256, 64, 1, 4, 2}), parameters)};  // too far
  for (const DatabaseRecord &record : no_help) EXPECT_THAT(find(plan, {record}).source, HasSubstr("from the rules"));
  EXPECT_THAT(find(plan, {record_for(plan, parameters)}, sse).source, HasSubstr("from the rules"));
  EXPECT_THAT(find(make_plan({2, true, 17, 64, 64, 1, 4, 2}), {record_for(plan, slow)}).source,
              HasSubstr("from the rules"));
  Plan exact = plan;
  exact.use_winograd = UseWinograd::never;
  const std::string winograd = "winograd panel=16 columns=16 lanes=8 rows=6 outputs=1x3x3 block=65536";
  EXPECT_THAT(find(plan, {record_for(plan, winograd)}).source, HasSubstr("this layer's record"));
  EXPECT_THAT(find(exact, {record_for(plan, winograd)}).source, HasSubstr("from the rules"));
}

TEST(Database, AGivenScheduleIsTakenOrRefused) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  ScheduleSources sources;
  sources.text = parameters;
  EXPECT_EQ(to_text(parameters_of(find_schedule(plan, {avx2}, sources).value(), 0)), parameters);
  sources.text = "direct panel=16 columns=16 lanes=8 tile=1x1x9 block=65536";
  EXPECT_THAT(find_schedule(plan, {avx2}, sources).status().message(), HasSubstr("18 vectors of sums"));
  sources.text = "";
  sources.database = "/nonexistent/schedules.txt";
  EXPECT_THAT(find_schedule(plan, {avx2}, sources).status().message(), HasSubstr("/nonexistent/schedules.txt"));
}

TEST(Database, NeighboursAreLegalAndNearestFirst) {
  const Plan plan = make_plan({2, true, 16, 64, 64, 1, 4, 2});
  const std::string second = "direct panel=16 columns=16 lanes=8 tile=1x1x5 block=65536";
  const std::string illegal = "direct panel=16 columns=16 lanes=8 tile=1x1x16 block=65536";
  const Database database = database_of({record_for(make_plan({2, true, 24, 64, 64, 1, 4, 2}), second),
                                         record_for(make_plan({2, true, 16, 64, 64, 1, 4, 2}), illegal),
                                         record_for(make_plan({2, true, 18, 64, 64, 1, 4, 2}), parameters)});
  const std::vector<Parameters> found = neighbours(database, plan, avx2, 4);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_text(found[0]), parameters);
  EXPECT_EQ(to_text(found[1]), second);
}

}  // namespace
}  // namespace tconv::test
