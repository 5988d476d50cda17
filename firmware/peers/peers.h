// What the peers of floats and of integers share: the workloads' sizes.
#ifndef PEERS_H
#define PEERS_H

enum { ROWS = 64, COLS = 64, PIXELS = ROWS * COLS, BLOCK = 64, TAPS = 32, TAPS_IN_TIME = 16 };

// A row with its border, in whole eights for CMSIS-DSP's filters.
enum { WIDTH = COLS + 8 };

#define INLINE static inline __attribute__((always_inline))

#endif
