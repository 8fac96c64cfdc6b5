/* The driver of a compiled transposed convolution: cuts a call into tasks, gives each its window of the input, and
 * calls the compiled functions. C99, inline, so that an emitted library needs no other object; the compiler's NAME.h,
 * the C++ layer and the tests call it.
 *
 * Tasks never share an output and every output is summed by one task in one order, so the bits do not depend on the
 * threads.
 *
 * The first tconv_run_kernel() of a process replaces Halide's error handler by one that neither prints nor aborts; one
 * that the program sets later stays.
 */
#ifndef TCONV_RUN_H
#define TCONV_RUN_H

#include "tconv/error_handler.h"
#include "tconv/general_choice.h"
#include "tconv/matrix_units.h"
#include "tconv/run_tiles.h"
#include "tconv/shares.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline const char *tconv_status_message(int status) {
  switch (status) {
    case TCONV_OK: return "ok";
    case TCONV_ERROR_NULL: return "a pointer that the call needs is NULL";
    case TCONV_ERROR_SHAPE: return "a size is out of range or not the one that the kernel was compiled for";
    case TCONV_ERROR_TOO_LARGE: return "an array would have more than 2^31 - 1 elements";
    case TCONV_ERROR_WORKSPACE: return "the workspace is smaller than tconv_workspace_bytes() says";
    case TCONV_ERROR_PROCESSOR: return "this processor runs none of the targets that the kernel was compiled for";
    case TCONV_ERROR_LAYER: return "the layer is not one that this kernel serves";
    case TCONV_ERROR_KERNEL: return "the compiled code refused its arguments";
    case TCONV_ERROR_DEVICE: return "no CUDA device could be used";
    default: return "unknown status";
  }
}

/* tconv::Activation::softmax and log_softmax. */
enum { TCONV_ACTIVATION_LINEAR = 0, TCONV_ACTIVATION_SOFTMAX = 25, TCONV_ACTIVATION_LOG_SOFTMAX = 26 };

static inline int tconv_is_softmax(const tconv_layer *layer) {
  return layer->activation == TCONV_ACTIVATION_SOFTMAX || layer->activation == TCONV_ACTIVATION_LOG_SOFTMAX;
}

static inline float *tconv_aligned(void *memory) {
  const uintptr_t address = (uintptr_t)memory;
  return (float *)((address + TCONV_ALIGNMENT - 1) / TCONV_ALIGNMENT * TCONV_ALIGNMENT);
}

static inline const float *tconv_baked_weights(const tconv_kernel *kernel) {
  uint64_t address = 0;
  halide_dimension_t dim;
  halide_buffer_t buffer = tconv_buffer(&address, 1, &dim);
  void *argv[1];
  tconv_set_dim(&dim, 1, 1);
  buffer.type.code = halide_type_uint;
  buffer.type.bits = 64;
  argv[0] = &buffer;
  return kernel->baked(argv) == 0 ? (const float *)(uintptr_t)address : NULL;
}

/* Computes one class over one block from its window. */
static inline int tconv_run_class(const tconv_job *job, const tconv_class *one, const int64_t *start,
                                  const tconv_window *window, const tconv_outputs *outputs) {
  const tconv_layer *layer = job->layer;
  tconv_arguments arguments;
  if (!tconv_bind(job, one, start, window, outputs, &arguments)) return TCONV_OK;
  if (arguments.variant < 0) return TCONV_ERROR_KERNEL;
  if (job->path->phases[arguments.variant](arguments.argv) != 0) return TCONV_ERROR_KERNEL;
  if (job->path->activate && layer->activation != TCONV_ACTIVATION_LINEAR && !tconv_is_softmax(layer)) {
    int32_t kind = layer->activation;
    void *argv[3];
    argv[0] = argv[2] = &arguments.output;
    argv[1] = &kind;
    if (job->path->activate(argv) != 0) return TCONV_ERROR_KERNEL;
  }
  return TCONV_OK;
}

/* Block `index` of all images: its image, where it starts, and its size. */
static inline int64_t tconv_find_block(const tconv_job *job, int64_t index, int64_t *start, int64_t *size) {
  const tconv_blocks *blocks = &job->blocks;
  int d;
  for (d = TCONV_MAX_RANK - 1; d >= 0; --d) {
    start[d] = index % blocks->count[d] * blocks->size[d];
    size[d] = tconv_min(blocks->size[d], blocks->quotients[d] - start[d]);
    index /= blocks->count[d];
  }
  return index;
}

/* Runs one task: a block, in all classes or in `one`, that of its part. */
static inline int tconv_run_block(const tconv_job *job, tconv_class *one, int64_t index, float *memory) {
  const tconv_blocks *blocks = &job->blocks;
  const tconv_tiling *tiling = &job->kernel->tiling;
  int64_t start[TCONV_MAX_RANK], size[TCONV_MAX_RANK];
  const int64_t image = tconv_find_block(job, index, start, size);
  tconv_window window;
  tconv_outputs outputs;
  int status = tconv_load_window(job, image, start, size, memory, &window);
  if (status != TCONV_OK) return status;
  outputs = tconv_find_outputs(job, image, start, 0, job->layer->out_channels, memory + blocks->window_floats);
  if (blocks->parts > 1) return tconv_run_class(job, one, start, &window, &outputs);
  tconv_first_class(tiling, job->layer, &job->dims, one);
  do {
    status = tconv_run_class(job, one, start, &window, &outputs);
  } while (status == TCONV_OK && tconv_next_class(tiling, job->layer, &job->dims, one));
  return status == TCONV_OK ? tconv_store_outputs(job, image, &outputs) : status;
}

/* Where the share of worker `index` begins. Parts are outermost; where each is a class, its tasks cost as much as it
 * has weights. */
static inline int64_t tconv_first_task(const tconv_job *job, int64_t index) {
  const tconv_tiling *tiling = &job->kernel->tiling;
  const tconv_blocks *blocks = &job->blocks;
  const int64_t per_part = blocks->tasks / blocks->parts, workers = job->cuts->workers;
  int64_t weights = 0, before, part;
  tconv_class one;
  if (index == 0 || index == workers) return index == 0 ? 0 : blocks->tasks;
  tconv_first_class(tiling, job->layer, &job->dims, &one);
  if (blocks->parts > 1) weights = tconv_packed_floats(tiling, job->layer, &job->dims) - one.weights;
  if (weights == 0) return blocks->tasks * index / workers;
  before = one.weights + weights * index / workers;
  for (part = 0; before >= one.weights + tconv_class_floats(tiling, job->layer, &one); ++part)
    tconv_next_class(tiling, job->layer, &job->dims, &one);
  return per_part * part + per_part * (before - one.weights) / tconv_class_floats(tiling, job->layer, &one);
}

/* Worker `index` runs its share of the tasks, in order. */
static inline int tconv_run_classes(const tconv_job *job, int64_t index, float *memory) {
  const tconv_blocks *blocks = &job->blocks;
  const int64_t begin = tconv_first_task(job, index), end = tconv_first_task(job, index + 1);
  const int64_t per_part = blocks->tasks / blocks->parts;
  int64_t current = 0, task;
  tconv_class one;
  tconv_first_class(&job->kernel->tiling, job->layer, &job->dims, &one);
  for (task = begin; task < end; ++task) {
    int status;
    for (; blocks->parts > 1 && current < task / per_part; ++current)
      tconv_next_class(&job->kernel->tiling, job->layer, &job->dims, &one);
    status = tconv_run_block(job, &one, task % per_part, memory);
    if (status != TCONV_OK) return status;
  }
  return TCONV_OK;
}

/* The same of a kind of Winograd's tiles. Parts are innermost: those of a block that one worker has share its window.
 */
static inline int tconv_run_kind(const tconv_job *job, int64_t index, float *memory) {
  const tconv_blocks *blocks = &job->blocks;
  const int64_t end = tconv_first_tile_task(blocks, index + 1, job->cuts->workers);
  int64_t task = tconv_first_tile_task(blocks, index, job->cuts->workers);
  while (task < end) {
    const int64_t block = task / blocks->parts, part = task % blocks->parts;
    const int64_t parts = tconv_min(blocks->parts - part, end - task);
    int64_t start[TCONV_MAX_RANK], size[TCONV_MAX_RANK];
    const int64_t image = tconv_find_block(job, block, start, size);
    const int status = tconv_run_tiles(job, image, start, size, part, part + parts, memory);
    if (status != TCONV_OK) return status;
    task += parts;
  }
  return TCONV_OK;
}

/* Worker `index` runs its share of every kind: no kind waits for another. */
static inline int tconv_worker(void *context, int index, uint8_t *closure) {
  tconv_job job = *(const tconv_job *)(const void *)closure;
  float *memory = tconv_aligned(job.call->workspace) + index * job.cuts->worker_floats;
  int status = TCONV_OK;
  (void)context;
  for (job.kind = 0; status == TCONV_OK && job.kind < TCONV_TILE_KINDS; ++job.kind) {
    if (!tconv_has_tasks(&job.kernel->tiling, job.kind)) continue;
    job.blocks = job.cuts->blocks[job.kind];
    status = tconv_is_winograd(&job.kernel->tiling) ? tconv_run_kind(&job, index, memory)
                                                    : tconv_run_classes(&job, index, memory);
  }
  return status;
}

/* Softmax or its logarithm over the last axis of a worker's share of the images, in place. */
static inline int tconv_softmax_images(void *context, int index, uint8_t *closure) {
  const tconv_job *job = (const tconv_job *)(const void *)closure;
  const tconv_layer *layer = job->layer;
  const int64_t positions = job->dims.dim[0].out * job->dims.dim[1].out * job->dims.dim[2].out;
  const int64_t length = layer->channels_last ? layer->out_channels : job->dims.dim[2].out;
  const int64_t elements = positions * layer->out_channels;
  const int64_t batch = job->call->batch, workers = job->cuts->workers;
  halide_dimension_t dim[2];
  halide_buffer_t buffer;
  int64_t image;
  int32_t logarithm = layer->activation == TCONV_ACTIVATION_LOG_SOFTMAX;
  void *argv[3];
  (void)context;
  tconv_set_dim(&dim[0], length, 1);
  tconv_set_dim(&dim[1], elements / length, length);
  argv[0] = &buffer;
  argv[1] = &logarithm;
  argv[2] = &buffer;
  for (image = batch * index / workers; image < batch * (index + 1) / workers; ++image) {
    buffer = tconv_buffer(job->call->output + image * elements, 2, dim);
    if (job->path->softmax(argv) != 0) return TCONV_ERROR_KERNEL;
  }
  return TCONV_OK;
}

static inline int tconv_run_workers(tconv_job *job, tconv_task task) {
  const tconv_call *call = job->call;
  const int workers = (int)job->cuts->workers;
  const tconv_parallel_for parallel_for = call->parallel_for ? call->parallel_for : halide_do_par_for;
  if (workers == 1) return task(call->parallel_context, 0, (uint8_t *)job);
  return parallel_for(call->parallel_context, task, 0, workers, (uint8_t *)job);
}

static inline int tconv_layer_is_served(const tconv_kernel *kernel, const tconv_layer *layer) {
  int64_t phases = 1;
  int d;
  if (kernel->abi_version != TCONV_ABI_VERSION || layer->rank < 1 || layer->rank > TCONV_MAX_RANK) return 0;
  if (layer->groups < 1 || layer->in_channels < 1 || layer->out_channels < 1) return 0;
  if (layer->in_channels % layer->groups || layer->out_channels % layer->groups) return 0;
  if (tconv_is_row_of_phases(&kernel->tiling) && layer->groups != 1) return 0;
  for (d = 0; d < layer->rank; ++d) {
    if (!tconv_rule_is_valid(&layer->rule[d])) return 0;
    phases *= layer->rule[d].stride;
    if (phases > TCONV_MAX_PHASES) return 0;
    /* Where the output is prescribed, the packed weights follow from the input's size. */
    if (layer->size[d] == TCONV_UNSET && !tconv_rule_is_size_free(&layer->rule[d])) return 0;
  }
  return 1;
}

static inline int tconv_too_large(int64_t channels, const tconv_dims *dims, int64_t batch, int output) {
  int64_t left = INT32_MAX;
  int d;
  left /= tconv_max(channels, 1);
  left /= tconv_max(batch, 1);
  for (d = 0; d < TCONV_MAX_RANK; ++d) left /= tconv_max(output ? dims->dim[d].out : dims->dim[d].in, 1);
  return left == 0;
}

/* Checks the sizes of a call and resolves them. */
static inline int tconv_check_sizes(const tconv_kernel *kernel, const tconv_layer *layer, const tconv_call *call,
                                    tconv_dims *dims) {
  int d;
  if (!tconv_layer_is_served(kernel, layer)) return TCONV_ERROR_LAYER;
  if (call->batch < 0 || (layer->batch != TCONV_UNSET && layer->batch != call->batch)) return TCONV_ERROR_SHAPE;
  for (d = 0; d < layer->rank; ++d)
    if (layer->size[d] != TCONV_UNSET && layer->size[d] != call->size[d]) return TCONV_ERROR_SHAPE;
  if (!tconv_resolve_layer(layer, call->size, dims)) return TCONV_ERROR_SHAPE;
  if (tconv_too_large(layer->in_channels, dims, call->batch, 0) ||
      tconv_too_large(layer->out_channels, dims, call->batch, 1))
    return TCONV_ERROR_TOO_LARGE;
  return TCONV_OK;
}

static inline int tconv_check_workspace(const tconv_cuts *cuts, const tconv_call *call) {
  if (cuts->worker_floats > INT32_MAX) return TCONV_ERROR_TOO_LARGE;
  if (tconv_cuts_bytes(cuts) == 0) return TCONV_OK;
  if (!call->workspace) return TCONV_ERROR_NULL;
  return call->workspace_bytes < tconv_cuts_bytes(cuts) ? TCONV_ERROR_WORKSPACE : TCONV_OK;
}

/* ---- What a caller uses. ---- */

/* Whether this process may run the kernel's code for a path: matrix units are asked for where the code uses them. */
static inline int tconv_may_run(const tconv_kernel *kernel, const tconv_path *path) {
  const int feature = halide_target_feature_avx512_sapphirerapids;
  const int has_units = path->features[feature / 64] >> feature % 64 & 1;
  if (!halide_can_use_target_features(2, path->features)) return 0;
  return !(kernel->tiling.bf16x3 && has_units) || tconv_allow_matrix_units();
}

/* The best path that this processor runs, the first of those for one instruction set; NULL if there is none. */
static inline const tconv_path *tconv_select_path(const tconv_kernel *kernel) {
  int i;
  for (i = 0; i < kernel->path_count; ++i)
    if (tconv_may_run(kernel, &kernel->paths[i])) return &kernel->paths[i];
  return NULL;
}

/* Bytes of the packed weights, 0 if the layer is not one that the kernel serves. */
static inline size_t tconv_packed_bytes(const tconv_kernel *kernel, const tconv_layer *layer) {
  tconv_dims dims;
  if (!tconv_layer_is_served(kernel, layer) || !tconv_resolve_any(layer, &dims)) return 0;
  return (size_t)tconv_packed_floats(&kernel->tiling, layer, &dims) * sizeof(float);
}

/* Packs weights and bias (NULL: zeros) once, for any number of calls. `packed` has tconv_packed_bytes() bytes and is
 * best aligned to 64. */
static inline int tconv_pack(const tconv_kernel *kernel, const tconv_layer *layer, const float *weights,
                             const tconv_weight_strides *strides, const float *bias, float *packed) {
  tconv_dims dims;
  if (!kernel || !layer || !weights || !strides || !packed) return TCONV_ERROR_NULL;
  if (!tconv_layer_is_served(kernel, layer) || !tconv_resolve_any(layer, &dims)) return TCONV_ERROR_LAYER;
  tconv_pack_all(&kernel->tiling, layer, &dims, weights, strides, bias, packed);
  return TCONV_OK;
}

/* What the register tiles of a path compute for one phase, weighed by what each loads for a position. */
static inline double tconv_tile_cost(const tconv_path *path, const tconv_dims *dims) {
  double computed = 1, tile = 1;
  int d;
  for (d = 0; d < TCONV_MAX_RANK; ++d) {
    const tconv_dim *dim = &dims->dim[d];
    computed *= (double)tconv_round_up(tconv_ceil_div(dim->out, dim->stride), path->tile[d]);
    tile *= (double)path->tile[d];
  }
  return computed * (tile + 1) / tile;
}

/* The path of a call: the one that it names, else the best that this processor runs, of several for one instruction set
 * the one whose register tile suits the sizes. NULL if there is none. */
static inline const tconv_path *tconv_call_path(const tconv_kernel *kernel, const tconv_call *call,
                                                const tconv_dims *dims) {
  const tconv_path *const end = kernel->paths + kernel->path_count;
  const tconv_path *best = call->path, *other;
  if (best) return best;
  best = other = tconv_select_path(kernel);
  while (best && ++other < end && memcmp(other->features, best->features, sizeof best->features) == 0)
    if (tconv_tile_cost(other, dims) < tconv_tile_cost(best, dims)) best = other;
  return best;
}

static inline int tconv_thread_count(const tconv_call *call) {
  if (call->threads > 0) return call->threads;
  /* Halide says 0 until the pool has run something or was given its default. */
  if (halide_get_num_threads() < 1) halide_set_num_threads(0);
  return halide_get_num_threads();
}

/* Bytes of workspace that the call needs; reads its batch, size, threads and path only. */
static inline size_t tconv_workspace_bytes(const tconv_kernel *kernel, const tconv_layer *layer,
                                           const tconv_call *call) {
  tconv_dims dims;
  const tconv_path *path;
  tconv_cuts cuts;
  if (tconv_check_sizes(kernel, layer, call, &dims) != TCONV_OK) return 0;
  path = tconv_call_path(kernel, call, &dims);
  if (!path) return 0;
  tconv_cut_call(kernel, path, layer, &dims, call->batch, tconv_thread_count(call), &cuts);
  return cuts.worker_floats > INT32_MAX ? 0 : tconv_cuts_bytes(&cuts);
}

/* Runs the layer. The output is complete and valid only when TCONV_OK comes back. */
static inline int tconv_run_kernel(const tconv_kernel *kernel, const tconv_layer *layer, const tconv_call *call) {
  tconv_job job;
  tconv_cuts cuts;
  int64_t outputs;
  int status, d;
  if (!kernel || !layer || !call) return TCONV_ERROR_NULL;
  status = tconv_check_sizes(kernel, layer, call, &job.dims);
  if (status != TCONV_OK) return status;
  outputs = call->batch;
  for (d = 0; d < TCONV_MAX_RANK; ++d) outputs *= job.dims.dim[d].out;
  if (outputs == 0) return TCONV_OK;
  job.kernel = kernel;
  job.layer = layer;
  job.call = call;
  job.path = tconv_call_path(kernel, call, &job.dims);
  if (!job.path) return TCONV_ERROR_PROCESSOR;
  tconv_silence_errors();
  job.packed = kernel->baked ? tconv_baked_weights(kernel) : call->packed;
  if (!job.packed || !call->input || !call->output) return TCONV_ERROR_NULL;
  job.cuts = &cuts;
  tconv_cut_call(kernel, job.path, layer, &job.dims, call->batch, tconv_thread_count(call), &cuts);
  status = tconv_check_workspace(&cuts, call);
  if (status == TCONV_OK) status = tconv_run_workers(&job, tconv_worker);
  if (status == TCONV_OK && tconv_is_softmax(layer)) status = tconv_run_workers(&job, tconv_softmax_images);
  return status;
}

#ifdef __cplusplus
}
#endif

#endif
