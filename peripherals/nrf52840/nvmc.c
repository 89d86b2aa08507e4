/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/nvmc.h"

#include <string.h>

enum {
    READY = 0x400,
    READYNEXT = 0x408,
    CONFIG = 0x504,
    ERASEPAGE = 0x508, /* also called ERASEPCR1 */
    ERASEALL = 0x50c,
    ERASEPCR0 = 0x510,
    ERASEUICR = 0x514,
    ERASEPAGEPARTIAL = 0x518,
    ERASEPAGEPARTIALCFG = 0x51c,
    ICACHECNF = 0x540,
    IHIT = 0x548,
    IMISS = 0x54c,
};

enum {
    CONFIG_WEN = 1,
    CONFIG_EEN = 2,
};

#define WRITE_CYCLES      (41 * CYCLES_PER_US)
#define ERASE_PAGE_MS     85u
#define ERASE_PAGE_CYCLES (ERASE_PAGE_MS * CYCLES_PER_MS)
#define ERASE_ALL_CYCLES  (169 * CYCLES_PER_MS)
#define NO_PAGE           UINT32_MAX

static const struct reg regs[] = {
    {"READY", READY, REG_R, 1, 0, 0},
    {"READYNEXT", READYNEXT, REG_R, 1, 0, 0},
    {"CONFIG", CONFIG, REG_RW, 0, 0, 0},
    {"ERASEPAGE", ERASEPAGE, REG_W, 0, 0, 0},
    {"ERASEALL", ERASEALL, REG_W, 0, 0, 0},
    {"ERASEPCR0", ERASEPCR0, REG_W, 0, 0, 0},
    {"ERASEUICR", ERASEUICR, REG_W, 0, 0, 0},
    {"ERASEPAGEPARTIAL", ERASEPAGEPARTIAL, REG_W, 0, 0, 0},
    {"ERASEPAGEPARTIALCFG", ERASEPAGEPARTIALCFG, REG_RW, 10, 0, 0},
    {"ICACHECNF", ICACHECNF, REG_RW, 0, 0, 0},
    {"IHIT", IHIT, REG_RW, 0, 0, 0},
    {"IMISS", IMISS, REG_RW, 0, 0, 0},
};

static uint32_t config(const struct nvmc *nvmc)
{
    return block_get(&nvmc->block, CONFIG) & 3;
}

static void wait_ready(struct nvmc *nvmc)
{
    struct clock *clock = &nvmc->block.bus->clock;
    if (clock->now < nvmc->busy_until)
        clock_stall(clock, nvmc->busy_until - clock->now);
}

/* Lets an operation take its time: the CPU waits for it if it needs flash to go on. */
static void spend(struct nvmc *nvmc, uint64_t cycles)
{
    struct bus *bus = nvmc->block.bus;
    if (!bus->fetching_flash || bus->fetching_flash(bus->fetching_flash_context))
        clock_stall(&bus->clock, cycles);
    else
        nvmc->busy_until = bus->clock.now + cycles;
}

/* Keeps what a failing supply within the operation needs to know. */
static void begin_work(struct nvmc *nvmc, struct nor *array, uint32_t address, uint32_t size,
                       const uint8_t *bytes, uint64_t cycles)
{
    flash_work_begin(&nvmc->work, array, address, size, bytes, cycles);
    nvmc->work_ends = nvmc->block.bus->clock.now + cycles;
}

/* The operation that was begun has been applied, or a fault plan has seen to it that it was not. */
static void do_work(struct nvmc *nvmc, enum nor_fault fault, uint64_t cycles)
{
    if (fault != NOR_FAULT_NONE)
        nvmc->work.array = NULL;
    if (fault != NOR_FAULT_CUT)
        spend(nvmc, cycles);
}

void nvmc_supply_fails(struct nvmc *nvmc, uint64_t at)
{
    struct bus *bus = nvmc->block.bus;
    const struct flash_op *op = &nvmc->work.op;
    if (flash_work_spoil(&nvmc->work, at < nvmc->work_ends ? nvmc->work_ends - at : 0, bus->seed))
        bus_finding(bus, "nvmc", "the supply failed within the %s of %s 0x%06x+%u; it is left half-way",
                    op->kind == NOR_ERASE ? "erase" : "write", op->array, op->address, op->size);
}

void nvmc_brownout(void *self)
{
    struct nvmc *nvmc = self;
    nvmc_supply_fails(nvmc, nvmc->block.bus->clock.now);
}

/* True, with a finding, if the supply is too low for `what`. */
static bool supply_forbids(struct nvmc *nvmc, const char *what)
{
    if (!power_warns(nvmc->power))
        return false;
    bus_finding(nvmc->block.bus, "nvmc", "%s below the supply voltage that POFCON sets; not done", what);
    return true;
}

/* True, with a finding, if a store has no effect. */
static bool store_ignored(struct nvmc *nvmc, uint32_t address)
{
    struct bus *bus = nvmc->block.bus;
    if (config(nvmc) != CONFIG_WEN) {
        bus_finding(bus, "nvmc", "store to flash at 0x%08x without NVMC.CONFIG.WEN; ignored", address);
        return true;
    }
    if (address >= NVMC_FICR_BASE && address < NVMC_UICR_BASE) {
        bus_finding(bus, "nvmc", "store to read-only FICR at 0x%08x; ignored", address);
        return true;
    }
    if (address < nvmc->flash->size && !acl_allows_write(&nvmc->acl, address)) {
        bus_finding(bus, "nvmc", "store to flash at 0x%08x, which ACL protects; ignored", address);
        return true;
    }
    return supply_forbids(nvmc, "store to flash");
}

/* The array that holds the word at an address; `offset` gets its place there. NULL: none. */
static struct nor *array_at(const struct nvmc *nvmc, uint32_t address, uint32_t *offset)
{
    struct nor *array = address >= NVMC_UICR_BASE ? nvmc->uicr : nvmc->flash;
    *offset = address >= NVMC_UICR_BASE ? address - NVMC_UICR_BASE : address;
    return *offset < array->size ? array : NULL;
}

int nvmc_store(struct nvmc *nvmc, uint32_t address, unsigned size, uint32_t value)
{
    if (store_ignored(nvmc, address))
        return 0;
    uint32_t offset;
    struct nor *array = array_at(nvmc, address, &offset);
    if (!array || size != 4 || address % 4) {
        bus_finding(nvmc->block.bus, "nvmc", "store of %u bytes to flash at 0x%08x; only whole words can be",
                    size, address);
        return -1;
    }
    wait_ready(nvmc);
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                              (uint8_t)(value >> 24)};
    begin_work(nvmc, array, offset, 4, bytes, WRITE_CYCLES);
    do_work(nvmc, nor_program(array, offset, bytes, 4), WRITE_CYCLES);
    return 0;
}

/* True if the page may be erased now; waits for the operation before. */
static bool erase_allowed(struct nvmc *nvmc, uint32_t page)
{
    struct bus *bus = nvmc->block.bus;
    if (config(nvmc) != CONFIG_EEN) {
        bus_finding(bus, "nvmc", "erase without NVMC.CONFIG.EEN; ignored");
        return false;
    }
    if (page != NO_PAGE && page >= nvmc->flash->size) {
        bus_finding(bus, "nvmc", "erase of page 0x%08x, which is not in flash; ignored", page);
        return false;
    }
    if (supply_forbids(nvmc, "erase"))
        return false;
    bool allowed = page == NO_PAGE ? !acl_protects_any(&nvmc->acl) : acl_allows_write(&nvmc->acl, page);
    if (!allowed)
        bus_finding(bus, "nvmc", "erase of flash that ACL protects; ignored");
    else
        wait_ready(nvmc);
    return allowed;
}

static void erase_page(struct nvmc *nvmc, uint32_t address)
{
    uint32_t page = address & ~(nvmc->flash->page - 1);
    if (!erase_allowed(nvmc, page))
        return;
    begin_work(nvmc, nvmc->flash, page, nvmc->flash->page, NULL, ERASE_PAGE_CYCLES);
    do_work(nvmc, nor_erase(nvmc->flash, page, nvmc->flash->page), ERASE_PAGE_CYCLES);
}

static void erase_partly(struct nvmc *nvmc, uint32_t address)
{
    uint32_t page = address & ~(nvmc->flash->page - 1);
    if (!erase_allowed(nvmc, page))
        return;
    if (page != nvmc->partial_page)
        nvmc->partial_ms = 0;
    nvmc->partial_page = page;
    uint32_t ms = block_get(&nvmc->block, ERASEPAGEPARTIALCFG) & 0x7f;
    nvmc->partial_ms += ms;
    if (nvmc->partial_ms >= ERASE_PAGE_MS) {
        nvmc->partial_page = NO_PAGE;
        if (nor_erase(nvmc->flash, page, nvmc->flash->page) == NOR_FAULT_CUT)
            return;
    }
    spend(nvmc, ms * CYCLES_PER_MS);
}

static void erase_uicr(struct nvmc *nvmc)
{
    if (!erase_allowed(nvmc, 0))
        return;
    begin_work(nvmc, nvmc->uicr, 0, nvmc->uicr->size, NULL, ERASE_PAGE_CYCLES);
    do_work(nvmc, nor_erase(nvmc->uicr, 0, nvmc->uicr->size), ERASE_PAGE_CYCLES);
}

static void erase_all(struct nvmc *nvmc)
{
    if (!erase_allowed(nvmc, NO_PAGE))
        return;
    if (nor_erase(nvmc->flash, 0, nvmc->flash->size) == NOR_FAULT_CUT)
        return;
    if (nor_erase(nvmc->uicr, 0, nvmc->uicr->size) != NOR_FAULT_CUT)
        spend(nvmc, ERASE_ALL_CYCLES);
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct nvmc *nvmc = self;
    if (offset == READY || offset == READYNEXT)
        return nvmc->block.bus->clock.now >= nvmc->busy_until;
    return block_get(&nvmc->block, offset);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct nvmc *nvmc = self;
    switch (offset) {
    case CONFIG:
        block_set(&nvmc->block, offset, value & 3);
        break;
    case ERASEPAGE:
    case ERASEPCR0:
        erase_page(nvmc, value);
        break;
    case ERASEPAGEPARTIAL:
        erase_partly(nvmc, value);
        break;
    case ERASEALL:
        if (value & 1)
            erase_all(nvmc);
        break;
    case ERASEUICR:
        if (value & 1)
            erase_uicr(nvmc);
        break;
    case ERASEPAGEPARTIALCFG:
        block_set(&nvmc->block, offset, value & 0x7f);
        break;
    case ICACHECNF:
        block_set(&nvmc->block, offset, value & 0x101);
        clock_kick(&nvmc->block.bus->clock); /* the next block of code takes other cycles */
        break;
    default: /* READY, READYNEXT; the cache counters stay 0 */
        break;
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct nvmc *nvmc = self;
    (void)cause;
    nvmc->busy_until = 0;
    nvmc->work.array = NULL;
    nvmc->work_ends = 0;
    nvmc->partial_page = NO_PAGE;
    nvmc->partial_ms = 0;
}

static void save(void *self, struct state *state)
{
    struct nvmc *nvmc = self;
    state_var(state, nvmc->busy_until);
    state_var(state, nvmc->partial_page);
    state_var(state, nvmc->partial_ms);
    /* What is over must not keep states apart that are else the same. */
    if (!state->loading && nvmc->block.bus->clock.now >= nvmc->work_ends) {
        nvmc->work.array = NULL;
        nvmc->work_ends = 0;
    }
    state_var(state, nvmc->work_ends);
    flash_work_save(&nvmc->work, (struct nor *const[]){nvmc->flash, nvmc->uicr, NULL}, state);
}

void nvmc_init(struct nvmc *nvmc, struct bus *bus, struct nor *flash, struct nor *uicr,
               const struct power *power)
{
    memset(nvmc, 0, sizeof *nvmc);
    nvmc->flash = flash;
    nvmc->uicr = uicr;
    nvmc->power = power;
    block_init(&nvmc->block, bus, 0x4001e000u, -1);
    block_add_face(&nvmc->block, &(struct face){
                                     .name = "NVMC",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .plain = true,
                                     .reset = reset,
                                     .read = read,
                                     .write = write,
                                     .save = save,
                                     .self = nvmc,
                                 });
    acl_init(&nvmc->acl, &nvmc->block);
}

bool nvmc_cache_on(const struct nvmc *nvmc)
{
    return block_get(&nvmc->block, ICACHECNF) & 1;
}
