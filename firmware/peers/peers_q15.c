// What foveola's filters of 16-bit integers are measured against: functions of CMSIS-DSP, what a user composes of them where it
// has none, and plain C.
//
// The interface is that of peers.c, with samples and weights of n / 32768. The plain C rounds as foveola does, half up, and
// saturates; CMSIS-DSP rounds down. `memory` has room for 16 frames and begins at a multiple of 8 bytes.
#include "dsp/basic_math_functions.h"
#include "dsp/filtering_functions.h"
#include "dsp/matrix_functions.h"
#include "peers.h"
#include <string.h>

#define PEER(name) void name(const q15_t *x, q15_t *out, const q15_t *weights, q15_t *memory, unsigned t)

// A sum of products as a sample.
INLINE q15_t to_sample(int32_t sum) { return __ssat((sum + (1 << 14)) >> 15, 16); }

// Numbers computed at once, in registers: eight, or four vectors of Helium.
#if defined(__ARM_FEATURE_MVE)
typedef int32x4_t vector;
enum { LANES = 4, VECTORS = 4 };
INLINE vector splat(int32_t x) { return vdupq_n_s32(x); }
INLINE vector load(const q15_t *x) { return vldrhq_s32(x); }
INLINE void store(q15_t *to, vector x) { vstrhq_s32(to, x); }
INLINE vector load_long(const int32_t *x) { return vld1q_s32(x); }
INLINE void store_long(int32_t *to, vector x) { vst1q_s32(to, x); }
INLINE vector multiply_add(vector sum, vector x, int32_t w) { return vmlaq_n_s32(sum, x, w); }
INLINE vector high_product(vector x, int32_t w) { return vmulhq_s32(x, vdupq_n_s32(w)); }
INLINE vector halve(vector x, int times) { return vshlq_r_s32(x, -times); }
INLINE vector to_samples(vector sum) { return vreinterpretq_s32_s16(vqrshrnbq_n_s32(vdupq_n_s16(0), sum, 15)); }
#else
typedef int32_t vector;
enum { LANES = 1, VECTORS = 8 };
INLINE vector splat(int32_t x) { return x; }
INLINE vector load(const q15_t *x) { return *x; }
INLINE void store(q15_t *to, vector x) { *to = x; }
INLINE vector load_long(const int32_t *x) { return *x; }
INLINE void store_long(int32_t *to, vector x) { *to = x; }
INLINE vector multiply_add(vector sum, vector x, int32_t w) { return sum + x * w; }
INLINE vector high_product(vector x, int32_t w) { return (int64_t)x * w >> 32; }
INLINE vector halve(vector x, int times) { return x >> times; }
INLINE vector to_samples(vector sum) { return to_sample(sum); }
#endif
enum { AT_ONCE = LANES * VECTORS };

// --- A signal through a finite impulse response, in blocks. ---

PEER(peer_q15_fir_cmsis) {
    static arm_fir_instance_q15 fir;
    if (t == 0) arm_fir_init_q15(&fir, TAPS, weights, memory, BLOCK);
    for (int i = 0; i < PIXELS; i += BLOCK) arm_fir_q15(&fir, x + i, out + i, BLOCK);
}

PEER(peer_q15_fir_cmsis_fast) {
    static arm_fir_instance_q15 fir;
    if (t == 0) arm_fir_init_q15(&fir, TAPS, weights, memory, BLOCK);
    for (int i = 0; i < PIXELS; i += BLOCK) arm_fir_fast_q15(&fir, x + i, out + i, BLOCK);
}

// --- Convolution of a frame with a kernel of n x n. ---

enum { MOST = 7 };

// The frame with its border, in `padded`.
INLINE void pad(const q15_t *x, q15_t padded[][WIDTH], int n) {
    const int h = n / 2;
    for (int r = 0; r < ROWS + 2 * h; r++) {
        const int from = r < h ? 0 : r - h < ROWS ? r - h : ROWS - 1;
        memcpy(&padded[r][h], x + from * COLS, COLS * sizeof *x);
        for (int c = 0; c < h; c++) {
            padded[r][c] = padded[r][h];
            padded[r][h + COLS + c] = padded[r][h + COLS - 1];
        }
    }
}

#define CONVOLUTION(name) \
    INLINE void name(const q15_t *x, q15_t *out, const q15_t *weights, q15_t *memory, int n)

// As the equation is written.
CONVOLUTION(conv_plain) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            int32_t sum = 0;
            for (int b = 0; b < n; b++)
                for (int e = 0; e < n; e++) sum += weights[b * n + e] * padded[r + b][c + e];
            out[r * COLS + c] = to_sample(sum);
        }
}

// Some pixels at once: a weight is loaded once for all that use it.
CONVOLUTION(conv_blocked) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += AT_ONCE) {
            vector sum[VECTORS];
            for (int i = 0; i < VECTORS; i++) sum[i] = splat(0);
            for (int b = 0; b < n; b++)
                for (int e = 0; e < n; e++)
                    for (int i = 0; i < VECTORS; i++)
                        sum[i] = multiply_add(sum[i], load(&padded[r + b][c + e + i * LANES]), weights[b * n + e]);
            for (int i = 0; i < VECTORS; i++) store(out + r * COLS + c + i * LANES, to_samples(sum[i]));
        }
}

// Four pixels at once; a sample, too, is loaded once for all taps that use it.
CONVOLUTION(conv_sliding) {
    enum { FOUR = 4 };
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += FOUR) {
            int32_t sum[FOUR] = {0};
            for (int b = 0; b < n; b++) {
                const q15_t *from = &padded[r + b][c], *w = weights + b * n;
                int32_t sample[FOUR + MOST - 1];
                for (int i = 0; i < FOUR + n - 1; i++) sample[i] = from[i];
                for (int e = 0; e < n; e++)
                    for (int i = 0; i < FOUR; i++) sum[i] += w[e] * sample[i + e];
            }
            for (int i = 0; i < FOUR; i++) out[r * COLS + c + i] = to_sample(sum[i]);
        }
}

#if defined(__ARM_FEATURE_MVE)
// The sum of the products along a row of the kernel in one instruction.
CONVOLUTION(conv_by_dots) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    q15_t taps[MOST][8] = {0};
    pad(x, padded, n);
    for (int b = 0; b < n; b++) memcpy(taps[b], weights + b * n, n * sizeof *weights);
    int16x8_t w[MOST];
    for (int b = 0; b < n; b++) w[b] = vld1q_s16(taps[b]);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += 4)
            for (int i = 0; i < 4; i++) {
                int32_t sum = 0;
                for (int b = 0; b < n; b++) sum = vmladavaq_s16(sum, vld1q_s16(&padded[r + b][c + i]), w[b]);
                out[r * COLS + c + i] = to_sample(sum);
            }
}
#else
INLINE int16x2_t pair(const q15_t *x) {
    int16x2_t pair;
    memcpy(&pair, x, sizeof pair);
    return pair;
}

// Two products in one instruction, smlad. Samples are loaded in pairs; pixels of odd columns take weights that are moved by one.
CONVOLUTION(conv_by_dots) {
    enum { FOUR = 4, PAIRS = MOST / 2 + 1 };
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    q15_t even[MOST][2 * PAIRS] = {0}, odd[MOST][2 * PAIRS] = {0};
    pad(x, padded, n);
    for (int b = 0; b < n; b++) {
        memcpy(even[b], weights + b * n, n * sizeof *weights);
        memcpy(odd[b] + 1, weights + b * n, n * sizeof *weights);
    }
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += FOUR) {
            int32_t sum[FOUR] = {0};
            for (int b = 0; b < n; b++) {
                const q15_t *from = &padded[r + b][c];
                for (int e = 0; e <= n / 2; e++) {
                    const int16x2_t near = pair(from + 2 * e), far = pair(from + 2 * e + 2);
                    const int16x2_t w = pair(even[b] + 2 * e), v = pair(odd[b] + 2 * e);
                    sum[0] = __smlad(near, w, sum[0]);
                    sum[1] = __smlad(near, v, sum[1]);
                    sum[2] = __smlad(far, w, sum[2]);
                    sum[3] = __smlad(far, v, sum[3]);
                }
            }
            for (int i = 0; i < FOUR; i++) out[r * COLS + c + i] = to_sample(sum[i]);
        }
}
#endif

// Taps of arm_fir_q15: an even number, in whole eights as its Helium form reads them.
INLINE int fir_taps(q15_t taps[8], const q15_t *weights, int n) {
    memset(taps, 0, 8 * sizeof *taps);
    memcpy(taps + n % 2, weights, n * sizeof *weights);
    return n + n % 2;
}

// A sum of filtered rows, by arm_fir_q15: one filter for each row of the kernel.
CONVOLUTION(conv_by_fir) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    q15_t state[16 + 2 * WIDTH], filtered[WIDTH], taps[8];
    pad(x, padded, n);
    for (int b = 0; b < n; b++) {
        arm_fir_instance_q15 fir;
        arm_fir_init_q15(&fir, fir_taps(taps, weights + b * n, n), taps, state, WIDTH);
        for (int r = 0; r < ROWS; r++) {
            q15_t *to = out + r * COLS;
            arm_fir_q15(&fir, padded[r + b], filtered, WIDTH);
            if (b == 0)
                memcpy(to, filtered + n - 1, COLS * sizeof *to);
            else
                arm_add_q15(to, filtered + n - 1, to, COLS);
        }
    }
}

// The same by a function that convolves the COLS + n - 1 samples of a row.
INLINE void conv_by_rows(const q15_t *x, q15_t *out, const q15_t *weights, q15_t *memory, int n,
                         void (*convolve)(const q15_t *row, const q15_t *taps, int n, q15_t *convolved)) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory;
    q15_t convolved[2 * WIDTH], room[8 + MOST], *taps = room + 8; // its Helium form reads before the taps
    pad(x, padded, n);
    for (int b = 0; b < n; b++) {
        for (int e = 0; e < n; e++) taps[e] = weights[b * n + n - 1 - e]; // a convolution turns its kernel round
        for (int r = 0; r < ROWS; r++) {
            q15_t *to = out + r * COLS;
            convolve(padded[r + b], taps, n, convolved);
            if (b == 0)
                memcpy(to, convolved + n - 1, COLS * sizeof *to);
            else
                arm_add_q15(to, convolved + n - 1, to, COLS);
        }
    }
}
static void whole(const q15_t *row, const q15_t *taps, int n, q15_t *convolved) {
    arm_conv_q15(row, COLS + n - 1, taps, n, convolved);
}
static void partial(const q15_t *row, const q15_t *taps, int n, q15_t *convolved) {
    arm_conv_partial_q15(row, COLS + n - 1, taps, n, convolved, n - 1, COLS);
}
static void partial_fast(const q15_t *row, const q15_t *taps, int n, q15_t *convolved) {
    arm_conv_partial_fast_q15(row, COLS + n - 1, taps, n, convolved, n - 1, COLS);
}

PEER(peer_q15_conv3_plain) { conv_plain(x, out, weights, memory, 3); }
PEER(peer_q15_conv5_plain) { conv_plain(x, out, weights, memory, 5); }
PEER(peer_q15_conv3_blocked) { conv_blocked(x, out, weights, memory, 3); }
PEER(peer_q15_conv5_blocked) { conv_blocked(x, out, weights, memory, 5); }
PEER(peer_q15_conv3_sliding) { conv_sliding(x, out, weights, memory, 3); }
PEER(peer_q15_conv5_sliding) { conv_sliding(x, out, weights, memory, 5); }
PEER(peer_q15_conv3_dots) { conv_by_dots(x, out, weights, memory, 3); }
PEER(peer_q15_conv5_dots) { conv_by_dots(x, out, weights, memory, 5); }
PEER(peer_q15_conv3_fir) { conv_by_fir(x, out, weights, memory, 3); }
PEER(peer_q15_conv5_fir) { conv_by_fir(x, out, weights, memory, 5); }
PEER(peer_q15_conv3_whole) { conv_by_rows(x, out, weights, memory, 3, whole); }
PEER(peer_q15_conv5_whole) { conv_by_rows(x, out, weights, memory, 5, whole); }
PEER(peer_q15_conv3_partial) { conv_by_rows(x, out, weights, memory, 3, partial); }
PEER(peer_q15_conv5_partial) { conv_by_rows(x, out, weights, memory, 5, partial); }
PEER(peer_q15_conv3_partial_fast) { conv_by_rows(x, out, weights, memory, 3, partial_fast); }
PEER(peer_q15_conv5_partial_fast) { conv_by_rows(x, out, weights, memory, 5, partial_fast); }

// --- The product of a filter along rows and one along columns, of SEVEN taps both; samples of 16 bits between them. ---

enum { SEVEN = 7, PADDED_ROWS = ROWS + SEVEN - 1 };

// A row of output from samples that lie `step` apart, some pixels at once.
INLINE void filter_row(const q15_t *x, int step, q15_t *out, const q15_t *weights) {
    for (int c = 0; c < COLS; c += AT_ONCE) {
        vector sum[VECTORS];
        for (int i = 0; i < VECTORS; i++) sum[i] = splat(0);
        for (int e = 0; e < SEVEN; e++)
            for (int i = 0; i < VECTORS; i++)
                sum[i] = multiply_add(sum[i], load(x + e * step + c + i * LANES), weights[e]);
        for (int i = 0; i < VECTORS; i++) store(out + c + i * LANES, to_samples(sum[i]));
    }
}

PEER(peer_q15_separable) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory, (*between)[COLS] = (q15_t(*)[COLS])padded[PADDED_ROWS];
    pad(x, padded, SEVEN);
    for (int r = 0; r < PADDED_ROWS; r++) filter_row(padded[r], 1, between[r], weights);
    for (int r = 0; r < ROWS; r++) filter_row(between[r], COLS, out + r * COLS, weights);
}

// A row of output is the product of the taps, as a matrix of one row, with seven rows.
typedef arm_status (*product)(const arm_matrix_instance_q15 *, const arm_matrix_instance_q15 *, arm_matrix_instance_q15 *,
                              q15_t *);
INLINE void separable_by(product multiply, const q15_t *x, q15_t *out, const q15_t *weights, q15_t *memory) {
    q15_t(*padded)[WIDTH] = (q15_t(*)[WIDTH])memory, (*between)[COLS] = (q15_t(*)[COLS])padded[PADDED_ROWS];
    q15_t state[16 + 2 * WIDTH], filtered[WIDTH], taps[8], transposed[SEVEN * COLS];
    arm_fir_instance_q15 fir;
    pad(x, padded, SEVEN);
    arm_fir_init_q15(&fir, fir_taps(taps, weights, SEVEN), taps, state, WIDTH);
    for (int r = 0; r < PADDED_ROWS; r++) {
        arm_fir_q15(&fir, padded[r], filtered, WIDTH);
        memcpy(between[r], filtered + SEVEN - 1, sizeof between[r]);
    }
    for (int r = 0; r < ROWS; r++) {
        const arm_matrix_instance_q15 row = {1, SEVEN, (q15_t *)weights}, block = {SEVEN, COLS, between[r]};
        arm_matrix_instance_q15 product = {1, COLS, out + r * COLS};
        multiply(&row, &block, &product, transposed);
    }
}
PEER(peer_q15_separable_cmsis) { separable_by(arm_mat_mult_q15, x, out, weights, memory); }
PEER(peer_q15_separable_cmsis_fast) { separable_by(arm_mat_mult_fast_q15, x, out, weights, memory); }

// --- A first-order low-pass of every pixel; weights[0] is its gain. ---

// Some pixels at once. The output is the state.
PEER(peer_q15_low_pass_in_place) {
    const int32_t gain = weights[0];
    const vector half = splat(1 << 14);
    for (int i = 0; i < PIXELS; i += LANES) {
        const vector y = load(out + i);
        store(out + i, y + (multiply_add(half, load(x + i) - y, gain) >> 15));
    }
}

// The output is another frame than the state, as with foveola.
PEER(peer_q15_low_pass_apart) {
    const int32_t gain = weights[0];
    const vector half = splat(1 << 14);
    q15_t *restrict state = memory, *restrict to = out;
    for (int i = 0; i < PIXELS; i += LANES) {
        vector y = load(state + i);
        y += multiply_add(half, load(x + i) - y, gain) >> 15;
        store(state + i, y);
        store(to + i, y);
    }
}

// The output is the state.
PEER(peer_q15_low_pass_cmsis) {
    const q15_t gain = weights[0];
    arm_scale_q15(out, (1 << 15) - gain, 0, out, PIXELS);
    arm_scale_q15(x, gain, 0, memory, PIXELS);
    arm_add_q15(out, memory, out, PIXELS);
}

// A state of 31 bits, the sample and 15 more. The gain is weights[0] / 2^(15 + weights[1]).
PEER(peer_q15_low_pass_slow) {
    const int32_t gain = weights[0] << 16;
    const int shift = weights[1] - 1;
    int32_t *restrict state = (int32_t *)memory;
    q15_t *restrict to = out;
    for (int i = 0; i < PIXELS; i += LANES) {
        vector y = load_long(state + i);
        y += halve(high_product((load(x + i) << 15) - y, gain), shift);
        store_long(state + i, y);
        store(to + i, ((y >> 14) + 1) >> 1);
    }
}

// --- The same of one signal, in blocks. ---

PEER(peer_q15_signal_plain) {
    const int32_t gain = weights[0];
    int32_t y = memory[0];
    for (int i = 0; i < PIXELS; i++) out[i] = y += (gain * (x[i] - y) + (1 << 14)) >> 15;
    memory[0] = y;
}

// One section of second order, whose other coefficients are 0.
PEER(peer_q15_signal_cmsis) {
    static arm_biquad_casd_df1_inst_q15 section;
    static q15_t coefficients[6];
    if (t == 0) {
        coefficients[0] = weights[0];
        coefficients[4] = (1 << 15) - weights[0];
        arm_biquad_cascade_df1_init_q15(&section, 1, coefficients, memory, 0);
    }
    for (int i = 0; i < PIXELS; i += BLOCK) arm_biquad_cascade_df1_q15(&section, x + i, out + i, BLOCK);
}

PEER(peer_q15_signal_cmsis_fast) {
    static arm_biquad_casd_df1_inst_q15 section;
    static q15_t coefficients[6];
    if (t == 0) {
        coefficients[0] = weights[0];
        coefficients[4] = (1 << 15) - weights[0];
        arm_biquad_cascade_df1_init_q15(&section, 1, coefficients, memory, 0);
    }
    for (int i = 0; i < PIXELS; i += BLOCK) arm_biquad_cascade_df1_fast_q15(&section, x + i, out + i, BLOCK);
}

// --- A rectifier. ---

PEER(peer_q15_rectify_plain) {
    const q15_t *restrict from = x;
    q15_t *restrict to = out;
    for (int i = 0; i < PIXELS; i++) to[i] = from[i] > 0 ? from[i] : 0;
}

PEER(peer_q15_rectify_cmsis) { arm_clip_q15(x, out, 0, INT16_MAX, PIXELS); }
