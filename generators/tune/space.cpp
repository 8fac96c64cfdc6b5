#include "tune/space.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedule/rules.h"

namespace tconv {

namespace {

// Steps in which sizes are tried.
constexpr int unrolls[] = {1, 2, 4};
constexpr std::int64_t direct_blocks[] = {64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20};
constexpr std::int64_t winograd_blocks[] = {128 << 10, 256 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20};
constexpr std::int64_t grains[] = {1 << 18, 1 << 20, 1 << 22};
constexpr int heights[] = {1, 2, 3, 4, 6};
constexpr int most_wide = 24, most_columns_by_positions = 12, most_lane_positions = 12;

class Space {
 public:
  Space(const Plan &plan, const Halide::Target &target, int threads)
      : plan_(plan), target_(target), registers_(register_file(target)), threads_(threads) {}

  void add_direct() {
    for (const bool last : {true, false}) {
      Columns columns = choose_columns(plan_, last, registers_.lanes);
      add_family(columns, last);
      if (columns.method == "depthwise") return;
      if (most_phases(plan_, columns.tiling) == 1) continue;
      columns.tiling.dense_phases = 0;
      add_family(columns, last);
      columns.tiling.merge_phases = 0;
      columns.method = "direct";
      add_family(columns, last);
    }
    for (const Columns &row : row_columns(plan_, registers_.lanes)) add_family(row, true);
    Columns read = choose_columns(plan_, false, registers_.lanes);
    read.tiling.transpose_input = 0;
    if (!plan_.layer.channels_last || !can_read_transposed(plan_, read, registers_.lanes)) return;
    Parameters p;
    p.method = read.method;
    p.tiling = read.tiling;
    p.target = schedule_target(plan_, read.tiling, true, registers_);
    for (int channels = least_transpose_block; channels <= p.target.lanes; channels *= 2) {
      if (plan_.layer.in_channels % channels != 0) continue;
      p.target.read_block = channels;
      with_blocks(p, direct_blocks);
    }
  }

  void add_planes() {
    for (const Columns &panel : planes_columns(plan_)) {
      const Parameters own = {panel.method, "", panel.tiling, by_planes(plan_, panel.tiling, registers_)};
      const int phases = static_cast<int>(all_phases(plan_));
      for (int filters = 1; filters <= panel.tiling.panel / phases; ++filters) {
        Parameters p = own;
        p.target.columns = filters * phases;
        if (panel.tiling.panel % p.target.columns == 0) with_tiles(p, p.target.columns, p.target.lanes);
      }
    }
  }

  void add_lane_sums() {
    if (!lane_sums_serve(plan_)) return;
    const Columns columns = lane_columns(plan_);
    Parameters p;
    p.method = columns.method;
    p.tiling = columns.tiling;
    p.target = schedule_target(plan_, p.tiling, false, registers_);
    with_blocks(p, direct_blocks);
    for (int positions = 1; positions <= most_lane_positions; ++positions) {
      p.target.tile[2] = positions;
      with_blocks(p, direct_blocks);
    }
  }

  void add_winograd() {
    if (plan_.use_winograd == UseWinograd::never || !refuse_winograd(plan_).empty()) return;
    for (const tconv_tiling &tiling : winograd_tilings(plan_, registers_.lanes)) with_panels("winograd", tiling);
  }

  void add_strassen() {
    for (const tconv_tiling &tiling : strassen_tilings(plan_)) with_panels("strassen", tiling);
  }

  void add_bf16x3() {
    if (!refuse_bf16x3(plan_, {target_}).empty()) return;
    with_blocks(parameters_of(bf16x3_schedule(plan_, {target_}), 0), winograd_blocks);
  }

  std::vector<Candidate> take() {
    std::stable_sort(all_.begin(), all_.end(),
                     [](const Candidate &a, const Candidate &b) { return a.cycles < b.cycles; });
    return std::move(all_);
  }

 private:
  void add(const Parameters &parameters) {
    if (!check_parameters(plan_, target_, parameters).ok()) return;
    Candidate one = make_candidate(plan_, target_, parameters);
    if (seen_.insert(signature(parameters)).second) all_.push_back(std::move(one));
  }

  // Blocks matter as far as calls are cut otherwise.
  std::string signature(Parameters parameters) const {
    const Schedule schedule = schedule_of(plan_, {target_}, parameters);
    parameters.tiling.block_bytes = 0;
    std::string text = to_text(parameters);
    const tconv_cuts cuts = cut_call(plan_, schedule, 0, threads_);
    for (int kind = 0; kind < TCONV_TILE_KINDS; ++kind)
      if (tconv_has_tasks(&schedule.tiling, kind)) text += fmt::format(" {}", fmt::join(cuts.blocks[kind].size, " "));
    return text;
  }

  void with_grains(Parameters p) {
    if (threads_ == 1) return add(p);
    for (const std::int64_t grain : grains) {
      p.tiling.thread_work = grain;
      add(p);
    }
  }

  // Weights fetched before they are needed and not, where they come from afar.
  void with_prefetch(Parameters p) {
    const int lines = p.target.fetch;
    p.target.prefetch = p.target.fetch = 0;
    with_grains(p);
    p.target.prefetch = p.tiling.bf16x3 ? 0 : fetch_distance(plan_, p.tiling, 1);
    if (p.target.prefetch > 0) with_grains(p);
    if (lines == 0) return;
    p.target.prefetch = 0;
    p.target.fetch = lines;
    with_grains(p);
  }

  template <typename Blocks>
  void with_blocks(Parameters p, const Blocks &blocks) {
    with_prefetch(p);
    for (const std::int64_t block : blocks) {
      p.tiling.block_bytes = block;
      with_prefetch(p);
    }
  }

  void with_unrolls(Parameters p) {
    for (const int unroll : unrolls) {
      p.target.unroll_depth = unroll;
      with_blocks(p, direct_blocks);
    }
  }

  void with_panels(const std::string &method, const tconv_tiling &tiling) {
    Parameters p;
    p.method = method;
    p.tiling = tiling;
    for (int vectors = 1; vectors <= 4; ++vectors)
      for (int part = 1; part <= vectors; ++part) {
        p.tiling.panel = vectors * registers_.lanes;
        if (vectors % part != 0 || p.tiling.panel > TCONV_MAX_PANEL) continue;
        p.target = schedule_winograd_target(plan_, p.tiling, registers_);
        p.target.columns = part * registers_.lanes;
        with_rows(p, part);
      }
  }

  // Rows are cut into register tiles of one length, the best of those that there are; all that wastes little is tried,
  // and a further length only where it wastes less.
  void with_rows(Parameters p, int part) {
    constexpr double most_waste = 1.2;
    const std::vector<int> own = p.target.rows;
    const std::vector<std::int64_t> lengths = tile_row_lengths(plan_, p.tiling);
    const auto covered = [&](const std::vector<int> &rows) {
      std::int64_t all = 0;
      for (const std::int64_t length : lengths) {
        std::int64_t least = tconv_round_up(length, rows[0]);
        for (const int one : rows) least = std::min(least, tconv_round_up(length, one));
        all += least;
      }
      return all;
    };
    const std::int64_t least = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    const int most = accumulators(registers_, part) / part;
    with_blocks(p, winograd_blocks);
    for (int rows = std::max(2, most / 2); rows <= most; ++rows) {
      p.target.rows = {rows};
      if (static_cast<double>(covered(p.target.rows)) <= most_waste * static_cast<double>(least))
        with_blocks(p, winograd_blocks);
      p.target.rows = own;
      p.target.rows.push_back(rows);
      if (covered(p.target.rows) < covered(own)) with_blocks(p, winograd_blocks);
    }
  }

  void add_family(const Columns &family, bool last) {
    Parameters p;
    p.method = family.method;
    p.tiling = family.tiling;
    p.target = schedule_target(plan_, p.tiling, false, registers_);
    with_unrolls(p);
    if (last)
      by_columns(p);
    else
      by_positions(p);
  }

  std::vector<int> tile_heights() const {
    if (plan_.layer.rank == 1) return {1};
    return {std::begin(heights), std::end(heights)};
  }

  // Panels of whole vectors, of which a register tile takes a part.
  void by_columns(Parameters p) {
    const std::int64_t outputs = tconv_group_outputs(&plan_.layer);
    const int own_panel = p.tiling.panel, own_lanes = p.target.lanes;
    for (int lanes = own_lanes; lanes >= std::max(4, own_lanes / 2); lanes /= 2)
      for (int vectors = 1; vectors * lanes <= TCONV_MAX_PANEL; ++vectors) {
        const bool fixed = p.tiling.dense_phases || p.tiling.group_columns;
        const bool whole = p.tiling.dense_phases && !tconv_is_row_of_phases(&p.tiling);
        p.tiling.panel = fixed ? own_panel : vectors * lanes;
        if (fixed ? vectors * lanes != own_panel : vectors * lanes >= outputs + 2 * lanes) continue;
        p.target.lanes = lanes;
        for (int part = 1; part <= std::min(vectors, 4); ++part) {
          if (vectors % part != 0 || (whole && part != vectors)) continue;
          p.target.columns = part * lanes;
          with_tiles(p, part, 1);
        }
      }
  }

  void with_tiles(Parameters p, int each, int step) {
    const int most = registers_.count - 2;
    for (const int height : tile_heights())
      for (int wide = 1; wide <= most_wide; ++wide) {
        const int sums = height * wide * each;
        if (sums > most || sums * 3 < most) continue;
        p.target.tile[1] = height;
        p.target.tile[2] = wide * step;
        with_unrolls(p);
      }
  }

  void by_positions(Parameters p) {
    const std::int64_t outputs = tconv_group_outputs(&plan_.layer);
    const int own = p.tiling.panel, own_lanes = p.target.lanes;
    for (int lanes = own_lanes; lanes >= std::max(4, own_lanes / 2); lanes /= 2) {
      p.target.lanes = lanes;
      if (p.tiling.dense_phases) {
        with_tiles(p, own, lanes);
        continue;
      }
      for (int columns = 1; columns <= std::min<std::int64_t>(outputs, most_columns_by_positions); ++columns) {
        if (outputs % columns != 0 && columns != own) continue;
        p.tiling.panel = p.target.columns = columns;
        with_tiles(p, columns, lanes);
      }
    }
  }

  const Plan &plan_;
  const Halide::Target &target_;
  const RegisterFile registers_;
  const int threads_;
  std::set<std::string> seen_;
  std::vector<Candidate> all_;
};

}  // namespace

Candidate make_candidate(const Plan &plan, const Halide::Target &target, const Parameters &parameters) {
  return {parameters, to_text(parameters), expected_cycles(plan, target, parameters)};
}

Parameters plain_direct(const Plan &plan, const Halide::Target &target) {
  const RegisterFile registers = register_file(target);
  const Columns columns = choose_columns(plan, plan.layer.channels_last != 0, registers.lanes);
  Parameters p;
  p.method = columns.method;
  p.tiling = columns.tiling;
  p.target = schedule_target(plan, p.tiling, false, registers);
  return p;
}

Candidate untuned(const Plan &plan, const Halide::Target &target) {
  return make_candidate(plan, target, parameters_of(choose_schedule(plan, {target}), 0));
}

std::vector<Candidate> search_space(const Plan &plan, const Halide::Target &target, int threads) {
  Space space(plan, target, threads);
  space.add_direct();
  space.add_lane_sums();
  space.add_planes();
  space.add_winograd();
  space.add_strassen();
  space.add_bf16x3();
  return space.take();
}

}  // namespace tconv
