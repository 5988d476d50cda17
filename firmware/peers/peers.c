// What foveola's filters of floats are measured against: functions of CMSIS-DSP, what a user composes of them where it has
// none, and plain C.
//
// Each computes the frame, or the blocks of a signal, `t` of a stream: `out` from `x` with `weights`. `memory` is its own, all
// zeros at t = 0, for state and scratch. Borders of a convolution are replicated.
#include "dsp/basic_math_functions.h"
#include "dsp/filtering_functions.h"
#include "peers.h"
#include <string.h>

// Outputs computed at once, in registers: eight as in arm_fir_f32, or four vectors of Helium.
#if defined(__ARM_FEATURE_MVE) && __ARM_FEATURE_MVE & 2
typedef float32x4_t vector;
enum { LANES = 4, VECTORS = 4 };
INLINE vector splat(float x) { return vdupq_n_f32(x); }
INLINE vector load(const float *x) { return vld1q_f32(x); }
INLINE void store(float *to, vector x) { vst1q_f32(to, x); }
INLINE vector multiply_add(vector sum, vector x, float w) { return vfmaq_n_f32(sum, x, w); }
#else
typedef float vector;
enum { LANES = 1, VECTORS = 8 };
INLINE vector splat(float x) { return x; }
INLINE vector load(const float *x) { return *x; }
INLINE void store(float *to, vector x) { *to = x; }
INLINE vector multiply_add(vector sum, vector x, float w) { return sum + x * w; }
#endif
enum { AT_ONCE = LANES * VECTORS };

#define PEER(name) void name(const float *x, float *out, const float *weights, float *memory, unsigned t)

// --- A signal through a finite impulse response, in blocks. ---

PEER(peer_fir_cmsis) {
    static arm_fir_instance_f32 fir;
    if (t == 0) arm_fir_init_f32(&fir, TAPS, weights, memory, BLOCK);
    for (int i = 0; i < PIXELS; i += BLOCK) arm_fir_f32(&fir, x + i, out + i, BLOCK);
}

// --- The same for every pixel of a video: the latest frames lie in a ring. ---

INLINE const float *frame_of(const float *memory, unsigned t, int tap) {
    return memory + (t + 1 + tap) % TAPS_IN_TIME * PIXELS;
}

// One tap after the other.
PEER(peer_in_time_by_taps) {
    memcpy(memory + t % TAPS_IN_TIME * PIXELS, x, PIXELS * sizeof *x);
    memset(out, 0, PIXELS * sizeof *out);
    for (int tap = 0; tap < TAPS_IN_TIME; tap++) {
        const float *restrict from = frame_of(memory, t, tap);
        float *restrict to = out;
        const float w = weights[tap];
        for (int i = 0; i < PIXELS; i++) to[i] += w * from[i];
    }
}

// Some pixels after the other.
PEER(peer_in_time_by_pixels) {
    memcpy(memory + t % TAPS_IN_TIME * PIXELS, x, PIXELS * sizeof *x);
    for (int i = 0; i < PIXELS; i += AT_ONCE) {
        vector sum[VECTORS];
        for (int j = 0; j < VECTORS; j++) sum[j] = splat(0);
        for (int tap = 0; tap < TAPS_IN_TIME; tap++) {
            const float *from = frame_of(memory, t, tap) + i;
            const float w = weights[tap];
            for (int j = 0; j < VECTORS; j++) sum[j] = multiply_add(sum[j], load(from + j * LANES), w);
        }
        for (int j = 0; j < VECTORS; j++) store(out + i + j * LANES, sum[j]);
    }
}

PEER(peer_in_time_cmsis) {
    memcpy(memory + t % TAPS_IN_TIME * PIXELS, x, PIXELS * sizeof *x);
    memset(out, 0, PIXELS * sizeof *out);
    for (int tap = 0; tap < TAPS_IN_TIME; tap++)
        for (int i = 0; i < PIXELS; i += COLS) {
            float scaled[COLS];
            arm_scale_f32(frame_of(memory, t, tap) + i, weights[tap], scaled, COLS);
            arm_add_f32(out + i, scaled, out + i, COLS);
        }
}

// --- Convolution of a frame with a kernel of n x n. ---

enum { MOST = 5 };

// The frame with its border, in `padded`.
INLINE void pad(const float *x, float padded[][WIDTH], int n) {
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

// As the equation is written.
INLINE void conv_plain(const float *x, float *out, const float *weights, float *memory, int n) {
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++) {
            float sum = 0;
            for (int b = 0; b < n; b++)
                for (int e = 0; e < n; e++) sum += weights[b * n + e] * padded[r + b][c + e];
            out[r * COLS + c] = sum;
        }
}

// One tap after the other, along a row: what vectors like.
INLINE void conv_by_taps(const float *x, float *out, const float *weights, float *memory, int n) {
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++) {
        float *restrict to = out + r * COLS;
        for (int c = 0; c < COLS; c++) to[c] = 0;
        for (int b = 0; b < n; b++) {
            const float *restrict from = padded[r + b], *w = weights + b * n;
            for (int c = 0; c < COLS; c++) {
                float sum = to[c];
                for (int e = 0; e < n; e++) sum += w[e] * from[c + e];
                to[c] = sum;
            }
        }
    }
}

// Some pixels at once, as arm_fir_f32 does: a weight is loaded once for all that use it.
INLINE void conv_blocked(const float *x, float *out, const float *weights, float *memory, int n) {
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += AT_ONCE) {
            vector sum[VECTORS];
            for (int i = 0; i < VECTORS; i++) sum[i] = splat(0);
            for (int b = 0; b < n; b++)
                for (int e = 0; e < n; e++)
                    for (int i = 0; i < VECTORS; i++)
                        sum[i] = multiply_add(sum[i], load(&padded[r + b][c + e + i * LANES]), weights[b * n + e]);
            for (int i = 0; i < VECTORS; i++) store(out + r * COLS + c + i * LANES, sum[i]);
        }
}

// Eight pixels at once; a sample, too, is loaded once for all taps that use it.
INLINE void conv_sliding(const float *x, float *out, const float *weights, float *memory, int n) {
    enum { EIGHT = 8 };
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    pad(x, padded, n);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c += EIGHT) {
            float sum[EIGHT] = {0};
            for (int b = 0; b < n; b++) {
                const float *from = &padded[r + b][c], *w = weights + b * n;
                float sample[EIGHT + MOST - 1];
                for (int i = 0; i < EIGHT + n - 1; i++) sample[i] = from[i];
                for (int e = 0; e < n; e++)
                    for (int i = 0; i < EIGHT; i++) sum[i] += w[e] * sample[i + e];
            }
            for (int i = 0; i < EIGHT; i++) out[r * COLS + c + i] = sum[i];
        }
}

// A sum of filtered rows, by arm_fir_f32: one filter for each row of the kernel.
INLINE void conv_by_fir(const float *x, float *out, const float *weights, float *memory, int n) {
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    float state[16 + 2 * WIDTH], filtered[WIDTH], taps[8] = {0}; // taps in fours, as its Helium form wants them
    pad(x, padded, n);
    for (int b = 0; b < n; b++) {
        arm_fir_instance_f32 fir;
        memcpy(taps, weights + b * n, n * sizeof *taps);
        arm_fir_init_f32(&fir, n, taps, state, WIDTH);
        for (int r = 0; r < ROWS; r++) {
            float *to = out + r * COLS;
            arm_fir_f32(&fir, padded[r + b], filtered, WIDTH);
            if (b == 0)
                memcpy(to, filtered + n - 1, COLS * sizeof *to);
            else
                arm_add_f32(to, filtered + n - 1, to, COLS);
        }
    }
}

// The same by arm_conv_partial_f32.
INLINE void conv_by_conv(const float *x, float *out, const float *weights, float *memory, int n) {
    float(*padded)[WIDTH] = (float(*)[WIDTH])memory;
    float convolved[WIDTH], taps[MOST];
    pad(x, padded, n);
    for (int b = 0; b < n; b++) {
        for (int e = 0; e < n; e++) taps[e] = weights[b * n + n - 1 - e]; // a convolution turns its kernel round
        for (int r = 0; r < ROWS; r++) {
            float *to = out + r * COLS;
            arm_conv_partial_f32(padded[r + b], COLS + n - 1, taps, n, convolved, n - 1, COLS);
            if (b == 0)
                memcpy(to, convolved + n - 1, COLS * sizeof *to);
            else
                arm_add_f32(to, convolved + n - 1, to, COLS);
        }
    }
}

PEER(peer_conv3_plain) { conv_plain(x, out, weights, memory, 3); }
PEER(peer_conv5_plain) { conv_plain(x, out, weights, memory, 5); }
PEER(peer_conv3_by_taps) { conv_by_taps(x, out, weights, memory, 3); }
PEER(peer_conv5_by_taps) { conv_by_taps(x, out, weights, memory, 5); }
PEER(peer_conv3_blocked) { conv_blocked(x, out, weights, memory, 3); }
PEER(peer_conv5_blocked) { conv_blocked(x, out, weights, memory, 5); }
PEER(peer_conv3_sliding) { conv_sliding(x, out, weights, memory, 3); }
PEER(peer_conv5_sliding) { conv_sliding(x, out, weights, memory, 5); }
PEER(peer_conv3_fir) { conv_by_fir(x, out, weights, memory, 3); }
PEER(peer_conv5_fir) { conv_by_fir(x, out, weights, memory, 5); }
PEER(peer_conv3_conv) { conv_by_conv(x, out, weights, memory, 3); }
PEER(peer_conv5_conv) { conv_by_conv(x, out, weights, memory, 5); }

// --- A first-order low-pass of every pixel; weights[0] is its gain. ---

// The output is the state.
PEER(peer_low_pass_in_place) {
    const float gain = weights[0];
    const float *restrict from = x;
    float *restrict y = out;
    for (int i = 0; i < PIXELS; i++) y[i] += gain * (from[i] - y[i]);
}

// The output is another frame than the state, as with foveola.
PEER(peer_low_pass_apart) {
    const float gain = weights[0];
    const float *restrict from = x;
    float *restrict y = memory, *restrict to = out;
    for (int i = 0; i < PIXELS; i++) to[i] = y[i] += gain * (from[i] - y[i]);
}

// The output is the state.
PEER(peer_low_pass_cmsis) {
    const float gain = weights[0];
    arm_scale_f32(out, 1 - gain, out, PIXELS);
    arm_scale_f32(x, gain, memory, PIXELS);
    arm_add_f32(out, memory, out, PIXELS);
}
