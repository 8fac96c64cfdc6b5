/* A compiled kernel as peers/tconv.py loads it: packs once, runs, and times runs. HEADER is the layer's header, LAYER
 * and STRIDES its data; KERNEL is its kernel, or the one of GENERAL_HEADER where that is given. */
#include HEADER
#ifdef GENERAL_HEADER
#include GENERAL_HEADER
#endif
#include <stdlib.h>
#include <time.h>

static tconv_call call;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The memory lives as long as the process: a worker is started for a run and loads a library for each shape. */
int bench_prepare(const float *input, const float *kernel, float *output, int threads) {
  float *packed;
  int d, status;
  call.batch = LAYER.batch;
  for (d = 0; d < TCONV_MAX_RANK; ++d) call.size[d] = d < LAYER.rank ? LAYER.size[d] : 1;
  call.threads = threads;
  halide_set_num_threads(threads);
  if (posix_memalign((void **)&packed, 64, tconv_packed_bytes(&KERNEL, &LAYER) + 64) != 0) return TCONV_ERROR_NULL;
  status = tconv_pack(&KERNEL, &LAYER, kernel, &STRIDES, NULL, packed);
  if (status != TCONV_OK) return status;
  call.input = input;
  call.packed = packed;
  call.output = output;
  call.workspace_bytes = tconv_workspace_bytes(&KERNEL, &LAYER, &call);
  call.workspace = malloc(call.workspace_bytes + 1);
  return call.workspace ? TCONV_OK : TCONV_ERROR_NULL;
}

int bench_run(void) { return tconv_run_kernel(&KERNEL, &LAYER, &call); }

/* How many runs were timed, at least one; or minus a status. */
int bench_time(double seconds, double *times, int most) {
  const double end = now() + seconds;
  int count = 0;
  do {
    const double start = now();
    const int status = bench_run();
    if (status != TCONV_OK) return -abs(status);
    times[count++] = now() - start;
  } while (count < most && now() < end);
  return count;
}

const char *bench_method(void) { return tconv_select_path(&KERNEL)->target; }
