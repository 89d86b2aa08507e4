/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/power.h"

#include <string.h>

enum {
    EVENT_POFWARN = 2,
    EVENT_SLEEPENTER = 5,
    EVENT_SLEEPEXIT = 6,
    EVENT_USBDETECTED = 7,
    EVENT_USBREMOVED = 8,
    EVENT_USBPWRRDY = 9,
    RESETREAS = 0x400,
    RAMSTATUS = 0x428,
    USBREGSTATUS = 0x438,
    SYSTEMOFF = 0x500,
    POFCON = 0x510,
    GPREGRET = 0x51c,
    GPREGRET2 = 0x520,
    DCDCEN = 0x578,
    DCDCEN0 = 0x580,
    MAINREGSTATUS = 0x640,
    RAM_POWER = 0x900,
    RAM_POWERSET = 0x4,
    RAM_POWERCLR = 0x8,
    RAM_STRIDE = 0x10,
    RAM_POWER_RESET = 0x0000ffff,
    PSELRESET = 0x200, /* in UICR */
};

enum {
    REASON_RESETPIN = 1u << 0,
    REASON_DOG = 1u << 1,
    REASON_SREQ = 1u << 2,
    REASON_LOCKUP = 1u << 3,
    REASON_OFF = 1u << 16,
    REASON_VBUS = 1u << 20,
};

#define BROWNOUT_MV       1700
#define USB_REGULATOR_US  1000
#define RAM_SMALL_SECTION 0x1000u  /* RAM0–RAM7: two sections of 4 KiB each */
#define RAM8_BASE         0x10000u /* six sections of 32 KiB */
#define RAM8_SECTION      0x8000u

static const struct reg regs[] = {
    {"TASKS_CONSTLAT", 0x078, REG_W, 0, 0, 0},
    {"TASKS_LOWPWR", 0x07c, REG_W, 0, 0, 0},
    {"EVENTS_POFWARN", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_SLEEPENTER", 0x114, REG_RW, 0, 0, 0},
    {"EVENTS_SLEEPEXIT", 0x118, REG_RW, 0, 0, 0},
    {"EVENTS_USBDETECTED", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_USBREMOVED", 0x120, REG_RW, 0, 0, 0},
    {"EVENTS_USBPWRRDY", 0x124, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"RESETREAS", RESETREAS, REG_RW, 0, 0, 0},
    {"RAMSTATUS", RAMSTATUS, REG_R, 0xf, 0, 0},
    {"USBREGSTATUS", USBREGSTATUS, REG_R, 0, 0, 0},
    {"SYSTEMOFF", SYSTEMOFF, REG_W, 0, 0, 0},
    {"POFCON", POFCON, REG_RW, 0, 0, 0},
    {"GPREGRET", GPREGRET, REG_RW, 0, 0, 0},
    {"GPREGRET2", GPREGRET2, REG_RW, 0, 0, 0},
    {"DCDCEN", DCDCEN, REG_RW, 0, 0, 0},
    {"DCDCEN0", DCDCEN0, REG_RW, 0, 0, 0},
    {"MAINREGSTATUS", MAINREGSTATUS, REG_R, 0, 0, 0},
    {"RAM[].POWER", RAM_POWER, REG_RW, 0, POWER_RAMS, RAM_STRIDE},
    {"RAM[].POWERSET", RAM_POWER + RAM_POWERSET, REG_W, 0, POWER_RAMS, RAM_STRIDE},
    {"RAM[].POWERCLR", RAM_POWER + RAM_POWERCLR, REG_W, 0, POWER_RAMS, RAM_STRIDE},
};

static struct clock *clock_of(struct power *power)
{
    return &power->block->bus->clock;
}

static void ask_reset(struct power *power, enum reset_cause cause)
{
    struct bus *bus = power->block->bus;
    if (bus->reset)
        bus->reset(bus->reset_context, cause);
}

static void wake(struct power *power, uint32_t reason)
{
    if (!power->off || power->wake_reason)
        return;
    power->wake_reason = reason;
    ask_reset(power, RESET_OFF_WAKE);
}

/* Supply supervision */

static bool below_threshold(const struct power *power)
{
    uint32_t pofcon = block_get(power->block, POFCON);
    if (!(pofcon & 1))
        return false;
    /* 1.7 V is value 4 of THRESHOLD, 2.7 V value 0 of THRESHOLDVDDH, both in steps of 0.1 V. */
    uint32_t step = pofcon >> 1 & 15;
    uint32_t vdd_threshold = 1700 + 100 * (step > 4 ? step - 4 : 0);
    uint32_t vddh_threshold = 2700 + 100 * (pofcon >> 8 & 15);
    return power->vdd_mv < vdd_threshold ||
           (power->vddh_mv != power->vdd_mv && power->vddh_mv < vddh_threshold);
}

static void check_supply(struct power *power)
{
    bool below = below_threshold(power);
    bool crossed = below && !power->warned;
    power->warned = below;
    if (crossed)
        block_event(power->block, EVENT_POFWARN);
}

bool power_warns(const struct power *power)
{
    return power->warned;
}

void power_set_supply(struct power *power, uint32_t vdd_mv, uint32_t vddh_mv)
{
    bool was_out = power->vdd_mv < BROWNOUT_MV;
    power->vdd_mv = vdd_mv;
    power->vddh_mv = vddh_mv;
    bool out = vdd_mv < BROWNOUT_MV;
    if (!was_out)
        check_supply(power);
    if (out && !was_out && power->brownout)
        power->brownout(power->brownout_context);
    if (out != was_out)
        ask_reset(power, RESET_BROWNOUT);
}

/* USB supply */

static void usb_regulated(void *owner)
{
    struct power *power = owner;
    power->usb_ready = true;
    block_event(power->block, EVENT_USBPWRRDY);
}

void power_set_vbus(struct power *power, bool present)
{
    if (present == power->vbus)
        return;
    power->vbus = present;
    if (present) {
        event_after(clock_of(power), &power->usb_regulated, USB_REGULATOR_US * CYCLES_PER_US);
        block_event(power->block, EVENT_USBDETECTED);
        wake(power, REASON_VBUS);
    } else {
        event_cancel(clock_of(power), &power->usb_regulated);
        power->usb_ready = false;
        block_event(power->block, EVENT_USBREMOVED);
    }
    if (power->vbus_changed)
        power->vbus_changed(power->vbus_context);
}

/* System OFF */

static void detect_rose(void *context, unsigned port, bool high)
{
    (void)port;
    (void)high;
    wake(context, REASON_OFF);
}

/* In System OFF only the pins keep their state: every other block goes to what it is after a wake-up. */
static void go_off(void *owner)
{
    struct power *power = owner;
    power->going_off = true;
    bus_reset(power->block->bus, RESET_OFF_WAKE);
    power->going_off = false;
    if (gpio_detect(power->gpio, 0) || gpio_detect(power->gpio, 1))
        wake(power, REASON_OFF);
}

static void enter_off(struct power *power)
{
    power->off = true;
    power->wake_reason = 0;
    /* Not from within the store: this block is in the middle of a write. */
    event_after(clock_of(power), &power->go_off, 0);
    clock_kick(clock_of(power));
}

bool power_is_off(const struct power *power)
{
    return power->off;
}

/* nRESET */

/* The pin is nRESET only if both PSELRESET words agree. */
static uint8_t reset_pin(const struct power *power)
{
    uint32_t psel[2];
    memcpy(psel, power->uicr->data + PSELRESET, sizeof psel);
    if (psel[0] != psel[1] || psel[0] & 1u << 31 || (psel[0] & 63) >= GPIO_PINS)
        return GPIO_NO_PIN;
    return psel[0] & 63;
}

static void reset_pin_changed(void *context, unsigned pin, bool high)
{
    (void)pin;
    if (!high)
        ask_reset(context, RESET_PIN);
}

bool power_holds_reset(const struct power *power)
{
    if (power->vdd_mv < BROWNOUT_MV)
        return true;
    uint8_t pin = power->gpio->reset_pin;
    return pin < GPIO_PINS && !wire_high(&power->block->bus->pin[pin]);
}

void power_sleep(struct power *power, bool asleep)
{
    block_event(power->block, asleep ? EVENT_SLEEPENTER : EVENT_SLEEPEXIT);
}

/* RAM power */

bool power_retains(const struct power *power, uint32_t offset)
{
    unsigned ram = offset / (2 * RAM_SMALL_SECTION);
    unsigned section = offset / RAM_SMALL_SECTION % 2;
    if (offset >= RAM8_BASE) {
        ram = 8;
        section = (offset - RAM8_BASE) / RAM8_SECTION;
    }
    return section < 16 && power->ram_power[ram] >> (16 + section) & 1;
}

static void write_ram(struct power *power, uint32_t offset, uint32_t value)
{
    uint32_t *word = &power->ram_power[(offset - RAM_POWER) / RAM_STRIDE];
    switch (offset % RAM_STRIDE) {
    case RAM_POWERSET:
        *word |= value;
        break;
    case RAM_POWERCLR:
        *word &= ~value;
        break;
    default:
        *word = value;
        break;
    }
}

/* The face */

static uint32_t read(void *self, uint32_t offset)
{
    const struct power *power = self;
    if (offset >= RAM_POWER)
        return power->ram_power[(offset - RAM_POWER) / RAM_STRIDE];
    switch (offset) {
    case RESETREAS:
        return power->resetreas;
    case USBREGSTATUS:
        return (power->vbus ? 1u : 0u) | (power->usb_ready ? 2u : 0u);
    case GPREGRET:
    case GPREGRET2:
        return power->gpregret[offset == GPREGRET2];
    case MAINREGSTATUS: /* high voltage mode: VDDH has a supply of its own */
        return power->vddh_mv > power->vdd_mv;
    default:
        return block_get(power->block, offset);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct power *power = self;
    if (offset >= RAM_POWER) {
        write_ram(power, offset, value);
        return;
    }
    switch (offset) {
    case RESETREAS:
        power->resetreas &= ~value;
        break;
    case SYSTEMOFF:
        if (value & 1)
            enter_off(power);
        break;
    case GPREGRET:
    case GPREGRET2:
        power->gpregret[offset == GPREGRET2] = value & 0xff;
        break;
    case POFCON:
        block_set(power->block, offset, value & 0xf1f);
        check_supply(power);
        break;
    case DCDCEN:
    case DCDCEN0:
        block_set(power->block, offset, value & 1);
        break;
    default: /* read-only */
        break;
    }
}

static void note_reason(struct power *power, enum reset_cause cause)
{
    switch (cause) {
    case RESET_POWER_ON:
    case RESET_BROWNOUT:
        power->resetreas = 0;
        break;
    case RESET_PIN:
        power->resetreas |= REASON_RESETPIN;
        break;
    case RESET_SOFT:
        power->resetreas |= REASON_SREQ;
        break;
    case RESET_LOCKUP:
        power->resetreas |= REASON_LOCKUP;
        break;
    case RESET_WATCHDOG:
        power->resetreas |= REASON_DOG;
        break;
    case RESET_OFF_WAKE:
        power->resetreas |= power->wake_reason ? power->wake_reason : REASON_OFF;
        break;
    }
}

static bool keeps_retained(enum reset_cause cause)
{
    return cause == RESET_SOFT || cause == RESET_LOCKUP || cause == RESET_OFF_WAKE;
}

static void raise_usb_again(struct power *power)
{
    if (power->vbus)
        block_set(power->block, EVENT_OFFSET(EVENT_USBDETECTED), 1);
    if (power->usb_ready)
        block_set(power->block, EVENT_OFFSET(EVENT_USBPWRRDY), 1);
}

static void reset(void *self, enum reset_cause cause)
{
    struct power *power = self;
    power->warned = false;
    raise_usb_again(power);
    if (power->going_off)
        return;
    note_reason(power, cause);
    power->off = false;
    power->wake_reason = 0;
    event_cancel(clock_of(power), &power->go_off);
    if (!keeps_retained(cause))
        memset(power->gpregret, 0, sizeof power->gpregret);
    for (unsigned i = 0; i < POWER_RAMS; i++)
        power->ram_power[i] = RAM_POWER_RESET;
    gpio_set_reset_pin(power->gpio, reset_pin(power));
}

static void save(void *self, struct state *state)
{
    struct power *power = self;
    state_var(state, power->resetreas);
    state_var(state, power->gpregret);
    state_var(state, power->ram_power);
    state_var(state, power->vdd_mv);
    state_var(state, power->vddh_mv);
    state_var(state, power->wake_reason);
    state_var(state, power->warned);
    state_var(state, power->vbus);
    state_var(state, power->usb_ready);
    state_var(state, power->off);
    state_event(state, clock_of(power), &power->usb_regulated);
    state_event(state, clock_of(power), &power->go_off);
}

void power_init(struct power *power, struct clocks *clocks, struct gpio *gpio, const struct nor *uicr)
{
    memset(power, 0, sizeof *power);
    power->block = &clocks->block;
    power->gpio = gpio;
    power->uicr = uicr;
    power->vdd_mv = 3300;
    power->vddh_mv = 3300;
    block_add_face(&clocks->block, &(struct face){
                                       .name = "POWER",
                                       .regs = regs,
                                       .reg_count = sizeof regs / sizeof regs[0],
                                       .reset = reset,
                                       .read = read,
                                       .write = write,
                                       .save = save,
                                       .self = power,
                                   });
    event_init(clock_of(power), &power->usb_regulated, usb_regulated, power);
    event_init(clock_of(power), &power->go_off, go_off, power);
    gpio->detect_rose[1] = (struct gpio_hook){detect_rose, power};
    gpio->reset_changed = (struct gpio_hook){reset_pin_changed, power};
}
