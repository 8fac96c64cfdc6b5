#include "algorithm/bf16x3.h"

#include <vector>

#include <fmt/format.h>

#include "algorithm/lowered.h"

namespace tconv {

using Halide::BFloat;
using Halide::cast;
using Halide::Expr;
using Halide::Float;
using Halide::Int;
namespace ir = Halide::Internal;

namespace {

constexpr int half_chunk = TCONV_SPLIT_CHUNK / 2;

// ---- Lowered code. ----

constexpr int row_bytes = 64;                                          // of a tile, of any type
constexpr int tile_bytes = TCONV_SPLIT_TILE * row_bytes;               // 16 x 16 sums; weights of 32 channels
constexpr int chunk_bytes = TCONV_SPLIT_CHUNK_FLOATS * sizeof(float);  // of a position

std::int64_t position_bytes(const Plan &plan) {
  return static_cast<std::int64_t>(sizeof(float)) * tconv_split_row_floats(plan.layer.in_channels);
}
int chunks_of(const Plan &plan) { return static_cast<int>(tconv_split_chunks(plan.layer.in_channels)); }

Expr variable(const std::string &name, Halide::Type type) { return ir::Variable::make(type, name); }
Expr wide(const std::string &name) { return variable(name, Int(64)); }
Expr wide(std::int64_t value) { return ir::make_const(Int(64), value); }

Expr extent_of(const std::string &name, int dimension) {
  return ir::Call::make(Int(32), ir::Call::buffer_get_extent, {buffer_of(name), dimension}, ir::Call::Extern);
}
Expr stride_bytes(const std::string &name, int dimension) {
  const Expr stride =
      ir::Call::make(Int(32), ir::Call::buffer_get_stride, {buffer_of(name), dimension}, ir::Call::Extern);
  return cast(Int(64), stride) * wide(sizeof(float));
}

ir::Stmt loop(const std::string &counter, const Expr &extent, const ir::Stmt &body) {
  return ir::For::make(counter, 0, extent, ir::ForType::Serial, Halide::Partition::Auto, Halide::DeviceAPI::None, body);
}
Expr counter(const std::string &name) { return cast(Int(64), variable(name, Int(32))); }

// A tile's shape comes first: rows and bytes of a row, of products bytes of the shared side, too. All tiles have the
// same two values: LLVM asks whether shapes are one when it assigns registers.
Expr rows() { return variable("tile_rows", Int(16)); }
Expr bytes() { return variable("tile_bytes", Int(16)); }

Expr zero_tile() { return ir::Call::make(Float(32, 256), "tile_zero", {rows(), bytes()}, ir::Call::Intrinsic); }
Expr load_tile(const std::string &from, const Expr &at, const Expr &stride) {
  return ir::Call::make(BFloat(16, 512), "tile_load", {rows(), bytes(), variable(from, Halide::Handle()), at, stride},
                        ir::Call::Intrinsic);
}
ir::Stmt store_tile(const std::string &to, const Expr &at, const Expr &stride, const Expr &tile) {
  return ir::Evaluate::make(ir::Call::make(
      Int(32), "tile_store", {rows(), bytes(), variable(to, Halide::Handle()), at, stride, tile}, ir::Call::Intrinsic));
}
Expr add_products(const Expr &sum, const Expr &left, const Expr &right) {
  return ir::Call::make(Float(32, 256), "tile_matmul", {rows(), bytes(), bytes(), sum, left, right},
                        ir::Call::Intrinsic);
}

// Sums live in arrays that become registers.
Expr all_of_tile() { return ir::Ramp::make(0, 1, 256); }
Expr get_sum(const std::string &name) {
  return ir::Load::make(Float(32, 256), name, all_of_tile(), Halide::Buffer<>(), Halide::Parameter(),
                        ir::const_true(256), ir::ModulusRemainder());
}
ir::Stmt set_sum(const std::string &name, const Expr &value) {
  return ir::Store::make(name, value, all_of_tile(), Halide::Parameter(), ir::const_true(256), ir::ModulusRemainder());
}

// A line of the next panel's weights for each part. It keeps LLVM from taking the second load of a tile for the first
// one, for which there are no registers; more lines, of these or of the next step, were no faster.
constexpr int fetched_bytes = TCONV_SPLIT_PARTS * row_bytes;  // by a step
ir::Stmt fetch(const std::string &from, const Expr &at) {
  return fetch_into_second_level(Halide::reinterpret(Halide::UInt(64), variable(from, Halide::Handle())) +
                                 cast(Halide::UInt(64), at));
}

// The register tile of some tiles of positions by some of columns.
class RegisterTile {
 public:
  RegisterTile(int row_tiles, int column_tiles, const Plan &plan)
      : row_tiles_(row_tiles),
        column_tiles_(column_tiles),
        chunks_(chunks_of(plan)),
        position_bytes_(position_bytes(plan)) {}

  // Sums from "split_at" and "weights" on to "sums_at".
  ir::Stmt sums() const {
    std::vector<ir::Stmt> all;
    for_each_tile([&](int m, int n) { all.push_back(set_sum(name(m, n), zero_tile())); });
    all.push_back(over_taps(step()));
    const Expr stride = wide(column_tiles_ * row_bytes);
    for_each_tile([&](int m, int n) {
      const Expr at = wide("sums_at") + wide(m * TCONV_SPLIT_TILE * column_tiles_ * row_bytes + n * row_bytes);
      all.push_back(store_tile("sums", at, stride, get_sum(name(m, n))));
    });
    ir::Stmt body = ir::Block::make(all);
    for_each_tile([&](int m, int n) {
      body = ir::Allocate::make(name(m, n), Float(32), Halide::MemoryType::AMXTile, {256}, ir::const_true(), body);
    });
    return body;
  }

 private:
  template <typename Visit>
  void for_each_tile(Visit visit) const {
    for (int m = 0; m < row_tiles_; ++m)
      for (int n = 0; n < column_tiles_; ++n) visit(m, n);
  }

  std::string name(int m, int n) const { return fmt::format("sum{}_{}_{}", row_tiles_, m, n); }

  // One loop over the chunks of all taps: of several, LLVM does not keep the sums in their registers from one to the
  // next.
  ir::Stmt over_taps(const ir::Stmt &chunk) const {
    const Expr index = variable("step", Halide::UInt(32)), tap = index / Halide::cast(Halide::UInt(32), chunks_);
    const auto count = [](const char *d) { return variable(fmt::format("taps_{}", d), Halide::UInt(32)); };
    const auto bytes_of = [](const char *d, const Expr &at) {
      return cast(Int(64), at) * wide(fmt::format("tap_{}_bytes", d));
    };
    const Expr row = tap / count("x");
    const Expr at = wide("split_at") + bytes_of("x", tap % count("x")) + bytes_of("y", row % count("y")) +
                    bytes_of("z", row / count("y"));
    const Expr chunk_at = cast(Int(64), index % Halide::cast(Halide::UInt(32), chunks_)) * wide(chunk_bytes);
    const ir::Stmt body = ir::LetStmt::make("chunk_at", at + chunk_at, chunk);
    return loop("chunk", variable("steps", Int(32)),
                ir::LetStmt::make("step", cast(Halide::UInt(32), variable("chunk", Int(32))), body));
  }

  Expr split_at(int m, int part) const {
    return wide("chunk_at") + wide(m * TCONV_SPLIT_TILE * position_bytes_ + part * row_bytes);
  }
  Expr weights_at(int n, int part) const {
    return counter("chunk") * wide(TCONV_SPLIT_PARTS * column_tiles_ * tile_bytes) +
           wide((part * column_tiles_ + n) * tile_bytes);
  }

  // What a step does, in order: tiles that are loaded, and statements.
  struct Item {
    std::string name;  // of a tile, else empty
    Expr load;
    ir::Stmt statement;
  };

  static std::string left(int m, int part) { return fmt::format("left{}_{}", part, m); }
  ir::Stmt add(int m, const std::string &left_tile, int n, const std::string &right) const {
    const Expr sum =
        add_products(get_sum(name(m, n)), variable(left_tile, BFloat(16, 512)), variable(right, BFloat(16, 512)));
    return set_sum(name(m, n), sum);
  }

  // One chunk: the six products of parts that count. Registers hold the sums, the tiles of one part of the positions
  // and one of the weights, which is loaded right before its products: with two of these all are full, and LLVM writes
  // sums to memory.
  ir::Stmt step() const {
    std::vector<Item> items;
    for (int part = 0; part < TCONV_SPLIT_PARTS; ++part) {
      for (int m = 0; m < row_tiles_; ++m)
        items.push_back({left(m, part), load_tile("split", split_at(m, part), wide(position_bytes_)), {}});
      for (int other = TCONV_SPLIT_PARTS - 1 - part; other >= 0; --other)
        for (int n = 0; n < column_tiles_; ++n) {
          const std::string right = fmt::format("right{}_{}_{}", part, other, n);
          items.push_back({right, load_tile("weights", weights_at(n, other), wide(row_bytes)), {}});
          for (int m = 0; m < row_tiles_; ++m) items.push_back({"", {}, add(m, left(m, part), n, right)});
        }
      add_fetch(items, part);
    }
    ir::Stmt body;
    for (std::size_t i = items.size(); i-- > 0;) {
      if (!items[i].name.empty())
        body = ir::LetStmt::make(items[i].name, items[i].load, body);
      else
        body = body.defined() ? ir::Block::make(items[i].statement, body) : items[i].statement;
    }
    return body;
  }

  void add_fetch(std::vector<Item> &items, int part) const {
    const Expr start = wide("next_at") + counter("chunk") * wide(fetched_bytes);
    items.push_back({"", {}, fetch("weights", start + wide(part * row_bytes))});
  }

  const int row_tiles_, column_tiles_, chunks_;
  const std::int64_t position_bytes_;
};

}  // namespace

SplitInput split_input(const Plan &plan) {
  SplitInput s;
  const int channels = static_cast<int>(plan.layer.in_channels);
  s.window = Halide::ImageParam(Float(32), 4, "window");
  const Expr from = s.chunk * TCONV_SPLIT_CHUNK + s.channel;
  const Expr first = from / half_chunk * half_chunk;
  const Expr inside = s.window(min(first, channels - half_chunk) + from % half_chunk, s.x, s.y, s.z);
  s.value(s.channel, s.chunk, s.x, s.y, s.z) =
      channels % TCONV_SPLIT_CHUNK == 0 ? s.window(from, s.x, s.y, s.z) : select(first < channels, inside, 0.0f);
  // The upper half of a float, as tconv_split_part() has it: Halide emulates operations on bfloat16.
  const auto bits = [](const Expr &e) { return Halide::reinterpret(Halide::UInt(32), e); };
  const auto rounded = [&](const Expr &e) { return bits(e) + cast(Halide::UInt(32), TCONV_SPLIT_ROUND); };
  const auto part = [](const Expr &e) { return cast(Halide::UInt(16), e >> 16); };
  const auto without_part = [&](const Expr &e) { return e - Halide::reinterpret(Float(32), rounded(e) >> 16 << 16); };
  s.rest(s.channel, s.chunk, s.x, s.y, s.z) = without_part(s.value(s.channel, s.chunk, s.x, s.y, s.z));
  const Expr value = s.value(s.channel, s.chunk, s.x, s.y, s.z), rest = s.rest(s.channel, s.chunk, s.x, s.y, s.z);
  s.output(s.channel, s.part, s.chunk, s.x, s.y, s.z) =
      select(s.part == 0, part(rounded(value)), s.part == 1, part(rounded(rest)), part(bits(without_part(rest))));
  const int row = static_cast<int>(2 * tconv_split_row_floats(channels));
  Halide::OutputImageParam out = s.output.output_buffer();
  for (int d = 0; d < 4; ++d) s.window.dim(d).set_min(0);
  for (int d = 0; d < 6; ++d) out.dim(d).set_min(0);
  s.window.dim(0).set_bounds(0, channels);
  s.window.dim(1).set_stride(channels);
  out.dim(0).set_bounds(0, TCONV_SPLIT_CHUNK);
  out.dim(1).set_bounds(0, TCONV_SPLIT_PARTS).set_stride(TCONV_SPLIT_CHUNK);
  out.dim(2).set_bounds(0, chunks_of(plan));
  out.dim(2).set_stride(TCONV_SPLIT_PARTS * TCONV_SPLIT_CHUNK);
  out.dim(3).set_stride(row);
  return s;
}

Halide::Internal::LoweredFunc split_sums(const Plan &plan, const tconv_tiling &tiling, const std::string &symbol) {
  const int column_tiles = tiling.panel / TCONV_SPLIT_TILE;
  const Expr left = extent_of("sums", 1) - variable("block", Int(32)) * TCONV_SPLIT_ROWS;
  ir::Stmt body = ir::IfThenElse::make(left > TCONV_SPLIT_TILE, RegisterTile(2, column_tiles, plan).sums(),
                                       RegisterTile(1, column_tiles, plan).sums());
  const auto let = [&](const std::string &name, const Expr &value) { body = ir::LetStmt::make(name, value, body); };
  let("split_at", counter("block") * wide(TCONV_SPLIT_ROWS * position_bytes(plan)));
  const int step_bytes = TCONV_SPLIT_PARTS * column_tiles * tile_bytes;
  let("next_at", counter("steps") * (wide(step_bytes) + counter("block") * wide(fetched_bytes)));
  let("sums_at", counter("block") * wide(TCONV_SPLIT_ROWS * column_tiles * row_bytes));
  body = loop("block", (extent_of("sums", 1) + TCONV_SPLIT_ROWS - 1) / TCONV_SPLIT_ROWS, body);
  const auto taps = [](const char *d) { return variable(fmt::format("taps_{}", d), Halide::UInt(32)); };
  let("steps", cast(Int(32), taps("x") * taps("y") * taps("z")) * chunks_of(plan));
  const char *dimension[] = {"x", "y", "z"};
  for (int i = 0; i < TCONV_MAX_RANK; ++i) {
    let(fmt::format("taps_{}", dimension[i]), cast(Halide::UInt(32), extent_of("split", 2 + i)));
    let(fmt::format("tap_{}_bytes", dimension[i]), stride_bytes("split", 2 + i));
  }
  for (const char *name : {"split", "weights", "sums"}) let(name, host_of(name));
  let("tile_bytes", rows() * ir::make_const(Int(16), row_bytes / TCONV_SPLIT_TILE));
  let("tile_rows", cast(Int(16), extent_of("sums", 0) / column_tiles));
  const std::vector<ir::LoweredArgument> arguments = {
      {"split", Halide::Argument::InputBuffer, Float(32), 2 + TCONV_MAX_RANK, {}},
      {"weights", Halide::Argument::InputBuffer, Float(32), 1, {}},
      {"sums", Halide::Argument::OutputBuffer, Float(32), 2, {}}};
  return {symbol, arguments, body, Halide::LinkageType::ExternalPlusArgv};
}

}  // namespace tconv
