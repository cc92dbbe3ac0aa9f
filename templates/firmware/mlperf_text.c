/* Text in and out of the serial port; see mlperf_text.h. */
#include "mlperf_text.h"

#include <stddef.h>
#include <string.h>

#include "uart.h"

/* An IEEE float: sign, 8 bits of exponent, 23 of fraction. Taken as a whole number, the significand
 * has an exponent 150 less than the bits say. 2^128 has 39 decimal digits; three more stand behind
 * the point. */
enum {
    FRACTION_BITS = 23,
    EXPONENT_MASK = 0xFF,
    EXPONENT_BIAS = 150,
    DECIMALS = 3,
    DIGITS = 39 + DECIMALS
};

void text_put(const char *text)
{
    while (*text != '\0') {
        wire_write((uint8_t)*text++);
    }
}

uint64_t text_divide(uint64_t value, uint32_t divisor, uint32_t *rest)
{
    uint64_t quotient = 0, remainder = 0;
    for (int bit = 0; bit < 64; ++bit) {
        remainder = remainder << 1 | value >> 63;
        value <<= 1;
        quotient <<= 1;
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= 1u;
        }
    }
    *rest = (uint32_t)remainder;
    return quotient;
}

/* Take a number apart, its last digit first, and return how many digits it has: none for 0. */
static int decimal_digits(uint64_t value, uint8_t *digits)
{
    int count = 0;
    while (value > 0u) {
        uint32_t digit;
        value = text_divide(value, 10u, &digit);
        digits[count++] = (uint8_t)digit;
    }
    return count;
}

void text_put_unsigned(uint64_t value)
{
    uint8_t digits[20] = {0};
    int count = value > 0u ? decimal_digits(value, digits) : 1;
    while (count > 0) {
        wire_write((uint8_t)('0' + digits[--count]));
    }
}

void text_put_byte(uint8_t byte)
{
    static const char hex[] = "0123456789abcdef";
    wire_write((uint8_t)hex[byte >> 4]);
    wire_write((uint8_t)hex[byte & 0xFu]);
}

void text_put_line(const char *text, uint64_t number)
{
    text_put(text);
    text_put_unsigned(number);
    text_put("\r\n");
}

/* Print thousandths * 2^doublings / 1000, exactly: a double would not hold it. */
static void put_thousandths(uint64_t thousandths, int doublings)
{
    uint8_t digits[DIGITS] = {0}; /* the last one first */
    int count = decimal_digits(thousandths, digits);
    for (; doublings > 0; --doublings) {
        unsigned carry = 0;
        for (int i = 0; i < count; ++i) {
            carry += 2u * digits[i];
            digits[i] = (uint8_t)(carry < 10u ? carry : carry - 10u);
            carry = carry < 10u ? 0u : 1u;
        }
        if (carry > 0u) {
            digits[count++] = 1u;
        }
    }
    for (int i = count > DECIMALS ? count - 1 : DECIMALS; i >= 0; --i) {
        wire_write((uint8_t)('0' + digits[i]));
        if (i == DECIMALS) {
            wire_write('.');
        }
    }
}

/* Shift right, rounding to nearest and half to even. */
static uint64_t shift_rounding(uint64_t value, int shift)
{
    if (shift == 0) {
        return value;
    }
    if (shift > 62) {
        return 0;
    }
    const uint64_t half = UINT64_C(1) << (shift - 1);
    const uint64_t whole = value >> shift, rest = value & (2u * half - 1u);
    return whole + (rest > half || (rest == half && (whole & 1u) != 0u) ? 1u : 0u);
}

void text_put_decimal(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    const int exponent = (int)(bits >> FRACTION_BITS) & EXPONENT_MASK;
    const uint32_t fraction = bits & ((1u << FRACTION_BITS) - 1u);
    if (exponent == EXPONENT_MASK && fraction != 0u) {
        text_put("nan");
        return;
    }
    if (bits >> 31 != 0u) {
        wire_write('-');
    }
    if (exponent == EXPONENT_MASK) {
        text_put("inf");
        return;
    }
    const uint32_t significand = exponent > 0 ? fraction | 1u << FRACTION_BITS : fraction;
    const uint64_t thousandths = significand * UINT64_C(1000);
    const int scale = (exponent > 0 ? exponent : 1) - EXPONENT_BIAS;
    if (scale < 0) {
        put_thousandths(shift_rounding(thousandths, -scale), 0);
    } else {
        put_thousandths(thousandths, scale);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *text_word(char **rest)
{
    char *start = *rest;
    while (is_space(*start)) {
        ++start;
    }
    char *end = start;
    while (*end != '\0' && !is_space(*end)) {
        ++end;
    }
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return *start == '\0' ? NULL : start;
}

bool text_read_unsigned(const char *text, uint32_t limit, uint32_t *value)
{
    uint64_t number = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && number <= limit; ++p) {
        number = number * 10u + (uint64_t)(*p - '0');
    }
    *value = (uint32_t)number;
    return p > text && *p == '\0' && number <= limit;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_read_byte(const char *digits)
{
    const int high = hex_digit(digits[0]);
    const int low = high < 0 ? -1 : hex_digit(digits[1]);
    return low < 0 ? -1 : high * 16 + low;
}
