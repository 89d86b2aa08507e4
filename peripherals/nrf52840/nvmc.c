/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/nvmc.h"

#include "core/flash_fault.h"

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
#define TORN_WORD         5u /* the way a word is torn: a random subset (core/flash_fault.h) */

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

/* Keeps what a brown-out within the operation needs to know. */
static void begin_work(struct nvmc *nvmc, struct nor *array, enum nor_kind kind, uint32_t address,
                       uint32_t size, const uint8_t *bytes, uint64_t cycles)
{
    struct nvmc_work *work = &nvmc->work;
    uint64_t now = nvmc->block.bus->clock.now;
    work->array = size <= sizeof work->before ? array : NULL;
    if (!work->array)
        return;
    work->op = (struct flash_op){.array = array->name,
                                 .number = array->operations + 1,
                                 .kind = kind,
                                 .address = address,
                                 .size = size};
    work->began = now;
    work->ends = now + cycles;
    memcpy(work->before, array->data + address, size);
    if (bytes)
        memcpy(work->bytes, bytes, sizeof work->bytes);
}

void nvmc_brownout(void *self)
{
    struct nvmc *nvmc = self;
    struct nvmc_work *work = &nvmc->work;
    struct bus *bus = nvmc->block.bus;
    uint64_t now = bus->clock.now;
    if (!work->array || now >= work->ends || now < work->began)
        return;
    bool erase = work->op.kind == NOR_ERASE;
    uint32_t share = (uint32_t)(256 * (now - work->began) / (work->ends - work->began));
    const struct flash_tear tear = {erase ? TEAR_SHARE : TEAR_VARIANT, erase ? share : TORN_WORD, false};
    flash_tear_as(work->before, &work->op, erase ? NULL : work->bytes, &tear, bus->seed);
    nor_load(work->array, work->op.address, work->before, work->op.size);
    bus_finding(bus, "nvmc", "the supply failed within the %s of %s 0x%06x+%u; it is left half-way",
                erase ? "erase" : "write", work->op.array, work->op.address, work->op.size);
    work->array = NULL;
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
    begin_work(nvmc, array, NOR_PROGRAM, offset, 4, bytes, WRITE_CYCLES);
    if (nor_program(array, offset, bytes, 4) != NOR_FAULT_CUT)
        spend(nvmc, WRITE_CYCLES);
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
    begin_work(nvmc, nvmc->flash, NOR_ERASE, page, nvmc->flash->page, NULL, ERASE_PAGE_CYCLES);
    if (nor_erase(nvmc->flash, page, nvmc->flash->page) != NOR_FAULT_CUT)
        spend(nvmc, ERASE_PAGE_CYCLES);
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
    begin_work(nvmc, nvmc->uicr, NOR_ERASE, 0, nvmc->uicr->size, NULL, ERASE_PAGE_CYCLES);
    if (nor_erase(nvmc->uicr, 0, nvmc->uicr->size) != NOR_FAULT_CUT)
        spend(nvmc, ERASE_PAGE_CYCLES);
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
    nvmc->partial_page = NO_PAGE;
    nvmc->partial_ms = 0;
}

/* The array is told by a number: pointers are of this machine only. */
static void save_work(struct nvmc *nvmc, struct state *state)
{
    struct nvmc_work *work = &nvmc->work;
    uint8_t array = work->array == nvmc->flash ? 1 : work->array == nvmc->uicr ? 2 : 0;
    state_var(state, array);
    if (state->loading)
        work->array = array == 1 ? nvmc->flash : array == 2 ? nvmc->uicr : NULL;
    if (!array)
        return;
    state_var(state, work->op);
    work->op.array = work->array ? work->array->name : NULL;
    state_var(state, work->began);
    state_var(state, work->ends);
    state_var(state, work->before);
    state_var(state, work->bytes);
}

static void save(void *self, struct state *state)
{
    struct nvmc *nvmc = self;
    state_var(state, nvmc->busy_until);
    state_var(state, nvmc->partial_page);
    state_var(state, nvmc->partial_ms);
    save_work(nvmc, state);
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
