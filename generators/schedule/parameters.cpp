#include "schedule/parameters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/rules.h"

namespace tconv {

namespace {

const std::vector<std::string> methods = {"direct", "pixel_shuffle", "phase_rows", "depthwise", "lane_sums",
                                          "planes", "winograd",      "strassen",   "bf16x3"};
const std::vector<std::string> autoschedulers = {"adams2019", "li2018", "mullapudi2016"};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

template <typename Integer>
bool read_number(std::string_view text, Integer &value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

template <typename Integer>
bool read_numbers(std::string_view text, char separator, std::vector<Integer> &values) {
  for (const std::string_view part : split(text, separator))
    if (!read_number(part, values.emplace_back())) return false;
  return !values.empty();
}

template <typename Integer>
bool read_extents(std::string_view text, Integer *values) {
  std::vector<Integer> numbers;
  if (!read_numbers(text, 'x', numbers) || numbers.size() != TCONV_MAX_RANK) return false;
  std::copy(numbers.begin(), numbers.end(), values);
  return true;
}

// The one place that knows the fields' names. False where the value is not one.
Result<bool> read_field(std::string_view name, std::string_view value, Parameters &p) {
  if (name == "panel") return read_number(value, p.tiling.panel);
  if (name == "merge") return read_number(value, p.tiling.merge_phases);
  if (name == "dense") return read_number(value, p.tiling.dense_phases);
  if (name == "block") return read_number(value, p.tiling.block_bytes);
  if (name == "grain") return read_number(value, p.tiling.thread_work);
  if (name == "outputs") return read_extents(value, p.tiling.tile_outputs[0]);
  if (name == "own") return read_extents(value, p.tiling.tile_outputs[1]);
  if (name == "columns") return read_number(value, p.target.columns);
  if (name == "lanes") return read_number(value, p.target.lanes);
  if (name == "tile") return read_extents(value, p.target.tile);
  if (name == "unroll") return read_number(value, p.target.unroll_depth);
  if (name == "rows") return read_numbers(value, ',', p.target.rows);
  if (name == "read") return read_number(value, p.target.read_block);
  if (name == "prefetch") return read_number(value, p.target.prefetch);
  if (name == "fetch") return read_number(value, p.target.fetch);
  if (name == "square") return read_number(value, p.target.transpose_block);
  if (name == "autoscheduler") {
    p.autoscheduler = value;
    return std::find(autoschedulers.begin(), autoschedulers.end(), value) != autoschedulers.end();
  }
  if (name == "transpose") {
    p.tiling.transpose_input = 1;
    p.tiling.transpose_output = value == "both" ? 1 : 0;
    return value == "both" || value == "input";
  }
  return invalid_argument(fmt::format("a schedule has no field '{}'", name));
}

std::int32_t usual_merge(const std::string &method) {
  if (method == "phase_rows") return 2;
  if (method == "planes") return 3;
  const bool apart = method == "winograd" || method == "strassen" || method == "bf16x3" || method == "depthwise";
  return apart ? 0 : 1;
}

std::int32_t usual_dense(const std::string &method) { return method == "phase_rows" || method == "planes" ? 1 : 0; }

template <typename Integer>
std::string extents(const Integer *values) {
  return fmt::format("{}x{}x{}", values[0], values[1], values[2]);
}

template <typename Value>
void add(std::string &text, const char *name, const Value &value, const Value &usual) {
  if (value != usual) text += fmt::format(" {}={}", name, value);
}

Status illegal(const std::string &why) { return invalid_argument("schedule: " + why); }

bool power_of_two(std::int64_t n) { return n > 0 && (n & (n - 1)) == 0; }

// A way to merge phases that is one method's, and needs dense columns.
Status check_merge(const Parameters &p, const char *method, bool merges) {
  if (merges == (p.method == method) && (!merges || p.tiling.dense_phases)) return {};
  return illegal(
      fmt::format("method {} with merge={} dense={}", p.method, p.tiling.merge_phases, p.tiling.dense_phases));
}

Status check_numbers(const Parameters &p) {
  if (p.tiling.panel < 1 || p.tiling.panel > TCONV_MAX_PANEL)
    return illegal(fmt::format("panel={}: 1 to {} is legal", p.tiling.panel, static_cast<int>(TCONV_MAX_PANEL)));
  if (!power_of_two(p.target.lanes) || p.target.lanes > 64)
    return illegal(fmt::format("lanes={}: a power of two up to 64 is legal", p.target.lanes));
  if (!p.tiling.lane_sums && (p.target.columns < 1 || p.tiling.panel % p.target.columns != 0))
    return illegal(fmt::format("columns={} do not divide panel={}", p.target.columns, p.tiling.panel));
  constexpr std::int64_t least_block = 1024, most_block = std::int64_t{1} << 30;
  if (p.tiling.block_bytes < least_block || p.tiling.block_bytes > most_block)
    return illegal(fmt::format("block={}: {} to {} bytes are legal", p.tiling.block_bytes, least_block, most_block));
  if (p.target.unroll_depth < 1 || p.target.unroll_depth > 16)
    return illegal(fmt::format("unroll={}: 1 to 16 is legal", p.target.unroll_depth));
  constexpr int most_prefetch = 1 << 20;
  if (p.target.prefetch > most_prefetch)
    return illegal(fmt::format("prefetch={}: up to {} bytes are legal", p.target.prefetch, most_prefetch));
  constexpr int most_fetch = 16;
  const int fetch = p.method == "winograd" || p.method == "strassen" ? most_fetch : 0;
  if (p.target.fetch > fetch)
    return illegal(fmt::format("fetch={}: up to {} cache lines are legal with {}", p.target.fetch, fetch, p.method));
  if (p.tiling.merge_phases > 3 || p.tiling.dense_phases > 1)
    return illegal(
        fmt::format("merge={} dense={}: 0 to 3 and 0 or 1 are legal", p.tiling.merge_phases, p.tiling.dense_phases));
  return check_merge(p, "planes", tconv_unites_phases(&p.tiling) != 0);
}

// Vectors of sums in a register tile.
std::int64_t sums(const Plan &plan, const Parameters &p, bool by_columns) {
  std::int64_t positions = 1, columns = p.target.columns;
  for (const int extent : p.target.tile) positions *= extent;
  if (p.tiling.dense_phases && !tconv_is_row_of_phases(&p.tiling) && !tconv_unites_phases(&p.tiling))
    columns = by_columns ? p.tiling.panel : most_phases(plan, p.tiling) * tconv_group_outputs(&plan.layer);
  return by_columns ? columns / p.target.lanes * positions : columns * positions / p.target.lanes;
}

Status check_sums(const Plan &plan, const Parameters &p, bool by_columns, const RegisterFile &registers) {
  const std::int64_t vectors = sums(plan, p, by_columns);
  if (vectors <= registers.count) return {};
  return illegal(fmt::format("{} vectors of sums do not fit {} registers", vectors, registers.count));
}

Status check_tile(const Plan &plan, const Parameters &p) {
  for (const int extent : p.target.tile)
    if (extent < 1) return illegal("tile: every extent is 1 or more");
  for (int d = 0; d < TCONV_MAX_RANK - plan.layer.rank; ++d)
    if (p.target.tile[d] != 1)
      return illegal(fmt::format("tile={}: the rank is {}", extents(p.target.tile), plan.layer.rank));
  return {};
}

Status check_direct(const Plan &plan, const Parameters &p, const RegisterFile &registers, int widest) {
  const bool by_columns = tconv_reads_channels_last(&p.tiling, &plan.layer) && p.target.read_block == 0;
  const bool layer_last = plan.layer.channels_last != 0;
  if (p.tiling.transpose_output != (p.tiling.transpose_input && !layer_last ? 1 : 0))
    return illegal(fmt::format("channels {} are transposed as transpose={}", layer_last ? "last" : "first",
                               layer_last ? "input" : "both"));
  const std::int64_t outputs = tconv_group_outputs(&plan.layer), phases = most_phases(plan, p.tiling);
  const bool rows = tconv_is_row_of_phases(&p.tiling) != 0;
  const Status merge = check_merge(p, "phase_rows", rows);
  if (!merge.ok()) return merge;
  if (rows &&
      (phases == 1 || !by_columns || !tconv_writes_channels_last(&p.tiling, &plan.layer) || plan.layer.groups != 1))
    return illegal(
        fmt::format("phase_rows needs outputs with channels last, one group and phases of a row that share "
                    "a window: channels {}, {} groups, {} such phases",
                    layer_last ? "last" : "first", plan.layer.groups, phases));
  if (p.tiling.dense_phases && !rows && (phases == 1 || phases * outputs > p.tiling.panel))
    return illegal(fmt::format("dense=1 needs phases that share a window and fit a panel: {} x {} outputs, panel={}",
                               phases, outputs, p.tiling.panel));
  if ((p.method == "depthwise") != (depthwise_panel(plan.layer, TCONV_MAX_PANEL / 2) > 0))
    return illegal(
        fmt::format("method {} does not serve {} groups of {} outputs", p.method, plan.layer.groups, outputs));
  if (p.method == "depthwise" && (plan.layer.groups % p.tiling.panel != 0 || p.tiling.merge_phases))
    return illegal(fmt::format("panel={} does not divide {} groups", p.tiling.panel, plan.layer.groups));
  const Status tile = check_tile(plan, p);
  if (!tile.ok()) return tile;
  if ((by_columns ? p.target.columns : p.target.tile[2]) % p.target.lanes != 0)
    return illegal(fmt::format("lanes={} do not divide {}={}", p.target.lanes,
                               by_columns ? "columns" : "tile's last extent",
                               by_columns ? p.target.columns : p.target.tile[2]));
  if (p.target.read_block > 0) {
    Columns read;
    read.tiling = p.tiling;
    read.method = p.method;
    if (p.tiling.transpose_input || !layer_last || !can_read_transposed(plan, read, widest) ||
        p.target.read_block < least_transpose_block || p.target.read_block > p.target.lanes ||
        p.target.lanes % p.target.read_block != 0 || plan.layer.in_channels % p.target.read_block != 0)
      return illegal(
          fmt::format("read={} does not serve this layer with lanes={}", p.target.read_block, p.target.lanes));
  }
  return check_sums(plan, p, by_columns, registers);
}

// Of methods whose layout leaves only one transposition.
Status check_transposition(const Plan &plan, const Parameters &p, bool input, bool output) {
  if ((p.tiling.transpose_input != 0) == input && (p.tiling.transpose_output != 0) == output) return {};
  return illegal(fmt::format("{} takes channels {} with {}", p.method, plan.layer.channels_last ? "last" : "first",
                             output  ? "transpose=both"
                             : input ? "transpose=input"
                                     : "no transpose"));
}

// The register tile follows from the longest run of positions, tile[2].
Status check_lane_sums(const Plan &plan, const Parameters &p, const RegisterFile &registers) {
  constexpr int most_positions = 24;
  if (!lane_sums_serve(plan))
    return illegal(fmt::format("lane_sums does not serve {} output channels of {} groups", plan.layer.out_channels,
                               plan.layer.groups));
  const tconv_tiling own = lane_columns(plan).tiling;
  const Status layout = check_transposition(plan, p, own.transpose_input != 0, own.transpose_output != 0);
  if (!layout.ok()) return layout;
  if (p.tiling.panel != plan.layer.out_channels)
    return illegal(fmt::format("panel={}: the output channels are {}", p.tiling.panel, plan.layer.out_channels));
  if (p.target.lanes != registers.lanes)
    return illegal(fmt::format("lanes={}: the target's vectors have {}", p.target.lanes, registers.lanes));
  if (p.target.tile[0] != 1 || p.target.tile[1] != 1 || p.target.tile[2] < 1 || p.target.tile[2] > most_positions)
    return illegal(fmt::format("tile={}: 1x1x1 to 1x1x{} are legal", extents(p.target.tile), most_positions));
  return {};
}

Status check_planes(const Plan &plan, const Parameters &p, const RegisterFile &registers) {
  const std::string refusal = refuse_planes(plan);
  if (!refusal.empty()) return illegal("planes do not serve " + refusal);
  const Status layout = check_transposition(plan, p, false, false);
  if (!layout.ok()) return layout;
  const std::int64_t phases = all_phases(plan);
  if (p.tiling.panel % phases != 0 || p.target.columns % phases != 0)
    return illegal(fmt::format("panel={} columns={}: planes take whole filters of {} phases", p.tiling.panel,
                               p.target.columns, phases));
  if (p.target.lanes > registers.lanes || p.target.tile[2] % p.target.lanes != 0)
    return illegal(fmt::format("lanes={}: of up to {}, that divide tile's last extent, {}", p.target.lanes,
                               registers.lanes, p.target.tile[2]));
  const Status tile = check_tile(plan, p);
  if (!tile.ok()) return tile;
  return check_sums(plan, p, false, registers);
}

Status check_rows(const Parameters &p, const RegisterFile &registers) {
  if (p.target.columns % p.target.lanes != 0)
    return illegal(fmt::format("lanes={} do not divide columns={}", p.target.lanes, p.target.columns));
  if (p.target.rows.empty()) return illegal(p.method + " needs rows");
  for (const int rows : p.target.rows)
    if (rows < 1 || rows * (p.target.columns / p.target.lanes) > registers.count)
      return illegal(fmt::format("rows={} x {} vectors do not fit {} registers", rows,
                                 p.target.columns / p.target.lanes, registers.count));
  return {};
}

Status check_winograd(const Plan &plan, const Parameters &p, const RegisterFile &registers) {
  if (plan.use_winograd == UseWinograd::never) return illegal("winograd, and exact sums are asked for");
  const std::string refusal = refuse_winograd(plan);
  if (!refusal.empty()) return illegal("not winograd: " + refusal);
  const bool merged = p.tiling.merge_phases != 0;
  if (p.tiling.merge_phases > 1 || merged != (p.tiling.dense_phases != 0))
    return illegal(
        fmt::format("winograd with merge={} dense={}: both 0 or both 1", p.tiling.merge_phases, p.tiling.dense_phases));
  if (merged && !can_merge_columns(plan, p.tiling))
    return illegal(
        fmt::format("winograd with merge=1 needs several phases with shared tiles and one group: own={}, {} "
                    "groups",
                    extents(p.tiling.tile_outputs[1]), plan.layer.groups));
  const Status layout = check_transposition(plan, p, transposes_input(plan), transposes_output(plan, p.tiling));
  if (!layout.ok()) return layout;
  if (!has_winograd_tiles(plan, p.tiling))
    return illegal(fmt::format("outputs={} own={} are no tiles for this layer, too many points or too inexact",
                               extents(p.tiling.tile_outputs[0]), extents(p.tiling.tile_outputs[1])));
  return check_rows(p, registers);
}

Status check_strassen(const Plan &plan, const Parameters &p, const RegisterFile &registers) {
  const std::string refusal = refuse_strassen(plan);
  if (!refusal.empty()) return illegal("not strassen: " + refusal);
  if (p.tiling.merge_phases || p.tiling.dense_phases)
    return illegal(
        fmt::format("strassen with merge={} dense={}: both 0", p.tiling.merge_phases, p.tiling.dense_phases));
  const Status layout = check_transposition(plan, p, transposes_input(plan), transposes_output(plan, p.tiling));
  if (!layout.ok()) return layout;
  const std::vector<tconv_tiling> all = strassen_tilings(plan);
  const bool known = std::any_of(all.begin(), all.end(), [&](const tconv_tiling &one) {
    return std::equal(&one.tile_outputs[0][0], &one.tile_outputs[0][0] + 2 * TCONV_MAX_RANK,
                      &p.tiling.tile_outputs[0][0]);
  });
  if (!known)
    return illegal(fmt::format("outputs={} own={}: 2 in one or two dimensions of even stride, else 1, and own=0x0x0",
                               extents(p.tiling.tile_outputs[0]), extents(p.tiling.tile_outputs[1])));
  return check_rows(p, registers);
}

// All but the blocks follows from the layer.
Status check_bf16x3(const Plan &plan, const Parameters &p, const Halide::Target &target) {
  const std::string refusal = refuse_bf16x3(plan, {target});
  if (!refusal.empty()) return illegal("not bf16x3: " + refusal);
  Parameters own = parameters_of(bf16x3_schedule(plan, {target}), 0);
  own.tiling.block_bytes = p.tiling.block_bytes;
  own.tiling.thread_work = p.tiling.thread_work;
  if (to_text(own) == to_text(p)) return {};
  return illegal(fmt::format("bf16x3 serves this layer as '{}' alone, but for block and grain", to_text(own)));
}

}  // namespace

std::string to_text(const Parameters &p) {
  const TargetSchedule plain;
  const std::int32_t none[TCONV_MAX_RANK] = {};
  std::string text = p.method;
  add(text, "autoscheduler", p.autoscheduler, std::string());
  text += fmt::format(" panel={} columns={} lanes={}", p.tiling.panel, p.target.columns, p.target.lanes);
  add(text, "tile", extents(p.target.tile), extents(plain.tile));
  add(text, "unroll", p.target.unroll_depth, plain.unroll_depth);
  if (!p.target.rows.empty()) text += fmt::format(" rows={}", fmt::join(p.target.rows, ","));
  add(text, "outputs", extents(p.tiling.tile_outputs[0]), extents(none));
  add(text, "own", extents(p.tiling.tile_outputs[1]), extents(none));
  add(text, "merge", p.tiling.merge_phases, usual_merge(p.method));
  add(text, "dense", p.tiling.dense_phases, usual_dense(p.method));
  if (p.tiling.transpose_input) text += p.tiling.transpose_output ? " transpose=both" : " transpose=input";
  if (p.tiling.transpose_input) add(text, "square", p.target.transpose_block, plain.transpose_block);
  add(text, "read", p.target.read_block, 0);
  add(text, "prefetch", p.target.prefetch, 0);
  add(text, "fetch", p.target.fetch, 0);
  text += fmt::format(" block={}", p.tiling.block_bytes);
  add(text, "grain", p.tiling.thread_work, thread_work);
  return text;
}

Result<Parameters> parse_parameters(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ' ');
  Parameters p;
  if (words.empty()) return illegal("it is empty");
  p.method = words[0];
  if (std::find(methods.begin(), methods.end(), p.method) == methods.end())
    return illegal(fmt::format("unknown method '{}', there are {}", words[0].substr(0, 40), fmt::join(methods, ", ")));
  p.tiling.merge_phases = usual_merge(p.method);
  p.tiling.dense_phases = usual_dense(p.method);
  p.tiling.group_columns = p.method == "depthwise" ? 1 : 0;
  p.tiling.lane_sums = p.method == "lane_sums" ? 1 : 0;
  p.tiling.bf16x3 = p.method == "bf16x3" ? 1 : 0;
  p.tiling.strassen = p.method == "strassen" ? 1 : 0;
  p.tiling.thread_work = thread_work;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = std::min(words[i].find('='), words[i].size());
    const std::string_view name = words[i].substr(0, equals);
    for (std::size_t j = 1; j < i; ++j)
      if (words[j].substr(0, words[j].find('=')) == name) return illegal(fmt::format("'{}' is given twice", name));
    const Result<bool> read = read_field(name, words[i].substr(std::min(equals + 1, words[i].size())), p);
    if (!read.ok()) return read.status();
    if (!read.value()) return illegal(fmt::format("'{}' is no value of {}", words[i].substr(0, 60), name));
  }
  return p;
}

Status check_parameters(const Plan &plan, const Halide::Target &target, const Parameters &p) {
  const RegisterFile registers = register_file(target);
  if (target.has_feature(Halide::Target::CUDA)) return illegal("CUDA kernels have the rules' schedule");
  if (plan.general) return illegal("any-size kernels have the rules' schedule");
  const Status status = check_numbers(p);
  if (!status.ok()) return status;
  if (p.method == "winograd") return check_winograd(plan, p, registers);
  if (p.method == "strassen") return check_strassen(plan, p, registers);
  if (p.method == "bf16x3") return check_bf16x3(plan, p, target);
  if (p.method == "planes") return check_planes(plan, p, registers);
  if (p.method == "lane_sums") return check_lane_sums(plan, p, registers);
  return check_direct(plan, p, registers, registers.lanes);
}

Parameters parameters_of(const Schedule &schedule, std::size_t index) {
  return {schedule.method, schedule.autoscheduler, schedule.tiling, schedule.targets[index]};
}

Schedule schedule_of(const Plan &plan, const std::vector<Halide::Target> &targets, const Parameters &parameters) {
  Schedule schedule;
  schedule.method = parameters.method;
  schedule.autoscheduler = parameters.autoscheduler;
  schedule.tiling = parameters.tiling;
  const bool winograd = tconv_is_winograd(&schedule.tiling) != 0;
  if (!winograd) schedule.variants = find_variants(plan, schedule.tiling);
  schedule.targets.push_back(parameters.target);
  for (std::size_t i = 1; i < targets.size(); ++i) {
    const RegisterFile registers = register_file(targets[i]);
    schedule.targets.push_back(
        schedule.tiling.bf16x3 ? parameters.target
        : winograd             ? schedule_winograd_target(plan, schedule.tiling, registers)
                               : schedule_target(plan, schedule.tiling, parameters.target.read_block > 0, registers));
  }
  return schedule;
}

double expected_cycles(const Plan &plan, const Halide::Target &target, const Parameters &parameters) {
  const RegisterFile registers = register_file(target);
  if (parameters.tiling.bf16x3) return bf16x3_cycles(plan, schedule_of(plan, {target}, parameters));
  if (tconv_is_winograd(&parameters.tiling))
    return winograd_cycles(plan, schedule_of(plan, {target}, parameters), registers);
  return direct_cycles(plan, parameters.tiling, parameters.target, registers);
}

}  // namespace tconv
