#include "tune/report.h"

#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "emit/staging.h"
#include "tune/report_log.h"
#include "tune/report_page.h"
#include "tune/report_peers.h"
#include "version.h"

namespace tconv {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::string_view data_mark = "{{data}}";

std::string plural(std::size_t count, const std::string &one, const std::string &many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

Json names_of(const std::vector<std::string> &paths) {
  Json names = Json::array();
  for (const std::string &path : paths) names.push_back(fs::path(path).filename().string());
  return names;
}

Json search_json(const Search &search, const std::vector<PeersFile> &files) {
  Json json = {{"layer", search.layer},     {"target", search.target},         {"processor", search.processor},
               {"threads", search.threads}, {"candidates", search.candidates}, {"peers", Json::array()}};
  for (const PeersFile &file : files)
    for (Json &peers : peers_of(file, search)) json["peers"].push_back(std::move(peers));
  return json;
}

// Inside <script>, where an HTML parser looks for `</` and `<!--`: JSON has `<` in strings only, and may spell it so.
std::string script_text(const Json &data) {
  std::string text;
  // A file's name need not be UTF-8.
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  }
  return text;
}

Result<std::string> page(const Json &data) {
  const std::string_view text(tconv_report_page, static_cast<std::size_t>(tconv_report_page_end - tconv_report_page));
  const std::size_t at = text.find(data_mark);
  if (at == std::string_view::npos)
    return Status(StatusCode::internal, fmt::format("the page's template has no {}", data_mark));
  std::string filled(text.substr(0, at));
  filled += script_text(data);
  return filled.append(text.substr(at + data_mark.size()));
}

Status write_beside(const fs::path &output, const std::string &text) {
  const fs::path directory = output.has_parent_path() ? output.parent_path() : fs::path(".");
  std::error_code error;
  // Staging would make it, and hide a slip of the pen.
  if (!fs::is_directory(directory, error))
    return {StatusCode::not_found,
            fmt::format("cannot write '{}': there is no directory '{}'", output.string(), directory.string())};
  if (!output.has_filename()) return invalid_argument(fmt::format("'{}' names no file", output.string()));
  const Result<Staging> staging = Staging::beside(directory);
  if (!staging.ok()) return staging.status();
  if (Status status = staging.value().write(output.filename(), text); !status.ok()) return status;
  return staging.value().move_to(directory, {output.filename()}).status();
}

}  // namespace

Status report(const ReportOptions &options) {
  const Result<std::vector<Search>> searches = read_logs(options.logs);
  if (!searches.ok()) return searches.status();
  std::vector<PeersFile> files;
  for (const std::string &path : options.peers) {
    Result<PeersFile> file = read_peers(path);
    if (!file.ok()) return file.status();
    files.push_back(std::move(file.value()));
  }
  Json data = {{"version", version},
               {"logs", names_of(options.logs)},
               {"peers", names_of(options.peers)},
               {"searches", Json::array()}};
  std::size_t candidates = 0, compared = 0;
  for (const Search &search : searches.value()) {
    data["searches"].push_back(search_json(search, files));
    candidates += search.candidates.size();
    compared += data["searches"].back()["peers"].empty() ? 0 : 1;
  }
  const Result<std::string> text = page(data);
  if (!text.ok()) return text.status();
  if (Status status = write_beside(options.output, text.value()); !status.ok()) return status;
  fmt::print("{}: {}, {}", options.output, plural(searches.value().size(), "search", "searches"),
             plural(candidates, "candidate", "candidates"));
  if (!files.empty()) fmt::print("; other libraries' figures for {} of the searches", compared);
  fmt::print("\n");
  return {};
}

}  // namespace tconv
