/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TWI and TWIM have in common: the conditions and bytes on the two wires with their times, the slave on
 * the pins, and the tasks, each of which is carried out between two bytes.
 *
 * Source: nRF52840 Product Specification 1.7, chapters 'TWI' and 'TWIM' (tasks, PSEL, FREQUENCY, ADDRESS and
 * ERRORSRC are at the same offsets).
 * Modelled: start condition with address, bytes and stop condition; repeated starts; SUSPEND, RESUME and STOP
 * at byte boundaries; STOP of an idle master gives STOPPED; address and data NACK in ERRORSRC.
 * Not modelled: clock stretching by the slave, a bus without pull-ups, SCL and SDA on the pins' wires.
 */
#ifndef SOSIM_NRF52840_TWI_LINE_H
#define SOSIM_NRF52840_TWI_LINE_H

#include "core/bus.h"
#include "core/ports.h"

enum {
    TWI_TASK_STARTRX = 0,
    TWI_TASK_STARTTX = 2,
    TWI_TASK_STOP = 5,
    TWI_TASK_SUSPEND = 7,
    TWI_TASK_RESUME = 8,
};

enum {
    TWI_ERRORSRC = 0x4c4,
    TWI_ENABLE = 0x500,
    TWI_PSEL_SCL = 0x508,
    TWI_PSEL_SDA = 0x50c,
    TWI_FREQUENCY = 0x524,
    TWI_ADDRESS = 0x588,
};

enum twi_phase {
    TWI_IDLE,
    TWI_ADDRESSING, /* start condition and address are on the line */
    TWI_BYTE,       /* a data byte is on the line */
    TWI_HELD,       /* between bytes, waiting for a task or for the owner */
    TWI_STOPPING,   /* stop condition is on the line */
};

/* What differs between TWI and TWIM. */
struct twi_owner {
    /* A start condition begins; the line's `reading` says in which direction. */
    void (*started)(void *self);
    /* The byte on the line is over: take it from the slave or give it to the slave (NULL: gone). Returns
     * false if the slave refused it. */
    bool (*move_byte)(void *self, struct i2c_device *slave);
    /* The slave refused its address or a byte: until the next start there is no further byte. EVENTS_ERROR
     * comes right after this. */
    void (*failed)(void *self);
    /* Between two bytes with no task to carry out before: begins a byte or a start, or leaves the bus held.
     */
    void (*go_on)(void *self);
};

struct twi_line {
    struct block *block;
    const struct twi_owner *owner;
    void *self;        /* of the owner's functions */
    struct event step; /* end of the address, byte or stop condition on the line */
    uint8_t phase;     /* enum twi_phase */
    bool reading;      /* direction of the running transfer */
    bool suspended;    /* SCL held after SUSPEND */
    bool stop_asked;   /* to be done at the next byte boundary */
    bool suspend_asked;
    int8_t start_asked; /* 0 write, 1 read, -1 none */
};

/* The block, the owner's functions and `self` have to stay as long as the line. */
void twi_line_init(struct twi_line *line, struct block *block, const struct twi_owner *owner, void *self);

/* Task n of TWI or TWIM. */
void twi_line_task(struct twi_line *line, unsigned n);

/* If the bus is held: does what has been asked for, else lets the owner go on. */
void twi_line_continue(struct twi_line *line);

/* For go_on: begins the transfer that a task asked for; false if none did. */
bool twi_line_start_asked(struct twi_line *line);
/* For go_on: begins a byte. */
void twi_line_start_byte(struct twi_line *line);

/* Drops what is on the line, as clearing ENABLE does; the slave does not hear of it. */
void twi_line_halt(struct twi_line *line);

void twi_line_save(struct twi_line *line, struct state *state);

#endif
