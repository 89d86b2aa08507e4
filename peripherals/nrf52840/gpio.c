/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/gpio.h"

#include <string.h>

enum {
    OUT = 0x504,
    OUTSET = 0x508,
    OUTCLR = 0x50c,
    IN = 0x510,
    DIR = 0x514,
    DIRSET = 0x518,
    DIRCLR = 0x51c,
    LATCH = 0x520,
    DETECTMODE = 0x524,
    PIN_CNF = 0x700,
    PORT_SIZE = 0x300, /* P1's registers lie this far behind P0's */
};

enum {
    CNF_DIR = 1u << 0,
    CNF_INPUT_DISCONNECT = 1u << 1,
    CNF_RESET = CNF_INPUT_DISCONNECT,
    CNF_FIELDS = 0x0003070f,
    PULL_DOWN = 1,
    PULL_UP = 3,
    SENSE_HIGH = 2,
    SENSE_LOW = 3,
};

#define PORT_REGS(shift, pins)                                                                               \
    {"OUT", OUT + (shift), REG_RW, 0, 0, 0}, {"OUTSET", OUTSET + (shift), REG_RW, 0, 0, 0},                  \
        {"OUTCLR", OUTCLR + (shift), REG_RW, 0, 0, 0}, {"IN", IN + (shift), REG_R, 0, 0, 0},                 \
        {"DIR", DIR + (shift), REG_RW, 0, 0, 0}, {"DIRSET", DIRSET + (shift), REG_RW, 0, 0, 0},              \
        {"DIRCLR", DIRCLR + (shift), REG_RW, 0, 0, 0}, {"LATCH", LATCH + (shift), REG_RW, 0, 0, 0},          \
        {"DETECTMODE", DETECTMODE + (shift), REG_RW, 0, 0, 0},                                               \
    {                                                                                                        \
        "PIN_CNF", PIN_CNF + (shift), REG_RW, CNF_RESET, pins, 0                                             \
    }

static const struct reg regs_p0[] = {PORT_REGS(0, 32)};
static const struct reg regs_p1[] = {PORT_REGS(PORT_SIZE, 16)};

static unsigned field(uint32_t cnf, unsigned position, unsigned mask)
{
    return cnf >> position & mask;
}

static bool input_connected(const struct gpio *gpio, unsigned pin)
{
    return !(gpio->cnf[pin] & CNF_INPUT_DISCONNECT);
}

static bool pin_high(const struct gpio *gpio, unsigned pin)
{
    return wire_high(&gpio->block.bus->pin[pin]);
}

static bool sensed(const struct gpio *gpio, unsigned pin)
{
    unsigned sense = field(gpio->cnf[pin], 16, 3);
    if (sense < SENSE_HIGH || !input_connected(gpio, pin))
        return false;
    return pin_high(gpio, pin) == (sense == SENSE_HIGH);
}

static unsigned port_pins(unsigned port)
{
    return port ? GPIO_PINS - 32 : 32;
}

bool gpio_detect(const struct gpio *gpio, unsigned port)
{
    if (gpio->latched_detect[port])
        return gpio->latch[port] != 0;
    for (unsigned i = 0; i < port_pins(port); i++) {
        if (sensed(gpio, 32 * port + i))
            return true;
    }
    return false;
}

static void tell_detect(struct gpio *gpio, unsigned port)
{
    for (unsigned i = 0; i < GPIO_DETECT_HOOKS; i++) {
        if (gpio->detect_rose[i].fn)
            gpio->detect_rose[i].fn(gpio->detect_rose[i].context, port, true);
    }
}

static void update_detect(struct gpio *gpio, unsigned port)
{
    bool detect = gpio_detect(gpio, port);
    bool rose = detect && !gpio->detect[port];
    gpio->detect[port] = detect;
    if (rose)
        tell_detect(gpio, port);
}

static void update_sense(struct gpio *gpio, unsigned pin)
{
    if (gpio->quiet)
        return;
    if (sensed(gpio, pin))
        gpio->latch[pin / 32] |= 1u << pin % 32;
    update_detect(gpio, pin / 32);
}

/* Open-drain and open-source modes leave the pin alone on one of the two levels. */
static bool mode_disconnects(uint32_t cnf, uint16_t level)
{
    unsigned drive = field(cnf, 8, 7);
    if (level == 0)
        return drive == 4 || drive == 5;     /* D0S1, D0H1 */
    return level == WIRE_FULL && drive >= 6; /* S0D1, H0D1 */
}

static void drive_pull(struct gpio *gpio, unsigned pin)
{
    unsigned pull = pin == gpio->reset_pin ? PULL_UP : field(gpio->cnf[pin], 2, 3);
    struct wire *wire = &gpio->block.bus->pin[pin];
    if (pull == PULL_UP)
        wire_drive(wire, gpio->driver[pin], WIRE_PULL, WIRE_FULL);
    else if (pull == PULL_DOWN)
        wire_drive(wire, gpio->driver[pin], WIRE_PULL, 0);
    else
        wire_drive(wire, gpio->driver[pin], WIRE_FLOATING, 0);
}

static void drive_pin(struct gpio *gpio, unsigned pin)
{
    uint32_t cnf = gpio->cnf[pin];
    bool drives = cnf & CNF_DIR;
    uint16_t level = gpio->out[pin / 32] >> pin % 32 & 1 ? WIRE_FULL : 0;
    enum wire_strength strength = WIRE_STRONG;
    if (gpio->lent[pin].claimed) {
        strength = gpio->lent[pin].strength;
        level = gpio->lent[pin].level;
        drives = strength != WIRE_FLOATING;
    }
    if (!drives || pin == gpio->reset_pin || mode_disconnects(cnf, level))
        drive_pull(gpio, pin);
    else
        wire_drive(&gpio->block.bus->pin[pin], gpio->driver[pin], strength, level);
    update_sense(gpio, pin);
}

void gpio_peripheral_drive(struct gpio *gpio, unsigned pin, bool claim, enum wire_strength strength,
                           uint16_t level)
{
    if (pin >= GPIO_PINS)
        return;
    gpio->lent[pin].claimed = claim;
    gpio->lent[pin].strength = claim ? strength : WIRE_FLOATING;
    gpio->lent[pin].level = claim ? level : 0;
    drive_pin(gpio, pin);
}

void gpio_psel_drive(struct gpio *gpio, uint32_t psel, bool claim, enum wire_strength strength,
                     uint16_t level)
{
    if (!(psel & 1u << 31))
        gpio_peripheral_drive(gpio, psel & 63, claim, strength, level);
}

void gpio_set_reset_pin(struct gpio *gpio, uint8_t pin)
{
    uint8_t old = gpio->reset_pin;
    gpio->reset_pin = pin;
    if (old != pin && old < GPIO_PINS)
        drive_pin(gpio, old);
    if (pin < GPIO_PINS)
        drive_pin(gpio, pin);
}

static void wire_changed(void *context, struct wire *wire)
{
    struct gpio *gpio = context;
    unsigned pin = (unsigned)(wire - gpio->block.bus->pin);
    bool high = wire_high(wire);
    /* PWM duties change the level often; only a digital edge concerns anybody here. */
    if (high == (gpio->seen_high >> pin & 1))
        return;
    gpio->seen_high ^= 1ull << pin;
    update_sense(gpio, pin);
    if (gpio->pin_changed.fn)
        gpio->pin_changed.fn(gpio->pin_changed.context, pin, high);
    if (pin == gpio->reset_pin && gpio->reset_changed.fn)
        gpio->reset_changed.fn(gpio->reset_changed.context, pin, high);
}

static uint32_t read_in(const struct gpio *gpio, unsigned port)
{
    uint32_t in = 0;
    for (unsigned i = 0; i < port_pins(port); i++) {
        if (input_connected(gpio, 32 * port + i) && pin_high(gpio, 32 * port + i))
            in |= 1u << i;
    }
    return in;
}

static uint32_t read_dir(const struct gpio *gpio, unsigned port)
{
    uint32_t dir = 0;
    for (unsigned i = 0; i < port_pins(port); i++)
        dir |= (gpio->cnf[32 * port + i] & CNF_DIR) << i;
    return dir;
}

static uint32_t read_port(const struct gpio *gpio, unsigned port, uint32_t offset)
{
    if (offset >= PIN_CNF)
        return gpio->cnf[32 * port + (offset - PIN_CNF) / 4];
    switch (offset) {
    case OUT:
    case OUTSET:
    case OUTCLR:
        return gpio->out[port];
    case IN:
        return read_in(gpio, port);
    case DIR:
    case DIRSET:
    case DIRCLR:
        return read_dir(gpio, port);
    case LATCH:
        return gpio->latch[port];
    default:
        return gpio->latched_detect[port];
    }
}

static uint32_t read_p0(void *self, uint32_t offset)
{
    return read_port(self, 0, offset);
}

static uint32_t read_p1(void *self, uint32_t offset)
{
    return read_port(self, 1, offset - PORT_SIZE);
}

static void write_out(struct gpio *gpio, unsigned port, uint32_t value)
{
    uint32_t changed = gpio->out[port] ^ value;
    gpio->out[port] = value;
    for (; changed; changed &= changed - 1) {
        unsigned pin = 32 * port + (unsigned)__builtin_ctz(changed);
        if (pin < GPIO_PINS)
            drive_pin(gpio, pin);
    }
}

static void write_dir(struct gpio *gpio, unsigned port, uint32_t value)
{
    for (unsigned i = 0; i < port_pins(port); i++) {
        unsigned pin = 32 * port + i;
        if ((gpio->cnf[pin] & CNF_DIR) == (value >> i & 1))
            continue;
        gpio->cnf[pin] ^= CNF_DIR;
        drive_pin(gpio, pin);
    }
}

/* A bit whose pin still meets its SENSE is set again at once, and what stays set makes LDETECT rise anew. */
static void clear_latch(struct gpio *gpio, unsigned port, uint32_t bits)
{
    gpio->latch[port] &= ~bits;
    for (unsigned i = 0; i < port_pins(port); i++) {
        if (sensed(gpio, 32 * port + i))
            gpio->latch[port] |= 1u << i;
    }
    if (gpio->latched_detect[port])
        gpio->detect[port] = false;
    update_detect(gpio, port);
}

static void write_port(struct gpio *gpio, unsigned port, uint32_t offset, uint32_t value)
{
    if (offset >= PIN_CNF) {
        unsigned pin = 32 * port + (offset - PIN_CNF) / 4;
        gpio->cnf[pin] = value & CNF_FIELDS;
        drive_pin(gpio, pin);
        return;
    }
    switch (offset) {
    case OUT:
        write_out(gpio, port, value);
        break;
    case OUTSET:
        write_out(gpio, port, gpio->out[port] | value);
        break;
    case OUTCLR:
        write_out(gpio, port, gpio->out[port] & ~value);
        break;
    case DIR:
        write_dir(gpio, port, value);
        break;
    case DIRSET:
        write_dir(gpio, port, read_dir(gpio, port) | value);
        break;
    case DIRCLR:
        write_dir(gpio, port, read_dir(gpio, port) & ~value);
        break;
    case LATCH:
        clear_latch(gpio, port, value);
        break;
    case DETECTMODE:
        gpio->latched_detect[port] = value & 1;
        update_detect(gpio, port);
        break;
    default: /* IN */
        break;
    }
}

static void write_p0(void *self, uint32_t offset, uint32_t value)
{
    write_port(self, 0, offset, value);
}

static void write_p1(void *self, uint32_t offset, uint32_t value)
{
    write_port(self, 1, offset - PORT_SIZE, value);
}

/* All pins go to the state that `cnf`, `out` and the other peripherals' release leave them in. */
static void settle_pins(struct gpio *gpio)
{
    gpio->quiet = true;
    for (unsigned pin = 0; pin < GPIO_PINS; pin++)
        drive_pin(gpio, pin);
    gpio->quiet = false;
    for (unsigned port = 0; port < 2; port++)
        gpio->detect[port] = gpio_detect(gpio, port);
}

static void reset(void *self, enum reset_cause cause)
{
    struct gpio *gpio = self;
    memset(gpio->lent, 0, sizeof gpio->lent);
    if (cause != RESET_OFF_WAKE) {
        memset(gpio->out, 0, sizeof gpio->out);
        memset(gpio->latch, 0, sizeof gpio->latch);
        memset(gpio->latched_detect, 0, sizeof gpio->latched_detect);
        for (unsigned pin = 0; pin < GPIO_PINS; pin++)
            gpio->cnf[pin] = CNF_RESET;
    }
    settle_pins(gpio);
}

static void save(void *self, struct state *state)
{
    struct gpio *gpio = self;
    state_var(state, gpio->out);
    state_var(state, gpio->latch);
    state_var(state, gpio->latched_detect);
    state_var(state, gpio->cnf);
    state_var(state, gpio->seen_high);
    state_var(state, gpio->detect);
    state_var(state, gpio->reset_pin);
    state_var(state, gpio->lent);
}

void gpio_init(struct gpio *gpio, struct bus *bus)
{
    memset(gpio, 0, sizeof *gpio);
    gpio->reset_pin = GPIO_NO_PIN;
    block_init(&gpio->block, bus, 0x50000000u, -1);
    block_add_face(&gpio->block, &(struct face){
                                     .name = "P0",
                                     .regs = regs_p0,
                                     .reg_count = sizeof regs_p0 / sizeof regs_p0[0],
                                     .plain = true,
                                     .reset = reset,
                                     .read = read_p0,
                                     .write = write_p0,
                                     .save = save,
                                     .self = gpio,
                                 });
    block_add_face(&gpio->block, &(struct face){
                                     .name = "P1",
                                     .regs = regs_p1,
                                     .reg_count = sizeof regs_p1 / sizeof regs_p1[0],
                                     .plain = true,
                                     .read = read_p1,
                                     .write = write_p1,
                                     .self = gpio,
                                 });
    for (unsigned pin = 0; pin < GPIO_PINS; pin++) {
        gpio->driver[pin] = wire_add_driver(&bus->pin[pin]);
        wire_listen(&bus->pin[pin], wire_changed, gpio);
    }
    bus->gpio = gpio;
}
