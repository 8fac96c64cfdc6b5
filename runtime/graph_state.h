// What Graph and VariableScope are handles of. Private to runtime/.
#ifndef TCONV_RUNTIME_GRAPH_STATE_H
#define TCONV_RUNTIME_GRAPH_STATE_H

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pack_cache.h"
#include "tconv/graph.h"
#include "variable_state.h"

namespace tconv::detail {

// The first of base, base_1, base_2 ... that was not given out.
class UniqueNames {
 public:
  std::string next(const std::string &base);

 private:
  std::map<std::string, std::uint64_t, std::less<>> given_;
};

// The first of them that is not taken.
template <typename Taken>
std::string first_free(const std::string &base, Taken taken) {
  std::string name = base;
  for (int i = 1; taken(name); ++i) name = base + "_" + std::to_string(i);
  return name;
}

struct GraphState {
  mutable std::mutex mutex;
  UniqueNames layer_names;
  std::set<std::string, std::less<>> layer_scopes;
  std::vector<Variable> variables, trainable_variables;
  std::map<std::string, Variable, std::less<>> by_path;  // what functional forms find
  std::vector<float> activity_losses;
  // Of the functional forms, by the layer's scope and geometry.
  std::map<std::string, std::shared_ptr<PackCache>, std::less<>> packed;

  // A layer's default name, and the scope of a layer of that name.
  std::string name_layer(const std::string &base);
  std::string scope_layer(const std::string &name);
  bool is_layer_scope(const std::string &path) const;
  // All of them, or none where a path is taken.
  Status add(std::span<const Variable> made, bool trainable);
};

struct ScopeState {
  // Constant after construction.
  Graph graph;
  Status error;
  std::string name;
  Reuse reuse = Reuse::no;

  std::mutex mutex;
  std::set<std::string, std::less<>> opened;  // names within this scope, of layers and of scopes

  std::string path(const std::string &name) const;
  // No layer gets the name of a scope within this one by default.
  void open(const std::string &inner);
  // A layer's name: the given one, or a default that has not been opened. With a reuse of its own, the base.
  std::string name_layer(const std::string &given, const std::string &base, Reuse reuse);
};

// The variables of these requests under `path`, made or found as `reuse` says: all or none.
Result<std::vector<Variable>> get_variables(GraphState &graph, const std::string &path, Reuse reuse, bool trainable,
                                            std::span<const VariableRequest> requests);

// A default name of a layer without a graph, unique in the process: keras' own counter, which only names depend on.
std::string name_layer(const std::string &base);

}  // namespace tconv::detail

#endif
