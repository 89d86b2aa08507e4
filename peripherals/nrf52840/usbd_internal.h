/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between usbd.c (registers, DMA) and usbd_bus.c (transactions); for no others. */
#ifndef SOSIM_NRF52840_USBD_INTERNAL_H
#define SOSIM_NRF52840_USBD_INTERNAL_H

#include "core/ports.h"
#include "nrf52840/power.h"
#include "nrf52840/usbd.h"

enum usbd_task {
    TASK_STARTEPIN = 1,
    TASK_STARTISOIN = 9,
    TASK_STARTEPOUT = 10,
    TASK_STARTISOOUT = 18,
    TASK_EP0RCVOUT = 19,
    TASK_EP0STATUS = 20,
    TASK_EP0STALL = 21,
    TASK_DPDMDRIVE = 22,
};

enum usbd_event {
    EVENT_USBRESET = 0,
    EVENT_STARTED = 1,
    EVENT_ENDEPIN = 2,
    EVENT_EP0DATADONE = 10,
    EVENT_ENDISOIN = 11,
    EVENT_ENDEPOUT = 12,
    EVENT_ENDISOOUT = 20,
    EVENT_SOF = 21,
    EVENT_USBEVENT = 22,
    EVENT_EP0SETUP = 23,
    EVENT_EPDATA = 24,
};

enum usbd_register {
    REG_EVENTCAUSE = 0x400,
    REG_HALTED_EPIN = 0x420,
    REG_HALTED_EPOUT = 0x444,
    REG_EPSTATUS = 0x468,
    REG_EPDATASTATUS = 0x46C,
    REG_USBADDR = 0x470,
    REG_BMREQUESTTYPE = 0x480, /* and the other seven bytes of the request in the words after it */
    REG_SIZE_EPOUT = 0x4A0,
    REG_SIZE_ISOOUT = 0x4C0,
    REG_ENABLE = 0x500,
    REG_USBPULLUP = 0x504,
    REG_DPDMVALUE = 0x508,
    REG_DTOGGLE = 0x50C,
    REG_EPINEN = 0x510,
    REG_EPOUTEN = 0x514,
    REG_EPSTALL = 0x518,
    REG_ISOSPLIT = 0x51C,
    REG_FRAMECNTR = 0x520,
    REG_LOWPOWER = 0x52C,
    REG_ISOINCONFIG = 0x530,
    REG_EPIN = 0x600,
    REG_ISOIN = 0x6A0,
    REG_EPOUT = 0x700,
    REG_ISOOUT = 0x7A0,
    REG_ERRATA_800 = 0x800,
    REG_ERRATA_804 = 0x804,
    EP_STRIDE = 0x14,
    /* within one endpoint's registers */
    EP_PTR = 0,
    EP_MAXCNT = 4,
    EP_AMOUNT = 8,
};

enum usbd_bits {
    EVENTCAUSE_SUSPEND = 1u << 8,
    EVENTCAUSE_RESUME = 1u << 9,
    EVENTCAUSE_USBWUALLOWED = 1u << 10,
    EVENTCAUSE_READY = 1u << 11,
    EPSTATUS_EPIN = 0, /* bit numbers, also of EPDATASTATUS; the isochronous endpoint is number 8 */
    EPSTATUS_EPOUT = 16,
    ISO_ENDPOINT = 8,
    ENDPOINT_NUMBER = 7u, /* of DTOGGLE and EPSTALL */
    ENDPOINT_IN = 1u << 7,
    EPSTALL_STALL = 1u << 8,
    ISOSPLIT_HALFIN = 1u << 7,
    ISOOUT_ZERO = 1u << 16,
    DPDMVALUE_RESUME = 1,
    DATA0 = 1,
    DATA1 = 2,
};

static inline uint32_t usbd_smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline void usbd_set_bits(struct usbd *usbd, uint32_t offset, uint32_t bits)
{
    block_set(&usbd->block, offset, block_get(&usbd->block, offset) | bits);
}

/* Raises USBEVENT with a cause. */
void usbd_cause(struct usbd *usbd, uint32_t cause);

/* usbd_bus.c: takes the device's end of the plug. */
void usbd_bus_init(struct usbd *usbd);
/* usbd_bus.c: ENABLE, USBPULLUP or VBUS may have changed. */
void usbd_bus_attach(struct usbd *usbd);
/* usbd_bus.c: endpoints as after a bus reset: nothing waits, DATA0. */
void usbd_bus_clear(struct usbd *usbd);

#endif
