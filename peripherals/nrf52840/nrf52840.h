/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nRF52840 put together: every on-chip block on its page and interrupt line, and the arrays that hold its
 * flash and UICR. Source: Product Specification 1.7, 'Instantiation' and 'Memory'.
 *
 * To add a block: write its file pair beside this one, give it a place in the struct and a line in
 * nrf52840_init(); reset and save come by being on the bus.
 */
#ifndef SOSIM_NRF52840_H
#define SOSIM_NRF52840_H

#include "core/bus.h"
#include "core/nor.h"
#include "nrf52840/aar.h"
#include "nrf52840/ccm.h"
#include "nrf52840/clocks.h"
#include "nrf52840/comp.h"
#include "nrf52840/cryptocell.h"
#include "nrf52840/ecb.h"
#include "nrf52840/egu.h"
#include "nrf52840/ficr.h"
#include "nrf52840/fpu.h"
#include "nrf52840/gpio.h"
#include "nrf52840/gpiote.h"
#include "nrf52840/i2s.h"
#include "nrf52840/lpcomp.h"
#include "nrf52840/mwu.h"
#include "nrf52840/nfct.h"
#include "nrf52840/nvmc.h"
#include "nrf52840/pdm.h"
#include "nrf52840/power.h"
#include "nrf52840/ppi.h"
#include "nrf52840/pwm.h"
#include "nrf52840/qdec.h"
#include "nrf52840/qspi.h"
#include "nrf52840/radio.h"
#include "nrf52840/rng.h"
#include "nrf52840/rom_table.h"
#include "nrf52840/rtc.h"
#include "nrf52840/saadc.h"
#include "nrf52840/serial_box.h"
#include "nrf52840/temp.h"
#include "nrf52840/timer.h"
#include "nrf52840/uart.h"
#include "nrf52840/uarte.h"
#include "nrf52840/uicr.h"
#include "nrf52840/usbd.h"
#include "nrf52840/wdt.h"

#define NRF52840_FLASH_SIZE 0x100000u
#define NRF52840_FLASH_PAGE 0x1000u
#define NRF52840_RAM_SIZE   0x40000u
#define NRF52840_UICR_SIZE  0x1000u

struct nrf52840 {
    struct bus *bus;
    struct nor flash; /* 0x00000000 */
    struct nor uicr;  /* 0x10001000 */
    /* The blocks, in the order of their (first) pages. */
    struct ficr ficr;      /* 0x10000000 */
    struct uicr uicr_page; /* 0x10001000 */
    struct clocks clocks;  /* 0x40000000, with POWER */
    struct power power;    /* 0x40000000 */
    struct radio radio;    /* 0x40001000 */
    struct uarte uarte[2]; /* 0x40002000, 0x40028000 */
    struct uart uart;      /* 0x40002000 */
    struct serial_box
        serial[4];         /* 0x40003000, 0x40004000, 0x40023000, 0x4002F000: SPI and TWI of all kinds */
    struct nfct nfct;      /* 0x40005000 */
    struct gpiote gpiote;  /* 0x40006000 */
    struct saadc saadc;    /* 0x40007000 */
    struct timer timer[5]; /* 0x40008000 to 0x4000A000, 0x4001A000, 0x4001B000 */
    struct rtc rtc[3];     /* 0x4000B000, 0x40011000, 0x40024000 */
    struct temp temp;      /* 0x4000C000 */
    struct rng rng;        /* 0x4000D000 */
    struct ecb ecb;        /* 0x4000E000 */
    struct ccm ccm;        /* 0x4000F000, with AAR */
    struct aar aar;        /* 0x4000F000 */
    struct wdt wdt;        /* 0x40010000 */
    struct qdec qdec;      /* 0x40012000 */
    struct comp comp;      /* 0x40013000, with LPCOMP */
    struct lpcomp lpcomp;  /* 0x40013000 */
    struct egu egu[6];     /* 0x40014000 to 0x40019000 */
    struct pwm pwm[4];     /* 0x4001C000, 0x40021000, 0x40022000, 0x4002D000 */
    struct pdm pdm;        /* 0x4001D000 */
    struct nvmc nvmc;      /* 0x4001E000, with ACL */
    struct ppi ppi;        /* 0x4001F000 */
    struct mwu mwu;        /* 0x40020000 */
    struct i2s i2s;        /* 0x40025000 */
    struct fpu fpu;        /* 0x40026000 */
    struct usbd usbd;      /* 0x40027000 */
    struct qspi qspi;      /* 0x40029000 */
    struct gpio gpio;      /* 0x50000000 */
    struct cryptocell cryptocell; /* 0x5002A000 */
    struct rom_table rom_table;   /* 0xF0000000 */
};

/* Builds the chip on an initialised bus. Returns 0 or ENOMEM. */
int nrf52840_init(struct nrf52840 *soc, struct bus *bus);
void nrf52840_destroy(struct nrf52840 *soc);

/*
 * What a scenario says about this one chip: "anomaly_215", not 0: the anomaly strikes (qspi.h). Returns 0, or
 * -1 if there is no such input.
 */
int nrf52840_input(struct nrf52840 *soc, const char *what, double value);

/* Saves or restores the arrays; the blocks are saved with the bus. */
void nrf52840_save(struct nrf52840 *soc, struct state *state);

#endif
