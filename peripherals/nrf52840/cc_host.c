/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_host.h"

#include <string.h>

#define IRQ_CRYPTOCELL 42u

enum {
    IRR = 0xa00,
    IMR = 0xa04,
    ICR = 0xa08,
    ENDIANNESS = 0xa0c,
    HOST_CRYPTOKEY_SEL = 0xa38,
    HOST_IOT_KPRTL_LOCK = 0xa4c,
    HOST_IOT_KDR0 = 0xa50,
    HOST_IOT_KDR3 = 0xa5c,
    HOST_IOT_LCS = 0xa60,
    AES_CLK = 0x810,
    HASH_CLK = 0x818,
    PKA_CLK = 0x81c,
    DMA_CLK = 0x820,
    CLK_STATUS = 0x824,
    CHACHA_CLK = 0x858,
};

enum {
    KEY_SELECT_KDR = 0,
    LCS_MASK = 0x7,
    LCS_SECURE = 0x2,
    LCS_IS_VALID = 1 << 8,
};

static const struct reg host_regs[] = {
    {"IRR", 0xa00, REG_R, 0, 0, 0},
    {"IMR", 0xa04, REG_RW, 0x01ffffff, 0, 0},
    {"ICR", 0xa08, REG_W, 0, 0, 0},
    {"ENDIANNESS", 0xa0c, REG_RW, 0, 0, 0},
    {"HOST_SIGNATURE", 0xa24, REG_R, 0x20e00000, 0, 0},
    {"HOST_BOOT", 0xa28, REG_R, 0x4622982c, 0, 0},
    {"HOST_CRYPTOKEY_SEL", 0xa38, REG_RW, 0, 0, 0},
    {"HOST_IOT_KPRTL_LOCK", 0xa4c, REG_RW, 0, 0, 0},
    {"HOST_IOT_KDR0", 0xa50, REG_RW, 0, 0, 0},
    {"HOST_IOT_KDR1", 0xa54, REG_W, 0, 0, 0},
    {"HOST_IOT_KDR2", 0xa58, REG_W, 0, 0, 0},
    {"HOST_IOT_KDR3", 0xa5c, REG_W, 0, 0, 0},
    {"HOST_IOT_LCS", 0xa60, REG_RW, LCS_SECURE, 0, 0},
};

static const struct reg misc_regs[] = {
    {"AES_CLK", 0x810, REG_W, 0, 0, 0},          {"HASH_CLK", 0x818, REG_W, 0, 0, 0},
    {"PKA_CLK", 0x81c, REG_W, 0, 0, 0},          {"DMA_CLK", 0x820, REG_W, 0, 0, 0},
    {"CLK_STATUS", 0x824, REG_R, 1u << 8, 0, 0}, {"CHACHA_CLK", 0x858, REG_W, 0, 0, 0},
};

/* Where each clock switch shows up in CLK_STATUS. */
static const struct {
    uint32_t offset;
    unsigned bit;
} clocks[] = {{AES_CLK, 0}, {HASH_CLK, 2}, {PKA_CLK, 3}, {CHACHA_CLK, 7}, {DMA_CLK, 8}};

void cc_get_bytes(const struct block *block, uint32_t offset, uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bytes[i] = (uint8_t)(block_get(block, offset + (i & ~3u)) >> 8 * (i & 3));
}

void cc_set_bytes(struct block *block, uint32_t offset, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i += 4)
        block_set(block, offset + i,
                  bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                      (uint32_t)bytes[i + 3] << 24);
}

static void update_line(struct cc_host *host)
{
    struct bus *bus = host->block->bus;
    if (bus->irq)
        bus->irq(bus->irq_context, IRQ_CRYPTOCELL,
                 host->enabled && block_get(host->block, IRR) & ~block_get(host->block, IMR));
}

void cc_host_interrupt(struct cc_host *host, enum cc_interrupt interrupt)
{
    block_set(host->block, IRR, block_get(host->block, IRR) | 1u << interrupt);
    update_line(host);
}

void cc_host_key(const struct cc_host *host, uint8_t *key)
{
    memset(key, 0, CC_KEY_SIZE);
    if ((block_get(host->block, HOST_CRYPTOKEY_SEL) & 3) != KEY_SELECT_KDR)
        return;
    for (unsigned i = 0; i < CC_KEY_SIZE; i++)
        key[i] = (uint8_t)(host->kdr[i / 4] >> 8 * (i & 3));
}

static bool host_active(void *self)
{
    return ((struct cc_host *)self)->enabled;
}

bool cc_engine_active(void *engine)
{
    return (*(struct cc_host **)engine)->enabled;
}

void cc_host_enable(struct cc_host *host, bool enabled)
{
    if (host->enabled == enabled)
        return;
    host->enabled = enabled;
    block_reset(host->block, RESET_SOFT);
    update_line(host);
}

void cc_host_reset(struct cc_host *host)
{
    host->enabled = false;
    host->retained = false;
    host->kdr_words = 0;
    memset(host->kdr, 0, sizeof host->kdr);
    host->kprtl_lock = 0;
    host->lcs = LCS_SECURE;
    update_line(host);
}

static void write_kdr(struct cc_host *host, uint32_t offset, uint32_t value)
{
    unsigned word = (offset - HOST_IOT_KDR0) / 4;
    if (host->kdr_words & 1u << word)
        return;
    host->kdr[word] = value;
    host->kdr_words |= (uint8_t)(1u << word);
    host->retained = host->kdr_words == 0xf;
}

static uint32_t host_read(void *self, uint32_t offset)
{
    const struct cc_host *host = self;
    if (offset == HOST_IOT_KPRTL_LOCK)
        return host->kprtl_lock;
    if (offset >= HOST_IOT_KDR0 && offset <= HOST_IOT_KDR3)
        return offset == HOST_IOT_KDR0 && host->retained;
    if (offset == HOST_IOT_LCS)
        return host->lcs;
    return offset == ICR ? 0 : block_get(host->block, offset);
}

static void host_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_host *host = self;
    switch (offset) {
    case IMR:
        block_set(host->block, IMR, value);
        break;
    case ICR:
        block_set(host->block, IRR, block_get(host->block, IRR) & ~value);
        break;
    case HOST_IOT_KPRTL_LOCK:
        host->kprtl_lock |= value & 1;
        break;
    case HOST_IOT_LCS:
        if (!(host->lcs & LCS_IS_VALID))
            host->lcs = (value & LCS_MASK) | LCS_IS_VALID;
        break;
    case ENDIANNESS:
    case HOST_CRYPTOKEY_SEL:
        block_set(host->block, offset, value);
        break;
    default:
        if (offset >= HOST_IOT_KDR0 && offset <= HOST_IOT_KDR3)
            write_kdr(host, offset, value);
        break;
    }
    update_line(host);
}

static void misc_write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_host *host = self;
    uint32_t status = block_get(host->block, CLK_STATUS);
    for (unsigned i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        if (clocks[i].offset == offset)
            status = (status & ~(1u << clocks[i].bit)) | (value & 1) << clocks[i].bit;
    }
    block_set(host->block, CLK_STATUS, status);
}

void cc_host_save(struct cc_host *host, struct state *state)
{
    state_var(state, host->enabled);
    state_var(state, host->streaming);
    state_var(state, host->retained);
    state_var(state, host->kdr_words);
    state_var(state, host->kdr);
    state_var(state, host->kprtl_lock);
    state_var(state, host->lcs);
}

void cc_host_init(struct cc_host *host, struct block *block)
{
    memset(host, 0, sizeof *host);
    host->block = block;
    host->lcs = LCS_SECURE;
    block_add_face(block, &(struct face){
                              .name = "CC_HOST_RGF",
                              .regs = host_regs,
                              .reg_count = sizeof host_regs / sizeof host_regs[0],
                              .plain = true,
                              .active = host_active,
                              .read = host_read,
                              .write = host_write,
                              .self = host,
                          });
    block_add_face(block, &(struct face){
                              .name = "CC_MISC",
                              .regs = misc_regs,
                              .reg_count = sizeof misc_regs / sizeof misc_regs[0],
                              .plain = true,
                              .active = host_active,
                              .write = misc_write,
                              .self = host,
                          });
}
