/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF32, little-endian, ARM: offsets are those of Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr and Elf32_Sym. */
#include <stdlib.h>
#include <string.h>

#include "image/bytes.h"
#include "image/loadable_formats.h"

#define EHDR_SIZE 52u
#define PHDR_SIZE 32u
#define SHDR_SIZE 40u
#define SYM_SIZE  16u

#define ET_EXEC    2u
#define EM_ARM     40u
#define PT_LOAD    1u
#define SHT_SYMTAB 2u
#define SHT_STRTAB 3u
#define STT_FUNC   2u
#define STB_GLOBAL 1u
#define STB_WEAK   2u
#define STT_FILE   4u

/* A table of equal entries inside the file, checked to lie within it. */
struct table {
    const uint8_t *at;
    size_t entry_size;
    size_t count;
};

static bool lies_within(uint64_t offset, uint64_t size, size_t len)
{
    return offset <= len && size <= len - offset;
}

static bool find_table(const uint8_t *data, size_t len, uint32_t offset, size_t entry_size, size_t count,
                       struct table *table)
{
    table->at = data + (offset <= len ? offset : 0);
    table->entry_size = entry_size;
    table->count = count;
    return lies_within(offset, (uint64_t)entry_size * count, len);
}

static int check_header(const uint8_t *data, size_t len, struct diag *why)
{
    if (len < EHDR_SIZE) {
        diag_set(why, "truncated: %zu bytes are fewer than the ELF header has (%u)", len, EHDR_SIZE);
        return LOADABLE_BAD_FILE;
    }
    if (data[4] != 1 || data[5] != 1) {
        diag_set(why, "not a 32-bit little-endian ELF file");
        return LOADABLE_BAD_FILE;
    }
    unsigned type = read_le16(data + 16);
    unsigned machine = read_le16(data + 18);
    if (machine != EM_ARM) {
        diag_set(why, "ELF file for machine %u, not for ARM (%u)", machine, EM_ARM);
        return LOADABLE_BAD_FILE;
    }
    if (type != ET_EXEC) {
        diag_set(why, "ELF file of type %u, not an executable (%u): link it first", type, ET_EXEC);
        return LOADABLE_BAD_FILE;
    }
    return LOADABLE_OK;
}

static int add_program_header(const uint8_t *header, size_t number, size_t len, struct loadable *out,
                              struct diag *why)
{
    uint32_t offset = read_le32(header + 4);
    uint32_t address = read_le32(header + 12);
    uint32_t file_size = read_le32(header + 16);
    uint32_t memory_size = read_le32(header + 20);
    if (read_le32(header) != PT_LOAD || file_size == 0) {
        return LOADABLE_OK;
    }
    if (!lies_within(offset, file_size, len)) {
        diag_set(why, "program header %zu: %u bytes at offset 0x%x lie outside the file of %zu bytes", number,
                 (unsigned)file_size, (unsigned)offset, len);
        return LOADABLE_BAD_FILE;
    }
    if (file_size > memory_size) {
        diag_set(why, "program header %zu: %u bytes in the file are more than the %u in memory", number,
                 (unsigned)file_size, (unsigned)memory_size);
        return LOADABLE_BAD_FILE;
    }
    if (file_size > UINT32_MAX - address) {
        diag_set(why, "program header %zu: %u bytes at 0x%08x run past the end of the address space", number,
                 (unsigned)file_size, (unsigned)address);
        return LOADABLE_BAD_FILE;
    }
    struct loadable_segment segment = {address, out->storage + offset, file_size, number};
    return loadable_add_segment(out, &segment, why);
}

static int add_program_headers(size_t len, struct loadable *out, struct diag *why)
{
    const uint8_t *data = out->storage;
    size_t entry_size = read_le16(data + 42);
    size_t count = read_le16(data + 44);
    struct table headers;
    if (count > 0 && entry_size < PHDR_SIZE) {
        diag_set(why, "program headers of %zu bytes, the least is %u", entry_size, PHDR_SIZE);
        return LOADABLE_BAD_FILE;
    }
    if (!find_table(data, len, read_le32(data + 28), entry_size, count, &headers)) {
        diag_set(why, "%zu program headers at offset 0x%x lie outside the file of %zu bytes", count,
                 (unsigned)read_le32(data + 28), len);
        return LOADABLE_BAD_FILE;
    }
    for (size_t i = 0; i < count; i++) {
        int result = add_program_header(headers.at + i * entry_size, i + 1, len, out, why);
        if (result != LOADABLE_OK) {
            return result;
        }
    }
    return LOADABLE_OK;
}

/* Globals come first, so that a search by name meets them before locals. */
static void collect_symbols(const struct table *table, const char *names, size_t names_len, bool global,
                            struct loadable *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const uint8_t *symbol = table->at + i * table->entry_size;
        uint32_t name = read_le32(symbol);
        unsigned type = symbol[12] & 0xfu;
        unsigned binding = symbol[12] >> 4;
        bool is_global = binding == STB_GLOBAL || binding == STB_WEAK;
        bool defined = read_le16(symbol + 14) != 0;
        if (!defined || type == STT_FILE || is_global != global || name >= names_len || names[name] == '\0') {
            continue;
        }
        uint32_t value = read_le32(symbol + 4);
        struct loadable_symbol_entry *entry = &out->symbols[out->symbol_count++];
        entry->name = names + name;
        entry->address = type == STT_FUNC ? value & ~1u : value;
        entry->size = read_le32(symbol + 8);
    }
}

static int add_symbol_table(const uint8_t *section, const struct table *sections, size_t len,
                            struct loadable *out, struct diag *why)
{
    const uint8_t *data = out->storage;
    uint32_t size = read_le32(section + 20);
    uint32_t link = read_le32(section + 24);
    struct table symbols;
    if (link >= sections->count ||
        !find_table(data, len, read_le32(section + 16), SYM_SIZE, size / SYM_SIZE, &symbols)) {
        diag_set(why, "the symbol table lies outside the file");
        return LOADABLE_BAD_FILE;
    }
    const uint8_t *strings = sections->at + link * sections->entry_size;
    uint32_t names_at = read_le32(strings + 16);
    uint32_t names_len = read_le32(strings + 20);
    if (read_le32(strings + 4) != SHT_STRTAB || names_len == 0 || !lies_within(names_at, names_len, len) ||
        data[names_at + names_len - 1] != '\0') {
        diag_set(why, "the symbol table has no proper table of names");
        return LOADABLE_BAD_FILE;
    }
    out->symbols = calloc(symbols.count ? symbols.count : 1, sizeof(out->symbols[0]));
    if (!out->symbols) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    const char *names = (const char *)data + names_at;
    collect_symbols(&symbols, names, names_len, true, out);
    collect_symbols(&symbols, names, names_len, false, out);
    return LOADABLE_OK;
}

static int add_symbols(size_t len, struct loadable *out, struct diag *why)
{
    const uint8_t *data = out->storage;
    size_t entry_size = read_le16(data + 46);
    size_t count = read_le16(data + 48);
    struct table sections;
    if (count == 0) {
        return LOADABLE_OK;
    }
    if (entry_size < SHDR_SIZE ||
        !find_table(data, len, read_le32(data + 32), entry_size, count, &sections)) {
        diag_set(why, "%zu section headers at offset 0x%x lie outside the file of %zu bytes (truncated?)",
                 count, (unsigned)read_le32(data + 32), len);
        return LOADABLE_BAD_FILE;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *section = sections.at + i * entry_size;
        if (read_le32(section + 4) == SHT_SYMTAB) {
            return add_symbol_table(section, &sections, len, out, why);
        }
    }
    return LOADABLE_OK;
}

int loadable_parse_elf(const uint8_t *data, size_t len, struct loadable *out, struct diag *why)
{
    int result = check_header(data, len, why);
    if (result != LOADABLE_OK) {
        return result;
    }
    out->storage = malloc(len);
    if (!out->storage) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    memcpy(out->storage, data, len);
    out->has_entry = true;
    out->entry = read_le32(data + 24);
    result = add_program_headers(len, out, why);
    if (result == LOADABLE_OK) {
        result = add_symbols(len, out, why);
    }
    return result;
}
