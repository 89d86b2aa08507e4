/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/usbd_internal.h"

#include <string.h>

static const struct reg regs[] = {
    {"TASKS_STARTEPIN", 0x004, REG_W, 0, 8, 0},
    {"TASKS_STARTISOIN", 0x024, REG_W, 0, 0, 0},
    {"TASKS_STARTEPOUT", 0x028, REG_W, 0, 8, 0},
    {"TASKS_STARTISOOUT", 0x048, REG_W, 0, 0, 0},
    {"TASKS_EP0RCVOUT", 0x04c, REG_W, 0, 0, 0},
    {"TASKS_EP0STATUS", 0x050, REG_W, 0, 0, 0},
    {"TASKS_EP0STALL", 0x054, REG_W, 0, 0, 0},
    {"TASKS_DPDMDRIVE", 0x058, REG_W, 0, 0, 0},
    {"TASKS_DPDMNODRIVE", 0x05c, REG_W, 0, 0, 0},
    {"EVENTS_USBRESET", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_STARTED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ENDEPIN", 0x108, REG_RW, 0, 8, 0},
    {"EVENTS_EP0DATADONE", 0x128, REG_RW, 0, 0, 0},
    {"EVENTS_ENDISOIN", 0x12c, REG_RW, 0, 0, 0},
    {"EVENTS_ENDEPOUT", 0x130, REG_RW, 0, 8, 0},
    {"EVENTS_ENDISOOUT", 0x150, REG_RW, 0, 0, 0},
    {"EVENTS_SOF", 0x154, REG_RW, 0, 0, 0},
    {"EVENTS_USBEVENT", 0x158, REG_RW, 0, 0, 0},
    {"EVENTS_EP0SETUP", 0x15c, REG_RW, 0, 0, 0},
    {"EVENTS_EPDATA", 0x160, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"EVENTCAUSE", 0x400, REG_RW, 0, 0, 0},
    {"HALTED.EPIN", 0x420, REG_R, 0, 8, 0},
    {"HALTED.EPOUT", 0x444, REG_R, 0, 8, 0},
    {"EPSTATUS", 0x468, REG_RW, 0, 0, 0},
    {"EPDATASTATUS", 0x46c, REG_RW, 0, 0, 0},
    {"USBADDR", 0x470, REG_R, 0, 0, 0},
    {"BMREQUESTTYPE", 0x480, REG_R, 0, 0, 0},
    {"BREQUEST", 0x484, REG_R, 0, 0, 0},
    {"WVALUEL", 0x488, REG_R, 0, 0, 0},
    {"WVALUEH", 0x48c, REG_R, 0, 0, 0},
    {"WINDEXL", 0x490, REG_R, 0, 0, 0},
    {"WINDEXH", 0x494, REG_R, 0, 0, 0},
    {"WLENGTHL", 0x498, REG_R, 0, 0, 0},
    {"WLENGTHH", 0x49c, REG_R, 0, 0, 0},
    {"SIZE.EPOUT", 0x4a0, REG_RW, 0, 8, 0},
    {"SIZE.ISOOUT", 0x4c0, REG_R, ISOOUT_ZERO, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"USBPULLUP", 0x504, REG_RW, 0, 0, 0},
    {"DPDMVALUE", 0x508, REG_RW, 0, 0, 0},
    {"DTOGGLE", 0x50c, REG_RW, 0x100, 0, 0},
    {"EPINEN", 0x510, REG_RW, 0x1, 0, 0},
    {"EPOUTEN", 0x514, REG_RW, 0x1, 0, 0},
    {"EPSTALL", 0x518, REG_W, 0, 0, 0},
    {"ISOSPLIT", 0x51c, REG_RW, 0, 0, 0},
    {"FRAMECNTR", 0x520, REG_R, 0, 0, 0},
    {"LOWPOWER", 0x52c, REG_RW, 0, 0, 0},
    {"ISOINCONFIG", 0x530, REG_RW, 0, 0, 0},
    {"EPIN[].PTR", 0x600, REG_RW, 0, 8, EP_STRIDE},
    {"EPIN[].MAXCNT", 0x604, REG_RW, 0, 8, EP_STRIDE},
    {"EPIN[].AMOUNT", 0x608, REG_R, 0, 8, EP_STRIDE},
    {"ISOIN.PTR", 0x6a0, REG_RW, 0, 0, 0},
    {"ISOIN.MAXCNT", 0x6a4, REG_RW, 0, 0, 0},
    {"ISOIN.AMOUNT", 0x6a8, REG_R, 0, 0, 0},
    {"EPOUT[].PTR", 0x700, REG_RW, 0, 8, EP_STRIDE},
    {"EPOUT[].MAXCNT", 0x704, REG_RW, 0, 8, EP_STRIDE},
    {"EPOUT[].AMOUNT", 0x708, REG_R, 0, 8, EP_STRIDE},
    {"ISOOUT.PTR", 0x7a0, REG_RW, 0, 0, 0},
    {"ISOOUT.MAXCNT", 0x7a4, REG_RW, 0, 0, 0},
    {"ISOOUT.AMOUNT", 0x7a8, REG_R, 0, 0, 0},
    /* Written by Nordic's driver for errata 104, 154, 187 and 199; what they do is not published. */
    {"ERRATA_800", 0x800, REG_RW, 0, 0, 0},
    {"ERRATA_804", 0x804, REG_RW, 0, 0, 0},
    {"ERRATA_C1C", 0xc1c, REG_RW, 0, 0, 0},
};

/* Words of another page that the same driver writes for errata 166, 171 and 187. */
static const struct reg errata_regs[] = {
    {"ERRATA_C00", 0xc00, REG_RW, 0, 0, 0},
    {"ERRATA_C14", 0xc14, REG_RW, 0, 0, 0},
    {"ERRATA_D14", 0xd14, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_EP0DATADONE, TASK_STARTEPIN}, {1, EVENT_EP0DATADONE, TASK_STARTEPOUT},
    {2, EVENT_EP0DATADONE, TASK_EP0STATUS}, {3, EVENT_ENDEPOUT, TASK_EP0STATUS},
    {4, EVENT_ENDEPOUT, TASK_EP0RCVOUT},    SHORTCUTS_END,
};

void usbd_cause(struct usbd *usbd, uint32_t cause)
{
    usbd_set_bits(usbd, REG_EVENTCAUSE, cause);
    block_event(&usbd->block, EVENT_USBEVENT);
}

/* DMA */

/* The end of a DMA transfer of `size` bytes with the registers at `ep`. */
static void dma_done(struct usbd *usbd, uint32_t ep, uint32_t size, unsigned status_bit, unsigned end)
{
    block_set(&usbd->block, ep + EP_AMOUNT, size);
    block_event(&usbd->block, EVENT_STARTED);
    usbd_set_bits(usbd, REG_EPSTATUS, 1u << status_bit);
    block_event(&usbd->block, end);
}

/* RAM to a buffer with `room`; returns how many bytes. */
static uint32_t dma_in(struct usbd *usbd, uint32_t ep, uint8_t *buffer, uint32_t room)
{
    uint32_t size = usbd_smaller(block_get(&usbd->block, ep + EP_MAXCNT), room);
    dma_read(usbd->block.bus, block_get(&usbd->block, ep + EP_PTR), buffer, size);
    return size;
}

/* A buffer with `filled` bytes in it to RAM; returns how many bytes. */
static uint32_t dma_out(struct usbd *usbd, uint32_t ep, const uint8_t *buffer, uint32_t filled)
{
    uint32_t size = usbd_smaller(block_get(&usbd->block, ep + EP_MAXCNT), filled);
    dma_write(usbd->block.bus, block_get(&usbd->block, ep + EP_PTR), buffer, size);
    return size;
}

static void start_in(struct usbd *usbd, unsigned n)
{
    struct usbd_endpoint *in = &usbd->in[n];
    uint32_t ep = REG_EPIN + n * EP_STRIDE;
    in->size = dma_in(usbd, ep, in->bytes, USBD_PACKET_SIZE);
    in->ready = true;
    dma_done(usbd, ep, in->size, EPSTATUS_EPIN + n, EVENT_ENDEPIN + n);
}

static void start_out(struct usbd *usbd, unsigned n)
{
    uint32_t ep = REG_EPOUT + n * EP_STRIDE;
    uint32_t filled = usbd_smaller(block_get(&usbd->block, REG_SIZE_EPOUT + 4 * n), USBD_PACKET_SIZE);
    uint32_t size = dma_out(usbd, ep, usbd->out[n].bytes, filled);
    usbd->out[n].ready = n != 0; /* endpoint 0 waits for EP0RCVOUT */
    dma_done(usbd, ep, size, EPSTATUS_EPOUT + n, EVENT_ENDEPOUT + n);
}

static void start_iso_in(struct usbd *usbd)
{
    struct usbd_iso *iso = &usbd->iso_in;
    iso->dma_size = dma_in(usbd, REG_ISOIN, iso->dma, USBD_ISO_SIZE);
    iso->dma_full = true;
    dma_done(usbd, REG_ISOIN, iso->dma_size, EPSTATUS_EPIN + ISO_ENDPOINT, EVENT_ENDISOIN);
}

static void start_iso_out(struct usbd *usbd)
{
    struct usbd_iso *iso = &usbd->iso_out;
    uint32_t size = dma_out(usbd, REG_ISOOUT, iso->dma, iso->dma_full ? iso->dma_size : 0);
    dma_done(usbd, REG_ISOOUT, size, EPSTATUS_EPOUT + ISO_ENDPOINT, EVENT_ENDISOOUT);
}

static void drive_dpdm(struct usbd *usbd)
{
    if (!usbd->suspended || block_get(&usbd->block, REG_DPDMVALUE) != DPDMVALUE_RESUME)
        return;
    if (usbd->port->host.wakeup)
        usbd->port->host.wakeup(usbd->port->host.self);
}

static void task(void *self, unsigned n)
{
    struct usbd *usbd = self;
    if (!(block_get(&usbd->block, REG_ENABLE) & 1))
        return;
    if (n >= TASK_STARTEPIN && n < TASK_STARTISOIN)
        start_in(usbd, n - TASK_STARTEPIN);
    else if (n == TASK_STARTISOIN)
        start_iso_in(usbd);
    else if (n >= TASK_STARTEPOUT && n < TASK_STARTISOOUT)
        start_out(usbd, n - TASK_STARTEPOUT);
    else if (n == TASK_STARTISOOUT)
        start_iso_out(usbd);
    else if (n == TASK_EP0RCVOUT)
        usbd->ep0_receive = true;
    else if (n == TASK_EP0STATUS)
        usbd->ep0_status = true;
    else if (n == TASK_EP0STALL)
        usbd->ep0_stalled = true;
    else if (n == TASK_DPDMDRIVE)
        drive_dpdm(usbd);
}

/* Registers */

static uint8_t *toggle(struct usbd *usbd, uint32_t selector)
{
    return &(selector & ENDPOINT_IN ? usbd->in : usbd->out)[selector & ENDPOINT_NUMBER].toggle;
}

static uint32_t read(void *self, uint32_t offset)
{
    struct usbd *usbd = self;
    uint32_t value = block_get(&usbd->block, offset);
    return offset == REG_DTOGGLE ? value | (uint32_t)*toggle(usbd, value) << 8 : value;
}

/* A value of 0 only selects the endpoint that is read next. */
static void write_dtoggle(struct usbd *usbd, uint32_t value)
{
    block_set(&usbd->block, REG_DTOGGLE, value & (ENDPOINT_IN | ENDPOINT_NUMBER));
    if (value >> 8 & 3)
        *toggle(usbd, value) = value >> 8 & 3;
}

static void write_epstall(struct usbd *usbd, uint32_t value)
{
    uint32_t halted = value & ENDPOINT_IN ? REG_HALTED_EPIN : REG_HALTED_EPOUT;
    block_set(&usbd->block, halted + 4 * (value & ENDPOINT_NUMBER), value & EPSTALL_STALL ? 1 : 0);
}

static void write_enable(struct usbd *usbd, uint32_t value)
{
    bool rising = value & ~block_get(&usbd->block, REG_ENABLE) & 1;
    block_set(&usbd->block, REG_ENABLE, value & 1);
    usbd_bus_attach(usbd);
    if (rising)
        usbd_cause(usbd, EVENTCAUSE_READY);
    else if (!(value & 1))
        usbd_bus_clear(usbd);
}

static void write_lowpower(struct usbd *usbd, uint32_t value)
{
    bool woken = block_get(&usbd->block, REG_LOWPOWER) & ~value & 1;
    block_set(&usbd->block, REG_LOWPOWER, value & 1);
    if (woken && usbd->suspended)
        usbd_cause(usbd, EVENTCAUSE_USBWUALLOWED);
}

/* The driver's sequence to take back a packet that waits in an IN endpoint: ERRATA_800 selects it, a bit of
 * ERRATA_804 does it. */
static void write_errata_804(struct usbd *usbd, uint32_t value)
{
    uint32_t select = block_get(&usbd->block, REG_ERRATA_800);
    block_set(&usbd->block, REG_ERRATA_804, value);
    if (select == 0x7B4 && value & 1u << 2)
        usbd->in[0].ready = false;
    else if (select >= 0x7B6 && select <= 0x7C2 && !(select & 1) && value & 1u << 1)
        usbd->in[1 + (select - 0x7B6) / 2].ready = false;
}

/* Any write to SIZE.EPOUT makes the endpoint ready to take a packet. */
static void write_size(struct usbd *usbd, uint32_t offset)
{
    block_set(&usbd->block, offset, 0);
    unsigned n = (offset - REG_SIZE_EPOUT) / 4;
    usbd->out[n].ready = n != 0;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct usbd *usbd = self;
    switch (offset) {
    case REG_EVENTCAUSE:
    case REG_EPSTATUS:
    case REG_EPDATASTATUS:
        block_set(&usbd->block, offset, block_get(&usbd->block, offset) & ~value);
        break;
    case REG_ENABLE:
        write_enable(usbd, value);
        break;
    case REG_USBPULLUP:
        block_set(&usbd->block, offset, value & 1);
        usbd_bus_attach(usbd);
        break;
    case REG_DTOGGLE:
        write_dtoggle(usbd, value);
        break;
    case REG_EPSTALL:
        write_epstall(usbd, value);
        break;
    case REG_LOWPOWER:
        write_lowpower(usbd, value);
        break;
    case REG_ERRATA_804:
        write_errata_804(usbd, value);
        break;
    default:
        if (offset >= REG_SIZE_EPOUT && offset < REG_SIZE_ISOOUT)
            write_size(usbd, offset);
        else
            block_set(&usbd->block, offset, value);
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct usbd *usbd = self;
    (void)cause;
    block_set(&usbd->block, REG_DTOGGLE, 0); /* reads as the toggle of endpoint 0 */
    usbd_bus_clear(usbd);
    usbd_bus_attach(usbd);
}

static void save(void *self, struct state *state)
{
    struct usbd *usbd = self;
    state_var(state, usbd->in);
    state_var(state, usbd->out);
    state_var(state, usbd->iso_in);
    state_var(state, usbd->iso_out);
    state_var(state, usbd->ep0_stalled);
    state_var(state, usbd->ep0_receive);
    state_var(state, usbd->ep0_status);
    state_var(state, usbd->ep0_address);
    state_var(state, usbd->suspended);
    state_var(state, usbd->port->attached);
}

void usbd_init(struct usbd *usbd, struct bus *bus, struct power *power)
{
    memset(usbd, 0, sizeof *usbd);
    usbd->power = power;
    usbd->port = &bus->ports->usb;
    block_init(&usbd->block, bus, 0x40027000, 39);
    block_add_face(&usbd->block, &(struct face){
                                     .name = "USBD",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .read = read,
                                     .write = write,
                                     .task = task,
                                     .save = save,
                                     .shorts = shorts,
                                     .self = usbd,
                                 });
    block_init(&usbd->errata, bus, 0x4006E000, -1);
    block_add_face(&usbd->errata, &(struct face){
                                      .name = "USBD_ERRATA",
                                      .regs = errata_regs,
                                      .reg_count = sizeof errata_regs / sizeof errata_regs[0],
                                      .plain = true,
                                      .self = usbd,
                                  });
    usbd_bus_init(usbd);
}
