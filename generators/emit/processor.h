/* The name under which figures of a processor are kept: vendor, family and model, as the processor tells them.
 *
 * C99: tconvc uses it, and the programs that it makes carry it. */
#ifndef TCONV_GENERATORS_PROCESSOR_H
#define TCONV_GENERATORS_PROCESSOR_H

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { PROCESSOR_NAME_BYTES = 64 };

#if defined(__x86_64__)

/* Family and model: Intel's manual, volume 2A, CPUID leaf 1; AMD's has the same rule. */
static inline void processor_name(char *name) {
  unsigned a = 0, b = 0, c = 0, d = 0, family, model;
  char vendor[13] = "";
  const char *shorter = vendor;
  __get_cpuid(0, &a, &b, &c, &d);
  memcpy(vendor, &b, 4);
  memcpy(vendor + 4, &d, 4);
  memcpy(vendor + 8, &c, 4);
  if (strcmp(vendor, "AuthenticAMD") == 0) shorter = "amd";
  if (strcmp(vendor, "GenuineIntel") == 0) shorter = "intel";
  __get_cpuid(1, &a, &b, &c, &d);
  family = a >> 8 & 15;
  model = a >> 4 & 15;
  if (family == 6 || family == 15) model += (a >> 16 & 15) << 4;
  if (family == 15) family += a >> 20 & 255;
  snprintf(name, PROCESSOR_NAME_BYTES, "%s-%u-%u", shorter, family, model);
}

#else

/* Implementer and part of the first core, as Linux tells them. */
static inline void processor_name(char *name) {
  FILE *file = fopen("/proc/cpuinfo", "r");
  unsigned implementer = 0, part = 0;
  char line[256];
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "CPU implementer : %x", &implementer) == 1) continue;
    if (sscanf(line, "CPU part : %x", &part) == 1) break;
  }
  if (file) fclose(file);
  snprintf(name, PROCESSOR_NAME_BYTES, part ? "arm-%02x-%03x" : "unknown", implementer, part);
}

#endif

#endif
