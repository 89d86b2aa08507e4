/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/bus.h"

#include "core/memory_map.h"
#include "core/nor.h"
#include "core/ports.h"
#include "core/ram_watch.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE 0x1000u

int bus_init(struct bus *bus, uint8_t *ram, uint32_t ram_size, uint64_t seed)
{
    memset(bus, 0, sizeof *bus);
    clock_init(&bus->clock);
    signals_init(&bus->signals, &bus->clock.now);
    bus->ram = ram;
    bus->ram_size = ram_size;
    bus->seed = seed;
    for (unsigned i = 0; i < BUS_PINS; i++) {
        char name[16];
        snprintf(name, sizeof name, "P%u.%02u", i / 32, i % 32);
        wire_init(&bus->pin[i], name);
    }
    bus->ports = calloc(1, sizeof *bus->ports);
    return bus->ports ? 0 : ENOMEM;
}

void bus_destroy(struct bus *bus)
{
    free(bus->ports);
    bus->ports = NULL;
}

void bus_reset(struct bus *bus, enum reset_cause cause)
{
    for (unsigned i = 0; i < bus->blocks; i++)
        block_reset(bus->block[i], cause);
}

static void save_block(struct block *block, struct state *state)
{
    state_var(state, block->inten);
    state_var(state, block->word);
    state_var(state, block->logged);
    for (unsigned f = 0; f < block->faces; f++) {
        if (block->face[f].save)
            block->face[f].save(block->face[f].self, state);
    }
}

void bus_save(struct bus *bus, struct state *state)
{
    for (unsigned i = 0; i < BUS_PINS; i++)
        wire_save(&bus->pin[i], state);
    state_var(state, bus->told);
    state_var(state, bus->tolds);
    for (unsigned i = 0; i < bus->blocks; i++)
        save_block(bus->block[i], state);
}

/* The table entry for a page, or NULL for an address outside the peripheral ranges. */
static uint8_t *page_entry(struct bus *bus, uint32_t address)
{
    if (address >= APB_BASE && address < APB_BASE + sizeof bus->page_apb * PAGE_SIZE)
        return &bus->page_apb[(address - APB_BASE) / PAGE_SIZE];
    if (address >= AHB_BASE && address < AHB_BASE + sizeof bus->page_ahb * PAGE_SIZE)
        return &bus->page_ahb[(address - AHB_BASE) / PAGE_SIZE];
    if (address >= INFO_BASE && address < INFO_BASE + sizeof bus->page_info * PAGE_SIZE)
        return &bus->page_info[(address - INFO_BASE) / PAGE_SIZE];
    return address - ROM_TABLE_BASE < PAGE_SIZE ? &bus->page_rom_table : NULL;
}

static struct block *block_at(const struct bus *bus, uint32_t address)
{
    const uint8_t *entry = page_entry((struct bus *)bus, address);
    return entry && *entry ? bus->block[*entry - 1] : NULL;
}

void block_init(struct block *block, struct bus *bus, uint32_t base, int irq)
{
    memset(block, 0, sizeof *block);
    block->bus = bus;
    block->base = base;
    block->irq = irq;
    uint8_t *entry = page_entry(bus, base);
    assert(entry && !*entry && bus->blocks < BUS_MAX_BLOCKS);
    bus->block[bus->blocks++] = block;
    *entry = (uint8_t)bus->blocks;
}

static uint32_t reg_stride(const struct reg *reg)
{
    return reg->stride ? reg->stride : 4u;
}

static uint32_t reg_count(const struct reg *reg)
{
    return reg->count ? reg->count : 1u;
}

static void list_register(struct block *block, const struct reg *reg, uint16_t bit, uint32_t writable[32])
{
    for (uint32_t n = 0; n < reg_count(reg); n++) {
        uint32_t word = (reg->offset + n * reg_stride(reg)) / 4;
        block->listed[word] |= bit;
        if (reg->access & REG_W)
            writable[word / 32] |= 1u << word % 32;
    }
}

static void note_read_only(struct block *block, const struct reg *reg, uint16_t bit,
                           const uint32_t writable[32])
{
    for (uint32_t n = 0; n < reg_count(reg) && !(reg->access & REG_W); n++) {
        uint32_t word = (reg->offset + n * reg_stride(reg)) / 4;
        if (!(writable[word / 32] & 1u << word % 32))
            block->read_only[word] |= bit;
    }
}

void block_add_face(struct block *block, const struct face *face)
{
    assert(block->faces < BLOCK_FACES);
    unsigned number = block->faces++;
    uint16_t bit = (uint16_t)(1u << number);
    uint32_t writable[32] = {0}; /* one bit a word: two registers can be at one offset, one for each way */
    block->face[number] = *face;
    for (size_t i = 0; i < face->reg_count; i++)
        list_register(block, &face->regs[i], bit, writable);
    for (size_t i = 0; i < face->reg_count; i++)
        note_read_only(block, &face->regs[i], bit, writable);
}

void block_reset(struct block *block, enum reset_cause cause)
{
    block->inten = 0;
    memset(block->word, 0, sizeof block->word);
    for (unsigned f = 0; f < block->faces; f++) {
        const struct face *face = &block->face[f];
        for (size_t i = 0; i < face->reg_count; i++) {
            for (uint32_t n = 0; n < reg_count(&face->regs[i]); n++)
                block->word[(face->regs[i].offset + n * reg_stride(&face->regs[i])) / 4] =
                    face->regs[i].reset;
        }
    }
    for (unsigned f = 0; f < block->faces; f++) {
        if (block->face[f].reset)
            block->face[f].reset(block->face[f].self, cause);
    }
    block_update_irq(block);
}

/* The face that an access goes to: the first active one that lists the word. */
static const struct face *face_for(const struct block *block, uint32_t offset)
{
    uint16_t listed = block->listed[offset / 4];
    if (block->faces == 1 && listed && !block->face[0].active)
        return &block->face[0];
    for (unsigned f = 0; listed; f++, listed >>= 1) {
        const struct face *face = &block->face[f];
        if ((listed & 1) && (!face->active || face->active(face->self)))
            return face;
    }
    return NULL;
}

/* An unlisted register is logged once by name and kept as storage. */
static void note_unlisted(struct block *block, uint32_t offset, const char *verb)
{
    uint32_t word = offset / 4;
    if (block->listed[word] || block->logged[word / 32] & 1u << word % 32)
        return;
    block->logged[word / 32] |= 1u << word % 32;
    bus_finding(block->bus, "bus", "%s of unmodelled register %s+0x%03x (0x%08x); kept as storage", verb,
                block->faces ? block->face[0].name : "?", offset, block->base + offset);
}

static bool is_event(const struct face *face, uint32_t offset)
{
    return !face->plain && offset >= 0x100 && offset < 0x200;
}

static uint32_t block_read(struct block *block, uint32_t offset)
{
    note_unlisted(block, offset, "read");
    const struct face *face = face_for(block, offset);
    if (!face || is_event(face, offset))
        return block_get(block, offset);
    if (!face->plain) {
        if (offset >= REG_INTEN && offset <= REG_INTENCLR)
            return block->inten;
        if (offset < 0x100)
            return 0;
    }
    return face->read ? face->read(face->self, offset) : block_get(block, offset);
}

/* The task/event part that all Nordic peripherals share. Returns false if the write is the face's own. */
static bool write_common(struct block *block, const struct face *face, uint32_t offset, uint32_t value)
{
    if (offset < 0x100) {
        if (value & 1 && face->task)
            face->task(face->self, offset / 4);
        return true;
    }
    if (offset < 0x200)
        block_set(block, offset, value & 1);
    else if (offset == REG_INTEN)
        block->inten = value;
    else if (offset == REG_INTENSET)
        block->inten |= value;
    else if (offset == REG_INTENCLR)
        block->inten &= ~value;
    else if (offset == REG_SHORTS)
        block_set(block, offset, value);
    else
        return false;
    block_update_irq(block);
    if (face->changed)
        face->changed(face->self);
    return true;
}

static void block_write(struct block *block, uint32_t offset, uint32_t value)
{
    note_unlisted(block, offset, "write");
    const struct face *face = face_for(block, offset);
    if (face && block->read_only[offset / 4] & 1u << (face - block->face))
        return;
    if (face && !face->plain && write_common(block, face, offset, value))
        return;
    if (face && face->write)
        face->write(face->self, offset, value);
    else
        block_set(block, offset, value);
    /* A write to ENABLE can hand the page to another face. */
    const struct face *now = face_for(block, offset);
    if (now && now != face && now->changed)
        now->changed(now->self);
}

int bus_read(struct bus *bus, uint32_t address, unsigned size, uint32_t *value)
{
    struct block *block = block_at(bus, address);
    if (!block)
        return -1;
    if (block->watched)
        bus->watch(bus->watch_context, address, false);
    uint32_t word = block_read(block, address & (PAGE_SIZE - 4));
    *value = size == 4 ? word : (word >> 8 * (address & 3)) & (size == 2 ? 0xffffu : 0xffu);
    return 0;
}

int bus_write(struct bus *bus, uint32_t address, unsigned size, uint32_t value)
{
    struct block *block = block_at(bus, address);
    if (!block)
        return -1;
    if (block->watched)
        bus->watch(bus->watch_context, address, true);
    uint32_t offset = address & (PAGE_SIZE - 4);
    if (size != 4) {
        uint32_t shift = 8 * (address & 3);
        uint32_t mask = (size == 2 ? 0xffffu : 0xffu) << shift;
        value = (block_get(block, offset) & ~mask) | (value << shift & mask);
    }
    trace_note(&bus->signals, (uint64_t)address << 32 | value);
    block_write(block, offset, value);
    return 0;
}

bool bus_has_block(const struct bus *bus, uint32_t address)
{
    return block_at(bus, address) != NULL;
}

bool bus_steady(const struct bus *bus, uint32_t address, uint32_t *value)
{
    const struct block *block = block_at(bus, address);
    uint32_t offset = address & (PAGE_SIZE - 1);
    const struct face *face = block ? face_for(block, offset) : NULL;
    if (!face || !is_event(face, offset) || block->watched)
        return false;
    *value = block_get(block, offset);
    return true;
}

void bus_task(struct bus *bus, uint32_t address)
{
    struct block *block = block_at(bus, address);
    uint32_t offset = address & (PAGE_SIZE - 1);
    const struct face *face = block && offset < 0x100 ? face_for(block, offset) : NULL;
    if (!face)
        bus_finding(bus, "ppi", "PPI triggers 0x%08x, which is no task", address);
    else if (face->task)
        face->task(face->self, offset / 4);
}

void block_update_irq(struct block *block)
{
    if (block->irq < 0 || !block->bus->irq)
        return;
    bool level = false;
    for (uint32_t enabled = block->inten; enabled && !level; enabled &= enabled - 1)
        level = block->word[0x40 + (unsigned)__builtin_ctz(enabled)] != 0;
    block->bus->irq(block->bus->irq_context, (unsigned)block->irq, level);
}

static void run_shortcuts(struct block *block, unsigned event)
{
    uint32_t enabled = block_get(block, REG_SHORTS);
    for (unsigned f = 0; enabled && f < block->faces; f++) {
        const struct face *face = &block->face[f];
        if (!face->shorts || (face->active && !face->active(face->self)))
            continue;
        for (const struct shortcut *s = face->shorts; s->event != 0xff; s++) {
            if (s->event == event && enabled & 1u << s->bit)
                face->task(face->self, s->task);
        }
    }
}

void block_event(struct block *block, unsigned n)
{
    block->word[0x40 + n] = 1;
    if (n < 32 && block->inten & 1u << n)
        block_update_irq(block);
    if (block->bus->ppi)
        block->bus->ppi(block->bus->ppi_context, block->base + EVENT_OFFSET(n));
    run_shortcuts(block, n);
}

/* RAM is visible to DMA at its data address only; flash can be read by the blocks whose EasyDMA allows it. */
static uint8_t *dma_place(struct bus *bus, uint32_t address, uint32_t size, bool writing)
{
    if (address >= RAM_BASE && address - RAM_BASE <= bus->ram_size &&
        size <= bus->ram_size - (address - RAM_BASE)) {
        if (bus->ram_wanted)
            bus->ram_wanted(bus->ram_wanted_context);
        ram_note(bus, address - RAM_BASE, size, writing ? RAM_SEEN_WRITTEN : RAM_SEEN_READ);
        return bus->ram + (address - RAM_BASE);
    }
    if (!writing && bus->flash && address <= bus->flash->size && size <= bus->flash->size - address) {
        nor_about_to_read(bus->flash, address, size);
        return bus->flash->data + address;
    }
    return NULL;
}

int dma_read(struct bus *bus, uint32_t address, void *bytes, uint32_t size)
{
    const uint8_t *place = dma_place(bus, address, size, false);
    if (place) {
        memcpy(bytes, place, size);
        return 0;
    }
    memset(bytes, 0, size);
    if (size)
        bus_finding(bus, "dma", "DMA reads %u bytes at 0x%08x, where no memory is", size, address);
    return size ? -1 : 0;
}

int dma_write(struct bus *bus, uint32_t address, const void *bytes, uint32_t size)
{
    uint8_t *place = dma_place(bus, address, size, true);
    if (!place) {
        if (size)
            bus_finding(bus, "dma", "DMA writes %u bytes at 0x%08x, where no RAM is", size, address);
        return size ? -1 : 0;
    }
    memcpy(place, bytes, size);
    if (bus->ram_written)
        bus->ram_written(bus->ram_written_context, address, size);
    return 0;
}

/* Finds the register of a face that covers an offset; `index` gets its place in an array. */
static const struct reg *find_reg(const struct face *face, uint32_t offset, uint32_t *index)
{
    for (size_t i = 0; i < face->reg_count; i++) {
        const struct reg *reg = &face->regs[i];
        for (uint32_t n = 0; n < reg_count(reg); n++) {
            if (reg->offset + n * reg_stride(reg) == offset) {
                *index = n;
                return reg;
            }
        }
    }
    return NULL;
}

static void format_reg(char *text, size_t size, const struct face *face, const struct reg *reg,
                       uint32_t index)
{
    /* "SEQ[].PTR" in the list stands for SEQ[0].PTR, SEQ[1].PTR …; without brackets the index goes last. */
    const char *hole = strstr(reg->name, "[]");
    if (hole)
        snprintf(text, size, "%s.%.*s[%u]%s", face->name, (int)(hole - reg->name), reg->name, index,
                 hole + 2);
    else if (reg->count > 1)
        snprintf(text, size, "%s.%s[%u]", face->name, reg->name, index);
    else
        snprintf(text, size, "%s.%s", face->name, reg->name);
}

const char *bus_register_name(const struct bus *bus, uint32_t address, char *text, size_t size)
{
    const struct block *block = block_at(bus, address);
    uint32_t offset = address & (PAGE_SIZE - 4);
    const struct face *face = block ? face_for(block, offset) : NULL;
    for (unsigned f = 0; block && !face && f < block->faces; f++) {
        if (block->listed[offset / 4] & 1u << f)
            face = &block->face[f];
    }
    uint32_t index = 0;
    const struct reg *reg = face ? find_reg(face, offset, &index) : NULL;
    if (reg)
        format_reg(text, size, face, reg, index);
    else
        snprintf(text, size, "0x%08x", address);
    return text;
}

static uint32_t face_address(const struct block *block, const struct face *face, const char *name)
{
    size_t length = strlen(face->name);
    if (strncmp(name, face->name, length) || name[length] != '.')
        return 0;
    for (size_t i = 0; i < face->reg_count; i++) {
        const struct reg *reg = &face->regs[i];
        /* Most names differ before any number, and need not be written out. */
        if (strncmp(name + length + 1, reg->name, strcspn(reg->name, "[")))
            continue;
        for (uint32_t n = 0; n < reg_count(reg); n++) {
            char text[64];
            format_reg(text, sizeof text, face, reg, n);
            if (!strcmp(text, name))
                return block->base + reg->offset + n * reg_stride(reg);
        }
    }
    return 0;
}

uint32_t bus_register_address(const struct bus *bus, const char *name)
{
    for (unsigned b = 0; b < bus->blocks; b++) {
        for (unsigned f = 0; f < bus->block[b]->faces; f++) {
            uint32_t address = face_address(bus->block[b], &bus->block[b]->face[f], name);
            if (address)
                return address;
        }
    }
    return 0;
}

void bus_finding(struct bus *bus, const char *topic, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    uint64_t digest = digest_text(text);
    for (unsigned i = 0; i < bus->tolds; i++) {
        if (bus->told[i] == digest)
            return;
    }
    if (bus->tolds == BUS_FINDINGS)
        return;
    bus->told[bus->tolds++] = digest;
    struct finding finding = {.topic = topic, .text = text};
    if (bus->tolds == BUS_FINDINGS)
        finding = (struct finding){.topic = "findings", .text = "there are more, which are not told"};
    signal_emit(&bus->signals, SIGNAL_FINDING, digest, &finding);
}

struct wire *bus_psel_wire(struct bus *bus, uint32_t psel)
{
    return psel & 1u << 31 ? NULL : &bus->pin[psel & 63];
}

uint32_t random_next(uint64_t *state)
{
    /* splitmix64: any seed, also 0, gives a full-period stream. */
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)(z >> 32 ^ z >> 11);
}
