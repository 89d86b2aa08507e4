/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/module_set.h"

#include <string.h>
#include <zlib.h>

#include "image/bytes.h"

#define SOFTDEVICE_INFO         0x2000u /* from the SoftDevice's start */
#define SOFTDEVICE_MAGIC_AT     0x04u
#define SOFTDEVICE_MAGIC        0x51b1e5dbu
#define SOFTDEVICE_SIZE_AT      0x08u /* MBR included, so it is the end address */
#define SOFTDEVICE_FWID_AT      0x0cu
#define SOFTDEVICE_INFO_PRESENT 0x10u
#define BLANK_PROBE             0x400u

static const struct module *find_in_set(const struct module *const *set, size_t count,
                                        const struct module_dependency *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (set[i]->function == wanted->function && set[i]->index == wanted->index) {
            return set[i];
        }
    }
    return NULL;
}

size_t modules_check_dependencies(const struct module *const *set, size_t count, struct text_lines *report)
{
    size_t unmet = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 2; j++) {
            const struct module_dependency *wanted = &set[i]->dependencies[j];
            if (wanted->function == MODULE_FUNCTION_NONE) {
                continue;
            }
            const struct module *there = find_in_set(set, count, wanted);
            if (there && there->version >= wanted->version) {
                continue;
            }
            char who[64];
            char what[64];
            module_describe(set[i]->function, set[i]->index, set[i]->version, who, sizeof(who));
            module_describe(wanted->function, wanted->index, wanted->version, what, sizeof(what));
            unmet++;
            if (there) {
                text_lines_add(report, "%s needs %s or later; there is version %u", who, what,
                               there->version);
            } else {
                text_lines_add(report, "%s needs %s or later; there is none", who, what);
            }
        }
    }
    return unmet;
}

static bool find_softdevice(const uint8_t *flash, size_t size, struct module_found *found)
{
    /* Only the MBR's end is a place for a SoftDevice, and its information structure has a magic number. */
    size_t info = (size_t)found->address + SOFTDEVICE_INFO;
    if (found->address != MBR_SIZE || info + SOFTDEVICE_INFO_PRESENT > size ||
        read_le32(flash + info + SOFTDEVICE_MAGIC_AT) != SOFTDEVICE_MAGIC) {
        return false;
    }
    found->presence = MODULE_PRESENT;
    found->function = MODULE_FUNCTION_RADIO_STACK;
    found->version = read_le16(flash + info + SOFTDEVICE_FWID_AT);
    found->end = read_le32(flash + info + SOFTDEVICE_SIZE_AT);
    return true;
}

static bool find_module(const uint8_t *flash, size_t size, struct module_found *found)
{
    size_t at = found->address;
    size_t header_at = at + module_header_offset(read_le32(flash + at));
    if (header_at + MODULE_HEADER_SIZE > size) {
        return false;
    }
    const uint8_t *header = flash + header_at;
    uint32_t start = read_le32(header);
    uint32_t end = read_le32(header + 4);
    unsigned function = header[14];
    if (start != found->address || end <= header_at || end > size - MODULE_CRC_SIZE ||
        !module_function_name(function)) {
        return false;
    }
    found->presence = MODULE_PRESENT;
    found->end = end;
    found->version = read_le16(header + 10);
    found->platform = read_le16(header + 12);
    found->function = (uint8_t)function;
    found->index = header[15];
    found->has_crc = true;
    found->crc_good = (uint32_t)crc32(0, flash + start, (uInt)(end - start)) == read_be32(flash + end);
    return true;
}

void module_find_in_flash(const uint8_t *flash, size_t size, const uint32_t *starts, size_t count,
                          struct module_found *found)
{
    for (size_t i = 0; i < count; i++) {
        memset(&found[i], 0, sizeof(found[i]));
        found[i].address = starts[i];
        if (size < BLANK_PROBE || starts[i] > size - BLANK_PROBE) {
            continue;
        }
        if (bytes_are_erased(flash + starts[i], BLANK_PROBE)) {
            continue;
        }
        if (!find_module(flash, size, &found[i]) && !find_softdevice(flash, size, &found[i])) {
            found[i].presence = MODULE_UNREADABLE;
        }
    }
}

static bool is_in_module(const uint8_t *flash, size_t size, const struct board_slot *slot, uint32_t address)
{
    struct module_found found;
    module_find_in_flash(flash, size, &slot->address, 1, &found);
    return found.presence == MODULE_PRESENT && found.function == slot->function && address >= found.address &&
           address < found.end;
}

const struct board_slot *module_slot_at(const struct board_images *board, const uint8_t *flash, size_t size,
                                        uint32_t address)
{
    const struct board_slot *in = NULL;
    for (size_t i = 0; i < board->slot_count; i++) {
        const struct board_slot *slot = &board->slots[i];
        if (address - slot->address < slot->size && (!in || is_in_module(flash, size, slot, address))) {
            in = slot;
        }
    }
    return in;
}
