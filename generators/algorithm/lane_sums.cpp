// partial(lane, column, q) = sum over taps and blocks of channels of weights * input(block * lanes + lane, q + tap *
// step). Taps that are neighbours in x are one row of input together with its channels, since these lie one after the
// other. The sum across lanes goes through a transposition of four outputs at a time, in steps that stay inside 128
// bits, where shuffles are cheapest on every processor.
#include "algorithm/lane_sums.h"

#include "algorithm/activation_expr.h"

namespace tconv {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace {

// How the taps and channels of one phase are walked.
struct Rows {
  Expr length;             // channels, or taps in x times channels
  int fixed_length = 0;    // 0 in a general plan
  int first_tap = 0;       // the innermost dimension whose taps are loops of their own
  std::vector<Expr> taps;  // of those dimensions
};

Rows rows_of(const PhaseConv &conv, const Plan &plan, const tconv_variant &variant) {
  Rows rows;
  if (plan.general) return {conv.inputs, 0, 0, conv.tap_count};
  const auto *step = conv.tap_step[0].as<Halide::Internal::IntImm>();
  const bool neighbours = step != nullptr && step->value == 1;
  rows.fixed_length = static_cast<int>(plan.layer.in_channels) * (neighbours ? variant.taps[TCONV_MAX_RANK - 1] : 1);
  rows.length = rows.fixed_length;
  rows.first_tap = neighbours ? 1 : 0;
  for (int i = rows.first_tap; i < conv.rank; ++i) rows.taps.emplace_back(variant.taps[TCONV_MAX_RANK - 1 - i]);
  return rows;
}

// The loops over taps of rows, with `first` as the innermost.
RDom row_domain(const Rows &rows, const Expr &first, const char *name) {
  Halide::Region domain = {{0, first}};
  for (const Expr &taps : rows.taps) domain.emplace_back(0, taps);
  return {domain, name};
}

std::vector<Halide::RVar> loops_of(const RDom &r) {
  std::vector<Halide::RVar> loops;
  for (int i = 0; i < r.dimensions(); ++i) loops.push_back(r[i]);
  return loops;
}

// What one update adds: `element` of the row that the loop is at.
struct Row {
  std::vector<Expr> position;
  Expr index;  // among all rows
};

Row row_at(const LaneSums &sums, const Rows &rows, const RDom &r) {
  Row row{{sums.conv.position.begin(), sums.conv.position.end()}, 0};
  std::vector<Expr> tap, extents;
  for (std::size_t i = 0; i < rows.taps.size(); ++i) {
    const std::size_t dim = i + static_cast<std::size_t>(rows.first_tap);
    tap.emplace_back(r[static_cast<int>(i) + 1]);
    extents.push_back(rows.taps[i]);
    row.position[dim] = row.position[dim] + tap[i] * sums.conv.tap_step[dim];
  }
  row.index = index_of(tap, extents);
  return row;
}

Expr input_at(const LaneSums &sums, const Expr &element, const std::vector<Expr> &position) {
  std::vector<Expr> at = {element, sums.conv.group};
  at.insert(at.end(), position.begin(), position.end());
  return sums.conv.input(at);
}

Expr weight_at(const LaneSums &sums, int panel, const Expr &depth) {
  const Var &column = sums.conv.column;
  return sums.conv.weights(column % panel, depth, column / panel, sums.conv.group);
}

// Whole vectors of rows.
void add_blocks(LaneSums &sums, const Rows &rows, int panel, const std::vector<Expr> &at) {
  const RDom r = row_domain(rows, rows.length / sums.tile.lanes, "blocks");
  const Row row = row_at(sums, rows, r);
  const Expr element = r[0] * sums.tile.lanes + sums.lane;
  sums.partial(at) += weight_at(sums, panel, row.index * rows.length + element) * input_at(sums, element, row.position);
  sums.loops.push_back(loops_of(r));
}

// What is left of each. Both factors are zero in the other lanes, so that what lies there, which may be infinite, is
// neither read nor multiplied.
void add_rest(LaneSums &sums, const Rows &rows, int panel, const std::vector<Expr> &at) {
  const int done = rows.fixed_length / sums.tile.lanes * sums.tile.lanes;
  sums.rest = rows.fixed_length - done;
  Var row_index("row_index");
  const RDom lane_input(0, sums.rest, "rest_of_input"), lane_weights(0, sums.rest, "rest_of_weights");
  sums.rest_lane_input = lane_input;
  sums.rest_lane_weights = lane_weights;
  std::vector<Var> to = {sums.lane, sums.conv.group};
  to.insert(to.end(), sums.conv.position.begin(), sums.conv.position.end());
  sums.rest_input(to) = 0.0f;
  std::vector<Expr> inside(to.begin(), to.end());
  inside[0] = lane_input;
  sums.rest_input(inside) = input_at(sums, done + lane_input, {inside.begin() + 2, inside.end()});
  sums.rest_weights(sums.lane, sums.conv.column, row_index, sums.conv.group) = 0.0f;
  sums.rest_weights(lane_weights, sums.conv.column, row_index, sums.conv.group) =
      weight_at(sums, panel, row_index * rows.length + done + lane_weights);

  // The innermost loop runs once: it is there where a phase has one row.
  const RDom r = row_domain(rows, 1, "rest");
  const Row row = row_at(sums, rows, r);
  std::vector<Expr> from = {sums.lane, sums.conv.group};
  from.insert(from.end(), row.position.begin(), row.position.end());
  sums.partial(at) +=
      sums.rest_weights(sums.lane, sums.conv.column, row.index + r[0], sums.conv.group) * sums.rest_input(from);
  sums.loops.push_back(loops_of(r));
}

// The same where the length is open: the row's last vector once more, without the lanes that were added before.
void add_open_rest(LaneSums &sums, const Rows &rows, int panel, const std::vector<Expr> &at) {
  const int lanes = sums.tile.lanes;
  const Expr done = rows.length / lanes * lanes;
  const RDom r = row_domain(rows, select(rows.length > lanes && rows.length != done, 1, 0), "rest");
  const Row row = row_at(sums, rows, r);
  // Reached where a row is longer than a vector.
  const Expr element = Halide::unsafe_promise_clamped(rows.length - lanes + sums.lane, 0, rows.length - 1);
  const auto fresh = [&](const Expr &value) { return select(element >= done, value, 0.0f); };
  sums.partial(at) += fresh(weight_at(sums, panel, (row.index + r[0]) * rows.length + element)) *
                      fresh(input_at(sums, element, row.position));
  sums.loops.push_back(loops_of(r));
}

// Element by element, so many of each row: rows shorter than a vector, and taps that are known at run time only, which
// are those of phases without any.
RDom add_singly(LaneSums &sums, int panel, const Expr &elements) {
  const PhaseConv &conv = sums.conv;
  Halide::Region domain = {{0, elements}};
  for (const Expr &count : conv.tap_count) domain.emplace_back(0, count);
  const RDom r(domain, "r");
  std::vector<Expr> tap, position, at = {0, conv.column, conv.group};
  for (int i = 0; i < conv.rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    tap.emplace_back(r[i + 1]);
    position.push_back(conv.position[d] + tap[d] * conv.tap_step[d]);
    at.emplace_back(conv.position[d]);
  }
  sums.partial(at) +=
      weight_at(sums, panel, index_of(tap, conv.tap_count) * conv.inputs + r[0]) * input_at(sums, r[0], position);
  return r;
}

void define_partial(LaneSums &sums, const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant) {
  const PhaseConv &conv = sums.conv;
  std::vector<Var> vars = {sums.lane, conv.column, conv.group};
  vars.insert(vars.end(), conv.position.begin(), conv.position.end());
  const std::vector<Expr> at(vars.begin(), vars.end());
  const Expr output = sums.outputs > 0 ? conv.column % sums.outputs : Expr(conv.column);
  sums.partial(vars) = Halide::select(sums.lane == 0, conv.bias(output, conv.group), 0.0f);
  const Rows rows = rows_of(conv, plan, variant);
  if (plan.general) {
    add_blocks(sums, rows, tiling.panel, at);
    add_open_rest(sums, rows, tiling.panel, at);
    sums.single_loops = loops_of(add_singly(sums, tiling.panel, select(rows.length < sums.tile.lanes, rows.length, 0)));
  } else if (variant.taps[TCONV_MAX_RANK - 1] == 0) {
    add_singly(sums, tiling.panel, conv.inputs);
  } else {
    if (rows.fixed_length >= sums.tile.lanes) add_blocks(sums, rows, tiling.panel, at);
    if (rows.fixed_length % sums.tile.lanes != 0) add_rest(sums, rows, tiling.panel, at);
  }
}

// Halves are added until four lanes are left; then outputs 4 * quad ... of the tile, a position's columns after the
// other's, are transposed. A quad that is not full repeats the last one.
void define_stages(LaneSums &sums) {
  const PhaseConv &conv = sums.conv;
  const LaneTile &tile = sums.tile;
  Func folded = sums.partial;
  for (int half = tile.lanes / 2; half >= 4; half /= 2) {
    std::vector<Var> at = folded.args();
    std::vector<Expr> low(at.begin(), at.end()), high = low;
    high[0] += half;
    Func fold("fold");
    fold(at) = folded(low) + folded(high);
    sums.folds.push_back(folded = fold);
  }
  std::vector<Var> rest = {sums.quad, sums.part, conv.group, sums.block};
  rest.insert(rest.end(), conv.position.begin() + 1, conv.position.end());
  const auto vars = [&](std::vector<Var> front) {
    front.insert(front.end(), rest.begin(), rest.end());
    return front;
  };
  const auto at = [&](std::vector<Expr> front) {
    front.insert(front.end(), rest.begin(), rest.end());
    return front;
  };
  const auto folded_at = [&](const Expr &lane, const Expr &in_quad) {
    const Expr place = min(4 * sums.quad + in_quad, tile.columns * tile.positions - 1);
    std::vector<Expr> from = {lane, sums.part * tile.columns + place % tile.columns, conv.group,
                              sums.block * tile.positions + place / tile.columns};
    from.insert(from.end(), conv.position.begin() + 1, conv.position.end());
    return folded(from);
  };
  const Var &lane = sums.lane;
  const auto either = [&](const Expr &from) {
    return select(lane % 2 == 0, folded_at(from, 2 * sums.pair), folded_at(from, 2 * sums.pair + 1));
  };
  sums.pairs(vars({lane, sums.pair})) = either(lane / 2) + either(lane / 2 + 2);
  const auto pair_of = [&](const Expr &from) {
    return select(lane < 2, sums.pairs(at({from, 0})), sums.pairs(at({from, 1})));
  };
  sums.totals(vars({lane})) = pair_of(lane % 2) + pair_of(lane % 2 + 2);
}

}  // namespace

LaneSums lane_sums(const Plan &plan, const tconv_tiling &tiling, const tconv_variant &variant, const LaneTile &tile) {
  LaneSums sums;
  sums.tile = tile;
  sums.conv = phase_parameters(plan, variant);
  PhaseConv &conv = sums.conv;
  sums.outputs = plan.general ? 0 : static_cast<int>(tconv_group_outputs(&plan.layer));
  define_partial(sums, plan, tiling, variant);
  define_stages(sums);

  std::vector<Var> finished_at = {sums.place, sums.part, conv.group, sums.block};
  std::vector<Expr> total = {sums.place % 4, sums.place / 4, sums.part, conv.group, sums.block};
  std::vector<Var> output_at = {conv.channel, conv.group};
  std::vector<Expr> phase_count;
  for (int i = 0; i < conv.rank; ++i) {
    const Var &q = conv.position[static_cast<std::size_t>(i)];
    if (i > 0) finished_at.push_back(q);
    if (i > 0) total.emplace_back(q);
    output_at.push_back(q);
    phase_count.emplace_back(variant.phases[TCONV_MAX_RANK - 1 - i]);
  }
  output_at.insert(output_at.end(), conv.phase.begin(), conv.phase.end());
  sums.placed(finished_at) = sums.totals(total);
  const std::vector<Expr> placed_at(finished_at.begin(), finished_at.end());
  sums.finished(finished_at) = activation_expr(sums.placed(placed_at), static_cast<Activation>(plan.layer.activation));
  const Expr column =
      conv.channel +
      (conv.phases > 1 ? index_of({conv.phase.begin(), conv.phase.end()}, phase_count) * sums.outputs : 0);
  const Var &x = conv.position[0];
  std::vector<Expr> from = {x % tile.positions * tile.columns + column % tile.columns, column / tile.columns,
                            conv.group, x / tile.positions};
  from.insert(from.end(), conv.position.begin() + 1, conv.position.end());
  conv.output(output_at) = sums.finished(from);
  for (std::size_t i = 0; i < conv.phase.size(); ++i) conv.output.bound(conv.phase[i], 0, phase_count[i]);
  fix_layout(conv, plan, tiling, variant);
  return sums;
}

}  // namespace tconv
