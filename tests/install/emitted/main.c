/* Runs up1, whose weights are inside its library, on INPUT.npy and compares with EXPECTED.npy, both as NumPy 1.0 format
 * writes them: the array is the file's end. Ends with 0 when they agree. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "up1.h"

enum { INPUTS = 48 * 96 * 24, OUTPUTS = 96 * 192 * 24 };

static float input[INPUTS], expected[OUTPUTS], output[OUTPUTS];

static int read_array(const char *path, float *array, size_t size) {
  FILE *file = fopen(path, "rb");
  size_t got = 0;
  if (file && fseek(file, -(long)(size * sizeof(float)), SEEK_END) == 0) got = fread(array, sizeof(float), size, file);
  if (file) fclose(file);
  return got == size;
}

int main(int argc, char **argv) {
  const size_t workspace_bytes = up1_workspace_bytes(1);
  void *workspace = malloc(workspace_bytes);
  double largest = 0;
  int status, i;
  if (argc != 3 || !read_array(argv[1], input, INPUTS) || !read_array(argv[2], expected, OUTPUTS)) {
    fprintf(stderr, "usage: emitted INPUT.npy EXPECTED.npy\n");
    return 2;
  }
  status = up1_run(input, output, workspace, workspace_bytes, 1);
  free(workspace);
  if (status != TCONV_OK) {
    fprintf(stderr, "emitted: %s\n", tconv_status_message(status));
    return 1;
  }
  for (i = 0; i < OUTPUTS; ++i) {
    const double error = fabs((double)output[i] - (double)expected[i]);
    if (!(error <= largest)) largest = error;
  }
  printf("emitted: largest error %.1e\n", largest);
  return largest < 1e-4 ? 0 : 1;
}
