/* How the workers of a call share its tasks: each takes a range of what all tasks cost together, one kind of phases
 * after the other.
 */
#ifndef TCONV_SHARES_H
#define TCONV_SHARES_H

#include "tconv/blocks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all tasks of a call cost. */
enum { TCONV_COST = 1 << 20 };

/* Of so many threads, those that have enough to do to be worth waking. A layer that computes little for what it reads
 * and writes is counted by that: a float as `float_work` multiply-adds. */
static inline int64_t tconv_useful_threads(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                           int64_t batch, int64_t threads) {
  const double float_work = 8;
  double in = (double)(batch * layer->in_channels), out = (double)(batch * layer->out_channels), work, moved;
  double weights = (double)layer->in_channels * (double)tconv_group_outputs(layer), taps = 1;
  int d;
  if (tiling->thread_work <= 0) return threads;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    in *= (double)dims->dim[d].in;
    out *= (double)dims->dim[d].out;
    taps *= (double)dims->dim[d].kernel;
  }
  work = in * taps * (double)tconv_group_outputs(layer);
  moved = float_work * (in + out + weights * taps);
  if (work < moved) work = moved;
  work /= (double)tiling->thread_work;
  return work < (double)threads ? tconv_max((int64_t)work, 1) : threads;
}

/* The kinds in the order in which they are shared out: those with most points beside those with fewest, so that halves
 * and quarters of all kinds cost about the same. */
static inline int tconv_nth_kind(int index) { return index % 2 == 0 ? index / 2 : TCONV_TILE_KINDS - 1 - index / 2; }

/* The multiply-adds of a kind's products. */
static inline double tconv_tile_work(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                     int kind) {
  const tconv_tile_grid grid = tconv_find_tile_grid(tiling, layer, dims, kind);
  double work = (double)(grid.phases * grid.phase_floats);
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) work *= (double)grid.dim[d].count;
  return work;
}

/* Where each kind's tasks lie in what all cost. Returns how many kinds have tasks. */
static inline int tconv_set_costs(const tconv_tiling *tiling, const tconv_layer *layer, const tconv_dims *dims,
                                  tconv_cuts *cuts) {
  double work[TCONV_TILE_KINDS], all = 0, before = 0, scale;
  int kinds = 0, i;
  for (i = 0; i < TCONV_TILE_KINDS; ++i) {
    const int kind = tconv_nth_kind(i), any = tconv_has_tasks(tiling, kind);
    work[i] = !any ? 0 : tconv_is_winograd(tiling) ? tconv_tile_work(tiling, layer, dims, kind) : 1;
    all += work[i];
    kinds += any;
  }
  scale = all > 0 ? (double)TCONV_COST / all : 0;
  for (i = 0; i < TCONV_TILE_KINDS; ++i) {
    tconv_blocks *blocks = &cuts->blocks[tconv_nth_kind(i)];
    blocks->begin = (int64_t)(scale * before);
    before += work[i];
    blocks->end = (int64_t)(scale * before);
  }
  return kinds;
}

/* Where the share of worker `index` of a kind of tiles begins: at the nearest task, of two the first one, since the
 * last blocks are the smaller ones. */
static inline int64_t tconv_first_tile_task(const tconv_blocks *blocks, int64_t index, int64_t workers) {
  const int64_t at = TCONV_COST * index / workers, cost = blocks->end - blocks->begin;
  if (index == 0 || index == workers) return index == 0 ? 0 : blocks->tasks;
  if (at <= blocks->begin || at >= blocks->end) return at <= blocks->begin ? 0 : blocks->tasks;
  return (2 * blocks->tasks * (at - blocks->begin) + cost - 1) / (2 * cost);
}

/* What the share of the worker costs that has most. */
static inline int64_t tconv_most_cost(const tconv_cuts *cuts, const tconv_tiling *tiling) {
  int64_t most = 0, index;
  for (index = 0; index < cuts->workers; ++index) {
    int64_t cost = 0;
    int kind;
    for (kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
      const tconv_blocks *blocks = &cuts->blocks[kind];
      if (!tconv_has_tasks(tiling, kind) || blocks->tasks == 0) continue;
      cost += (blocks->end - blocks->begin) *
              (tconv_first_tile_task(blocks, index + 1, cuts->workers) -
               tconv_first_tile_task(blocks, index, cuts->workers)) /
              blocks->tasks;
    }
    most = tconv_max(most, cost);
  }
  return most;
}

/* Cuts every kind for so many threads, whose tasks `workers` share. Returns the tasks of the kind that has fewest. */
static inline int64_t tconv_cut_each(const tconv_kernel *kernel, const tconv_path *path, const tconv_layer *layer,
                                     const tconv_dims *dims, int64_t batch, int64_t threads, int64_t workers,
                                     tconv_cuts *cuts) {
  int64_t tasks = 0, fewest = INT64_MAX;
  int kind;
  cuts->worker_floats = 0;
  for (kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    tconv_blocks *blocks = &cuts->blocks[kind];
    if (!tconv_has_tasks(&kernel->tiling, kind)) continue;
    if (tconv_is_winograd(&kernel->tiling))
      tconv_cut_tiles(kernel, path, layer, dims, kind, batch, threads, blocks);
    else
      tconv_cut_classes(kernel, path, layer, dims, batch, threads, blocks);
    tasks += blocks->tasks;
    fewest = tconv_min(fewest, blocks->tasks);
    cuts->worker_floats = tconv_max(cuts->worker_floats, blocks->worker_floats);
  }
  cuts->workers = tconv_max(tconv_min(tasks, workers), 1);
  return fewest;
}

/* Cuts a call into tasks. Where there are few, kinds are shared out whole if that is even enough: what is cut further
 * transforms its window more than once, or fills register tiles less well. Else every worker has its share of each. */
static inline void tconv_cut_call(const tconv_kernel *kernel, const tconv_path *path, const tconv_layer *layer,
                                  const tconv_dims *dims, int64_t batch, int64_t threads, tconv_cuts *cuts) {
  const int64_t workers = tconv_useful_threads(&kernel->tiling, layer, dims, batch, threads);
  int64_t share = tconv_ceil_div(workers, tconv_set_costs(&kernel->tiling, layer, dims, cuts));
  int kind;
  for (; share < workers; share = tconv_min(2 * share, workers)) {
    if (tconv_cut_each(kernel, path, layer, dims, batch, share, workers, cuts) >= 2 * workers) break;
    if (tconv_most_cost(cuts, &kernel->tiling) * workers <= TCONV_COST / 8 * 9) return;
  }
  tconv_cut_each(kernel, path, layer, dims, batch, workers, workers, cuts);
  for (kind = 0; kind < TCONV_TILE_KINDS; ++kind) {
    cuts->blocks[kind].begin = 0;
    cuts->blocks[kind].end = TCONV_COST;
  }
}

#ifdef __cplusplus
}
#endif

#endif
