/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/mx25l3233f.h"

#include "core/ports.h"

#include <errno.h>
#include <string.h>

enum {
    SR_WIP = 1 << 0,
    SR_WEL = 1 << 1,
    SR_BP = 0xf << 2,
    SR_QE = 1 << 6,
    SR_STORED = 0xfc,
    CR_TB = 1 << 3,
    CR_DC = 1 << 6,
    CR_STORED = 0x4f,
    SCUR_LDSO = 1 << 1,
    SCUR_PSB = 1 << 2,
    SCUR_ESB = 1 << 3,
    SCUR_P_FAIL = 1 << 5,
    SCUR_E_FAIL = 1 << 6,
};

/* What a controller reads from a sleeping part: the part lets go of its output, which nobody drives high. */
#define RELEASED 0x00

enum mx25_work {
    WORK_NONE,
    WORK_PROGRAM,
    WORK_ERASE,
    WORK_OTHER, /* status write, suspend latency, reset: cannot be suspended */
};

/* How a command's frame goes on after the opcode. */
enum shape {
    SHAPE_PLAIN,  /* acts when chip select goes up */
    SHAPE_OUTPUT, /* the part sends from now on */
    SHAPE_INPUT,  /* the part takes data bytes */
};

struct command {
    uint8_t opcode;
    uint8_t shape;
    uint8_t address; /* bytes */
    uint8_t dummy;   /* bytes, at the width the address has */
    uint8_t extra;   /* more dummy bytes when CR.DC is set */
    bool quad;       /* needs QE */
    bool while_busy; /* accepted while WIP is set */
};

static const struct command commands[] = {
    {0x01, SHAPE_INPUT, 0, 0, 0, false, false},  /* WRSR */
    {0x02, SHAPE_INPUT, 3, 0, 0, false, false},  /* PP */
    {0x03, SHAPE_OUTPUT, 3, 0, 0, false, false}, /* READ */
    {0x04, SHAPE_PLAIN, 0, 0, 0, false, false},  /* WRDI */
    {0x05, SHAPE_OUTPUT, 0, 0, 0, false, true},  /* RDSR */
    {0x06, SHAPE_PLAIN, 0, 0, 0, false, false},  /* WREN */
    {0x0b, SHAPE_OUTPUT, 3, 1, 0, false, false}, /* FAST READ */
    {0x15, SHAPE_OUTPUT, 0, 0, 0, false, true},  /* RDCR */
    {0x20, SHAPE_PLAIN, 3, 0, 0, false, false},  /* SE */
    {0x2b, SHAPE_OUTPUT, 0, 0, 0, false, true},  /* RDSCUR */
    {0x2f, SHAPE_PLAIN, 0, 0, 0, false, false},  /* WRSCUR */
    {0x30, SHAPE_PLAIN, 0, 0, 0, false, false},  /* PGM/ERS RESUME */
    {0x38, SHAPE_INPUT, 3, 0, 0, true, false},   /* 4PP */
    {0x3b, SHAPE_OUTPUT, 3, 1, 0, false, false}, /* DREAD */
    {0x52, SHAPE_PLAIN, 3, 0, 0, false, false},  /* BE 32K */
    {0x5a, SHAPE_OUTPUT, 3, 1, 0, false, false}, /* RDSFDP */
    {0x60, SHAPE_PLAIN, 0, 0, 0, false, false},  /* CE */
    {0x66, SHAPE_PLAIN, 0, 0, 0, false, true},   /* RSTEN */
    {0x6b, SHAPE_OUTPUT, 3, 1, 0, true, false},  /* QREAD */
    {0x75, SHAPE_PLAIN, 0, 0, 0, false, true},   /* PGM/ERS SUSPEND */
    {0x7a, SHAPE_PLAIN, 0, 0, 0, false, false},  /* PGM/ERS RESUME */
    {0x90, SHAPE_OUTPUT, 3, 0, 0, false, false}, /* REMS */
    {0x99, SHAPE_PLAIN, 0, 0, 0, false, true},   /* RST */
    {0x9f, SHAPE_OUTPUT, 0, 0, 0, false, false}, /* RDID */
    {0xab, SHAPE_OUTPUT, 0, 3, 0, false, false}, /* RDP, RES */
    {0xb0, SHAPE_PLAIN, 0, 0, 0, false, true},   /* PGM/ERS SUSPEND */
    {0xb1, SHAPE_PLAIN, 0, 0, 0, false, false},  /* ENSO */
    {0xb9, SHAPE_PLAIN, 0, 0, 0, false, false},  /* DP */
    {0xbb, SHAPE_OUTPUT, 3, 1, 1, false, false}, /* 2READ */
    {0xc0, SHAPE_INPUT, 0, 0, 0, false, false},  /* SBL */
    {0xc1, SHAPE_PLAIN, 0, 0, 0, false, false},  /* EXSO */
    {0xc7, SHAPE_PLAIN, 0, 0, 0, false, false},  /* CE */
    {0xd8, SHAPE_PLAIN, 3, 0, 0, false, false},  /* BE 64K */
    {0xeb, SHAPE_OUTPUT, 3, 3, 2, true, false},  /* 4READ */
};

static const uint8_t sfdp[0x70] = {
    'S', 'F', 'D', 'P', 0x00, 0x01, 0x01, 0xff,     /* revision 1.0, two parameter headers */
    0x00, 0x00, 0x01, 0x09, 0x30, 0x00, 0x00, 0xff, /* JEDEC: nine words at 0x30 */
    0xc2, 0x00, 0x01, 0x04, 0x60, 0x00, 0x00, 0xff, /* Macronix: four words at 0x60 */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    /* 0x30 */
    0xe5, 0x20, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x01, /* 4 KiB erase 0x20, 3-byte addresses; 32 Mbit */
    0x44, 0xeb, 0x08, 0x6b, 0x08, 0x3b, 0x04, 0xbb, /* dummy clocks and opcodes of the fast reads */
    0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0xff, 0x00, 0xff, /* no 2-2-2, no 4-4-4 */
    0x0c, 0x20, 0x0f, 0x52, 0x10, 0xd8, 0x00, 0xff,                         /* erases of 4, 32 and 64 KiB */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    /* 0x60: 2.7 to 3.6 V, no reset or hold pin, suspend, 0xc0 wrap */
    0x00, 0x36, 0x00, 0x27, 0x9d, 0xf9, 0xc0, 0x64, 0x85, 0xcb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

#define COMMANDS (sizeof commands / sizeof commands[0])

/* The place of an opcode in the table, COMMANDS if it is not there. */
static uint8_t find_command(uint8_t opcode)
{
    uint8_t i = 0;
    while (i < COMMANDS && commands[i].opcode != opcode)
        i++;
    return i;
}

/* The command of the running frame, or NULL. */
static const struct command *running_command(const struct mx25l3233f *part)
{
    return part->command < COMMANDS ? &commands[part->command] : NULL;
}

/* VWI is between 1.5 and 2.5 V. */
#define WRITE_INHIBIT_MV 2000u

static bool is_silent(const struct mx25l3233f *part)
{
    return !part->answers || part->halted || part->bus->clock.now < part->silent_until;
}

/* Ends the running work if its time is over. */
static void settle(struct mx25l3233f *part)
{
    if (part->running == WORK_NONE || part->bus->clock.now < part->busy_until)
        return;
    part->running = WORK_NONE;
    part->write_enabled = false;
    part->work.array = NULL;
}

static void work(struct mx25l3233f *part, enum mx25_work kind, uint32_t us)
{
    part->running = (uint8_t)kind;
    part->busy_until = part->bus->clock.now + us * CYCLES_PER_US;
}

/* A non-volatile register as it reads. */
static uint8_t stored(struct mx25l3233f *part, enum mx25_register n)
{
    nor_about_to_read(&part->registers, n, 1);
    return part->registers.data[n];
}

static bool otp_locked(struct mx25l3233f *part)
{
    return stored(part, MX25_LOCK) != 0xff;
}

/* First protected address and size of the protected part of the array. */
static void protected_range(struct mx25l3233f *part, uint32_t *start, uint32_t *size)
{
    unsigned bp = (stored(part, MX25_STATUS) & SR_BP) >> 2;
    *size = !bp ? 0 : bp >= 7 ? MX25L3233F_SIZE : 0x10000u << (bp - 1);
    *start = stored(part, MX25_CONFIGURATION) & CR_TB ? 0 : MX25L3233F_SIZE - *size;
}

static bool is_protected(struct mx25l3233f *part, uint32_t address, uint32_t length)
{
    uint32_t start, size;
    protected_range(part, &start, &size);
    return size && address < start + size && address + length > start;
}

static bool may_change(struct mx25l3233f *part, const char *what)
{
    if (part->inhibited) {
        bus_finding(part->bus, "flash", "external flash: %s with too low a supply; ignored", what);
        return false;
    }
    if (part->write_enabled)
        return true;
    bus_finding(part->bus, "flash", "external flash: %s without write enable; ignored", what);
    return false;
}

static void after_operation(struct mx25l3233f *part, enum nor_fault fault)
{
    if (fault != NOR_FAULT_NONE)
        part->work.array = NULL;
    if (fault == NOR_FAULT_CUT)
        part->halted = true;
}

static void erase(struct mx25l3233f *part, uint32_t size, uint32_t us)
{
    if (!may_change(part, "erase"))
        return;
    uint32_t address = part->address & (MX25L3233F_SIZE - 1) & ~(size - 1);
    part->erase_failed = part->otp_mode || is_protected(part, address, size);
    if (part->erase_failed) {
        bus_finding(part->bus, "flash", "external flash: erase at 0x%06x is protected; ignored", address);
        part->write_enabled = false;
        return;
    }
    work(part, WORK_ERASE, us);
    flash_work_begin(&part->work, &part->array, address, size, NULL, us * CYCLES_PER_US);
    after_operation(part, nor_erase(&part->array, address, size));
}

/* Puts the page buffer into the array: the bytes from the start address on, wrapped at the page's end. */
static void program(struct mx25l3233f *part)
{
    if (!part->data || !may_change(part, "program"))
        return;
    uint32_t address = part->address & (MX25L3233F_SIZE - 1);
    struct nor *array = part->otp_mode ? &part->otp : &part->array;
    part->program_failed = part->otp_mode ? otp_locked(part) : is_protected(part, address, 1);
    if (part->program_failed) {
        bus_finding(part->bus, "flash", "external flash: program at 0x%06x is protected; ignored", address);
        part->write_enabled = false;
        return;
    }
    uint32_t first = address % MX25L3233F_PAGE;
    uint32_t size = part->data;
    if (first + size > MX25L3233F_PAGE) {
        address -= first;
        first = 0;
        size = MX25L3233F_PAGE;
    }
    work(part, WORK_PROGRAM, part->times.page_program);
    address %= array->size;
    flash_work_begin(&part->work, array, address, size, part->page + first,
                     part->times.page_program * CYCLES_PER_US);
    after_operation(part, nor_program(array, address, part->page + first, size));
}

static void write_status(struct mx25l3233f *part)
{
    if (!part->data || !may_change(part, "status write"))
        return;
    /* TB can be set once and never cleared. */
    const uint8_t bytes[2] = {
        part->page[0] & SR_STORED,
        (uint8_t)((part->page[1] & CR_STORED) | (stored(part, MX25_CONFIGURATION) & CR_TB))};
    uint32_t size = part->data > 1 ? 2 : 1;
    work(part, WORK_OTHER, part->times.write_status);
    enum nor_fault fault = nor_erase(&part->registers, MX25_STATUS, size);
    if (fault != NOR_FAULT_CUT)
        fault = nor_program(&part->registers, MX25_STATUS, bytes, size);
    after_operation(part, fault);
}

static void lock_otp(struct mx25l3233f *part)
{
    if (!may_change(part, "OTP lock"))
        return;
    work(part, WORK_OTHER, part->times.write_status);
    after_operation(part, nor_program(&part->registers, MX25_LOCK, (const uint8_t[]){0}, 1));
}

static void suspend(struct mx25l3233f *part)
{
    bool can = part->running == WORK_ERASE || (part->running == WORK_PROGRAM && !part->suspended);
    if (!can || part->suspended == WORK_ERASE)
        return;
    part->suspended = part->running;
    part->suspended_cycles = part->busy_until - part->bus->clock.now;
    part->suspended_work = part->work;
    part->work.array = NULL;
    work(part, WORK_OTHER, part->times.suspend);
}

static void resume(struct mx25l3233f *part)
{
    if (!part->suspended)
        return;
    part->running = part->suspended;
    part->suspended = WORK_NONE;
    part->work = part->suspended_work;
    part->busy_until = part->bus->clock.now + part->suspended_cycles;
}

static void spoil(struct mx25l3233f *part, struct flash_work *under_way, uint64_t left)
{
    const struct flash_op *op = &under_way->op;
    if (flash_work_spoil(under_way, left, part->bus->seed))
        bus_finding(part->bus, "flash",
                    "external flash: the supply failed within the %s of %s 0x%06x+%u; it is left half-way",
                    op->kind == NOR_ERASE ? "erase" : "program", op->array, op->address, op->size);
}

void mx25l3233f_supply_fails(struct mx25l3233f *part)
{
    uint64_t now = part->bus->clock.now;
    bool runs = part->running == WORK_PROGRAM || part->running == WORK_ERASE;
    spoil(part, &part->work, runs && now < part->busy_until ? part->busy_until - now : 0);
    spoil(part, &part->suspended_work, part->suspended ? part->suspended_cycles : 0);
    part->running = part->suspended = WORK_NONE;
}

static void clear_volatile(struct mx25l3233f *part)
{
    part->write_enabled = false;
    part->powered_down = false;
    part->otp_mode = false;
    part->reset_enabled = false;
    part->program_failed = false;
    part->erase_failed = false;
    part->running = WORK_NONE;
    part->suspended = WORK_NONE;
    part->work.array = part->suspended_work.array = NULL;
}

static void software_reset(struct mx25l3233f *part)
{
    bool erasing = part->running == WORK_ERASE;
    clear_volatile(part);
    work(part, WORK_OTHER, erasing ? part->times.reset_erasing : part->times.reset);
}

/* Chip select goes up: commands act now. */
static void execute(struct mx25l3233f *part)
{
    bool reset_enabled = part->reset_enabled;
    part->reset_enabled = part->opcode == 0x66;
    switch (part->opcode) {
    case 0x01:
        write_status(part);
        break;
    case 0x02:
    case 0x38:
        program(part);
        break;
    case 0x04:
        part->write_enabled = false;
        break;
    case 0x06:
        part->write_enabled = true;
        break;
    case 0x20:
        erase(part, MX25L3233F_SECTOR, part->times.sector_erase);
        break;
    case 0x2f:
        lock_otp(part);
        break;
    case 0x30:
    case 0x7a:
        resume(part);
        break;
    case 0x52:
        erase(part, 0x8000, part->times.half_block_erase);
        break;
    case 0x60:
    case 0xc7:
        part->address = 0;
        erase(part, MX25L3233F_SIZE, part->times.chip_erase);
        break;
    case 0x75:
    case 0xb0:
        suspend(part);
        break;
    case 0x99:
        if (reset_enabled)
            software_reset(part);
        break;
    case 0xab:
        part->powered_down = false;
        break;
    case 0xb1:
        part->otp_mode = true;
        break;
    case 0xb9:
        part->powered_down = true;
        break;
    case 0xc1:
        part->otp_mode = false;
        break;
    case 0xd8:
        erase(part, 0x10000, part->times.block_erase);
        break;
    default:
        break;
    }
}

/* True if the frame is complete enough to act on: opcode and address whole, no half-sent command. */
static bool frame_complete(const struct mx25l3233f *part)
{
    const struct command *command = part->ignored || !part->count ? NULL : running_command(part);
    if (!command)
        return false;
    if (command->shape == SHAPE_PLAIN)
        return part->count == 1u + command->address;
    return part->opcode == 0xab || part->count >= 1u + command->address;
}

static void select_part(void *self, bool selected)
{
    struct mx25l3233f *part = self;
    if (is_silent(part)) {
        part->selected = false;
        return;
    }
    settle(part);
    if (!selected && part->selected && frame_complete(part))
        execute(part);
    part->selected = selected;
    part->ignored = false;
    part->count = 0;
    part->address = 0;
    part->data = 0;
}

/* The first byte of a frame: decides whether the rest means anything. */
static void take_opcode(struct mx25l3233f *part, uint8_t opcode)
{
    part->opcode = opcode;
    part->command = find_command(opcode);
    const struct command *command = running_command(part);
    part->ignored = true;
    if (!command)
        bus_finding(part->bus, "flash", "external flash: unknown command 0x%02x; ignored", opcode);
    else if (part->powered_down && opcode == 0x05)
        return; /* how controllers find out that the part sleeps: no mistake */
    else if (part->powered_down && opcode != 0xab)
        bus_finding(part->bus, "flash", "external flash: command 0x%02x in deep power-down; ignored", opcode);
    else if (part->running && !command->while_busy)
        bus_finding(part->bus, "flash", "external flash: command 0x%02x while busy; ignored", opcode);
    else if (command->quad && !(stored(part, MX25_STATUS) & SR_QE))
        bus_finding(part->bus, "flash", "external flash: quad command 0x%02x without QE; ignored", opcode);
    else
        part->ignored = false;
    if (command && command->shape == SHAPE_INPUT)
        memset(part->page, 0xff, sizeof part->page);
}

static uint8_t status_register(struct mx25l3233f *part)
{
    settle(part);
    return (uint8_t)((stored(part, MX25_STATUS) & SR_STORED) | (part->running ? SR_WIP : 0) |
                     (part->write_enabled ? SR_WEL : 0));
}

static uint8_t security_register(struct mx25l3233f *part)
{
    return (uint8_t)((otp_locked(part) ? SCUR_LDSO : 0) | (part->suspended == WORK_PROGRAM ? SCUR_PSB : 0) |
                     (part->suspended == WORK_ERASE ? SCUR_ESB : 0) |
                     (part->program_failed ? SCUR_P_FAIL : 0) | (part->erase_failed ? SCUR_E_FAIL : 0));
}

/* The byte a command sends at place `n` of its data phase. */
static uint8_t output(struct mx25l3233f *part, uint32_t n)
{
    static const uint8_t identification[3] = {0xc2, 0x20, 0x16};
    switch (part->opcode) {
    case 0x05:
        return status_register(part);
    case 0x15:
        return stored(part, MX25_CONFIGURATION);
    case 0x2b:
        return security_register(part);
    case 0x5a:
        return part->address + n < sizeof sfdp ? sfdp[part->address + n] : 0xff;
    case 0x90:
        return (part->address + n) & 1 ? 0x15 : 0xc2;
    case 0x9f:
        return identification[n % 3];
    case 0xab:
        return 0x15;
    default:
        if (part->otp_mode) {
            nor_about_to_read(&part->otp, (part->address + n) % MX25L3233F_OTP_SIZE, 1);
            return part->otp.data[(part->address + n) % MX25L3233F_OTP_SIZE];
        }
        nor_about_to_read(&part->array, (part->address + n) % MX25L3233F_SIZE, 1);
        return part->array.data[(part->address + n) % MX25L3233F_SIZE];
    }
}

static void input(struct mx25l3233f *part, uint8_t byte)
{
    bool program = part->opcode == 0x02 || part->opcode == 0x38;
    uint32_t place = (program ? part->address : 0) + part->data;
    part->page[place % MX25L3233F_PAGE] = byte;
    part->data++;
}

static uint32_t header_bytes(struct mx25l3233f *part, const struct command *command)
{
    uint32_t extra = stored(part, MX25_CONFIGURATION) & CR_DC ? command->extra : 0;
    return 1u + command->address + command->dummy + extra;
}

static uint8_t transfer(void *self, uint8_t out, unsigned lines)
{
    struct mx25l3233f *part = self;
    (void)lines;
    if (is_silent(part) || !part->selected)
        return 0xff;
    if (part->ignored)
        return part->powered_down ? RELEASED : 0xff;
    if (!part->count) {
        take_opcode(part, out);
        part->count = 1;
        return 0xff;
    }
    const struct command *command = running_command(part);
    if (part->count < header_bytes(part, command)) {
        if (part->count <= command->address)
            part->address = part->address << 8 | out;
        part->count++;
        return 0xff;
    }
    if (command->shape == SHAPE_OUTPUT)
        return output(part, part->data++);
    if (command->shape == SHAPE_INPUT)
        input(part, out);
    else
        part->count++;
    return 0xff;
}

/* Array reads, nearly all of the traffic, are copied in one go; the rest goes byte by byte. */
static void transfer_block(void *self, const uint8_t *out, uint8_t *in, uint32_t size, unsigned lines)
{
    struct mx25l3233f *part = self;
    for (uint32_t i = 0; i < size; i++) {
        bool array_read = in && part->data && !part->ignored && part->selected && !is_silent(part) &&
                          !part->otp_mode &&
                          (part->opcode == 0x03 || part->opcode == 0x0b || part->opcode == 0x3b ||
                           part->opcode == 0xbb || part->opcode == 0x6b || part->opcode == 0xeb);
        uint32_t from = (part->address + part->data) % MX25L3233F_SIZE;
        if (array_read && size - i <= MX25L3233F_SIZE - from) {
            nor_about_to_read(&part->array, from, size - i);
            memcpy(in + i, part->array.data + from, size - i);
            part->data += size - i;
            return;
        }
        uint8_t got = transfer(part, out ? out[i] : 0xff, lines);
        if (in)
            in[i] = got;
    }
}

static uint64_t busy_until(void *self)
{
    const struct mx25l3233f *part = self;
    if (!part->answers || part->halted)
        return CLOCK_NEVER;
    if (is_silent(part))
        return part->silent_until;
    return part->running ? part->busy_until : 0;
}

/* As the part is delivered: nothing protected, quad mode off, OTP not locked. */
static void set_up_registers(struct mx25l3233f *part)
{
    static const uint8_t delivered[MX25_REGISTERS] = {0, 0, 0xff, 0xff};
    part->registers.registers = true;
    nor_load(&part->registers, 0, delivered, sizeof delivered);
}

int mx25l3233f_init(struct mx25l3233f *part, struct bus *bus, uint8_t csn)
{
    *part = (struct mx25l3233f){
        .bus = bus,
        .answers = true,
        .times = {.page_program = 330,
                  .sector_erase = 25000,
                  .half_block_erase = 140000,
                  .block_erase = 250000,
                  .chip_erase = 10000000,
                  .write_status = 1000,
                  .suspend = 20,
                  .reset = 20,
                  .reset_erasing = 12000},
    };
    if (ports_attach_spi(bus->ports, csn,
                         &(struct spi_device){.select = select_part,
                                              .transfer = transfer,
                                              .transfer_block = transfer_block,
                                              .busy_until = busy_until,
                                              .self = part}))
        return ENOSPC;
    int error = nor_init(&part->array, "external", MX25L3233F_SIZE, MX25L3233F_SECTOR, &bus->signals);
    if (!error)
        error = nor_init(&part->otp, "otp", MX25L3233F_OTP_SIZE, MX25L3233F_OTP_SIZE, &bus->signals);
    if (!error)
        error = nor_init(&part->registers, "status", MX25_REGISTERS, MX25_REGISTERS, &bus->signals);
    if (error)
        mx25l3233f_destroy(part);
    else
        set_up_registers(part);
    return error;
}

void mx25l3233f_destroy(struct mx25l3233f *part)
{
    nor_destroy(&part->array);
    nor_destroy(&part->otp);
    nor_destroy(&part->registers);
}

void mx25l3233f_silence(struct mx25l3233f *part, uint64_t us)
{
    part->silent_until = part->bus->clock.now + us * CYCLES_PER_US;
}

void mx25l3233f_set_supply(struct mx25l3233f *part, uint32_t mv)
{
    if (mv < WRITE_INHIBIT_MV && !part->inhibited)
        mx25l3233f_supply_fails(part);
    part->inhibited = mv < WRITE_INHIBIT_MV;
}

void mx25l3233f_reset(struct mx25l3233f *part)
{
    clear_volatile(part);
    part->halted = false;
    part->selected = false;
    part->ignored = false;
    part->count = 0;
    part->data = 0;
    part->busy_until = 0;
}

void mx25l3233f_save(struct mx25l3233f *part, struct state *state)
{
    nor_save(&part->array, state);
    nor_save(&part->otp, state);
    nor_save(&part->registers, state);
    struct nor *const arrays[] = {&part->array, &part->otp, NULL};
    flash_work_save(&part->work, arrays, state);
    flash_work_save(&part->suspended_work, arrays, state);
    state_var(state, part->times);
    state_var(state, part->answers);
    state_var(state, part->silent_until);
    state_var(state, part->inhibited);
    state_var(state, part->halted);
    state_var(state, part->write_enabled);
    state_var(state, part->powered_down);
    state_var(state, part->otp_mode);
    state_var(state, part->reset_enabled);
    state_var(state, part->program_failed);
    state_var(state, part->erase_failed);
    state_var(state, part->running);
    state_var(state, part->suspended);
    state_var(state, part->busy_until);
    state_var(state, part->suspended_cycles);
    state_var(state, part->selected);
    state_var(state, part->ignored);
    state_var(state, part->count);
    state_var(state, part->opcode);
    state_var(state, part->command);
    state_var(state, part->address);
    state_var(state, part->data);
    state_var(state, part->page);
}
