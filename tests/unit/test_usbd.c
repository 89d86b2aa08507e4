/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include "core/ports.h"

Test(usbd, enable_tells_that_it_is_ready)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.INTENSET", 1u << 22);
    poke(bench, "USBD.ENABLE", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 1u << 11);
    cr_expect(bench->irq[39]);
    poke(bench, "USBD.EVENTS_USBEVENT", 0);
    poke(bench, "USBD.EVENTCAUSE", 1u << 11);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 0u);
    cr_expect_not(bench->irq[39]);
    poke(bench, "USBD.ENABLE", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 0u, "it was enabled already");
    bench_free(bench);
}

/* A device that is enabled, on a cable, pulled up, and has been through a bus reset. */
static struct bench *on_the_bus(void)
{
    struct bench *bench = bench_new();
    power_set_vbus(&bench->soc.power, true);
    poke(bench, "USBD.ENABLE", 1);
    poke(bench, "USBD.USBPULLUP", 1);
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    device->reset(device->self);
    return bench;
}

static enum usb_answer send_setup(struct bench *bench, uint8_t type, uint8_t request, uint8_t value,
                                  uint8_t length)
{
    const uint8_t packet[8] = {type, request, value, 0x22, 0x33, 0x44, length, 0};
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    return device->setup(device->self, (uint8_t)peek(bench, "USBD.USBADDR"), packet);
}

static enum usb_answer send_out(struct bench *bench, uint8_t endpoint, bool data1, const void *data,
                                uint32_t size)
{
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    return device->out(device->self, (uint8_t)peek(bench, "USBD.USBADDR"), endpoint, data1, data, size);
}

struct packet {
    enum usb_answer answer;
    bool data1;
    uint32_t size;
    uint8_t bytes[USBD_ISO_SIZE];
};

static struct packet ask_in(struct bench *bench, uint8_t endpoint)
{
    struct packet packet = {.size = sizeof packet.bytes};
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    packet.answer = device->in(device->self, (uint8_t)peek(bench, "USBD.USBADDR"), endpoint, &packet.data1,
                               packet.bytes, &packet.size);
    return packet;
}

static void give_in(struct bench *bench, unsigned endpoint, const char *text)
{
    char name[40];
    memcpy(bench->ram + 0x100, text, strlen(text));
    snprintf(name, sizeof name, "USBD.EPIN[%u].PTR", endpoint);
    poke(bench, name, 0x20000100);
    snprintf(name, sizeof name, "USBD.EPIN[%u].MAXCNT", endpoint);
    poke(bench, name, (uint32_t)strlen(text));
    snprintf(name, sizeof name, "USBD.TASKS_STARTEPIN[%u]", endpoint);
    poke(bench, name, 1);
}

static void note_attached(void *self, bool attached)
{
    *(int *)self += attached ? 1 : 100;
}

Test(usbd, attaches_with_enable_pull_up_and_vbus)
{
    struct bench *bench = bench_new();
    int changes = 0;
    bench->bus.ports->usb.host = (struct usb_host_end){.attached = note_attached, .self = &changes};
    poke(bench, "USBD.USBPULLUP", 1);
    cr_expect_not(usbd_pulled_up(&bench->soc.usbd));
    poke(bench, "USBD.ENABLE", 1);
    cr_expect_not(usbd_pulled_up(&bench->soc.usbd), "no cable");
    power_set_vbus(&bench->soc.power, true);
    cr_expect(usbd_pulled_up(&bench->soc.usbd));
    cr_expect_eq(changes, 1);
    poke(bench, "USBD.USBPULLUP", 0);
    cr_expect_eq(changes, 101);
    poke(bench, "USBD.USBPULLUP", 1);
    power_set_vbus(&bench->soc.power, false);
    cr_expect_eq(changes, 202);
    power_set_vbus(&bench->soc.power, true);
    cr_expect_eq(changes, 203);
    bus_reset(&bench->bus, RESET_SOFT);
    cr_expect_eq(changes, 303, "a reset of the chip takes the pull-up away");
    cr_expect_eq(send_setup(bench, 0x80, 6, 0, 18), USB_TIMEOUT);
    bench_free(bench);
}

Test(usbd, bus_reset_clears_endpoints_and_tells)
{
    struct bench *bench = on_the_bus();
    cr_expect_eq(peek(bench, "USBD.EVENTS_USBRESET"), 1u);
    poke(bench, "USBD.EPINEN", 3);
    poke(bench, "USBD.EPSTALL", 0x182);
    give_in(bench, 1, "old");
    poke(bench, "USBD.DTOGGLE", 0x281);
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    device->reset(device->self);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPIN[2]"), 0u);
    cr_expect_eq(ask_in(bench, 1).answer, USB_NAK);
    poke(bench, "USBD.DTOGGLE", 0x81);
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x181u);
    bench_free(bench);
}

Test(usbd, control_read_waits_for_the_firmware_at_each_stage)
{
    struct bench *bench = on_the_bus();
    cr_expect_eq(send_setup(bench, 0x80, 6, 0x11, 6), USB_ACK);
    cr_expect_eq(peek(bench, "USBD.EVENTS_EP0SETUP"), 1u);
    cr_expect_eq(peek(bench, "USBD.BMREQUESTTYPE"), 0x80u);
    cr_expect_eq(peek(bench, "USBD.BREQUEST"), 6u);
    cr_expect_eq(peek(bench, "USBD.WVALUEL"), 0x11u);
    cr_expect_eq(peek(bench, "USBD.WVALUEH"), 0x22u);
    cr_expect_eq(peek(bench, "USBD.WINDEXH"), 0x44u);
    cr_expect_eq(peek(bench, "USBD.WLENGTHL"), 6u);
    cr_expect_eq(ask_in(bench, 0).answer, USB_NAK);
    give_in(bench, 0, "abcdef");
    struct packet packet = ask_in(bench, 0);
    cr_expect_eq(packet.answer, USB_ACK);
    cr_expect_eq(packet.size, 6u);
    cr_expect(packet.data1);
    cr_expect_arr_eq(packet.bytes, "abcdef", 6);
    cr_expect_eq(peek(bench, "USBD.EVENTS_EP0DATADONE"), 1u);
    cr_expect_eq(send_out(bench, 0, true, "", 0), USB_NAK);
    poke(bench, "USBD.TASKS_EP0STATUS", 1);
    cr_expect_eq(send_out(bench, 0, true, "", 0), USB_ACK);
    cr_expect_eq(send_out(bench, 0, true, "", 0), USB_NAK, "once");
    bench_free(bench);
}

Test(usbd, control_write_takes_a_packet_for_each_ep0rcvout)
{
    struct bench *bench = on_the_bus();
    cr_expect_eq(send_setup(bench, 0x21, 1, 0, 5), USB_ACK);
    cr_expect_eq(send_out(bench, 0, true, "hello", 5), USB_NAK);
    poke(bench, "USBD.TASKS_EP0RCVOUT", 1);
    cr_expect_eq(send_out(bench, 0, true, "hello", 5), USB_ACK);
    cr_expect_eq(send_out(bench, 0, false, "!", 1), USB_NAK);
    cr_expect_eq(peek(bench, "USBD.SIZE.EPOUT[0]"), 5u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_EP0DATADONE"), 1u);
    poke(bench, "USBD.EPOUT[0].PTR", 0x20000200);
    poke(bench, "USBD.EPOUT[0].MAXCNT", 64);
    poke(bench, "USBD.TASKS_STARTEPOUT[0]", 1);
    cr_expect_eq(peek(bench, "USBD.EPOUT[0].AMOUNT"), 5u);
    cr_expect_arr_eq(bench->ram + 0x200, "hello", 5);
    cr_expect_eq(ask_in(bench, 0).answer, USB_NAK);
    poke(bench, "USBD.TASKS_EP0STATUS", 1);
    struct packet status = ask_in(bench, 0);
    cr_expect_eq(status.answer, USB_ACK);
    cr_expect_eq(status.size, 0u);
    cr_expect(status.data1);
    bench_free(bench);
}

Test(usbd, ep0stall_lasts_until_the_next_setup)
{
    struct bench *bench = on_the_bus();
    send_setup(bench, 0x80, 6, 0, 10);
    poke(bench, "USBD.TASKS_EP0STALL", 1);
    cr_expect_eq(ask_in(bench, 0).answer, USB_STALL);
    cr_expect_eq(ask_in(bench, 0).answer, USB_STALL);
    cr_expect_eq(send_setup(bench, 0x80, 6, 0, 10), USB_ACK);
    cr_expect_eq(ask_in(bench, 0).answer, USB_NAK);
    bench_free(bench);
}

Test(usbd, set_address_needs_no_firmware)
{
    struct bench *bench = on_the_bus();
    cr_expect_eq(send_setup(bench, 0, 5, 7, 0), USB_ACK);
    cr_expect_eq(peek(bench, "USBD.USBADDR"), 0u, "not before the status stage");
    cr_expect_eq(ask_in(bench, 0).answer, USB_ACK);
    cr_expect_eq(peek(bench, "USBD.USBADDR"), 7u);
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    const uint8_t packet[8] = {0x80, 6};
    cr_expect_eq(device->setup(device->self, 0, packet), USB_TIMEOUT);
    cr_expect_eq(device->setup(device->self, 7, packet), USB_ACK);
    bench_free(bench);
}

Test(usbd, in_endpoint_sends_each_packet_once_with_its_toggle)
{
    struct bench *bench = on_the_bus();
    cr_expect_eq(ask_in(bench, 2).answer, USB_TIMEOUT, "not enabled");
    poke(bench, "USBD.EPINEN", 1u | 1u << 2);
    poke(bench, "USBD.INTENSET", 1u << 24);
    cr_expect_eq(ask_in(bench, 2).answer, USB_NAK);
    for (unsigned i = 0; i < 3; i++) {
        give_in(bench, 2, "data");
        struct packet packet = ask_in(bench, 2);
        cr_expect_eq(packet.answer, USB_ACK);
        cr_expect_eq(packet.data1, i & 1);
        cr_expect_eq(peek(bench, "USBD.EPDATASTATUS"), 1u << 2);
        cr_expect(bench->irq[39]);
        poke(bench, "USBD.EPDATASTATUS", 1u << 2);
        poke(bench, "USBD.EVENTS_EPDATA", 0);
        cr_expect_eq(ask_in(bench, 2).answer, USB_NAK);
    }
    poke(bench, "USBD.EPSTALL", 0x182);
    give_in(bench, 2, "data");
    cr_expect_eq(ask_in(bench, 2).answer, USB_STALL);
    bench_free(bench);
}

Test(usbd, packet_that_waits_can_be_taken_back)
{
    struct bench *bench = on_the_bus();
    poke(bench, "USBD.EPINEN", 1u | 1u << 3);
    give_in(bench, 3, "stale");
    poke(bench, "USBD.ERRATA_800", 0x7B6 + 2 * (3 - 1));
    poke(bench, "USBD.ERRATA_804", 1u << 1);
    cr_expect_eq(ask_in(bench, 3).answer, USB_NAK);
    bench_free(bench);
}

Test(usbd, out_endpoint_refuses_until_its_buffer_is_free)
{
    struct bench *bench = on_the_bus();
    poke(bench, "USBD.EPOUTEN", 1u | 1u << 1);
    cr_expect_eq(send_out(bench, 1, false, "one", 3), USB_NAK, "SIZE was never written");
    poke(bench, "USBD.SIZE.EPOUT[1]", 0);
    cr_expect_eq(send_out(bench, 1, false, "one", 3), USB_ACK);
    cr_expect_eq(peek(bench, "USBD.EPDATASTATUS"), 1u << 17);
    cr_expect_eq(peek(bench, "USBD.SIZE.EPOUT[1]"), 3u);
    cr_expect_eq(send_out(bench, 1, true, "two", 3), USB_NAK);
    poke(bench, "USBD.EPOUT[1].PTR", 0x20000000);
    poke(bench, "USBD.EPOUT[1].MAXCNT", 64);
    poke(bench, "USBD.TASKS_STARTEPOUT[1]", 1);
    cr_expect_arr_eq(bench->ram, "one", 3);
    cr_expect_eq(send_out(bench, 1, false, "one", 3), USB_ACK, "a repetition is acknowledged and dropped");
    cr_expect_eq(send_out(bench, 1, true, "two", 3), USB_ACK);
    poke(bench, "USBD.TASKS_STARTEPOUT[1]", 1);
    cr_expect_arr_eq(bench->ram, "two", 3);
    bench_free(bench);
}

Test(usbd, frames_count_and_turn_the_isochronous_buffers)
{
    struct bench *bench = on_the_bus();
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    poke(bench, "USBD.EPINEN", 1u | 1u << 8);
    poke(bench, "USBD.EPOUTEN", 1u | 1u << 8);
    memcpy(bench->ram, "sound", 5);
    poke(bench, "USBD.ISOIN.PTR", 0x20000000);
    poke(bench, "USBD.ISOIN.MAXCNT", 5);
    poke(bench, "USBD.TASKS_STARTISOIN", 1);
    cr_expect_eq(ask_in(bench, 8).answer, USB_TIMEOUT, "not before the next frame");
    cr_expect_eq(send_out(bench, 8, false, "mic", 3), USB_ACK);
    cr_expect_eq(peek(bench, "USBD.SIZE.ISOOUT"), 1u << 16);
    device->frame(device->self, 0x123);
    cr_expect_eq(peek(bench, "USBD.FRAMECNTR"), 0x123u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_SOF"), 1u);
    cr_expect_eq(ask_in(bench, 8).size, 5u);
    cr_expect_eq(peek(bench, "USBD.SIZE.ISOOUT"), 3u);
    poke(bench, "USBD.ISOOUT.PTR", 0x20000040);
    poke(bench, "USBD.ISOOUT.MAXCNT", 100);
    poke(bench, "USBD.TASKS_STARTISOOUT", 1);
    cr_expect_eq(peek(bench, "USBD.ISOOUT.AMOUNT"), 3u);
    cr_expect_arr_eq(bench->ram + 0x40, "mic", 3);
    device->frame(device->self, 0x124);
    cr_expect_eq(ask_in(bench, 8).answer, USB_TIMEOUT);
    poke(bench, "USBD.ISOINCONFIG", 1);
    cr_expect_eq(ask_in(bench, 8).size, 0u);
    cr_expect_eq(ask_in(bench, 8).answer, USB_ACK);
    bench_free(bench);
}

static void note_wakeup(void *self)
{
    ++*(int *)self;
}

Test(usbd, suspend_resume_and_remote_wakeup)
{
    struct bench *bench = on_the_bus();
    struct usb_device_end *device = &bench->bus.ports->usb.device;
    int wakeups = 0;
    bench->bus.ports->usb.host = (struct usb_host_end){.wakeup = note_wakeup, .self = &wakeups};
    poke(bench, "USBD.EVENTCAUSE", 0xffffffff);
    poke(bench, "USBD.EVENTS_USBEVENT", 0);
    device->suspend(device->self, true);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 1u << 8);
    cr_expect_eq(peek(bench, "USBD.EVENTS_USBEVENT"), 1u);
    poke(bench, "USBD.LOWPOWER", 1);
    poke(bench, "USBD.LOWPOWER", 0);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 1u << 8 | 1u << 10);
    poke(bench, "USBD.DPDMVALUE", 1);
    poke(bench, "USBD.TASKS_DPDMDRIVE", 1);
    cr_expect_eq(wakeups, 1);
    device->suspend(device->self, false);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 7u << 8);
    poke(bench, "USBD.TASKS_DPDMDRIVE", 1);
    cr_expect_eq(wakeups, 1, "nothing to wake");
    bench_free(bench);
}

Test(usbd, in_dma_fills_the_endpoint_buffer)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    memcpy(bench->ram + 0x40, "descriptor", 10);
    poke(bench, "USBD.EPIN[3].PTR", 0x20000040);
    poke(bench, "USBD.EPIN[3].MAXCNT", 10);
    poke(bench, "USBD.TASKS_STARTEPIN[3]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_STARTED"), 1u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[3]"), 1u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[2]"), 0u);
    cr_expect_eq(peek(bench, "USBD.EPIN[3].AMOUNT"), 10u);
    cr_expect_eq(peek(bench, "USBD.EPSTATUS"), 1u << 3);
    cr_expect_arr_eq(bench->soc.usbd.in[3].bytes, "descriptor", 10);
    poke(bench, "USBD.EPSTATUS", 1u << 3);
    cr_expect_eq(peek(bench, "USBD.EPSTATUS"), 0u);
    bench_free(bench);
}

Test(usbd, transfers_stay_inside_the_buffers)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    poke(bench, "USBD.EPIN[7].PTR", 0x20000000);
    poke(bench, "USBD.EPIN[7].MAXCNT", 0xffffffff);
    poke(bench, "USBD.TASKS_STARTEPIN[7]", 1);
    cr_expect_eq(peek(bench, "USBD.EPIN[7].AMOUNT"), 64u);
    poke(bench, "USBD.ISOIN.PTR", 0x20000000);
    poke(bench, "USBD.ISOIN.MAXCNT", 5000);
    poke(bench, "USBD.TASKS_STARTISOIN", 1);
    cr_expect_eq(peek(bench, "USBD.ISOIN.AMOUNT"), 1023u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDISOIN"), 1u);
    poke(bench, "USBD.ISOOUT.PTR", 0x20000000);
    poke(bench, "USBD.ISOOUT.MAXCNT", 5000);
    poke(bench, "USBD.TASKS_STARTISOOUT", 1);
    cr_expect_eq(peek(bench, "USBD.ISOOUT.AMOUNT"), 0u, "nothing was received");
    bench_free(bench);
}

Test(usbd, out_dma_gives_what_was_received)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    memset(bench->ram, 0xee, 16);
    poke(bench, "USBD.EPOUT[1].PTR", 0x20000000);
    poke(bench, "USBD.EPOUT[1].MAXCNT", 64);
    poke(bench, "USBD.TASKS_STARTEPOUT[1]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPOUT[1]"), 1u);
    cr_expect_eq(peek(bench, "USBD.EPOUT[1].AMOUNT"), 0u);
    cr_expect_eq(bench->ram[0], 0xee);
    bench_free(bench);
}

Test(usbd, toggles_and_stalls_are_kept_for_each_endpoint)
{
    struct bench *bench = bench_new();
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x100u);
    poke(bench, "USBD.DTOGGLE", 0x280 | 2);
    poke(bench, "USBD.DTOGGLE", 2); /* selects OUT 2 */
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x102u);
    poke(bench, "USBD.DTOGGLE", 0x80 | 2);
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x282u);
    poke(bench, "USBD.EPSTALL", 0x180 | 4);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPIN[4]"), 1u);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPOUT[4]"), 0u);
    poke(bench, "USBD.EPSTALL", 0x80 | 4);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPIN[4]"), 0u);
    bench_free(bench);
}

Test(usbd, does_nothing_while_disabled)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.TASKS_STARTEPIN[1]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[1]"), 0u);
    bench_free(bench);
}

/* The words that Nordic's driver pokes for errata, as the firmware does at start. */
Test(usbd, errata_words_are_known_storage)
{
    static const uint32_t words[] = {0x4006ec00, 0x4006ec14, 0x4006ed14, 0x40027800, 0x40027804, 0x40027c1c};
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t value = 1;
        cr_assert_eq(bus_read(&bench->bus, words[i], 4, &value), 0);
        cr_expect_eq(value, 0u);
        cr_assert_eq(bus_write(&bench->bus, words[i], 4, 0x9375 + i), 0);
        cr_assert_eq(bus_read(&bench->bus, words[i], 4, &value), 0);
        cr_expect_eq(value, 0x9375u + i);
    }
    cr_expect_eq(bench->findings, 0);
    bench_free(bench);
}
