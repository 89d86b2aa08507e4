/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial connections between on-chip controllers and parts, at the level of bytes and conditions on the line.
 * A part is attached to the pins it sits on; a controller finds it by the pins its PSEL registers name, so
 * the firmware that selects other pins talks to nobody, as on the board.
 *
 * Not modelled: bit timing on the lines (the controllers take the time a byte takes), arbitration, several
 * masters.
 */
#ifndef SOSIM_CORE_PORTS_H
#define SOSIM_CORE_PORTS_H

#include "core/usb_port.h"

#include <stdbool.h>
#include <stdint.h>

/* An I2C slave. Functions return true to acknowledge. */
struct i2c_device {
    uint8_t address; /* 7 bits */
    bool (*start)(void *self, bool read);
    bool (*write)(void *self, uint8_t byte);
    uint8_t (*read)(void *self);
    void (*stop)(void *self);
    void *self;
};

/* A SPI slave behind a chip select; `lines` is 1, 2 or 4 data lines used for this byte. */
struct spi_device {
    void (*select)(void *self, bool selected);
    uint8_t (*transfer)(void *self, uint8_t out, unsigned lines);
    /* The same for many bytes at once: `out` NULL sends ones, `in` NULL drops what comes back. May be NULL.
     */
    void (*transfer_block)(void *self, const uint8_t *out, uint8_t *in, uint32_t size, unsigned lines);
    /* Cycle at which a flash part stops showing WIP (now or earlier: it does not), so that a controller need
     * not poll it in vain. May be NULL: not known. */
    uint64_t (*busy_until)(void *self);
    void *self;
};

/* The far end of a UART. `receive` gets a byte that the chip sent; the part answers through uart_send. */
struct uart_device {
    void (*receive)(void *self, uint8_t byte, uint32_t baud);
    /* RTS of the chip changed: true when the chip can take bytes. May be NULL. */
    void (*ready)(void *self, bool ready);
    void *self;
};

/* The controller's end, registered while it is enabled, to get bytes from a part. Returns false if it has no
 * room (flow control); the part tries again when ready. */
struct uart_controller {
    bool (*deliver)(void *self, uint8_t byte);
    void *self;
};

#define PORTS_MAX 8

struct part_ports {
    struct {
        uint8_t scl, sda;
        struct i2c_device device;
    } i2c[PORTS_MAX];
    struct {
        uint8_t csn;
        struct spi_device device;
    } spi[PORTS_MAX];
    struct {
        uint8_t chip_tx, chip_rx;
        struct uart_device device;
        struct uart_controller controller; /* deliver is NULL when no controller listens */
    } uart[PORTS_MAX];
    unsigned i2cs, spis, uarts;
    struct usb_port usb; /* the board's USB plug */
};

/* Attach a part; pins are 0..63 (P1.00 is 32). Return 0, or -1 when there is no room. */
int ports_attach_i2c(struct part_ports *ports, uint8_t scl, uint8_t sda, const struct i2c_device *device);
int ports_attach_spi(struct part_ports *ports, uint8_t csn, const struct spi_device *device);
/* Returns the port's number for uart_send, or -1. */
int ports_attach_uart(struct part_ports *ports, uint8_t chip_tx, uint8_t chip_rx,
                      const struct uart_device *device);

/* Lookups by pin; NULL (or -1) when nothing is there. */
struct i2c_device *ports_find_i2c(struct part_ports *ports, uint8_t scl, uint8_t sda, uint8_t address);
struct spi_device *ports_find_spi(struct part_ports *ports, uint8_t csn);
int ports_find_uart_by_tx(const struct part_ports *ports, uint8_t chip_tx);
int ports_find_uart_by_rx(const struct part_ports *ports, uint8_t chip_rx);

/* Exchanges bytes with a selected part by the fastest way it offers. No part (NULL): ones come back. */
void spi_exchange(const struct spi_device *device, const uint8_t *out, uint8_t *in, uint32_t size,
                  unsigned lines);

/* A part sends one byte to the chip's receiver on this port. False: nobody listens or no room. */
bool ports_uart_send(struct part_ports *ports, int port, uint8_t byte);

#endif
