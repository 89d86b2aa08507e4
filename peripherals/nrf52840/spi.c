/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/spi.h"

#include "nrf52840/spim.h"

enum {
    EVENT_READY = 2,
};

enum {
    ENABLE = 0x500,
    PSEL_MISO = 0x510,
    RXD = 0x518,
    TXD = 0x51c,
    FREQUENCY = 0x524,
};

#define ENABLE_SPI 1u

static const struct reg regs[] = {
    {"EVENTS_READY", 0x108, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCK", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MOSI", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MISO", PSEL_MISO, REG_RW, 0xffffffff, 0, 0},
    {"RXD", RXD, REG_R, 0, 0, 0},
    {"TXD", TXD, REG_RW, 0, 0, 0},
    {"FREQUENCY", FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"CONFIG", 0x554, REG_RW, 0, 0, 0},
};

static void start_byte(struct spi *spi)
{
    uint64_t bit = spi_bit_cycles(block_get(spi->block, FREQUENCY));
    event_after(&spi->block->bus->clock, &spi->byte_end, 8 * bit);
}

static void byte_end(void *self)
{
    struct spi *spi = self;
    const struct wire *miso = bus_psel_wire(spi->block->bus, block_get(spi->block, PSEL_MISO));
    uint8_t byte = miso && wire_high(miso) ? 0xff : 0x00;
    /* With both places full the byte is lost, as on silicon. */
    bool first = spi->received == 0;
    if (spi->received < 2)
        spi->buffer[spi->received++] = byte;
    if (--spi->sending)
        start_byte(spi);
    /* A byte behind an unread one becomes ready when that one is read. */
    if (first)
        block_event(spi->block, EVENT_READY);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct spi *spi = self;
    if (offset != RXD)
        return block_get(spi->block, offset);
    uint32_t value = spi->buffer[0];
    if (!spi->received)
        return value;
    spi->buffer[0] = spi->buffer[1];
    if (--spi->received)
        block_event(spi->block, EVENT_READY);
    return value;
}

static void halt(struct spi *spi)
{
    event_cancel(&spi->block->bus->clock, &spi->byte_end);
    spi->sending = 0;
    spi->received = 0;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct spi *spi = self;
    block_set(spi->block, offset, value);
    if (offset == TXD && spi->sending < 2) {
        if (!spi->sending++)
            start_byte(spi);
    } else if (offset == ENABLE && (value & 15) != ENABLE_SPI) {
        halt(spi);
    }
}

static bool active(void *self)
{
    return (block_get(((struct spi *)self)->block, ENABLE) & 15) == ENABLE_SPI;
}

static void reset(void *self, enum reset_cause cause)
{
    struct spi *spi = self;
    (void)cause;
    halt(spi);
    spi->buffer[0] = 0;
    spi->buffer[1] = 0;
}

static void save(void *self, struct state *state)
{
    struct spi *spi = self;
    state_event(state, &spi->block->bus->clock, &spi->byte_end);
    state_var(state, spi->sending);
    state_var(state, spi->received);
    state_var(state, spi->buffer);
}

void spi_init(struct spi *spi, struct block *block, unsigned instance)
{
    static const char *const names[] = {"SPI0", "SPI1", "SPI2"};
    *spi = (struct spi){.block = block};
    event_init(&block->bus->clock, &spi->byte_end, byte_end, spi);
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .read = read,
                              .write = write,
                              .active = active,
                              .save = save,
                              .self = spi,
                          });
}
