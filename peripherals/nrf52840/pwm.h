/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PWM – pulse width modulators PWM0–PWM3, four channels each.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'PWM'.
 * Modelled: up and up-and-down counting, prescaler, all four decoder loads, refresh and next-step modes, both
 * sequences with REFRESH and ENDDELAY, loops, all events and shortcuts. A channel's output is the fraction of
 * time its pin is high, put on the pin's wire as each period starts; a pin whose generator does not run has
 * the level of GPIO's OUT.
 * Compare values come from RAM at the start of the period they are for, so firmware may edit them in place.
 * SEQEND comes as the last value of a sequence starts to be played, LOOPSDONE as the last period of the last
 * loop starts: a STOP or SEQSTART bound to it leaves no gap and no period too many. When the sequences are
 * over and nothing stops it, the last value goes on. STOP of a generator that does not run gives STOPPED.
 * Not modelled: single edges on the pins; the EasyDMA prefetch of one value (a value edited in the period
 * before its own is seen, on silicon perhaps not); a sequence with CNT 0 (starting it is a finding).
 */
#ifndef SOSIM_NRF52840_PWM_H
#define SOSIM_NRF52840_PWM_H

#include "core/bus.h"
#include "nrf52840/gpio.h"

#define PWM_CHANNELS 4

struct pwm {
    struct block block;
    struct gpio *gpio;
    struct event period;   /* end of the running period */
    uint64_t period_start; /* cycle */
    uint32_t length;       /* of the running period, cycles */
    bool running;
    bool stopping;      /* at the end of the period */
    bool step_asked;    /* NEXTSTEP came */
    bool over;          /* all sequences played; the last value goes on */
    bool last_value;    /* of the sequence */
    int8_t start_asked; /* sequence to start with the next period, -1: none */
    uint8_t sequence;
    uint32_t index; /* half-words of the sequence that have been loaded */
    uint32_t hold;  /* further periods for the value being played */
    uint16_t loops; /* left, with the running one; 0: not looping */
    bool loops_done;
    uint16_t top;
    uint16_t compare[PWM_CHANNELS];
    int32_t level[PWM_CHANNELS]; /* on the pins now; -1: not ours */
};

/* Puts PWM `instance` (0..3) on the bus; its outputs go to pins by way of `gpio`. */
void pwm_init(struct pwm *pwm, struct bus *bus, struct gpio *gpio, unsigned instance);

#endif
