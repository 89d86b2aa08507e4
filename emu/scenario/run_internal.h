/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that run a scenario (run.c, run_*.c, panic_watch.c); for no others. */
#ifndef SOSIM_SCENARIO_RUN_INTERNAL_H
#define SOSIM_SCENARIO_RUN_INTERNAL_H

#include "host/cdc_serial.h"
#include "host/dfu.h"
#include "host/particle_usb.h"
#include "host/ymodem.h"
#include "led/recorder.h"
#include "scenario/code_seen.h"
#include "scenario/device.h"
#include "scenario/run.h"
#include "scenario/uart_watch.h"

#define RUN_LIGHTS      8
#define FLASH_RING      8
#define RUN_FAULTS      8     /* kinds of faults that wait for their operation at a time */
#define DARK_MS         5000  /* so long dark, and spinning: a hang */
#define DARK_RESETS     20    /* so many resets with no light and no flash operation between: a hang */
#define SETTLE_QUIET_MS 2000  /* and so long no flash written */
#define SETTLE_ROUNDS   4     /* so many rounds of a story: settled, whatever is written */
#define SETTLE_MS       10000 /* so long one phrase: settled */
#define SETTLE_BLINK_MS 5000  /* a blink is sure sooner: ten rounds of the slowest */

/* What the trigger that is waited for has seen since its step began to wait. */
struct armed {
    const struct trigger *trigger; /* NULL: none */
    uint64_t since;                /* cycle */
    uint64_t seen;
    bool fired;
};

/* A fault that waits for flash operations. */
struct waiting_fault {
    const struct fault_action *action;
    const char *array; /* NULL: any */
    bool has_op;
    enum nor_kind op;
    uint64_t left;
};

struct spin {
    struct code_seen code;
    double dark_since_ms; /* the lamp is dark since; negative: it is lit */
    bool hung, told;
};

/* What the host does because a USB action asked for it. */
struct usb_task {
    const struct usb_action *action; /* NULL: nothing was asked for yet */
    bool under_way;
    struct dfu_job job;
    struct usb_transfer transfer;
    struct particle_request request;
    struct particle_update update;
    struct cdc_job serial;
    struct ymodem_job ymodem;
    uint8_t *data; /* owned */
    uint32_t size;
};

struct runner {
    const struct scenario *scenario;
    const struct run_options *options;
    struct run_result *result;
    struct board board;
    struct machine machine;
    struct device device;
    struct led_recorder lights[RUN_LIGHTS];
    size_t light_count;
    size_t step;         /* that is waited for */
    struct armed armed;  /* its trigger, or `until` once all steps are done */
    uint64_t step_cycle; /* of the last step */
    bool stopped;        /* an action ended the run */
    bool cut;            /* a flash operation was cut: power is to go off at once */
    struct waiting_fault faults[RUN_FAULTS];
    size_t fault_count;
    struct flash_op ring[FLASH_RING];
    uint64_t flash_ops;
    uint64_t flash_at;    /* cycle of the last one */
    uint32_t fault_pc;    /* of the last fault exception */
    uint32_t cfsr_told;   /* bits of CFSR that a finding was about since the last reset */
    uint64_t fault_cycle; /* its time, 0: there was none */
    uint64_t pc_cycle;    /* at which a watched address was seen last */
    bool flash_changed;   /* internal flash, since panic functions were looked for */
    uint64_t flash_changed_at;
    struct spin spin;
    struct uart_watch uart;
    struct diag failure; /* the scenario turned out wrong while it ran */
    bool failed;
    unsigned dark_resets; /* since the lamp was lit, flash written or power switched on */
    struct usb_host usb;
    struct usb_task usb_task;
    bool usb_on;            /* there is a host on the plug */
    bool accompanied;       /* the companion has not finished */
    uint64_t companion_end; /* cycle at which it finished: limits count from here */
    double wall_end;
};

/* run_watch.c: subscribes to the machine, arms triggers. */
bool run_flash_fits(const struct trigger *trigger, const struct flash_op *op);
/* Counts one more of what the armed trigger is about. */
void run_count_one(struct runner *run);
bool run_waits_for(const struct runner *run, enum trigger_kind kind);
int run_watch(struct runner *run, struct diag *why);
void run_arm(struct runner *run, const struct trigger *trigger);
/* Looks whether a trigger that depends on time or lamps has come. */
void run_poll(struct runner *run);
/* Cycle at which a trigger by time is due, CLOCK_NEVER for the others. */
uint64_t run_due(const struct runner *run);
/* Puts the watches on code addresses anew: panic functions, and what the armed trigger waits for. */
void run_set_watches(struct runner *run);
/* Whose meanings a lamp's phrases have. */
enum led_lamp run_lamp(const char *light);
void run_trace(struct runner *run, const char *format, ...) DIAG_PRINTF(2, 3);

/* panic_watch.c: finds the panic functions of what is in flash now and adds watches on them. */
void panic_watch(struct runner *run);
/* Kind of the module that has this address: "bootloader", "mbr", …; NULL for none. */
const char *run_stage(const struct runner *run, uint32_t address);

/* run_led.c: what the lamps showed so far. */
struct led_view {
    struct led_phrases phrases;
    struct led_story story;
    size_t resets;
};
/* Returns 0, or -1 when memory ran out or there is no such lamp (then the view is empty). Release the view.
 */
int run_led_view(struct runner *run, const char *light, struct led_view *view);
void run_led_view_free(struct led_view *view);
bool led_pattern_fits(const struct led_pattern *pattern, const struct led_phrase *phrase);
/* Words for a pattern. Returns `text`. */
char *led_pattern_words(const struct led_pattern *pattern, char *text, size_t size);
/* The story repeats, or its last phrase has lasted, or the device hangs. */
bool run_settled(struct runner *run);

/* run_fault.c: what is done to a flash operation that is about to change bits. */
enum nor_fault run_operation(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes);
/* The step of the armed trigger asks for a fault of the operations that come. 0, or -1 (run->failure). */
int run_add_fault(struct runner *run, const struct fault_action *action, const struct trigger *when);

/* run_hang.c: looks at where the CPU is; to be called now and then. */
void run_watch_hang(struct runner *run);
void run_hang_reset(struct runner *run, bool cold); /* the device is reset */

/* run_expect.c: judges all expectations and adds them to the result. Returns 0, or -1 when memory ran out. */
void run_judge(struct runner *run);
/* The same for expectations that are judged before the end. */
void run_check(struct runner *run, const struct expect *expects, size_t count);

/* run_usb.c: puts a host on the plug if the scenario or a companion needs one. */
void run_usb_begin(struct runner *run);
void run_usb_end(struct runner *run);
/* The run is over: what is still under way has failed. */
void run_usb_judge(struct runner *run);
bool run_usb_has_come(const struct runner *run, enum usb_moment moment);
/* Begins what the action says; how it went is added to the result when it has ended. 0, or -1 (run->failure).
 */
int run_usb_act(struct runner *run, const struct usb_action *action);

#endif
