/* A kernel with a main(): makes its own input and weights, checks the output against the definition in double, and
 * times the call. What `tconvc bench` and `tconvc tune` run, here, under an emulator or elsewhere, and what
 * `tconvc compile --emit program` leaves. What comes before this text defines KERNEL, LAYER, STRIDES, CODE_BYTES, the
 * activations and the headers.
 *
 *   program [THREADS [SECONDS [WORK]]]
 *
 * THREADS: at most so many, 1 if it is left out. SECONDS to spend on timed calls, 0.3 if it is left out. WORK: checks
 * as many outputs, spread over all, as take so many multiply-adds; all where they fit; 2e7 if it is left out; 0: no
 * check, and no measuring of the machine.
 * Prints one JSON line; exits with 1 where it could not run, with 2 where an output is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 12, PEAK_ROUNDS = 1000000, MOST_TIMES = 4096 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what, const char *which) {
  fprintf(stderr, "%s %s\n", what, which);
  exit(1);
}

static void check(int status) {
  if (status != TCONV_OK) fail("tconv:", tconv_status_message(status));
}

static float *new_floats(int64_t count) {
  void *memory;
  if (posix_memalign(&memory, 64, (size_t)count * sizeof(float) + 64) != 0) fail("out of", "memory");
  return (float *)memory;
}

/* Twelve independent chains of multiply-adds, which the compiler fuses where the target can: enough for two units of up
 * to six cycles. The result is returned so that the loop cannot be dropped. */
#define PEAK_LOOP(NAME, TARGET, LANES)                                               \
  TARGET static float NAME(long rounds) {                                            \
    typedef float vector __attribute__((vector_size(LANES * sizeof(float))));        \
    vector sum[CHAINS], a = (vector){0} + 0.999f, b = (vector){0} + 1e-6f;           \
    float result = 0;                                                                \
    long i;                                                                          \
    int c;                                                                           \
    for (c = 0; c < CHAINS; ++c) sum[c] = (vector){0} + (float)c;                    \
    for (i = 0; i < rounds; ++i) {                                                   \
      _Pragma("GCC unroll 12") for (c = 0; c < CHAINS; ++c) sum[c] = sum[c] * a + b; \
    }                                                                                \
    for (c = 0; c < CHAINS; ++c) result += sum[c][0];                                \
    return result;                                                                   \
  }

#if defined(__x86_64__)
PEAK_LOOP(peak_avx512, __attribute__((target("avx512f"))), 16)
PEAK_LOOP(peak_avx2, __attribute__((target("avx2,fma"))), 8)
PEAK_LOOP(peak_sse, , 4)
#elif defined(__aarch64__)
PEAK_LOOP(peak_neon, , 4)
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

/* An array that no second-level cache holds, and that most third-level ones do not. */
enum { STREAM_BYTES = 96 << 20 };

typedef struct {
  const char *memory;
  size_t share;
} stream;

static int read_task(void *context, int index, uint8_t *closure) {
  typedef float vector __attribute__((vector_size(16)));
  const stream *s = (const stream *)closure;
  const vector *data = (const vector *)(s->memory + (size_t)index * s->share);
  vector sum[4] = {{0}};
  size_t i;
  int c;
  (void)context;
  for (i = 0; i + 4 <= s->share / sizeof(vector); i += 4)
    for (c = 0; c < 4; ++c) sum[c] += data[i + (size_t)c];
  sink = sum[0][0] + sum[1][0] + sum[2][0] + sum[3][0];
  return 0;
}

/* GB/s that so many threads read from memory together, the best of four. 0 where the memory is not to be had. */
static double measure_bandwidth(int threads) {
  stream s = {NULL, STREAM_BYTES / (size_t)threads / 64 * 64};
  void *memory;
  double best = 1e30;
  int i;
  if (posix_memalign(&memory, 64, STREAM_BYTES) != 0) return 0;
  memset(memory, 0, STREAM_BYTES);
  s.memory = (const char *)memory;
  for (i = 0; i < 4; ++i) {
    const double start = now();
    halide_do_par_for(NULL, read_task, 0, threads, (uint8_t *)&s);
    if (now() - start < best) best = now() - start;
  }
  free(memory);
  return (double)s.share * threads / best * 1e-9;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
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

/* Uniform in (-1, 1): Knuth's linear congruential generator, the upper bits. */
static void fill(float *data, int64_t count, uint64_t seed) {
  int64_t i;
  for (i = 0; i < count; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    data[i] = (float)((double)(seed >> 40) / 8388608.0 - 1.0);
  }
}

static int64_t at(int64_t n, int64_t channel, int64_t channels, const int64_t *position, const int64_t *size) {
  const int64_t inside = (position[0] * size[1] + position[1]) * size[2] + position[2];
  const int64_t all = size[0] * size[1] * size[2];
  return LAYER.channels_last ? (n * all + inside) * channels + channel : (n * channels + channel) * all + inside;
}

/* The taps that meet an output in one dimension, and the inputs that they take there. */
typedef struct {
  int64_t count, *tap, *in;
} meetings;

typedef struct {
  tconv_dims dims;
  const float *input, *kernel, *bias, *output;
  meetings *meetings; /* one a dimension, to work in */
} arrays;

/* The definition: output o takes kernel[k] * input[i] wherever o + crop = stride * i + dilation * k. */
static void find_meetings(const tconv_dim *dim, int64_t out, meetings *found) {
  int64_t k;
  found->count = 0;
  for (k = 0; k < dim->kernel; ++k) {
    const int64_t from = out + dim->crop - k * dim->dilation;
    if (from < 0 || from % dim->stride != 0 || from / dim->stride >= dim->in) continue;
    found->tap[found->count] = k;
    found->in[found->count++] = from / dim->stride;
  }
}

static double sum_at(const arrays *a, int64_t n, int64_t channel, const int64_t *out) {
  const int64_t inputs = LAYER.in_channels / LAYER.groups, outputs = LAYER.out_channels / LAYER.groups;
  const int64_t group = channel / outputs;
  const int64_t in_size[3] = {a->dims.dim[0].in, a->dims.dim[1].in, a->dims.dim[2].in};
  const int lead = TCONV_MAX_RANK - LAYER.rank;
  const meetings *m = a->meetings;
  int64_t z, y, x, c;
  double sum = a->bias[channel];
  int d;
  for (d = 0; d < 3; ++d) find_meetings(&a->dims.dim[d], out[d], &a->meetings[d]);
  for (z = 0; z < m[0].count; ++z)
    for (y = 0; y < m[1].count; ++y)
      for (x = 0; x < m[2].count; ++x) {
        const int64_t in[3] = {m[0].in[z], m[1].in[y], m[2].in[x]}, tap[3] = {m[0].tap[z], m[1].tap[y], m[2].tap[x]};
        int64_t weight = group * STRIDES.group + channel % outputs * STRIDES.out;
        for (d = lead; d < 3; ++d) weight += tap[d] * STRIDES.tap[d - lead];
        for (c = 0; c < inputs; ++c)
          sum += (double)a->kernel[weight + c * STRIDES.in] *
                 (double)a->input[at(n, group * inputs + c, LAYER.in_channels, in, in_size)];
      }
  return sum;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double elu(double x) { return x > 0 ? x : expm1(x); }
static double relu6(double x) { return fmin(fmax(x, 0), 6); }

/* As Keras documents each. */
static double activated(double x) {
  switch (LAYER.activation) {
    case activation_relu: return fmax(x, 0);
    case activation_relu6: return relu6(x);
    case activation_leaky_relu: return x > 0 ? x : 0.2 * x;
    case activation_elu:
    case activation_celu: return elu(x);
    case activation_selu: return 1.05070098735548049342 * (x > 0 ? x : 1.67326324235437728482 * expm1(x));
    case activation_silu: return x * sigmoid(x);
    case activation_gelu: return x * 0.5 * erfc(-x / sqrt(2.0));
    case activation_sigmoid: return sigmoid(x);
    case activation_tanh: return tanh(x);
    case activation_softplus: return softplus(x);
    case activation_softsign: return x / (1 + fabs(x));
    case activation_exponential: return exp(x);
    case activation_hard_sigmoid: return relu6(x + 3) / 6;
    case activation_hard_silu: return x * relu6(x + 3) / 6;
    case activation_hard_tanh: return fmin(fmax(x, -1), 1);
    case activation_hard_shrink: return fabs(x) > 0.5 ? x : 0;
    case activation_soft_shrink: return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0;
    case activation_tanh_shrink: return x - tanh(x);
    case activation_squareplus: return (x + sqrt(x * x + 4)) / 2;
    case activation_sparse_plus: return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4;
    case activation_sparse_sigmoid: return fmin(fmax((x + 1) / 2, 0), 1);
    case activation_log_sigmoid: return -softplus(-x);
    case activation_mish: return x * tanh(softplus(x));
    default: return x;
  }
}

/* Along the last axis: channels, or with channels first the innermost positions. */
static double softmax_at(const arrays *a, int64_t n, int64_t channel, const int64_t *out, double own) {
  const int64_t length = LAYER.channels_last ? LAYER.out_channels : a->dims.dim[2].out;
  double total = 0;
  int64_t i;
  for (i = 0; i < length; ++i) {
    const int64_t along[3] = {out[0], out[1], LAYER.channels_last ? out[2] : i};
    total += exp(sum_at(a, n, LAYER.channels_last ? i : channel, along) - own);
  }
  return LAYER.activation == activation_softmax ? 1 / total : -log(total);
}

/* Sums of K products of numbers below one: rounding stays below a tenth of this, Winograd's method included, and one
 * product more or less is far above it. */
static double tolerance(const arrays *a) {
  int64_t products = LAYER.in_channels / LAYER.groups;
  int d;
  for (d = 0; d < 3; ++d) products *= tconv_most_taps(&a->dims.dim[d]);
  return 1e-6 * (double)(products + 16);
}

/* The largest error over the tolerance, of every `step`-th output. */
static double largest_share(const arrays *a, int64_t outputs, int64_t step, double *error) {
  const tconv_dim *dim = a->dims.dim;
  const int64_t size[3] = {dim[0].out, dim[1].out, dim[2].out};
  const int64_t positions = size[0] * size[1] * size[2];
  const int row = LAYER.activation == activation_softmax || LAYER.activation == activation_log_softmax;
  const double most = tolerance(a);
  double worst = 0;
  int64_t i;
  for (i = 0; i < outputs; i += step) {
    const int64_t channel = i % LAYER.out_channels, n = i / LAYER.out_channels / positions;
    const int64_t p = i / LAYER.out_channels % positions;
    const int64_t out[3] = {p / size[1] / size[2], p / size[2] % size[1], p % size[2]};
    const double sum = sum_at(a, n, channel, out);
    const double wanted = row ? softmax_at(a, n, channel, out, sum) : activated(sum);
    const double got = a->output[at(n, channel, LAYER.out_channels, out, size)];
    if (isnan(got)) return INFINITY;
    /* Steep only where the value is large: exponential and its like. */
    const double share = fabs(got - wanted) / (most * (1 + fabs(wanted)));
    if (fabs(got - wanted) > *error) *error = fabs(got - wanted);
    if (!(share <= worst)) worst = share;
  }
  return worst;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) { return b == 0 ? a : greatest_common_divisor(b, a % b); }

/* A step that meets every channel and phase in turn. */
static int64_t find_step(const arrays *a, int64_t outputs, double work) {
  double each = 1;
  int64_t step;
  int d;
  for (d = 0; d < 3; ++d) each *= (double)tconv_most_taps(&a->dims.dim[d]);
  each *= (double)(LAYER.in_channels / LAYER.groups);
  if (LAYER.activation == activation_softmax || LAYER.activation == activation_log_softmax)
    each *= (double)(LAYER.channels_last ? LAYER.out_channels : a->dims.dim[2].out);
  step = (int64_t)ceil((double)outputs * each / work);
  while (step > 1 && greatest_common_divisor(step, outputs) != 1) ++step;
  return step;
}

int main(int argc, char **argv) {
  static double times[MOST_TIMES];
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  const double seconds = argc > 2 ? atof(argv[2]) : 0.3, work = argc > 3 ? atof(argv[3]) : 2e7;
  char processor[PROCESSOR_NAME_BYTES];
  tconv_call call = {0};
  meetings each[3];
  arrays a;
  int64_t inputs, outputs, weights;
  float *input, *kernel, *bias, *output, *packed;
  double peak = 0, bandwidth = 0, error = 0, share = 0;
  int d, runs;
  if (argc > 4 || threads < 1) fail("usage:", "program [THREADS [SECONDS [WORK]]]");
  if (!tconv_resolve_layer(&LAYER, LAYER.size, &a.dims)) fail("tconv:", tconv_status_message(TCONV_ERROR_SHAPE));
  call.batch = LAYER.batch == TCONV_UNSET ? 1 : LAYER.batch;
  call.threads = threads;
  halide_set_num_threads(threads);
  inputs = call.batch * LAYER.in_channels;
  outputs = call.batch * LAYER.out_channels;
  weights = LAYER.in_channels / LAYER.groups * LAYER.out_channels;
  for (d = 0; d < 3; ++d) {
    inputs *= a.dims.dim[d].in;
    outputs *= a.dims.dim[d].out;
    weights *= a.dims.dim[d].kernel;
  }
  for (d = 0; d < LAYER.rank; ++d) call.size[d] = LAYER.size[d];
  for (d = 0; d < 3; ++d) {
    each[d].tap = (int64_t *)malloc((size_t)a.dims.dim[d].kernel * sizeof(int64_t));
    each[d].in = (int64_t *)malloc((size_t)a.dims.dim[d].kernel * sizeof(int64_t));
    if (!each[d].tap || !each[d].in) fail("out of", "memory");
  }
  a.meetings = each;
  a.input = input = new_floats(inputs);
  a.kernel = kernel = new_floats(weights);
  a.bias = bias = new_floats(LAYER.out_channels);
  a.output = output = new_floats(outputs);
  fill(input, inputs, 1);
  fill(kernel, weights, 2);
  fill(bias, LAYER.out_channels, 3);
  packed = new_floats((int64_t)(tconv_packed_bytes(&KERNEL, &LAYER) / sizeof(float)));
  check(tconv_pack(&KERNEL, &LAYER, kernel, &STRIDES, bias, packed));
  call.input = input;
  call.packed = packed;
  call.output = output;
  call.workspace_bytes = tconv_workspace_bytes(&KERNEL, &LAYER, &call);
  call.workspace = malloc(call.workspace_bytes + 1);
  if (!call.workspace) fail("out of", "memory");
  check(tconv_run_kernel(&KERNEL, &LAYER, &call));
  if (work > 0) {
    share = largest_share(&a, outputs, find_step(&a, outputs, work), &error);
    peak = measure_peak(threads);
    bandwidth = measure_bandwidth(threads);
  }
  runs = measure(&call, seconds, times);
  if (work > 0) {
    const double after = measure_peak(threads);
    if (after > peak) peak = after;
  }
  processor_name(processor);
  printf("{\"median_ms\": %.6f, \"minimum_ms\": %.6f, \"runs\": %d, ", times[runs / 2] * 1e3, times[0] * 1e3, runs);
  if (work > 0)
    printf("\"peak_gflops\": %.3f, \"bandwidth_gbs\": %.3f, \"largest_error\": %.3g, \"correct\": %s, ", peak, bandwidth, error,
           share <= 1 ? "true" : "false");
  printf("\"threads\": %d, \"target\": \"%s\", \"processor\": \"%s\", \"code_bytes\": %ld}\n",
         tconv_thread_count(&call), tconv_select_path(&KERNEL)->target, processor, (long)CODE_BYTES);
  return share <= 1 ? 0 : 2;
}
