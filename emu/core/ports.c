/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ports.h"

#include <stddef.h>
#include <string.h>

int ports_attach_i2c(struct part_ports *ports, uint8_t scl, uint8_t sda, const struct i2c_device *device)
{
    if (ports->i2cs == PORTS_MAX)
        return -1;
    ports->i2c[ports->i2cs].scl = scl;
    ports->i2c[ports->i2cs].sda = sda;
    ports->i2c[ports->i2cs++].device = *device;
    return 0;
}

int ports_attach_spi(struct part_ports *ports, uint8_t csn, const struct spi_device *device)
{
    if (ports->spis == PORTS_MAX)
        return -1;
    ports->spi[ports->spis].csn = csn;
    ports->spi[ports->spis++].device = *device;
    return 0;
}

int ports_attach_uart(struct part_ports *ports, uint8_t chip_tx, uint8_t chip_rx,
                      const struct uart_device *device)
{
    if (ports->uarts == PORTS_MAX)
        return -1;
    ports->uart[ports->uarts].chip_tx = chip_tx;
    ports->uart[ports->uarts].chip_rx = chip_rx;
    ports->uart[ports->uarts].device = *device;
    return (int)ports->uarts++;
}

struct i2c_device *ports_find_i2c(struct part_ports *ports, uint8_t scl, uint8_t sda, uint8_t address)
{
    for (unsigned i = 0; i < ports->i2cs; i++) {
        if (ports->i2c[i].scl == scl && ports->i2c[i].sda == sda && ports->i2c[i].device.address == address)
            return &ports->i2c[i].device;
    }
    return NULL;
}

struct spi_device *ports_find_spi(struct part_ports *ports, uint8_t csn)
{
    for (unsigned i = 0; i < ports->spis; i++) {
        if (ports->spi[i].csn == csn)
            return &ports->spi[i].device;
    }
    return NULL;
}

int ports_find_uart_by_tx(const struct part_ports *ports, uint8_t chip_tx)
{
    for (unsigned i = 0; i < ports->uarts; i++) {
        if (ports->uart[i].chip_tx == chip_tx)
            return (int)i;
    }
    return -1;
}

int ports_find_uart_by_rx(const struct part_ports *ports, uint8_t chip_rx)
{
    for (unsigned i = 0; i < ports->uarts; i++) {
        if (ports->uart[i].chip_rx == chip_rx)
            return (int)i;
    }
    return -1;
}

void spi_exchange(const struct spi_device *device, const uint8_t *out, uint8_t *in, uint32_t size,
                  unsigned lines)
{
    if (!device) {
        if (in)
            memset(in, 0xff, size);
        return;
    }
    if (device->transfer_block) {
        device->transfer_block(device->self, out, in, size, lines);
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        uint8_t got = device->transfer(device->self, out ? out[i] : 0xff, lines);
        if (in)
            in[i] = got;
    }
}

bool ports_uart_send(struct part_ports *ports, int port, uint8_t byte)
{
    const struct uart_controller *controller = &ports->uart[port].controller;
    return controller->deliver && controller->deliver(controller->self, byte);
}
