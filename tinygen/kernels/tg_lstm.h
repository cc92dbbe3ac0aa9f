/* UNIDIRECTIONAL_SEQUENCE_LSTM on int8 and int16 with int8 weights: a recurrent layer over the frames
 * of a sequence.
 *
 * Each unit has four gates: input i, forget f, cell g and output o, each the sum of a dot product
 * with the frame and one with the hidden state, which are the units' answers to the frame before.
 * The unit's cell state and answer follow:
 *     c = sigmoid(f) * c + sigmoid(i) * tanh(g),  h = sigmoid(o) * tanh(c)
 *
 * The weights of a unit's gates lie beside each other, so that each element of the frame is loaded
 * once for all four, and all that is left of a gate is an int16 in a register. An answer is written
 * where the output has it, which is where the next frame reads the hidden state: neither gates nor
 * states need a buffer. States may be updated in place.
 *
 * Gates are in steps of 2^-12 before their function and of 2^-15 after; both halves of one are
 * requantized apart. There are two arithmetics. The first takes the functions from a table
 * (tg_sigmoid_s16.h) and multiplies by fixed-point factors. The one called polynomial computes the
 * functions (tg_fixed_s16.h), scales products to the cell state by shifts, and adds up both halves
 * of a gate before it saturates.
 */
#ifndef TG_LSTM_H
#define TG_LSTM_H

#include "tg_dot_s8.h"
#include "tg_fixed_s16.h"
#include "tg_sigmoid_s16.h"
#include "tg_wide.h"

typedef struct {
    int32_t batches, steps, inputs, units;
    int32_t step_rows;  /* how many frames further the next one of a sequence lies */
    int32_t batch_rows; /* and the first of the next sequence */
} tg_lstm_shape;

typedef tg_lstm_shape tg_lstm_s8_shape;
typedef tg_lstm_shape tg_lstm_polynomial_s8_shape;
typedef tg_lstm_shape tg_lstm_s16_shape;

enum { TG_LSTM_INPUT, TG_LSTM_FORGET, TG_LSTM_CELL, TG_LSTM_OUTPUT, TG_LSTM_GATES };

/* From a unit's gates to its states. Positive shifts are to the left, but for tanh. */
typedef struct {
    int32_t forget_multiplier, forget_shift;
    int32_t input_multiplier, input_shift;
    int32_t tanh_multiplier, tanh_shift; /* of the cell state */
    int32_t cell_min, cell_max;
    int32_t hidden_multiplier, hidden_shift, hidden_zero_point;
} tg_lstm_update;

typedef struct {
    int32_t cell_bits;   /* integer bits of the cell state, 0 to 6 */
    int32_t input_shift; /* to the right */
    int32_t cell_min, cell_max;
    int32_t hidden_multiplier, hidden_shift, hidden_zero_point;
} tg_lstm_polynomial_update;

typedef struct {
    const int8_t *input;           /* by unit, gate and element of the frame */
    const int8_t *recurrent;       /* by unit, gate and unit */
    const int32_t *bias;           /* by unit and gate; less input_zero_point * sum(weights) */
    const int32_t *recurrent_bias; /* the same for the hidden state */
    const int32_t *multiplier;     /* of the input by gate, then of the hidden state */
    const int32_t *shift;          /* positive is left */
    const uint16_t *table;         /* of the sigmoid */
    tg_lstm_update update;
} tg_lstm_s8_params;

typedef struct {
    const int8_t *input;
    const int8_t *recurrent;
    const int32_t *bias;
    const int32_t *recurrent_bias;
    const int32_t *multiplier;
    const int32_t *shift;
    tg_lstm_polynomial_update update;
} tg_lstm_polynomial_s8_params;

typedef struct {
    const int8_t *input;
    const int8_t *recurrent;
    const int64_t *bias;
    const int32_t *multiplier; /* of 15 bits */
    const int32_t *shift;      /* to the right */
    const uint16_t *table;
    tg_lstm_update update;
} tg_lstm_s16_params;

TG_INLINE int32_t tg_lstm_saturated(int32_t x)
{
    return tg_clamp(x, INT16_MIN, INT16_MAX);
}

/* Both halves of a unit's gates of int8, requantized. */
TG_INLINE void tg_lstm_halves_s8(int32_t dsp, const tg_lstm_shape *shape, const int8_t *input,
                                 const int8_t *recurrent, const int32_t *bias,
                                 const int32_t *recurrent_bias, const int32_t *multiplier,
                                 const int32_t *shift, int32_t unit, const int8_t *x,
                                 const int8_t *hidden, int32_t first[TG_LSTM_GATES],
                                 int32_t second[TG_LSTM_GATES])
{
    const int32_t row = unit * TG_LSTM_GATES;
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        first[gate] = bias[row + gate];
        second[gate] = recurrent_bias[row + gate];
    }
    tg_dot_1x4(dsp, shape->inputs, x, input + row * shape->inputs, shape->inputs, first);
    tg_dot_1x4(dsp, shape->units, hidden, recurrent + row * shape->units, shape->units, second);
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        const int32_t other = TG_LSTM_GATES + gate;
        first[gate] = tg_lstm_saturated(tg_requant(first[gate], multiplier[gate], shift[gate]));
        second[gate] = tg_requant(second[gate], multiplier[other], shift[other]);
    }
}

/* A unit's gates, and from them its states: the cell state in place, and the hidden state before it
 * is cut to its type. */
TG_INLINE int32_t tg_lstm_advance(const tg_lstm_update *update, const uint16_t *table,
                                  const int32_t first[TG_LSTM_GATES],
                                  const int32_t second[TG_LSTM_GATES], int16_t *cell)
{
    const tg_sigmoid_s16_params gate_params = {.table = table, .multiplier = 3, .shift = 0};
    const tg_sigmoid_s16_params cell_params = {
        .table = table, .multiplier = update->tanh_multiplier, .shift = update->tanh_shift};
    int32_t gates[TG_LSTM_GATES];
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        const int32_t sum = tg_lstm_saturated(first[gate] + tg_lstm_saturated(second[gate]));
        gates[gate] = gate == TG_LSTM_CELL ? tg_tanh_of(&gate_params, sum)
                                           : tg_logistic_of(&gate_params, sum);
    }
    const int32_t kept = tg_requant(gates[TG_LSTM_FORGET] * *cell, update->forget_multiplier,
                                    update->forget_shift);
    const int32_t added = tg_requant(gates[TG_LSTM_INPUT] * gates[TG_LSTM_CELL],
                                     update->input_multiplier, update->input_shift);
    const int32_t sum = tg_lstm_saturated(kept) + tg_lstm_saturated(added);
    *cell = (int16_t)tg_clamp(sum, update->cell_min, update->cell_max);
    const int32_t product = tg_tanh_of(&cell_params, *cell) * gates[TG_LSTM_OUTPUT];
    return tg_requant(product, update->hidden_multiplier, update->hidden_shift) +
           update->hidden_zero_point;
}

TG_INLINE int32_t tg_lstm_polynomial_advance(const tg_lstm_polynomial_update *update,
                                             const int32_t first[TG_LSTM_GATES],
                                             const int32_t second[TG_LSTM_GATES], int16_t *cell)
{
    int32_t gates[TG_LSTM_GATES];
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        /* Beyond 17 bits the sum saturates, whatever the first half is. */
        const int32_t other = tg_clamp(second[gate], -(1 << 17), 1 << 17);
        const int32_t sum = tg_lstm_saturated(first[gate] + other);
        gates[gate] = gate == TG_LSTM_CELL ? tg_fixed_tanh(sum, 3) : tg_fixed_sigmoid(sum, 3);
    }
    const int32_t kept = tg_rounding_shift_right(gates[TG_LSTM_FORGET] * *cell, 15);
    const int32_t added = tg_rounding_shift_right(gates[TG_LSTM_INPUT] * gates[TG_LSTM_CELL],
                                                  update->input_shift);
    *cell = (int16_t)tg_clamp(kept + added, update->cell_min, update->cell_max);
    const int32_t product =
        tg_fixed_tanh(*cell, update->cell_bits) * gates[TG_LSTM_OUTPUT];
    return tg_requant(product, update->hidden_multiplier, update->hidden_shift) +
           update->hidden_zero_point;
}

TG_INLINE int8_t tg_lstm_unit_s8(int32_t dsp, const tg_lstm_shape *shape,
                                 const tg_lstm_s8_params *p, int32_t unit, const int8_t *x,
                                 const int8_t *hidden, int16_t *cell)
{
    int32_t first[TG_LSTM_GATES], second[TG_LSTM_GATES];
    tg_lstm_halves_s8(dsp, shape, p->input, p->recurrent, p->bias, p->recurrent_bias,
                      p->multiplier, p->shift, unit, x, hidden, first, second);
    const int32_t h = tg_lstm_advance(&p->update, p->table, first, second, cell);
    return (int8_t)tg_clamp(h, INT8_MIN, INT8_MAX);
}

TG_INLINE int8_t tg_lstm_polynomial_unit_s8(int32_t dsp, const tg_lstm_shape *shape,
                                            const tg_lstm_polynomial_s8_params *p, int32_t unit,
                                            const int8_t *x, const int8_t *hidden, int16_t *cell)
{
    int32_t first[TG_LSTM_GATES], second[TG_LSTM_GATES];
    tg_lstm_halves_s8(dsp, shape, p->input, p->recurrent, p->bias, p->recurrent_bias,
                      p->multiplier, p->shift, unit, x, hidden, first, second);
    const int32_t h = tg_lstm_polynomial_advance(&p->update, first, second, cell);
    return (int8_t)tg_clamp(h, INT8_MIN, INT8_MAX);
}

TG_INLINE int16_t tg_lstm_unit_s16(int32_t dsp, const tg_lstm_shape *shape,
                                   const tg_lstm_s16_params *p, int32_t unit, const int16_t *x,
                                   const int16_t *hidden, int16_t *cell)
{
    int32_t first[TG_LSTM_GATES], second[TG_LSTM_GATES];
    (void)dsp;
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        const int32_t row = unit * TG_LSTM_GATES + gate;
        const int32_t other = TG_LSTM_GATES + gate;
        const int64_t sum = tg_dot_s16(shape->inputs, x, p->input + row * shape->inputs);
        const int64_t recurrent =
            tg_dot_s16(shape->units, hidden, p->recurrent + row * shape->units);
        first[gate] = tg_lstm_saturated(
            tg_requant_wide(sum + p->bias[row], p->multiplier[gate], p->shift[gate]));
        second[gate] = tg_requant_wide(recurrent, p->multiplier[other], p->shift[other]);
    }
    const int32_t h = tg_lstm_advance(&p->update, p->table, first, second, cell);
    return (int16_t)tg_lstm_saturated(h);
}

/* All sequences, one after the other. `unit_of` makes one unit's next states: the cell state in its
 * place, the hidden state as result. */
#define TG_LSTM(name, types, type, cell_type, unit_of, dsp)                                       \
    TG_INLINE void name(const tg_lstm_shape *shape, const types##_params *params, const type *x,  \
                        const type *hidden, const cell_type *cell, type *y, type *hidden_after,   \
                        cell_type *cell_after)                                                    \
    {                                                                                             \
        const size_t units = (size_t)shape->units;                                                \
        if (cell_after != cell) {                                                                 \
            memcpy(cell_after, cell, (size_t)shape->batches * units * sizeof(cell_type));         \
        }                                                                                         \
        for (int32_t b = 0; b < shape->batches; ++b) {                                            \
            const type *frame = x + b * shape->batch_rows * shape->inputs;                        \
            type *answer = y + b * shape->batch_rows * shape->units;                              \
            const type *before = hidden + b * shape->units;                                       \
            cell_type *const own = cell_after + b * shape->units;                                 \
            for (int32_t t = 0; t < shape->steps; ++t) {                                          \
                for (int32_t unit = 0; unit < shape->units; ++unit) {                             \
                    answer[unit] = unit_of(dsp, shape, params, unit, frame, before, own + unit);  \
                }                                                                                 \
                before = answer;                                                                  \
                frame += shape->step_rows * shape->inputs;                                        \
                answer += shape->step_rows * shape->units;                                        \
            }                                                                                     \
            memcpy(hidden_after + b * shape->units, before, units * sizeof(type));                \
        }                                                                                         \
    }

TG_LSTM(tg_lstm_s8, tg_lstm_s8, int8_t, int16_t, tg_lstm_unit_s8, 0)
TG_LSTM(tg_lstm_polynomial_s8, tg_lstm_polynomial_s8, int8_t, int16_t, tg_lstm_polynomial_unit_s8,
        0)
TG_LSTM(tg_lstm_s16, tg_lstm_s16, int16_t, int16_t, tg_lstm_unit_s16, 0)

#endif
