/* tg_conv2d_s8 by blocks of six pixels and two channels, for cores without the DSP extension.
 *
 * The patches of six output pixels are packed into scratch, three pixels in two words (see
 * tg_trio.h): of each row of the kernel, the run of bytes that each pixel reads is found in the
 * image, or is put together beside the words where it hangs over the border or its taps lie apart.
 * All channels are then computed two at a time. A last block of fewer pixels begins among those
 * already done, and a last single channel is computed alone.
 */
#ifndef TG_CONV2D_TRIO_S8_H
#define TG_CONV2D_TRIO_S8_H

#include "tg_conv2d_patches_s8.h"
#include "tg_trio.h"

/* Bytes that a pixel reads in one row of the kernel. */
TG_INLINE int32_t tg_conv2d_trio_run_bytes(const tg_conv2d_s8_shape *shape)
{
    return shape->kernel_w * (shape->in_c / shape->groups);
}

/* Whether the patch that begins in row top and column left is read from the image as it is. */
TG_INLINE int32_t tg_conv2d_trio_is_whole(const tg_conv2d_s8_shape *shape, int32_t top,
                                          int32_t left)
{
    const int32_t reach_h = (shape->kernel_h - 1) * shape->dilation_h;
    const int32_t reach_w = (shape->kernel_w - 1) * shape->dilation_w;
    const int32_t is_direct = tg_conv2d_is_run(shape) || shape->kernel_w == 1;
    const int32_t has_border = shape->pad_top > 0 || shape->pad_left > 0 ||
                               (shape->out_h - 1) * shape->stride_h + reach_h >= shape->in_h ||
                               (shape->out_w - 1) * shape->stride_w + reach_w >= shape->in_w;
    return is_direct && (!has_border || (top >= 0 && top + reach_h < shape->in_h && left >= 0 &&
                                         left + reach_w < shape->in_w));
}

/* Puts together what a pixel reads of the image's row iy, from column left on. */
TG_INLINE void tg_conv2d_trio_copy(const tg_conv2d_s8_shape *shape, const int8_t *x, int32_t iy,
                                   int32_t left, int32_t zero_point, int8_t *room)
{
    const int8_t *const row = x + iy * shape->in_w * shape->in_c;
    if (iy < 0 || iy >= shape->in_h) {
        memset(room, zero_point, (size_t)tg_conv2d_trio_run_bytes(shape));
    } else if (tg_conv2d_is_run(shape)) {
        tg_gather_run(shape, row, left, zero_point, room);
    } else {
        tg_gather_taps(shape, row, left, zero_point, room);
    }
}

/* Three runs of bytes to words; those of a step are four words apart. */
TG_INLINE void tg_conv2d_trio_pack(int32_t bytes, const int8_t *x0, const int8_t *x1,
                                   const int8_t *x2, uint32_t *words)
{
    TG_UNROLL(4)
    for (int32_t k = 0; k < bytes; ++k, words += TG_TRIO_WORDS) {
        tg_trio_pack(x0[k], x1[k], x2[k], words);
    }
}

/* The patches of six pixels in reading order, from the one numbered first on. */
TG_INLINE void tg_conv2d_trio_gather(const tg_conv2d_s8_shape *shape, const int8_t *x,
                                     int32_t first, int32_t zero_point, uint32_t *words,
                                     int8_t *room)
{
    const int32_t bytes = tg_conv2d_trio_run_bytes(shape);
    const int32_t pitch = shape->dilation_h * shape->in_w * shape->in_c;
    const int8_t *run[TG_TRIO_LANES];
    int32_t top[TG_TRIO_LANES], left[TG_TRIO_LANES];
    uint32_t apart = 0; /* a bit for each pixel whose runs have to be put together */
    int32_t oy = first / shape->out_w, ox = first % shape->out_w;
    TG_UNROLL(1)
    for (int32_t i = 0; i < TG_TRIO_LANES; ++i) {
        top[i] = oy * shape->stride_h - shape->pad_top;
        left[i] = ox * shape->stride_w - shape->pad_left;
        if (tg_conv2d_trio_is_whole(shape, top[i], left[i])) {
            run[i] = x + (top[i] * shape->in_w + left[i]) * shape->in_c;
        } else {
            run[i] = room + i * bytes;
            apart |= 1u << i;
        }
        if (++ox == shape->out_w) {
            ox = 0;
            ++oy;
        }
    }
    TG_UNROLL(1)
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, words += TG_TRIO_WORDS * bytes) {
        TG_UNROLL(6)
        for (int32_t i = 0; i < TG_TRIO_LANES; ++i) {
            run[i] += ky == 0 || (apart >> i & 1u) ? 0 : pitch;
        }
        for (int32_t i = 0; apart >> i != 0; ++i) {
            if (apart >> i & 1u) {
                tg_conv2d_trio_copy(shape, x, top[i] + ky * shape->dilation_h, left[i], zero_point,
                                    room + i * bytes);
            }
        }
        tg_conv2d_trio_pack(bytes, run[0], run[1], run[2], words);
        tg_conv2d_trio_pack(bytes, run[3], run[4], run[5], words + 2);
    }
}

/* Adds steps products of each of 1 or 2 channels, their weights depth bytes apart, with six pixels:
 * as many as fit the words. */
TG_INLINE void tg_conv2d_trio_add(int32_t channels, int32_t steps, int32_t depth,
                                  const uint32_t *words, const int8_t *w, int32_t *sums)
{
    uint32_t acc[2 * TG_TRIO_WORDS];
    if (channels == 2) {
        tg_trio_2x4(steps, words, w, depth, acc);
    } else {
        tg_trio_1x4(steps, words, w, acc);
    }
    TG_UNROLL(4)
    for (int32_t i = 0; i < 2 * channels; ++i) {
        tg_trio_take(acc[2 * i], acc[2 * i + 1], sums + 3 * i);
    }
}

/* The six pixels that are packed, of 1 or 2 channels from c on. */
TG_INLINE void tg_conv2d_trio_channels(int32_t count, const tg_conv2d_s8_shape *shape,
                                       const tg_channels *channels, const uint32_t *words,
                                       int32_t c, int8_t *restrict y)
{
    const int32_t depth = shape->depth, chunk = shape->chunk;
    const int8_t *w = channels->weights + c * depth;
    int32_t sums[2 * TG_TRIO_LANES];
    TG_UNROLL(6)
    for (int32_t i = 0; i < TG_TRIO_LANES; ++i) {
        sums[i] = channels->bias[c];
        sums[TG_TRIO_LANES + i] = channels->bias[c + count - 1];
    }
    TG_UNROLL(1)
    for (int32_t left = depth / chunk; left > 0; --left) {
        tg_conv2d_trio_add(count, chunk, depth, words, w, sums);
        w += chunk;
        words += TG_TRIO_WORDS * chunk;
    }
    if (depth % chunk) {
        tg_conv2d_trio_add(count, depth % chunk, depth, words, w, sums);
    }
    TG_UNROLL(12)
    for (int32_t i = 0; i < count * TG_TRIO_LANES; ++i) {
        const int32_t pixel = i % TG_TRIO_LANES, channel = c + i / TG_TRIO_LANES;
        y[pixel * shape->out_c + channel] = tg_channel_s8(channels, channel, sums[i]);
    }
}

/* All channels of the six pixels that are packed. */
TG_INLINE void tg_conv2d_trio_block(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                                    const uint32_t *words, int8_t *restrict y)
{
    const int32_t twos = channels->out_c & ~1;
    for (int32_t c = 0; c < twos; c += 2) {
        tg_conv2d_trio_channels(2, shape, channels, words, c, y);
    }
    if (twos < channels->out_c) {
        tg_conv2d_trio_channels(1, shape, channels, words, twos, y);
    }
}

TG_INLINE void tg_conv2d_trio_s8(const tg_conv2d_s8_shape *shape,
                                 const tg_conv2d_s8_params *params, const int8_t *x, int8_t *y,
                                 int8_t *scratch)
{
    const int32_t pixels = shape->out_h * shape->out_w;
    uint32_t *const words = (uint32_t *)(void *)scratch;
    int8_t *const room = scratch + 4 * TG_TRIO_WORDS * shape->depth;
    for (int32_t batch = 0; batch < shape->batches; ++batch) {
        for (int32_t group = 0; group < shape->groups; ++group) {
            const tg_channels channels = tg_conv2d_channels(0, shape, params, group);
            const int8_t *const from = x + group * (shape->in_c / shape->groups);
            int8_t *const to = y + group * channels.out_c;
            for (int32_t done = 0; done < pixels; done += TG_TRIO_LANES) {
                const int32_t first = tg_min(done, pixels - TG_TRIO_LANES);
                tg_conv2d_trio_gather(shape, from, first, params->input_zero_point, words, room);
                tg_conv2d_trio_block(shape, &channels, words, to + first * shape->out_c);
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

#endif
