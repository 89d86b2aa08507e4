/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPIO – ports P0 (P0.00–P0.31) and P1 (P1.00–P1.15), on one page.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'GPIO', and 'Reset behavior' in chapter 'POWER'.
 * Modelled: OUT, DIR and PIN_CNF with all drive modes and pulls; IN through the input buffers; SENSE, LATCH,
 * DETECT and LDETECT; pins lent to other peripherals; the pins keep their state in System OFF and over the
 * wake-up from it, and lose it in every other reset.
 * Not modelled: drive currents (high drive is as strong as standard drive).
 */
#ifndef SOSIM_NRF52840_GPIO_H
#define SOSIM_NRF52840_GPIO_H

#include "core/bus.h"

#define GPIO_PINS         48 /* P0.00 is 0, P1.00 is 32 */
#define GPIO_NO_PIN       0xffu
#define GPIO_DETECT_HOOKS 2

struct gpio_hook {
    void (*fn)(void *context, unsigned pin, bool high);
    void *context;
};

struct gpio {
    struct block block;
    int driver[GPIO_PINS]; /* our place on the pin's wire */
    uint32_t out[2];
    uint32_t latch[2];
    uint32_t latched_detect[2]; /* DETECTMODE */
    uint32_t cnf[GPIO_PINS];    /* DIR is bit 0 of it */
    uint64_t seen_high;         /* level of each wire when it was last looked at */
    bool detect[2];
    uint8_t reset_pin; /* nRESET, or GPIO_NO_PIN */
    struct {
        bool claimed;
        uint8_t strength;
        uint16_t level;
    } lent[GPIO_PINS];
    struct gpio_hook pin_changed;                    /* GPIOTE: a digital level changed */
    struct gpio_hook detect_rose[GPIO_DETECT_HOOKS]; /* pin is the port number here */
    struct gpio_hook reset_changed;                  /* POWER: nRESET changed */
    bool quiet;                                      /* while a reset rewrites all pins */
};

void gpio_init(struct gpio *gpio, struct bus *bus);

/* A peripheral takes a pin over from OUT and DIR (`claim`), or gives it back. `strength` WIRE_FLOATING makes
 * it an input; WIRE_STRONG drives `level` (0..65535) subject to the pin's drive mode, so that an open-drain
 * pin floats when it is told high. The pulls of PIN_CNF stay in force. To be called at each change of the
 * output; a reset of the chip gives back all pins by itself. `pin` is 0..47; others are ignored. */
void gpio_peripheral_drive(struct gpio *gpio, unsigned pin, bool claim, enum wire_strength strength,
                           uint16_t level);

/* The same for the value of a PSEL register: nothing happens when it is disconnected. */
void gpio_psel_drive(struct gpio *gpio, uint32_t psel, bool claim, enum wire_strength strength,
                     uint16_t level);

/* True if the port's DETECT (or LDETECT) signal is high. */
bool gpio_detect(const struct gpio *gpio, unsigned port);

/* Makes `pin` the reset input with its pull-up, whatever PIN_CNF says; GPIO_NO_PIN: none. */
void gpio_set_reset_pin(struct gpio *gpio, uint8_t pin);

#endif
