/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/loadable.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "samples.h"

#define GUEST_START 0x30000u

static void parse_sample(const char *name, struct loadable *out)
{
    struct sample sample = sample_read(name);
    struct diag why;
    cr_assert_eq(loadable_parse(sample.data, sample.len, name, NULL, out, &why), LOADABLE_OK, "%s", why.text);
    free(sample.data);
}

/* The segments, laid out from GUEST_START on, must be what objcopy makes of the same program. */
static void assert_is_guest(const struct loadable *loadable)
{
    struct sample expected = sample_read("guest.bin");
    uint8_t *flat = calloc(1, expected.len);
    size_t covered = 0;
    for (size_t i = 0; i < loadable->segment_count; i++) {
        const struct loadable_segment *segment = &loadable->segments[i];
        cr_assert_geq(segment->address, GUEST_START);
        cr_assert_leq(segment->address - GUEST_START + segment->length, expected.len);
        memcpy(flat + (segment->address - GUEST_START), segment->bytes, segment->length);
        covered += segment->length;
    }
    cr_assert_eq(covered, expected.len);
    cr_assert_arr_eq(flat, expected.data, expected.len);
    free(flat);
}

static void assert_refused(const char *text, const char *words)
{
    struct loadable out;
    struct diag why;
    int result = loadable_parse((const uint8_t *)text, strlen(text), "x.hex", NULL, &out, &why);
    cr_assert_eq(result, LOADABLE_BAD_FILE, "accepted: %s", text);
    cr_assert(strstr(why.text, words), "\"%s\" expected, got \"%s\"", words, why.text);
    cr_assert_null(out.segments);
}

Test(loadable, elf_goes_to_physical_addresses)
{
    struct loadable out;
    parse_sample("guest.elf", &out);
    cr_assert_eq(out.format, LOADABLE_ELF);
    assert_is_guest(&out);
    loadable_free(&out);
}

Test(loadable, hex_has_the_same_bytes_and_entry_as_elf)
{
    struct loadable elf;
    struct loadable hex;
    parse_sample("guest.elf", &elf);
    parse_sample("guest.hex", &hex);
    cr_assert_eq(hex.format, LOADABLE_HEX);
    assert_is_guest(&hex);
    cr_assert(elf.has_entry && hex.has_entry);
    cr_assert_eq(elf.entry, hex.entry);
    loadable_free(&elf);
    loadable_free(&hex);
}

Test(loadable, symbols_agree_with_nm)
{
    struct loadable out;
    parse_sample("guest.elf", &out);
    char *text = (char *)sample_read("guest.nm").data;
    size_t compared = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned expected;
        char kind;
        char name[64];
        uint32_t address;
        if (sscanf(line, "%x %c %63s", &expected, &kind, name) != 3 || name[0] == '$') {
            continue;
        }
        cr_assert(loadable_symbol(&out, name, &address, NULL), "%s is not found", name);
        cr_assert_eq(address, expected, "%s", name);
        compared++;
    }
    cr_assert_geq(compared, 6);
    uint32_t size;
    uint32_t address;
    cr_assert(loadable_symbol(&out, "zeroed", &address, &size));
    cr_assert_eq(size, 256);
    cr_assert_not(loadable_symbol(&out, "no_such_symbol", &address, &size));
    loadable_free(&out);
}

Test(loadable, raw_bytes_need_an_address)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct loadable_options at = {.has_address = true, .address = 0x20000100};
    struct loadable out;
    struct diag why;
    cr_assert_eq(loadable_parse(bytes, 3, "raw", NULL, &out, &why), LOADABLE_BAD_FILE);
    cr_assert_eq(loadable_parse(bytes, 3, "raw", &at, &out, &why), LOADABLE_OK, "%s", why.text);
    cr_assert_eq(out.format, LOADABLE_RAW);
    cr_assert_eq(out.segment_count, 1);
    cr_assert_eq(out.segments[0].address, 0x20000100);
    cr_assert_arr_eq(out.segments[0].bytes, bytes, 3);
    loadable_free(&out);
    at.address = 0xfffffffe;
    cr_assert_eq(loadable_parse(bytes, 3, "raw", &at, &out, &why), LOADABLE_BAD_FILE);
}

Test(loadable, modules_go_where_their_header_says)
{
    struct loadable out;
    struct sample user = sample_read("user.bin");
    struct sample radio = sample_read("radio.bin");
    parse_sample("combined.bin", &out);
    cr_assert_eq(out.format, LOADABLE_MODULE);
    cr_assert_eq(out.segment_count, 2);
    cr_assert_eq(out.segments[0].address, 0x1000);
    cr_assert_eq(out.segments[0].length, radio.len - 24);
    cr_assert_eq(out.segments[1].address, 0xd4000);
    cr_assert_arr_eq(out.segments[1].bytes, user.data, user.len);
    loadable_free(&out);
}

Test(loadable, damaged_modules_only_on_request)
{
    struct loadable_options anyway = {.accept_problems = true};
    struct sample damaged = sample_read("damaged.bin");
    struct loadable out;
    struct diag why;
    cr_assert_eq(loadable_parse(damaged.data, damaged.len, "d.bin", NULL, &out, &why), LOADABLE_BAD_FILE);
    cr_assert(strstr(why.text, "d.bin: CRC-32 wrong"), "%s", why.text);
    cr_assert_eq(loadable_parse(damaged.data, damaged.len, "d.bin", &anyway, &out, &why), LOADABLE_OK);
    cr_assert_arr_eq(out.segments[0].bytes, damaged.data, damaged.len);
    loadable_free(&out);
}

Test(loadable, given_address_contradicts_a_format_with_addresses)
{
    struct loadable_options at = {.has_address = true, .address = 0};
    struct sample elf = sample_read("guest.elf");
    struct loadable out;
    struct diag why;
    cr_assert_eq(loadable_parse(elf.data, elf.len, "g", &at, &out, &why), LOADABLE_BAD_FILE);
    cr_assert(strstr(why.text, "addresses of its own"), "%s", why.text);
}

Test(loadable, hex_records_of_all_types)
{
    static const char text[] = ":020000021000EC\r\n"     /* segment base 0x10000 */
                               ":0400100001020304E2\r\n" /* data at 0x10010 */
                               ":0400000300003800C1\n"   /* CS:IP 0000:3800 */
                               "\n"
                               ":020000042000DA\n" /* linear base 0x20000000 */
                               ":01FFFF00AA57\n"   /* data at 0x2000ffff */
                               ":00000001ff\n";
    struct loadable out;
    struct diag why;
    cr_assert_eq(loadable_parse((const uint8_t *)text, strlen(text), "t", NULL, &out, &why), LOADABLE_OK,
                 "%s", why.text);
    cr_assert_eq(out.segment_count, 2);
    cr_assert_eq(out.segments[0].address, 0x10010);
    cr_assert_eq(out.segments[0].length, 4);
    cr_assert_eq(out.segments[0].bytes[3], 4);
    cr_assert_eq(out.segments[1].address, 0x2000ffff);
    cr_assert_eq(out.entry, 0x3800);
    loadable_free(&out);
}

Test(loadable, hex_errors_name_the_line)
{
    assert_refused(":0400100001020304E2\n:0400100001020304E3\n", "line 2: checksum is E3, the bytes give E2");
    assert_refused(":0400100001020304E2\n", "line 1: the file stops without an end record");
    assert_refused(":0400100001020304E2\n:00000001FF\n:00000001FF\n", "line 3: more follows");
    assert_refused(":04001000010203E2\n", "line 1: the record is not as long");
    assert_refused(":0400100001020G04E2\n", "line 1: a character that is not");
    assert_refused("\n:040010000102030\n", "line 2: a record is pairs");
    assert_refused(":00000006FA\n", "line 1: record type 06");
    assert_refused(":0100000410EB\n", "line 1: the record's length is not that of its type");
    assert_refused(":00000001FF\nhello\n", "line 2: more follows");
    assert_refused(":00000001FF\n", "nothing to load");
    assert_refused(":\n", "line 1: the record is not as long");
    assert_refused(":02000004FFFFFC\n:02FFFF000102FD\n", "line 2: data runs past");
}

Test(loadable, overlaps_name_both_places)
{
    assert_refused(":0400100001020304E2\n:020020000102DB\n:020012000506E1\n:00000001FF\n",
                   "line 3 writes to 0x00000012 again, after line 1");
}

static void patch_elf(size_t at, uint32_t value, size_t width, const char *words)
{
    struct sample elf = sample_read("guest.elf");
    struct loadable out;
    struct diag why;
    for (size_t i = 0; i < width; i++) {
        elf.data[at + i] = (uint8_t)(value >> 8 * i);
    }
    cr_assert_eq(loadable_parse(elf.data, elf.len, "e", NULL, &out, &why), LOADABLE_BAD_FILE, "%s expected",
                 words);
    cr_assert(strstr(why.text, words), "\"%s\" expected, got \"%s\"", words, why.text);
    free(elf.data);
}

Test(loadable, elf_that_lies_is_refused)
{
    patch_elf(4, 2, 1, "32-bit");
    patch_elf(18, 62, 2, "machine 62");
    patch_elf(16, 1, 2, "type 1");
    patch_elf(28, 0xfffffff0, 4, "program headers at offset");
    patch_elf(42, 8, 2, "program headers of 8 bytes");
    patch_elf(44, 0xffff, 2, "65535 program headers");
    patch_elf(32, 0xfffffff0, 4, "section headers");
    /* The first program header stands right behind the ELF header: 52 + offset of its field. */
    patch_elf(52 + 4, 0xffffff00, 4, "program header 1");
    patch_elf(52 + 12, 0xfffffffe, 4, "past the end of the address space");
    patch_elf(52 + 20, 1, 4, "more than the 1 in memory");
}

Test(loadable, every_shorter_elf_is_refused_or_whole)
{
    struct sample elf = sample_read("guest.elf");
    struct loadable out;
    for (size_t len = 4; len < elf.len; len++) {
        cr_assert_eq(loadable_parse(elf.data, len, "e", NULL, &out, NULL), LOADABLE_BAD_FILE, "%zu bytes",
                     len);
    }
}

Test(loadable, missing_file_is_named)
{
    struct loadable out;
    struct diag why;
    cr_assert_eq(loadable_read("/no/such/file.elf", NULL, &out, &why), LOADABLE_UNREADABLE);
    cr_assert(strstr(why.text, "/no/such/file.elf: No such file"), "%s", why.text);
}
