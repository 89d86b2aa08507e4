/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USBD as the host sees it; see usbd.h. */
#include "nrf52840/usbd_internal.h"

#include <string.h>

#define SET_ADDRESS 5u

bool usbd_pulled_up(const struct usbd *usbd)
{
    return usbd->power->vbus &&
           (block_get(&usbd->block, REG_ENABLE) & block_get(&usbd->block, REG_USBPULLUP) & 1);
}

void usbd_bus_attach(struct usbd *usbd)
{
    struct usb_port *port = usbd->port;
    bool attached = usbd_pulled_up(usbd);
    if (attached == port->attached)
        return;
    port->attached = attached;
    usbd->suspended = false;
    if (port->host.attached)
        port->host.attached(port->host.self, attached);
}

static void clear_endpoint(struct usbd_endpoint *endpoint)
{
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->toggle = DATA0;
}

void usbd_bus_clear(struct usbd *usbd)
{
    for (unsigned n = 0; n < USBD_ENDPOINTS; n++) {
        clear_endpoint(&usbd->in[n]);
        clear_endpoint(&usbd->out[n]);
        block_set(&usbd->block, REG_HALTED_EPIN + 4 * n, 0);
        block_set(&usbd->block, REG_HALTED_EPOUT + 4 * n, 0);
    }
    memset(&usbd->iso_in, 0, sizeof usbd->iso_in);
    memset(&usbd->iso_out, 0, sizeof usbd->iso_out);
    block_set(&usbd->block, REG_USBADDR, 0);
    usbd->ep0_stalled = usbd->ep0_receive = usbd->ep0_status = usbd->ep0_address = false;
    usbd->suspended = false;
}

/* A transaction that changed something becomes part of the run's hash. */
static void note(struct usbd *usbd, unsigned endpoint, const uint8_t *bytes, uint32_t size)
{
    trace_note(&usbd->block.bus->signals, digest_bytes(bytes, size) ^ (uint64_t)(endpoint + 1) << 56);
}

static bool hears(const struct usbd *usbd, uint8_t address, uint8_t endpoint, uint32_t enable)
{
    return usbd->port->attached && address == block_get(&usbd->block, REG_USBADDR) &&
           endpoint <= ISO_ENDPOINT && block_get(&usbd->block, enable) >> endpoint & 1;
}

/* Endpoint 0 */

static bool request_reads(const struct usbd *usbd)
{
    return block_get(&usbd->block, REG_BMREQUESTTYPE) & 0x80;
}

static enum usb_answer setup(void *self, uint8_t address, const uint8_t packet[8])
{
    struct usbd *usbd = self;
    if (!hears(usbd, address, 0, REG_EPOUTEN))
        return USB_TIMEOUT;
    for (unsigned i = 0; i < 8; i++)
        block_set(&usbd->block, REG_BMREQUESTTYPE + 4 * i, packet[i]);
    usbd->in[0].ready = false;
    usbd->in[0].toggle = usbd->out[0].toggle = DATA1;
    usbd->ep0_stalled = usbd->ep0_receive = false;
    usbd->ep0_address = packet[0] == 0 && packet[1] == SET_ADDRESS;
    usbd->ep0_status = usbd->ep0_address;
    note(usbd, 0, packet, 8);
    block_event(&usbd->block, EVENT_EP0SETUP);
    return USB_ACK;
}

/* The data stage of a request that writes. */
static enum usb_answer receive_ep0(struct usbd *usbd, bool data1, const uint8_t *data, uint32_t size)
{
    struct usbd_endpoint *out = &usbd->out[0];
    if (!usbd->ep0_receive)
        return USB_NAK;
    if (data1 != (out->toggle == DATA1))
        return USB_ACK; /* sent again: the host missed our handshake */
    usbd->ep0_receive = false;
    out->toggle ^= DATA0 | DATA1;
    memcpy(out->bytes, data, size);
    block_set(&usbd->block, REG_SIZE_EPOUT, size);
    note(usbd, 0, data, size);
    block_event(&usbd->block, EVENT_EP0DATADONE);
    return USB_ACK;
}

static enum usb_answer end_status(struct usbd *usbd)
{
    if (!usbd->ep0_status)
        return USB_NAK;
    usbd->ep0_status = false;
    if (usbd->ep0_address)
        block_set(&usbd->block, REG_USBADDR, block_get(&usbd->block, REG_BMREQUESTTYPE + 8) & 0x7f);
    usbd->ep0_address = false;
    return USB_ACK;
}

static enum usb_answer out_ep0(struct usbd *usbd, bool data1, const uint8_t *data, uint32_t size)
{
    if (usbd->ep0_stalled)
        return USB_STALL;
    return request_reads(usbd) ? end_status(usbd) : receive_ep0(usbd, data1, data, size);
}

/* Hands the packet that waits to the host. */
static void send(struct usbd_endpoint *in, bool *data1, uint8_t *data, uint32_t *size)
{
    *size = usbd_smaller(in->size, *size);
    memcpy(data, in->bytes, *size);
    *data1 = in->toggle == DATA1;
    in->toggle ^= DATA0 | DATA1;
    in->ready = false;
}

static enum usb_answer in_ep0(struct usbd *usbd, bool *data1, uint8_t *data, uint32_t *size)
{
    struct usbd_endpoint *in = &usbd->in[0];
    if (usbd->ep0_stalled)
        return USB_STALL;
    if (!request_reads(usbd)) {
        *size = 0;
        *data1 = true;
        return end_status(usbd);
    }
    if (!in->ready)
        return USB_NAK;
    send(in, data1, data, size);
    note(usbd, 0, data, *size);
    block_event(&usbd->block, EVENT_EP0DATADONE);
    return USB_ACK;
}

/* Isochronous endpoint 8 */

static uint32_t iso_room(const struct usbd *usbd)
{
    return block_get(&usbd->block, REG_ISOSPLIT) & ISOSPLIT_HALFIN ? 512 : USBD_ISO_SIZE;
}

static enum usb_answer out_iso(struct usbd *usbd, const uint8_t *data, uint32_t size)
{
    struct usbd_iso *iso = &usbd->iso_out;
    iso->bus_size = usbd_smaller(size, iso_room(usbd));
    memcpy(iso->bus, data, iso->bus_size);
    iso->bus_full = true;
    note(usbd, ISO_ENDPOINT, data, size);
    return USB_ACK;
}

static enum usb_answer in_iso(struct usbd *usbd, bool *data1, uint8_t *data, uint32_t *size)
{
    struct usbd_iso *iso = &usbd->iso_in;
    *data1 = false;
    if (!iso->bus_full) {
        *size = 0;
        return block_get(&usbd->block, REG_ISOINCONFIG) & 1 ? USB_ACK : USB_TIMEOUT;
    }
    *size = usbd_smaller(usbd_smaller(iso->bus_size, iso_room(usbd)), *size);
    memcpy(data, iso->bus, *size);
    iso->bus_full = false;
    note(usbd, ISO_ENDPOINT, data, *size);
    return USB_ACK;
}

/* At SOF the buffers change sides. */
static void turn_iso(struct usbd *usbd)
{
    struct usbd_iso *in = &usbd->iso_in;
    in->bus_full = in->dma_full;
    in->bus_size = in->dma_size;
    memcpy(in->bus, in->dma, in->bus_size);
    in->dma_full = false;
    struct usbd_iso *out = &usbd->iso_out;
    out->dma_full = out->bus_full;
    out->dma_size = out->bus_size;
    memcpy(out->dma, out->bus, out->dma_size);
    out->bus_full = false;
    bool data = out->dma_full && out->dma_size > 0;
    block_set(&usbd->block, REG_SIZE_ISOOUT, data ? out->dma_size : ISOOUT_ZERO);
}

/* Bulk and interrupt endpoints 1 to 7 */

static void data_moved(struct usbd *usbd, unsigned bit)
{
    usbd_set_bits(usbd, REG_EPDATASTATUS, 1u << bit);
    block_event(&usbd->block, EVENT_EPDATA);
}

static enum usb_answer out(void *self, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
                           uint32_t size)
{
    struct usbd *usbd = self;
    if (!hears(usbd, address, endpoint, REG_EPOUTEN))
        return USB_TIMEOUT;
    if (endpoint == ISO_ENDPOINT)
        return out_iso(usbd, data, size);
    if (size > USBD_PACKET_SIZE)
        return USB_TIMEOUT; /* babble */
    if (endpoint == 0)
        return out_ep0(usbd, data1, data, size);
    struct usbd_endpoint *ep = &usbd->out[endpoint];
    if (block_get(&usbd->block, REG_HALTED_EPOUT + 4u * endpoint))
        return USB_STALL;
    if (!ep->ready)
        return USB_NAK;
    if (data1 != (ep->toggle == DATA1))
        return USB_ACK;
    ep->toggle ^= DATA0 | DATA1;
    ep->ready = false;
    memcpy(ep->bytes, data, size);
    block_set(&usbd->block, REG_SIZE_EPOUT + 4u * endpoint, size);
    note(usbd, endpoint, data, size);
    data_moved(usbd, EPSTATUS_EPOUT + endpoint);
    return USB_ACK;
}

static enum usb_answer in(void *self, uint8_t address, uint8_t endpoint, bool *data1, uint8_t *data,
                          uint32_t *size)
{
    struct usbd *usbd = self;
    if (!hears(usbd, address, endpoint, REG_EPINEN))
        return USB_TIMEOUT;
    if (endpoint == ISO_ENDPOINT)
        return in_iso(usbd, data1, data, size);
    if (endpoint == 0)
        return in_ep0(usbd, data1, data, size);
    struct usbd_endpoint *ep = &usbd->in[endpoint];
    if (block_get(&usbd->block, REG_HALTED_EPIN + 4u * endpoint))
        return USB_STALL;
    if (!ep->ready)
        return USB_NAK;
    send(ep, data1, data, size);
    note(usbd, endpoint, data, *size);
    data_moved(usbd, EPSTATUS_EPIN + endpoint);
    return USB_ACK;
}

/* The bus as a whole */

static void bus_was_reset(void *self)
{
    struct usbd *usbd = self;
    if (!usbd->port->attached)
        return;
    usbd_bus_clear(usbd);
    block_event(&usbd->block, EVENT_USBRESET);
}

static void frame(void *self, uint16_t number)
{
    struct usbd *usbd = self;
    if (!usbd->port->attached || usbd->suspended)
        return;
    block_set(&usbd->block, REG_FRAMECNTR, number & 0x7ffu);
    turn_iso(usbd);
    block_event(&usbd->block, EVENT_SOF);
}

static void suspend(void *self, bool suspended)
{
    struct usbd *usbd = self;
    if (!usbd->port->attached || suspended == usbd->suspended)
        return;
    usbd->suspended = suspended;
    usbd_cause(usbd, suspended ? EVENTCAUSE_SUSPEND : EVENTCAUSE_RESUME);
}

static void vbus_changed(void *context)
{
    usbd_bus_attach(context);
}

void usbd_bus_init(struct usbd *usbd)
{
    usbd->port->device = (struct usb_device_end){.setup = setup,
                                                 .out = out,
                                                 .in = in,
                                                 .reset = bus_was_reset,
                                                 .frame = frame,
                                                 .suspend = suspend,
                                                 .self = usbd};
    usbd->power->vbus_changed = vbus_changed;
    usbd->power->vbus_context = usbd;
}
