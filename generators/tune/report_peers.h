// What `./bootstrap bench` measured of other libraries (results.json), for the searches of the same layers. A row
// belongs to a search with its sizes, layout and threads; the processor may be another, and the page names it.
#ifndef TCONV_GENERATORS_REPORT_PEERS_H
#define TCONV_GENERATORS_REPORT_PEERS_H

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tconv/status.h"
#include "tune/report_log.h"

namespace tconv {

struct PeersFile {
  std::string path;
  nlohmann::ordered_json results;
};

// Refuses a file that is no results.json, naming the first field that it lacks.
Result<PeersFile> read_peers(const std::string &path);

// Every row of the file that is the search's layer: who measured it, and each library's times or why it has none.
std::vector<nlohmann::ordered_json> peers_of(const PeersFile &file, const Search &search);

}  // namespace tconv

#endif
