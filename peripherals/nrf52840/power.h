/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POWER – supplies, resets, System OFF and RAM power; a face of CLOCK's page (clocks.h).
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'POWER', with its table 'Reset behavior'.
 * Modelled: RESETREAS, GPREGRET and GPREGRET2 with what each reset keeps; System OFF and the wake-ups from it
 * (DETECT, VBUS, nRESET); the nRESET pin that UICR.PSELRESET names; the power-fail comparator and brown-out;
 * USB supply detection; RAM[n].POWER and which sections keep their content in System OFF.
 * RESETREAS is cleared by power-on and brown-out; the retained registers outlive soft reset, lockup and
 * System OFF, and are cleared by nRESET and the watchdog as well. USBDETECTED and USBPWRRDY are raised again
 * after a reset while VBUS is there, so that firmware which enables their interrupt later hears of it. The
 * USB regulator is taken to settle in 1 ms.
 *
 * Not modelled: currents (DCDCEN, CONSTLAT and LOWPWR have no visible effect), loss of RAM content when a
 * section's power is switched off while running or in a brown-out, the comparator's hysteresis and that it
 * rests while HFCLK does, wake-up by LPCOMP and NFC.
 */
#ifndef SOSIM_NRF52840_POWER_H
#define SOSIM_NRF52840_POWER_H

#include "core/bus.h"
#include "core/nor.h"
#include "nrf52840/clocks.h"
#include "nrf52840/gpio.h"

#define POWER_RAMS 9

struct power {
    struct block *block;
    struct gpio *gpio;
    const struct nor *uicr;
    uint32_t resetreas;
    uint32_t gpregret[2];
    uint32_t ram_power[POWER_RAMS];
    uint32_t vdd_mv;
    uint32_t vddh_mv;
    uint32_t wake_reason; /* RESETREAS bit of the wake-up that was asked for */
    bool warned;          /* the supply is below POFCON's threshold */
    bool vbus;
    bool usb_ready;
    bool off;
    bool going_off;
    void (*brownout)(void *context); /* told as VDD fails, before the reset; NULL: nobody asks */
    void *brownout_context;
    void (*vbus_changed)(void *context); /* NULL: nobody asks */
    void *vbus_context;
    struct event usb_regulated;
    struct event go_off;
};

/* Adds POWER's face to CLOCK's page. `uicr` names the reset pin. */
void power_init(struct power *power, struct clocks *clocks, struct gpio *gpio, const struct nor *uicr);

/* Sets the supplies in millivolts (3300 each at init). Below 1700 mV on VDD the chip is held in reset; coming
 * back, it asks the bus for RESET_BROWNOUT. */
void power_set_supply(struct power *power, uint32_t vdd_mv, uint32_t vddh_mv);

/* The power-fail comparator is on and a supply is below its threshold: NVMC neither writes nor erases. */
bool power_warns(const struct power *power);

/* USB's 5 V comes or goes. */
void power_set_vbus(struct power *power, bool present);

/* The chip is in System OFF: the CPU does not run until the bus is asked for a reset. */
bool power_is_off(const struct power *power);

/* nRESET is low or the supply is missing: the CPU does not run until this is false again. */
bool power_holds_reset(const struct power *power);

/* The CPU enters or leaves sleep: SLEEPENTER, SLEEPEXIT. */
void power_sleep(struct power *power, bool asleep);

/* True if the byte at `offset` into RAM keeps its content in System OFF. */
bool power_retains(const struct power *power, uint32_t offset);

#endif
