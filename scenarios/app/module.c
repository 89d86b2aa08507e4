/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a user module of the program that it is linked with: header, entry points, suffix. SHA-256 and
 * CRC are left blank: sosim writes them when it loads the module. MODULE_VERSION, MODULE_INDEX and
 * SYSTEM_VERSION come from CMakeLists.txt.
 */
#include "device_os.h"

#define PLATFORM_BORON 13
#define USER_PART      5
#define SYSTEM_PART    4

struct dependency {
    uint8_t function, index;
    uint16_t version;
};

struct module_header {
    const void *start, *end;
    uint8_t reserved, flags;
    uint16_t version, platform;
    uint8_t function, index;
    struct dependency needs[2];
};

struct module_suffix {
    uint16_t product, product_version;
    uint16_t reserved;
    uint8_t sha256[32];
    uint16_t size;
};

_Static_assert(sizeof(struct module_header) == 24, "as module_info.h has it");
_Static_assert(sizeof(struct module_suffix) == 40, "as module_info.h has it, with the product's numbers");

extern char link_module_start[], link_module_end[], link_ram_start[], link_ram_end[];
extern char link_data_start[], link_data_end[], link_data_load[];

/* Called before the heap is there. What is returned is the end of the heap. */
static void *pre_init(void)
{
    size_t size = (size_t)(link_data_end - link_data_start);
    for (size_t i = 0; i < size; i++)
        link_data_start[i] = link_data_load[i];
    for (char *at = link_data_end; at < link_ram_end; at++)
        *at = 0;
    return link_ram_start;
}

static void init(void)
{
    set_system_mode(SEMI_AUTOMATIC);
}

static void *const entry_points[] = {(void *)pre_init, (void *)init, (void *)setup, (void *)loop, NULL};

__attribute__((section(".module_header"), used)) static const struct module_header header = {
    .start = link_module_start,
    .end = link_module_end,
    .version = MODULE_VERSION,
    .platform = PLATFORM_BORON,
    .function = USER_PART,
    .index = MODULE_INDEX,
    .needs = {{SYSTEM_PART, 1, SYSTEM_VERSION}},
};

__attribute__((section(".module_table"), used)) static void *const *const table = entry_points;

__attribute__((section(".module_suffix"), used)) static const struct module_suffix suffix = {
    .product = 0xffff, .product_version = 0xffff, .size = sizeof(struct module_suffix)};

__attribute__((section(".module_crc"), used)) static const uint32_t crc = 0xffffffff;
