/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/easydma.h"

enum {
    PTR = 0x0,
    MAXCNT = 0x4,
    AMOUNT = 0x8,
    MAXCNT_MASK = 0xffff,
};

void easydma_init(struct easydma *dma, struct block *block, uint32_t registers)
{
    *dma = (struct easydma){.block = block, .registers = registers};
}

void easydma_take(struct easydma *dma)
{
    dma->address = block_get(dma->block, dma->registers + PTR);
    dma->size = block_get(dma->block, dma->registers + MAXCNT) & MAXCNT_MASK;
    dma->done = 0;
}

/* Takes up to `count` bytes off what is left; `*address` gets where they are. */
static uint32_t next_bytes(struct easydma *dma, uint32_t count, uint32_t *address)
{
    uint32_t left = dma->size - dma->done;
    uint32_t size = count < left ? count : left;
    *address = dma->address + dma->done;
    dma->done += size;
    return size;
}

void easydma_read(struct easydma *dma, void *bytes, uint32_t count)
{
    uint32_t address;
    uint32_t size = next_bytes(dma, count, &address);
    if (size)
        dma_read(dma->block->bus, address, bytes, size);
}

void easydma_write(struct easydma *dma, const void *bytes, uint32_t count)
{
    uint32_t address;
    uint32_t size = next_bytes(dma, count, &address);
    if (size)
        dma_write(dma->block->bus, address, bytes, size);
}

void easydma_tell_amount(const struct easydma *dma)
{
    block_set(dma->block, dma->registers + AMOUNT, dma->done);
}

void easydma_save(struct easydma *dma, struct state *state)
{
    state_var(state, dma->address);
    state_var(state, dma->size);
    state_var(state, dma->done);
}
