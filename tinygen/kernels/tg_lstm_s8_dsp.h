/* The LSTM on int8 with the instructions of the Arm DSP extension. */
#ifndef TG_LSTM_S8_DSP_H
#define TG_LSTM_S8_DSP_H

#include "tg_lstm.h"
#include "tg_require_dsp.h"

TG_LSTM(tg_lstm_s8_dsp, tg_lstm_s8, int8_t, int16_t, tg_lstm_unit_s8, 1)
TG_LSTM(tg_lstm_polynomial_s8_dsp, tg_lstm_polynomial_s8, int8_t, int16_t,
        tg_lstm_polynomial_unit_s8, 1)

#endif
