/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_pka.h"

#include "nrf52840/cc_pka_math.h"

#include <string.h>

#define WORD_BITS  64u
#define EXTRA_BITS 8u /* of a number that has not been reduced to the end */

enum {
    MEMORY_MAP = 0x000,
    OPCODE = 0x080,
    N_NP_T0_T1_ADDR = 0x084,
    PKA_STATUS = 0x088,
    PKA_SW_RESET = 0x08c,
    PKA_L = 0x090,
    PKA_PIPE = 0x0b0,
    PKA_DONE = 0x0b4,
    PKA_VERSION = 0x0c4,
    PKA_SRAM_WADDR = 0x0d4,
    PKA_SRAM_WDATA = 0x0d8,
    PKA_SRAM_RDATA = 0x0dc,
    PKA_SRAM_WCLEAR = 0x0e0,
    PKA_SRAM_RADDR = 0x0e4,
};

enum operation {
    OP_TERMINATE = 0x00,
    OP_ADD = 0x04,
    OP_SUB = 0x05,
    OP_MOD_ADD = 0x06,
    OP_MOD_SUB = 0x07,
    OP_AND = 0x08,
    OP_OR = 0x09,
    OP_XOR = 0x0a,
    OP_SHR0 = 0x0c,
    OP_SHR1 = 0x0d,
    OP_SHL0 = 0x0e,
    OP_SHL1 = 0x0f,
    OP_MUL_LOW = 0x10,
    OP_MOD_MUL = 0x11,
    OP_MOD_MUL_N = 0x12,
    OP_MOD_EXP = 0x13,
    OP_DIVISION = 0x14,
    OP_MOD_INV = 0x15,
    OP_MOD_DIV = 0x16,
    OP_MUL_HIGH = 0x17,
    OP_MOD_MLAC = 0x18,
    OP_MOD_MLAC_NR = 0x19,
    OP_REDUCTION = 0x1b,
};

enum {
    STATUS_SIGN = 1 << 8,
    STATUS_CARRY = 1 << 9,
    STATUS_CARRY_MOD = 1 << 10,
    STATUS_SUB_SIGN = 1 << 11,
    STATUS_ZERO = 1 << 12,
    STATUS_DIV_BY_ZERO = 1 << 14,
    STATUS_INVERSE_OF_ZERO = 1 << 15,
    STATUS_RESET = STATUS_ZERO,
    STATUS_KEPT =
        STATUS_CARRY | STATUS_CARRY_MOD | STATUS_SUB_SIGN, /* until the next operation that sets it */
};

static const struct reg regs[] = {
    {"MEMORY_MAP", 0x000, REG_RW, 0, 32, 0},
    {"OPCODE", 0x080, REG_RW, 0, 0, 0},
    {"N_NP_T0_T1_ADDR", 0x084, REG_RW, 0x000ff820, 0, 0},
    {"PKA_STATUS", 0x088, REG_R, STATUS_RESET, 0, 0},
    {"PKA_SW_RESET", 0x08c, REG_W, 0, 0, 0},
    {"PKA_L", 0x090, REG_RW, 0, 8, 0},
    {"PKA_PIPE", 0x0b0, REG_R, 1, 0, 0},
    {"PKA_DONE", 0x0b4, REG_R, 1, 0, 0},
    {"PKA_VERSION", 0x0c4, REG_R, 0x16110215, 0, 0},
    {"PKA_SRAM_WADDR", 0x0d4, REG_W, 0, 0, 0},
    {"PKA_SRAM_WDATA", 0x0d8, REG_W, 0, 0, 0},
    {"PKA_SRAM_RDATA", 0x0dc, REG_R, 0, 0, 0},
    {"PKA_SRAM_WCLEAR", 0x0e0, REG_W, 0, 0, 0},
    {"PKA_SRAM_RADDR", 0x0e4, REG_W, 0, 0, 0},
};

/* One operation, taken apart. */
struct task {
    struct cc_pka *pka;
    enum operation operation;
    unsigned bits;    /* L */
    size_t n;         /* words of operands and result */
    uint32_t field_a; /* as in OPCODE: bit 5 set: constant */
    uint32_t field_b;
    uint32_t result_register;
    uint32_t tag;
    bool discard;
    uint32_t status; /* what the operation says of itself */
    size_t result_size;
    pka_word a[PKA_MAX_WORDS];
    pka_word b[PKA_MAX_WORDS];
    pka_word modulus[PKA_MAX_WORDS];
    pka_word result[PKA_MAX_WORDS];
};

static uint32_t get(const struct cc_pka *pka, uint32_t offset)
{
    return block_get(pka->host->block, offset);
}

static void set(struct cc_pka *pka, uint32_t offset, uint32_t value)
{
    block_set(pka->host->block, offset, value);
}

static struct clock *clock_of(const struct cc_pka *pka)
{
    return &pka->host->block->bus->clock;
}

/* Register `number` lies at this 32-bit word of the SRAM. */
static uint32_t place_of(const struct cc_pka *pka, unsigned number)
{
    return get(pka, MEMORY_MAP + 4 * number) & (CC_PKA_SRAM_WORDS - 2);
}

static void load(const struct cc_pka *pka, unsigned number, pka_word *words, size_t n)
{
    uint32_t place = place_of(pka, number);
    for (size_t i = 0; i < n; i++) {
        uint64_t low = pka->sram[(place + 2 * i) % CC_PKA_SRAM_WORDS];
        uint64_t high = pka->sram[(place + 2 * i + 1) % CC_PKA_SRAM_WORDS];
        words[i] = high << 32 | low;
    }
}

static void store(struct cc_pka *pka, unsigned number, const pka_word *words, size_t n)
{
    uint32_t place = place_of(pka, number);
    for (size_t i = 0; i < n; i++) {
        pka->sram[(place + 2 * i) % CC_PKA_SRAM_WORDS] = (uint32_t)words[i];
        pka->sram[(place + 2 * i + 1) % CC_PKA_SRAM_WORDS] = (uint32_t)(words[i] >> 32);
    }
}

/* An operand: a register, or a constant of five bits with its sign. */
static void load_operand(const struct cc_pka *pka, uint32_t field, pka_word *words, size_t n)
{
    if (!(field & 0x20)) {
        load(pka, field, words, n);
        return;
    }
    bool negative = field & 0x10;
    memset(words, negative ? 0xff : 0, n * sizeof *words);
    words[0] = negative ? ~(pka_word)0x1f | (field & 0x1f) : field & 0x1f;
}

/* The modulus has exactly L bits; whatever lies above in its register does not count. */
static void load_modulus(struct task *task)
{
    load(task->pka, get(task->pka, N_NP_T0_T1_ADDR) & 0x1f, task->modulus, task->n);
    size_t whole = task->bits / WORD_BITS;
    for (size_t i = whole; i < task->n; i++)
        task->modulus[i] &= i == whole ? ((pka_word)1 << task->bits % WORD_BITS) - 1 : 0;
}

/* All but the modular multiplier work on PKA_L's bits; it works on some more. */
static bool has_exact_size(enum operation operation)
{
    return operation <= OP_SHL1 || operation == OP_MUL_LOW || operation == OP_MUL_HIGH ||
           operation == OP_DIVISION;
}

static bool is_modular(enum operation operation)
{
    return operation == OP_MOD_ADD || operation == OP_MOD_SUB || !has_exact_size(operation);
}

static void sum(struct task *task)
{
    mp_size_t n = (mp_size_t)task->n;
    if (task->operation == OP_ADD) {
        task->status |= mpn_add_n(task->result, task->a, task->b, n) ? STATUS_CARRY : 0;
    } else {
        bool borrow = mpn_sub_n(task->result, task->a, task->b, n);
        task->status |= borrow ? STATUS_SUB_SIGN : STATUS_CARRY;
    }
}

static void mod_sum(struct task *task)
{
    mp_size_t n = (mp_size_t)task->n;
    pka_word total[PKA_MAX_WORDS + 1];
    const pka_word *m = task->modulus;
    /* A constant may be negative: its sign is taken out, so that all numbers that are reduced are positive.
     */
    bool negative = task->field_b & 0x20 && task->field_b & 0x10;
    if (negative)
        mpn_neg(task->b, task->b, n);
    pka_mod(task->b, task->b, task->n, m, task->n);
    if ((task->operation == OP_MOD_SUB) != negative && !pka_is_zero(task->b, task->n))
        mpn_sub_n(task->b, m, task->b, n);
    total[task->n] = mpn_add_n(total, task->a, task->b, n);
    task->status |= mpn_cmp(total, m, n) >= 0 || total[task->n] ? STATUS_CARRY_MOD : 0;
    pka_mod(task->result, total, task->n + 1, m, task->n);
}

static void logic(struct task *task)
{
    for (size_t i = 0; i < task->n; i++) {
        pka_word a = task->a[i];
        pka_word b = task->b[i];
        task->result[i] = task->operation == OP_AND ? a & b : task->operation == OP_OR ? a | b : a ^ b;
    }
}

static void shift(struct task *task)
{
    bool left = task->operation == OP_SHL0 || task->operation == OP_SHL1;
    bool ones = task->operation == OP_SHR1 || task->operation == OP_SHL1;
    pka_shift(task->result, task->a, (task->field_b & 0x1f) + 1, left, ones, task->n);
    task->status |= (uint32_t)(task->result[0] & 0xf) << 4;
    task->status |= (uint32_t)(task->result[task->n - 1] >> (WORD_BITS - 4));
}

static void product(struct task *task)
{
    pka_word words[2 * PKA_MAX_WORDS];
    pka_multiply(words, task->a, task->b, task->n);
    if (task->operation == OP_MUL_LOW) {
        memcpy(task->result, words, task->n * sizeof *words);
        return;
    }
    /* The high half and the word below it. */
    task->result_size = task->n + 1;
    memcpy(task->result, words + task->n - 1, task->result_size * sizeof *words);
}

static void division(struct task *task)
{
    if (pka_is_zero(task->b, task->n)) {
        task->status |= STATUS_DIV_BY_ZERO;
        memset(task->result, 0, task->n * sizeof *task->result);
        return;
    }
    pka_divide(task->result, task->a, task->b, task->n);
    if (!(task->field_a & 0x20))
        store(task->pka, task->field_a, task->a, task->n);
}

static void inversion(struct task *task)
{
    pka_word gcd[PKA_MAX_WORDS];
    if (pka_is_zero(task->b, task->n))
        task->status |= STATUS_INVERSE_OF_ZERO;
    pka_mod_inverse(task->result, gcd, task->b, task->modulus, task->n);
    if (task->operation == OP_MOD_DIV)
        pka_mod_mul_add(task->result, task->result, task->a, NULL, task->modulus, task->n);
    if (!(task->field_b & 0x20))
        store(task->pka, task->field_b, gcd, task->n);
}

static void mod_product(struct task *task)
{
    pka_word c[PKA_MAX_WORDS];
    bool accumulate = task->operation == OP_MOD_MLAC || task->operation == OP_MOD_MLAC_NR;
    if (accumulate)
        load(task->pka, task->tag & 0x1f, c, task->n);
    pka_mod_mul_add(task->result, task->a, task->b, accumulate ? c : NULL, task->modulus, task->n);
}

static void modular(struct task *task)
{
    load_modulus(task);
    if (pka_is_zero(task->modulus, task->n)) {
        task->status |= STATUS_DIV_BY_ZERO;
        memset(task->result, 0, task->n * sizeof *task->result);
        return;
    }
    switch (task->operation) {
    case OP_MOD_ADD:
    case OP_MOD_SUB:
        mod_sum(task);
        break;
    case OP_MOD_EXP:
        pka_mod_exp(task->result, task->a, task->b, task->modulus, task->n);
        break;
    case OP_MOD_INV:
    case OP_MOD_DIV:
        inversion(task);
        break;
    case OP_REDUCTION:
        pka_mod(task->result, task->a, task->n, task->modulus, task->n);
        break;
    default:
        mod_product(task);
        break;
    }
}

static void run(struct task *task)
{
    switch (task->operation) {
    case OP_ADD:
    case OP_SUB:
        sum(task);
        break;
    case OP_AND:
    case OP_OR:
    case OP_XOR:
        logic(task);
        break;
    case OP_SHR0:
    case OP_SHR1:
    case OP_SHL0:
    case OP_SHL1:
        shift(task);
        break;
    case OP_MUL_LOW:
    case OP_MUL_HIGH:
        product(task);
        break;
    case OP_DIVISION:
        division(task);
        break;
    default:
        modular(task);
        break;
    }
}

static uint64_t cycles_of(const struct task *task)
{
    uint64_t w = task->n;
    uint64_t modular_product = 16 + 3 * w * w;
    switch (task->operation) {
    case OP_MUL_LOW:
    case OP_MUL_HIGH:
        return 8 + w * w;
    case OP_DIVISION:
        return 16 + 32 * w + w * w;
    case OP_MOD_INV:
    case OP_MOD_DIV:
        return 16 + 4 * w * task->bits;
    case OP_MOD_EXP:
        return modular_product * task->bits * 3 / 2;
    case OP_MOD_MUL:
    case OP_MOD_MUL_N:
    case OP_MOD_MLAC:
    case OP_MOD_MLAC_NR:
        return modular_product;
    default:
        return 8 + w;
    }
}

/* Puts the result where T0 was, and lets the result register and T0 change places. */
static void place_result(struct task *task)
{
    struct cc_pka *pka = task->pka;
    unsigned t0 = get(pka, N_NP_T0_T1_ADDR) >> 10 & 0x1f;
    store(pka, t0, task->result, task->result_size);
    if (task->discard)
        return;
    uint32_t free_place = get(pka, MEMORY_MAP + 4 * task->result_register);
    set(pka, MEMORY_MAP + 4 * task->result_register, get(pka, MEMORY_MAP + 4 * t0));
    set(pka, MEMORY_MAP + 4 * t0, free_place);
}

static uint32_t status_of(const struct task *task)
{
    uint32_t kept = STATUS_KEPT;
    if (task->operation == OP_ADD)
        kept &= ~(uint32_t)STATUS_CARRY;
    if (task->operation == OP_SUB)
        kept &= ~(uint32_t)(STATUS_CARRY | STATUS_SUB_SIGN);
    if (is_modular(task->operation))
        kept &= ~(uint32_t)STATUS_CARRY_MOD;
    uint32_t status = (get(task->pka, PKA_STATUS) & kept) | task->status | (uint32_t)task->operation << 16;
    if (pka_is_zero(task->result, task->result_size))
        status |= STATUS_ZERO;
    if (task->result[task->result_size - 1] >> (WORD_BITS - 1))
        status |= STATUS_SIGN;
    return status;
}

static bool is_known(enum operation operation)
{
    return operation >= OP_ADD && operation <= OP_REDUCTION && operation != 0x0b && operation != 0x1a;
}

/* Decides when an operation of `cycles` runs: after the one that runs now. */
static void schedule(struct cc_pka *pka, uint64_t cycles)
{
    uint64_t now = clock_of(pka)->now;
    pka->start_at = pka->done_at > now ? pka->done_at : now;
    pka->done_at = pka->start_at + cycles;
    event_at(clock_of(pka), &pka->done, pka->done_at);
}

static void execute(struct cc_pka *pka, uint32_t opcode)
{
    struct task task = {.pka = pka, .operation = opcode >> 27};
    if (task.operation == OP_TERMINATE)
        return;
    task.bits = get(pka, PKA_L + 4 * (opcode >> 24 & 7)) & 0x1fff;
    if (!is_known(task.operation) || !task.bits) {
        bus_finding(pka->host->block->bus, "cryptocell",
                    "PKA operation 0x%02x of %u bits, which is not modelled", (unsigned)task.operation,
                    task.bits);
        return;
    }
    unsigned extra = has_exact_size(task.operation) ? 0 : EXTRA_BITS;
    task.n = (task.bits + extra + WORD_BITS - 1) / WORD_BITS;
    task.result_size = task.n;
    task.field_a = opcode >> 18 & 0x3f;
    task.field_b = opcode >> 12 & 0x3f;
    task.discard = opcode >> 11 & 1;
    task.result_register = opcode >> 6 & 0x1f;
    task.tag = opcode & 0x3f;
    load_operand(pka, task.field_a, task.a, task.n);
    load_operand(pka, task.field_b, task.b, task.n);
    run(&task);
    place_result(&task);
    set(pka, PKA_STATUS, status_of(&task));
    schedule(pka, cycles_of(&task));
}

static void done(void *self)
{
    cc_host_interrupt(((struct cc_pka *)self)->host, CC_PKA_DONE);
}

static void engine_reset(struct cc_pka *pka)
{
    event_cancel(clock_of(pka), &pka->done);
    pka->start_at = 0;
    pka->done_at = 0;
    pka->write_address = 0;
    pka->read_address = 0;
    set(pka, PKA_STATUS, STATUS_RESET);
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    engine_reset(self);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct cc_pka *pka = self;
    switch (offset) {
    case PKA_PIPE:
        return clock_of(pka)->now >= pka->start_at;
    case PKA_DONE:
        return clock_of(pka)->now >= pka->done_at;
    case PKA_SRAM_RDATA:
        return pka->sram[pka->read_address++ % CC_PKA_SRAM_WORDS];
    default:
        return get(pka, offset);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_pka *pka = self;
    switch (offset) {
    case OPCODE:
        set(pka, OPCODE, value);
        execute(pka, value);
        break;
    case PKA_SW_RESET:
        engine_reset(pka);
        break;
    case PKA_SRAM_WADDR:
        pka->write_address = value;
        break;
    case PKA_SRAM_RADDR:
        pka->read_address = value;
        break;
    case PKA_SRAM_WDATA:
        pka->sram[pka->write_address++ % CC_PKA_SRAM_WORDS] = value;
        break;
    case PKA_STATUS:
    case PKA_PIPE:
    case PKA_DONE:
    case PKA_VERSION:
    case PKA_SRAM_RDATA:
    case PKA_SRAM_WCLEAR:
        break;
    default:
        set(pka, offset, value);
        break;
    }
}

static void save(void *self, struct state *state)
{
    struct cc_pka *pka = self;
    state_event(state, clock_of(pka), &pka->done);
    state_var(state, pka->start_at);
    state_var(state, pka->done_at);
    state_var(state, pka->write_address);
    state_var(state, pka->read_address);
    state_var(state, pka->sram);
}

void cc_pka_init(struct cc_pka *pka, struct cc_host *host)
{
    memset(pka, 0, sizeof *pka);
    pka->host = host;
    event_init(&host->block->bus->clock, &pka->done, done, pka);
    block_add_face(host->block, &(struct face){
                                    .name = "CC_PKA",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .active = cc_engine_active,
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .save = save,
                                    .self = pka,
                                });
}
