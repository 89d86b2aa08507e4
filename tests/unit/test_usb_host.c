/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-process host against the Boron's own firmware. */
#include "boron.h"

#include "host/usb_host.h"

/* A Boron whose system part is damaged, on a cable: its bootloader goes to DFU mode. */
static struct boron *boron_in_dfu(struct usb_host *host)
{
    struct boron *boron = boron_new("2.0.1");
    boron->machine.soc.flash.data[SYSTEM_START + 0x1000] ^= 1;
    usb_host_init(host, &boron->machine.bus);
    power_set_vbus(&boron->machine.soc.power, true);
    machine_power_on(&boron->machine, RAM_CLEARED);
    for (unsigned i = 0; i < 60 && host->state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(boron, 100);
    return boron;
}

Test(usb_host, damaged_system_shows_the_dfu_device, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    cr_assert_eq(host.state, USB_HOST_CONFIGURED);
    static const uint8_t expected[18] = {18,   1,    0,    2,    0, 0, 0, 64, 0x04,
                                         0x2b, 0x0d, 0xd0, 0x51, 2, 1, 2, 3,  1};
    cr_expect_arr_eq(host.device, expected, 18);
    cr_expect_str_eq(host.strings[1], "Particle");
    cr_expect_str_eq(host.strings[2], "Boron DFU Mode");
    cr_expect_eq(strlen(host.strings[3]), 24u);
    usb_host_leave(&host);
    boron_free(boron);
}
