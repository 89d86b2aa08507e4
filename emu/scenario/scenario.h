/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario: which board and modules, the state its memories are in, what is done to it when, what is
 * expected of it, and for how long. Written as JSON; scenarios/scenario.schema.json describes every member,
 * and a parsed scenario is what these structs hold.
 *
 * Steps of the timeline happen in order: each waits for its trigger from the moment the step before it was
 * carried out. Counts in triggers ("the 52nd erase") start at that moment too.
 *
 * Modelled: one board, one run. Not modelled: loops and conditions in a scenario; several boards at a time.
 */
#ifndef SOSIM_SCENARIO_SCENARIO_H
#define SOSIM_SCENARIO_SCENARIO_H

#include "core/flash_fault.h"
#include "core/machine.h"
#include "led/phrases.h"
#include "scenario/json_doc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_STEPS_MAX 1000u
#define MODULE_MAX         0x400000u /* bytes of a module file: no board carries more */
#define SCENARIO_PATH_SIZE 1024

/* --- what is in the memories ----------------------------------------------------------------------------
 */

struct module_choice {
    const cJSON *at;
    const char *published; /* Device OS version, or NULL for a file */
    const char *kind;      /* NULL: all modules of that version */
    const char *file;      /* relative to the scenario */
    const char *app;       /* one of sosim's own user programs (scenarios/app) */
    const char *built_for; /* of an app: Device OS version, or NULL */
    bool has_address;      /* for raw bytes */
    uint32_t address;
    uint32_t pad_to; /* bytes; 0: as it is */
};

/* A place in one of the memories, by address or by the file of the LittleFS that has it. */
struct flash_place {
    const cJSON *at;
    const char *array; /* "internal", "uicr", "external", "otp", "status"; "ram" where that makes sense */
    const char *file;  /* path in the LittleFS, or NULL */
    bool lowest_free;  /* block: "lowest-free" */
    bool last_block;   /* block: "last" */
    bool has_block;
    uint32_t block;  /* of the file, from 0; without a file, of the array */
    uint32_t offset; /* address in the array, or offset in the block (or the file, without a block) */
};

/* Bytes as a scenario gives them; owned. */
struct byte_string {
    uint8_t *bytes;
    size_t length;
};

struct dct_edit {
    const cJSON *at;
    const char *name;
    char *text; /* for dct_set(); owned */
};

struct slot_edit {
    const cJSON *at;
    unsigned slot;
    struct module_choice module;
    bool has_source;
    uint32_t source; /* offset in the external flash */
    struct dct_edit *overrides;
    size_t override_count;
};

struct file_edit {
    const cJSON *at;
    const char *path;
    bool remove;
    bool directory;
    struct byte_string content;
};

struct byte_edit {
    struct flash_place place;
    struct byte_string content;
};

struct erase_edit {
    struct flash_place place;
    uint32_t length;
};

struct stuck_edit {
    struct flash_place place;
    unsigned bit;
    bool value;
};

/* Cells that read differently from read to read. */
struct unstable_edit {
    struct flash_place place;
    uint32_t length; /* bytes */
    double share;    /* of their bits, 0 to 1 */
};

struct image_edit {
    struct flash_place place;
    const char *file;
};

struct input_edit {
    const cJSON *at;
    const char *part, *what;
    double value;
};

enum state_start { START_BLANK, START_FACTORY, START_PROVISIONED };

/* Applied in the order of the members. */
struct device_state {
    const cJSON *at;
    enum state_start start;
    struct image_edit *images;
    size_t image_count;
    struct dct_edit *dct;
    size_t dct_count;
    struct slot_edit *slots;
    size_t slot_count;
    struct file_edit *files;
    size_t file_count;
    bool fill;
    uint32_t free_blocks; /* left by `fill` */
    struct erase_edit *erases;
    size_t erase_count;
    struct byte_edit *bytes;
    size_t byte_count;
    struct stuck_edit *stuck;
    size_t stuck_count;
    struct unstable_edit *unstable;
    size_t unstable_count;
    struct input_edit *inputs;
    size_t input_count;
    enum ram_after_off ram; /* what RAM holds as power comes back, where a power_on does not say */
};

/* --- what happens ---------------------------------------------------------------------------------------
 */

/* A pattern for phrases of a lamp; what is not given matches anything. */
struct led_pattern {
    const cJSON *at;
    const char *light;
    bool has_kind, has_color;
    enum led_kind kind;
    enum led_color color;
    bool has_on, has_off, has_code;
    double on_ms, off_ms, tolerance_ms;
    int code;
    unsigned count_min, count_max;
    double from_ms, to_ms; /* the phrase begins in this time */
    double min_ms, max_ms; /* how long it lasts */
    bool at_end;           /* the phrase is the last that is not darkness */
};

enum trigger_kind {
    TRIGGER_AT_MS,
    TRIGGER_AFTER_MS,
    TRIGGER_LED,
    TRIGGER_FLASH,
    TRIGGER_PC,
    TRIGGER_RESET,
    TRIGGER_EXCEPTION,
    TRIGGER_USB,
    TRIGGER_SETTLED, /* for `until` only */
};

/* Where in a flash operation the trigger lies. */
enum flash_moment { FLASH_AFTER, FLASH_BEFORE, FLASH_WITHIN };

enum usb_moment {
    USB_CONFIGURED, /* the host has enumerated a device */
    USB_LEFT,       /* there is no configured device */
    USB_DONE,       /* the request that an action began has ended */
};

struct trigger {
    const cJSON *at;
    enum usb_moment usb;
    enum trigger_kind kind;
    double ms;
    struct led_pattern led;
    const char *array; /* NULL: any */
    bool has_op;
    enum nor_kind op;
    uint32_t from, to; /* the operation touches this range, `to` not included */
    enum flash_moment moment;
    uint64_t nth; /* the n-th of its kind, from 1 */
    uint32_t address;
    uint32_t number; /* exception */
};

enum action_kind {
    ACTION_POWER_ON,
    ACTION_POWER_OFF,
    ACTION_RESET,
    ACTION_PRESS,
    ACTION_RELEASE,
    ACTION_INPUT,
    ACTION_PATCH,
    ACTION_STICK,
    ACTION_UNSETTLE,
    ACTION_FAULT,
    ACTION_SUPPLY,
    ACTION_LOAD,
    ACTION_PEND,
    ACTION_STOP,
    ACTION_USB,
    ACTION_CHECK, /* expectations, judged now */
};

enum usb_act {
    USB_PLUG,
    USB_DOWNLOAD,
    USB_UPLOAD,
    USB_CONTROL,
    USB_REQUEST, /* Particle's control request, of the number `request` */
    USB_UPDATE,  /* a firmware update by such requests */
    USB_YMODEM,  /* a firmware update over the serial line */
    USB_SERIAL,  /* a line to the CDC port */
};

/* What a host on the USB plug does; the scenario has one as soon as an action or a trigger needs it. */
struct usb_action {
    const cJSON *at;
    enum usb_act act;
    bool plug;
    uint32_t alt, address;
    struct byte_string content; /* sent, or (upload) expected */
    bool has_module, leave;
    struct module_choice module;
    uint32_t skip; /* bytes of the module that are not sent */
    uint32_t type, request, value, index, length;
    bool has_answer;
    struct byte_string answer; /* how the answer to a control request begins */
    double within_ms;          /* for the text of a serial line to come */
    const char *wanted;        /* that text */
    const char *fails;         /* it must fail, with this in the words; NULL: it must succeed */
};

/* Flash operations that go wrong while power stays: the one that the trigger names, or the next that fit. */
struct fault_action {
    const cJSON *at;
    struct flash_fault fault; /* kind and variant */
    const char *array;        /* NULL: any */
    bool has_op;
    enum nor_kind op;
    uint64_t times; /* so many operations one after the other */
};

struct action {
    const cJSON *at;
    enum action_kind kind;
    bool has_ram;
    enum ram_after_off ram; /* power_on; the state's if not given */
    struct input_edit input;
    struct byte_edit patch;
    struct stuck_edit stuck;
    struct unstable_edit unstable;
    bool has_tear;
    struct flash_tear tear; /* power_off within an operation */
    struct fault_action fault;
    struct supply_sag sag;
    struct module_choice *modules;
    size_t module_count;
    uint32_t exception;
    struct usb_action usb;
    struct expect *checks;
    size_t check_count;
};

struct step {
    struct trigger when;
    struct action *actions;
    size_t action_count;
};

/* --- what is expected -----------------------------------------------------------------------------------
 */

enum expect_kind {
    EXPECT_LED,
    EXPECT_LED_SEQUENCE,
    EXPECT_PANIC,
    EXPECT_RESETS,
    EXPECT_MEMORY,
    EXPECT_DCT,
    EXPECT_FILE,
    EXPECT_FILE_SYSTEM,
    EXPECT_SLOT,
    EXPECT_MODULE,
    EXPECT_RUNNING,
    EXPECT_HANG,
    EXPECT_FINDING,
    EXPECT_REPEATS,
    EXPECT_UART,
};

enum slot_state { SLOT_FREE, SLOT_PENDING, SLOT_FACTORY };

/* DAMAGED: anything is wrong with it. FATAL: so that the device panics or loops when it comes by. */
enum file_system_state { FILE_SYSTEM_SOUND, FILE_SYSTEM_DAMAGED, FILE_SYSTEM_FATAL };

struct expect {
    const cJSON *at;
    enum expect_kind kind;
    bool negated;
    const char *text; /* in the author's words, or NULL */
    struct led_pattern *patterns;
    size_t pattern_count;
    bool has_code;
    int code;
    const char *stage; /* panic, hang, running: a module's kind; NULL for running: */
    uint32_t from, to; /* code addresses, `to` not included */
    bool has_uart;
    unsigned uart;        /* instance; its text is memory.content */
    const char *contains; /* of a panic's site, a finding's text, or what is wrong with the file system */
    unsigned min, max;    /* resets, panics */
    struct byte_edit memory;
    struct dct_edit *dct;
    size_t dct_count;
    struct file_edit file;
    bool has_content, has_size;
    uint32_t size;
    unsigned slot;
    enum slot_state slot_state;
    enum file_system_state file_system;
    struct module_choice module; /* published and kind, for what should be in flash */
    bool has_version;
    unsigned version;
    bool has_valid, valid;
};

struct limits {
    double virtual_ms;
    double wall_s;
    unsigned boots;
};

/* Owned by the caller; release with scenario_free(). Texts belong to `doc` unless said otherwise. */
struct scenario {
    struct json_doc doc;
    char directory[SCENARIO_PATH_SIZE]; /* of the scenario file; what paths in it are relative to */
    const char *name, *description;
    const char *board;
    uint64_t seed;
    struct module_choice *modules;
    size_t module_count;
    const char *mbr; /* file, or NULL for the replacement */
    struct device_state state;
    struct step *steps;
    size_t step_count;
    struct trigger until;
    struct expect *expects;
    size_t expect_count;
    struct limits limits;
    char *version; /* owned: of scenario_override_version(), or NULL */
};

/* Reads and checks a scenario file. Returns 0, or -1 with `why`, which names file, line, column and path. */
int scenario_load(struct scenario *scenario, const char *path, struct diag *why);

/* The same for a text; `name` stands for the file in messages, its directory is where paths begin. */
int scenario_parse(struct scenario *scenario, const char *name, const char *text, size_t len,
                   struct diag *why);
void scenario_free(struct scenario *scenario);

/*
 * Looks whether what the scenario refers to is there: board, published versions and kinds, files. Reads no
 * image. Returns 0, or -1 with `why`.
 */
int scenario_check(const struct scenario *scenario, struct diag *why);

/*
 * Makes every mention of the version that the first published module has mean another. "2.0.1..2.1.0" means
 * the first for those, and the second for every other published version: an update from one to the other. So
 * one scenario can be run on all versions. `version` must outlive the scenario. 0, or -1 when memory ran out.
 */
int scenario_override_version(struct scenario *scenario, const char *version);

/* A path of the scenario, made absolute or relative to the working directory. 0, or -1 with `why`. */
int scenario_path(const struct scenario *scenario, const cJSON *at, const char *relative,
                  char path[SCENARIO_PATH_SIZE], struct diag *why);

#endif
