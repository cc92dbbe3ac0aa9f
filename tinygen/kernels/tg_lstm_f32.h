/* UNIDIRECTIONAL_SEQUENCE_LSTM on float32; tg_lstm.h tells what it computes and where the answers
 * lie. Sums run over the frame, plus the bias, plus the sum over the hidden state. The sigmoid is 1
 * from 16.6 on, and exp(x) below -9, as it is in TFLite.
 */
#ifndef TG_LSTM_F32_H
#define TG_LSTM_F32_H

#include <math.h>

#include "tg_lstm.h"

typedef tg_lstm_shape tg_lstm_f32_shape;

typedef struct {
    const float *input;     /* by unit, gate and element of the frame */
    const float *recurrent; /* by unit, gate and unit */
    const float *bias;      /* by unit and gate */
    float clip;             /* of the cell state */
} tg_lstm_f32_params;

TG_INLINE float tg_lstm_dot_f32(int32_t length, const float *x, const float *w)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < length; ++i) {
        sum += x[i] * w[i];
    }
    return sum;
}

TG_INLINE float tg_lstm_sigmoid_f32(float x)
{
    if (x > 16.619047164916992188f) {
        return 1.0f;
    }
    return x < -9.0f ? expf(x) : 1.0f / (1.0f + expf(-x));
}

TG_INLINE float tg_lstm_unit_f32(int32_t dsp, const tg_lstm_shape *shape,
                                 const tg_lstm_f32_params *p, int32_t unit, const float *x,
                                 const float *hidden, float *cell)
{
    (void)dsp;
    float gates[TG_LSTM_GATES];
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        const int32_t row = unit * TG_LSTM_GATES + gate;
        const float sum = tg_lstm_dot_f32(shape->inputs, x, p->input + row * shape->inputs);
        gates[gate] = sum + p->bias[row] +
                      tg_lstm_dot_f32(shape->units, hidden, p->recurrent + row * shape->units);
    }
    const float kept = tg_lstm_sigmoid_f32(gates[TG_LSTM_FORGET]) * *cell;
    const float next = kept + tg_lstm_sigmoid_f32(gates[TG_LSTM_INPUT]) * tanhf(gates[TG_LSTM_CELL]);
    *cell = next > p->clip ? p->clip : next < -p->clip ? -p->clip : next;
    return tanhf(*cell) * tg_lstm_sigmoid_f32(gates[TG_LSTM_OUTPUT]);
}

TG_LSTM(tg_lstm_f32, tg_lstm_f32, float, float, tg_lstm_unit_f32, 0)

#endif
