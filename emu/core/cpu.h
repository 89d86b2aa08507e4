/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cortex-M4F: Unicorn runs the instructions, we do the rest of the processor.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E), Cortex-M4 Technical Reference Manual, nRF52840
 * Product Specification 1.7 'CPU' and 'Memory'.
 *
 * How it runs: the engine runs uncounted; one hook at each block of code adds the block's cycles
 * (core/cycles.h) to virtual time and, when an event is due, an interrupt may be taken or a stop was asked,
 * stops before the block. So interrupts are taken between blocks, never inside one, and where blocks begin
 * depends on the code alone. Faults are precise: the faulting instruction is found again from the block and
 * the registers.
 *
 * Not modelled:
 * - CONTROL read after a floating-point instruction has bit 3 (SFPA) set, which a Cortex-M4 has not: the
 *   engine.
 * - VCVT from fixed point rounds as FPSCR says, where a Cortex-M4 always rounds to nearest: the engine.
 * - An SVC that escalates from within an IT block has the IT state behind it stacked, not its own.
 * - Time within a block of code: a register read sees the time at the block's end.
 * - Lazy FP stacking: frames are stacked eagerly, FPCCR.LSPACT always reads 0.
 * - Imprecise bus faults: stores fault precisely, as with ACTLR.DISDEFWBUF set.
 * - CCR.BFHFNMIGN: a bus fault in HardFault or NMI, or under FAULTMASK, is a lock-up whatever it says.
 * - Halting debug, ITM, TPIU, ETM; DWT but for CYCCNT; FPB. Their registers are storage, one page of it for
 *   all of the private peripheral bus.
 * - Code in the XIP window cannot be fetched (BusFault); the code-RAM alias at 0x00800000 can.
 */
#ifndef SOSIM_CORE_CPU_H
#define SOSIM_CORE_CPU_H

#include "core/bus.h"
#include "core/exception.h"
#include "core/memory_map.h"
#include "core/short_hook.h"

#include <unicorn/unicorn.h>

/* Configurable Fault Status Register bits (B3.2.15). */
enum cfsr_bit {
    CFSR_IACCVIOL = 1u << 0,
    CFSR_DACCVIOL = 1u << 1,
    CFSR_MUNSTKERR = 1u << 3,
    CFSR_MSTKERR = 1u << 4,
    CFSR_MMARVALID = 1u << 7,
    CFSR_IBUSERR = 1u << 8,
    CFSR_PRECISERR = 1u << 9,
    CFSR_UNSTKERR = 1u << 11,
    CFSR_STKERR = 1u << 12,
    CFSR_BFARVALID = 1u << 15,
    CFSR_UNDEFINSTR = 1u << 16,
    CFSR_INVSTATE = 1u << 17,
    CFSR_INVPC = 1u << 18,
    CFSR_NOCP = 1u << 19,
    CFSR_UNALIGNED = 1u << 24,
    CFSR_DIVBYZERO = 1u << 25,
};

enum hfsr_bit {
    HFSR_VECTTBL = 1u << 1,
    HFSR_FORCED = 1u << 30,
    HFSR_DEBUGEVT = 1u << 31,
};

enum ccr_bit {
    CCR_NONBASETHRDENA = 1u << 0,
    CCR_USERSETMPEND = 1u << 1,
    CCR_UNALIGN_TRP = 1u << 3,
    CCR_DIV_0_TRP = 1u << 4,
    CCR_BFHFNMIGN = 1u << 8,
    CCR_STKALIGN = 1u << 9,
};

enum scr_bit {
    SCR_SLEEPONEXIT = 1u << 1,
    SCR_SLEEPDEEP = 1u << 2,
    SCR_SEVONPEND = 1u << 4,
};

/* A page with one CLREX, which only we run: the engine can close its exclusive monitor in no other way. */
#define CLREX_BASE 0x9ffff000u

/* System control block registers that are plain state. */
struct scb {
    uint32_t vtor;
    uint32_t scr;
    uint32_t ccr;
    uint32_t shcsr; /* the enable bits only; active and pending are derived */
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t mmfar;
    uint32_t bfar;
    uint32_t cpacr;
    uint32_t fpccr;
    uint32_t fpcar;
    uint32_t fpdscr;
    uint32_t actlr;
    uint32_t demcr;
};

struct systick {
    uint32_t ctrl; /* ENABLE, TICKINT, CLKSOURCE; COUNTFLAG at bit 16 */
    uint32_t load;
    uint64_t zero_at; /* cycle at which the count reaches 0, while enabled */
    uint32_t value;   /* the count while disabled */
    struct event wrap;
};

struct dwt {
    uint32_t ctrl;
    uint64_t base;  /* CYCCNT = cycles since this, while counting */
    uint32_t value; /* while not counting */
};

#define MPU_REGIONS         8
#define MPU_CTRL_ENABLE     1u
#define MPU_CTRL_HFNMIENA   2u
#define MPU_CTRL_PRIVDEFENA 4u

struct mpu {
    uint32_t ctrl;
    uint32_t rnr;
    uint32_t rbar[MPU_REGIONS];
    uint32_t rasr[MPU_REGIONS];
};

/* Why cpu_run returned. */
enum cpu_stop {
    CPU_STOP_TIME,   /* the cycle asked for was reached */
    CPU_STOP_ASKED,  /* cpu_stop was called */
    CPU_STOP_RESET,  /* AIRCR.SYSRESETREQ, lock-up, or a block asked for a reset: cpu.reset_cause */
    CPU_STOP_HELD,   /* the CPU must not run: cpu_ports.held */
    CPU_STOP_ENGINE, /* the engine failed: cpu.failure says how (our limit, not the guest's) */
};

/* Facts about one block of code, found when it is first seen. */
struct block_info {
    uint32_t address;
    uint16_t size;
    uint16_t cycles;
    uint16_t fetch; /* extra cycles when the flash cache is off */
    uint16_t flags; /* enum block_flag */
};

#define BLOCK_CACHE_BITS 14
#define CPU_TRAIL        32 /* last block addresses kept for reports */

/* How the chip around the CPU answers; set by the machine. */
struct cpu_ports {
    /* A store by the CPU into internal flash or UICR. -1: bus fault. */
    int (*store_flash)(void *context, uint32_t address, unsigned size, uint32_t value);
    /* A load from the XIP window. -1: bus fault. */
    int (*load_xip)(void *context, uint32_t offset, unsigned size, uint32_t *value);
    /* True if the flash cache is on (NVMC.ICACHECNF). */
    bool (*cache_on)(void *context);
    /* True while the CPU must not run: System OFF, reset held, no power. */
    bool (*held)(void *context);
    /* The CPU enters or leaves sleep. */
    void (*sleeps)(void *context, bool asleep);
    void *context;
};

struct cpu_region {
    struct cpu *cpu;
    uint32_t base;
};

#define CPU_MAX_REGIONS 192

/* Speed tricks that must not change any result; each can be switched off. */
struct cpu_speed {
    bool inline_stores;    /* core/fast_store.h */
    bool direct_registers; /* core/precise.h */
    bool short_hooks;      /* core/short_hook.h */
    bool skip_spins;       /* core/spin.h, core/checksum.h */
    bool hot_loops;        /* core/hot_loop.h; looked for where spins are, with skip_spins */
    bool replay_loops;     /* core/replay.h */
};

/* To initialise one. */
#define CPU_ALL_TRICKS                                                                                       \
    {                                                                                                        \
        .inline_stores = true, .direct_registers = true, .short_hooks = true, .skip_spins = true,            \
        .hot_loops = true, .replay_loops = true                                                              \
    }

/* Watches for the start of a block of code; see cpu_watch. */
#define CPU_MAX_WATCHES 16

/* Registers that can be read or written at once; see cpu_regs. */
#define CPU_SEVERAL 24

struct cpu {
    struct block_log log; /* core/short_hook.h */
    uc_engine *uc;
    struct bus *bus;
    uint8_t *flash; /* the engine's view: the array of soc->flash */
    uint32_t flash_size;
    uint8_t *ram;
    uint32_t ram_size;
    struct cpu_ports ports;
    struct cpu_speed speed;

    struct exceptions exc;
    struct scb scb;
    struct systick systick;
    struct dwt dwt;
    struct mpu mpu;
    bool event_register;   /* for WFE */
    uint64_t pending_seen; /* exceptions known to be pending, for SEVONPEND */
    bool sleeping;         /* WFI or WFE, or SLEEPONEXIT, until an interrupt (or event) */
    bool sleep_for_event;
    bool locked_up;
    unsigned waited;     /* blocks that the end of the run waited for the monitor to be closed */
    bool monitor_open;   /* an LDREX ran, and since then no STREX, CLREX, exception or return */
    uint32_t ppb[0x400]; /* storage of unmodelled private peripheral words, by (address >> 2) & 0x3ff */

    /* Run control. */
    uint64_t until;
    bool stop_asked;
    bool reset_asked;
    enum reset_cause reset_cause;
    char failure[160];

    /* Between hooks and the run loop; never outlive one trip through the engine. */
    int intno; /* of the last UC_HOOK_INTR, -1: none */
    bool fault_pending;
    uint32_t fault_address;
    unsigned fault_size;
    uint8_t fault_kind;    /* enum cpu_access */
    bool fault_is_precise; /* PC and state are those before the instruction */
    bool careful_next;     /* the next block is to be run carefully */
    /* That block: the engine need not translate the rest of it after each instruction. */
    uint32_t careful_from, careful_to;
    bool careful;       /* executing one instruction: the block hook only watches */
    bool careful_begun; /* and that instruction has begun */
    bool hook_stopped;  /* the block hook stopped the engine before a block */

    unsigned exception;     /* IPSR: the exception that is handled, 0 in thread mode */
    uint32_t block_address; /* block being run */
    uint32_t expected;      /* its end, where the next one begins if no branch is taken */
    struct block_info *blocks;
    uint8_t *ram_code;    /* a byte a 4 KiB RAM page: code was run from it */
    uint8_t *flash_code;  /* likewise for flash, until the page changes */
    bool flash_watched;   /* pages of flash that are read are noted: cpu_watch_flash() */
    uint8_t *ran_code;    /* likewise: bit 0 in the present window of time, bit 1 in the one before */
    uint64_t ran_window;  /* cycle at which the present window ends */
    uint64_t ran_windows; /* how many there were */
    bool cache_is_on;     /* copy of NVMC.ICACHECNF, refreshed when time is looked at */

    uint64_t spin_at; /* cycle from which on it is seen if the CPU spins */
    unsigned spins_in_vain;
    struct hot_loops *hot_loops; /* NULL: none yet */

    struct short_hooks *short_hooks; /* NULL: none yet */
    struct replay *replay;           /* NULL: off */
    bool replay_next;                /* the block hook stopped for it */

    uint32_t trail[CPU_TRAIL];
    uint64_t trail_next;
    uint32_t translated; /* halfwords of code, since the engine was last told to forget all of it */

    struct {
        uint32_t address;
        void (*fn)(void *context, struct cpu *cpu, uint32_t address);
        void *context;
    } watch[CPU_MAX_WATCHES];
    unsigned watches;
    unsigned watch_changes; /* how often they were changed */

    struct cpu_region regions[CPU_MAX_REGIONS];
    unsigned region_count;
    uc_hook ram_hook; /* ram_watch.c */
    /* Learnt by fast_store.c: the engine's CPU object and functions. */
    void *engine_cpu;
    void *engine_set_page;
    void *engine_set_dirty;
    size_t disassembler;    /* access.c: Capstone's handle, 0 until needed */
    uint16_t careful_flags; /* blocks with any of these (enum block_flag) run instruction by instruction */
    bool careful_always;    /* all blocks do: the MPU is on */
};

enum cpu_access {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_FETCH,
};

/* Makes the engine and maps memory and every block now on the bus. Returns 0 or -1 with cpu->failure set.
 * The arrays stay the caller's. */
int cpu_init(struct cpu *cpu, struct bus *bus, uint8_t *flash, uint32_t flash_size, uint8_t *ram,
             uint32_t ram_size, const struct cpu_ports *ports, const struct cpu_speed *speed);
void cpu_destroy(struct cpu *cpu);

/* Takes the reset exception: state as after reset, SP and PC from the vector table at 0. */
void cpu_reset(struct cpu *cpu);

/* Runs until the clock reaches `until` (cycles) or something stops it. */
enum cpu_stop cpu_run(struct cpu *cpu, uint64_t until);

/* Makes cpu_run return CPU_STOP_ASKED before the next block; for observers and actions. */
void cpu_stop(struct cpu *cpu);

/* Calls `fn` before each block that contains `address`; if the run stops there (cpu_stop()), again when it
 * goes on. Returns 0, or -1 when there is no room. */
int cpu_watch(struct cpu *cpu, uint32_t address, void (*fn)(void *, struct cpu *, uint32_t), void *context);
void cpu_unwatch_all(struct cpu *cpu);

/* Core register by number: 0–12, 13 SP, 14 LR, 15 PC, 16 xPSR. */
uint32_t cpu_reg(const struct cpu *cpu, unsigned number);
void cpu_set_reg(struct cpu *cpu, unsigned number, uint32_t value);

/* Several registers of 32 bits at once, at most CPU_SEVERAL, which takes a fraction of the time; by the
 * engine's numbers (enum uc_arm_reg), which the first function gives. They are written in their order; not
 * the PC, which stops the engine. */
int cpu_reg_id(unsigned number);
void cpu_regs(const struct cpu *cpu, const int *ids, uint32_t *values, unsigned count);
void cpu_set_regs(struct cpu *cpu, const int *ids, const uint32_t *values, unsigned count);

/* The block addresses run last, oldest first; returns how many (at most CPU_TRAIL). */
unsigned cpu_trail(const struct cpu *cpu, uint32_t *addresses);

/* True if one of those begins in [from, to). */
bool cpu_runs(const struct cpu *cpu, uint32_t from, uint32_t to);

/* True if code was run from a flash page of [from, to) within the last one to two seconds, in this machine: a
 * state that was put back does not tell. */
bool cpu_ran(const struct cpu *cpu, uint32_t from, uint32_t to);

/* To be called when bytes that may hold translated code were changed behind the engine's back. */
void cpu_code_changed(struct cpu *cpu, uint32_t address, uint32_t size);

/* Reads memory as the CPU sees it, without side effects (flash and RAM only). Returns 0 or -1. */
int cpu_peek(const struct cpu *cpu, uint32_t address, void *bytes, uint32_t size);
int cpu_poke(struct cpu *cpu, uint32_t address, const void *bytes, uint32_t size);

/* Notes from now on which pages of internal flash the guest reads or runs (core/nor.h); where the engine does
 * not let us see that, all of them count as read. 0 or ENOMEM. Calling it again starts anew. */
int cpu_watch_flash(struct cpu *cpu);

void cpu_save(struct cpu *cpu, struct state *state);

/* In handler mode a branch to here and above is a return: its target is EXC_RETURN. */
#define EXC_RETURN_LEAST 0xf0000000u

/* The engine's numbers for what it cannot do itself (UC_HOOK_INTR). */
enum engine_interrupt {
    ENGINE_SVC = 2,
    ENGINE_PREFETCH_ABORT = 3,
    ENGINE_DATA_ABORT = 4, /* an address that is not aligned as it must be */
    ENGINE_BKPT = 7,
    ENGINE_EXCEPTION_RETURN = 8,
};

/* --- between the files of the CPU -------------------------------------------------------------------------
 */

/* exception_entry.c: takes exception `number`; the PC to return to is `return_pc`. */
void cpu_take_exception(struct cpu *cpu, unsigned number, uint32_t return_pc);
/* exception_entry.c: an EXC_RETURN value was loaded into the PC. */
void cpu_exception_return(struct cpu *cpu, uint32_t exc_return);
/* exception_entry.c: a fault of `number` with status bits; escalates as B1.5.14 says. */
void cpu_fault(struct cpu *cpu, unsigned number, uint32_t cfsr_bits, uint32_t return_pc);
void cpu_hard_fault(struct cpu *cpu, uint32_t hfsr_bits, uint32_t return_pc);
/* exception_entry.c: closes the exclusive monitor (A3.4), as each exception entry and return does. */
void cpu_close_monitor(struct cpu *cpu);
/* exception_entry.c: puts the engine into a mode: IPSR, and CONTROL as it is in thread mode. */
void cpu_set_mode(struct cpu *cpu, unsigned exception, uint32_t control);
/* exception_entry.c: the engine takes CONTROL.FPCA for no FP context if the bit 3 that it adds is not set
 * too, and would then clear FPSCR. Sets it; true if it had to. */
bool cpu_mend_control(struct cpu *cpu);
void cpu_set_control(struct cpu *cpu, uint32_t control);
struct exception_masks cpu_masks(const struct cpu *cpu);
/* exception_entry.c: the exception that preempts what is being executed, or 0. */
unsigned cpu_preempting(const struct cpu *cpu);
bool cpu_privileged(const struct cpu *cpu);

/* scs.c: the private peripheral bus; where the CPU may not access it there is a bus fault. */
bool scs_allows(const struct cpu *cpu, uint32_t address);
uint32_t scs_read(struct cpu *cpu, uint32_t address, unsigned size);
void scs_write(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value);
/* True for the registers of the MPU. */
bool scs_is_mpu(uint32_t address);
void scs_reset(struct cpu *cpu);
void scs_init(struct cpu *cpu);
void scs_save(struct cpu *cpu, struct state *state);

/* careful.c: runs the block at the PC instruction by instruction with every check of the architecture. */
void cpu_careful_block(struct cpu *cpu);
/* careful.c: recomputes which blocks need that, after a change of CCR, CPACR or MPU_CTRL. */
void cpu_update_careful(struct cpu *cpu);
/* careful.c: the instruction of the block being run that made this access; its address, or the block's. */
uint32_t cpu_find_access(struct cpu *cpu, uint32_t address, enum cpu_access access);
/* cpu_hooks.c: maps the machine into the engine and hooks it. 0, or -1 with cpu->failure. */
int cpu_join_engine(struct cpu *cpu);
/* cpu_hooks.c: true when cpu_run has to return. */
bool cpu_must_stop(const struct cpu *cpu);
/* cpu_hooks.c: the MPU's view of a register access; memory is checked in careful mode. */
bool cpu_mpu_refuses(const struct cpu *cpu, uint32_t address, enum cpu_access access);
/* cpu_hooks.c: the CPU reads or writes a register that it may access, as of clock.now. 0, or -1 for a fault.
 */
int cpu_load(struct cpu *cpu, uint32_t address, unsigned size, uint32_t *value);
int cpu_store(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value);
/* cpu_hooks.c: true if the page has registers of a peripheral or of the CPU; FICR and UICR do not count. */
bool cpu_is_register(const struct cpu *cpu, uint32_t address);
/* cpu_hooks.c: an access by the code that runs, aligned, which may stop it or fault. */
uint32_t cpu_read_register(struct cpu *cpu, uint32_t address, unsigned size);
void cpu_write_register(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value);
/* cpu_hooks.c: true if it is time to look for a spin at this block, and there may be one. */
bool cpu_may_spin(struct cpu *cpu, uint32_t address);
/* cpu_hooks.c: begins to note anew which pages run. */
void cpu_start_ran_window(struct cpu *cpu);
/* cpu.c: keeps what went wrong with the engine in cpu->failure; returns -1. */
int cpu_engine_failed(struct cpu *cpu, const char *what, uc_err error);
/* cpu_run.c: lets the engine run from `pc` until it stops by itself or reaches `stop_at`. */
uc_err cpu_engine_run(struct cpu *cpu, uint32_t pc, uint64_t stop_at);
/* cpu_hooks.c: what is known of the flash block at an address that was run before, or NULL. */
const struct block_info *cpu_block(const struct cpu *cpu, uint32_t address);
/* cpu_hooks.c: true if somebody watches for an address in the block. */
bool cpu_is_watched(const struct cpu *cpu, const struct block_info *info);
/* cpu_hooks.c: cycles that running the block takes, if the code before it ended at `expected`. */
uint32_t cpu_block_cycles(const struct cpu *cpu, const struct block_info *info, uint32_t expected);
/* cpu_hooks.c: a load or store with an address that is not aligned as it must be; does not return where
 * precise.c can abort. */
void cpu_unaligned(struct cpu *cpu);
/* cpu_run.c: takes what the engine left behind (exceptions, faults, sleep) into account. */
void cpu_after_engine(struct cpu *cpu, uc_err error);

/* cpu.c: the CPU is about to load `size` bytes: gives unstable cells of flash values anew. True if the page
 * has some, so that each load from it has to be seen. */
bool cpu_flash_unstable(struct cpu *cpu, uint32_t address, uint32_t size);

/* cpu_hooks.c: looks at events, stop requests and interrupts; true if one of them goes first. */
bool cpu_look_around(struct cpu *cpu);
/* cpu_hooks.c: the cycle at which there is something to look at, if nobody asks for it sooner. */
uint64_t cpu_next_look(const struct cpu *cpu);
/* cpu_run.c: with SEVONPEND, each exception that becomes pending is an event (B1.5.18). */
void cpu_note_pending(struct cpu *cpu);

/* mpu.c: true if the access is allowed. */
bool mpu_allows(const struct cpu *cpu, uint32_t address, enum cpu_access access, bool privileged);

#endif
