// Weights are read in one long stream, which crosses a page every few steps: hardware that fetches ahead stops there,
// and a core that multiplies is soon out of loads to wait for.
#ifndef TCONV_GENERATORS_FETCH_AHEAD_H
#define TCONV_GENERATORS_FETCH_AHEAD_H

#include <string>

#include <Halide.h>

namespace tconv {

// The innermost loops that read the parameter `weights` fetch what lies so many bytes further; it may lie beyond them.
// Halide's own directive, for an unrolled row, fetched other lines than the row's (Halide 21).
void fetch_ahead(Halide::Pipeline &pipeline, const std::string &weights, int bytes);

// For loops of which the outermost runs over blocks of weights that follow one another, the innermost over steps of the
// sums with one block: each step fetches so many cache lines into the second-level cache, from the next block's first
// one on, in the order of the steps.
void fetch_next(Halide::Pipeline &pipeline, const std::string &weights, int lines);

// Between the sums of register tiles, whose innermost loops read the parameter `weights`, come in the lines of what is
// written once they are all there: `written` is (column, in a tile x, y, z, tile x, y, z), of whose columns so many
// lie together. It is fetched into the second-level cache, as much of it for each register tile.
void fetch_written(Halide::Pipeline &pipeline, const std::string &weights, const std::string &written, int columns);

}  // namespace tconv

#endif
