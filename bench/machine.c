/* What this machine can do at most, as machine.py asks: multiply-adds alone, and streams over memory, on so many
 * threads at once. Compiled for the machine it runs on. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

/* Twelve independent chains are enough for two units of up to six cycles. */
enum { CHAINS = 12, PEAK_ROUNDS = 2000000, MOST_THREADS = 1024 };

enum { TASK_PEAK, TASK_READ, TASK_WRITE };

typedef struct {
  int kind;
  char *memory;
  size_t bytes;
  pthread_barrier_t *barrier;
  float result;
  double start, end;
} task;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float peak(void) {
  vector sum[CHAINS], a, b;
  int c, l;
  long i;
  for (l = 0; l < LANES; ++l) a[l] = 0.999f, b[l] = 1e-6f;
  for (c = 0; c < CHAINS; ++c) sum[c] = b * (float)c;
  for (i = 0; i < PEAK_ROUNDS; ++i) {
#pragma GCC unroll 12
    for (c = 0; c < CHAINS; ++c) sum[c] = sum[c] * a + b;
  }
  for (c = 1; c < CHAINS; ++c) sum[0] += sum[c];
  return sum[0][0];
}

static float read_all(const char *memory, size_t bytes) {
  const vector *data = (const vector *)memory;
  const size_t count = bytes / sizeof(vector) / 8 * 8;
  vector sum[8] = {{0}};
  size_t i;
  int c;
  for (i = 0; i < count; i += 8) {
#pragma GCC unroll 8
    for (c = 0; c < 8; ++c) sum[c] += data[i + (size_t)c];
  }
  for (c = 1; c < 8; ++c) sum[0] += sum[c];
  return sum[0][0];
}

static void *work(void *argument) {
  task *t = (task *)argument;
  pthread_barrier_wait(t->barrier);
  t->start = now();
  if (t->kind == TASK_PEAK) t->result = peak();
  if (t->kind == TASK_READ) t->result = read_all(t->memory, t->bytes);
  /* memset writes past the caches where the array is large, which a kernel's stores may do at best. */
  if (t->kind == TASK_WRITE) memset(t->memory, 1, t->bytes);
  t->end = now();
  return NULL;
}

/* Seconds from the first thread's start to the last one's end, each on its share of the memory. Taken by the threads
 * themselves, since the one that waits may be woken late. Infinite where no threads could be made. */
static double timed(int kind, int threads, char *memory, size_t bytes) {
  static task tasks[MOST_THREADS];
  static pthread_t handles[MOST_THREADS];
  pthread_barrier_t barrier;
  const size_t share = bytes / (size_t)threads / 4096 * 4096;
  double start, end;
  int i;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (i = 0; i < threads; ++i) {
    tasks[i] = (task){kind, memory + (size_t)i * share, share, &barrier, 0, 0, 0};
    if (pthread_create(&handles[i], NULL, work, &tasks[i]) != 0) return INFINITY;
  }
  for (i = 0; i < threads; ++i) pthread_join(handles[i], NULL);
  pthread_barrier_destroy(&barrier);
  start = tasks[0].start;
  end = tasks[0].end;
  for (i = 1; i < threads; ++i) {
    if (tasks[i].start < start) start = tasks[i].start;
    if (tasks[i].end > end) end = tasks[i].end;
  }
  return end - start;
}

/* GFLOP/s. */
double machine_peak(int threads) {
  if (threads < 1 || threads > MOST_THREADS) return -1;
  return 2e-9 * LANES * CHAINS * (double)PEAK_ROUNDS * threads / timed(TASK_PEAK, threads, NULL, 0);
}

/* GB/s of reads and writes over an array of so many bytes. */
int machine_bandwidth(int threads, size_t bytes, double *read, double *write) {
  char *memory;
  if (threads < 1 || threads > MOST_THREADS || posix_memalign((void **)&memory, 4096, bytes) != 0) return -1;
  memset(memory, 0, bytes);
  *write = 1e-9 * (double)bytes / timed(TASK_WRITE, threads, memory, bytes);
  *read = 1e-9 * (double)bytes / timed(TASK_READ, threads, memory, bytes);
  free(memory);
  return 0;
}
