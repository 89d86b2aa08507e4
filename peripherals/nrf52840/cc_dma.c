/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_dma.h"

#include "core/memory_map.h"

#include <string.h>

#define CHUNK        64u
#define START_CYCLES 32u
#define SIZE_MASK    0x3fffffffu

enum {
    CRYPTO_CTL = 0x900,
    CRYPTO_BUSY = 0x910,
    HASH_BUSY = 0x91c,
    CONTEXT_ID = 0x930,
    DIN_BUFFER = 0xc00, /* and DOUT_BUFFER for reads */
    DIN_BUFFER_LAST = 0xc1c,
    DIN_DMA_MEM_BUSY = 0xc20,
    SRC_MEM_ADDR = 0xc28,
    SRC_MEM_SIZE = 0xc2c,
    SRC_SRAM_ADDR = 0xc30,
    SRC_SRAM_SIZE = 0xc34,
    DIN_DMA_SRAM_BUSY = 0xc38,
    DIN_SW_RESET = 0xc44,
    DIN_CPU_DATA = 0xc48,
    DIN_FIFO_EMPTY = 0xc50,
    DIN_FIFO_RESET = 0xc58,
    DOUT_DMA_MEM_BUSY = 0xd20,
    DST_MEM_ADDR = 0xd28,
    DST_MEM_SIZE = 0xd2c,
    DST_SRAM_ADDR = 0xd30,
    DST_SRAM_SIZE = 0xd34,
    DOUT_DMA_SRAM_BUSY = 0xd38,
    DOUT_FIFO_EMPTY = 0xd50,
    DOUT_SW_RESET = 0xd58,
    SRAM_DATA = 0xf00,
    SRAM_ADDR = 0xf04,
    SRAM_DATA_READY = 0xf08,
};

static const struct reg ctl_regs[] = {
    {"CRYPTO_CTL", 0x900, REG_W, 0, 0, 0},
    {"CRYPTO_BUSY", 0x910, REG_R, 0, 0, 0},
    {"HASH_BUSY", 0x91c, REG_R, 0, 0, 0},
    /* Not in Nordic's description. ARM's library starts only if bits 31..24, the product, are 0xf0; what the
     * version bits below say is not public. */
    {"VERSION", 0x928, REG_R, 0xf0000000, 0, 0},
    {"CONTEXT_ID", 0x930, REG_RW, 0, 0, 0},
};

static const struct reg din_regs[] = {
    {"DIN_BUFFER", 0xc00, REG_W, 0, 8, 0}, /* eight addresses of one buffer, for bursts */
    {"DIN_DMA_MEM_BUSY", 0xc20, REG_R, 0, 0, 0},
    {"SRC_MEM_ADDR", 0xc28, REG_W, 0, 0, 0},
    {"SRC_MEM_SIZE", 0xc2c, REG_W, 0, 0, 0},
    {"SRC_SRAM_ADDR", 0xc30, REG_RW, 0, 0, 0},
    {"SRC_SRAM_SIZE", 0xc34, REG_W, 0, 0, 0},
    {"DIN_DMA_SRAM_BUSY", 0xc38, REG_R, 0, 0, 0},
    {"DIN_DMA_SRAM_ENDIANNESS", 0xc3c, REG_RW, 0, 0, 0},
    {"DIN_SW_RESET", 0xc44, REG_W, 0, 0, 0},
    {"DIN_CPU_DATA", 0xc48, REG_W, 0, 0, 0},
    {"DIN_WRITE_ALIGN", 0xc4c, REG_W, 0, 0, 0},
    {"DIN_FIFO_EMPTY", 0xc50, REG_R, 1, 0, 0},
    {"DIN_FIFO_RESET", 0xc58, REG_W, 0, 0, 0},
};

static const struct reg dout_regs[] = {
    {"DOUT_BUFFER", 0xc00, REG_R, 0, 0, 0},        {"DOUT_DMA_MEM_BUSY", 0xd20, REG_R, 0, 0, 0},
    {"DST_MEM_ADDR", 0xd28, REG_W, 0, 0, 0},       {"DST_MEM_SIZE", 0xd2c, REG_W, 0, 0, 0},
    {"DST_SRAM_ADDR", 0xd30, REG_RW, 0, 0, 0},     {"DST_SRAM_SIZE", 0xd34, REG_W, 0, 0, 0},
    {"DOUT_DMA_SRAM_BUSY", 0xd38, REG_R, 0, 0, 0}, {"DOUT_DMA_SRAM_ENDIANNESS", 0xd3c, REG_RW, 0, 0, 0},
    {"DOUT_READ_ALIGN", 0xd44, REG_W, 0, 0, 0},    {"DOUT_FIFO_EMPTY", 0xd50, REG_R, 1, 0, 0},
    {"DOUT_SW_RESET", 0xd58, REG_W, 0, 0, 0},
};

static const struct reg sram_regs[] = {
    {"SRAM_DATA", 0xf00, REG_RW, 0, 0, 0},
    {"SRAM_ADDR", 0xf04, REG_W, 0, 0, 0},
    {"SRAM_DATA_READY", 0xf08, REG_R, 1, 0, 0},
};

enum feed {
    FEED_NONE,
    FEED_INPUT,
    FEED_AES,
    FEED_CHACHA,
};

/* What each value of CRYPTO_CTL.MODE joins. */
static const struct flow {
    uint8_t mode;
    bool aes;
    uint8_t hash; /* what the hash engine is fed with */
    uint8_t dout; /* what leaves */
} flows[] = {
    {0x00, false, FEED_NONE, FEED_INPUT}, /* bypass */
    {0x01, true, FEED_NONE, FEED_AES},    /* AES */
    {0x02, true, FEED_AES, FEED_NONE},    /* AES to hash */
    {0x03, true, FEED_INPUT, FEED_AES},   /* AES and hash side by side */
    {0x07, false, FEED_INPUT, FEED_NONE}, /* hash */
    {0x09, true, FEED_NONE, FEED_INPUT},  /* AES MAC and bypass */
    {0x0a, true, FEED_AES, FEED_AES},     /* AES to hash and DOUT */
    {0x10, false, FEED_NONE, FEED_CHACHA},
};

static const struct flow *flow_of(struct cc_dma *dma)
{
    uint32_t mode = block_get(dma->host->block, CRYPTO_CTL) & 0x1f;
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        if (flows[i].mode == mode)
            return &flows[i];
    }
    bus_finding(dma->host->block->bus, "cryptocell", "CRYPTO_CTL mode 0x%02x, which is not modelled", mode);
    return &flows[0];
}

static struct clock *clock_of(struct cc_dma *dma)
{
    return &dma->host->block->bus->clock;
}

static void sram_copy(struct cc_dma *dma, uint32_t address, uint8_t *read, const uint8_t *write,
                      uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t *byte = &dma->sram[(address + i) % CC_RNG_SRAM_SIZE];
        if (read)
            read[i] = *byte;
        else
            *byte = write[i];
    }
}

static void ahb_error(struct cc_dma *dma, uint32_t address)
{
    bus_finding(dma->host->block->bus, "cryptocell",
                "CryptoCell DMA at 0x%08x, where it reaches no memory (it reaches data RAM only)", address);
    cc_host_interrupt(dma->host, CC_AHB_ERROR);
}

/* Reads the next bytes of the source. Returns 0, or -1 after a bus error. */
static int read_source(struct cc_dma *dma, uint8_t *bytes, uint32_t size)
{
    struct cc_end *source = &dma->source;
    if (source->sram)
        sram_copy(dma, source->address, bytes, NULL, size);
    else if (source->address < RAM_BASE || dma_read(dma->host->block->bus, source->address, bytes, size)) {
        ahb_error(dma, source->address);
        return -1;
    }
    source->address += size;
    source->left -= size;
    return 0;
}

static void fifo_put(struct cc_dma *dma, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && dma->out_size < CC_FIFO_SIZE; i++)
        dma->out[(dma->out_first + dma->out_size++) % CC_FIFO_SIZE] = bytes[i];
}

static uint32_t fifo_get(struct cc_dma *dma)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4 && dma->out_size; i++) {
        word |= (uint32_t)dma->out[dma->out_first] << 8 * i;
        dma->out_first = (dma->out_first + 1) % CC_FIFO_SIZE;
        dma->out_size--;
    }
    return word;
}

/* Puts bytes to the armed destination, or where the CPU can fetch them. */
static void write_target(struct cc_dma *dma, const uint8_t *bytes, size_t size)
{
    struct cc_end *target = &dma->target;
    uint32_t part = size < target->left ? (uint32_t)size : target->left;
    if (!part) {
        fifo_put(dma, bytes, size);
        return;
    }
    if (target->sram)
        sram_copy(dma, target->address, NULL, bytes, part);
    else if (dma_write(dma->host->block->bus, target->address, bytes, part))
        ahb_error(dma, target->address);
    target->address += part;
    target->left -= part;
    if (!target->left)
        cc_host_interrupt(dma->host, target->sram ? CC_DOUT_TO_SRAM : CC_DOUT_TO_MEM);
}

/* Sends at most CHUNK bytes through the engines. */
static void pass(struct cc_dma *dma, const struct flow *flow, const uint8_t *in, size_t size)
{
    uint8_t through[CHUNK];
    size_t count = flow->aes ? cc_aes_run(dma->aes, in, size, through) : 0;
    if (flow->hash == FEED_INPUT)
        cc_hash_absorb(dma->hash, in, size);
    else if (flow->hash == FEED_AES)
        cc_hash_absorb(dma->hash, through, count);
    if (flow->dout == FEED_INPUT)
        write_target(dma, in, size);
    else if (flow->dout == FEED_AES && count)
        write_target(dma, through, count);
    if (flow->dout == FEED_CHACHA) {
        cc_chacha_run(dma->chacha, in, size, through);
        write_target(dma, through, size);
    }
}

static void end_flow(struct cc_dma *dma, const struct flow *flow)
{
    if (flow->hash != FEED_NONE)
        cc_hash_end(dma->hash);
}

static void done(void *self)
{
    struct cc_dma *dma = self;
    const struct flow *flow = flow_of(dma);
    dma->host->streaming = false;
    while (dma->source.left) {
        uint8_t bytes[CHUNK];
        uint32_t size = dma->source.left < CHUNK ? dma->source.left : CHUNK;
        if (read_source(dma, bytes, size))
            return;
        pass(dma, flow, bytes, size);
    }
    end_flow(dma, flow);
    cc_host_interrupt(dma->host, dma->source.sram ? CC_SRAM_TO_DIN : CC_MEM_TO_DIN);
}

static uint64_t transfer_cycles(const struct flow *flow, uint64_t size)
{
    uint64_t cycles = size / 2;
    uint64_t aes = (size + 15) / 16 * 44;
    uint64_t hash = (size + 63) / 64 * 80;
    uint64_t chacha = (size + 63) / 64 * 88;
    if (flow->dout == FEED_CHACHA && chacha > cycles)
        cycles = chacha;
    if (flow->aes && aes > cycles)
        cycles = aes;
    if (flow->hash != FEED_NONE && hash > cycles)
        cycles = hash;
    return START_CYCLES + cycles;
}

static void start(struct cc_dma *dma, bool sram, uint32_t size)
{
    struct block *block = dma->host->block;
    if (dma->host->streaming) {
        bus_finding(block->bus, "cryptocell",
                    "a transfer is started while another one is under way: ignored");
        return;
    }
    if (!size)
        return;
    dma->source = (struct cc_end){
        .sram = sram, .address = block_get(block, sram ? SRC_SRAM_ADDR : SRC_MEM_ADDR), .left = size};
    dma->host->streaming = true;
    event_after(clock_of(dma), &dma->done, transfer_cycles(flow_of(dma), size));
}

static void arm(struct cc_dma *dma, bool sram, uint32_t size)
{
    dma->target = (struct cc_end){
        .sram = sram,
        .address = block_get(dma->host->block, sram ? DST_SRAM_ADDR : DST_MEM_ADDR),
        .left = size,
    };
}

/* How much of the CPU's data an engine takes at once. */
static uint32_t unit_of(const struct flow *flow)
{
    return flow->dout == FEED_CHACHA ? CC_CHACHA_BLOCK : flow->aes ? CC_AES_BLOCK : 4;
}

/* A word from the CPU; engines get whole blocks, or what there is at the announced end. */
static void cpu_data(struct cc_dma *dma, uint32_t word)
{
    const struct flow *flow = flow_of(dma);
    uint32_t size = dma->cpu_left && dma->cpu_left < 4 ? dma->cpu_left : 4;
    for (uint32_t i = 0; i < size; i++)
        dma->in[dma->in_size++] = (uint8_t)(word >> 8 * i);
    bool last = dma->cpu_left && dma->cpu_left == size;
    dma->cpu_left -= dma->cpu_left ? size : 0;
    if (dma->in_size >= unit_of(flow) || last) {
        pass(dma, flow, dma->in, dma->in_size);
        dma->in_size = 0;
    }
    if (last)
        end_flow(dma, flow);
}

static void din_reset(struct cc_dma *dma)
{
    event_cancel(clock_of(dma), &dma->done);
    dma->host->streaming = false;
    dma->source.left = 0;
    dma->in_size = 0;
    dma->cpu_left = 0;
}

static void dout_reset(struct cc_dma *dma)
{
    dma->target.left = 0;
    dma->out_size = 0;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    din_reset(self);
    dout_reset(self);
}

static uint32_t ctl_read(void *self, uint32_t offset)
{
    struct cc_dma *dma = self;
    bool hashing = flow_of(dma)->hash != FEED_NONE;
    switch (offset) {
    case CRYPTO_CTL:
        return 0;
    case CRYPTO_BUSY:
        return dma->host->streaming;
    case HASH_BUSY:
        return dma->host->streaming && hashing;
    default:
        return block_get(dma->host->block, offset);
    }
}

static void ctl_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_dma *dma = self;
    if (offset == CRYPTO_CTL || offset == CONTEXT_ID)
        block_set(dma->host->block, offset, value);
}

static uint32_t din_read(void *self, uint32_t offset)
{
    struct cc_dma *dma = self;
    switch (offset) {
    case DIN_BUFFER:
        return fifo_get(dma);
    case DIN_DMA_MEM_BUSY:
        return dma->host->streaming && !dma->source.sram;
    case DIN_DMA_SRAM_BUSY:
        return dma->host->streaming && dma->source.sram;
    case DIN_FIFO_EMPTY:
        return 1;
    default:
        return block_get(dma->host->block, offset);
    }
}

static void din_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_dma *dma = self;
    if (offset <= DIN_BUFFER_LAST) {
        cpu_data(dma, value);
        return;
    }
    switch (offset) {
    case SRC_MEM_SIZE:
        start(dma, false, value & SIZE_MASK);
        break;
    case SRC_SRAM_SIZE:
        start(dma, true, value);
        break;
    case DIN_SW_RESET:
        din_reset(dma);
        break;
    case DIN_FIFO_RESET:
        dma->in_size = 0;
        break;
    case DIN_CPU_DATA:
        dma->cpu_left = value & 0xffff;
        break;
    case DIN_DMA_MEM_BUSY:
    case DIN_DMA_SRAM_BUSY:
    case DIN_FIFO_EMPTY:
        break;
    default:
        block_set(dma->host->block, offset, value);
        break;
    }
}

static uint32_t dout_read(void *self, uint32_t offset)
{
    struct cc_dma *dma = self;
    switch (offset) {
    case DOUT_DMA_MEM_BUSY:
        return dma->host->streaming && dma->target.left && !dma->target.sram;
    case DOUT_DMA_SRAM_BUSY:
        return dma->host->streaming && dma->target.left && dma->target.sram;
    case DOUT_FIFO_EMPTY:
        return !dma->out_size;
    default:
        return block_get(dma->host->block, offset);
    }
}

static void dout_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_dma *dma = self;
    switch (offset) {
    case DST_MEM_SIZE:
        arm(dma, false, value & SIZE_MASK);
        break;
    case DST_SRAM_SIZE:
        arm(dma, true, value);
        break;
    case DOUT_SW_RESET:
        dout_reset(dma);
        break;
    case DOUT_DMA_MEM_BUSY:
    case DOUT_DMA_SRAM_BUSY:
    case DOUT_FIFO_EMPTY:
        break;
    default:
        block_set(dma->host->block, offset, value);
        break;
    }
}

static uint32_t sram_read(void *self, uint32_t offset)
{
    struct cc_dma *dma = self;
    if (offset != SRAM_DATA)
        return offset == SRAM_DATA_READY;
    uint8_t bytes[4];
    sram_copy(dma, dma->sram_address, bytes, NULL, sizeof bytes);
    dma->sram_address += sizeof bytes;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void sram_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_dma *dma = self;
    if (offset == SRAM_ADDR)
        dma->sram_address = value & 0x7fff;
    if (offset != SRAM_DATA)
        return;
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};
    sram_copy(dma, dma->sram_address, NULL, bytes, sizeof bytes);
    dma->sram_address += sizeof bytes;
}

static void save_end(struct cc_end *end, struct state *state)
{
    state_var(state, end->sram);
    state_var(state, end->address);
    state_var(state, end->left);
}

static void save(void *self, struct state *state)
{
    struct cc_dma *dma = self;
    save_end(&dma->source, state);
    save_end(&dma->target, state);
    state_event(state, clock_of(dma), &dma->done);
    state_var(state, dma->in);
    state_var(state, dma->in_size);
    state_var(state, dma->cpu_left);
    state_var(state, dma->out);
    state_var(state, dma->out_first);
    state_var(state, dma->out_size);
    state_var(state, dma->sram_address);
    state_var(state, dma->sram);
}

void cc_dma_init(struct cc_dma *dma, struct cc_host *host, struct cc_aes *aes, struct cc_hash *hash,
                 struct cc_chacha *chacha)
{
    memset(dma, 0, sizeof *dma);
    dma->host = host;
    dma->aes = aes;
    dma->hash = hash;
    dma->chacha = chacha;
    event_init(&host->block->bus->clock, &dma->done, done, dma);
    struct face face = {.plain = true, .active = cc_engine_active, .self = dma};
    face.name = "CC_CTL";
    face.regs = ctl_regs;
    face.reg_count = sizeof ctl_regs / sizeof ctl_regs[0];
    face.read = ctl_read;
    face.write = ctl_write;
    face.reset = reset;
    face.save = save;
    block_add_face(host->block, &face);
    face.reset = NULL;
    face.save = NULL;
    face.name = "CC_DIN";
    face.regs = din_regs;
    face.reg_count = sizeof din_regs / sizeof din_regs[0];
    face.read = din_read;
    face.write = din_write;
    block_add_face(host->block, &face);
    face.name = "CC_DOUT";
    face.regs = dout_regs;
    face.reg_count = sizeof dout_regs / sizeof dout_regs[0];
    face.read = dout_read;
    face.write = dout_write;
    block_add_face(host->block, &face);
    face.name = "CC_RNG_SRAM";
    face.regs = sram_regs;
    face.reg_count = sizeof sram_regs / sizeof sram_regs[0];
    face.read = sram_read;
    face.write = sram_write;
    block_add_face(host->block, &face);
}
