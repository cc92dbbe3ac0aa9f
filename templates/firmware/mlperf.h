/* The device's side of the MLPerf Tiny benchmark, as its runners talk to it: see mlperf.c. */
#ifndef MLPERF_H
#define MLPERF_H

#include <stdbool.h>

/* 0: performance mode. Timestamps are lines of text, in microseconds.
 * 1: energy mode. Timestamps are falling edges of a pin, which an energy monitor watches. Define it
 *    for the whole build, write mlperf_pin(), and set the serial port to 9600 baud. */
#ifndef MLPERF_ENERGY
#define MLPERF_ENERGY 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Energy mode only, and the project's own, since every board has other pins: drive the pin that the
 * energy monitor watches. The first call comes at start, before any command is served. */
void mlperf_pin(bool high);

#ifdef __cplusplus
}
#endif

#endif
