/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/serial_box.h"

/* Everything that any owner of the page has; what is not listed by the present owner is only a word. */
static const struct reg disabled_regs[] = {
    {"TASKS", 0x000, REG_W, 0, 16, 0},           {"EVENTS", 0x100, REG_RW, 0, 32, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},     {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0}, {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
};

void serial_box_init(struct serial_box *box, struct bus *bus, unsigned instance)
{
    static const struct {
        const char *name;
        uint32_t base;
        int irq;
    } places[] = {{"SERIAL0", 0x40003000, 3},
                  {"SERIAL1", 0x40004000, 4},
                  {"SERIAL2", 0x40023000, 35},
                  {"SERIAL3", 0x4002f000, 47}};
    block_init(&box->block, bus, places[instance].base, places[instance].irq);
    spim_init(&box->spim, &box->block, instance);
    if (instance < 3) {
        spis_init(&box->spis, &box->block, instance);
        spi_init(&box->spi, &box->block, instance);
    }
    if (instance < 2) {
        twim_init(&box->twim, &box->block, instance);
        twis_init(&box->twis, &box->block, instance);
        twi_init(&box->twi, &box->block, instance);
    }
    block_add_face(&box->block, &(struct face){
                                    .name = places[instance].name,
                                    .regs = disabled_regs,
                                    .reg_count = sizeof disabled_regs / sizeof disabled_regs[0],
                                    .self = box,
                                });
}
