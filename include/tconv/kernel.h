/* The C ABI of a compiled transposed convolution: what a kernel is, what a layer is, and what a call takes.
 *
 * C99. An emitted header (NAME.h) fills in the two tables, tconv_kernel and tconv_layer, and tconv/run.h runs them. A
 * specialised kernel serves the one layer that it was compiled for. A general kernel serves any layer of its rank and
 * layout; of several, each is made for some, and tconv_choose_general() finds a layer's. Nothing here allocates,
 * prints, aborts or throws; every failure is a status.
 *
 * Arrays are dense float32. Channels last: (batch, spatial..., channels); channels first: (batch, channels,
 * spatial...); spatial dimensions run from the outermost to the innermost. No array may have more than 2^31 - 1
 * elements.
 */
#ifndef TCONV_KERNEL_H
#define TCONV_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "tconv/geometry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TCONV_ABI_VERSION 5

/* The widest panel of packed weights. */
enum { TCONV_MAX_PANEL = 64 };

/* What a call returns. tconv_status_message() gives the sentence. */
typedef enum tconv_status {
  TCONV_OK = 0,
  TCONV_ERROR_NULL = 1,      /* a pointer that the call needs is NULL */
  TCONV_ERROR_SHAPE = 2,     /* a size is not the one that the kernel was compiled for, or is out of range */
  TCONV_ERROR_TOO_LARGE = 3, /* an array would have more than 2^31 - 1 elements */
  TCONV_ERROR_WORKSPACE = 4, /* the workspace is smaller than tconv_workspace_bytes() says */
  TCONV_ERROR_PROCESSOR = 5, /* this processor runs none of the targets that the kernel was compiled for */
  TCONV_ERROR_LAYER = 6,     /* a general kernel of another rank or layout, or for one group, or a rule that is not
                                valid */
  TCONV_ERROR_KERNEL = 7,    /* the compiled code refused its arguments: a fault of tconv's own */
  TCONV_ERROR_DEVICE = 8     /* a CUDA kernel found no device, or the device refused */
} tconv_status;

/* A layer, every dialect's spelling removed. Entries of `rule` and `size` beyond `rank` are not read. Weights that are
 * packed for one `size` serve calls with the same one only: what it fixes may decide on their order. */
typedef struct tconv_layer {
  int32_t rank;
  int32_t channels_last;
  int64_t in_channels, out_channels, groups;
  tconv_rule rule[TCONV_MAX_RANK]; /* outermost first */
  int64_t batch;                   /* TCONV_UNSET: any */
  int64_t size[TCONV_MAX_RANK];    /* input extents; TCONV_UNSET: any */
  int32_t activation;              /* a tconv::Activation */
} tconv_layer;

/* One compiled function: it computes a run of phases in every dimension over a block of output positions. Halide's
 * argv convention: input, weights, bias, then taps and steps, one int32 a dimension, innermost first, then output. */
typedef int (*tconv_function)(void **argv);

/* What Winograd's method runs instead of tconv_path.phases, for one kind of phases (tconv/winograd.h). argv of each:
 *   transform_input: window (input channel, x, y, z); transformed (input channel, tile x, y, z, point x, y, z)
 *   products: transformed (input channel, tile x, y, z, point), weights (column, input channel, point), the output that
 *       transform_output writes next, whose cache lines may be fetched; products (column, tile x, y, z, point), of one
 *       panel
 *   transform_output: products (column, tile x, y, z, point x, y, z), bias (column), int32 first output x, y, z, int32
 *       extent x, y, z; output (column, in the tile x, y, z, tile x, y, z). Output `first + outputs * tile + j` is
 *       written where it lies in [0, extent).
 * Where the tiling says strassen (tconv/strassen.h), transformed and weights have a part of the input channels, and in
 * each paired dimension the outputs of a tile are those of two phases.
 * Where the tiling says bf16x3 (tconv/bf16x3.h), of tiles of one output:
 *   transform_input: window (input channel, x, y, z); split (channel of 32, part, chunk, x, y, z), bfloat16 as uint16
 *   products: split (float, position, point x, y, z), weights of one panel; sums (column, position), which are written
 *       up to a multiple of 32 positions; transform_output takes these as products of one point */
typedef struct tconv_tile_functions {
  tconv_function transform_input, transform_output;
  const tconv_function *products; /* each reads `transformed` up to a multiple of its `rows` in x */
  const int32_t *rows;
  int32_t products_count;
} tconv_tile_functions;

/* What a compiled function was specialised on; 0 stands for any. Entries are aligned to the right, here and in
 * tconv_path.tile: [2] is always the innermost dimension. */
typedef struct tconv_variant {
  int32_t phases[TCONV_MAX_RANK]; /* phases that a run has */
  int32_t taps[TCONV_MAX_RANK];
} tconv_variant;

/* The same functions for one instruction set. A general kernel has several paths of one set, one behind the other,
 * whose register tiles differ: the sizes of a call decide between them. */
typedef struct tconv_path {
  const char *target;           /* Halide's name for it */
  uint64_t features[2];         /* what the processor must have, as halide_can_use_target_features() takes it */
  const tconv_function *phases; /* one a variant; NULL for Winograd's method */
  int32_t tile[TCONV_MAX_RANK]; /* positions of its register tile: input is read up to a multiple of it */
  tconv_function activate;      /* elementwise: buffer, kind, the same buffer; NULL where the activation is fused */
  tconv_function softmax;       /* over rows: buffer, logarithm, the same buffer; or NULL */
  const tconv_tile_functions *tiles; /* Winograd's method: one a kind of phases, else NULL */
  tconv_function transpose;          /* from (i, j, y, z) to (j, i, y, z), [0] contiguous in both, zero where j lies
                                        outside from's range; NULL where the tiling asks for neither layout */
  tconv_function copy; /* from (i, j, k, l) to the same, [0] contiguous in both; NULL where nothing is copied: see
                          tconv_copies() */
} tconv_path;

/* How the packed weights and the work are cut; the same on every path of a kernel. */
typedef struct tconv_tiling {
  int32_t panel;         /* output columns whose weights lie together */
  int32_t merge_phases;  /* 1: phases with one input window are computed together; 2: those of one row of the output,
                            as one dimension of phases x channels: needs dense_phases, one group, channels last;
                            3: all phases, from the union of their windows, a filter's columns one behind the other in
                            whole panels: needs dense_phases, one group, no dilation, channels first. Whole register
                            tiles are written, to a copy where they would hang over the output.
                            Winograd's method: 0, or 1 for the columns of all phases together: needs dense_phases, one
                            group, shared tiles */
  int32_t dense_phases;  /* 1: their columns follow each other without padding to a panel */
  int32_t group_columns; /* 1: depthwise, one channel in and out a group; a column is a group */
  int64_t block_bytes;   /* input (Winograd: transformed) that one task works on at a time: a share of the second-level
                            cache */
  /* Winograd's method: a tile's outputs in each dimension, else 0; [1]: of the second sort of phases (winograd.h), 0
   * where they share the tiles of the first; a divisor of [0] where outputs are transposed. */
  int32_t tile_outputs[2][TCONV_MAX_RANK];
  int32_t transpose_input;  /* 1: the functions read windows of the other layout than the layer's */
  int32_t transpose_output; /* 1: and write such outputs */
  int64_t thread_work;      /* multiply-adds for which a further thread is woken; 0: for any */
  int32_t lane_sums;        /* 1: vectors run over input channels; a column's weights lie together */
  int32_t bf16x3;           /* 1: sums by matrix units, of numbers in three parts (bf16x3.h): tiles of one output */
  int32_t strassen;         /* 1: tiles of two outputs are Strassen's (strassen.h), those of one are not transformed;
                               needs one group, as many taps as phases in each dimension, and of tiles of two an even
                               stride, and padding and outputs that are multiples of it */
} tconv_tiling;

typedef struct tconv_kernel {
  int32_t abi_version;
  int32_t general; /* 0: serves one layer; else any layer, and those best that have up to so many filters a group */
  const char *name;
  const char *key; /* the Plan, in one line */
  tconv_tiling tiling;
  const tconv_variant *variants;
  int32_t variant_count;
  const tconv_path *paths; /* best first; the last one is the baseline */
  int32_t path_count;
  tconv_function baked; /* writes the address of the packed weights into a uint64 buffer; NULL: passed by the caller */
} tconv_kernel;

/* Strides, in elements, of a weight array in the order of its framework. `tap` is outermost first. */
typedef struct tconv_weight_strides {
  int64_t group, out, in;
  int64_t tap[TCONV_MAX_RANK];
} tconv_weight_strides;

/* Calls `task` once for each index in [min, min + size), in any order and on any threads, and returns 0 when all did.
 * Halide's halide_do_par_for() is one. */
typedef int (*tconv_task)(void *context, int index, uint8_t *closure);
typedef int (*tconv_parallel_for)(void *context, tconv_task task, int min, int size, uint8_t *closure);

/* One call. Zero-initialise it, then fill in what is needed. Concurrent calls on one kernel are safe when their
 * outputs and workspaces are their own. */
typedef struct tconv_call {
  int64_t batch;                /* images */
  int64_t size[TCONV_MAX_RANK]; /* input extents, outermost first */
  const float *input;
  const float *packed; /* from tconv_pack(); NULL for baked weights */
  float *output;       /* must not overlap the input */
  void *workspace;     /* tconv_workspace_bytes() bytes, of any alignment; NULL if that is 0 */
  size_t workspace_bytes;
  int32_t threads;                 /* at most so many tasks at once; 0: as many as the pool has */
  const tconv_path *path;          /* NULL: the best that this processor runs */
  tconv_parallel_for parallel_for; /* NULL: Halide's thread pool */
  void *parallel_context;
} tconv_call;

#ifdef __cplusplus
}
#endif

#endif
