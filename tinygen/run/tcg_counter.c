/* A QEMU plugin that counts what one function executes, call by call, split into regions.
 *
 * QEMU translates guest code in blocks: straight runs of instructions with one entry at the top.
 * For each execution of a block the plugin adds one to a counter, so the number of instructions
 * executed is the sum of executions times the block's length: exact, and the same in each run.
 *
 * Which counter depends on the current region. The regions file names address ranges:
 *
 *     entry <address>                    the function that is measured: a call starts an inference
 *     return <address>                   coming here ends the inference
 *     range <start> <end> <region>       executing here makes <region> the current one
 *
 * Region 0 and up are counted; region -1 is not: a hook that the measured function calls, for one.
 * A block in no range (a kernel that several layers share, memcpy, a division helper) belongs to
 * whoever called it, that is to the current region.
 *
 * A block is left by falling through to the next address or by a taken branch. The plugin counts
 * the latter for the block that is left, since what a taken branch costs depends on the branch.
 *
 * The result is text, written when QEMU exits for whatever reason short of SIGKILL:
 *
 *     inferences <calls> <fewest instructions> <most instructions>
 *     block <region> <address> <bytes> <instructions> <executions> <taken exits>
 *     end
 *
 * Prototypes are declared here because distributions package QEMU without its plugin header. They
 * are the subset that has been the same in all API versions so far; PLUGIN_API selects the one
 * that QEMU is told.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t id,
                                                            struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          void (*callback)(unsigned int cpu, void *data),
                                          enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
                                    void (*callback)(qemu_plugin_id_t id, void *data), void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_API;

enum { OUTSIDE = -1, INHERIT = -2, MAX_RANGES = 65536, MAX_RETURNS = 256, BUCKETS = 4096 };

typedef struct {
    uint64_t start;
    uint64_t end;
    int region;
} range;

typedef struct {
    uint64_t executions;
    uint64_t taken_exits;
} tally;

typedef struct block {
    uint64_t start;
    uint64_t end;
    uint64_t instructions;
    int region; /* of the address: a region, OUTSIDE or INHERIT */
    bool ends_inference;
    struct block *next;
    tally tallies[]; /* one for each region */
} block;

static range ranges[MAX_RANGES];
static size_t n_ranges;
static int n_regions;
static uint64_t entry;
static uint64_t returns[MAX_RETURNS];
static size_t n_returns;
static const char *out_path;

static block *buckets[BUCKETS];

/* The state of the only CPU that runs firmware: CPU 0. */
static int current = OUTSIDE;
static bool running; /* from a call of the measured function to its return */
static tally *left; /* of the block that ran last, null if that was outside */
static uint64_t left_end;
static uint64_t inferences;
static uint64_t inference_instructions;
static uint64_t fewest = UINT64_MAX;
static uint64_t most;

static void close_inference(void)
{
    if (inferences == 0) {
        return;
    }
    if (inference_instructions < fewest) {
        fewest = inference_instructions;
    }
    if (inference_instructions > most) {
        most = inference_instructions;
    }
}

static void on_execute(unsigned int cpu, void *data)
{
    block *b = data;

    if (cpu != 0) {
        return;
    }
    if (left != NULL && b->start != left_end) {
        left->taken_exits++;
    }
    if (b->start == entry) {
        close_inference();
        inferences++;
        inference_instructions = 0;
        running = true;
    } else if (b->ends_inference) {
        running = false;
    }
    if (!running) {
        current = OUTSIDE;
    } else if (b->region != INHERIT) {
        current = b->region;
    }
    left = NULL;
    left_end = b->end;
    if (current >= 0) {
        left = &b->tallies[current];
        left->executions++;
        inference_instructions += b->instructions;
    }
}

static int region_of(uint64_t address)
{
    for (size_t i = 0; i < n_ranges; i++) {
        if (ranges[i].start <= address && address < ranges[i].end) {
            return ranges[i].region;
        }
    }
    return INHERIT;
}

static bool is_return(uint64_t address)
{
    for (size_t i = 0; i < n_returns; i++) {
        if (returns[i] == address) {
            return true;
        }
    }
    return false;
}

/* QEMU may translate the same code more than once; its counts are to be found again. */
static block *block_of(uint64_t start, uint64_t end, uint64_t instructions)
{
    block **bucket = &buckets[(start >> 1) % BUCKETS];

    for (block *b = *bucket; b != NULL; b = b->next) {
        if (b->start == start && b->end == end) {
            return b;
        }
    }
    block *b = calloc(1, sizeof(block) + (size_t)n_regions * sizeof(tally));
    if (b == NULL) {
        fprintf(stderr, "tinygen counter: out of memory\n");
        exit(EXIT_FAILURE);
    }
    b->start = start;
    b->end = end;
    b->instructions = instructions;
    b->region = region_of(start);
    b->ends_inference = is_return(start);
    b->next = *bucket;
    *bucket = b;
    return b;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const size_t n = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
    const uint64_t end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_execute, QEMU_PLUGIN_CB_NO_REGS,
                                         block_of(qemu_plugin_tb_vaddr(tb), end, n));
}

static void write_result(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    close_inference();
    FILE *out = fopen(out_path, "w");
    if (out == NULL) {
        perror(out_path);
        return;
    }
    fprintf(out, "inferences %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", inferences,
            inferences ? fewest : 0, most);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const block *b = buckets[i]; b != NULL; b = b->next) {
            for (int r = 0; r < n_regions; r++) {
                const tally *t = &b->tallies[r];
                if (t->executions != 0) {
                    fprintf(out,
                            "block %d %" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                            "\n",
                            r, b->start, b->end - b->start, b->instructions, t->executions,
                            t->taken_exits);
                }
            }
        }
    }
    fprintf(out, "end\n");
    fclose(out);
}

static bool read_regions(const char *path)
{
    FILE *in = fopen(path, "r");
    char line[128];

    if (in == NULL) {
        perror(path);
        return false;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        range r;
        if (sscanf(line, "entry %" SCNx64, &entry) == 1) {
            continue;
        }
        if (n_returns < MAX_RETURNS && sscanf(line, "return %" SCNx64, &returns[n_returns]) == 1) {
            n_returns++;
            continue;
        }
        if (n_ranges == MAX_RANGES
            || sscanf(line, "range %" SCNx64 " %" SCNx64 " %d", &r.start, &r.end, &r.region) != 3) {
            fprintf(stderr, "tinygen counter: %s: bad line: %s", path, line);
            fclose(in);
            return false;
        }
        ranges[n_ranges++] = r;
        if (r.region >= n_regions) {
            n_regions = r.region + 1;
        }
    }
    fclose(in);
    return true;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t *info, int argc,
                                                               char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out_path = strdup(argv[i] + 4);
        } else if (strncmp(argv[i], "regions=", 8) == 0 && !read_regions(argv[i] + 8)) {
            return -1;
        }
    }
    /* Without arguments the plugin does nothing: a way to ask QEMU whether it loads. */
    if (out_path != NULL) {
        qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
        qemu_plugin_register_atexit_cb(id, write_result, NULL);
    }
    return 0;
}
