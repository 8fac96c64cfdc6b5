/* Calls the compiled layer through its C99 header: pack the weights once, then run. Ends with 0 when the result agrees
 * with a plain loop. */
#include <stdio.h>
#include <stdlib.h>

#include "decoder.h"
#include "naive.h"

enum { HEIGHT = 20, WIDTH = 12 };

static float kernel[KERNEL_SIZE], bias[FILTERS];
static float input[HEIGHT * WIDTH * IN_CHANNELS];
static float output[STRIDE * HEIGHT * STRIDE * WIDTH * FILTERS];

static int run_layer(void) {
  const int threads = 1;
  const size_t workspace_bytes = decoder_workspace_bytes(threads);
  void *workspace = malloc(workspace_bytes);
  float *packed = malloc(decoder_packed_bytes());
  int status = decoder_pack(kernel, bias, packed);
  if (status == TCONV_OK) status = decoder_run(input, packed, output, workspace, workspace_bytes, threads);
  free(packed);
  free(workspace);
  return status;
}

int main(void) {
  double error;
  int status;
  fill(kernel, KERNEL_SIZE, 1);
  fill(bias, FILTERS, 2);
  fill(input, HEIGHT * WIDTH * IN_CHANNELS, 3);
  status = run_layer();
  if (status != TCONV_OK) {
    fprintf(stderr, "from_c: %s\n", tconv_status_message(status));
    return 1;
  }
  error = largest_error(input, HEIGHT, WIDTH, kernel, bias, output);
  printf("from_c: largest error %.1e\n", error);
  return error < MOST_TILE_ERROR ? 0 : 1;
}
