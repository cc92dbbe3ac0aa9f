/* Answers the host's requests, one at a time; see protocol.h for what they are. */
#include "protocol.h"

#include <string.h>

#include "app.h"
#include "board.h"
#include "firmware_model.h"
#include "frame.h"
#include "layers.h"
#include "platform.h"

enum { REFUSE = -1, KEPT_BYTES = 24 };

/* What must survive from one request to the next. */
static struct {
    bool open;
    uint32_t number;   /* which session */
    uint16_t expected; /* the next request in order */
    uint32_t damaged;
    /* The last reply that must not be made again, for a host that missed it. */
    uint16_t kept_sequence;
    uint16_t kept_length;
    uint8_t kept[KEPT_BYTES];
} session;

/* Texts are short: a board file's payload and a model's name have limits that leave them room. */
static uint8_t *put_text(uint8_t *p, const uint8_t *end, const char *text)
{
    size_t length = strlen(text);
    const size_t room = (size_t)(end - p);
    if (room == 0u) {
        return p;
    }
    length = length < room ? length : room - 1u;
    length = length < UINT8_MAX ? length : UINT8_MAX;
    *p = (uint8_t)length;
    memcpy(p + 1, text, length);
    return p + 1 + length;
}

static int identify(uint8_t *payload)
{
    const char *const texts[] = {
        model.name,    model.sha256,    FIRMWARE_BOARD, model.tinygen_version,
        model.options, BOARD_FRAMEWORK, BOARD_APP,
    };
    const uint8_t *const end = payload + BOARD_PAYLOAD_BYTES;
    uint8_t *p = payload;
    *p++ = PROTOCOL_VERSION;
    *p++ = BOARD_EMULATED;
    p = put_u16(p, BOARD_PAYLOAD_BYTES);
    p = put_u16(p, BOARD_WINDOW);
    p = put_u16(p, model.inputs);
    p = put_u16(p, model.outputs);
    p = put_u16(p, model.layers);
    p = put_u32(p, model.arena_bytes);
    p = put_u32(p, platform_stack_bytes());
    p = put_u32(p, platform_timer_hz());
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) {
        p = put_text(p, end, texts[i]);
    }
    return (int)(p - payload);
}

static int tensor(uint8_t *payload, uint32_t length)
{
    const uint32_t index = get_u16(payload);
    if (length != 2u || index >= (uint32_t)model.inputs + model.outputs) {
        return REFUSE;
    }
    const model_tensor *t = &model.tensors[index];
    uint32_t scale;
    memcpy(&scale, &t->scale, sizeof(scale));
    uint8_t *p = payload;
    *p++ = t->dtype;
    *p++ = t->rank;
    *p++ = t->quantized;
    *p++ = 0;
    p = put_u32(p, t->bytes);
    p = put_u32(p, scale);
    p = put_u32(p, (uint32_t)t->zero_point);
    for (uint32_t i = 0; i < t->rank; ++i) {
        p = put_u32(p, t->dims[i]);
    }
    return (int)(p - payload);
}

/* Whether a span lies inside a tensor, without overflow. */
static bool inside(const model_tensor *t, uint32_t offset, uint32_t count)
{
    return offset <= t->bytes && count <= t->bytes - offset;
}

static int write_input(const uint8_t *payload, uint32_t length)
{
    const uint32_t index = get_u16(payload), offset = get_u32(payload + 2);
    if (length < 6u || index >= model.inputs
        || !inside(&model.tensors[index], offset, length - 6u)) {
        return REFUSE;
    }
    memcpy(model_input(index) + offset, payload + 6, length - 6u);
    return 0;
}

static int load_input(uint8_t *payload, uint32_t length)
{
    const uint32_t index = get_u16(payload), offset = get_u32(payload + 2);
    if (length <= 6u || length >= BOARD_PAYLOAD_BYTES || index >= model.inputs) {
        return REFUSE;
    }
    payload[length] = 0;
    const char *path = (const char *)payload + 6;
    const uint32_t bytes = model.tensors[index].bytes;
    return platform_read_file(path, offset, model_input(index), bytes) ? 0 : REFUSE;
}

static int read_output(uint8_t *payload, uint32_t length)
{
    const uint32_t index = get_u16(payload), offset = get_u32(payload + 2);
    const uint32_t count = get_u16(payload + 6);
    if (length != 8u || index >= model.outputs || count > BOARD_PAYLOAD_BYTES
        || !inside(&model.tensors[model.inputs + index], offset, count)) {
        return REFUSE;
    }
    memcpy(payload, model_output(index) + offset, count);
    return (int)count;
}

static int invoke(uint8_t *payload, uint32_t length)
{
    const uint8_t mode = payload[0];
    if (length != 1u || mode >= LAYERS_MODES) {
        return REFUSE;
    }
    layers_start((layers_mode)mode);
    const uint64_t start = platform_ticks();
    firmware_invoke();
    put_u64(payload, platform_ticks() - start);
    platform_check_stack();
    layers_start(LAYERS_OFF);
    return 8;
}

static int layer_values(uint8_t *payload, uint32_t length)
{
    const uint32_t first = get_u16(payload), count = get_u16(payload + 2);
    if (length != 4u || first + count > model.layers || count * 4u > BOARD_PAYLOAD_BYTES) {
        return REFUSE;
    }
    uint8_t *p = payload;
    for (uint32_t i = 0; i < count; ++i) {
        p = put_u32(p, layers_value(first + i));
    }
    return (int)(p - payload);
}

static int benchmark(uint8_t *payload, uint32_t length)
{
    const uint32_t count = get_u32(payload);
    if (length != 4u || count == 0u) {
        return REFUSE;
    }
    uint64_t sum = 0, shortest = UINT64_MAX, longest = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const uint64_t start = platform_ticks();
        firmware_invoke();
        const uint64_t ticks = platform_ticks() - start;
        sum += ticks;
        shortest = ticks < shortest ? ticks : shortest;
        longest = ticks > longest ? ticks : longest;
    }
    platform_check_stack();
    put_u64(put_u64(put_u64(payload, sum), shortest), longest);
    return KEPT_BYTES;
}

static int status(uint8_t *payload)
{
    put_u32(put_u32(put_u32(payload, platform_stack_bytes()), platform_stack_used()),
            session.damaged);
    return 12;
}

static void refuse(uint32_t number, uint16_t sequence, uint8_t reason)
{
    uint8_t *payload = frame_payload();
    payload[0] = reason;
    put_u16(payload + 1, session.expected);
    frame_send((frame_header){
        .type = MESSAGE_REFUSED,
        .session = number,
        .sequence = sequence,
        .length = 3,
    });
}

/* Carry out a request; what it answers replaces its payload. Returns the answer's length. */
static int carry_out(const frame_header *request, uint8_t *payload)
{
    switch (request->type) {
    case MESSAGE_IDENTIFY:
        return identify(payload);
    case MESSAGE_TENSOR:
        return tensor(payload, request->length);
    case MESSAGE_WRITE:
        return write_input(payload, request->length);
    case MESSAGE_LOAD:
        return load_input(payload, request->length);
    case MESSAGE_INVOKE:
        return invoke(payload, request->length);
    case MESSAGE_READ:
        return read_output(payload, request->length);
    case MESSAGE_LAYERS:
        return layer_values(payload, request->length);
    case MESSAGE_BENCHMARK:
        return benchmark(payload, request->length);
    case MESSAGE_STATUS:
        return status(payload);
    default: /* RESET and QUIT act after their reply */
        return 0;
    }
}

/* Answer a request whose number has been before; false if there is nothing left to answer with. */
static bool answer_again(const frame_header *request, uint8_t *payload, int *length)
{
    switch (request->type) {
    case MESSAGE_WRITE:
    case MESSAGE_LOAD:
        *length = 0;
        return true;
    case MESSAGE_INVOKE:
    case MESSAGE_BENCHMARK:
        memcpy(payload, session.kept, session.kept_length);
        *length = session.kept_length;
        return session.kept_length > 0u && request->sequence == session.kept_sequence;
    default:
        *length = carry_out(request, payload);
        return true;
    }
}

static void keep_reply(const frame_header *request, const uint8_t *payload, int length)
{
    if (request->type == MESSAGE_INVOKE || request->type == MESSAGE_BENCHMARK) {
        session.kept_sequence = request->sequence;
        session.kept_length = (uint16_t)length;
        memcpy(session.kept, payload, (size_t)length);
    }
}

/* Number 0 of a session that is not the open one opens it: the model's state is as at first. A
 * repeated one must not: it would turn the clock back. */
static void open_session(const frame_header *request)
{
    const bool known = session.open && request->session == session.number;
    if (request->type == MESSAGE_IDENTIFY && request->sequence == 0u && !known) {
        session.open = true;
        session.number = request->session;
        session.expected = 0;
        session.damaged = 0; /* a request that began before the port was ready came in part */
        session.kept_length = 0;
        firmware_reset();
    }
}

/* Why a request cannot be carried out or answered again; 0 if it can. */
static uint8_t objection(const frame_header *request)
{
    if (!session.open || request->session != session.number) {
        return REFUSED_NO_SESSION;
    }
    if (request->type < MESSAGE_IDENTIFY || request->type > MESSAGE_LOAD) {
        return REFUSED_TYPE;
    }
    return 0;
}

static void serve_request(const frame_header *request)
{
    uint8_t *payload = frame_payload();
    int length = 0;

    open_session(request);
    uint8_t reason = objection(request);
    const int16_t ahead = (int16_t)(uint16_t)(request->sequence - session.expected);
    if (reason == 0u && (ahead > 0 || (ahead < 0 && !answer_again(request, payload, &length)))) {
        reason = REFUSED_SEQUENCE;
    }
    if (reason != 0u) {
        refuse(request->session, request->sequence, reason);
        return;
    }
    if (ahead == 0) {
        length = carry_out(request, payload);
    }
    if (length == REFUSE) {
        refuse(request->session, request->sequence, REFUSED_ARGUMENT);
        return;
    }
    if (ahead == 0) {
        ++session.expected;
        keep_reply(request, payload, length);
    }
    frame_send((frame_header){
        .type = (uint8_t)(request->type | MESSAGE_REPLY),
        .session = request->session,
        .sequence = request->sequence,
        .length = (uint16_t)length,
    });
    if (ahead == 0 && request->type == MESSAGE_RESET) {
        platform_reset();
    }
    if (ahead == 0 && request->type == MESSAGE_QUIT) {
        platform_exit(0);
    }
}

/* Whoever watches the line sees a restart, too. */
void app_start(void)
{
    const char *const words[] = {
        "tinygen ", model.tinygen_version, ": ", model.name, " on " FIRMWARE_BOARD "\r\n",
    };
    text_send(words, sizeof(words) / sizeof(words[0]));
}

void app_poll(void)
{
    frame_header request;
    if (!frame_receive(&request)) {
        ++session.damaged;
        if (session.open) {
            refuse(session.number, session.expected, REFUSED_SEQUENCE);
        }
    } else if (request.type < MESSAGE_CRASH) {
        serve_request(&request);
    } /* What only a firmware sends is no request: on a line that echoes, there would be no end. */
}

void app_serve(void)
{
    for (;;) {
        app_poll();
    }
}

void app_report_crash(const crash_report *report)
{
    uint8_t *p = frame_payload();
    p = put_u32(p, (uint32_t)report->exception);
    p = put_u32(p, (uint32_t)report->pc);
    p = put_u32(p, (uint32_t)report->lr);
    p = put_u32(p, (uint32_t)report->status);
    p = put_u32(p, (uint32_t)report->address);
    frame_send((frame_header){
        .type = MESSAGE_CRASH,
        .session = session.open ? session.number : 0u,
        .length = 20,
    });
}
