/* Text in and out of the serial port, without the C library's printf and its float support. */
#ifndef MLPERF_TEXT_H
#define MLPERF_TEXT_H

#include <stdbool.h>
#include <stdint.h>

void text_put(const char *text);
void text_put_unsigned(uint64_t value);
void text_put_byte(uint8_t byte); /* two hex digits */

/* Three decimals, rounded to nearest and half to even, as printf("%.3f") does. */
void text_put_decimal(float value);

/* A line that names itself after what it carries: the text, the number, the line's end. */
void text_put_line(const char *text, uint64_t number);

/* The next word of a text that spaces separate, or NULL at its end. It is cut out of the text. */
char *text_word(char **rest);

/* A quotient and its rest: not every core's compiler brings a division of 64 bits. */
uint64_t text_divide(uint64_t value, uint32_t divisor, uint32_t *rest);

/* Read a decimal number up to `limit`; false where the text is anything else. */
bool text_read_unsigned(const char *text, uint32_t limit, uint32_t *value);

/* Read two hex digits; -1 where they are none. */
int text_read_byte(const char *digits);

#endif
