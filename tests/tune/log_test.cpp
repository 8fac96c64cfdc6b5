// The log: nothing that was written is lost, and what was cut short is no record.
#include "tune/log.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tconv::test {
namespace {

class TuneLog : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }

  std::string text() const {
    std::stringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }

  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("tconv-log-" + std::to_string(getpid()) + ".log");
};

LogRecord sample() {
  LogRecord r;
  r.layer = "conv \"2d\" \xC3\xA9";
  r.target = "x86";
  r.processor = "amd-1-1";
  r.threads = 2;
  r.flop = 8;
  r.bytes = 16;
  r.strategy = "model";
  r.schedule = "direct panel=1";
  r.outcome = "measured";
  r.minimum_ms = 0.125;
  r.median_ms = 0.25;
  r.runs = 7;
  r.largest_error = 1e-6;
  r.code_bytes = 1234;
  r.peak_gflops = 100;
  r.bandwidth_gbs = 20;
  r.against_best = 1.5;
  r.becomes_best = true;
  r.model_ms = 0.5;
  r.seconds = 1.25;
  r.time = "2026-01-01T00:00:00Z";
  return r;
}

TEST_F(TuneLog, RecordsAreReadAsTheyWereWritten) {
  ASSERT_TRUE(append_record(path_, sample()).ok());
  LogRecord failed = sample();
  failed.outcome = "crashed";
  failed.message = "signal 11";
  ASSERT_TRUE(append_record(path_, failed).ok());
  const std::vector<LogRecord> read = read_log(path_).value();
  ASSERT_EQ(read.size(), 2u);
  const LogRecord wanted = sample();
  EXPECT_EQ(read[0].layer, wanted.layer);
  EXPECT_EQ(read[0].threads, 2);
  EXPECT_EQ(read[0].schedule, wanted.schedule);
  EXPECT_EQ(read[0].minimum_ms, wanted.minimum_ms);
  EXPECT_EQ(read[0].median_ms, wanted.median_ms);
  EXPECT_EQ(read[0].bandwidth_gbs, wanted.bandwidth_gbs);
  EXPECT_EQ(read[0].code_bytes, wanted.code_bytes);
  EXPECT_EQ(read[0].against_best, wanted.against_best);
  EXPECT_TRUE(read[0].becomes_best);
  EXPECT_EQ(read[0].model_ms, wanted.model_ms);
  EXPECT_EQ(read[0].seconds, wanted.seconds);
  EXPECT_FALSE(read[1].measured());
  EXPECT_EQ(read[1].message, "signal 11");
}

TEST_F(TuneLog, ALineThatWasCutShortIsNoneAndIsRemoved) {
  ASSERT_TRUE(append_record(path_, sample()).ok());
  const std::string whole = text();
  std::ofstream(path_, std::ios::app) << whole.substr(0, whole.size() / 2);
  EXPECT_EQ(read_log(path_).value().size(), 1u);
  ASSERT_TRUE(append_record(path_, sample()).ok());
  EXPECT_EQ(text(), whole + whole);
}

TEST_F(TuneLog, OtherLinesAreErrorsWithTheirPlace) {
  ASSERT_TRUE(append_record(path_, sample()).ok());
  std::ofstream(path_, std::ios::app) << "{\"layer\": 3}\n";
  EXPECT_THAT(read_log(path_).status().message(), testing::HasSubstr(path_.string() + ":2: "));
}

TEST_F(TuneLog, AFileThatIsNotThereHasNoRecords) {
  EXPECT_TRUE(read_log(path_).value().empty());
  EXPECT_FALSE(append_record("/nonexistent/tune.log", sample()).ok());
}

}  // namespace
}  // namespace tconv::test
