/* A program of one's own around a generated model: fill the input, invoke, read the output. */
#include <math.h>
#include <stdio.h>

#include "digits.h"

/* One handwritten digit, as the camera or the touch screen gives it: 0 is paper, 16 is ink. */
static const float image[DIGITS_INPUT_0_ELEMENTS] = {
    0, 2, 13, 16, 15, 1,  0, 0, /* */
    0, 7, 13, 10, 16, 4,  0, 0, /* */
    0, 0, 0,  8,  16, 2,  0, 0, /* */
    0, 0, 8,  16, 16, 10, 0, 0, /* */
    0, 0, 1,  4,  10, 16, 8, 0, /* */
    0, 0, 0,  0,  0,  16, 9, 0, /* */
    0, 2, 12, 6,  6,  16, 6, 0, /* */
    0, 1, 15, 16, 16, 9,  1, 0, /* */
};

int main(void)
{
    int8_t *input = digits_input_0();
    for (int i = 0; i < DIGITS_INPUT_0_ELEMENTS; i++) {
        float pixel = image[i] / 16.0f; /* the network was trained on 0 to 1 */
        long quantized = lroundf(pixel / DIGITS_INPUT_0_SCALE) + DIGITS_INPUT_0_ZERO_POINT;
        input[i] = (int8_t)(quantized > 127 ? 127 : quantized);
    }

    digits_invoke();

    const int8_t *output = digits_output_0();
    int best = 0;
    for (int i = 1; i < DIGITS_OUTPUT_0_ELEMENTS; i++) {
        best = output[i] > output[best] ? i : best;
    }
    printf("digit %d, probability %.2f\n", best,
           (double)(DIGITS_OUTPUT_0_SCALE * (float)(output[best] - DIGITS_OUTPUT_0_ZERO_POINT)));
    return 0;
}
