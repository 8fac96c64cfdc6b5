/* Runs a kernel that was compiled for CUDA: host arrays in, host arrays out.
 *
 * The whole padded input of one image, the packed weights and the output are copied to the device; each class is then
 * one launch on views of that memory. Activations that are not fused, and softmax, run on the host afterwards. C99,
 * inline; link the emitted CUDA library, which finds the driver at run time. Not for concurrent calls on one output.
 */
#ifndef TCONV_RUN_CUDA_H
#define TCONV_RUN_CUDA_H

#include "HalideRuntimeCuda.h"
#include "tconv/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Host memory with its copy on the device. */
typedef struct tconv_device_array {
  const void *host;
  halide_buffer_t buffer;
  halide_dimension_t dim;
} tconv_device_array;

/* Holds a pointer into itself, as tconv_arguments does. */
static inline int tconv_device_new(tconv_device_array *array, const float *host, int64_t floats, int copy) {
  tconv_set_dim(&array->dim, floats, 1);
  array->host = host;
  array->buffer = tconv_buffer(host, 1, &array->dim);
  if (halide_device_malloc(NULL, &array->buffer, halide_cuda_device_interface()) != 0) return 0;
  if (!copy) return 1;
  array->buffer.flags |= halide_buffer_flag_host_dirty;
  return halide_copy_to_device(NULL, &array->buffer, halide_cuda_device_interface()) == 0;
}

static inline void tconv_device_delete(tconv_device_array *array) {
  if (array->buffer.device != 0) halide_device_free(NULL, &array->buffer);
}

/* Points a bound buffer at the device's copy of the memory that it views. */
static inline int tconv_to_device(halide_buffer_t *view, tconv_device_array *array) {
  const uint64_t base = (uint64_t)halide_cuda_get_device_ptr(NULL, &array->buffer);
  const uint64_t offset = (uint64_t)(view->host - (const uint8_t *)array->host);
  view->host = NULL;
  return halide_cuda_wrap_device_ptr(NULL, view, base + offset) == 0;
}

static inline int tconv_launch_class(const tconv_job *job, const tconv_class *one, int64_t image,
                                     const tconv_window *window, tconv_device_array *input, tconv_device_array *weights,
                                     tconv_device_array *output) {
  static const int64_t start[TCONV_MAX_RANK] = {0, 0, 0};
  const tconv_outputs outputs = tconv_find_outputs(job, image, start, 0, job->layer->out_channels, NULL);
  tconv_arguments arguments;
  int ok;
  if (!tconv_bind(job, one, start, window, &outputs, &arguments)) return TCONV_OK;
  if (arguments.variant < 0) return TCONV_ERROR_KERNEL;
  ok = tconv_to_device(&arguments.input, input) && tconv_to_device(&arguments.weights, weights) &&
       tconv_to_device(&arguments.bias, weights) && tconv_to_device(&arguments.output, output);
  ok = ok && job->path->phases[arguments.variant](arguments.argv) == 0;
  halide_cuda_detach_device_ptr(NULL, &arguments.input);
  halide_cuda_detach_device_ptr(NULL, &arguments.weights);
  halide_cuda_detach_device_ptr(NULL, &arguments.bias);
  halide_cuda_detach_device_ptr(NULL, &arguments.output);
  return ok ? TCONV_OK : TCONV_ERROR_DEVICE;
}

/* All classes of one image, whose padded input is copied to `memory` and from there to the device. */
static inline int tconv_launch_image(const tconv_job *job, int64_t image, float *memory, tconv_device_array *weights,
                                     tconv_device_array *output) {
  static const int64_t start[TCONV_MAX_RANK] = {0, 0, 0};
  const tconv_tiling *tiling = &job->kernel->tiling;
  int64_t floats = job->layer->in_channels;
  tconv_device_array input;
  tconv_window window;
  tconv_class one;
  int status, d;
  status = tconv_load_window(job, image, start, job->blocks.quotients, memory, &window);
  if (status != TCONV_OK) return status;
  status = TCONV_ERROR_DEVICE;
  for (d = 0; d < TCONV_MAX_RANK; ++d) floats *= window.data == memory ? window.extent[d] : job->dims.dim[d].in;
  if (tconv_device_new(&input, window.data, floats, 1)) {
    tconv_first_class(tiling, job->layer, &job->dims, &one);
    do {
      status = tconv_launch_class(job, &one, image, &window, &input, weights, output);
    } while (status == TCONV_OK && tconv_next_class(tiling, job->layer, &job->dims, &one));
  }
  tconv_device_delete(&input);
  return status;
}

/* An activation that the kernel does not fuse, over the whole output. */
static inline int tconv_activate_all(const tconv_job *job, int64_t floats) {
  halide_dimension_t dim[2 + 2 * TCONV_MAX_RANK];
  const int dimensions = 2 + 2 * job->layer->rank, dense = job->layer->channels_last ? 0 : 2;
  halide_buffer_t buffer = tconv_buffer(job->call->output, dimensions, dim);
  int32_t kind = job->layer->activation;
  void *argv[3];
  int d;
  if (!job->path->activate || kind == TCONV_ACTIVATION_LINEAR || tconv_is_softmax(job->layer)) return TCONV_OK;
  for (d = 0; d < dimensions; ++d) tconv_set_dim(&dim[d], d == dense ? floats : 1, d == dense ? 1 : floats);
  argv[0] = argv[2] = &buffer;
  argv[1] = &kind;
  return job->path->activate(argv) == 0 ? TCONV_OK : TCONV_ERROR_KERNEL;
}

/* The call's path, or the kernel's only one: whether the device serves it shows when it is used. */
static inline int tconv_prepare_cuda(const tconv_kernel *kernel, const tconv_layer *layer, const tconv_call *call,
                                     tconv_kernel *whole, tconv_cuts *cuts, tconv_job *job) {
  const int status = tconv_check_sizes(kernel, layer, call, &job->dims);
  if (status != TCONV_OK) return status;
  *whole = *kernel;
  whole->tiling.block_bytes = INT64_MAX; /* one block: all of an image */
  job->kernel = whole;
  job->layer = layer;
  job->call = call;
  job->path = call->path ? call->path : &kernel->paths[0];
  job->packed = kernel->baked ? tconv_baked_weights(kernel) : call->packed;
  tconv_cut_call(whole, job->path, layer, &job->dims, call->batch, 1, cuts);
  job->cuts = cuts;
  job->blocks = cuts->blocks[0];
  if (job->blocks.window_floats > INT32_MAX) return TCONV_ERROR_TOO_LARGE;
  return job->packed && call->input && call->output ? TCONV_OK : TCONV_ERROR_NULL;
}

/* Bytes of host workspace for tconv_run_cuda(): one padded image, or 0. */
static inline size_t tconv_cuda_workspace_bytes(const tconv_kernel *kernel, const tconv_layer *layer,
                                                const tconv_call *call) {
  tconv_kernel whole;
  tconv_cuts cuts;
  tconv_job job;
  const int status = tconv_prepare_cuda(kernel, layer, call, &whole, &cuts, &job);
  return status == TCONV_OK || status == TCONV_ERROR_NULL ? tconv_cuts_bytes(&cuts) : 0;
}

/* Runs the layer on the device that Halide chooses (HL_GPU_DEVICE, else the first). */
static inline int tconv_run_cuda(const tconv_kernel *kernel, const tconv_layer *layer, const tconv_call *call) {
  tconv_device_array weights, output;
  tconv_kernel whole;
  tconv_cuts cuts;
  tconv_job job;
  int64_t floats, image;
  int status;
  if (!kernel || !layer || !call) return TCONV_ERROR_NULL;
  tconv_silence_errors();
  status = tconv_prepare_cuda(kernel, layer, call, &whole, &cuts, &job);
  if (status != TCONV_OK) return status;
  floats = call->batch * layer->out_channels * job.dims.dim[0].out * job.dims.dim[1].out * job.dims.dim[2].out;
  if (floats == 0) return TCONV_OK;
  status = tconv_check_workspace(&cuts, call);
  if (status != TCONV_OK) return status;
  output.buffer.device = 0;
  status = TCONV_ERROR_DEVICE;
  if (tconv_device_new(&weights, job.packed, tconv_packed_floats(&whole.tiling, layer, &job.dims), 1) &&
      tconv_device_new(&output, call->output, floats, 0)) {
    status = TCONV_OK;
    for (image = 0; image < call->batch && status == TCONV_OK; ++image)
      status = tconv_launch_image(&job, image, tconv_aligned(call->workspace), &weights, &output);
    output.buffer.flags |= halide_buffer_flag_device_dirty;
    if (status == TCONV_OK && halide_copy_to_host(NULL, &output.buffer) != 0) status = TCONV_ERROR_DEVICE;
  }
  tconv_device_delete(&weights);
  tconv_device_delete(&output);
  if (status == TCONV_OK) status = tconv_activate_all(&job, floats);
  if (status == TCONV_OK && tconv_is_softmax(layer)) status = tconv_softmax_images(NULL, 0, (uint8_t *)&job);
  return status;
}

#ifdef __cplusplus
}
#endif

#endif
