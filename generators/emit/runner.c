/* The program that `tconvc run` and `tconvc bench` link to a kernel: reads raw float32 files, packs, runs, writes the
 * output, and with a time to spend measures. What comes before this text defines KERNEL, LAYER, STRIDES and the
 * headers.
 *
 *   runner INPUT KERNEL BIAS|- OUTPUT|- BATCH SIZE0 SIZE1 SIZE2 THREADS SECONDS
 *
 * Prints one JSON line. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { CHAINS = 12, PEAK_ROUNDS = 2000000, MOST_TIMES = 4096 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Twelve independent chains of multiply-adds: enough for two units of up to six cycles. The result is returned so that
 * the loop cannot be dropped. */
#define PEAK_LOOP(NAME, TARGET, VECTOR, SET, FMA)                         \
  TARGET static float NAME(long rounds) {                                 \
    VECTOR sum[CHAINS], a = SET(0.999f), b = SET(1e-6f);                  \
    float result = 0, lane[sizeof(VECTOR) / sizeof(float)];               \
    long i;                                                               \
    int c;                                                                \
    for (c = 0; c < CHAINS; ++c) sum[c] = SET((float)c);                  \
    for (i = 0; i < rounds; ++i) {                                        \
      _Pragma("GCC unroll 12") for (c = 0; c < CHAINS; ++c) sum[c] = FMA; \
    }                                                                     \
    for (c = 0; c < CHAINS; ++c) {                                        \
      memcpy(lane, &sum[c], sizeof lane);                                 \
      result += lane[0];                                                  \
    }                                                                     \
    return result;                                                        \
  }

#if defined(__x86_64__)
PEAK_LOOP(peak_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps(sum[c], a, b))
PEAK_LOOP(peak_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps(sum[c], a, b))
PEAK_LOOP(peak_sse, , __m128, _mm_set1_ps, _mm_add_ps(_mm_mul_ps(sum[c], a), b))
#elif defined(__aarch64__)
PEAK_LOOP(peak_neon, , float32x4_t, vdupq_n_f32, vfmaq_f32(b, sum[c], a))
#endif

static float (*peak_loop(int *lanes))(long) {
#if defined(__x86_64__)
  *lanes = 16;
  if (__builtin_cpu_supports("avx512f")) return peak_avx512;
  *lanes = 8;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return peak_avx2;
  *lanes = 4;
  return peak_sse;
#elif defined(__aarch64__)
  *lanes = 4;
  return peak_neon;
#else
  *lanes = 0;
  return NULL;
#endif
}

static volatile float sink;

static int peak_task(void *context, int index, uint8_t *closure) {
  int lanes;
  (void)context;
  (void)index;
  (void)closure;
  sink = peak_loop(&lanes)(PEAK_ROUNDS);
  return 0;
}

/* GFLOP/s of multiply-adds alone on so many threads at once, the best of five. 0 where there is no loop for it. */
static double measure_peak(int threads) {
  int lanes, i;
  double best = 1e30;
  uint8_t none;
  if (!peak_loop(&lanes)) return 0;
  for (i = 0; i < 5; ++i) {
    const double start = now();
    halide_do_par_for(NULL, peak_task, 0, threads, &none);
    if (now() - start < best) best = now() - start;
  }
  return 2.0 * lanes * CHAINS * (double)PEAK_ROUNDS * threads / best * 1e-9;
}

static void fail(const char *what, const char *which) {
  fprintf(stderr, "%s %s\n", what, which);
  exit(1);
}

static float *read_floats(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  long bytes;
  float *data;
  if (!file || fseek(file, 0, SEEK_END) != 0 || (bytes = ftell(file)) < 0) fail("cannot read", path);
  rewind(file);
  data = (float *)malloc((size_t)bytes + 1);
  if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) fail("cannot read", path);
  fclose(file);
  *count = (size_t)bytes / sizeof(float);
  return data;
}

static void write_floats(const char *path, const float *data, size_t count) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, sizeof(float), count, file) != count || fclose(file) != 0) fail("cannot write", path);
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void check(int status) {
  if (status != TCONV_OK) fail("tconv:", tconv_status_message(status));
}

/* Runs for the given time, at least five times. */
static int measure(const tconv_call *call, double seconds, double *times) {
  const double end = now() + seconds;
  int count = 0;
  while (count < MOST_TIMES && (count < 5 || now() < end)) {
    const double start = now();
    check(tconv_run_kernel(&KERNEL, &LAYER, call));
    times[count++] = now() - start;
  }
  qsort(times, (size_t)count, sizeof *times, by_value);
  return count;
}

static size_t output_floats(const tconv_call *call) {
  tconv_dims dims;
  if (!tconv_resolve_layer(&LAYER, call->size, &dims)) fail("tconv:", tconv_status_message(TCONV_ERROR_SHAPE));
  return (size_t)(call->batch * LAYER.out_channels * dims.dim[0].out * dims.dim[1].out * dims.dim[2].out);
}

int main(int argc, char **argv) {
  static double times[MOST_TIMES];
  tconv_call call = {0};
  size_t count, outputs;
  float *output, *packed = NULL;
  double seconds, peak = 0;
  int d, runs;
  if (argc != 11) fail("usage:", "runner INPUT KERNEL BIAS|- OUTPUT|- BATCH SIZE0 SIZE1 SIZE2 THREADS SECONDS");
  call.batch = atoll(argv[5]);
  for (d = 0; d < 3; ++d) call.size[d] = atoll(argv[6 + d]);
  call.threads = atoi(argv[9]);
  seconds = atof(argv[10]);
  if (call.threads > 0) halide_set_num_threads(call.threads);
  call.input = read_floats(argv[1], &count);
  {
    float *kernel = read_floats(argv[2], &count);
    float *bias = argv[3][0] == '-' ? NULL : read_floats(argv[3], &count);
    const size_t bytes = tconv_packed_bytes(&KERNEL, &LAYER);
    if (posix_memalign((void **)&packed, 64, bytes + 64) != 0) fail("out of", "memory");
    check(tconv_pack(&KERNEL, &LAYER, kernel, &STRIDES, bias, packed));
    free(kernel);
    free(bias);
  }
  call.packed = packed;
  outputs = output_floats(&call);
  call.workspace_bytes = tconv_workspace_bytes(&KERNEL, &LAYER, &call);
  call.workspace = malloc(call.workspace_bytes + 1);
  if (posix_memalign((void **)&output, 64, outputs * sizeof(float) + 64) != 0 || !call.workspace)
    fail("out of", "memory");
  call.output = output;
  check(tconv_run_kernel(&KERNEL, &LAYER, &call));
  if (argv[4][0] != '-') write_floats(argv[4], output, outputs);
  if (seconds > 0) {
    peak = measure_peak(tconv_thread_count(&call));
    runs = measure(&call, seconds, times);
    {
      const double after = measure_peak(tconv_thread_count(&call));
      if (after > peak) peak = after;
    }
    printf("{\"median_ms\": %.6f, \"minimum_ms\": %.6f, \"runs\": %d, \"peak_gflops\": %.3f, ", times[runs / 2] * 1e3,
           times[0] * 1e3, runs, peak);
  } else {
    printf("{");
  }
  printf("\"threads\": %d, \"target\": \"%s\"}\n", tconv_thread_count(&call), tconv_call_path(&KERNEL, &call)->target);
  return 0;
}
