/* Extents, paddings and phases of a transposed convolution, one spatial dimension at a time.
 *
 * This is the only place where they are computed. The compiler, the C driver of an emitted kernel, the C++ layer and
 * the tests all include it, so it is C99 and has no state; every function is reentrant.
 *
 * Every dialect becomes six integers a dimension (tconv_dim), with the meaning
 *
 *     out[o] = sum over i, t with  o = i * stride + t * dilation - crop  of  kernel[t] * in[i],   0 <= o < out.
 *
 * The rules that lead there are those of Keras 3.15 (valid, same), PyTorch and ONNX opset 11 and later (explicit pads,
 * auto_pad, output_shape), and TensorFlow Lite (TRANSPOSE_CONV with its output-shape tensor).
 */
#ifndef TCONV_GEOMETRY_H
#define TCONV_GEOMETRY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TCONV_MAX_RANK = 3 };

/* No extent, stride or padding may be larger: products of two of them stay far inside an int64_t. */
#define TCONV_MAX_EXTENT ((int64_t)1 << 30)

/* The most phases of all dimensions together, the product of the strides: they are walked one by one. */
#define TCONV_MAX_PHASES ((int64_t)1 << 16)

/* The longest kernel whose taps become phases, in each dimension. */
#define TCONV_MAX_TAP_PHASES ((int64_t)32)

/* "None", "null" or "not given", for a size that may be left open. */
#define TCONV_UNSET ((int64_t)-1)

typedef enum tconv_padding {
  TCONV_PADDING_KERAS_VALID,
  TCONV_PADDING_KERAS_SAME,
  TCONV_PADDING_EXPLICIT,    /* PyTorch padding; ONNX pads */
  TCONV_PADDING_ONNX_UPPER,  /* ONNX auto_pad SAME_UPPER */
  TCONV_PADDING_ONNX_LOWER,  /* ONNX auto_pad SAME_LOWER, and output_shape without auto_pad */
  TCONV_PADDING_TFLITE_SAME, /* these two need the output extent */
  TCONV_PADDING_TFLITE_VALID
} tconv_padding;

/* How one dimension follows from its input extent. */
typedef struct tconv_rule {
  int32_t padding; /* a tconv_padding */
  int64_t kernel, stride, dilation;
  int64_t output_padding;     /* TCONV_UNSET: None (Keras); elsewhere 0 */
  int64_t pad_begin, pad_end; /* TCONV_PADDING_EXPLICIT only */
  int64_t output;             /* the extent that ONNX or TFLite prescribe, else TCONV_UNSET */
} tconv_rule;

/* One dimension, every dialect's spelling removed. `crop` may be negative: zeros are added in front. */
typedef struct tconv_dim {
  int64_t in, kernel, stride, dilation, crop, out;
} tconv_dim;

/* A run of neighbouring output phases that read the same input positions. Output o = stride * q + first + p, for
 * 0 <= p < count and 0 <= q < extent, is the sum over 0 <= j < taps of
 *     kernel[first_tap + p - j * tap_step] * in[q + offset + j * step].
 * Several phases share a run only where the dilation is 1. */
typedef struct tconv_run {
  int64_t first, count;
  int64_t extent;
  int64_t taps, first_tap, tap_step;
  int64_t offset, step;
} tconv_run;

static inline int64_t tconv_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tconv_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tconv_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t tconv_round_up(int64_t a, int64_t b) { return tconv_ceil_div(a, b) * b; }

/* The remainder in [0, b), for any sign of a. */
static inline int64_t tconv_mod(int64_t a, int64_t b) {
  const int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}

/* The extent that the dilated kernel covers. */
static inline int64_t tconv_kernel_extent(int64_t kernel, int64_t dilation) { return (kernel - 1) * dilation + 1; }

/* 1 when every number of the rule is in range: positive sizes, output_padding not negative, an output extent where the
 * padding needs one. Pads of either sign are fine. */
static inline int tconv_rule_is_valid(const tconv_rule *rule) {
  const int needs_output = rule->padding == TCONV_PADDING_TFLITE_SAME || rule->padding == TCONV_PADDING_TFLITE_VALID;
  return rule->padding >= TCONV_PADDING_KERAS_VALID && rule->padding <= TCONV_PADDING_TFLITE_VALID &&
         rule->kernel >= 1 && rule->kernel <= TCONV_MAX_EXTENT && rule->stride >= 1 &&
         rule->stride <= TCONV_MAX_EXTENT && rule->dilation >= 1 && rule->dilation <= TCONV_MAX_EXTENT &&
         rule->output_padding >= TCONV_UNSET && rule->output_padding <= TCONV_MAX_EXTENT &&
         rule->pad_begin >= -TCONV_MAX_EXTENT && rule->pad_begin <= TCONV_MAX_EXTENT &&
         rule->pad_end >= -TCONV_MAX_EXTENT && rule->pad_end <= TCONV_MAX_EXTENT && rule->output >= TCONV_UNSET &&
         rule->output <= TCONV_MAX_EXTENT && (!needs_output || rule->output != TCONV_UNSET);
}

/* The dimension for one input extent (0 or more). Returns 1, or 0 when the rule is not valid or the output extent
 * would be negative or over TCONV_MAX_EXTENT; `dim->out` then holds the extent that was refused. */
static inline int tconv_resolve(const tconv_rule *rule, int64_t in, tconv_dim *dim) {
  const int64_t op = tconv_max(rule->output_padding, 0);
  int64_t span, covered, out = 0, crop = 0;
  dim->in = in;
  dim->kernel = rule->kernel;
  dim->stride = rule->stride;
  dim->dilation = rule->dilation;
  dim->crop = 0;
  dim->out = TCONV_UNSET;
  if (!tconv_rule_is_valid(rule) || in < 0 || in > TCONV_MAX_EXTENT) return 0;
  span = (in - 1) * rule->stride;
  covered = tconv_kernel_extent(rule->kernel, rule->dilation);
  switch (rule->padding) {
    case TCONV_PADDING_KERAS_VALID:
      out = span + (rule->output_padding == TCONV_UNSET ? tconv_max(covered, rule->stride) : covered + op);
      break;
    case TCONV_PADDING_KERAS_SAME:
      out = rule->output_padding == TCONV_UNSET ? in * rule->stride : span + covered % 2 + op;
      crop = tconv_max(span + covered - out, 0) / 2;
      break;
    case TCONV_PADDING_EXPLICIT:
      out = span + op + covered - rule->pad_begin - rule->pad_end;
      crop = rule->pad_begin;
      break;
    case TCONV_PADDING_ONNX_UPPER:
    case TCONV_PADDING_ONNX_LOWER: {
      int64_t total;
      /* ONNX Runtime and ONNX's shape inference never add to the output: a kernel shorter than the stride leaves it
       * short of in * stride. */
      out = rule->output != TCONV_UNSET ? rule->output : tconv_min(in * rule->stride, span + covered + op);
      total = tconv_max(span + covered + op - out, 0);
      crop = rule->padding == TCONV_PADDING_ONNX_UPPER ? total / 2 : total - total / 2;
      break;
    }
    case TCONV_PADDING_TFLITE_SAME:
      out = rule->output;
      crop = tconv_max(span + covered - out, 0) / 2;
      break;
    default: /* TCONV_PADDING_TFLITE_VALID */ out = rule->output; break;
  }
  dim->crop = crop;
  dim->out = out;
  return out >= 0 && out <= TCONV_MAX_EXTENT;
}

/* 1 when the stride of a fixed extent is taken to be as long as the kernel: one input position makes no stride, and
 * each tap is a phase of its own then, instead of a sum with products that are all zero but one. */
static inline int tconv_taps_are_phases(const tconv_rule *rule, int64_t in) {
  return in == 1 && rule->dilation == 1 && rule->stride < rule->kernel && rule->kernel <= TCONV_MAX_TAP_PHASES;
}

/* 1 when the crop, the phases and so the packed weights are the same for every input extent that is left open. Only a
 * prescribed output extent ties them to one. */
static inline int tconv_rule_is_size_free(const tconv_rule *rule) { return rule->output == TCONV_UNSET; }

static inline int64_t tconv_gcd(int64_t a, int64_t b) {
  while (b > 1) {
    const int64_t r = a % b;
    a = b;
    b = r;
  }
  return b == 1 ? 1 : a;
}

/* The least t >= 0 with t * factor = value modulo `modulus`, for 0 <= value < modulus; -1 where there is none. Extended
 * Euclid's algorithm: a layer has as many phases as its stride is long, and each asks. */
static inline int64_t tconv_solve_modular(int64_t factor, int64_t value, int64_t modulus) {
  int64_t a = factor % modulus, b = modulus, inverse = 1, next = 0;
  if (factor == 1) return value;
  while (b != 0) {
    const int64_t quotient = a / b, rest = a - quotient * b, before = inverse - quotient * next;
    a = b;
    b = rest;
    inverse = next;
    next = before;
  }
  if (value % a != 0) return -1;
  return tconv_mod(value / a * tconv_mod(inverse, modulus / a), modulus / a);
}

/* The single phase `first` (0 <= first < stride) of a dimension. A phase that no tap reaches has taps == 0. */
static inline tconv_run tconv_phase(const tconv_dim *dim, int64_t first) {
  const int64_t s = dim->stride, d = dim->dilation, common = tconv_gcd(s, d);
  const int64_t lowest = tconv_solve_modular(d, tconv_mod(first + dim->crop, s), s);
  tconv_run run = {0, 1, 0, 0, 0, 0, 0, 1};
  run.first = first;
  run.tap_step = common == 1 ? s : s / common;
  run.extent = first < dim->out ? tconv_ceil_div(dim->out - first, s) : 0;
  if (lowest >= 0 && lowest < dim->kernel) {
    run.taps = (dim->kernel - 1 - lowest) / run.tap_step + 1;
    run.first_tap = lowest + (run.taps - 1) * run.tap_step;
    run.offset = (first + dim->crop - run.first_tap * d) / s;
    run.step = common == 1 ? d : d / common;
  }
  return run;
}

/* The run of phases that starts at `first`: the single phase, or with `merge` as many as share its input window. Walk
 * a dimension with  for (r = 0; r < stride; r += run.count). */
static inline tconv_run tconv_phase_run(const tconv_dim *dim, int64_t first, int merge) {
  tconv_run run = tconv_phase(dim, first);
  while (merge && dim->dilation == 1 && run.taps > 0 && first + run.count < dim->stride) {
    const tconv_run next = tconv_phase(dim, first + run.count);
    if (next.taps != run.taps || next.offset != run.offset || next.extent != run.extent) break;
    ++run.count;
  }
  return run;
}

/* All phases of a dimension of dilation 1 as one run, over the union of their windows: kernel[first_tap + p - j *
 * tap_step] may lie outside the kernel, and output o may lie beyond dim->out. Then there is none. */
static inline tconv_run tconv_united_run(const tconv_dim *dim) {
  tconv_run run;
  const int64_t s = dim->stride, last = s - 1 + dim->crop, first = dim->kernel - 1 - dim->crop;
  run.first = 0;
  run.count = run.tap_step = s;
  run.extent = tconv_ceil_div(dim->out, s);
  run.offset = (tconv_mod(first, s) - first) / s;
  run.taps = (last - tconv_mod(last, s)) / s - run.offset + 1;
  run.first_tap = dim->crop - s * run.offset;
  run.step = 1;
  return run;
}

#ifdef __cplusplus
}
#endif

#endif
