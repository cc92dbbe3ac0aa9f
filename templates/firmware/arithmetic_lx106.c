/* What GCC calls for arithmetic that the LX106 has no instruction for, and that libgcc leaves out
 * for this core, because the ESP8266 has it in its ROM: wide multiplication, division, floating
 * point.
 *
 * Floating point is IEEE 754's, rounded to nearest, ties to even; both formats share the code. The
 * names are libgcc's ("Routines for floating point emulation" in GCC's internals manual); float
 * division and comparisons come from libgcc itself.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

int64_t __muldi3(int64_t a, int64_t b);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b);
int32_t __divsi3(int32_t a, int32_t b);
int64_t __divdi3(int64_t a, int64_t b);

float __addsf3(float a, float b);
float __subsf3(float a, float b);
float __mulsf3(float a, float b);
float __floatsisf(int32_t a);
float __floatunsisf(uint32_t a);
uint32_t __fixunssfsi(float a);

double __adddf3(double a, double b);
double __subdf3(double a, double b);
double __muldf3(double a, double b);
double __divdf3(double a, double b);
double __floatsidf(int32_t a);
double __floatunsidf(uint32_t a);
int32_t __fixdfsi(double a);
uint32_t __fixunsdfsi(double a);
double __extendsfdf2(float a);
float __truncdfsf2(double a);

/* Only the lower half of a 32 x 32 product has an instruction, so the factors are cut in half. */
int64_t __muldi3(int64_t a, int64_t b)
{
    const uint32_t a_low = (uint32_t)a, a_high = (uint32_t)((uint64_t)a >> 32);
    const uint32_t b_low = (uint32_t)b, b_high = (uint32_t)((uint64_t)b >> 32);
    const uint32_t a0 = a_low & 0xFFFFu, a1 = a_low >> 16;
    const uint32_t b0 = b_low & 0xFFFFu, b1 = b_low >> 16;
    const uint32_t inner = a0 * b0, left = a1 * b0, right = a0 * b1;
    const uint32_t middle = (inner >> 16) + (left & 0xFFFFu) + (right & 0xFFFFu);
    const uint32_t low = (middle << 16) | (inner & 0xFFFFu);
    const uint32_t high = a1 * b1 + (left >> 16) + (right >> 16) + (middle >> 16) + a_low * b_high
                          + a_high * b_low;
    return (int64_t)(((uint64_t)high << 32) | low);
}

uint64_t __umulsidi3(uint32_t a, uint32_t b)
{
    return (uint64_t)__muldi3(a, b);
}

/* Shift and subtract; a division by zero gives all ones. */
static uint32_t divide(uint32_t a, uint32_t b, uint32_t *rest)
{
    if (b == 0u) {
        *rest = a;
        return UINT32_MAX;
    }
    uint32_t quotient = 0, bit = 1;
    while (b < a && b >> 31 == 0u) {
        b <<= 1;
        bit <<= 1;
    }
    for (; bit != 0u; bit >>= 1, b >>= 1) {
        if (a >= b) {
            a -= b;
            quotient |= bit;
        }
    }
    *rest = a;
    return quotient;
}

uint32_t __udivsi3(uint32_t a, uint32_t b)
{
    uint32_t rest;
    return divide(a, b, &rest);
}

uint32_t __umodsi3(uint32_t a, uint32_t b)
{
    uint32_t rest;
    divide(a, b, &rest);
    return rest;
}

static uint32_t magnitude(int32_t a)
{
    return a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
}

int32_t __divsi3(int32_t a, int32_t b)
{
    uint32_t rest;
    const uint32_t quotient = divide(magnitude(a), magnitude(b), &rest);
    return (int32_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}

/* As the division of 32 bits; what a division by zero gives is undefined. */
int64_t __divdi3(int64_t a, int64_t b)
{
    uint64_t rest = a < 0 ? 0u - (uint64_t)a : (uint64_t)a;
    uint64_t divisor = b < 0 ? 0u - (uint64_t)b : (uint64_t)b;
    uint64_t quotient = 0, bit = 1;
    while (divisor < rest && divisor >> 63 == 0u && divisor != 0u) {
        divisor <<= 1;
        bit <<= 1;
    }
    for (; bit != 0u; bit >>= 1, divisor >>= 1) {
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= bit;
        }
    }
    return (int64_t)((a < 0) != (b < 0) ? 0u - quotient : quotient);
}

/* A floating-point format by the bits of its fraction and its exponent. */
typedef struct {
    int32_t fraction, exponent;
} format;

static const format single_format = {23, 8}, double_format = {52, 11};

typedef enum { ZERO, FINITE, INFINITE, NOT_A_NUMBER } category;

/* A finite one is significand x 2^exponent, the significand's highest bit set; the lowest is also
 * set where bits below it were lost, which rounding must know. */
typedef struct {
    category category;
    bool negative;
    int32_t exponent;
    uint64_t significand;
} number;

static int32_t bias(format f)
{
    return (1 << (f.exponent - 1)) - 1;
}

static uint64_t top_exponent(format f)
{
    return ((uint64_t)1 << f.exponent) - 1u;
}

static number normalized(bool negative, int32_t exponent, uint64_t significand)
{
    if (significand == 0u) {
        return (number){.category = ZERO, .negative = negative};
    }
    while (significand >> 63 == 0u) {
        significand <<= 1;
        --exponent;
    }
    return (number){FINITE, negative, exponent, significand};
}

static uint64_t shifted_right(uint64_t x, int32_t count)
{
    if (count >= 64) {
        return x != 0u;
    }
    return count == 0 ? x : (x >> count) | ((x << (64 - count)) != 0u);
}

static number unpacked(uint64_t bits, format f)
{
    const bool negative = (bits >> (f.fraction + f.exponent)) & 1u;
    const uint64_t field = (bits >> f.fraction) & top_exponent(f);
    const uint64_t fraction = bits & (((uint64_t)1 << f.fraction) - 1u);
    if (field == top_exponent(f)) {
        return (number){.category = fraction ? NOT_A_NUMBER : INFINITE, .negative = negative};
    }
    const int32_t exponent = (int32_t)field - bias(f) - f.fraction;
    return field == 0u ? normalized(negative, exponent + 1, fraction)
                       : normalized(negative, exponent, fraction | (uint64_t)1 << f.fraction);
}

static uint64_t packed(number n, format f)
{
    const uint64_t sign = (uint64_t)n.negative << (f.fraction + f.exponent);
    const uint64_t infinity = top_exponent(f) << f.fraction;
    switch (n.category) {
    case ZERO:
        return sign;
    case INFINITE:
        return sign | infinity;
    case NOT_A_NUMBER:
        return infinity | (uint64_t)1 << (f.fraction - 1);
    case FINITE:
        break;
    }
    int32_t field = n.exponent + 63 + bias(f), dropped = 63 - f.fraction;
    if (field < 1) { /* subnormal: fewer bits are left */
        dropped += 1 - field;
        field = 1;
    }
    /* Two bits are kept for the rounding: 2 is a tie, 3 more than that. */
    const uint64_t kept = shifted_right(n.significand, dropped - 2);
    uint64_t rounded = kept >> 2;
    if ((kept & 3u) == 3u || ((kept & 3u) == 2u && (rounded & 1u) != 0u)) {
        ++rounded;
    }
    /* The significand's highest bit adds one to the exponent's field. */
    const uint64_t bits = ((uint64_t)(field - 1) << f.fraction) + rounded;
    return sign | (bits < infinity ? bits : infinity);
}

static number sum(number a, number b)
{
    if (a.category == NOT_A_NUMBER || b.category == ZERO) {
        a.negative = a.negative && (a.category != ZERO || b.negative);
        return a;
    }
    if (b.category == NOT_A_NUMBER || a.category == ZERO) {
        return b;
    }
    if (a.category == INFINITE || b.category == INFINITE) {
        if (a.category == b.category && a.negative != b.negative) {
            a.category = NOT_A_NUMBER;
        }
        return a.category == FINITE ? b : a;
    }
    if (a.exponent < b.exponent) {
        const number swapped = a;
        a = b;
        b = swapped;
    }
    /* Two bits are free above for the carry; there are enough below: 53 are ever in use. */
    const uint64_t x = a.significand >> 2;
    const uint64_t y = shifted_right(b.significand >> 2, a.exponent - b.exponent);
    const int32_t exponent = a.exponent + 2;
    if (a.negative == b.negative) {
        return normalized(a.negative, exponent, x + y);
    }
    return x > y   ? normalized(a.negative, exponent, x - y)
           : x < y ? normalized(b.negative, exponent, y - x)
                   : (number){.category = ZERO};
}

static number difference(number a, number b)
{
    b.negative = !b.negative;
    return sum(a, b);
}

static uint64_t upper_product(uint64_t a, uint64_t b)
{
    const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    const uint64_t inner = a0 * b0, left = a1 * b0, right = a0 * b1;
    const uint64_t middle = (inner >> 32) + (uint32_t)left + (uint32_t)right;
    const bool lost = (uint32_t)inner != 0u || (uint32_t)middle != 0u;
    return (a1 * b1 + (left >> 32) + (right >> 32) + (middle >> 32)) | lost;
}

static number product(number a, number b)
{
    const bool negative = a.negative != b.negative;
    if (a.category == FINITE && b.category == FINITE) {
        return normalized(negative, a.exponent + b.exponent + 64,
                          upper_product(a.significand, b.significand));
    }
    const category larger = a.category > b.category ? a.category : b.category;
    const category smaller = a.category > b.category ? b.category : a.category;
    const bool undefined = larger == INFINITE && smaller == ZERO;
    const bool vanishes = smaller == ZERO && larger == FINITE;
    return (number){
        .category = undefined ? NOT_A_NUMBER : vanishes ? ZERO : larger,
        .negative = negative,
    };
}

/* 63 or 64 bits of a / b, whose highest bits are set; the lowest also tells of what is left. */
static uint64_t upper_quotient(uint64_t a, uint64_t b)
{
    bool fits = a >= b;
    uint64_t found = fits;
    for (int32_t bit = 0; bit < 63; ++bit) {
        a = fits ? a - b : a;
        fits = a >> 63 != 0u || a << 1 >= b;
        a <<= 1;
        found = found << 1 | fits;
    }
    return found | (fits ? a != b : a != 0u);
}

static number quotient(number a, number b)
{
    const bool negative = a.negative != b.negative;
    if (a.category == FINITE && b.category == FINITE) {
        return normalized(negative, a.exponent - b.exponent - 63,
                          upper_quotient(a.significand, b.significand));
    }
    const bool none = a.category == NOT_A_NUMBER || b.category == NOT_A_NUMBER ||
                      (a.category == b.category);
    const bool grows = a.category == INFINITE || b.category == ZERO;
    return (number){
        .category = none ? NOT_A_NUMBER : grows ? INFINITE : ZERO,
        .negative = negative,
    };
}

/* Towards zero; what does not fit becomes the nearest that does. */
static uint32_t truncated(number n, uint32_t limit)
{
    if (n.category == INFINITE || (n.category == FINITE && n.exponent > -32)) {
        return limit;
    }
    if (n.category != FINITE || n.exponent <= -64) {
        return 0u;
    }
    const uint64_t whole = n.significand >> -n.exponent;
    return whole < limit ? (uint32_t)whole : limit;
}

static int32_t to_signed(number n)
{
    return n.negative ? (int32_t)(0u - truncated(n, 1u << 31)) : (int32_t)truncated(n, INT32_MAX);
}

static uint32_t to_unsigned(number n)
{
    return n.negative ? 0u : truncated(n, UINT32_MAX);
}

static number from_single(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof(bits));
    return unpacked(bits, single_format);
}

static float to_single(number n)
{
    const uint32_t bits = (uint32_t)packed(n, single_format);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static number from_double(double a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof(bits));
    return unpacked(bits, double_format);
}

static double to_double(number n)
{
    const uint64_t bits = packed(n, double_format);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

float __addsf3(float a, float b)
{
    return to_single(sum(from_single(a), from_single(b)));
}

float __subsf3(float a, float b)
{
    return to_single(difference(from_single(a), from_single(b)));
}

float __mulsf3(float a, float b)
{
    return to_single(product(from_single(a), from_single(b)));
}

float __floatsisf(int32_t a)
{
    return to_single(normalized(a < 0, 0, magnitude(a)));
}

float __floatunsisf(uint32_t a)
{
    return to_single(normalized(false, 0, a));
}

uint32_t __fixunssfsi(float a)
{
    return to_unsigned(from_single(a));
}

double __adddf3(double a, double b)
{
    return to_double(sum(from_double(a), from_double(b)));
}

double __subdf3(double a, double b)
{
    return to_double(difference(from_double(a), from_double(b)));
}

double __muldf3(double a, double b)
{
    return to_double(product(from_double(a), from_double(b)));
}

double __divdf3(double a, double b)
{
    return to_double(quotient(from_double(a), from_double(b)));
}

double __floatsidf(int32_t a)
{
    return to_double(normalized(a < 0, 0, magnitude(a)));
}

double __floatunsidf(uint32_t a)
{
    return to_double(normalized(false, 0, a));
}

int32_t __fixdfsi(double a)
{
    return to_signed(from_double(a));
}

uint32_t __fixunsdfsi(double a)
{
    return to_unsigned(from_double(a));
}

double __extendsfdf2(float a)
{
    return to_double(from_single(a));
}

float __truncdfsf2(double a)
{
    return to_single(from_double(a));
}
