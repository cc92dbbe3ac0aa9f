/* The device's side of the MLPerf Tiny benchmark: commands in, lines of text out.
 *
 * A command ends with '%', without a line's end. Whatever the answer is, it ends with the line
 * "m-ready"; the runner sends nothing before that. Lines of facts begin with "m-", errors look like
 * "e-[what is wrong]". The commands:
 *
 *   name                  m-name-dut-[board]
 *   profile               m-profile-[...], m-model-[model]
 *   help                  a list like this one
 *   timestamp             m-lap-us-MICROSECONDS
 *   db load N             announce N bytes of input: m-[Expecting N bytes]
 *   db HH...              the next bytes in hex; after the last one m-load-done
 *   db print [N [OFFSET]] m-buffer-HH-HH-..., eight bytes a line
 *   infer N [W]           W inferences for nothing (10 unless told), then N between two timestamps
 *   results               m-results-[...], the outputs' values with three decimals
 */
#include "mlperf.h"

#include <stddef.h>
#include <string.h>

#include "app.h"
#include "board.h"
#include "firmware_model.h"
#include "mlperf_config.h"
#include "mlperf_tensor.h"
#include "mlperf_text.h"
#include "platform.h"
#include "uart.h"

/* Runners know the protocol by this name. */
#define PROFILE "ULPMark for tinyML Firmware V0.0.1"

enum {
    COMMAND_BYTES = 160, /* runners send 80 at most */
    ECHO_BYTES = 32,
    BYTES_A_LINE = 8,
    WARMUPS = 10,
    MICROSECONDS = 1000000, /* of a second */
    PULSES_A_SECOND = 1000  /* a low of a millisecond: shorter ones may pass for noise */
};

static struct {
    uint32_t announced, loaded; /* bytes of the buffer */
    bool inferred;              /* the outputs are those of the buffer */
    uint8_t bytes[MLPERF_BUFFER_BYTES];
} db;

#if MLPERF_STAGED_BYTES > 0
static uint8_t staged[MLPERF_STAGED_BYTES]; /* the buffer as the model's first input */
#endif

static void error(const char *what)
{
    text_put("e-[");
    text_put(what);
    text_put("]\r\n");
}

/* A point in time for the runner: an edge of the pin, or ticks for put_mark() to print. */
static uint64_t mark(void)
{
    const uint64_t now = platform_ticks();
#if MLPERF_ENERGY
    const uint32_t pulse = platform_timer_hz() / PULSES_A_SECOND;
    mlperf_pin(false);
    while (platform_ticks() - now < pulse) {
    }
    mlperf_pin(true);
#endif
    return now;
}

static void put_mark(uint64_t ticks)
{
#if MLPERF_ENERGY
    (void)ticks;
#else
    const uint32_t hz = platform_timer_hz();
    uint32_t rest;
    const uint64_t seconds = text_divide(ticks, hz, &rest);
    const uint64_t part = text_divide((uint64_t)rest * MICROSECONDS, hz, &rest);
    text_put_line("m-lap-us-", seconds * MICROSECONDS + part);
#endif
}

static void help(void)
{
    text_put("Commands, each ended by a percent sign:\r\n"
             "  name, profile        the device and its model\r\n"
             "  timestamp            the time now\r\n"
             "  db load N            announce N bytes of input\r\n"
             "  db HH...             the next bytes, in hex\r\n"
             "  db print [N [FROM]]  the bytes\r\n"
             "  infer N [W=10]       W inferences to warm up, N to measure\r\n"
             "  results              the outputs of the last one\r\n");
}

static void profile(void)
{
    text_put("m-profile-[" PROFILE "]\r\n"
             "m-model-[" MLPERF_MODEL "]\r\n");
}

static void db_load(char *count)
{
    uint32_t bytes;
    if (count == NULL || !text_read_unsigned(count, UINT32_MAX, &bytes) || bytes == 0u) {
        error("db load needs a number of bytes above 0");
        return;
    }
    memset(&db, 0, sizeof(db));
    if (bytes > sizeof(db.bytes)) {
        text_put("e-[");
        text_put_unsigned(bytes);
        text_put(" bytes are too many: the model takes ");
        text_put_unsigned(sizeof(db.bytes));
        text_put("]\r\n");
        return;
    }
    db.announced = bytes;
    text_put("m-[Expecting ");
    text_put_unsigned(bytes);
    text_put(" bytes]\r\n");
}

/* Take bytes in hex: all of a command's, or none. What follows the last announced byte is no error:
 * a runner may fill its last command up. */
static void db_bytes(const char *digits)
{
    const size_t length = strlen(digits);
    if (length % 2u != 0u) {
        error("an odd number of hex digits");
        return;
    }
    for (size_t i = 0; i < length; i += 2u) {
        if (text_read_byte(digits + i) < 0) {
            error("db takes load, print or bytes in hex");
            return;
        }
    }
    if (db.loaded == db.announced) {
        error(db.announced == 0u ? "db load comes first" : "all bytes are here already");
        return;
    }
    for (size_t i = 0; i < length && db.loaded < db.announced; i += 2u) {
        db.bytes[db.loaded++] = (uint8_t)((unsigned)text_read_byte(digits + i) ^ MLPERF_FLIP);
    }
    if (db.loaded == db.announced) {
        text_put("m-load-done\r\n");
    }
}

static void db_print(char *rest)
{
    const char *count = text_word(&rest), *from = count == NULL ? NULL : text_word(&rest);
    uint32_t bytes = db.loaded, offset = 0;
    if ((count != NULL && !text_read_unsigned(count, UINT32_MAX, &bytes))
        || (from != NULL && !text_read_unsigned(from, UINT32_MAX, &offset))) {
        error("db print takes a number of bytes and an offset");
        return;
    }
    offset = offset < db.loaded ? offset : db.loaded;
    bytes = bytes < db.loaded - offset ? bytes : db.loaded - offset;
    for (uint32_t i = 0; i < bytes; ++i) {
        text_put(i % BYTES_A_LINE == 0u ? "m-buffer-" : "-");
        text_put_byte((uint8_t)(db.bytes[offset + i] ^ MLPERF_FLIP));
        if ((i + 1u) % BYTES_A_LINE == 0u || i + 1u == bytes) {
            text_put("\r\n");
        }
    }
}

static void db_command(char *rest)
{
    char *word = text_word(&rest);
    if (word == NULL) {
        error("db takes load, print or bytes in hex");
    } else if (strcmp(word, "load") == 0) {
        db_load(text_word(&rest));
    } else if (strcmp(word, "print") == 0) {
        db_print(rest);
    } else {
        db_bytes(word);
    }
}

static void put_results(void)
{
    text_put("m-results-[");
#if MLPERF_STAGED_BYTES > 0
    const model_tensor *output = &model.tensors[model.inputs];
    const uint32_t elements = tensor_elements(output);
    float sum = 0.0f;
    for (uint32_t i = 0; i < elements; ++i) {
        float wanted;
        memcpy(&wanted, db.bytes + i * sizeof(wanted), sizeof(wanted));
        const float difference = tensor_value(output, model_output(0), i) - wanted;
        sum += difference * difference;
    }
    text_put_decimal(sum / (float)elements);
#else
    bool first = true;
    for (uint32_t output = 0; output < model.outputs; ++output) {
        const model_tensor *tensor = &model.tensors[model.inputs + output];
        const uint32_t elements = tensor_elements(tensor);
        for (uint32_t i = 0; i < elements; ++i) {
            text_put(first ? "" : ",");
            text_put_decimal(tensor_value(tensor, model_output(output), i));
            first = false;
        }
    }
#endif
    text_put("]\r\n");
}

/* Bring the buffer into the form that the model takes, once, before any time is measured. */
static void stage(void)
{
#if MLPERF_STAGED_BYTES > 0
    const model_tensor *input = &model.tensors[0];
    for (uint32_t i = 0; i < tensor_elements(input); ++i) {
        float value;
        memcpy(&value, db.bytes + i * sizeof(value), sizeof(value));
        tensor_store(input, staged, i, value);
    }
#endif
}

/* Fill the inputs: each inference may overwrite them. */
static void fill_inputs(void)
{
#if MLPERF_STAGED_BYTES > 0
    memcpy(model_input(0), staged, sizeof(staged));
#else
    const uint8_t *from = db.bytes;
    for (uint32_t i = 0; i < model.inputs; ++i) {
        memcpy(model_input(i), from, model.tensors[i].bytes);
        from += model.tensors[i].bytes;
    }
#endif
}

static void run(uint32_t inferences)
{
    for (uint32_t i = 0; i < inferences; ++i) {
        fill_inputs();
        firmware_invoke();
        (void)platform_ticks(); /* a timer of 32 bits must be read before it wraps */
    }
}

static void infer(char *rest)
{
    const char *count = text_word(&rest), *warm = count == NULL ? NULL : text_word(&rest);
    uint32_t inferences = 1, warmups = WARMUPS;
    if (count != NULL
        && (!text_read_unsigned(count, UINT32_MAX, &inferences) || inferences == 0u)) {
        error("infer needs a number of inferences above 0");
        return;
    }
    if (warm != NULL && !text_read_unsigned(warm, UINT32_MAX, &warmups)) {
        error("infer needs a number of warmups of 0 or above");
        return;
    }
    if (db.loaded != sizeof(db.bytes)) {
        text_put("e-[the model takes ");
        text_put_unsigned(sizeof(db.bytes));
        text_put(" bytes, and ");
        text_put_unsigned(db.loaded);
        text_put(" are loaded]\r\n");
        return;
    }
    stage();
    firmware_reset(); /* each sample is a sequence of its own */
    text_put_line("m-warmup-start-", warmups);
    wire_flush();
    run(warmups);
    text_put("m-warmup-done\r\n");
    text_put_line("m-infer-start-", inferences);
    /* Nothing is sent between the two marks: it would be measured too. */
    wire_flush();
    firmware_reset();
    const uint64_t start = mark();
    run(inferences);
    const uint64_t end = mark();
    put_mark(start);
    put_mark(end);
    text_put("m-infer-done\r\n");
    db.inferred = true;
    put_results();
    platform_check_stack();
}

/* Noise on the line must not become control characters in somebody's log. */
static void unknown(const char *word)
{
    text_put("e-[Unknown command: ");
    for (int i = 0; i < ECHO_BYTES && word[i] != '\0'; ++i) {
        const bool plain = word[i] > ' ' && word[i] <= '~' && word[i] != ']';
        wire_write(plain ? (uint8_t)word[i] : (uint8_t)'?');
    }
    text_put("]\r\n");
}

static void serve(char *command)
{
    const char *word = text_word(&command);
    if (word == NULL) {
        return; /* only to see whether somebody answers */
    }
    if (strcmp(word, "name") == 0) {
        text_put("m-name-dut-[" FIRMWARE_BOARD "]\r\n");
    } else if (strcmp(word, "profile") == 0) {
        profile();
    } else if (strcmp(word, "help") == 0) {
        help();
    } else if (strcmp(word, "timestamp") == 0) {
        put_mark(mark());
    } else if (strcmp(word, "db") == 0) {
        db_command(command);
    } else if (strcmp(word, "infer") == 0) {
        infer(command);
    } else if (strcmp(word, "results") != 0) {
        unknown(word);
    } else if (db.inferred) {
        put_results();
    } else {
        error("infer comes first");
    }
}

static void put_ready(void)
{
    text_put("m-ready\r\n");
    wire_flush();
}

void app_start(void)
{
#if MLPERF_ENERGY
    mlperf_pin(true);
    text_put("m-timestamp-mode-energy\r\n");
#else
    text_put("m-timestamp-mode-performance\r\n");
#endif
    put_mark(mark());
    text_put("m-init-done\r\n");
    put_ready();
}

void app_poll(void)
{
    static char command[COMMAND_BYTES + 1];
    size_t length = 0;
    for (uint8_t byte = wire_read(); byte != (uint8_t)'%'; byte = wire_read()) {
        if (length < COMMAND_BYTES) {
            command[length] = byte == 0u ? ' ' : (char)byte;
        }
        length += length <= COMMAND_BYTES ? 1u : 0u;
    }
    if (length > COMMAND_BYTES) {
        error("the command is too long");
    } else {
        command[length] = '\0';
        serve(command);
    }
    put_ready();
}

void app_serve(void)
{
    for (;;) {
        app_poll();
    }
}

void app_report_crash(const crash_report *report)
{
    text_put("\r\ne-[the processor faulted: exception ");
    text_put_unsigned(report->exception);
    text_put(" at 0x");
    for (int shift = 24; shift >= 0; shift -= 8) {
        text_put_byte((uint8_t)(report->pc >> shift));
    }
    text_put("]\r\n");
    wire_flush();
}
