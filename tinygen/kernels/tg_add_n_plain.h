/* ADD_N on float32 and on whole numbers without a scale, which wrap: zero plus one input after the
 * other. (For floats that is more than the sum: of negative zeros alone it makes a positive one.)
 *
 * y may be any of the inputs.
 */
#ifndef TG_ADD_N_PLAIN_H
#define TG_ADD_N_PLAIN_H

#include "tg_types.h"

typedef struct {
    int32_t size; /* elements */
} tg_add_n_plain_shape;

typedef struct {
    int32_t unused;
} tg_add_n_plain_params;

/* Sums are of type wide, which wraps. */
#define TG_ADD_N_PLAIN(suffix, type, wide)                                                         \
    TG_INLINE void tg_add_2_##suffix(const tg_add_n_plain_shape *shape,                            \
                                     const tg_add_n_plain_params *params, const type *a,           \
                                     const type *b, type *y)                                       \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            y[i] = (type)((wide)0 + (wide)a[i] + (wide)b[i]);                                      \
        }                                                                                          \
    }                                                                                              \
    TG_INLINE void tg_add_3_##suffix(const tg_add_n_plain_shape *shape,                            \
                                     const tg_add_n_plain_params *params, const type *a,           \
                                     const type *b, const type *c, type *y)                        \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            y[i] = (type)((wide)0 + (wide)a[i] + (wide)b[i] + (wide)c[i]);                         \
        }                                                                                          \
    }                                                                                              \
    TG_INLINE void tg_add_4_##suffix(const tg_add_n_plain_shape *shape,                            \
                                     const tg_add_n_plain_params *params, const type *a,           \
                                     const type *b, const type *c, const type *d, type *y)         \
    {                                                                                              \
        (void)params;                                                                              \
        for (int32_t i = 0; i < shape->size; ++i) {                                                \
            y[i] = (type)((wide)0 + (wide)a[i] + (wide)b[i] + (wide)c[i] + (wide)d[i]);            \
        }                                                                                          \
    }

TG_ADD_N_PLAIN(f32, float, float)
TG_ADD_N_PLAIN(s32, int32_t, uint32_t)

#endif
