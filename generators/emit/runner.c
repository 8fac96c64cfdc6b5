/* The program that `tconvc run` links to a kernel: reads raw float32 files, packs, runs and writes the output. What
 * comes before this text defines KERNEL, LAYER, STRIDES and the headers.
 *
 *   runner INPUT KERNEL BIAS|- OUTPUT BATCH SIZE0 SIZE1 SIZE2 THREADS */
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, const char *which) {
  fprintf(stderr, "%s %s\n", what, which);
  exit(1);
}

static float *read_floats(const char *path) {
  FILE *file = fopen(path, "rb");
  long bytes;
  float *data;
  if (!file || fseek(file, 0, SEEK_END) != 0 || (bytes = ftell(file)) < 0) fail("cannot read", path);
  rewind(file);
  data = (float *)malloc((size_t)bytes + 1);
  if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes) fail("cannot read", path);
  fclose(file);
  return data;
}

static void write_floats(const char *path, const float *data, size_t count) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, sizeof(float), count, file) != count || fclose(file) != 0) fail("cannot write", path);
}

static void check(int status) {
  if (status != TCONV_OK) fail("tconv:", tconv_status_message(status));
}

static size_t output_floats(const tconv_call *call) {
  tconv_dims dims;
  if (!tconv_resolve_layer(&LAYER, call->size, &dims)) fail("tconv:", tconv_status_message(TCONV_ERROR_SHAPE));
  return (size_t)(call->batch * LAYER.out_channels * dims.dim[0].out * dims.dim[1].out * dims.dim[2].out);
}

int main(int argc, char **argv) {
  tconv_call call = {0};
  size_t outputs;
  float *output, *packed = NULL;
  int d;
  if (argc != 10) fail("usage:", "runner INPUT KERNEL BIAS|- OUTPUT BATCH SIZE0 SIZE1 SIZE2 THREADS");
  call.batch = atoll(argv[5]);
  for (d = 0; d < 3; ++d) call.size[d] = atoll(argv[6 + d]);
  call.threads = atoi(argv[9]);
  if (call.threads > 0) halide_set_num_threads(call.threads);
  call.input = read_floats(argv[1]);
  {
    float *kernel = read_floats(argv[2]);
    float *bias = argv[3][0] == '-' ? NULL : read_floats(argv[3]);
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
  write_floats(argv[4], output, outputs);
  return 0;
}
