/* tg_conv2d_s8 by blocks of six pixels and two channels, for cores without the DSP extension.
 *
 * The patches of six output pixels are packed into scratch, three pixels in two words (see
 * tg_trio.h): of each row of the kernel, the run of bytes that each pixel reads is found in the
 * image, or is put together beside the words where it hangs over the border or its taps lie apart.
 * All channels are then computed two at a time. A last block of fewer pixels begins among those
 * already done, and a last single channel is its own neighbour.
 */
#ifndef TG_CONV2D_TRIO_S8_H
#define TG_CONV2D_TRIO_S8_H

#include "tg_conv2d_patches_s8.h"
#include "tg_trio.h"

enum { TG_TRIO_PIXELS = 6, TG_TRIO_WORDS = 4 };

/* Bytes that a pixel reads in one row of the kernel. */
TG_INLINE int32_t tg_conv2d_trio_run_bytes(const tg_conv2d_s8_shape *shape)
{
    return shape->kernel_w * (shape->in_c / shape->groups);
}

/* The bytes that a pixel reads of the image's row iy, from column left on; copied to room unless
 * they lie so in the image. */
TG_INLINE const int8_t *tg_conv2d_trio_run(const tg_conv2d_s8_shape *shape, const int8_t *x,
                                           int32_t iy, int32_t left, int32_t zero_point,
                                           int8_t *room)
{
    const int32_t bytes = tg_conv2d_trio_run_bytes(shape);
    const int8_t *const row = x + iy * shape->in_w * shape->in_c;
    if (iy < 0 || iy >= shape->in_h) {
        memset(room, zero_point, (size_t)bytes);
    } else if (!tg_conv2d_is_run(shape) && shape->kernel_w > 1) {
        tg_gather_taps(shape, row, left, zero_point, room);
    } else if (left >= 0 && left + shape->kernel_w <= shape->in_w) {
        return row + left * shape->in_c;
    } else if (shape->kernel_w > 1) {
        tg_gather_run(shape, row, left, zero_point, room);
    } else {
        memset(room, zero_point, (size_t)bytes);
    }
    return room;
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
    int32_t top[TG_TRIO_PIXELS], left[TG_TRIO_PIXELS];
    int32_t oy = first / shape->out_w, ox = first % shape->out_w;
    for (int32_t i = 0; i < TG_TRIO_PIXELS; ++i) {
        top[i] = oy * shape->stride_h - shape->pad_top;
        left[i] = ox * shape->stride_w - shape->pad_left;
        if (++ox == shape->out_w) {
            ox = 0;
            ++oy;
        }
    }
    for (int32_t ky = 0; ky < shape->kernel_h; ++ky, words += TG_TRIO_WORDS * bytes) {
        const int8_t *run[TG_TRIO_PIXELS];
        for (int32_t i = 0; i < TG_TRIO_PIXELS; ++i) {
            run[i] = tg_conv2d_trio_run(shape, x, top[i] + ky * shape->dilation_h, left[i],
                                        zero_point, room + i * bytes);
        }
        tg_conv2d_trio_pack(bytes, run[0], run[1], run[2], words);
        tg_conv2d_trio_pack(bytes, run[3], run[4], run[5], words + 2);
    }
}

/* The sums of two channels' weights at w, step bytes apart, with all that is packed; chunks of them
 * fit the words. */
TG_INLINE void tg_conv2d_trio_sums(const tg_conv2d_s8_shape *shape, const uint32_t *words,
                                   const int8_t *w, int32_t step, int32_t sums[12])
{
    for (int32_t begin = 0; begin < shape->depth; begin += shape->chunk) {
        uint32_t acc[8];
        tg_trio_2x4(tg_min(shape->chunk, shape->depth - begin), words + TG_TRIO_WORDS * begin,
                    w + begin, step, acc);
        for (int32_t i = 0; i < 4; ++i) {
            tg_trio_take(acc[2 * i], acc[2 * i + 1], sums + 3 * i);
        }
    }
}

/* All channels of the six pixels that are packed. */
TG_INLINE void tg_conv2d_trio_block(const tg_conv2d_s8_shape *shape, const tg_channels *channels,
                                    const uint32_t *words, int8_t *restrict y)
{
    const int8_t *w = channels->weights;
    for (int32_t c = 0; c < channels->out_c; c += 2, w += 2 * shape->depth) {
        const int32_t other = channels->out_c % 2 == 0 || c + 1 < channels->out_c;
        int32_t sums[2 * TG_TRIO_PIXELS];
        for (int32_t i = 0; i < TG_TRIO_PIXELS; ++i) {
            sums[i] = channels->bias[c];
            sums[TG_TRIO_PIXELS + i] = channels->bias[c + other];
        }
        tg_conv2d_trio_sums(shape, words, w, other * shape->depth, sums);
        for (int32_t i = 0; i < TG_TRIO_PIXELS; ++i) {
            y[i * shape->out_c + c] = tg_channel_s8(channels, c, sums[i]);
            y[i * shape->out_c + c + other] =
                tg_channel_s8(channels, c + other, sums[TG_TRIO_PIXELS + i]);
        }
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
            for (int32_t done = 0; done < pixels; done += TG_TRIO_PIXELS) {
                const int32_t first = tg_min(done, pixels - TG_TRIO_PIXELS);
                tg_conv2d_trio_gather(shape, from, first, params->input_zero_point, words, room);
                tg_conv2d_trio_block(shape, &channels, words, to + first * shape->out_c);
            }
        }
        x += shape->in_h * shape->in_w * shape->in_c;
        y += shape->out_h * shape->out_w * shape->out_c;
    }
}

#endif
