/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flash_fault.h"

#include "core/bus.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_SIZE     4u
#define DISTURB_REACH 256u /* bytes on either side in which a bit is disturbed */
#define VARIANT_MOST  9999u

struct name_pair {
    const char *array, *text;
};

static const struct name_pair arrays[] = {
    {"internal", "int"}, {"uicr", "uicr"}, {"external", "ext"}, {"otp", "otp"}};

struct kind_row {
    char letter;
    bool has_variant;
    const char *name;
};

static const struct kind_row kinds[FLASH_FAULT_KINDS] = {
    [FLASH_CUT_BEFORE] = {'b', false, "before"}, [FLASH_TORN] = {'t', true, "torn"},
    [FLASH_CUT_AFTER] = {'a', false, "after"},   [FLASH_DROPPED] = {'x', false, "dropped"},
    [FLASH_DOUBLED] = {'w', false, "doubled"},   [FLASH_DISTURBED] = {'d', true, "disturbed"},
    [FLASH_WORN] = {'s', true, "worn"},          [FLASH_UNSTABLE] = {'u', true, "unstable"},
};

/* --- ids ------------------------------------------------------------------------------------------------
 */

const char *flash_array_short(const char *array)
{
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (!strcmp(array, arrays[i].array))
            return arrays[i].text;
    }
    return array;
}

const char *flash_fault_kind_name(enum flash_fault_kind kind)
{
    return kinds[kind].name;
}

const char *flash_array_named(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (strlen(arrays[i].text) == length && !memcmp(arrays[i].text, text, length))
            return arrays[i].array;
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int bad_id(const char *id, struct diag *why)
{
    diag_set(why,
             "\"%s\" is no point of a sweep: an array (int, uicr, ext, otp), a colon, the number of an "
             "operation, and b, t1, t1u, a, x, w, d1, s1 or u1",
             id);
    return -1;
}

int flash_fault_parse(const char *id, struct flash_fault *fault, struct diag *why)
{
    const char *colon = strchr(id, ':');
    char *end;
    unsigned kind = 0;
    *fault = (struct flash_fault){0};
    fault->array = colon ? flash_array_named(id, (size_t)(colon - id)) : NULL;
    if (!fault->array || !is_digit(colon[1]))
        return bad_id(id, why);
    errno = 0;
    fault->number = strtoull(colon + 1, &end, 10);
    while (kind < FLASH_FAULT_KINDS && kinds[kind].letter != *end)
        kind++;
    if (errno || !fault->number || !*end || kind == FLASH_FAULT_KINDS)
        return bad_id(id, why);
    fault->kind = (enum flash_fault_kind)kind;
    const char *rest = end + 1;
    if (kinds[kind].has_variant) {
        if (!is_digit(*rest))
            return bad_id(id, why);
        unsigned long variant = strtoul(rest, &end, 10);
        if (!variant || variant > VARIANT_MOST)
            return bad_id(id, why);
        fault->variant = (unsigned)variant;
        rest = end;
    }
    if (fault->kind == FLASH_TORN && *rest == 'u') {
        fault->unstable = true;
        rest++;
    }
    return *rest ? bad_id(id, why) : 0;
}

char *flash_fault_id(const struct flash_fault *fault, char id[FLASH_FAULT_ID_SIZE])
{
    int used = snprintf(id, FLASH_FAULT_ID_SIZE, "%.12s:%" PRIu64 "%c", flash_array_short(fault->array),
                        fault->number, kinds[fault->kind].letter);
    if (kinds[fault->kind].has_variant)
        snprintf(id + used, FLASH_FAULT_ID_SIZE - (size_t)used, "%u%s", fault->variant,
                 fault->unstable ? "u" : "");
    return id;
}

/* --- what is left in the cells --------------------------------------------------------------------------
 */

/* A random stream of its own for each operation and way to tear it. */
static uint64_t stream_of(const struct flash_op *op, unsigned variant, uint64_t seed)
{
    return seed ^ digest_text(op->array) ^ (op->number << 20) ^ ((uint64_t)variant << 8) ^ (uint64_t)op->kind;
}

/* Those of the bits to be cleared that are cleared. */
static uint32_t subset(uint32_t clearing, unsigned variant, uint64_t *stream)
{
    uint32_t chosen = 0;
    bool odd = false;
    if (variant == 3)
        return clearing & (~clearing + 1);
    for (uint32_t left = clearing; left; left &= left - 1) {
        uint32_t bit = left & (~left + 1);
        bool last = !(left & (left - 1));
        bool take = variant == 1 ? !odd : variant == 2 ? odd : variant == 4 ? !last : random_next(stream) & 1;
        chosen |= take ? bit : 0;
        odd = !odd;
    }
    return chosen;
}

static void tear_word(uint8_t *cells, uint32_t size, const uint8_t *bytes, unsigned variant, uint64_t *stream)
{
    uint32_t clearing = 0;
    for (uint32_t i = 0; i < size; i++)
        clearing |= (uint32_t)(uint8_t)(cells[i] & ~bytes[i]) << 8 * i;
    clearing = subset(clearing, variant, stream);
    for (uint32_t i = 0; i < size; i++)
        cells[i] &= (uint8_t) ~(clearing >> 8 * i);
}

/* How many bytes of a longer program are done; `stream` gives the random ones. */
static uint32_t whole_bytes(const struct flash_op *op, unsigned variant, uint64_t *stream)
{
    return variant == 1   ? op->size / 2
           : variant == 2 ? 1
           : variant == 3 ? op->size - 1
                          : random_next(stream) % op->size;
}

static void tear_program(uint8_t *cells, const struct flash_op *op, const uint8_t *bytes, unsigned variant,
                         uint64_t *stream)
{
    uint32_t whole = whole_bytes(op, variant, stream);
    for (uint32_t i = 0; i < whole; i++)
        cells[i] &= bytes[i];
    if (variant != 3 || whole + 1 < op->size)
        tear_word(cells + whole, 1, bytes + whole, 1, stream);
}

/* Sets a share of the bits, in 256ths. */
static void set_share(uint8_t *cells, uint32_t size, uint32_t share, uint64_t *stream)
{
    for (uint32_t i = 0; i < size; i++) {
        uint8_t set = 0;
        for (unsigned half = 0; half < 2; half++) {
            uint32_t random = random_next(stream);
            for (unsigned bit = 0; bit < 4; bit++)
                set |= (random >> 8 * bit & 0xff) < share ? (uint8_t)(1u << (4 * half + bit)) : 0;
        }
        cells[i] |= set;
    }
}

static void tear_erase(uint8_t *cells, const struct flash_op *op, unsigned variant, uint64_t *stream)
{
    uint32_t share = variant == 1   ? 128
                     : variant == 2 ? 16
                     : variant == 3 ? 240
                                    : 1 + random_next(stream) % 255;
    set_share(cells, op->size, share, stream);
}

void flash_tear(uint8_t *cells, const struct flash_op *op, const uint8_t *bytes, unsigned variant,
                uint64_t seed)
{
    uint64_t stream = stream_of(op, variant, seed);
    if (!op->size)
        return;
    if (op->kind == NOR_ERASE)
        tear_erase(cells, op, variant, &stream);
    else if (op->size <= WORD_SIZE)
        tear_word(cells, op->size, bytes, variant, &stream);
    else
        tear_program(cells, op, bytes, variant, &stream);
}

void flash_tear_as(uint8_t *cells, const struct flash_op *op, const uint8_t *bytes,
                   const struct flash_tear *tear, uint64_t seed)
{
    uint64_t stream = stream_of(op, tear->value, seed);
    switch (tear->way) {
    case TEAR_VARIANT:
        flash_tear(cells, op, bytes, tear->value, seed);
        break;
    case TEAR_BITS:
        for (uint32_t i = 0; bytes && i < op->size && i < WORD_SIZE; i++)
            cells[i] &= (uint8_t)(bytes[i] | ~(tear->value >> 8 * i));
        break;
    case TEAR_BYTES:
        for (uint32_t i = 0; bytes && i < op->size && i < tear->value; i++)
            cells[i] &= bytes[i];
        break;
    case TEAR_SHARE:
        if (op->kind == NOR_ERASE)
            set_share(cells, op->size, tear->value, &stream);
        break;
    }
}

/* First byte and number of bytes of a torn program that were under way when power went. */
static void under_way(const struct flash_op *op, const struct flash_tear *tear, uint64_t seed, uint32_t *from,
                      uint32_t *size)
{
    uint64_t stream = stream_of(op, tear->value, seed);
    *from = 0;
    *size = op->size < WORD_SIZE ? op->size : WORD_SIZE;
    if (tear->way == TEAR_BITS || op->size <= WORD_SIZE)
        return;
    *from = tear->way == TEAR_BYTES ? tear->value : whole_bytes(op, tear->value, &stream);
    *size = *from < op->size;
}

void flash_tear_unstable(const uint8_t *cells, const struct flash_op *op, const uint8_t *bytes,
                         const struct flash_tear *tear, uint64_t seed,
                         void (*mark)(void *context, uint32_t offset, uint8_t bits), void *context)
{
    uint64_t stream = stream_of(op, tear->value, ~seed);
    uint32_t from = 0, size = op->size;
    bool erase = op->kind == NOR_ERASE;
    if (!op->size)
        return;
    if (!erase)
        under_way(op, tear, seed, &from, &size);
    for (uint32_t i = from; i < from + size; i++) {
        uint8_t changing = (uint8_t)(erase ? ~cells[i] : cells[i] & ~bytes[i]);
        uint32_t random = random_next(&stream);
        uint8_t bits = (uint8_t)(changing & (erase ? random & random >> 8 & random >> 16 : random));
        if (bits)
            mark(context, i, bits);
    }
}

struct marking {
    struct nor *nor;
    uint32_t address;
};

static void unsettle(void *context, uint32_t offset, uint8_t bits)
{
    const struct marking *marking = context;
    nor_unsettle(marking->nor, marking->address + offset, bits);
}

void flash_tear_array(struct nor *nor, const struct flash_op *op, const uint8_t *bytes,
                      const struct flash_tear *tear, uint64_t seed)
{
    struct marking marking = {nor, op->address};
    uint8_t *cells = nor->data + op->address;
    if (tear->unstable)
        flash_tear_unstable(cells, op, bytes, tear, seed, unsettle, &marking);
    flash_tear_as(cells, op, bytes, tear, seed);
}

/* --- faults that leave power on -------------------------------------------------------------------------
 */

static void apply_doubled(struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    uint32_t next = op->address + op->size;
    nor_apply(nor, op, bytes);
    if (op->kind == NOR_PROGRAM && op->size <= nor->size - next) {
        struct flash_op again = *op;
        again.address = next;
        nor_apply(nor, &again, bytes);
        nor_changed(nor, next, op->size);
    }
}

static void apply_disturbed(struct nor *nor, const struct flash_op *op, const uint8_t *bytes,
                            unsigned variant, uint64_t seed)
{
    uint64_t stream = stream_of(op, variant, seed);
    nor_apply(nor, op, bytes);
    uint32_t from = op->address > DISTURB_REACH ? op->address - DISTURB_REACH : 0;
    uint32_t to = op->address + op->size + DISTURB_REACH;
    to = to < nor->size ? to : nor->size;
    uint32_t at = from + random_next(&stream) % (to - from);
    nor->data[at] &= (uint8_t) ~(1u << random_next(&stream) % 8);
    nor_changed(nor, at, 1);
}

static void apply_worn(struct nor *nor, const struct flash_op *op, const uint8_t *bytes, unsigned cells,
                       uint64_t seed)
{
    uint64_t stream = stream_of(op, cells, seed);
    uint32_t page = op->address & ~(nor->page - 1);
    uint32_t size = nor->page < nor->size - page ? nor->page : nor->size - page;
    nor_apply(nor, op, bytes);
    for (unsigned i = 0; i < cells; i++)
        nor_stick(nor, page + random_next(&stream) % size, random_next(&stream) % 8, false);
}

/* Bits of a byte that the operation is about. */
static uint8_t meant(const struct flash_op *op, const uint8_t *bytes, uint32_t i)
{
    return op->kind == NOR_ERASE ? 0xff : (uint8_t)~bytes[i];
}

/* Too weak a write: cells that it should have changed are neither here nor there; if it changes none, others.
 */
static void apply_unstable(struct nor *nor, const struct flash_op *op, const uint8_t *bytes, unsigned cells,
                           uint64_t seed)
{
    uint64_t stream = stream_of(op, cells, seed);
    nor_apply(nor, op, bytes);
    for (unsigned i = 0; i < cells; i++) {
        uint32_t place = random_next(&stream) % op->size;
        for (uint32_t tries = 0; tries < op->size && !meant(op, bytes, place); tries++)
            place = (place + 1) % op->size;
        unsigned bits = meant(op, bytes, place) ? meant(op, bytes, place) : 0xff;
        unsigned bit = random_next(&stream) % 8;
        while (!(bits >> bit & 1))
            bit = (bit + 1) % 8;
        nor_unsettle(nor, op->address + place, (uint8_t)(1u << bit));
    }
}

enum nor_fault flash_strike(const struct flash_fault *fault, uint64_t seed, struct nor *nor,
                            const struct flash_op *op, const uint8_t *bytes)
{
    const struct flash_tear tear = {TEAR_VARIANT, fault->variant, fault->unstable};
    switch (fault->kind) {
    case FLASH_CUT_BEFORE:
    case FLASH_DROPPED:
    case FLASH_FAULT_KINDS:
        break;
    case FLASH_TORN:
        flash_tear_array(nor, op, bytes, &tear, seed);
        break;
    case FLASH_CUT_AFTER:
        nor_apply(nor, op, bytes);
        break;
    case FLASH_DOUBLED:
        apply_doubled(nor, op, bytes);
        break;
    case FLASH_DISTURBED:
        apply_disturbed(nor, op, bytes, fault->variant, seed);
        break;
    case FLASH_WORN:
        apply_worn(nor, op, bytes, fault->variant, seed);
        break;
    case FLASH_UNSTABLE:
        apply_unstable(nor, op, bytes, fault->variant, seed);
        break;
    }
    /* Dropped, for the array: what was to happen has happened already. */
    return fault->kind > FLASH_CUT_AFTER ? NOR_FAULT_DROP : NOR_FAULT_CUT;
}

/* --- a plan ---------------------------------------------------------------------------------------------
 */

enum nor_fault flash_plan_ask(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    struct flash_plan *plan = context;
    if (plan->cut)
        return NOR_FAULT_CUT;
    if (plan->done || op->number != plan->fault.number || strcmp(op->array, plan->fault.array) != 0 ||
        !op->size)
        return NOR_FAULT_NONE;
    plan->done = true;
    enum nor_fault fault = flash_strike(&plan->fault, plan->seed, nor, op, bytes);
    if (fault != NOR_FAULT_CUT)
        return fault;
    plan->cut = true;
    if (plan->lost)
        plan->lost(plan->lost_context);
    return NOR_FAULT_CUT;
}
