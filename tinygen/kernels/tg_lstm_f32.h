/* UNIDIRECTIONAL_SEQUENCE_LSTM on float32; tg_lstm.h tells what it computes and where the answers
 * lie. Sums run over the frame, plus the bias, plus the sum over the hidden state. The sigmoid is
 * that of LOGISTIC.
 */
#ifndef TG_LSTM_F32_H
#define TG_LSTM_F32_H

#include "tg_f32.h"
#include "tg_lstm.h"
#include "tg_unary_f32.h"

typedef tg_lstm_shape tg_lstm_f32_shape;

typedef struct {
    const float *input;     /* by unit, gate and element of the frame */
    const float *recurrent; /* by unit, gate and unit */
    const float *bias;      /* by unit and gate */
    float clip;             /* of the cell state */
} tg_lstm_f32_params;

TG_INLINE float tg_lstm_unit_f32(int32_t dsp, const tg_lstm_shape *shape,
                                 const tg_lstm_f32_params *p, int32_t unit, const float *x,
                                 const float *hidden, float *cell)
{
    (void)dsp;
    float gates[TG_LSTM_GATES];
    for (int32_t gate = 0; gate < TG_LSTM_GATES; ++gate) {
        const int32_t row = unit * TG_LSTM_GATES + gate;
        const float sum = tg_dot_f32(0.0f, shape->inputs, x, p->input + row * shape->inputs);
        gates[gate] = sum + p->bias[row] +
                      tg_dot_f32(0.0f, shape->units, hidden, p->recurrent + row * shape->units);
    }
    const float kept = tg_logistic_f32_one(gates[TG_LSTM_FORGET]) * *cell;
    const float next =
        kept + tg_logistic_f32_one(gates[TG_LSTM_INPUT]) * tanhf(gates[TG_LSTM_CELL]);
    *cell = next > p->clip ? p->clip : next < -p->clip ? -p->clip : next;
    return tanhf(*cell) * tg_logistic_f32_one(gates[TG_LSTM_OUTPUT]);
}

TG_LSTM(tg_lstm_f32, tg_lstm_f32, float, float, tg_lstm_unit_f32, 0)

#endif
